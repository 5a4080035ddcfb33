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
    """A path under way in one piece of memory: time, state, tolerances, numbers, slopes and what is told; times; the record of steps."""

    def __init__(self, plan: Any, kernel: tuple, y: list[float], values: dict[str, float], t0: float, atol: float, dense: bool):
        self.step, order, numbers = kernel
        self.t0, self.begin, self.taken, self.n, self.rows = t0, y, 0, plan.size, plan.rows
        self.stride = self.n*(order + 1) if dense else self.n
        self.head = [t0, *y, *[atol]*self.n, *[values[v] if type(v) is str else v for v in numbers], *[0.0]*(self.n + 3)]
        self._room()

    def _room(self) -> None:
        """Memory for so many rows, where each part of it lies, and as many views."""
        n, head, rows = self.n, len(self.head), self.rows
        self.memory = memory = np.empty(head + 1 + rows*(1 + self.stride))
        memory[:head] = self.head
        self.told, self.times, self.record = memory[head - 3:head].view(np.int64), memory[head:head + rows + 1], memory[head + rows + 1:]
        self.times[0] = self.t0
        first = memory.ctypes.data
        self.places = (first, first + 8, first + 8*(1 + n), first + 8*(1 + 2*n), first + 8*head, first + 8*(head + rows + 1),
                       first + 8*(head - n - 3), first + 8*(head - 3))

    @property
    def t(self) -> float:
        return float(self.memory[0])

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
        taken, times, record = self.taken, self.times, self.record
        self.head, self.rows = self.memory[:len(self.head)].tolist(), 2*self.rows
        self._room()
        self.times[:taken + 1], self.record[:taken*self.stride] = times, record

    def pieces(self) -> Pieces:
        """The steps taken, those of an interrupted run too."""
        taken, n = self.told[1], self.n
        return Pieces(self.times[:taken + 1], self.record[:taken*self.stride].reshape(taken, -1, n), self.begin, self.memory[1:1 + n])


def nodes(run: Pieces) -> np.ndarray:
    """States where the steps begin and where the last one ends."""
    rows = np.empty((len(run.t), run.c.shape[2]))
    rows[:-1], rows[-1] = run.c[:, 0], run.last
    return rows
