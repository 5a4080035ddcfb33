"""Every figure can be drawn from its script, says what it shows, and stands on the contact sheet."""
from __future__ import annotations

import ast
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from dynopt.plot import style

FOLDER = Path(__file__).parents[1] / "figures"
sys.path.insert(0, str(FOLDER))
import build  # noqa: E402

scripts = pytest.mark.parametrize("script", build.SCRIPTS, ids=lambda script: script.stem)


def test_there_are_at_least_sixteen_figures():
    assert len(build.SCRIPTS) >= 16


@scripts
def test_a_script_is_one_sentence_and_one_pure_draw(script):
    tree = ast.parse(script.read_text(encoding="utf-8"))
    said = build.sentence(script)
    assert said.endswith(".") and len(said) < 130
    assert "draw" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.Expr)
    assert all(isinstance(node, kinds) for node in tree.body), "nothing is drawn or run on import"
    modules = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} <= {"dynopt", "numpy", "matplotlib"}


@pytest.mark.slow
@scripts
def test_a_figure_draws_and_its_panels_have_titles(script):
    with style.use("dark"):
        figure = build.load(script).draw()
        assert isinstance(figure, Figure)
        assert any(ax.get_title(loc="left") for ax in figure.axes)
        figure.canvas.draw()
        drawn, page = figure.get_tightbbox(), figure.bbox_inches
        plt.close(figure)
    slack = 1e-6  # inches: the layout ends on the edge of the page to the last bit
    assert page.x0 - slack <= drawn.x0 and drawn.x1 <= page.x1 + slack, "text is cut off at the side"
    assert page.y0 - slack <= drawn.y0 and drawn.y1 <= page.y1 + slack, "text is cut off above or below"


def test_the_contact_sheet_is_what_the_scripts_say():
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == build.sheet()


@scripts
def test_every_picture_is_there_and_small(script):
    for paths in build.outputs(script).values():
        for path in paths:
            assert path.stat().st_size <= {".png": 300_000, ".svg": 400_000, ".pdf": 400_000}[path.suffix], path.name


def test_an_unknown_figure_is_refused(capsys):
    assert build.main(["no_such_figure"]) == 2
    assert "no_such_figure" in capsys.readouterr().err
