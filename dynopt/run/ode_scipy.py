"""Rates that run as plain Python go through scipy's integrators, step by step, into the same record as all others."""
from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import DOP853, RK45, Radau

from .ode_control import ALL_DONE, DIVERGED, FULL, LIMIT, NONFINITE, TOO_SMALL
from .ode_path import Course, Path

SOLVERS = {"tsit5": RK45, "dop853": DOP853, "radau": Radau}
DEGREE = 7                                          # of the highest dense output, DOP853's
NODES = (1 - np.cos(np.arange(DEGREE + 1)*np.pi/DEGREE))/2
TO_POWERS = np.linalg.inv(NODES[:, None]**np.arange(DEGREE + 1))


class Scipy:
    """A solver of scipy as a stepper: advance(path, end, lo, hi, room) -> code."""

    def __init__(self, name: str, rates: Any, course: Course):
        self.solver, self.rates, self.course, self.h = SOLVERS[name], rates, course, None

    def advance(self, path: Path, end: float, lo: float, hi: float, room: int) -> int:
        """Up to `room` steps towards `end`."""
        def rates(t: float, y: np.ndarray) -> np.ndarray:
            out = np.empty_like(y)
            self.rates(min(max(t, lo), hi), y, out, path.w)
            return out
        first = None if self.h is None else min(self.h, abs(end - path.t))
        solver = self.solver(rates, path.t, path.y.copy(), end, rtol=max(self.course.rtol, 2.3e-14), atol=self.course.atol, first_step=first)
        path.grow(room)
        for _ in range(room):
            with np.errstate(all="ignore"):
                solver.step()
            if solver.status == "failed":
                return NONFINITE if not np.isfinite(rates(path.t, path.y)).all() else DIVERGED if np.abs(path.y).max() > 1e8 else TOO_SMALL
            if not np.abs(solver.y).max() <= LIMIT:
                return DIVERGED
            self._record(path, solver)
            if solver.status == "finished":
                return ALL_DONE
        return FULL

    def _record(self, path: Path, solver: Any) -> None:
        old, now = solver.t_old, solver.t
        path.hist_t[path.count:path.count + 2] = old, now
        path.hist_c[path.count] = 0.0
        path.hist_c[path.count, :DEGREE + 1] = TO_POWERS @ solver.dense_output()(old + NODES*(now - old)).T
        path.t, self.h = now, solver.h_abs
        path.y[:] = solver.y
        path.count += 1
