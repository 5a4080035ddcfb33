"""Adaptive solves: one trajectory and many, at the same tolerance, errors beside the times."""
from __future__ import annotations

import ctypes
from typing import Any, Callable

import numpy as np
from harness import Row, race
from scipy.integrate import solve_ivp

from dynopt import damped, lorenz, quadratic, rosenbrock, solve, van_der_pol

CASES: dict[str, tuple] = {
    "damped flow on Rosenbrock": (damped, rosenbrock(), {"x": [-1.2, 1.], "v": [0., 0.]}, {"gamma": 2.}, 5.,
                                  lambda t, s: [s[2], s[3], -2*s[2] + 2*(1 - s[0]) + 400*s[0]*(s[1] - s[0]**2), -2*s[3] - 200*(s[1] - s[0]**2)]),
    "Van der Pol": (van_der_pol, None, [2., 0.], {"c": 1.}, 10., lambda t, s: [s[1], (1 - s[0]**2)*s[1] - s[0]]),
    "Lorenz": (lorenz, None, [1., 1., 1.], {"sigma": 10., "rho": 28., "beta": 8/3}, 5.,
               lambda t, s: [10*(s[1] - s[0]), s[0]*(28 - s[2]) - s[1], s[0]*s[1] - 8/3*s[2]])}


def single(heyoka: Any, jax: Any, odeint: Any) -> list[Row]:
    return [attempt(f"one solve, {name}, rtol {rtol:g}", lambda workload, name=name, rtol=rtol: one(workload, name, rtol, heyoka, jax, odeint))
            for name in CASES for rtol in (1e-6, 1e-9)]


def attempt(workload: str, made: Callable[[str], Row]) -> Row:
    """A row that cannot be run is a row that says so."""
    try:
        return made(workload)
    except Exception as met:
        return Row(workload, note=f"not run: {type(met).__name__}: {met}"[:200])


def one(workload: str, name: str, rtol: float, heyoka: Any, jax: Any, odeint: Any) -> Row:
    flow, problem, start, params, end, rhs = CASES[name]
    x0 = start if isinstance(start, dict) else dict(zip(flow.state, start))
    y0 = np.concatenate([np.atleast_1d(v) for v in x0.values()])
    tight = solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=3e-14, atol=1e-14).y[:, -1]

    def ours() -> Any:
        return solve(flow, problem, x0=x0, until=end, rtol=rtol, atol=rtol, **params)

    def scipy() -> Any:
        return solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=rtol, atol=rtol, dense_output=True)
    run, peers = ours(), {"scipy DOP853": scipy, "steps alone": steps_alone(flow, problem, x0, params, end, rtol)}
    errors = {"dynopt": np.concatenate([np.atleast_1d(run[s][-1]) for s in flow.state]), "scipy": scipy().y[:, -1]}
    if heyoka:
        peers["heyoka"], errors["heyoka"] = heyoka_run(heyoka, name, y0, end, rtol)
    if jax:
        peers["diffrax Dopri8"] = jax.solve(name, y0, end, rtol)
        errors["diffrax"] = peers["diffrax Dopri8"]()
    if odeint:
        peers["Boost dopri5"], errors["Boost"] = odeint_run(odeint, name, y0, end, rtol)
    row = race(workload, ours, peers, unit="s", wanted="1.6x heyoka, 25x diffrax, 500x scipy")
    share = row.ratios.pop("steps alone")
    against = ", ".join(f"{n} {r/share:.3g}x" for n, r in row.ratios.items())
    row.note = f"steps alone, without checks and trajectory, {1/share:.3g} times as fast ({against}); errors: " + \
        ", ".join(f"{n} {float(np.abs(e - tight).max()):.1e}" for n, e in errors.items())
    return row


def steps_alone(flow: Any, problem: Any, x0: dict, params: dict, end: float, rtol: float) -> Callable:
    """All steps of a path that is prepared, as a peer's integrator is: its kernel, its numbers, room for its record."""
    from dynopt.run.ode_path import Course, Path
    from dynopt.run.series import SeriesPath, series_kernel
    from dynopt.run.setup import prepare
    from dynopt.run.system import System
    system = System(prepare(flow, problem, x0, params), problem)
    weights = np.full(system.start.shape[1], rtol)
    course = Course(rtol, weights, end, [])
    path = Path(0.0, system.start[0].copy(), lambda: np.zeros(0), 32)
    stepper = SeriesPath(system, series_kernel(system, course, path), course, 0)

    def again() -> None:
        path.t, path.count = 0.0, 0
        path.y[:] = system.start[0]
        while stepper.advance(path, end, 0.0, end, 1024):
            pass
    return again


def odeint_run(library: Any, name: str, y0: np.ndarray, end: float, tol: float) -> tuple[Callable, np.ndarray]:
    """Boost's controlled dopri5, which is all of its adaptive pairs of that order."""
    from harness import pointer
    out, which = np.zeros(4), list(CASES).index(name)

    def run() -> None:
        out[:y0.size] = y0
        library.odeint(which, pointer(out), ctypes.c_double(end), ctypes.c_double(tol))
    run()
    return run, out[:y0.size].copy()


def heyoka_run(hy: Any, name: str, y0: np.ndarray, end: float, tol: float) -> tuple[Callable, np.ndarray]:
    x, y, z, p, q = hy.make_vars("x", "y", "z", "p", "q")
    system = {"damped flow on Rosenbrock": [(x, p), (y, q), (p, -2.*p + 2.*(1. - x) + 400.*x*(y - x*x)), (q, -2.*q - 200.*(y - x*x))],
              "Van der Pol": [(x, y), (y, (1. - x*x)*y - x)],
              "Lorenz": [(x, 10.*(y - x)), (y, x*(28. - z) - y), (z, x*y - 8/3*z)]}[name]
    integrator = hy.taylor_adaptive(system, list(y0), tol=tol)

    def run() -> None:
        integrator.time, integrator.state[:] = 0., y0
        integrator.propagate_until(end, c_output=True)
    run()
    return run, integrator.state.copy()


def large_quadratic() -> list[Row]:
    return [attempt("100-dimensional quadratic, damped flow, rtol 1e-8", _large)]


def _large(workload: str) -> Row:
    lam = np.geomspace(1, 100, 100)
    y0 = np.concatenate([np.ones(100), np.zeros(100)])

    problem = quadratic(lam)

    def ours(method: str) -> Any:
        return solve(damped, problem, x0={"x": y0[:100], "v": y0[100:]}, until=10., rtol=1e-8, atol=1e-8, gamma=1., method=method)

    def scipy() -> Any:
        return solve_ivp(lambda t, s: np.concatenate([s[100:], -s[100:] - lam*s[:100]]), (0, 10), y0, method="DOP853", rtol=1e-8, atol=1e-8,
                         dense_output=True)
    run, other = ours("taylor"), ours("exact")
    assert np.abs(np.concatenate([run.x[-1], run.v[-1]]) - scipy().y[:, -1]).max() < 1e-5
    assert np.abs(run.x[-1] - other.x[-1]).max() < 1e-7
    return race(workload, lambda: ours("taylor"), {"scipy DOP853": scipy, "exact, by modes": lambda: ours("exact")}, unit="s",
                wanted="6x scipy; by modes faster still (below 1x)")


def many(heyoka: Any) -> list[Row]:
    return [attempt(f"8192 adaptive trajectories, damped flow on Rosenbrock, rtol {tol:g}", lambda workload, tol=tol: _many(workload, tol, heyoka))
            for tol in (1e-6, 1e-9)]


def _many(workload: str, tol: float, hy: Any) -> Row:
    from dynopt.run.series_ensemble import Ensemble
    from dynopt.run.setup import prepare
    from dynopt.run.system import System
    n, end, random = 8192, 5., np.random.default_rng(0)
    x0, gamma = np.stack([random.uniform(-1.2, 1.2, n), random.uniform(0, 1, n)], 1), np.linspace(.5, 3, n)
    problem = rosenbrock()
    system = System(prepare(damped, problem, {"x": x0, "v": 0*x0}, {"gamma": gamma}), problem)

    def alone() -> Ensemble:
        run = Ensemble(system, 0., end, np.array([end]), tol, np.full(4, tol))
        run.onward(False, 3000.)
        return run
    first = alone()

    def ours() -> Any:
        return solve(damped, problem, x0={"x": x0, "v": 0*x0}, until=[end], gamma=gamma, rtol=tol, atol=tol, dense=False)
    assert (ours().x[:, 0] == first.rows[:, 0, :2]).all()
    peers: dict[str, Callable] = {"steps alone": alone}
    work = {"heyoka batch": 512/n, "heyoka ensemble": 512/n}
    if hy:
        peers |= heyoka_many(hy, x0[:512], gamma[:512], end, tol, first.rows[:512, 0])
    row = race(workload, ours, peers, per=n, unit="s/path", work={k: v for k, v in work.items() if k in peers}, rounds=3,
               wanted="4x heyoka batch, 20x heyoka ensemble, occupancy 0.98")
    row.note = f"lane occupancy {first.occupancy:.3f}; {first.steps.mean():.0f} steps a path; heyoka on 512 of the paths"
    return row


def heyoka_many(hy: Any, x0: np.ndarray, gamma: np.ndarray, end: float, tol: float, want: np.ndarray) -> dict[str, Callable]:
    """Heyoka's two ways to run many: registers filled with trajectories by hand, and its own ensembles on one thread."""
    x, y, p, q = hy.make_vars("x", "y", "p", "q")
    g = hy.par[0]
    system = [(x, p), (y, q), (p, -g*p + 2.*(1. - x) + 400.*x*(y - x*x)), (q, -g*q - 200.*(y - x*x))]
    start, size = np.concatenate([x0, 0*x0], 1), hy.recommended_simd_size()
    batch = hy.taylor_adaptive_batch(system, np.zeros((4, size)), tol=tol, pars=np.zeros((1, size)))
    single = hy.taylor_adaptive(system, [0.]*4, tol=tol, pars=[1.])
    out = np.zeros_like(start)

    def by_hand() -> np.ndarray:
        for lo in range(0, len(start), size):
            batch.set_time(0.)
            batch.state[:], batch.pars[:] = start[lo:lo + size].T, gamma[lo:lo + size]
            batch.propagate_until(end)
            out[lo:lo + size] = batch.state.T
        return out

    def prepared(ta: Any, i: int) -> Any:
        ta.time, ta.state[:], ta.pars[0] = 0., start[i], gamma[i]
        return ta
    assert np.median(np.abs(by_hand() - want)) < 10*tol, "a few of the paths pass the ridge, where neighbours part"
    return {"heyoka batch": by_hand,
            "heyoka ensemble": lambda: hy.ensemble_propagate_until(single, end, len(start), prepared, max_workers=1)}
