"""Text that is meant to run, to hang or to fill the memory is refused by name, before anything of it is done."""
from __future__ import annotations

import os

import pytest

from dynopt import method, stability
from dynopt.core.errors import RuleError
from dynopt.theory.region import region

RULES = {
    "x = __import__('os')": "the literal 'os'", "x = x - eta*grad(x).__class__": "Attribute", "x = x.real": "Attribute",
    "x = x.func.__globals__": "Attribute", "x = __builtins__": "'__builtins__'", "x = open(x)": "'open'", "x = (lambda: 1)()": "a call",
    "x = x; import os": "Import", "x = [x for x in x]": "ListComp", "x = x[0]": "Subscript", "x = 'a'": "literal",
    "x = (y := x)": "NamedExpr", "x = f'{x}'": "JoinedStr", "x = " + "("*10000 + "x" + ")"*10000: "at most 4000",
    "x = " + "-"*10000 + "x": "at most 4000", "x = x**(10**9)": "the power 1000000000", "x = x - eta**999999999*grad(x)": "the power 999999999",
    "x = x - 9**9**9**9*grad(x)": "the power 387420489", "x = x - ((((eta + 1)**60)**60)**60)*grad(x)": "the power 3600",
    "x = x - (10**60)**(2*4)*grad(x)": "the power 480"}
RELATIONS = {"__import__('os') > 0": "'__import__'", "x.real < 1": "Attribute", "x**10**9 < 1": "the power", "9**9**9 < x": "the power",
             "x << 3": "no relation", "(1 + x)**5000 < 1": "the power", "eta < 1e500": "400 digits"}


@pytest.mark.parametrize("text", RULES, ids=lambda t: t[:30])
def test_a_hostile_rule_is_refused_by_name(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuleError) as refused:
        method.from_string(text, state="x")
    assert RULES[text] in str(refused.value) and len(str(refused.value)) < 500
    assert isinstance(refused.value, ValueError) and os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", RELATIONS)
def test_a_hostile_relation_is_refused_by_name(text):
    with pytest.raises(RuleError, match="expression") as refused:
        region(text)
    assert RELATIONS[text] in str(refused.value)


def test_a_sum_that_explodes_is_refused_before_it_is_multiplied_out():
    rule = method.from_string("x = x - (1 + eta + beta + gamma + delta)**64*grad(x)", state="x")
    assert "814386 terms" in stability(rule).unknown
    with pytest.raises(RuleError, match="terms when multiplied out"):
        region("(1 + eta + beta + gamma + delta)**64 < 2")


def test_small_powers_of_numbers_are_read():
    assert str(stability(method.from_string("x = x - 2**3*eta*grad(x)/4", state="x"))) == "0 < eta*lam < 1"
