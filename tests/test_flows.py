"""Flows and methods both ways: the cousins of "symplectic Euler of the damped flow is heavy ball", as the README says them."""
from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest
import sympy

import dynopt
from dynopt import equivalent, explicit_euler, implicit_euler, leapfrog
from dynopt.core.parse import parse
from dynopt.theory.algebra import expression

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SAID = re.findall(r"^equivalent\((.*)\) +# (.*)$", README, re.MULTILINE)


def built(node: ast.AST):
    """A rule written as scheme(flow) or name, without running text."""
    if isinstance(node, ast.Name):
        return getattr(dynopt, node.id)
    assert isinstance(node, ast.Call)
    return built(node.func)(*(ast.literal_eval(a) if isinstance(a, ast.Tuple) else built(a) for a in node.args))


@pytest.mark.parametrize(("pair", "map_"), SAID, ids=[p for p, _ in SAID])
def test_one_liners_of_the_readme(pair, map_):
    one, other = ast.parse(f"({pair})", mode="eval").body.elts
    found = equivalent(built(one), built(other))
    assert found and found.written == other.id
    claimed = dict(part.split(" = ") for part in map_.split(", "))
    assert set(claimed) == set(found.params)
    for name, text in claimed.items():
        assert sympy.simplify(expression(parse(text)) - found.params[name]) == 0, found.reason


def test_readme_says_at_least_seven():
    assert len(SAID) >= 7


def test_a_prox_is_a_gradient_at_the_new_point():
    """prox(x, eta) and implicit Euler are one method, checked by running both on f = x^4/4 + x^2/2."""
    near = dynopt.method(lambda x, *, eta, prox: prox(x, eta))
    found = equivalent(implicit_euler(dynopt.gradient_flow), near)
    assert found and [str(e) for e in found.params.values()] == ["h"]
    run = dynopt.iterate(implicit_euler(dynopt.gradient_flow), dynopt.Problem(lambda x: x[0]**4/4 + x[0]**2/2), x0=[1.5], steps=5, h=.4)
    x = 1.5
    for k in range(5):
        x = near(x, eta=.4, prox=lambda u, s: min(np.roots([s, 0, 1 + s, -u]), key=lambda z: abs(z.imag)).real)
        assert run.x[k + 1] == pytest.approx([x], abs=1e-9)


def test_a_gradient_at_the_new_point_is_no_gradient_at_the_old_one():
    assert not equivalent(implicit_euler(dynopt.gradient_flow), explicit_euler(dynopt.gradient_flow))
    assert not equivalent(leapfrog(dynopt.damped), dynopt.implicit_damped)
    assert not equivalent(dynopt.ista, dynopt.proximal_point)
