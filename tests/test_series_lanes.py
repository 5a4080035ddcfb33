"""Ensembles along a flow in lanes: every path as if it were alone, the same bits at any width and on any number of threads."""
import numpy as np
import pytest

from dynopt import cos, damped, exp, flow, log, quadratic, rosenbrock, sin, solve, sqrt, sweep, tanh
from dynopt.run import lanes, series
from dynopt.run.series_ensemble import Ensemble
from dynopt.run.setup import prepare
from dynopt.run.system import System

RANDOM = np.random.default_rng(5)
N = 203
START = np.stack([RANDOM.uniform(-1.5, 1.5, N), RANDOM.uniform(-.5, 1.5, N)], 1)
GAMMA = np.linspace(.5, 2, N)


@flow
def transcendental(x, v, *, gamma, t):
    return v, exp(-x*x)*sin(t) - tanh(v)*log(3 + x*x) + (2 + x*x)**.7 - x**3/7 - gamma*v*cos(x)


def other_system():
    return System(prepare(transcendental, None, {"x": START, "v": 0*START}, {"gamma": GAMMA}), None)


def system():
    return System(prepare(damped, rosenbrock(), {"x": START, "v": 0*START}, {"gamma": GAMMA}), rosenbrock())


@pytest.fixture(scope="module")
def many():
    return solve(damped, rosenbrock(), x0=START, until=np.linspace(0, 6, 25), gamma=GAMMA, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("system", [system, other_system])
def test_bits_depend_on_neither_width_nor_threads(system, monkeypatch):
    grid, found = np.array([0., 1.7, 1.71, 4.]), None
    for width, threads in ((1, 1), (8, 1), (16, 4), (32, 2)):
        monkeypatch.setattr(lanes, "THREADS", threads)
        run = Ensemble(system(), 0., 4., grid, 1e-6, np.full(4, 1e-6), width)
        run.onward(False, 3000.)
        assert (run.codes == 0).all() and (run.rows[:, 0] == system().start).all()
        if found is not None:
            assert (run.rows == found.rows).all() and (run.y == found.y).all() and (run.steps == found.steps).all()
        found = run
    assert (run.rows[:, -1] == run.y.T).all(), "the last row is where the path ends"


def test_lanes_are_refilled():
    """Paths of very different length: the lanes that are done take the next path; waiting for the slowest would leave half of them idle."""
    run = Ensemble(system(), 0., 4., np.array([4.]), 1e-6, np.full(4, 1e-6), 8)
    run.run()
    waiting = run.steps[:200].reshape(-1, 8)
    assert run.occupancy > .9 > waiting.sum()/(8*waiting.max(1).sum())
    assert run.told[1] >= run.steps.sum()


def test_each_path_is_the_run_alone(many):
    assert many.success and many.x.shape == (N, 25, 2)
    for i in (0, 77, N - 1):
        alone = solve(damped, rosenbrock(), x0=START[i], until=many.t, gamma=GAMMA[i], rtol=1e-8, atol=1e-8)
        for state in ("x", "v"):
            assert np.abs(many[state][i] - alone[state]).max() <= 1e-12*np.abs(alone[state]).max()
    few = solve(damped, rosenbrock(), x0=START[:3], until=many.t, gamma=GAMMA[:3], rtol=1e-8, atol=1e-8)
    assert (few.x == many.x[:3]).all() and (few.v == many.v[:3]).all(), "few or many paths: the same bits"


def test_dense_output_of_an_ensemble(many):
    assert (many.at(many.t)["x"] == many.x).all()
    found = many.at([[5.1, .3], [.3, 7.]])["x"]
    assert found.shape == (N, 2, 2, 2) and np.isnan(found[:, 1, 1]).all()
    assert (found[:, 0, 1] == found[:, 1, 0]).all() and (many.at(.3)["x"] == found[:, 0, 1]).all()
    alone = solve(damped, rosenbrock(), x0=START[9], until=6., gamma=GAMMA[9], rtol=1e-8, atol=1e-8)
    assert np.abs(found[9, 0, 0] - alone.at(5.1)["x"]).max() < 1e-10
    with pytest.raises(AttributeError, match="dense"):
        solve(damped, rosenbrock(), x0=START[:2], until=1., gamma=1., dense=False).at(.5)


def test_backwards_and_the_axes_of_an_ensemble():
    lam = np.array([1., 4.])
    run = solve(damped, quadratic(lam), x0={"x": np.ones((3, 1, 2)), "v": np.zeros((3, 1, 2))}, t0=2., until=[2., 1., 0.],
                gamma=np.array([0., .1, .2, .3]), rtol=1e-11, atol=1e-11)
    assert run.x.shape == (3, 4, 3, 2) and run.status.shape == (3, 4)
    for j, gamma in enumerate((0., .1, .2, .3)):
        w, t = np.sqrt(lam - gamma**2/4), run.t[:, None] - 2
        exact = np.exp(-gamma*t/2)*(np.cos(w*t) + gamma/(2*w)*np.sin(w*t))
        assert np.abs(run.x[:, j] - exact).max() < 1e-8


def test_ends_are_those_of_paths_alone():
    rule = flow(lambda x, *, a: a*x*sqrt(x*x))
    x0, a = np.array([[1.], [-1.], [.1], [2.]]*6), np.tile([1., 1., 1., -1.], 6)
    run = solve(rule, x0=x0, until=4., a=a)
    alone = [solve(rule, x0=x0[i], until=4., a=a[i]) for i in range(4)]
    assert run.status.tolist() == [r.status for r in alone]*6 and set(run.status) == {"success", "diverged"}
    for i, r in enumerate(alone):
        inside = run.t <= r.t[-1]
        assert run.lengths[i] == inside.sum() and np.isnan(run.x[i, ~inside]).all()
        assert np.allclose(run.x[i, inside], r.at(run.t[inside])["x"], rtol=1e-9)
    assert "12 of 24 paths did not reach the end; path 0: diverged" in run.message
    assert np.isnan(run.at(3.)["x"][0]).all() and np.isfinite(run.at(.5)["x"]).all()


def test_long_paths_and_stiff_ones_among_them():
    """Beyond 1024 steps lanes go on, unless so many are still to come that another integrator is tried: then as the path alone."""
    rule = flow(lambda x, v, *, w: (v, -w*x - where_stiff*v))
    where_stiff = 0.
    run = solve(rule, x0={"x": np.ones((4, 1)), "v": np.zeros((4, 1))}, until=[900.], w=np.array([1., 4., 1., 9.]), rtol=1e-10, atol=1e-10)
    assert run.success and np.abs(run.x[:, -1, 0] - np.cos(900*np.array([1., 2., 1., 3.]))).max() < 1e-5
    stiff = flow(lambda x, *, lam: -lam*(x - 1))
    lam = np.array([1., 1e7])
    both = solve(stiff, x0=np.zeros((2, 1)), until=[20.], lam=lam)
    assert both.success and np.abs(both.x[:, -1, 0] - (1 - np.exp(-lam*20))).max() < 1e-5


def test_a_start_that_is_not_finite_and_no_time_at_all():
    with pytest.raises(ValueError):
        solve(damped, rosenbrock(), x0=[[np.nan, 1.], [1., 1.]], until=1., gamma=1.)
    run = solve(damped, rosenbrock(), x0=START[:2], until=[0.], gamma=1.)
    assert (run.x[:, 0] == START[:2]).all() and run.success


def test_sweeps_of_flows_are_ensembles_in_lanes(monkeypatch):
    grid = {"gamma": np.linspace(.5, 2, 7)}
    found = sweep(damped, rosenbrock(), grid, x0=[-1.2, 1.], until=3., progress=False)
    monkeypatch.setattr(series, "MOST_ENTRIES", 0)
    series._made.clear()
    other = sweep(damped, rosenbrock(), grid, x0=[-1.2, 1.], until=3., progress=False)
    series._made.clear()
    assert np.abs(found.x.values - other.x.values).max() < 1e-4 and (found.status == other.status).all()
