"""Peers that solve one initial value problem: each is given a case and a tolerance, and is ready to run again and again."""
from __future__ import annotations

import ctypes
from typing import Any, Callable

import numpy as np
from cases import CASES, Case
from scipy.integrate import solve_ivp

from dynopt import solve

LADDER = [10.0**(-k/2) for k in range(6, 29)]              # tolerances tried, the loosest first
GRID = 200                                                 # times of a dense answer, for those who give no function
Run = Callable[[], np.ndarray]                             # gives the state at the end


def dynopt(case: Case, tol: float, dense: bool) -> Run:
    first = case.flow.state

    def run() -> np.ndarray:
        found = solve(case.flow, case.problem, x0=case.x0, until=case.end, t0=case.t0, rtol=tol, atol=tol, dense=dense, **case.params)
        return np.concatenate([np.atleast_1d(found[s][-1]) for s in first])
    return run


def scipy(case: Case, tol: float) -> Run:
    return lambda: solve_ivp(case.rates, (case.t0, case.end), case.start, method="DOP853", rtol=max(tol, 3e-14), atol=tol, dense_output=True).y[:, -1]


def heyoka(hy: Any) -> Callable[[Case, float, bool], Run]:
    known: dict[tuple, Any] = {}

    def made(case: Case, tol: float, dense: bool) -> Run:
        """Its two fastest forms: values at times while it goes, or the end alone; a function of the time takes ten times as long."""
        names = hy.make_vars(*(f"s{i}" for i in range(case.start.size)))
        start, grid = case.start, np.linspace(case.t0, case.end, GRID)
        if (case.rates, tol) not in known:
            known[case.rates, tol] = hy.taylor_adaptive(list(zip(names, case.rates(hy.time, names))), list(start), tol=tol, time=case.t0)
        integrator = known[case.rates, tol]

        def run() -> np.ndarray:
            integrator.time, integrator.state[:] = case.t0, start
            integrator.propagate_grid(grid) if dense else integrator.propagate_until(case.end)
            return integrator.state
        return run
    return made


def numbalsoda() -> Callable[[Case, float], Run]:
    import numba
    from numbalsoda import dop853, lsoda_sig
    made = {name: numba.cfunc(lsoda_sig)(function_of(numba.njit(case.rates), case.start.size)) for name, case in CASES.items()}

    def prepared(case: Case, tol: float) -> Run:
        address = made[next(n for n, c in CASES.items() if c is case)].address
        times, start = np.array([case.t0, case.end]), case.start
        return lambda: dop853(address, start, times, rtol=tol, atol=tol, mxstep=1_000_000)[0][-1]
    return prepared


def function_of(rates: Any, n: int) -> Callable:
    """A right-hand side as numbalsoda takes it."""
    import numba
    if n == 2:
        def two(t, u, du, p):
            du[0], du[1] = rates(t, numba.carray(u, (2,)))
        return two
    if n == 3:
        def three(t, u, du, p):
            du[0], du[1], du[2] = rates(t, numba.carray(u, (3,)))
        return three

    def four(t, u, du, p):
        du[0], du[1], du[2], du[3] = rates(t, numba.carray(u, (4,)))
    return four


def diffrax(jax: Any) -> Callable[[Case, float], Run]:
    made = {name: jax.solver(case.rates, case.t0, case.end) for name, case in CASES.items()}

    def prepared(case: Case, tol: float) -> Run:
        run, start = made[next(n for n, c in CASES.items() if c is case)], case.start
        return lambda: np.asarray(run(start, tol))
    return prepared


def boost(library: Any) -> Callable[[Case, float], Run]:
    """Boost's controlled dopri5, which is all of its adaptive pairs of that order."""
    from harness import pointer

    def made(case: Case, tol: float) -> Run:
        which, start, out = next(i for i, c in enumerate(CASES.values()) if c is case), case.start, np.zeros(4)
        at, clock = pointer(out), [ctypes.c_double(v) for v in (case.t0, case.end, tol)]

        def run() -> np.ndarray:
            out[:start.size] = start
            library.odeint(which, at, *clock)
            return out[:start.size]
        return run
    return made


def loosest(case: Case, target: float, prepare: Callable[[float], Run]) -> tuple[Run, float, float]:
    """(run, tolerance, error) at the loosest tolerance whose error at the end is within the target, by halving the ladder; else the tightest."""
    ladder = [t for t in LADDER if t <= 1e3*target]
    tried: dict[int, tuple[Run, float, float]] = {}

    def error_at(i: int) -> float:
        run = prepare(ladder[i])
        tried[i] = run, ladder[i], case.error(run())
        return tried[i][2]
    at, last = 0, len(ladder) - 1
    while at < last:
        middle = (at + last)//2
        at, last = (at, middle) if error_at(middle) <= target else (middle + 1, last)
    while at not in tried and not error_at(at) <= target and at < len(ladder) - 1:
        at += 1                                             # errors do not fall at every step of the ladder
    return tried[at]
