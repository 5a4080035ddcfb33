"""Best parameters: closed forms with proofs, refused where wrong, numeric where nothing better is known."""
from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynopt import ParameterError, RuleError, heavy_ball, method, nesterov, optimum, qhm, rate, rules, three_parameter
from dynopt.theory.extremal import Candidate
from dynopt.theory.symbols import symbol
from dynopt.theory.closed_tuning import M, N, Problem
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
