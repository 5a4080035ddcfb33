"""Schemes: textbook steps exact in rational arithmetic, observed orders, invariants over long runs."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
from problem_data import PROBLEMS, end_of, flow_of, scale_of, start_of, times_of

import dynopt
from dynopt import (
    baoab,
    bdf2,
    conformal_leapfrog,
    euler_maruyama,
    explicit_euler,
    flow,
    heun,
    implicit_euler,
    iterate,
    leapfrog,
    linearize,
    quadratic,
    rk2,
    rk4,
    rkc,
    runge_kutta,
    solve,
    splitting,
    symplectic_euler,
    theta,
)
from dynopt.core.errors import ParameterError, RuleError
from dynopt.run.reference import plain_run

x, v, h, gamma, lam = sympy.symbols("x v h gamma lam")


def on_mode(scheme, rule, *state, **params):
    return scheme(rule)(*state, **params, grad=lambda z: lam*z)


def test_symplectic_euler_of_the_damped_flow_is_heavy_ball():
    """x_{k+1} = x_k - w, w = beta w + eta grad x with w = -h v, eta = h^2, beta = 1 - h gamma."""
    a = symplectic_euler(dynopt.damped)(x, v, h=h, gamma=gamma, grad=lambda z: lam*z)
    b = dynopt.heavy_ball(x, -h*v, eta=h**2, beta=1 - h*gamma, grad=lambda z: lam*z)
    assert sympy.expand(a[0] - b[0]) == 0 and sympy.expand(-h*a[1] - b[1]) == 0


def test_implicit_friction_is_qian():
    """G13: v implicit in the friction alone is heavy ball with beta = m/(m + h gamma), eta = h^2/(m + h gamma)."""
    m = sympy.Symbol("m")
    w = (v - h*lam*x/m)/(1 + h*gamma/m)
    b = dynopt.heavy_ball(x, -h*v, eta=h**2/(m + h*gamma), beta=m/(m + h*gamma), grad=lambda z: lam*z)
    assert sympy.cancel(-h*w - b[1]) == 0


@pytest.mark.parametrize("scheme, R", [(explicit_euler, 1 - h*lam), (rk2, 1 - h*lam + (h*lam)**2/2), (heun, 1 - h*lam + (h*lam)**2/2),
                                       (rk4, sum((-h*lam)**n/sympy.factorial(n) for n in range(5)))], ids=lambda s: getattr(s, "__name__", ""))
def test_explicit_schemes_on_a_mode(scheme, R):
    assert sympy.expand(on_mode(scheme, dynopt.gradient_flow, x, h=h) - R*x) == 0


@pytest.mark.parametrize("scheme, R", [(implicit_euler, "1/(1 + h*lam)"), (theta, "(1 - (1 - theta)*h*lam)/(1 + theta*h*lam)")],
                         ids=["implicit_euler", "theta"])
def test_implicit_schemes_on_a_mode(scheme, R):
    found = linearize(scheme(dynopt.gradient_flow)).matrix[0]
    expected = sympy.parse_expr(R, {str(s): s for s in found.free_symbols})
    assert sympy.cancel(found - expected) == 0


def test_rkc_is_the_shifted_chebyshev_polynomial():
    """Without damping R(z) = T_s(1 + z/s^2)."""
    z = -h*lam
    assert sympy.expand(on_mode(rkc(4, damping=0), dynopt.gradient_flow, x, h=h)/x - sympy.chebyshevt(4, 1 + z/16)) == 0


def test_leapfrog_with_friction_is_the_central_difference():
    """A47: x_{k+1} = ((2 - h^2 lam) x_k - (1 - gamma h/2) x_{k-1})/(1 + gamma h/2)."""
    state = (x, v)
    xs = [x]
    for _ in range(2):
        state = leapfrog(dynopt.damped)(*state, h=h, gamma=gamma, grad=lambda z: lam*z)
        xs.append(state[0])
    assert sympy.cancel(xs[2] - ((2 - h**2*lam)*xs[1] - (1 - gamma*h/2)*xs[0])/(1 + gamma*h/2)) == 0


def test_schemes_run_on_numbers_arrays_and_symbols_alike():
    for scheme in (explicit_euler, symplectic_euler, leapfrog, conformal_leapfrog, rk2, heun, rk4, splitting, baoab, rkc(3)):
        made = scheme(dynopt.damped)
        number = made(1.0, .5, h=.1, gamma=.3, grad=lambda z: 2*z)
        array = made(np.array([1.0]), np.array([.5]), h=.1, gamma=.3, grad=lambda z: 2*z)
        symbolic = made(x, v, h=h, gamma=gamma, grad=lambda z: 2*z)
        values = [float(e.subs({x: 1, v: sympy.Rational(1, 2), h: sympy.Rational(1, 10), gamma: sympy.Rational(3, 10)})) for e in symbolic]
        assert np.allclose(number, values, rtol=1e-14) and np.allclose(np.ravel(array), values, rtol=1e-14)


def test_noise_is_shared_by_the_stages_and_divided_by_the_root_of_h():
    ornstein = flow.from_string("x = -x + noise()", state="x")
    draws = []

    def noise(like=None):
        draws.append(1)
        return 3.0
    euler = euler_maruyama(ornstein)(1.0, h=.25, noise=noise)
    assert euler == 1 - .25 + .5*3 and len(draws) == 1
    heun(ornstein)(1.0, h=.25, noise=noise)
    assert len(draws) == 2


def test_bdf2_begins_with_implicit_euler():
    run = iterate(bdf2(dynopt.gradient_flow), quadratic([2.0]), x0=[1.0], steps=2, h=.5)
    assert run.x[1, 0] == pytest.approx(1/(1 + .5*2), abs=1e-14)
    assert run.x[2, 0] == pytest.approx((4/3*run.x[1, 0] - 1/3)/(1 + 2/3), abs=1e-14)


BAD_TABLEAUX = {"not square": ([[0, 0], [1]], ["1/2", "1/2"]), "weights": ([[0, 0], [1, 0]], [1]), "nodes": ([[0, 0], [1, 0]], [0, 1], [0]),
                "entry": ([["a"]], [1]), "parts": ([[0]],)}


@pytest.mark.parametrize("tableau", BAD_TABLEAUX.values(), ids=list(BAD_TABLEAUX))
def test_tableaux_that_do_not_fit_are_refused(tableau):
    with pytest.raises(ValueError):
        runge_kutta(tableau)


def test_inconsistent_tableaux_say_so():
    assert not runge_kutta(([[0, 0], [1, 0]], ["1/2", "1/3"])).consistent
    assert not runge_kutta(([[0, 0], [1, 0]], ["1/2", "1/2"], [0, "1/2"])).consistent
    assert runge_kutta(([[0, 0], ["2/3", 0]], ["1/4", "3/4"])).consistent and runge_kutta(([[0.1]], [1.0])).b == (Fraction(1),)


def test_splits_are_checked_in_the_trace():
    with pytest.raises(RuleError, match="positions"):
        leapfrog(dynopt.lorenz)
    with pytest.raises(RuleError, match="positions"):
        symplectic_euler(flow.from_string("a = b + a; b = -a", state="a b"))
    with pytest.raises(RuleError, match="friction"):
        baoab(dynopt.van_der_pol)
    with pytest.raises(ParameterError, match="Flow"):
        rk4(dynopt.heavy_ball)
    with pytest.raises(RuleError, match="name"):
        rk4(flow.from_string("x = -h*x", state="x"))


@dynopt.method
def clocked(x, y, *, h, t):
    return x + h*t, y + h*t**2 + 0*dynopt.norm(y)


@pytest.mark.parametrize("rule, start", [(explicit_euler(flow.from_string("x = t; y = t**2", state="x y")), [0.0]), (clocked, [0.0]),
                                         (clocked, np.zeros((3, 1)))], ids=["scheme", "method", "ensemble"])
@pytest.mark.parametrize("written", [.1, "1/10", "s/20", dynopt.schedule("s/20")], ids=["number", "text", "expression", "schedule"])
def test_time_goes_on_by_h_also_where_h_is_written_in(rule, start, written):
    given = {} if written in (.1, "1/10") else {"s": 2.0}
    run = iterate(rule.subs(h=written), x0={"x": start, "y": start}, t0=1.0, steps=10, **given)
    times = 1 + .1*np.arange(10)
    assert np.allclose(run.x[..., -1, 0], .1*times.sum(), rtol=1e-14) and np.allclose(run.y[..., -1, 0], .1*(times**2).sum(), rtol=1e-14)
    same = plain_run(rule.subs(h=written), x0={"x": start, "y": start}, t0=1.0, steps=10, **given)
    assert np.allclose(run.y, same.y, rtol=1e-14)


def test_a_step_that_changes_tells_no_time():
    with pytest.raises(RuleError, match="state of its own"):
        iterate(clocked.subs(h=dynopt.schedule("1/(k + 1)")), x0={"x": [0.0], "y": [0.0]}, steps=3)
    assert explicit_euler(dynopt.gradient_flow).subs(h=.1).params == ()


# ---- observed orders --------------------------------------------------------------------------------------------

TWELVE = ("A2", "A3", "A5", "B1", "B5", "D1", "E2", "E5", "damped_under", "damped_pendulum", "su_ode_quartic", "brusselator")
FIXED = [(explicit_euler, 1), (rk2, 2), (heun, 2), (rk4, 4), (theta, 2), (implicit_euler, 1), (bdf2, 2), (rkc(3), 1)]


def observed_order(scheme, problem, order) -> float:
    """Slope over the last halving of h, at steps where the error is well above rounding."""
    t0, t1 = times_of(problem)
    span = min(2.0, t1 - t0)
    f, start = flow_of(problem), start_of(problem)
    truth = end_of(solve(f, x0=start, t0=t0, until=t0 + span, rtol=1e-13, atol=1e-15))
    steps = {1: (1600, 3200), 2: (400, 800), 4: (80, 160)}[order]
    errors = [np.abs(end_of(solve(f, x0=start, t0=t0, until=t0 + span, method=scheme, h=span/n)) - truth).max() for n in steps]
    return float(np.log2(errors[0]/errors[1]))


@pytest.mark.parametrize("scheme, order", FIXED, ids=[s.__name__ for s, _ in FIXED])
@pytest.mark.slow
def test_observed_orders_on_twelve_problems(scheme, order):
    found = {p["id"]: observed_order(scheme, p, order) for p in PROBLEMS if p["id"] in TWELVE}
    assert len(found) == 12 and min(found.values()) >= order - .1, found


@pytest.mark.parametrize("scheme, order", [(symplectic_euler, 1), (leapfrog, 2), (conformal_leapfrog, 2), (baoab, 2), (splitting, 2),
                                           (lambda f: splitting(f, "BAO"), 1)],
                         ids=["symplectic_euler", "leapfrog", "conformal", "baoab", "strang", "lie"])
def test_observed_orders_of_partitioned_schemes(scheme, order):
    problem = dynopt.double_well()
    truth = solve(dynopt.damped, problem, x0=[1.5, .5], until=2.0, gamma=.7, rtol=1e-13, atol=1e-15).x[-1]
    errors = [np.abs(solve(dynopt.damped, problem, x0=[1.5, .5], until=2.0, gamma=.7, method=scheme, h=2/n).x[-1] - truth).max() for n in (200, 400)]
    assert abs(np.log2(errors[0]/errors[1]) - order) < .1


# ---- long runs --------------------------------------------------------------------------------------------------

def test_symplectic_schemes_keep_the_energy_for_a_million_steps():
    run = iterate(leapfrog(dynopt.conservative), dynopt.double_well(), x0={"x": [1.2, .3], "v": [.1, .4]}, steps=10**6, record=100, h=.05)
    energy = run.energy
    swing = energy.max() - energy.min()
    halves = [energy[:5000].mean(), energy[-5000:].mean()]
    assert swing < 2e-3 and abs(halves[1] - halves[0]) < 1e-3*swing


def test_forward_and_back():
    forward = leapfrog(dynopt.conservative)
    out = iterate(forward, dynopt.double_well(), x0={"x": [1.2, .3], "v": [.1, .4]}, steps=10**4, record="last", h=.01)
    back = iterate(forward, dynopt.double_well(), x0={"x": out.x[-1], "v": -out.v[-1]}, steps=10**4, record="last", h=.01)
    assert np.abs(back.x[-1] - [1.2, .3]).max() < 1e-11 and scale_of(out) < 10


def test_conformal_leapfrog_contracts_area_at_the_exact_rate():
    matrix = linearize(conformal_leapfrog(dynopt.damped)).matrix
    values = {s: Fraction(1, 3) for s in matrix.free_symbols}
    determinant = matrix.det().subs({s: sympy.Rational(q.numerator, q.denominator) for s, q in values.items()})
    assert abs(float(determinant) - np.exp(-1/9)) < 1e-15
