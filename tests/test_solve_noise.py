"""Stochastic flows: moments against closed forms with confidence intervals, strong and weak orders, the same bits again."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from problem_data import by_kind
from scipy.stats import norm as normal

import dynopt
from dynopt import euler_maruyama, flow, heun, quadratic, solve
from dynopt.core.errors import ParameterError

SDE = {p["id"]: p for p in by_kind("sde")}
PATHS = 40_000
SURE = normal.ppf(1 - 1e-4/2)                       # a test fails by chance once in ten thousand runs; seeds are fixed anyway


def interval(samples, moment):
    """Mean of a moment and the half width of its confidence interval."""
    values = moment(samples)
    return values.mean(), SURE*values.std(ddof=1)/np.sqrt(len(values))


def check_moments(samples, mean, variance, bias=0.0):
    m, width = interval(samples, lambda s: s)
    assert abs(m - mean) <= width + bias*abs(mean), (m, mean, width)
    v, width = interval(samples, lambda s: (s - mean)**2)
    assert abs(v - variance) <= width + bias*variance, (v, variance, width)


ONE = {"gbm": "101/100*x + 87/100*x*noise()", "ornstein_uhlenbeck": "-2*(x - 1) + 3/10*noise()", "cir": "2*(1/2 - x) + 2/5*sqrt(abs(x))*noise()",
       "kloeden_platen_arctan": "-sin(x)*cos(x)**3/100 + cos(x)**2/10*noise()",
       "additive_time_dep": "1/20/sqrt(1 + t) - x/(2*(1 + t)) + 1/200/sqrt(1 + t)*noise()"}


@pytest.mark.parametrize("name", ONE)
def test_moments_of_scalar_problems(name):
    """Ito's reading by euler_maruyama; a bias of the order of h is allowed for."""
    problem = SDE[name]
    start, end = problem["y0"][0], float(Fraction(problem["t1"]))
    run = solve(flow.from_string(f"x = {ONE[name]}", state="x"), x0=np.full((PATHS, 1), float(Fraction(start))), until=[end],
                method="euler_maruyama", h=end/400, seed=1)
    assert run.success
    check_moments(run.x[:, -1, 0], float(problem["mean_end"][0]), float(problem["cov_end"][0][0]), bias=.02)


def test_two_noises_that_do_not_commute():
    problem = SDE["bilinear_noncommutative_2d"]

    @flow
    def bilinear(x, y, *, noise):
        a, b = noise(), noise()
        return -x + y + .3*x*a + .2*y*b, -2*y + .1*y*a - .2*x*b
    run = solve(bilinear, x0={"x": np.ones((PATHS, 1)), "y": np.ones((PATHS, 1))}, until=[2.0], h=.005, seed=2)
    assert run.rule.name.startswith("euler_maruyama")
    for i, s in enumerate("xy"):
        check_moments(run[s][:, -1, 0], float(problem["mean_end"][i]), float(problem["cov_end"][i][i]), bias=.02)


def test_langevin_reaches_the_temperature():
    run = solve(dynopt.langevin, quadratic([1.0, 4.0]), x0=np.zeros((PATHS, 2)), until=[20.0], gamma=1.0, T=.5, h=.1, seed=3)
    assert run.rule.name == "baoab(langevin)"
    for i, lam in enumerate((1.0, 4.0)):
        check_moments(run.x[:, -1, i], 0.0, .5/lam)                              # BAOAB has no bias on a quadratic
        check_moments(run.v[:, -1, i], 0.0, .5, bias=.02)


def test_double_well_has_the_gibbs_moments():
    moments = SDE["double_well_stationary"]["extra_moments"]
    made = flow.from_string("x = x - x**3 + 1/2*noise()", state="x")
    run = solve(made, x0=np.ones((PATHS, 1)), until=[15.0], h=.02, seed=4)
    assert run.rule.name == "heun(rule)"
    for power, key in ((2, "stationary E[x^2]"), (4, "stationary E[x^4]")):
        found, width = interval(run.x[:, -1, 0], lambda s, p=power: s**p)
        assert abs(found - float(moments[key])) <= width + 2e-3


def test_no_noise_is_the_plain_flow():
    noisy = flow.from_string("x = -x + 0*noise()", state="x")
    run = solve(noisy, x0=[1.0], until=1.0, seed=5, rtol=1e-12, atol=1e-14)
    assert run.x[-1, 0] == pytest.approx(float(SDE["zero_noise_limit"]["mean_end"][0]), abs=1e-12)


def test_paths_are_the_same_bits_in_any_company():
    some = solve(dynopt.overdamped_langevin, quadratic([1.0]), x0=np.zeros((7, 1)), until=1.0, T=.1, seed=6)
    more = solve(dynopt.overdamped_langevin, quadratic([1.0]), x0=np.zeros((300, 1)), until=1.0, T=.1, seed=6)
    assert (more.x[:7] == some.x).all() and not (more.x[7] == more.x[6]).all()


# ---- orders -----------------------------------------------------------------------------------------------------

def brownian_sum(scheme, made, exact, steps, seed, paths=4000):
    """Mean error |x - exact(W)| at t = 1, where W is the sum of the draws that the run itself made."""
    recorded = flow.from_string(f"{made}; w = xi", state="x w")
    run = solve(recorded, x0={"x": np.full((paths, 1), .5), "w": np.zeros((paths, 1))}, until=[1.0], method=scheme, h=1/steps, seed=seed)
    return np.abs(run.x[:, -1, 0] - exact(run.w[:, -1, 0])).mean()


def test_strong_order_one_half_of_euler_maruyama_with_multiplicative_noise():
    made = "xi = noise(); x = x + 0*xi; x = 101/100*x + 87/100*x*xi"
    errors = [brownian_sum(euler_maruyama, made, lambda W: .5*np.exp((1.01 - .87**2/2) + .87*W), n, seed=7) for n in (64, 256, 1024)]
    slopes = np.log2(np.array(errors[:-1])/errors[1:])/2
    assert abs(slopes.mean() - .5) < .15, (errors, slopes)


def test_strong_order_one_of_heun_in_stratonovichs_sense():
    made = "xi = noise(); x = x + 0*xi; x = 63/100*x + 1/2*x*xi"
    errors = [brownian_sum(heun, made, lambda W: .5*np.exp(.63 + .5*W), n, seed=8) for n in (32, 128, 512)]
    slopes = np.log2(np.array(errors[:-1])/errors[1:])/2
    assert abs(slopes.mean() - 1) < .15, (errors, slopes)


@pytest.mark.parametrize("scheme, order", [(euler_maruyama, 1), (heun, 2)], ids=["euler_maruyama", "heun"])
def test_weak_orders_with_additive_noise(scheme, order):
    """Second moments of a linear flow follow exactly from one step: no sampling, no doubt about the slope."""
    import sympy
    h, x, xi = sympy.symbols("h x xi")
    step = sympy.expand(scheme(flow.from_string("x = -x + noise()", state="x"))(x, h=h, noise=lambda: xi))
    second = sympy.expand(step**2).subs(xi**2, 1).subs(xi, 0)
    truth = np.exp(-2) + (1 - np.exp(-2))/2
    errors = []
    for n in (32, 64, 128):
        value = 1.0
        for _ in range(n):
            value = float(sympy.Poly(second, x).coeff_monomial(x**2).subs(h, 1/n))*value + float(sympy.Poly(second, x).coeff_monomial(1).subs(h, 1/n))
        errors.append(abs(value - truth))
    slopes = np.log2(np.array(errors[:-1])/errors[1:])
    assert abs(slopes[-1] - order) < .1, (errors, slopes)


def test_weak_order_two_of_heun_on_a_nonlinear_flow():
    """E x^2 of dx = (x - x^3) dt + dW/2 at t = 1: differences of step sizes with common draws leave little noise."""
    made = flow.from_string("x = x - x**3 + 1/2*noise()", state="x")
    means = []
    for n in (4, 8, 16, 64):
        run = solve(made, x0=np.full((400_000, 1), 1.5), until=[1.0], method=heun, h=1/n, seed=9)
        means.append(run.x[:, -1, 0]**2)
    errors = [abs(np.mean(m) - np.mean(means[-1])) for m in means[:2]]
    width = SURE*means[0].std()/np.sqrt(400_000)
    slope = np.log2(errors[0]/errors[1])
    assert errors[0] > 3*width and slope > 1.6, (errors, width)


# ---- refusals ---------------------------------------------------------------------------------------------------

def test_a_root_of_a_negative_state_is_told():
    cir = flow.from_string("x = 2*(1/20 - x) + 2*sqrt(x)*noise()", state="x")
    run = solve(cir, x0=np.full((50, 1), .05), until=5.0, h=.05, seed=10)
    assert (run.status == "nonfinite").any() and not np.isinf(run.x).any()


def test_schemes_know_their_steps_only():
    noisy = dict(problem=quadratic([1.0]), x0=[0.0], until=1.0, T=.1, h=.1)
    with pytest.raises(ParameterError, match="sign changes"):
        solve(dynopt.overdamped_langevin, events="x", **noisy)
    with pytest.raises(ParameterError, match="until="):
        solve(dynopt.overdamped_langevin, **noisy).at(.5)
    plain = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[1.0], until=1.0, method="rk4", h=.1)
    with pytest.raises(ParameterError, match="rk4"):
        plain.at(.55)


def test_seeds_and_steps_are_checked():
    for bad in (-1, 1.5, 2**70):
        with pytest.raises(ParameterError, match="seed"):
            solve(dynopt.overdamped_langevin, quadratic([1.0]), x0=[0.0], until=1.0, T=.1, seed=bad)
    with pytest.raises(ParameterError, match="h = -0.1"):
        solve(dynopt.overdamped_langevin, quadratic([1.0]), x0=[0.0], until=1.0, T=.1, h=-.1)
    with pytest.raises(ParameterError, match="scheme"):
        solve(dynopt.overdamped_langevin, quadratic([1.0]), x0=[0.0], until=1.0, T=.1, method="dop853")
