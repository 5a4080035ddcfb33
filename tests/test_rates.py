"""Rates: formulas against eigenvalues, worst cases against sampling, what is said against what is so."""
from __future__ import annotations

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from dynopt import ParameterError, RuleError, bdf2, gradient_flow, heavy_ball, method, nesterov, rate, rules
from dynopt.theory.linear import LinearizeError, linearize
from dynopt.theory.spectrum import Factor, abscissa, radius
from dynopt.theory.teaching import momentum_article

MODAL = ["gradient_descent", "heavy_ball", "heavy_ball_ema", "nesterov", "nesterov_yx", "three_parameter", "qhm", "aggmo", "pid",
         "stale_heavy_ball", "damped", "damped_mass", "hessian_damping"]


def numbers(linear, rng):
    names = sorted(set().union(*(e.free_symbols for e in linear.matrix)), key=str)
    point = {s: rng.uniform(0.05, 1.2) for s in names}
    matrix = np.array(linear.matrix.subs(point).tolist(), dtype=float)
    return {s.name: v for s, v in point.items()}, matrix


@pytest.mark.parametrize("name", MODAL)
def test_rate_is_the_largest_eigenvalue(name):
    rule, rng = rules[name], np.random.default_rng(1)
    linear, found = linearize(rule), rate(rule)
    for _ in range(20):
        point, matrix = numbers(linear, rng)
        eigenvalues = np.linalg.eigvals(matrix)
        expected = eigenvalues.real.max() if rule.kind == "flow" else np.abs(eigenvalues).max()
        assert found.at(**{n: point[n] for n in point}) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("name", ["heavy_ball", "nesterov", "damped_mass", "qhm"])
def test_the_expression_and_the_floats_agree(name):
    found, rng = rate(rules[name]), np.random.default_rng(2)
    for _ in range(30):
        point = {s: rng.uniform(0.05, 1.5) for s in found.free_symbols}
        value = found.at(**{s.name: v for s, v in point.items()})
        assert float(found.expr.subs(point)) == pytest.approx(value, abs=1e-9)


def test_a_cubic_is_the_root_of_a_polynomial_of_squared_moduli():
    found = rate(rules["aggmo"])
    [[piece]] = found.pieces
    assert piece.kind == "root"
    point = {"eta": 0.3, "beta1": 0.5, "beta2": 0.8, "lam": 1.1}
    polynomial, s = piece.value.base.args
    roots = np.roots([float(c) for c in sympy.Poly(polynomial.subs({t: point[t.name] for t in polynomial.free_symbols - {s}}), s).all_coeffs()])
    largest = max(r.real for r in roots if abs(r.imag) < 1e-8)
    assert np.sqrt(largest) == pytest.approx(found.at(**point), abs=1e-9)


@given(st.lists(st.floats(-3, 3, allow_subnormal=False), min_size=3, max_size=6))
def test_radius_and_abscissa_without_eigenvalues(coefficients):
    roots = np.roots([1.0, *coefficients])
    rows = [np.asarray(c) for c in (1.0, *coefficients)]
    spread = 1e-3 + np.abs(roots).max() if len(roots) else 1.0          # multiple roots are known to a root of rounding only
    assert float(radius(rows)) == pytest.approx(np.abs(roots).max(initial=0), abs=3e-3*spread)
    assert float(abscissa(rows)) == pytest.approx(roots.real.max(initial=-np.inf) if len(roots) == len(coefficients) else 0, abs=3e-3*spread)


def test_simple_roots_are_known_to_the_last_digits():
    rng = np.random.default_rng(3)
    for degree in (3, 4, 5, 8):
        roots = rng.uniform(-1, 1, degree)
        c = [np.asarray(v) for v in np.poly(roots)]
        assert float(radius(c)) == pytest.approx(np.abs(roots).max(), rel=1e-9)
        assert float(abscissa(c)) == pytest.approx(roots.max(), abs=1e-9)


def test_powers_of_z_are_read_as_one():
    assert Factor((sympy.Integer(1), sympy.Rational(-1, 4)), 2).size([1.0, -0.25], False) == pytest.approx(0.5)


def test_worst_case_at_the_ends_and_inside():
    worst = rate(heavy_ball).over("mu", "L")
    lam = np.linspace(0.3, 4.0, 400)
    sampled = rate(heavy_ball).at(eta=0.4, beta=0.6, lam=lam).max()
    assert worst.how == "closed form" and worst.at(eta=0.4, beta=0.6, mu=0.3, L=4.0) == pytest.approx(sampled, abs=1e-12)
    extragradient = rate(rules["extragradient"]).over(0.1, 1.0)
    sampled = rate(rules["extragradient"]).at(eta=0.95, lam=np.linspace(0.1, 1.0, 20001)).max()
    assert extragradient.how == "numeric" and extragradient.at(eta=0.95) == pytest.approx(sampled, abs=1e-8)


def test_arrays_broadcast():
    values = rate(nesterov).at(eta=np.linspace(0.1, 1, 5)[:, None], beta=np.array([0.1, 0.5, 0.9]), lam=1.0)
    assert values.shape == (5, 3)


def test_critical_damping_is_exact():
    mu, L = 1.0, 100.0
    eta, beta = 4/(np.sqrt(L) + np.sqrt(mu))**2, ((np.sqrt(L) - np.sqrt(mu))/(np.sqrt(L) + np.sqrt(mu)))**2
    assert rate(heavy_ball).at(eta=eta, beta=beta, lam=mu) == pytest.approx(9/11, abs=1e-13)


def test_memory_of_the_start_that_rest_does_not_excite_is_left_out():
    found = rate(bdf2(gradient_flow))
    assert found.at(h=0.3, lam=1.0) < 1


def test_misuse_is_told():
    with pytest.raises(ParameterError, match="missing beta"):
        rate(heavy_ball).at(eta=0.1, lam=1.0)
    with pytest.raises(ParameterError, match="mu = 3 is larger"):
        rate(heavy_ball).over(3, 1)
    with pytest.raises(RuleError, match="already"):
        rate(rules["extragradient"]).over(1, 2).over(1, 2)
    with pytest.raises(LinearizeError, match="sign"):
        rate(rules["sign_descent"]) if "sign_descent" in rules else rate(rules["lion"])


def test_what_is_printed():
    assert str(rate(rules["gradient_descent"])) == "|1 - eta*lam|"
    assert str(rate(heavy_ball)).startswith("sqrt(beta) where (1 + beta - eta*lam)**2 < 4*beta, else")
    assert rate(heavy_ball)._repr_latex_().startswith("$\\displaystyle \\begin{cases} \\sqrt{\\beta}")
    assert str(rate(rules["aggmo"])).startswith("largest |z| with 2*z**3")


def test_time_constant():
    average = method.from_string("a = beta*a + (1 - beta)*u", state="a")
    beta = sympy.Symbol("beta", real=True)
    assert rate(average).time_constant.subs(beta, sympy.Rational(9, 10)) == -1/sympy.log(sympy.Rational(9, 10))


def test_the_article_s_three_formulas_are_refuted():
    modulus, residuals, objective = momentum_article()
    assert modulus.values == (1, sympy.Rational(1, 2))
    assert objective.values[0] == 2*objective.values[1]
    step = residuals.derived*sympy.Matrix([0, 1])
    assert list(step) == [sympy.Symbol("lam", positive=True), residuals.derived[1, 1]] and residuals.refuted
    rng = np.random.default_rng(0)
    beta, eta, lam, y, x = rng.uniform(0.1, 0.9, 5)
    y_next = beta*y + lam*x
    by_hand = (y_next, x - eta*y_next)
    matrix = np.array(residuals.derived.subs({"beta": beta}).subs({s: {"beta": beta, "eta": eta, "lam": lam}[s.name]
                                                                   for s in residuals.derived.free_symbols}).tolist(), dtype=float)
    assert matrix @ [y, x] == pytest.approx(by_hand)


@pytest.mark.parametrize(("text", "shown"), [("x = x/2", "1/2"), ("x = -x/3", "1/3"), ("x = a*x", "|a|")])
def test_a_constant_rate_is_written_without_bars(text, shown):
    assert str(rate(method.from_string(text, state="x", name="constant"))) == shown


def test_a_branch_that_never_holds_is_not_written():
    assert str(rate(rules["conservative"])) == "0"
    assert "where" not in str(rate(rules["optimistic"]))
    assert str(rate(rules["damped"])) == "-gamma/2 where gamma**2 < 4*lam, else (-gamma + sqrt(gamma**2 - 4*lam))/2"
