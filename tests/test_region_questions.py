"""Questions that are none are refused with a cure, before any mathematics; what was misprinted or lost at the edge of a region."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from dynopt import (
    Game,
    bounded,
    equivalent,
    flow,
    iterate,
    method,
    moments,
    monotone,
    ode_limit,
    optimum,
    rate,
    rules,
    stability,
    where,
)
from dynopt.core.errors import ParameterError, RuleError
from dynopt.theory.atoms import factored
from dynopt.theory.numbers import polynomial
from dynopt.theory.region import region
from dynopt.theory.symbols import symbol

gradient_descent, heavy_ball = rules["gradient_descent"], rules["heavy_ball"]


@method
def two_players(x, y, *, eta, grad_1, grad_2):
    return x - eta*grad_1(x, y), y - eta*grad_2(x, y)


@method
def looking_back(x, y, x_prev, *, eta, grad_1, grad_2):
    return x - eta*grad_1(2*x - x_prev, y), y - eta*grad_2(x, y), x


@method
def in_rounds(x, *, eta, grad, k):
    return x - eta*where(k % 2 == 0, 1, 2)*grad(x)


@method
def annealed(x, *, eta, grad, k):
    return x - eta*(1 + 1/(k + 1))*grad(x)


def game(x0):
    fields = [lambda x, y: x*np.sum(y), lambda x, y: -y*np.sum(x)]
    return iterate(looking_back, Game(fields), x0=x0, steps=3, eta=.1)


ASKED = {
    "at=3": (lambda: stability(gradient_descent, at=3), "at=3, expected a value for each state"),
    "at text": (lambda: stability(gradient_descent, at="x"), "write at={'x': 1}"),
    "freeze=3": (lambda: stability(heavy_ball, freeze=3), "freeze=3, expected one name or several"),
    "given=3": (lambda: stability(heavy_ball, given=3), "given=3, expected relations"),
    "one row": (lambda: stability(two_players, mode=[[1]]), "mode has 1 row, expected one for each of its 2 players"),
    "three rows": (lambda: stability(two_players, mode=[["a", "b", "c"]]*3), "mode has 3 rows"),
    "mode takes eta": (lambda: stability(two_players, mode=[["eta", "b"], ["-b", "c"]]), "'eta', which is a parameter of the rule"),
    "mode takes k": (lambda: stability(two_players, mode=[["k", "b"], ["-b", "c"]]), "'k', which is the clock"),
    "mode holds None": (lambda: stability(two_players, mode=[[None, 1], [1, 2]]), "found NoneType None, expected a finite number"),
    "over takes eta": (lambda: stability(gradient_descent, over=("eta", "L")), "'eta', which is a parameter of the rule"),
    "over takes lam": (lambda: stability(gradient_descent, over=("lam", "L")), "'lam'"),
    "over takes a root": (lambda: stability(gradient_descent, over=("sqrt(mu)", "L")), "names, numbers or fractions"),
    "rate over eta": (lambda: rate(gradient_descent).over("eta", "L"), "'eta', which is a parameter of the rule"),
    "best over eta": (lambda: optimum(gradient_descent, "eta", "L"), "'eta', which is a parameter of the rule"),
    "best of nothing": (lambda: optimum(gradient_descent, params=3), "params=3, expected one name or several"),
    "best of no rule": (lambda: optimum(lambda x: x), "expected a declared rule"),
    "moments of no rule": (lambda: moments(lambda x: x), "expected a declared rule"),
    "a strength that is none": (lambda: moments(gradient_descent, additive="2*s"), "expected the name of a parameter"),
    "shapes": (lambda: stability(gradient_descent).contains(eta=[1, 2], lam=[1, 2, 3]), "eta of shape .2,., lam of shape .3,."),
    "shapes of a rate": (lambda: rate(gradient_descent).at(eta=[1, 2], lam=[1, 2, 3]), "broadcast"),
    "a region and a number": (lambda: stability(gradient_descent) & 3, "a region met int 3"),
    "implies text": (lambda: stability(gradient_descent).implies("eta < 1"), "a region met str"),
    "a sum in rounds": (lambda: ode_limit(in_rounds), "counts its steps in rounds"),
    "players that differ": (lambda: game({"x": np.ones(2), "y": np.ones(3)}), "x has 2, y has 3 entries, and x_prev could be as long"),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_question_that_is_none_is_refused_with_a_cure(name):
    ask, said = ASKED[name]
    with pytest.raises((RuleError, ParameterError), match=said):
        ask()


@pytest.mark.parametrize("literal, said", [("1e400", "beyond the range"), ("1e-400", "beyond the range"), ("1e4000000000", "400 digits"),
                                           ("1e-999999999", "400 digits")])
def test_a_number_that_no_float_holds_is_refused_before_it_is_multiplied_out(literal, said):
    with pytest.raises(RuleError, match=said):
        method.from_string(f"x = x - {literal}*eta*grad(x)", state="x")
    with pytest.raises(RuleError, match=said):
        stability(gradient_descent, given=[f"eta < {literal}"])


def test_a_number_that_would_be_factored_for_hours_is_not():
    rule = method.from_string("v = 1e200*eta*v + 1e-200*grad(x); x = x - v", state="x v")
    assert "a number has 201 digits (1e+200)" in stability(rule).unknown
    assert str(stability(method.from_string("x = x - 1e-40*eta*grad(x)", state="x"))).startswith("0 < eta*lam < 2000000000")


def test_a_power_in_the_denominator_dies_out_too():
    assert str(stability(method.from_string("x = x - eta*(2 - 1/2**k)*grad(x)", state="x"))) == "0 < eta*lam < 1"
    falling = stability(method.from_string("x = x - eta*(1 + 1/c**k)*grad(x)", state="x"))
    assert falling.contains(c=np.array([1.5, -1.5, .5, -.5]), eta=1.0, lam=1.5).tolist() == [True, True, False, False]


def test_mu_and_L_of_a_rule_are_the_ends_of_the_interval():
    assert str(stability(rules["nag_sc"], over=("mu", "L"))) == str(stability(rules["nag_sc"], over=("mu", "L"), given=["mu <= L"]))


def test_one_name_is_one_parameter_and_one_curvature_has_its_best():
    assert optimum(gradient_descent, params="eta").params == optimum(gradient_descent).params
    best = optimum(heavy_ball, "m", "m")
    assert (repr(best), best.rho) == ("eta = 1/m, beta = 0, rho = 0        proved", 0)


def test_what_is_free_at_one_curvature_is_held():
    rule = method.from_string("x = x - eta*grad(x) - eta*c*x", state="x")
    best = optimum(rule, "m", "m")
    found = best.at(m=2.5)
    assert best.status == "proved" and found["eta"]*(2.5 + found["c"]) == pytest.approx(1) and found["rho"] == 0
    assert str(optimum(rule, "m", "m", params="c").params["c"]) == "-(eta*m - 1)/eta"


def test_a_formula_that_turns_negative_is_no_rate():
    best = optimum(heavy_ball, "m", "m", params="beta")
    assert best.at(eta=2.25, m=1)["rho"] == pytest.approx(0.5) and best.at(eta=.25, m=1)["rho"] == pytest.approx(0.5)


def test_a_rule_that_repeats_itself_is_bounded_where_its_round_is():
    inside = bounded(in_rounds).contains(eta=np.array([0, .7, 1.5, 1.6, -.1]), lam=1.0)
    assert inside.tolist() == [True, True, True, False, False]
    assert "repeats itself every 2 steps" in monotone(in_rounds).unknown
    assert "a limit k -> oo was taken" in bounded(annealed).unknown and "depends on k" in monotone(annealed).unknown


def test_a_flow_has_no_counter():
    oscillator = flow(lambda x, v, *, k, grad: (v, -k*grad(x)))
    assert "counter k, which a Method has" in stability(oscillator).unknown


def test_methods_that_agree_at_one_value_only_differ_for_general_ones():
    assert "for general beta, eta" in equivalent(heavy_ball, rules["nesterov_yx"]).reason


@method
def now_and_then(x, *, eta, p, grad, uniform):
    return x - where(uniform() < p, eta, 0)*grad(x)


def test_a_chance_may_be_certain():
    assert str(stability(now_and_then)) == "0 < p <= 1, 0 < eta*p*lam < 2" and stability(now_and_then).proof.status == "proved"
    assert str(moments(now_and_then).region) == "0 < p <= 1, 0 < eta*lam < 2"
    assert str(stability(now_and_then.subs(p=1))) == "0 < eta*lam < 2" and not stability(now_and_then.subs(p=0)).union
    assert "always on one side" in stability(now_and_then.subs(p=2)).unknown
    later = method.from_string("x = x - where(uniform() < 1/(k + 1), eta, 2*eta)*grad(x)", state="x")
    assert "changes with time" in stability(later).unknown


def test_an_interval_may_be_given_by_its_condition_number():
    found = stability(gradient_descent, over=("mu", "kappa*mu"))
    assert str(found) == "0 < eta*kappa*mu < 2" and found.proof.status == "proved"
    assert found.contains(eta=.5, kappa=3.9, mu=1) and not found.contains(eta=.5, kappa=4.1, mu=1)


def test_bounds_of_positive_names_and_points_are_written_as_they_are():
    assert str(stability(method(lambda x, *, grad: x - grad(x)))) == "lam < 2"
    assert str(region("0 <= a", "a <= 0")) == "a = 0" and str(region("0 <= a", "a <= 0").solve("a")) == "(a = 0,)"
    assert "|(1 + a)*(eta*lam - h**2)| < 1" in str(stability(method.from_string(
        "v = (1/3)*x + (1 + a)*v; x = h**2*x + beta*v - eta*grad(x)", state="x v")))


@pytest.mark.parametrize("relations, inside, outside", [
    (["a == b"], {"b": 2.0, "a": 2.0}, {"b": 2.0, "a": 3.0}), (["a == 1", "b > 0"], {"b": 2.0, "a": 1.0}, {"b": 2.0, "a": 0.5}),
    (["a >= b", "a <= b", "a > c"], {"b": 1.0, "c": 0.0, "a": 1.0}, {"b": 1.0, "c": 2.0, "a": 1.0}),
    (["a*b == 1"], {"b": 2.0, "a": 0.5}, {"b": 2.0, "a": 0.7}), (["a*b == 1"], {"b": -2.0, "a": -0.5}, {"b": 0.0, "a": 0.7})])
def test_an_equation_solved_for_a_parameter_is_a_point(relations, inside, outside):
    found = region(*relations)
    for values, want in ((inside, True), (outside, False)):
        a = values["a"]
        others = {n: v for n, v in values.items() if n != "a"}
        ends = [b.at(**{n: v for n, v in others.items() if n in {str(s) for s in found.free_symbols}}) for b in found.solve("a")]
        assert any(low <= a <= high for low, high in ends) is want and found.contains(**values) is want


def test_a_coefficient_beyond_floats_is_infinite_there_and_exact_on_fractions():
    a = symbol("a")
    assert polynomial(-10**400*a, {a: np.float64(2)}) == -np.inf and polynomial(10**400*a, {a: Fraction(1, 10**400)}) == 1


def test_a_sum_that_cancels_is_zero():
    a, b = symbol("a"), symbol("b")
    assert factored((a + b)**2 - a**2 - 2*a*b - b**2) == (0, ())
    rule = method.from_string("v = v/2 + h*grad(x); x = x - v", state="x v")
    assert not monotone(rule).unknown
