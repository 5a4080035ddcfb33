"""What sceptical users found wrong, so that it stays mended."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import (
    ParameterError,
    Problem,
    RuleError,
    cos,
    delayed,
    dot,
    gradient_descent,
    gradient_flow,
    heavy_ball,
    lyapunov,
    method,
    moments,
    optimum,
    plot_paths,
    quadratic,
    rate,
    spectral_radius,
    stability,
    where,
)


@method
def alternating_steps(x, *, eta, k, grad):
    return x - eta*where(k % 2 < 1, 1, 3)*grad(x)


def test_a_root_that_is_not_real_everywhere_proves_nothing():
    half = heavy_ball.subs(beta="1/2")
    for mu, L in ((1, 5), (1, 40)):
        found = optimum(half, mu, L)
        value = float(found.at()["rho"])
        etas = np.linspace(1e-3, 4/L, 4001)[:, None]
        best = rate(half).at(eta=etas, lam=np.linspace(mu, L, 301)).max(-1).min()
        assert value == pytest.approx(best, abs=2e-3) and value <= best + 1e-9
    with pytest.raises(RuleError, match="give numbers"):
        optimum(half)


def test_relations_that_hold_nowhere_prove_nothing():
    with pytest.raises(RuleError, match="holds nowhere"):
        lyapunov(gradient_flow, "t*f(x) + norm(x)**2/2", given=("convex", "t < 0"))


def test_a_rule_with_a_period_has_its_rate_per_step():
    found = rate(alternating_steps).at(eta=.3, lam=1.)
    assert found == pytest.approx(np.sqrt(.07), rel=1e-12)
    assert spectral_radius(alternating_steps, eta=.3, lam=1.) == pytest.approx(found, rel=1e-12)
    assert float(optimum(alternating_steps, 1, 5).rho) == pytest.approx(1/np.sqrt(3), rel=1e-5)


def test_no_variance_is_negative():
    assert np.isnan(moments(gradient_descent).at(eta=3., lam=1., sigma=1.)).all()
    assert moments(gradient_descent).at(eta=.3, lam=1., sigma=1.) == pytest.approx(.3/1.7)


@pytest.mark.parametrize("ask, told", [
    (lambda: stability(heavy_ball).solve("et"), "found 'et', expected one of beta, eta, lam"),
    (lambda: quadratic("a"), "expected numbers"),
    (lambda: quadratic([[1, 2], [3, 4]]), "expected 1 axis"),
    (lambda: plot_paths([]), "no trajectory"),
])
def test_slips_are_told(ask, told):
    with pytest.raises(ParameterError, match=told):
        ask()


@pytest.mark.parametrize("names", [{"multiplicative": "lam"}, {"additive": "lam"}, {"additive": "k"}, {"additive": "s", "multiplicative": "s"}])
def test_a_noise_strength_has_a_name_of_its_own(names):
    with pytest.raises(RuleError, match="strength"):
        moments(gradient_descent, **names)


@pytest.mark.parametrize("clock", ["k", "t"])
def test_a_delay_is_no_clock(clock):
    with pytest.raises(RuleError, match="expected a whole number or the name of a parameter"):
        delayed(gradient_descent, clock)


def test_a_loss_of_its_first_entry_alone_has_one_coordinate():
    from dynopt.explore.printed import Printed
    from dynopt.explore.problems import describe
    assert describe(Problem(lambda x: cos(3*x[0]) + x[0]**4/10), Printed())["dim"] == 1
    assert describe(Problem(lambda x: x[0]**2 + 2*x[2]**2 + x[1]**2), Printed())["dim"] == 3
    assert describe(Problem(lambda x: dot(x, x)), Printed())["dim"] == 2
