"""Adaptive solves: one trajectory and many, at the same tolerance, errors beside the times."""
from __future__ import annotations

import importlib.util
from typing import Any, Callable

import numpy as np
import solvers
from cases import CASES, Case
from harness import Row, race
from scipy.integrate import solve_ivp

from dynopt import damped, quadratic, rosenbrock, solve

WANTED = "1.6x heyoka at 200 times, 1.6x heyoka end, 3x numbalsoda, 25x diffrax, 500x scipy"
TARGETS = (1e-6, 1e-9, 1e-11)                              # errors at the end


def single(heyoka: Any, jax: Any, odeint: Any) -> list[Row]:
    """Five problems at equal error: every solver at the loosest tolerance of a ladder that reaches it."""
    peers: dict[str, Callable] = {"scipy DOP853": solvers.scipy}
    if heyoka:
        made = solvers.heyoka(heyoka)
        peers |= {f"heyoka at {solvers.GRID} times": lambda case, tol: made(case, tol, True), "heyoka end": lambda case, tol: made(case, tol, False)}
    if importlib.util.find_spec("numbalsoda"):
        peers["numbalsoda dop853 end"] = solvers.numbalsoda()
    if jax:
        peers["diffrax Dopri8 end"] = solvers.diffrax(jax)
    if odeint:
        peers["Boost dopri5 end"] = solvers.boost(odeint)
    return [attempt(f"one solve, {name}, error {target:g}", lambda workload, case=case, target=target: one(workload, case, target, peers))
            for name, case in CASES.items() for target in TARGETS]


def attempt(workload: str, made: Callable[[str], Row]) -> Row:
    """A row that cannot be run is a row that says so."""
    try:
        return made(workload)
    except Exception as met:
        return Row(workload, note=f"not run: {type(met).__name__}: {met}"[:200])


def one(workload: str, case: Case, target: float, peers: dict[str, Callable]) -> Row:
    """Answers that are functions of the time against each other, and states at the end against each other."""
    ours, tol, error = solvers.loosest(case, target, lambda tol: solvers.dynopt(case, tol, True))
    found = {n: solvers.loosest(case, target, lambda tol, made=made: made(case, tol)) for n, made in peers.items()}
    runs = {n: run for n, (run, _, _) in found.items()}
    row = race(workload, ours, {"end": solvers.dynopt(case, tol, False), **runs}, unit="s", wanted=WANTED, rounds=3)
    end = row.ratios.pop("end")
    row.ratios = {n: r/end if n.endswith("end") else r for n, r in row.ratios.items()}
    told = {"dynopt": (None, tol, error), **found}
    row.note = f"dense; the end alone {row.seconds*end*1e6:.3g} us; tolerances and errors: " + \
        ", ".join(f"{n.partition(' ')[0]} {t:.0e} {e:.1e}" for n, (_, t, e) in told.items() if n != "heyoka end")
    return row


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
