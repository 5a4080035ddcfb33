"""Delays: histories given as functions, jumps and bends in them, several delays, stiff ones, and what is refused."""
from __future__ import annotations

from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from problem_data import by_kind

import dynopt
from dynopt import delayed_gradient_flow, flow, quadratic, solve
from dynopt.core.errors import ParameterError
from dynopt.run.history import fitted, kinks

TRUTH = {p["id"]: p for p in by_kind("dde")}
back = flow.from_string("y = -past(y, tau)", state="y")


def by_steps(t, tau):
    """y' = -y(t - tau), y = 1 before 0: sum of (-1)^k (t - (k - 1) tau)^k/k!, exactly."""
    t, tau = Fraction(str(t)), Fraction(str(tau))
    return float(sum(Fraction((-1)**k)*(t - (k - 1)*tau)**k/factorial(k) for k in range(int(t/tau) + 2) if t >= (k - 1)*tau))


@pytest.mark.parametrize("method", ["auto", "tsit5", "dop853", "radau"])
@pytest.mark.parametrize("tol", [1e-6, 1e-9, 1e-12])
def test_the_marginal_delay_keeps_its_amplitude(method, tol):
    if method == "radau" and tol < 1e-9:
        return                                              # tens of thousands of steps of order 5
    p = TRUTH["dde_cos_marginal"]
    made = flow.from_string("y = -past(y, pi/2)", state="y")
    run = solve(made, x0=lambda t: np.cos(t), until=50.0, rtol=tol, atol=tol, method=method)
    t = np.linspace(0, 50, 777)
    assert run.success and abs(run.y[-1, 0] - p["y_end_float"][0]) <= 10*tol
    assert np.abs(run.at(t)["y"][:, 0] - np.cos(t)).max() <= 10*tol and run.t[0] == 0


@pytest.mark.parametrize("tau", [.3, .05, .01])
@pytest.mark.parametrize("tol", [1e-6, 1e-9])
def test_delays_below_a_step(tau, tol):
    run = solve(delayed_gradient_flow, quadratic([1.0]), x0=[1.0], until=3.0, tau=tau, rtol=tol, atol=tol)
    assert abs(run.x[-1, 0] - by_steps(3, tau)) <= 1e-12


def test_a_jump_between_history_and_start_travels_by_the_delay():
    run = solve(back, x0=lambda t: 1.0 if t >= 0 else 0.0, until=2.0, tau=1.0, rtol=1e-10, atol=1e-10)
    assert run.at(1.0)["y"][0] == pytest.approx(1, abs=1e-9) and run.at(1.5)["y"][0] == pytest.approx(.5, abs=1e-9)
    assert run.y[-1, 0] == pytest.approx(0, abs=1e-9) and 1.0 in run.t


def test_a_bend_in_the_history_is_a_break():
    run = solve(back, x0=lambda t: abs(t + .3), until=1.0, tau=1.0, rtol=1e-12, atol=1e-12)
    assert run.y[-1, 0] == pytest.approx(.3 - (.7**2 + .3**2)/2, abs=1e-11) and np.abs(run.t - .7).min() < 1e-9


def test_several_delays_states_and_a_parameter_on_each_path():
    """Delays of whole periods change nothing in y' = z, z' = -y."""
    made = flow(lambda y, z, *, n, past: (past(z, 2*dynopt.pi), -past(y, 2*dynopt.pi*n)))
    run = solve(made, x0={"y": lambda t: np.cos(t)*np.ones((2, 1)), "z": lambda t: -np.sin(t)*np.ones((2, 1))}, until=9.0,
                n=np.array([1.0, 2.0]), rtol=1e-10, atol=1e-10)
    assert run.y.shape[0] == 2 and np.abs(run.y[:, -1, 0] - np.cos(9.0)).max() < 1e-8 and np.abs(run.z[:, -1, 0] + np.sin(9.0)).max() < 1e-8


def test_a_state_without_a_history_stays_where_it_starts():
    made = flow(lambda y, z, *, past: (-past(z, 1), 0*z))
    run = solve(made, x0={"y": lambda t: 1 + t, "z": [2.0]}, until=.5)
    assert run.y[-1, 0] == pytest.approx(0.0, abs=1e-8)


def test_a_history_without_a_delay_is_a_start():
    run = solve(dynopt.gradient_flow, quadratic([1.0, 2.0]), x0=lambda t: [1 + t, 2.0], t0=1.0, until=2.0, rtol=1e-10, atol=1e-12)
    assert np.allclose(run.x[-1], [2*np.exp(-1), 2*np.exp(-2)], atol=1e-9)


@pytest.mark.parametrize("method", ["radau", "auto"])
def test_stiff_flows_with_delays(method):
    """y' = -1e4 (y - cos t) - sin t + (y(t - 1) - cos(t - 1)): y = cos t, and an explicit method needs 1e4 steps for each unit of time."""
    made = flow.from_string("y = -10000*(y - cos(t)) - sin(t) + past(y, 1) - cos(t - 1)", state="y")
    run = solve(made, x0=lambda t: np.cos(t), until=20.0, method=method, rtol=1e-7, atol=1e-7)
    assert run.success and abs(run.y[-1, 0] - np.cos(20.0)) < 1e-6 and len(run.t) < 9000


def test_a_singular_start_with_a_delay():
    """x'' + 3/t x' + x(t - 1) = 0 at rest: until t = 1 the force is constant, x = 1 - t^2/8."""
    made = flow(lambda x, v, *, t, past: (v, -3/t*v - past(x, 1)))
    run = solve(made, x0={"x": [1.0], "v": [0.0]}, until=1.0, rtol=1e-10, atol=1e-12)
    assert run.x[-1, 0] == pytest.approx(1 - 1/8, abs=1e-10)


def test_events_with_a_history_begin_at_the_start():
    run = solve(flow.from_string("y = -past(y, pi/2)", state="y"), x0=lambda t: np.cos(t), until=6.0, rtol=1e-10, atol=1e-10, events={"zero": "y"})
    assert np.allclose(run.events["zero"]["t"], [np.pi/2, 3*np.pi/2], atol=1e-9)


@pytest.mark.parametrize("start, match", [(lambda t: 1/0, "ZeroDivisionError"), (lambda t: float("nan"), "finite"), (lambda t: "a", "finite"),
                                          (lambda t: [1.0] if t >= 0 else [1.0, 2.0], "one shape")], ids=["raises", "nan", "text", "shape"])
def test_histories_that_make_no_sense_are_refused(start, match):
    with pytest.raises(ParameterError, match=match) as caught:
        solve(back, x0=start, until=1.0, tau=1.0)
    assert len(str(caught.value).splitlines()) == 1


def test_delays_do_not_run_backward():
    with pytest.raises(ParameterError, match="until > t0"):
        solve(back, x0=[1.0], until=-1.0, tau=1.0)
    assert solve(back, x0=[1.0], until=-1.0, tau=0.0, rtol=1e-9).y[-1, 0] == pytest.approx(np.e, rel=1e-7)


@pytest.mark.parametrize("f, error", [(np.cos, 2e-15), (lambda t: abs(t + .3), 1e-12), (lambda t: np.exp(3*t), 1e-13), (lambda t: 1.0, 1e-15)],
                         ids=["cos", "bend", "exp", "constant"])
def test_histories_are_fitted_to_rounding(f, error):
    history = fitted(lambda t: np.array([f(t)]), -1.5, 0.0)
    t = np.linspace(-1.5, -1e-9, 999)
    assert np.abs(history(t)[:, 0] - np.array([f(s) for s in t])).max() <= error and len(history.c) < 100
    assert np.allclose(kinks(history), [-.3] if f(-.3) == 0 else [], atol=1e-6)
