"""The floors of the house, as a test: who may import whom, and which neighbour is let in through which door."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "dynopt"

# room -> the rooms it may import (itself always); a file directly under dynopt/ is a room of its own name
GROUND = {"core"}
MIDDLE = GROUND | {"catalog", "theory", "emit"}
UPPER = MIDDLE | {"run", "dynamics", "plot"}
MAY = {
    "core": set(),
    "catalog": GROUND, "theory": GROUND, "emit": GROUND,
    "run": MIDDLE, "dynamics": MIDDLE, "plot": GROUND | {"theory", "catalog"},
}
FLOOR_4 = {"__init__", "describe", "conventions", "advise", "report", "explore", "interop"}
MAY |= dict.fromkeys(FLOOR_4, UPPER | FLOOR_4)
MAY |= {"studies": {"__init__"}}                          # floor 5: only `from dynopt import ...`
CLI = UPPER | FLOOR_4 | {"studies"}                       # floor 6: cli*.py and __main__.py

# neighbour -> the only rooms that may import it, wherever in the file the import stands
DOORS = {
    "numba": {"emit", "run", "dynamics"}, "llvmlite": {"emit", "run", "dynamics"},
    "matplotlib": {"plot"},
    "z3": {"theory"},
    "typer": {"cli"}, "click": set(),
}
# called on text or names these would run what a user typed; `simplify` and `fastmath` give answers nobody can predict
FORBIDDEN_CALLS = {"eval", "sympify", "lambdify", "simplify", "S"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "cli" if part.startswith("cli") or part == "__main__" else part


def hooks(tree: ast.Module) -> set[int]:
    """Lines of the one exemption: a lower noun that shows itself in one line, by asking an upper room."""
    shows = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in ("_repr_latex_", "plot")]
    return {node.body[0].lineno for node in shows if len(node.body) == 2 and isinstance(node.body[1], ast.Return)}


def imports(path: Path, *, top_level: bool = False):
    """Every module named by an import in the file, relative ones resolved, with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ["dynopt", *path.relative_to(PACKAGE).parts[:-1]] if path.is_relative_to(PACKAGE) else []
    for node in (tree.body if top_level else ast.walk(tree)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[:len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def rooms_imported(path: Path):
    """The rooms of dynopt the file imports; a public name taken from `dynopt` itself counts as `__init__`."""
    for name, line in imports(path):
        parts = name.split(".")
        if parts[0] == "dynopt":
            second = parts[1] if len(parts) > 1 else "__init__"
            is_room = (PACKAGE / second).is_dir() or (PACKAGE / f"{second}.py").exists()
            yield (second if is_room else "__init__"), line


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_imports_only_what_stands_below_it(path):
    room = room_of(path)
    allowed = CLI | {"cli"} | {p.stem for p in PACKAGE.glob("cli*.py")} if room == "cli" else MAY[room] | {room}
    exempt = hooks(ast.parse(path.read_text(encoding="utf-8")))
    wrong = [f"line {line}: dynopt.{found}" for found, line in rooms_imported(path)
             if found not in allowed and line not in exempt]
    assert not wrong, f"{path.relative_to(ROOT)} ({room}) may import only {sorted(allowed)}; found {wrong}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_neighbours_come_in_through_their_door(path):
    wrong = [f"line {line}: {name}" for name, line in imports(path)
             if room_of(path) not in DOORS.get(name.split(".")[0], {room_of(path)})]
    assert not wrong, f"{path.relative_to(ROOT)}: {wrong}"


@pytest.mark.parametrize("path", [p for p in SOURCES if room_of(p) == "core"], ids=lambda path: path.name)
def test_the_waist_loads_without_sympy(path):
    assert not [name for name, _ in imports(path, top_level=True) if name.split(".")[0] == "sympy"]


OUTSIDE = sorted([*(PACKAGE / "studies").rglob("*.py"), *ROOT.glob("figures/*.py"), *ROOT.glob("notebooks/*.py")])


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_study_figure_or_notebook_types_a_formula_in(path):
    names = [name.split(".") for name, _ in imports(path)]
    assert not [parts for parts in names if parts[0] == "sympy"], "formulas are derived, never typed: no sympy here"
    inner = [parts for parts in names if parts[0] == "dynopt" and len(parts) > 2 and parts[1] not in ("plot", "studies")]
    assert not inner, f"only `from dynopt import ...`; found {inner}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_call_that_runs_text_or_guesses(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in FORBIDDEN_CALLS, f"line {node.lineno}: {called}(...)"
            assert "fastmath" not in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}: fastmath"


def test_every_room_says_what_lives_in_it():
    for init in PACKAGE.glob("*/__init__.py"):
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), f"{init.relative_to(ROOT)} has no docstring"
