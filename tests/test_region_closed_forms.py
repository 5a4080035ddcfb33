"""The stability, bounded and oscillation regions of the reference table: each derived region equals the listed closed form."""
from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import sympy
import theory_rules

from dynopt.theory.bounded import bounded
from dynopt.theory.monotone import monotone
from dynopt.theory.oscillation import oscillation
from dynopt.theory.region import region
from dynopt.theory.stability import stability
from dynopt.theory.symbols import symbol

ENTRIES = json.loads((Path(__file__).parent / "data" / "regions.json").read_text())
ASK = {"stability": stability, "bounded": bounded, "oscillation": oscillation,
       "monotone & stability": lambda rule, **kw: monotone(rule, **kw) & stability(rule, **kw)}


def ids(entry):
    return "-".join([entry["id"], *(str(v) for v in entry.get("at", {}).values())])


WORD = re.compile(r"[A-Za-z_]\w*")
FUNCTIONS = {"Abs", "Or", "And", "Rational", "sin", "pi", "sqrt"}


def listed(entry):
    """The closed form, from trusted text; `rename` maps the table's names to the rule's."""
    table = {name: symbol(name) for text in entry["closed_form"] for name in WORD.findall(text) if name not in FUNCTIONS}
    for old, new in entry.get("rename", {}).items():
        table[old] = sympy.Integer(new) if new.isdigit() else symbol(new)
    return [sympy.sympify(text, locals=table) for text in entry["closed_form"]]


FOUND: dict = {}


def derived(entry):
    key = json.dumps(entry)
    if key not in FOUND:
        FOUND[key] = _derived(entry)
    return FOUND[key]


def _derived(entry):
    rule = getattr(theory_rules, entry["rule"])
    rule = rule.at(**entry["at"]) if "at" in entry else rule
    more = {k: tuple(entry[k]) if k == "over" else entry[k] for k in ("over", "mode") if k in entry}
    return ASK[entry["ask"]](rule, given=entry["given"], **more)


@pytest.mark.parametrize("entry", ENTRIES, ids=ids)
def test_the_derived_region_is_the_listed_one(entry):
    found, expected = derived(entry), region(*listed(entry), given=entry["given"])
    assert not found.unknown
    assert found.equals(expected) is True, f"derived {found}, listed {expected}"
    names = sorted({str(s) for s in found.free_symbols | expected.free_symbols} | {"eta"})
    rng = np.random.default_rng(1)
    points = {n: rng.uniform(-3, 3, 4000) if symbol(n).is_positive is None else rng.uniform(0.01, 3, 4000) for n in names}
    own = {n: v for n, v in points.items() if not found.names or n in found.names}
    with np.errstate(invalid="ignore"):
        held = np.broadcast_to(found.contains(**own) & region(*entry["given"]).contains(**points), 4000)
        stated = np.broadcast_to(expected.contains(**points), 4000)
    assert (held == stated).all()


@pytest.mark.parametrize("entry", [e for e in ENTRIES if "&" not in e["ask"]], ids=ids)
def test_the_derived_region_is_proved(entry):
    proof = derived(entry).proof
    assert proof.status == "proved", proof
    assert proof.counterexample is None
    assert proof.smt2.count("(check-sat)") > 1
