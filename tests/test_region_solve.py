"""Regions solved for one parameter where their relations are of higher degree: ends are roots, branches cover the region."""
from __future__ import annotations

import numpy as np
import pytest
import sympy
import theory_rules as T

from dynopt import rules
from dynopt.core.errors import ParameterError
from dynopt.core.rule import method
from dynopt.theory.region import region
from dynopt.theory.roots import Root
from dynopt.theory.stability import stability
from dynopt.theory.sturm import counts
from dynopt.theory.symbols import symbol


def assert_covered(found, name, points=2000):
    """The branches in one parameter hold exactly the points of the region, ends by `.at`."""
    rng = np.random.default_rng(3)
    names = sorted({str(s) for s in found.free_symbols} | {name})
    values = {n: rng.uniform(0.01, 3, points) if symbol(n).is_positive else rng.uniform(-3, 4, points) for n in names}
    covered = np.zeros(points, dtype=bool)
    for branch in found.solve(name):
        lower, upper = branch.at(**{n: v for n, v in values.items() if n != name})
        covered |= (lower < values[name]) & (values[name] < upper)
    assert np.array_equal(covered, found.contains(**values))


@method
def three_states(x, v, w, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    w = beta*w + v
    return x - w, v, w


@pytest.mark.parametrize("name, parameter", [
    ("rk4_descent", "h"), ("rk4_descent", "lam"), ("rkc_descent", "eps"), ("stale_heavy_ball", "eta"), ("stale_heavy_ball", "beta"),
    ("nesterov", "beta"), ("nag_sc", "eta"), ("triple_momentum", "mu"), ("triple_momentum", "L"), ("pid", "lam")])
def test_the_branches_of_a_published_rule_are_its_region(name, parameter):
    rule = rules[name].at(s=2) if name == "rkc_descent" else rules[name]
    assert_covered(stability(rule), parameter)


@pytest.mark.parametrize("parameter", ["eta", "beta", "lam"])
def test_the_branches_of_three_states_are_their_region(parameter):
    assert_covered(stability(three_states), parameter)


@pytest.mark.parametrize("relations", [
    ["x**3 - 3*x + a > 0"], ["x**3 - 3*x + a > 0", "x**2 < a + 1"], ["x**4 - 3*x**2 + a*x > b"], ["x**3 - c*x + a > b"],
    ["c*x**3 - x + a > b", "x < a*b"], ["x**5 - x + a > 0", "x < 2"], ["(x**2 - a)*(x**3 + x - b) > 0"],
    ["a*x**4 + b*x**2 + 1 > 0"], ["x**3 + a*x**2 > 1", "a*x < 3"]])
def test_the_branches_of_any_polynomial_relations_are_their_region(relations):
    assert_covered(region(*relations), "x")


def test_ends_are_exact_numbers_where_units_take_the_parameters_away():
    [branch] = stability(rules["rk4_descent"]).solve("h")
    number = branch.upper*symbol("lam")
    assert branch.lower == 0 and number.free_symbols == set()
    assert str(sympy.N(number, 30)).startswith("2.78529356340528")


def test_nesterov_branches_stay_where_they_are():
    branches = stability(T.nesterov).solve("eta")
    assert {str(b.when) for b in branches} == {"beta <= -1", "-1 <= beta <= -1/3", "-1/3 <= beta <= 1", "beta >= 1"}


def test_a_closed_end_at_a_cut_is_no_hole():
    """x**3 - 3*x + a: at a = 2 two roots meet, and the branch to the first of them still holds there."""
    branches = region("x**3 - 3*x + a > 0").solve("x")
    ends = [branch.at(a=2.) for branch in branches]
    assert sorted((round(low, 6), round(high, 6)) for low, high in ends if low == low) == [(-2., 1.), (1., np.inf)]


def test_a_root_is_an_expression():
    z, a, b = sympy.symbols("z a b", real=True)
    root = Root(z**3 + a*z - b, z, 0)
    assert root.free_symbols == {a, b}
    assert root.subs(a, 0).subs(b, 8) == 2
    assert isinstance(root.subs({a: -3, b: 1}, simultaneous=True), sympy.CRootOf)
    assert np.allclose(root.at(a=[0., 1.], b=[27., 2.]), [3, 1])
    assert np.isnan(Root(z**2 - a, z, 0).at(a=-1.))
    assert "RootOf" in str(root) and "root" in sympy.latex(root)


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_the_number_of_real_roots_is_told_by_signs(degree):
    rng = np.random.default_rng(degree)
    z, letters = sympy.Symbol("z"), [symbol(n) for n in "abcde"[:degree + 1]]
    rows = counts(sympy.Poly(sum(c*z**(degree - i) for i, c in enumerate(letters)), z))
    for row in rng.integers(-9, 10, (60, degree + 1)):
        values = dict(zip(letters, map(int, row)))
        p = sympy.Poly([*map(int, row)], z)
        if p.degree() == degree and (degree == 1 or p.discriminant() != 0):
            told = [n for atoms, n in rows if all(_holds(a, values) for a in atoms)]
            assert told in ([p.count_roots()], []) if degree > 3 else told == [p.count_roots()]


def _holds(atom, values):
    value = atom.expr.subs(values)
    return value > 0 or (atom.op == ">=" and value == 0)


def test_what_a_branch_needs_is_asked_for():
    branch = stability(T.heavy_ball).solve("eta")[0]
    with pytest.raises(ParameterError, match="missing lam"):
        branch.at(beta=.5)
