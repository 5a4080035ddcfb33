"""Linear flows in closed form: to rounding, through double eigenvalues, constant parts and groups of any size."""
import mpmath
import numpy as np
import pytest

from dynopt import cos, damped, flow, gradient_flow, quadratic, rosenbrock, solve
from dynopt.core.errors import ParameterError

MATRIX = np.array([[2., -1., 0.], [-1., 2., -1.], [0., -1., 2.]])


def by_exponential(A, b, y0, t):
    """By the exponential of a matrix in 30 digits: in double precision scipy's is off by 1e-13 on matrices of three rows."""
    n = len(b)
    with mpmath.workdps(30):
        whole = mpmath.matrix(np.block([[A, b[:, None]], [np.zeros((1, n + 1))]]).tolist())
        start = mpmath.matrix([*map(float, y0), 1])
        return np.array([[float(v) for v in (mpmath.expm(whole*float(s))*start)[:n]] for s in t])


@flow
def pair(x, v, *, a, b, c, e, push):
    return a*x + b*v + push, c*x + e*v - 2*push


@flow
def chained(x, v, *, gamma):
    return v, -(MATRIX @ x) - gamma*v + np.array([1., 0., 2.])


@pytest.mark.parametrize("numbers", [(-1., 2., -3., -.5, 0.), (-1., 1., 0., -1., 0.), (-1., 1e-9, 1e-9, -1., .3), (0., 1., 0., 0., .7),
                                     (.3, 1., 1., -.2, 1.), (-2., 1., -1., 0., 0.), (-1., 1., -1 - 1e-12, -1., 0.), (0., 0., 0., 0., 1.),
                                     (-40., 3., 3., -900., 2.), (0., 1., -1e-14, 0., 0.)])
def test_pairs_of_every_kind(numbers):
    a, b, c, e, f = numbers
    run = solve(pair, x0={"x": [1.2], "v": [-.4]}, until=np.linspace(0, 3, 7), method="exact", **dict(zip(("a", "b", "c", "e", "push"), numbers)))
    want = by_exponential(np.array([[a, b], [c, e]]), np.array([f, -2*f]), np.array([1.2, -.4]), run.t)
    assert run.success and "exact" in run.message
    assert np.abs(np.concatenate([run.x, run.v], 1) - want).max() <= 2e-14*(1 + np.abs(want).max())


@pytest.mark.parametrize("gamma", [0., .4, 2*np.sqrt(2 - np.sqrt(2)), 5.])
def test_groups_that_see_each_other_forwards_and_backwards(gamma):
    for until in (4., -2.):
        run = solve(chained, x0={"x": [1., 2., 3.], "v": [0., 1., 0.]}, until=until, method="exact", gamma=gamma)
        A = np.block([[np.zeros((3, 3)), np.eye(3)], [-MATRIX, -gamma*np.eye(3)]])
        want = by_exponential(A, np.array([0, 0, 0, 1., 0., 2.]), np.array([1., 2., 3., 0., 1., 0.]), run.t[::67])
        assert np.abs(np.concatenate([run.x, run.v], 1)[::67] - want).max() <= 1e-11*np.abs(want).max()


def test_many_dimensions_are_solved_exactly_unasked():
    lam = np.geomspace(1, 100, 100)
    run = solve(damped, quadratic(lam), x0=np.ones(100), until=10., gamma=1.)
    general = solve(damped, quadratic(lam), x0=np.ones(100), until=run.t, gamma=1., rtol=1e-11, atol=1e-12, method="taylor")
    assert run.message == "exact: by modes" and np.abs(run.x - general.x).max() < 1e-9
    w = np.sqrt(lam - .25)
    assert np.abs(run.at(9.9)["x"] - np.exp(-4.95)*(np.cos(9.9*w) + .5/w*np.sin(9.9*w))).max() < 1e-13
    alone = solve(gradient_flow, quadratic(lam), x0=np.ones((2, 100)), until=[0., 1.], method="exact")
    assert alone.x.shape == (2, 2, 100) and np.abs(alone.x[:, 1] - np.exp(-lam)).max() < 1e-15


def test_rows_resolve_the_fastest_mode_and_events_are_found():
    run = solve(damped, quadratic([400.]), x0=[1.], until=20., gamma=0., method="exact", events={"zero": lambda x: x[0]})
    assert len(run.t) > 10*20*20/(2*np.pi)
    assert np.allclose(run.events["zero"]["t"], (np.arange(127) + .5)*np.pi/20, atol=1e-12)


def test_growth_beyond_every_bound_ends_at_its_time():
    run = solve(gradient_flow, quadratic([1.]), x0=[1.], until=-200., method="exact")
    assert run.status == "diverged" and abs(run.t[-1] + np.log(1e50)) < 1e-6 and np.isfinite(run.x).all()


def test_what_is_not_linear_is_refused_with_the_cure():
    for rule, problem, x0 in ((damped, rosenbrock(), [1., 2.]), (flow(lambda x, *, t: -cos(t)*x), None, [1.]), (flow(lambda x: -x*x), None, [1.])):
        with pytest.raises(ParameterError, match="method=\"auto\""):
            solve(rule, problem, x0=x0, until=1., method="exact", **({"gamma": 1.} if rule is damped else {}))
