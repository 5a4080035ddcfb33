"""Best parameters: closed forms with proofs, refused where wrong, numeric where nothing better is known."""
from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynopt import (
    ParameterError,
    RuleError,
    contraction,
    dot,
    heavy_ball,
    method,
    nesterov,
    norm,
    optimum,
    qhm,
    rate,
    rules,
    three_parameter,
    weight_decay,
)
from dynopt.theory.closed_tuning import M, N, Problem
from dynopt.theory.extremal import Candidate
from dynopt.theory.symbols import symbol
from dynopt.theory.tuning_proof import prove_best


def test_nothing_near_the_optimum_is_better():
    rng = np.random.default_rng(0)
    for rule in (heavy_ball, nesterov):
        found, worst = optimum(rule), rate(rule).over("mu", "L")
        best = found.at(mu=1.0, L=30.0)
        rho = best.pop("rho")
        assert found.proof.status == "proved" and "unsat" in found.proof.smt2
        assert worst.at(mu=1.0, L=30.0, **best) == pytest.approx(rho, abs=1e-7)
        for _ in range(200):
            near = {n: v*(1 + rng.normal()*10**rng.uniform(-4, 0)) for n, v in best.items()}
            assert worst.at(mu=1.0, L=30.0, **near) >= rho - 1e-9


@pytest.mark.parametrize("rule", [three_parameter, qhm], ids=lambda r: r.name)
def test_larger_families_gain_nothing_over_heavy_ball_on_quadratics(rule):
    found, polyak = optimum(rule), optimum(heavy_ball)
    assert found.proof.status == "proved"
    assert sympy.cancel(found.rho - polyak.rho) == 0


def test_numbers_in_place_of_names():
    found = optimum(heavy_ball, mu=1, L=100)
    assert found.rho == sympy.Rational(9, 11) and found.params["eta"] == sympy.Rational(4, 121)
    assert not found.numeric and found.proof.status == "proved"


def test_a_root_that_is_smallest_by_itself():
    found = optimum(rules["extragradient"], mu="lam", L="lam")
    assert found.rho == sympy.Rational(3, 4) and found.proof.status == "proved"


def test_wrong_candidates_are_not_proved():
    problem = Problem(rate(heavy_ball), [symbol("eta"), symbol("beta")], False)
    rho = (N - M)/(N + M)
    right = {symbol("eta"): 4/(M + N)**2, symbol("beta"): rho**2}
    proof, _ = prove_best(problem, Candidate(right, rho, {}, ""))
    assert proof.status == "proved"
    too_small, too_large = (Candidate(right, rho*sympy.Rational(f, 1000), {}, "") for f in (999, 1001))
    assert prove_best(problem, too_small)[0] is None
    assert prove_best(problem, too_large)[0] is None
    shifted = {**right, symbol("eta"): sympy.Rational(1001, 1000)*4/(M + N)**2}
    assert prove_best(problem, Candidate(shifted, rho, {}, ""))[0] is None


def test_where_no_closed_form_is_known_the_answer_is_a_number_that_says_so():
    cubic = method.from_string("v = beta*v + grad(x); w = v/2 + w/3; x = x - eta*w", state="x v w", name="cubic")
    found = optimum(cubic.subs(beta="1/5"), mu=1, L=5)
    assert found.numeric and found.proof.status == "unknown" and "numeric" in repr(found)
    worst = rate(cubic.subs(beta="1/5")).over(1, 5)
    assert worst.at(eta=float(found.params["eta"])) == pytest.approx(float(found.rho), abs=1e-9)
    grid = worst.at(eta=np.linspace(0.01, 3, 300))
    assert float(found.rho) <= np.nanmin(grid) + 1e-9


def test_misuse_is_told():
    with pytest.raises(ParameterError, match="no parameter of heavy_ball"):
        optimum(heavy_ball, params=("gamma",))
    with pytest.raises(ParameterError, match="0 < mu <= L"):
        optimum(heavy_ball, mu=3, L=1)
    two = method.from_string("x = x - eta*grad_1(x) - eta*grad_2(x)", state="x", name="two")
    with pytest.raises(RuleError, match="2 curvatures"):
        optimum(two)


def test_parameters_that_do_the_work_of_fewer_are_held():
    found = optimum(rules["heavy_ball_dampened"])
    assert found.params["dampening"] == 0 and "dampening = 0 without loss" in found.note and found.proof.status == "proved"
    assert sympy.cancel(found.rho - optimum(heavy_ball).rho) == 0


def test_one_curvature_between_the_ends_may_hold_the_rate():
    """Two steps of Richardson's method: 1/T_2 of (L + mu)/(L - mu), by Chebyshev's polynomial."""
    found = optimum(rules["extragradient_two_steps"])
    assert found.proof.status == "proved"
    for low, high in ((1, 2), (1, 10), (3, 400)):
        best = found.at(mu=low, L=high)
        assert best["rho"] == pytest.approx(1/np.cosh(2*np.arccosh((high + low)/(high - low))), rel=1e-12)
        rho = best.pop("rho")
        assert rate(rules["extragradient_two_steps"]).over(low, high).at(**best) == pytest.approx(rho, rel=1e-9)


def test_positive_parameters_stay_positive():
    assert optimum(rules["damped_leapfrog"]).at(mu=1.0, L=10.0)["h"] > 0


@pytest.mark.parametrize(("rule", "says"), [
    (rules["proximal_point"], "rho falls towards 0 as eta -> oo"),
    (rules["damped_mass"], "the abscissa falls without bound as m -> 0"),
    (weight_decay(heavy_ball, decoupled=False), "rho falls towards 0 as wd -> oo"),
], ids=lambda r: getattr(r, "name", ""))
def test_an_optimum_that_is_not_attained_says_so(rule, says):
    found = optimum(rule, mu=1, L=10)
    assert not found.attained and found.numeric and says in found.note and says in repr(found)


def test_parameters_called_mu_and_L_are_the_ends():
    found = optimum(rules["nag_sc"], mu=1, L=10)
    assert set(found.params) == {"eta"} and found.numeric
    worst = rate(rules["nag_sc"].subs(mu=1)).over(1, 10)
    assert float(found.rho) == pytest.approx(worst.at(eta=float(found.params["eta"])), abs=1e-9)
    assert float(found.rho) <= np.min(worst.at(eta=np.linspace(1e-3, .3, 2000))) + 1e-9
    with pytest.raises(ParameterError, match="are the ends of the interval"):
        optimum(rules["chebyshev"])
    with pytest.raises(ParameterError, match="mu='a'"):
        optimum(rules["nag_sc"], params=("eta", "mu"))


def test_rules_that_have_no_optimum_say_why():
    with pytest.raises(RuleError, match="takes no gradient"):
        optimum(method.from_string("x = b*x", state="x", name="no_gradient"))
    with pytest.raises(RuleError, match="no parameters make schedule_free converge"):
        optimum(rules["schedule_free"])
    with pytest.raises(RuleError, match="as wd -> oo"):
        optimum(weight_decay(heavy_ball, decoupled=False))


def test_the_best_of_two_bounds_is_proved_case_by_case():
    """The best momentum at a fixed step is held by the slow end or by the fast one, whichever is worse."""
    found = optimum(heavy_ball, params=("beta",))
    assert found.proof.status == "proved" and "eta > 0" in found.note
    worst = rate(heavy_ball).over(1.0, 8.0)
    for eta in (.05, .2, .3, .45):
        best = found.at(mu=1.0, L=8.0, eta=eta)
        assert worst.at(eta=eta, beta=best["beta"]) == pytest.approx(best["rho"], abs=1e-7)
        assert np.min(worst.at(eta=eta, beta=np.linspace(0, 1, 2001))) >= best["rho"] - 1e-9


def test_a_number_comes_with_a_bound_that_nobody_beats():
    found = optimum(rules["pid"], mu=1, L=10)
    assert found.numeric and float(found.rho) - 1e-2 < float(found.lower) <= float(found.rho)
    assert "unsat" in found.proof.smt2 and "no parameters reach below" in found.status
    rng, worst = np.random.default_rng(1), rate(rules["pid"]).over(1, 10)
    draws = rng.uniform([0, -1, -.5], [.5, 1, .5], size=(400, 3))
    sizes = worst.quick(eta=draws[:, 0], beta=draws[:, 1], kd=draws[:, 2])
    assert np.nanmin(sizes) >= float(found.lower)


def test_the_worst_start_of_a_step_that_is_not_linear():
    """Polyak's step and exact line search against many starts; what does not scale with x has no worst start."""
    rng = np.random.default_rng(4)
    polyak = method(lambda x, *, grad, f: x - f(x)/dot(grad(x), grad(x))*grad(x))
    found = contraction(polyak)
    assert found.proof.status == "proved" and "unsat" in found.proof.smt2
    for low, high in ((1.0, 3.0), (1.0, 40.0)):
        lam = np.array([low, high])
        x = rng.normal(size=(4000, 2))*10**rng.uniform(-2, 2, size=(4000, 2))
        after = polyak(x, grad=lambda y, lam=lam: lam*y, f=lambda y, lam=lam: np.sum(lam*y**2, -1, keepdims=True)/2)
        left = (after**2 @ lam)/(x**2 @ lam)
        most = float(found.value.subs({symbol("mu"): low, symbol("L"): high}))
        assert np.max(left) <= most*(1 + 1e-9) and np.max(left) > .98*most
    with pytest.raises(RuleError, match="does not scale"):
        contraction(method(lambda x, *, eta, grad: x - eta*grad(x)/(1 + norm(grad(x)))))
