"""Adaptive solves of one trajectory: dynopt, scipy, heyoka, at the same tolerance, errors beside the times."""
from __future__ import annotations

from typing import Any, Callable

import numpy as np
from harness import Row, race
from scipy.integrate import solve_ivp

from dynopt import damped, lorenz, quadratic, rosenbrock, solve, van_der_pol

CASES: dict[str, tuple] = {
    "damped flow on Rosenbrock": (damped, rosenbrock(), {"x": [-1.2, 1.], "v": [0., 0.]}, {"gamma": 2.}, 5.,
                                  lambda t, s: [s[2], s[3], -2*s[2] + 2*(1 - s[0]) + 400*s[0]*(s[1] - s[0]**2), -2*s[3] - 200*(s[1] - s[0]**2)]),
    "Van der Pol": (van_der_pol, None, [2., 0.], {"mu": 1.}, 10., lambda t, s: [s[1], (1 - s[0]**2)*s[1] - s[0]]),
    "Lorenz": (lorenz, None, [1., 1., 1.], {"sigma": 10., "rho": 28., "beta": 8/3}, 5.,
               lambda t, s: [10*(s[1] - s[0]), s[0]*(28 - s[2]) - s[1], s[0]*s[1] - 8/3*s[2]])}


def single(heyoka: Any) -> list[Row]:
    rows = []
    for name, (flow, problem, start, params, end, rhs) in CASES.items():
        x0 = start if isinstance(start, dict) else {s: v for s, v in zip(flow.state, start)}
        y0 = np.concatenate([np.atleast_1d(v) for v in x0.values()])
        tight = solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=3e-14, atol=1e-14).y[:, -1]
        for rtol in (1e-6, 1e-9):
            try:
                ours = lambda: solve(flow, problem, x0=x0, until=end, rtol=rtol, atol=rtol, **params)      # noqa: B023, E731
                run = ours()
                error = float(np.abs(np.concatenate([np.atleast_1d(run[s][-1]) for s in flow.state]) - tight).max())
                peers: dict[str, Callable] = {
                    "scipy DOP853": lambda: solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=rtol, atol=rtol, dense_output=True)}  # noqa: B023
                their = float(np.abs(peers["scipy DOP853"]().y[:, -1] - tight).max())
                note = f"errors: dynopt {error:.1e}, scipy {their:.1e}"
                if heyoka:
                    peers["heyoka"], found = heyoka_run(heyoka, name, y0, end, rtol)
                    note += f", heyoka {float(np.abs(found - tight).max()):.1e}"
                row = race(f"one solve, {name}, rtol {rtol:g}", ours, peers, unit="s", wanted="1.6x heyoka, 500x scipy")
                row.note = note
                rows.append(row)
            except Exception as problem_met:                    # a row that cannot be run is a row that says so
                rows.append(Row(f"one solve, {name}, rtol {rtol:g}", note=f"not run: {type(problem_met).__name__}: {problem_met}"[:200]))
    return rows


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
    lam = np.geomspace(1, 100, 100)
    rhs = lambda t, s: np.concatenate([s[100:], -s[100:] - lam*s[:100]])                                       # noqa: E731
    y0 = np.concatenate([np.ones(100), np.zeros(100)])
    try:
        ours = lambda: solve(damped, quadratic(lam), x0={"x": y0[:100], "v": y0[100:]}, until=10., rtol=1e-8, atol=1e-8, gamma=1.)  # noqa: E731
        run = ours()
        theirs = solve_ivp(rhs, (0, 10), y0, method="DOP853", rtol=1e-8, atol=1e-8).y[:, -1]
        assert np.abs(np.concatenate([run.x[-1], run.v[-1]]) - theirs).max() < 1e-5
        return [race("100-dimensional quadratic, damped flow, rtol 1e-8", ours,
                     {"scipy DOP853": lambda: solve_ivp(rhs, (0, 10), y0, method="DOP853", rtol=1e-8, atol=1e-8, dense_output=True)},
                     unit="s", wanted="6x scipy")]
    except Exception as problem_met:
        return [Row("100-dimensional quadratic", note=f"not run: {type(problem_met).__name__}: {problem_met}"[:200])]
