"""Closed forms of flows on a mode against the integrator, and how they die out."""
from __future__ import annotations

import numpy as np
import pytest
from scipy.special import jv

from dynopt import (
    RuleError,
    conservative,
    damped,
    flow,
    gradient_flow,
    heavy_ball,
    high_resolution_nag_c,
    langevin,
    late,
    lookahead_flow,
    nesterov_flow,
    quadratic,
    rescaled_flow,
    solution,
    solve,
    strongly_convex_flow,
)
from dynopt.theory.evaluate import evaluate

TIMES = np.linspace(0.1, 12, 40)


@pytest.mark.parametrize("rule, params", [
    (gradient_flow, {}), (conservative, {}), (damped, {"gamma": .3}), (damped, {"gamma": 5.}), (damped, {"gamma": 2*2**.5}),
    (strongly_convex_flow, {"mu": .5}), (nesterov_flow, {"r": 1.}), (nesterov_flow, {"r": 3.}), (nesterov_flow, {"r": 4.5}),
    (rescaled_flow.subs(p=2), {"C": .25}), (rescaled_flow.subs(p=3), {"C": .5})],
    ids=lambda v: getattr(v, "name", None) or "-".join(f"{k}={x:g}" for k, x in v.items()))
def test_closed_forms_are_what_the_integrator_finds(rule, params):
    run = solve(rule, quadratic([2.]), x0=[1.], until=12., rtol=1e-10, atol=1e-12, **params)
    found = solution(rule)
    given = {n: v for n, v in params.items() if n in rule.params}
    assert found.at(t=TIMES, lam=2., **given) == pytest.approx(run.at(TIMES)["x"][:, 0], abs=2e-8)


def test_the_formula_that_is_printed_is_the_one_that_is_evaluated():
    for rule, params in ((damped, {"gamma": .3}), (nesterov_flow, {"r": 4.})):
        found = solution(rule)
        assert evaluate(found.expr, t=TIMES, lam=2., **params) == pytest.approx(found.at(t=TIMES, lam=2., **params), abs=1e-12)
    assert solution(nesterov_flow).at(t=TIMES, lam=4., r=3.) == pytest.approx(2*jv(1, 2*TIMES)/(2*TIMES))


def test_series_in_the_curvature():
    for rule, params in ((gradient_flow, {}), (damped, {"gamma": .7}), (nesterov_flow, {"r": 3.})):
        found, t, lam = solution(rule), 1.3, 1e-3
        total = sum(evaluate(c, t=t, **params)*lam**j for j, c in enumerate(found.series(2)))
        assert total == pytest.approx(found.at(t=t, lam=lam, **params), abs=1e-8)


def test_the_envelope_touches_the_solution():
    t = np.linspace(200, 240, 40_001)
    found = solution(nesterov_flow)
    for r in (1., 2., 3., 5.):
        ratio = np.abs(found.at(t=t, lam=1., r=r))/evaluate(found.envelope, t=t, lam=1., r=r)
        assert ratio.max() == pytest.approx(1, abs=1e-4)
    t = np.linspace(0, 20, 40_001)
    ratio = np.abs(solution(damped).at(t=t, lam=1., gamma=.2))/evaluate(solution(damped).envelope, t=t, lam=1., gamma=.2)
    assert ratio.max() == pytest.approx(1, abs=1e-6)


def test_the_first_turning_point():
    when, where = solution(damped).turning
    at = evaluate(when, gamma=.4, lam=2.)
    run = solve(damped, quadratic([2.]), x0=[1.], until=at, rtol=1e-11, atol=1e-12, gamma=.4)
    assert run.v[-1, 0] == pytest.approx(0, abs=1e-8) and run.x[-1, 0] == pytest.approx(evaluate(where, gamma=.4, lam=2.), abs=1e-8)


@pytest.mark.parametrize("rule, params, exponent, power", [
    (nesterov_flow, {"r": 4., "lam": 2.}, 0, -2), (gradient_flow, {"lam": 3.}, -3, 0), (damped, {"gamma": 1., "lam": 9.}, -.5, 0),
    (damped, {"gamma": 5., "lam": 4.}, -1, 0), (lookahead_flow, {"lam": .25}, -.125, -1.125),
    (lookahead_flow, {"lam": 6.}, -(6 - 12**.5)/2, None), (high_resolution_nag_c, {"lam": 1., "s": .01}, -.05, -1.5)])
def test_how_a_flow_dies_out(rule, params, exponent, power):
    found = late(rule).rate(**params)
    assert found[0] == pytest.approx(exponent, abs=1e-12) and (power is None or found[1] == pytest.approx(power, abs=1e-12))


def test_a_power_is_seen_in_a_run():
    """x'' + (1 + 2/t) x' + 0.05 x = 0: both the exponent and the power of t."""
    rule = flow(lambda x, v, *, t, grad: (v, -(1 + 2/t)*v - grad(x)))
    exponent, power = late(rule).rate(lam=.05)
    t = np.array([100., 200.])
    x = solve(rule, quadratic([.05]), x0=[1.], until=200., rtol=1e-10, atol=1e-13).at(t)["x"][:, 0]
    assert np.log(x[1]/x[0]) == pytest.approx(exponent*100 + power*np.log(2), abs=.05)


@pytest.mark.parametrize("rule, said", [
    (heavy_ball, "expected a Flow"), (lookahead_flow, "no closed form"), (langevin, "noise"), (rescaled_flow, "give it one"),
    (flow(lambda x, *, t, grad: -t*grad(x)), "depends on t"),
    (flow(lambda x, v, *, gamma, grad: (v - x, -gamma*v - grad(x))), "expected a velocity")])
def test_what_has_no_closed_form_says_so(rule, said):
    with pytest.raises(RuleError, match=said):
        solution(rule)


def test_a_coefficient_that_does_not_settle():
    with pytest.raises(RuleError, match="does not settle"):
        late(flow(lambda x, *, t, grad: -t*grad(x)))
