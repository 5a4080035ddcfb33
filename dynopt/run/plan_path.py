"""One path of a plan on its way: its memory, its steps in chunks, its record."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..emit.series_path import DONE, FULL
from .dense import Pieces
from .ode_control import MOST_STEPS
from .ode_path import CHUNK
from .steppers import MANY


class Path:
    """A path under way in one piece of memory: what is told, time, state, tolerances, numbers, slopes; times; the record of steps."""

    def __init__(self, plan: Any, kernel: tuple, y: list[float], values: dict[str, float], t0: float, atol: float, dense: bool):
        self.step, order, numbers = kernel
        self.t0, self.begin, self.taken, self.n, self.rows = t0, y, 0, plan.size, plan.rows
        self.stride = self.n*(order + 1) if dense else self.n
        self.head = [0.0, 0.0, 0.0, t0, *y, *[atol]*self.n, *[values[v] if type(v) is str else v for v in numbers]]
        self._room()

    def _room(self) -> None:
        """Memory for so many rows and a last state, and where each part of it lies."""
        n, head = self.n, len(self.head)
        self.at = at = head + n                                                     # of the times
        self.memory = memory = np.empty(at + (self.rows + 1)*(1 + self.stride))
        memory[:head], memory[at] = self.head, self.t0
        self.told = memory[:3].view(np.int64)
        first = memory.ctypes.data
        state = first + 32
        self.places = (first + 24, state, state + 8*n, state + 16*n, first + 8*at, first + 8*(at + self.rows + 1), first + 8*head, first)

    @property
    def t(self) -> float:
        return float(self.memory[3])

    def advance(self, end: float, rtol: float, patient: bool) -> bool:
        """Whether the path comes to its end; CHUNK steps at a time, as the long way takes them."""
        direction, lo, hi = (1.0, self.t0, end) if end >= self.t0 else (-1.0, end, self.t0)
        looked, before = 0, self.t0
        while True:
            self.step(min(self.rows, looked + CHUNK), self.taken, self.stride, end, direction, lo, hi, rtol, *self.places)
            code, self.taken, _ = self.told.tolist()
            if code != FULL:
                return bool(code == DONE)
            if self.taken == looked + CHUNK:
                if self.taken >= MOST_STEPS or not patient and abs(end - self.t)*CHUNK > MANY*abs(self.t - before):
                    return False
                looked, before = self.taken, self.t
            if self.taken == self.rows:
                self._grow()

    def _grow(self) -> None:
        times, record = self._views(self.rows, self.taken)
        self.head, self.rows = self.memory[:len(self.head)].tolist(), 2*self.rows
        self._room()
        for new, old in zip(self._views(self.rows, self.taken), (times, record)):
            new[...] = old

    def _views(self, rows: int, taken: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and record of the steps taken; the record has room for a state behind them."""
        first = self.at + rows + 1
        return self.memory[self.at:self.at + taken + 1], self.memory[first:first + (taken + 1)*self.stride].reshape(taken + 1, self.stride)

    def pieces(self) -> tuple[Pieces, np.ndarray]:
        """The steps taken, those of an interrupted run too, and the states where they begin and where the last one ends."""
        n, last = self.n, self.memory[4:4 + self.n]
        times, record = self._views(self.rows, int(self.told[1]))
        record[-1, :n] = last
        return Pieces(times, record[:-1].reshape(len(record) - 1, self.stride//n, n), self.begin, last), record[:, :n]
