"""Every notebook runs, and the .ipynb beside each script is what running it gives."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
spec = importlib.util.spec_from_file_location("build_notebooks", FOLDER / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)

scripts = pytest.mark.parametrize("script", build.scripts(), ids=lambda script: script.stem)


def cells(notebook) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells]


@scripts
def test_the_notebook_beside_the_script_is_its_own(script):
    stored = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    assert cells(stored) == cells(build.source(script)), f"{script.stem}.ipynb is stale; run `make notebooks`"


@scripts
def test_stored_outputs_are_complete_and_hold_no_error(script):
    stored = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs and not [output for output in outputs if output.output_type in ("error",)]
    assert not [output for output in outputs if output.get("name") == "stderr"], "a warning was stored with the notebook"


@scripts
@pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")
def test_it_runs_and_says_what_is_stored(script):
    stored, fresh = nbformat.read(script.with_suffix(".ipynb"), as_version=4), build.execute(script)
    assert [texts(cell) for cell in stored.cells] == [texts(cell) for cell in fresh.cells]


def texts(cell) -> list[str]:
    """What a cell printed or returned as text; pictures and addresses in memory are left out."""
    outputs = cell.get("outputs", [])
    found = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return [text for text in found if " at 0x" not in text and "Figure" not in text]


@scripts
def test_it_asserts_what_it_teaches(script):
    code = "\n".join(cell.source for cell in build.source(script).cells if cell.cell_type == "code")
    assert sum(line.startswith("assert ") for line in code.splitlines()) >= 3
