"""All paths of a solve, each with steps of its own, gathered into a trajectory."""
from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.trajectory import Trajectory
from .breaks import breaks, switches
from .events import read_events, told, watcher
from .gather import gather, values_at
from .history import longest_step, recollect
from .linear_flow import exact_run, linear_part
from .ode_control import MOST_STEPS
from .ode_path import Course, Path, drive
from .series import has_series, longest
from .setup import Setup
from .singular import start_series, starts_singular
from .steppers import chooser, settle, width_of
from .system import System

MOST_BYTES = 4 << 30                        # of one path's record


def solve_paths(setup: Setup, problem: Any, t0: float, end: float, times: np.ndarray | None, method: str, rtol: float, atol: Any,
                events: Any, dense: bool, history: dict[str, Any], out: dict | None = None) -> Trajectory:
    """Every path to its end, told in `out` where that is given; an interrupted run keeps what it has."""
    system = System(setup, problem)
    task = Task(system, t0, end, settle(method, system, rtol, weights := absolute(atol, system)), rtol, weights, events, history, out)
    if fit_for_lanes(task):
        from .lane_solve import solve_lanes
        return solve_lanes(task, times, dense)
    runs = []
    for p in range(setup.paths):
        runs.append(task.path(p, interrupted=bool(runs) and runs[-1].status == "interrupted"))
    pieces = [r.run for r in runs]
    return gather(task, [(r.status, r.message, float(r.run.t[-1]), r.seen) for r in runs], times, dense, at=values_at(pieces, setup.lead),
                  steps=pieces[0] if not setup.lead else None)


@dataclass
class Task:
    """What is to be solved: a system from t0 to `end` by `method`, with what watches its paths."""

    system: System
    t0: float
    end: float
    method: str
    rtol: float
    weights: np.ndarray                     # atol for every entry
    events: Any
    history: dict[str, Any]                 # functions of the time by state: what was before t0
    out: dict | None = None                 # arrays to be filled with the rows

    def path(self, p: int, *, interrupted: bool = False) -> "Ended":
        """Path p from its start to its end."""
        if self.method == "exact":
            return exact_path(self, p)
        system, y = self.system, self.system.start[p]
        watched = read_events(self.events, system, self.rtol, self.weights)
        width = width_of(self.method, longest(system, self.rtol, self.weights, y) if self.method.endswith("taylor") else 0)
        most = min(MOST_STEPS, MOST_BYTES//(8*width*y.size))
        path = Path(self.t0, y.copy(), partial(system.work, p), width)
        bends = recollect(system, path, p, self.end, self.history) if system.pasts else ()
        course = Course(self.rtol, self.weights, self.end, breaks(system, p, self.t0, self.end, bends), watcher(watched), most,
                        longest_step(path, self.end))
        try:
            if not interrupted:
                one_path(system, path, course, self.method, p)
        except KeyboardInterrupt:
            interrupted = True
        if interrupted:
            path.status, path.message = "interrupted", f"interrupted at t = {path.t:.6g}"
        run = path.pieces
        run = run.cut(path.t) if path.t != run.t[-1] else run
        return Ended(run, path.status, path.message, told(watched, run, system))


@dataclass(frozen=True)
class Ended:
    """A path that has ended: its steps, how it ended, what was seen on the way."""

    run: Any                                # Pieces, or what answers as they do
    status: str
    message: str
    seen: dict


def exact_path(task: Task, p: int) -> Ended:
    """Path p of a linear flow with constant coefficients by its modes."""
    system = task.system
    found = linear_part(system, p)
    if found is None:
        raise ParameterError(f"{system.setup.rule.name}: method=\"exact\" needs rates that are linear in the states, with coefficients that are "
                             "constant; write method=\"auto\"")
    run, whole = exact_run(*found, task.t0, task.end, system.start[p])
    watched = read_events(task.events, system, task.rtol, task.weights)
    watch = watcher(watched)
    stop = watch(run, 0) if watch is not None and len(run.t) > 1 else None
    status, message = "success", "exact: by modes"
    if not whole:
        status, message = "diverged", f"diverged at t = {run.t[-1]:.6g}: the state grows beyond every bound"
    if stop is not None:
        run, status, message = run.cut(stop), "success", f"a terminal event at t = {stop:.6g}"
    return Ended(run, status, message, told(watched, run, system))                          # type: ignore[arg-type]


def fit_for_lanes(task: Task) -> bool:
    """Whether the paths of an ensemble can go side by side: nothing watches them, and nothing happens at times of their own."""
    system = task.system
    return bool(system.setup.lead and system.setup.paths and task.events is None and task.rtol > 0 and task.t0 != task.end
                and task.method.endswith("taylor") and not system.pasts and not switches(system.program)
                and has_series(system, task.rtol, task.weights))


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
    if path.lags:
        path.recall(path.t, path.y, path.w)
    if starts_singular(system, path, p):
        start_series(system, path, course)
        stop = course.watch(path.pieces, 0) if course.watch is not None else None
        if stop is not None:
            path.t, path.message = stop, f"a terminal event at t = {stop:.6g}"
            return
    drive(path, course, chooser(method, system, course, p))
