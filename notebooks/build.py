"""Execute every percent script of this folder into the .ipynb beside it: `make notebooks`, or name the scripts to build."""
from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent


def scripts() -> list[Path]:
    """The sources: every script here but this one."""
    return sorted(path for path in HERE.glob("*.py") if path.name != "build.py")


def source(script: Path) -> nbformat.NotebookNode:
    """The notebook that a percent script means, without outputs; cell names are numbers, so that it is the same each time."""
    notebook = jupytext.read(script, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                         "language_info": {"name": "python"}}
    return notebook


def execute(script: Path, seconds: int = 300) -> nbformat.NotebookNode:
    """The notebook with its outputs; an exception in a cell is raised here."""
    notebook = source(script)
    NotebookClient(notebook, timeout=seconds, kernel_name="python3", resources={"metadata": {"path": str(HERE)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)                # times of day
    notebook.metadata["language_info"] = {"name": "python"}
    return notebook


def main(names: list[str]) -> None:
    for script in [Path(name) for name in names] or scripts():
        nbformat.write(execute(script), script.with_suffix(".ipynb"))
        print(script.with_suffix(".ipynb"))


if __name__ == "__main__":
    main(sys.argv[1:])
