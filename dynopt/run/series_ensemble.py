"""An ensemble of paths along a flow in lanes: every path with steps of its own, finished lanes refilled, one queue for all threads."""
from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..emit.entries import Unsuited
from ..emit.series_lanes import lanes_kernel
from ..emit.series_path import DONE, FULL, SeriesKernel
from . import lanes, machine
from .ode_control import MOST_STEPS
from .ode_path import CHUNK
from .series import kept, kernel_for, key_of, number_of, series_of, unrolled_flow

KINDS = (*[machine.I64]*2, *[machine.REAL]*3, *[machine.I64]*2, *[machine.POINTER]*12)
BATCH = 1 << 16                                     # paths between two looks at the keyboard
MOST_BYTES = 8 << 30
PENDING = -1


def kernel_of(system: Any, count: int, width: int) -> Any:
    """(kernel, constant arrays) for many paths of a system, or Unsuited."""
    own = frozenset(n for n, v in system.numbers.items() if v.size > 1)

    def make() -> tuple[SeriesKernel, list[np.ndarray]]:
        unrolled = unrolled_flow(system, own)
        return lanes_kernel(series_of(unrolled, count), width), unrolled.arrays
    return kept(key_of(system, "lanes", count, width, own), system, make)


def width_for(paths: int) -> int:
    """Two registers for every number, so that chains of operations overlap; one lane for a few paths, with the same bits."""
    return 1 if paths < 16 else 2*machine.lanes_of_machine()


class Ensemble:
    """All paths of a system on their way from t0 to `end`; `grid` are the times of the rows wanted, none before t0.

    `rows` (paths, rows, entries), NaN where a path did not come; `t`, `y` (entries, paths) and `steps` where each path is;
    `codes` DONE, or what stopped it; `told` the steps of registers and of lanes at work, whose ratio over the width is the occupancy.
    """

    def __init__(self, system: Any, t0: float, end: float, grid: np.ndarray, rtol: float, atol: np.ndarray, width: int | None = None):
        self.system, self.end, self.rtol = system, end, rtol
        paths, n = system.start.shape
        if 8*paths*n*len(grid) > MOST_BYTES:
            raise ParameterError(f"{system.setup.rule.name}: {len(grid)} times on {paths} paths would take {8*paths*n*len(grid) >> 30} GiB, expected "
                                 f"at most {MOST_BYTES >> 30}; write until=[{end:g}] for the end alone")
        self.width = width or width_for(paths)
        found = kernel_for(system, rtol, atol, system.start[0], lambda system, count: kernel_of(system, count, self.width))
        if isinstance(found, Unsuited):
            raise found
        self.kernel, arrays = found
        self.step = machine.function(self.kernel.text, "lanes", *KINDS)
        self.y, self.t = np.array(system.start.T, order="C"), np.full(paths, float(t0))
        self.grid, self.rows = np.ascontiguousarray(grid), np.full((paths, len(grid), n), np.nan)
        first = int(len(grid) and grid[0] == t0)
        self.rows[:, :first] = system.start[:, None]
        self.due, self.steps = np.full(paths, first, dtype=np.int64), np.zeros(paths, dtype=np.int64)
        self.codes, self.told = np.full(paths, PENDING, dtype=np.int64), np.zeros(2, dtype=np.int64)
        self.atol = np.ascontiguousarray(atol)
        self.columns = [self._column(arrays, *number) for number in self.kernel.numbers]
        self.table = (ctypes.c_void_p*max(1, len(self.columns)))(*(c.ctypes.data for c in self.columns))

    def _column(self, arrays: list[np.ndarray], kind: str, name: Any, i: int) -> np.ndarray:
        """A number of all paths, or one for each."""
        values = self.system.numbers.get(name) if kind == "number" else None
        if values is not None and values.size > 1:
            return np.ascontiguousarray(values, dtype=float)
        return np.array([number_of(self.system, arrays, 0, kind, name, i)])

    @property
    def occupancy(self) -> float:
        """The share of lanes that were at work."""
        return float(self.told[1]/max(1, self.told[0]*self.width))

    def run(self, most: int = MOST_STEPS) -> None:
        """Every path that is under way to the end, or to `most` steps in all."""
        pending = np.flatnonzero((self.codes == PENDING) & np.isfinite(self.y).all(0))
        for lo in range(0, pending.size, BATCH):
            self._take(pending[lo:lo + BATCH], most)

    def _take(self, order: np.ndarray, most: int) -> None:
        queue, order = np.zeros(1, dtype=np.int64), np.ascontiguousarray(order, dtype=np.int64)
        direction, threads = 1.0 if self.end >= self.t[order[0]] else -1.0, max(1, min(lanes.THREADS, order.size//(8*self.width)))
        told = np.zeros((threads, 16), dtype=np.int64)                 # a line of the cache for each thread

        def part(thread: int) -> None:
            tables = (queue, order, self.t, self.y, self.atol, None, self.grid, self.due, self.steps, self.codes, self.rows, told[thread])
            self.step(order.size, most, self.end, direction, self.rtol, len(self.grid), self.t.size,
                      *(self.table if a is None else a.ctypes.data for a in tables))
        if threads == 1:
            part(0)
        else:
            with ThreadPoolExecutor(threads) as pool:
                for future in [pool.submit(part, i) for i in range(threads)]:
                    future.result()
        self.told += told.sum(0)[:2]

    def onward(self, patient: bool, many: float) -> None:
        """To the end, CHUNK steps at a time; a path that still has more than `many` steps to go then is left, unless `patient`."""
        before, most = self.t.copy(), CHUNK
        self.run(most)
        while (self.codes == FULL).any():
            full = np.flatnonzero(self.codes == FULL)
            mean = np.abs(self.t[full] - before[full])/CHUNK
            with np.errstate(divide="ignore"):
                going = full[patient | (np.abs(self.end - self.t[full])/mean <= many)]
            if most >= MOST_STEPS or not going.size:
                return
            self.codes[going] = PENDING
            before, most = self.t.copy(), most + CHUNK
            self.run(most)

    @property
    def left(self) -> np.ndarray:
        """Paths that did not come to the end: another integrator takes them, from the start."""
        return np.flatnonzero(self.codes != DONE)
