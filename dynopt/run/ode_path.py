"""One path from its start to its end: buffers that grow, pieces between breaks, statuses."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Callable

import numpy as np

from . import ode_rk
from .dense import Pieces
from .ode_control import ALL_DONE, DIVERGED, FULL, MOST_STEPS, NONFINITE, STIFF, TOO_SMALL, first_step
from .ode_tables import DOP853, TSIT5, Table

TOLD = {TOO_SMALL: "step_too_small", NONFINITE: "nonfinite", DIVERGED: "diverged"}
WIDTH = 32                          # coefficients that a step may have
STRETCH = 1 << 20                   # bytes of a record for which room is made at once
CHUNK = 1024                        # steps between two looks at events, stiffness and the keyboard


@dataclass
class Course:
    """What a path is asked: tolerances, the times where it must land, what watches it."""

    rtol: float
    atol: np.ndarray
    end: float
    breaks: list[float]                                     # strictly between start and end, in the order of travel
    watch: Callable[[Pieces, int], float | None] | None = None      # (run so far, first new step) -> time to stop at
    most: int = MOST_STEPS
    longest: float = np.inf
    room: int | None = None                                 # steps until the next look, where that is soon


@dataclass
class Path:
    """A path under way: time, state, and the record of its steps."""

    t: float
    y: np.ndarray
    work: Callable[[], np.ndarray]                          # its work array, made when somebody needs it
    width: int
    hist_t: np.ndarray = field(init=False)
    hist_c: np.ndarray = field(init=False)
    count: int = 0
    lags: tuple | None = None                               # (delays, owners, places in w) where the flow has any
    born: int = 0                                           # steps of the record that are history, from before the start
    refused: int = 0
    status: str = "success"
    message: str = ""

    def __post_init__(self) -> None:
        self.first = self.before = self.y.copy()                # where the run starts; the state before everything recorded
        self.hist_t, self.hist_c = np.full(65, self.t), np.empty((64, self.width, self.y.size))

    @cached_property
    def w(self) -> np.ndarray:
        return self.work()

    def grow(self, room: int) -> None:
        """Room for so many more steps."""
        need = self.count + room
        if need > len(self.hist_c):
            size = max(need, 2*len(self.hist_c))
            bigger_t, bigger_c = np.full(size + 1, self.t), np.empty((size, self.width, self.y.size))
            bigger_t[:self.count + 1], bigger_c[:self.count] = self.hist_t[:self.count + 1], self.hist_c[:self.count]
            self.hist_t, self.hist_c = bigger_t, bigger_c

    @property
    def stretch(self) -> int:
        """Steps whose record is not much memory: room is made for so many at a time."""
        return max(64, STRETCH//(8*self.width*self.y.size))

    @property
    def memory(self) -> tuple:
        """Delays as kernels take them."""
        none = np.empty(0), np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int64)
        return (*(self.lags or none), self.before)

    @property
    def taken(self) -> int:
        """Steps from the start."""
        return self.count - self.born

    @property
    def pieces(self) -> Pieces:
        last = self.y if self.hist_t[self.count] == self.t else None
        return Pieces(self.hist_t[self.born:self.count + 1], self.hist_c[self.born:self.count], self.first, last)

    def recall(self, t: float, y: np.ndarray, w: np.ndarray) -> None:
        """Write the past states at a time near the start, from the history."""
        known = Pieces(self.hist_t[:self.count + 1], self.hist_c[:self.count], self.before)
        for lag, (a, n), to in zip(*self.lags or ((), (), ())):
            at = t - lag
            w[to:to + n] = (y if lag == 0.0 else known(at) if self.hist_t[0] < at < self.hist_t[self.count] else
                            self.before if at <= self.hist_t[0] else self.y)[a:a + n]

    def remember(self, history: Pieces) -> None:
        """Begin the record with what was before the start."""
        n, width = len(history.c), history.c.shape[1]
        self.grow(n)
        self.hist_t[:n + 1], self.hist_c[:n, :width], self.hist_c[:n, width:] = history.t, history.c, 0.0
        self.before, self.count, self.born = history.c[0, 0].copy(), n, n


class Pair:
    """An embedded Runge-Kutta pair as a stepper: advance(path, end, lo, hi, room) -> code."""

    def __init__(self, table: Table, rates: Any, course: Course, *, watch_stiffness: bool = False):
        self.table, self.rates, self.course = table, rates, course
        self.rim = table.stiff if watch_stiffness else 0.0
        self.clock: np.ndarray | None = None
        self.width = len(table.dense) + 1

    def advance(self, path: Path, end: float, lo: float, hi: float, room: int) -> int:
        """Up to `room` steps towards `end`."""
        course, table = self.course, self.table
        if self.clock is None:
            h = first_step(self.rates, min(max(path.t, lo), hi), path.y, path.w, end, 1/table.power - 1, course.rtol, course.atol)
            self.clock = np.array([path.t, h, 0.0])
        self.clock[0] = path.t
        path.grow(room)
        code, path.count, refused = ode_rk.kernel()(
            self.rates, self.clock, path.y, path.w, end, lo, hi, course.rtol, course.atol, table.A, table.c, table.last, table.E,
            table.power, table.dense, self.rim, path.count + room, course.longest, path.memory,
            path.count, path.hist_t, path.hist_c)
        path.t, path.refused = float(self.clock[0]), path.refused + refused
        return code


PAIRS = {"tsit5": TSIT5, "dop853": DOP853}


def drive(path: Path, course: Course, choose: Callable[[Path, int], Any]) -> None:
    """Take a path to its end through the pieces between breaks; `choose(path, code)` gives the stepper to go on with."""
    stepper = choose(path, ALL_DONE)
    direction = 1.0 if course.end >= path.t else -1.0
    for end in [*course.breaks, course.end]:
        lo, hi = inside(path.t, end) if course.breaks else sorted((path.t, end))
        chosen = path.taken
        while (end - path.t)*direction > 0:
            before, patience = path.count, (course.room or CHUNK) - (path.taken - chosen)
            code = stepper.advance(path, end, lo, hi, min(patience, course.most - path.taken, path.stretch))
            stop = course.watch(path.pieces, before - path.born) if course.watch is not None and path.count > before else None
            if stop is not None:
                path.message = f"a terminal event at t = {stop:.6g}"
                path.t = stop
                return
            if code in TOLD:
                path.status = TOLD[code]
                path.message = f"{path.status} at t = {path.t:.6g}: {_reason(path.status)}"
                return
            if path.taken >= course.most and (end - path.t)*direction > 0:
                path.status = "max_steps"
                path.message = f"max_steps: {path.taken} steps reached t = {path.t:.6g} only; the flow may be stiff, write method=\"radau\""
                return
            if code == STIFF or code == FULL and path.taken - chosen >= (course.room or CHUNK):
                stepper, chosen = choose(path, code), path.taken


def inside(a: float, b: float) -> tuple[float, float]:
    """The times between two breaks, a few units in the last place away from both: breaks are known that well only."""
    margin = 16*max(math.ulp(a), math.ulp(b))
    lo, hi = sorted((a, b))
    return lo + margin, hi - margin


def _reason(status: str) -> str:
    return {"diverged": "the state grows beyond every bound", "nonfinite": "the rates are not finite numbers there",
            "step_too_small": "no step, however small, meets the tolerance; the solution may end there"}[status]
