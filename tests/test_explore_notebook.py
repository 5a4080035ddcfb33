"""In a real kernel: figures made without axes are all shown, a page is shown and survives saving, the widget has a state both ways."""
from __future__ import annotations

import html
import os

import nbclient
import nbformat
import pytest

CELLS = [
    "from dynopt import explore, iterate, plot_decay, plot_paths, quadratic, rules\n"
    "run = iterate(rules['heavy_ball'], quadratic([1, 10]), x0=[1., 1.], steps=30, eta=.1, beta=.5)\n"
    "drawn = plot_decay(run)",
    "drawn = plot_paths(run, problem=quadratic([1, 10]))",
    "one, two = plot_decay(run), plot_paths(run)",
    "page = explore(rules['gradient_descent'], quadratic([1, 4]), beside=[], eta=.25)\npage.show()",
    "page",
    "widget = page.widget()\nwidget",
    "widget.state = {'i': 0, 'p': [.125]}\nprint(widget.state['p'], widget.get_state()['state'] == widget.state)",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    pytest.importorskip("anywidget", reason="anywidget is not installed (pip install anywidget)")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    fresh = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}  # as a newcomer's kernel has it
    nbclient.NotebookClient(made, timeout=300, kernel_name="python3").execute(env=fresh)
    path = tmp_path_factory.mktemp("notebook")/"saved.ipynb"
    nbformat.write(made, path)
    return nbformat.read(path, as_version=4)


pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")]


def data(notebook, cell):
    return [output["data"] for output in notebook.cells[cell].outputs if "data" in output]


def test_every_figure_is_shown_also_the_second(notebook):
    assert [len([d for d in data(notebook, cell) if "image/png" in d]) for cell in (0, 1, 2)] == [1, 1, 2]


def test_a_page_is_shown_without_a_warning_and_survives_saving(notebook):
    for cell in (3, 4):
        [shown] = data(notebook, cell)
        assert shown["text/html"].startswith("<iframe") and "sandbox=\"allow-scripts\"" in shown["text/html"]
        inside = html.unescape(shown["text/html"].split('srcdoc="')[1].split('" title')[0])
        assert inside.startswith("<!doctype html>") and "0 &lt; eta*lam &lt; 2" in inside and inside.rstrip().endswith("</html>")
        assert "text/plain" in shown and len(shown["text/plain"]) < 200
    assert not [o for c in notebook.cells for o in c.outputs if o.get("name") == "stderr" or o.output_type == "error"]


def test_the_widget_has_its_module_in_the_saved_notebook_and_its_state_goes_both_ways(notebook):
    [shown] = data(notebook, 5)
    model = shown["application/vnd.jupyter.widget-view+json"]["model_id"]
    stored = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"][model]["state"]
    assert "export default { render" in stored["_esm"] and "https://" not in stored["_esm"]
    assert notebook.cells[6].outputs[0]["text"] == "[0.125] True\n"
