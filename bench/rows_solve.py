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
    "Van der Pol": (van_der_pol, None, [2., 0.], {"c": 1.}, 10., lambda t, s: [s[1], (1 - s[0]**2)*s[1] - s[0]]),
    "Lorenz": (lorenz, None, [1., 1., 1.], {"sigma": 10., "rho": 28., "beta": 8/3}, 5.,
               lambda t, s: [10*(s[1] - s[0]), s[0]*(28 - s[2]) - s[1], s[0]*s[1] - 8/3*s[2]])}


def single(heyoka: Any) -> list[Row]:
    return [attempt(f"one solve, {name}, rtol {rtol:g}", lambda workload, name=name, rtol=rtol: one(workload, name, rtol, heyoka))
            for name in CASES for rtol in (1e-6, 1e-9)]


def attempt(workload: str, made: Callable[[str], Row]) -> Row:
    """A row that cannot be run is a row that says so."""
    try:
        return made(workload)
    except Exception as met:
        return Row(workload, note=f"not run: {type(met).__name__}: {met}"[:200])


def one(workload: str, name: str, rtol: float, heyoka: Any) -> Row:
    flow, problem, start, params, end, rhs = CASES[name]
    x0 = start if isinstance(start, dict) else dict(zip(flow.state, start))
    y0 = np.concatenate([np.atleast_1d(v) for v in x0.values()])
    tight = solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=3e-14, atol=1e-14).y[:, -1]

    def ours() -> Any:
        return solve(flow, problem, x0=x0, until=end, rtol=rtol, atol=rtol, **params)

    def scipy() -> Any:
        return solve_ivp(rhs, (0, end), y0, method="DOP853", rtol=rtol, atol=rtol, dense_output=True)
    run, peers = ours(), {"scipy DOP853": scipy}
    errors = {"dynopt": np.concatenate([np.atleast_1d(run[s][-1]) for s in flow.state]), "scipy": scipy().y[:, -1]}
    if heyoka:
        peers["heyoka"], errors["heyoka"] = heyoka_run(heyoka, name, y0, end, rtol)
    row = race(workload, ours, peers, unit="s", wanted="1.6x heyoka, 500x scipy")
    row.note = "errors: " + ", ".join(f"{n} {float(np.abs(e - tight).max()):.1e}" for n, e in errors.items())
    return row


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

    def ours() -> Any:
        return solve(damped, quadratic(lam), x0={"x": y0[:100], "v": y0[100:]}, until=10., rtol=1e-8, atol=1e-8, gamma=1.)

    def scipy() -> Any:
        return solve_ivp(lambda t, s: np.concatenate([s[100:], -s[100:] - lam*s[:100]]), (0, 10), y0, method="DOP853", rtol=1e-8, atol=1e-8,
                         dense_output=True)
    run = ours()
    assert np.abs(np.concatenate([run.x[-1], run.v[-1]]) - scipy().y[:, -1]).max() < 1e-5
    return race(workload, ours, {"scipy DOP853": scipy}, unit="s", wanted="6x scipy")
