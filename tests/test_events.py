"""Events that touch zero without a change of sign, dips between two looks, and what is no zero."""
import numpy as np
import pytest

import dynopt
from dynopt import Event, quadratic, solve

PI = np.pi
TURNS = dict(problem=quadratic([1.0]), x0=[1.0], until=20.0)                        # x = cos t
TOUCHING = {"top": (lambda x: x - 1, np.array([2, 4, 6])*PI), "bottom": ("-1 - x", np.array([1, 3, 5])*PI),
            "square": ("x**2", (np.arange(6) + .5)*PI), "fourth": (lambda x: x**4, (np.arange(6) + .5)*PI),
            "bent": (lambda x: abs(x), (np.arange(6) + .5)*PI), "opaque": (lambda x: float(np.ravel(x)[0])**2, (np.arange(6) + .5)*PI)}


@pytest.mark.parametrize("method", ["auto", "taylor", "tsit5", "dop853"])
@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-10])
def test_zeros_without_a_change_of_sign(method, tol):
    run = solve(dynopt.conservative, rtol=tol, atol=tol, method=method, events={n: f for n, (f, _) in TOUCHING.items()}, **TURNS)
    for name, (_, times) in TOUCHING.items():
        found = run.events[name]["t"]
        assert found.size == times.size and np.abs(found - times).max() < 200*tol, name


def test_a_touching_zero_has_no_direction_and_can_end_a_run():
    up, down = (solve(dynopt.conservative, events=Event("x - 1", direction=d), **TURNS).events["event"]["t"] for d in (1, -1))
    assert up.size == down.size == 0
    run = solve(dynopt.conservative, events={"top": Event("1 - x", terminal=True), "zero": "x"}, **TURNS)
    assert run.success and run.t[-1] == pytest.approx(2*PI, abs=1e-5) and run.events["zero"]["t"].size == 2 and "terminal" in run.message


def test_touching_zeros_of_a_run_looked_at_in_many_stretches():
    run = solve(dynopt.conservative, quadratic([1.0]), x0=[1.0], until=600.0, rtol=1e-9, atol=1e-11, method="tsit5", events="x - 1")
    assert len(run.t) > 3000 and np.abs(run.events["event"]["t"] - 2*PI*np.arange(1, 96)).max() < 1e-5


@pytest.mark.parametrize("direction", [1.0, -1.0])
def test_a_dip_between_two_looks_is_two_zeros(direction):
    """x^2 - 4e-8 crosses twice within 4e-4, far less than the 1e-2 between two looks, and far more than the tolerance."""
    run = solve(dynopt.conservative, quadratic([1.0]), x0=[1.0], until=20.0*direction, rtol=1e-12, atol=1e-12,
                events={"both": "x**2 - 4e-8", "in": Event("x**2 - 4e-8", direction=-1), "out": Event("x**2 - 4e-8", direction=1)})
    middle = direction*(np.arange(6) + .5)*PI
    assert np.abs(run.events["both"]["t"].reshape(6, 2) - (middle[:, None] + direction*np.array([-2e-4, 2e-4]))).max() < 1e-8
    assert np.abs(run.events["in"]["t"] - middle + direction*2e-4).max() < 1e-8 > np.abs(run.events["out"]["t"] - middle - direction*2e-4).max()


@pytest.mark.parametrize("text", ["x - 1.001", "exp(-t)*(2 + cos(5*t))", "exp(-3*t)", "(x - 1)**2 + 1e-3", "where(t < 7, 1, 2)"])
def test_what_is_no_zero(text):
    assert solve(dynopt.conservative, rtol=1e-6, atol=1e-6, events=text, **TURNS).events["event"]["t"].size == 0


def test_crossings_of_a_decay_below_the_tolerance_stay_crossings():
    run = solve(dynopt.damped, quadratic([100.0]), x0=[1.0], until=30.0, gamma=1.0, rtol=1e-6, atol=1e-6, method="tsit5", events=lambda x: x)
    assert np.diff(run.events["event"]["t"])[:20] == pytest.approx(PI/np.sqrt(99.75), abs=1e-3)
