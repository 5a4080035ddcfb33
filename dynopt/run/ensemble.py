"""All paths of a solve, each with steps of its own, gathered into a trajectory."""
from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.trajectory import Trajectory
from .breaks import breaks
from .dense import Pieces
from .events import read_events, told, watcher
from .ode_control import MOST_STEPS
from .ode_path import Course, Path, drive
from .ode_taylor import order_for
from .setup import Setup
from .singular import start_series, starts_singular
from .solve import GRID
from .steppers import chooser, settle, width_of
from .system import System

MOST_BYTES = 4 << 30                        # of one path's record


def solve_paths(setup: Setup, problem: Any, t0: float, end: float, times: np.ndarray | None, method: str, rtol: float, atol: Any,
                events: Any, dense: bool) -> Trajectory:
    """Every path to its end; an interrupted run keeps what it has."""
    system = System(setup, problem)
    weights = absolute(atol, system)
    method = settle(method, system, rtol, weights)
    runs: list[Pieces] = []
    status, messages, seen = [], [], []
    interrupted = False
    for p in range(setup.paths):
        watched = read_events(events, system)
        width = width_of(method, order_for(rtol, weights, system.start[p]))
        most = min(MOST_STEPS, MOST_BYTES//(8*width*system.start.shape[1]))
        course = Course(rtol, weights, end, breaks(system, p, t0, end), watcher(watched), most)
        path = Path(t0, system.start[p].copy(), partial(system.work, p), width)
        try:
            if not interrupted:
                one_path(system, path, course, method, p)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            path.status, path.message = "interrupted", f"interrupted at t = {path.t:.6g}"
        run = path.pieces
        runs.append(run.cut(path.t) if path.t != run.t[-1] else run)
        status.append(path.status)
        messages.append(path.message)
        seen.append(told(watched, runs[-1], system))
    return gather(system, runs, times, np.array(status), messages, seen, t0, end, dense)


def absolute(atol: Any, system: System) -> np.ndarray:
    """atol for every entry of the state vector."""
    n = int(system.edges[-1])
    found = np.asarray(atol, dtype=float)
    if found.ndim > 1 or (found.ndim == 1 and found.size not in (n, 1)):
        raise ParameterError(f"atol has wrong shape {found.shape}, expected a number or {n} values, one for each entry of "
                             f"({', '.join(system.setup.rule.state)}); write atol=1e-9")
    return np.array(np.broadcast_to(found, (n,)), dtype=float)


def one_path(system: System, path: Path, course: Course, method: str, p: int) -> None:
    """One path from its start, through a singular start where there is one."""
    if path.t == course.end:
        return
    if not np.isfinite(path.y).all():
        path.status, path.message = "nonfinite", "nonfinite: the start is not finite"
        return
    if starts_singular(system, path):
        start_series(system, path, course)
        stop = course.watch(path.pieces, 0) if course.watch is not None else None
        if stop is not None:
            path.t, path.message = stop, f"a terminal event at t = {stop:.6g}"
            return
    drive(path, course, chooser(method, system, course, p))


def gather(system: System, runs: list[Pieces], times: np.ndarray | None, status: np.ndarray, messages: list[str], seen: list[dict],
           t0: float, end: float, dense: bool) -> Trajectory:
    """States at common times: those asked for; for one path its own steps, for an ensemble an even grid."""
    setup = system.setup
    lead = setup.lead
    values = None
    if times is None and not lead:
        times, values = runs[0].t, runs[0].nodes
    elif times is None:
        times = np.linspace(t0, end, GRID)
    elif not lead:
        rim = 1e-12*max(abs(t0), abs(end))
        times = times[np.abs(times - t0) <= abs(runs[0].t[-1] - t0) + rim]
    if values is None:
        values = np.stack([run(times) for run in runs]).reshape(*lead, len(times), -1)
    states = {s: v.copy() for s, v in system.split(values).items()}
    parameters = {**setup.numbers, **setup.vectors, **setup.matrices}

    def at(t: np.ndarray) -> dict[str, np.ndarray]:
        found = np.stack([run(t) for run in runs]).reshape(*lead, *np.shape(t), -1)
        return system.split(found)
    ends = np.array([run.t[-1] for run in runs])
    return Trajectory(states, t=times, status=status.reshape(lead) if lead else str(status[0]), message=_message(status, messages, ends),
                      rule=setup.rule, problem=system.problem, params=parameters, dense=at if dense else None,
                      events=seen[0] if not lead else {n: [s[n] for s in seen] for n in seen[0]},
                      lengths=(times[None, :] <= ends[:, None]).sum(1).reshape(lead) if lead else len(times))


def _message(status: np.ndarray, messages: list[str], ends: np.ndarray) -> str:
    bad = status != "success"
    if len(status) == 1 or not bad.any():
        return messages[0] if len(status) == 1 else ""
    first = int(np.argmax(bad))
    return f"{int(bad.sum())} of {len(status)} paths did not reach the end; path {first}: {messages[first]}"
