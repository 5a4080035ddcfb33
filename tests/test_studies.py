"""Every study agrees, meets the reference, has a picture, and would be found out if its theory were wrong.

`tests/data/studies.json` holds the entries that the studies were written from; `tests/data/study_facts/<family>.json` what they
say, checkable: for each study {name in `theory`: value}. A value is a number, true or false, or arithmetic as text ("2*(1 + 9/10)"),
met to nine digits, or {"value": ..., "within": absolute error}; a name that starts with "measured: " is looked up in `measured`;
"verdict" lists words that the verdict must hold.
"""
from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dynopt
from dynopt import evaluate
from dynopt.studies.study import FAMILIES, Study, find, studies

DATA = Path(__file__).parent / "data"
FOLDER = Path(dynopt.__file__).parent / "studies"
REFERENCE = {entry["id"]: entry for entry in json.loads((DATA / "studies.json").read_text(encoding="utf-8"))["studies"]}
FACTS = {id: facts for path in sorted((DATA / "study_facts").glob("*.json"))
         for id, facts in json.loads(path.read_text(encoding="utf-8")).items()}
IDS = [entry.id for entry in studies()]


# -- each study, run once -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("id", IDS)
def test_study(id):
    """One test for all that is asked of a study, so that it runs once wherever the tests are spread over processes."""
    study = find(id).run()
    disagreeing = {n: (study.theory[n], study.measured.get(n)) for n in study.theory if n not in study.measured or not study.agrees(n)}
    assert study.agree, f"{id}: theory and measurement differ in {disagreeing}"
    meets_the_reference(study)
    is_found_out(study)
    is_told(study)


def meets_the_reference(study: Study) -> None:
    facts = dict(FACTS[study.id])
    for word in facts.pop("verdict", []):
        assert word in study.verdict, f"{study.id}: the verdict does not say {word!r}"
    for name, fact in facts.items():
        table, key = (study.measured, name.removeprefix("measured: ")) if name.startswith("measured: ") else (study.theory, name)
        wanted, within = (fact["value"], fact["within"]) if isinstance(fact, dict) else (fact, None)
        if isinstance(wanted, bool):
            assert table[key] == wanted and isinstance(table[key], (bool, np.bool_)), f"{study.id}: {name} = {table[key]}"
            continue
        wanted = np.array([float(evaluate(w)) for w in wanted]) if isinstance(wanted, list) else float(evaluate(wanted))
        close = pytest.approx(wanted, abs=within, rel=0) if within is not None else pytest.approx(wanted, rel=1e-9, abs=1e-9)
        assert table[key] == close, f"{study.id}: {name} = {table[key]}, the reference has {wanted}"


def is_found_out(study: Study) -> None:
    """A theory that is wrong by three tolerances (at least 2 %), or by its sign, does not agree."""
    for name, value in study.theory.items():
        if isinstance(value, (bool, np.bool_)):
            assert not study.with_theory(**{name: not value}).agree, f"{study.id}: {name} negated still agrees"
            continue
        value = np.asarray(value, dtype=float)
        gap = max(3*study.tolerance_of(name), .02*float(np.abs(value).max()))
        assert gap > 0, f"{study.id}: {name} has no tolerance"
        for wrong in (value + gap, value - gap):
            assert not study.with_theory(**{name: wrong}).agree, f"{study.id}: {name} wrong by {gap} still agrees"


def is_told(study: Study) -> None:
    """A verdict, a derivation, a picture with a title and something in it."""
    assert study.verdict and study.derivation and all(str(line).strip() for line in study.derivation), study.id
    figure, ax = plt.subplots()
    try:
        study.draw(ax)
        figure.canvas.draw()
        axes = figure.axes
        assert any(a.get_title() for a in axes) or figure.get_suptitle(), f"{study.id}: the picture has no title"
        assert any(a.lines or a.collections or a.images or a.patches for a in axes), f"{study.id}: the picture is empty"
    finally:
        plt.close(figure)


def test_every_entry_of_the_reference_has_its_study_and_facts():
    assert len(IDS) == 52 and set(IDS) == set(REFERENCE)
    assert {id for id, facts in FACTS.items() if facts} == set(REFERENCE)
    for entry in studies():
        assert entry.family == REFERENCE[entry.id]["family"] and entry.title == REFERENCE[entry.id]["title"]


# -- how they are written ------------------------------------------------------------------------------------------------

MODULES = [path for path in sorted(FOLDER.glob("*.py")) if path.stem.partition("_")[0] in (*FAMILIES, "measure")]
ALLOWED = {*sys.stdlib_module_names, "numpy", "dynopt"}
CURVES = {"sqrt", "exp", "sin", "cos", "tan", "arccos", "arcsin", "arctan", "pi", "power", "cosh", "sinh", "tanh"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_studies_import_dynopt_and_numpy_only(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name.partition(".")[0] for alias in node.names} <= ALLOWED, f"{path.name}:{node.lineno}"
        elif isinstance(node, ast.ImportFrom):
            assert node.level or node.module.partition(".")[0] in ALLOWED, f"{path.name}:{node.lineno}: {node.module}"


def functions(path: Path) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def written() -> list:
    """(id, function, all functions of its module) of every study."""
    found = []
    for path in MODULES:
        all_of_them = functions(path)
        for node in all_of_them.values():
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "study":
                    found.append(pytest.param(node, all_of_them, id=mark.args[0].value))
    return found


def theories(node: ast.AST) -> list[ast.expr]:
    """The values that go into `theory`."""
    found: list[ast.expr] = []
    for n in ast.walk(node):
        targets = n.targets if isinstance(n, ast.Assign) else [n.target] if isinstance(n, (ast.AugAssign, ast.AnnAssign)) else []
        for target in targets:
            name = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(name, ast.Name) and name.id == "theory" and n.value is not None:
                found += values_of(n.value)
        if isinstance(n, ast.keyword) and n.arg == "theory":
            found += values_of(n.value)
    return found


def values_of(e: ast.expr) -> list[ast.expr]:
    if isinstance(e, ast.Dict):
        return [v for value in e.values for v in values_of(value)]
    if isinstance(e, ast.DictComp):
        return values_of(e.value)
    if isinstance(e, ast.BinOp) and isinstance(e.op, ast.BitOr):
        return values_of(e.left) + values_of(e.right)
    return [e]


@pytest.mark.parametrize("node, all_of_them", written())
def test_no_theory_is_typed_in(node, all_of_them):
    """What goes into `theory` is asked of the engine: no power, no root, no sine is written there, and no number but zero."""
    found = theories(node)
    assert found, f"{node.name}: no theory was found"
    for e in found:
        assert not (isinstance(e, ast.Constant) and not isinstance(e.value, bool) and e.value != 0), ast.unparse(e)
        for part in ast.walk(e):
            assert not (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Pow)), f"a power is typed in: {ast.unparse(e)}"
            assert not (isinstance(part, ast.Attribute) and part.attr in CURVES and getattr(part.value, "id", "") == "np"), \
                f"a formula is typed in: {ast.unparse(e)}"
    assert not all(isinstance(e, ast.Constant) for e in found), f"{node.name}: all of its theory is typed in"


@pytest.mark.parametrize("node, all_of_them", written())
def test_every_study_asks_the_theory(node, all_of_them):
    theory = {name for name, module in dynopt._HOME.items() if module.startswith("theory.")}
    names: set[str] = set()
    waiting = [node]
    while waiting:
        here = {n.id for n in ast.walk(waiting.pop()) if isinstance(n, ast.Name)}
        waiting += [all_of_them[name] for name in here - names if name in all_of_them]
        names |= here
    assert names & theory, f"{node.name}: nothing in it is derived"


# -- the command ---------------------------------------------------------------------------------------------------------

def test_the_command_writes_a_gallery_and_a_list_for_machines(tmp_path, capsys):
    from dynopt.cli_studies import run_studies
    assert run_studies(["q14"], every=False, listed=False, figures=str(tmp_path), as_json=True) == 0
    [found] = json.loads(capsys.readouterr().out)
    assert set(found) == {"id", "family", "title", "claim", "verdict", "theory", "measured", "tolerance", "agree", "seconds"}
    assert all(abs(np.subtract(found["theory"][n], found["measured"][n], dtype=float)).max() <= t for n, t in found["tolerance"].items())
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Q14.svg" in page and "1 of 1 studies agree" in page and (tmp_path / "Q14.svg").exists()


def test_a_study_is_shown_in_a_notebook_by_its_claim_its_numbers_and_its_verdict():
    study = find("Q12").run()
    shown = study._repr_html_()
    assert repr(study) == "Study Q12, Blending heavy ball and Nesterov: agrees" and "disagrees" not in shown
    assert study.claim in shown and "<td>3.8</td>" in shown and "<li><code>stable: eta &gt; 0" in shown
    assert "<b>disagrees</b>" in study.with_theory(**{"gain on a flat mode": 1.0})._repr_html_()
