"""Taylor's method by machine code of a flow's own, where its series is short enough; loaded or compiled when first asked for."""
from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Callable

import numpy as np

from ..emit.entries import Unrolled, Unsuited, Value
from ..emit.series import Series
from ..emit.series_path import DONE, FULL, SeriesKernel, path_kernel
from . import machine
from .ode_control import ALL_DONE, DIVERGED, NONFINITE
from .ode_control import FULL as ROOM_USED
from .ode_control import TOO_SMALL as STUCK
from .ode_path import Course, Path
from .ode_taylor import ORDERS, order_for, tolerance

KINDS = (*[machine.I64]*3, *[machine.REAL]*5, *[machine.POINTER]*8)
MOST_VALUES = 2000                                  # of the series of a step: beyond it compiling takes long, and the tape does well
MOST_ENTRIES = 64
HIGHEST, CHAIN, AROUND = 24, 20, 150                # orders; cycles that a coefficient waits for the one before; cycles of a step beside its series
LARGE = 1e8                                         # a path that stops beyond it has diverged
_made: dict[tuple, tuple[Any, Any]] = {}


def unrolled_flow(system: Any, lanes: frozenset[str] = frozenset()) -> Unrolled:
    """The rates of a system, entry by entry; raises Unsuited where they cannot be unrolled."""
    rule = system.setup.rule
    wide = {d for s, d in zip(rule.state, system.dims) if s not in rule.scalars} or {1}
    if len(wide) != 1 or system.setup.matrices or sum(system.dims) > MOST_ENTRIES:
        raise Unsuited("states of several lengths, matrices, or many entries")
    return Unrolled(system.program, system.fields, next(iter(wide)), {n: v.size for n, v in system.setup.vectors.items()}, lanes)


def states_of(unrolled: Unrolled) -> list[Value]:
    return [unrolled.make("state", data=(j, i)) for j, out in enumerate(unrolled.outputs) for i in range(len(out))]


def series_of(unrolled: Unrolled, count: int) -> Series:
    """The series of its solution."""
    series = Series(unrolled.make, unrolled.roots, states_of(unrolled), count)
    if len(unrolled.make.table) > MOST_VALUES:
        raise Unsuited("a long series")
    return series


def key_of(system: Any, *more: Any) -> tuple:
    """What the text of a kernel depends on; a program's own key knows only the shapes of constant arrays."""
    arrays = tuple(n.data.values.tobytes() for n in system.program.everything if n.op == "array")
    return (system.program.key, arrays, tuple((n, id(f)) for n, f in system.fields.items()), tuple(system.dims),
            tuple((n, v.size) for n, v in system.setup.vectors.items()), bool(system.setup.matrices), *more)


def kept(key: tuple, system: Any, make: Any) -> Any:
    """What `make()` gives for a key, made once; the fields stay as long as the key that names them."""
    if key not in _made:
        if len(_made) > 256:
            _made.clear()
        try:
            found = make()
        except Unsuited as reason:
            found = reason
        _made[key] = found, system.fields
    return _made[key][0]


def products_of(system: Any) -> Any:
    """How many products of moving values the series has, or Unsuited."""
    return kept(key_of(system, "products"), system, lambda: series_of(unrolled_flow(system), 0).products)


@lru_cache(maxsize=1024)
def cheapest(products: float, tol: float) -> int:
    """The order at which a step costs least for the time that it covers.

    A step covers tol^(1/K) of a length of the flow's own. It takes K^2/2 fma for each product of moving values, two in a cycle, and
    waits for K coefficients one after another; where products are many this is the order of Jorba and Zou.
    """
    digits = -math.log(tol)
    return min(range(ORDERS[0], HIGHEST + 1), key=lambda k: (products*k*k/4 + CHAIN*k + AROUND)*math.exp(digits/k))


def kernel_of(system: Any, count: int, record: bool = True) -> Any:
    """(kernel, constant arrays) for one path of a system, or Unsuited; compiled when it is first run. record=False: states alone."""
    def make() -> tuple[SeriesKernel, list[np.ndarray]]:
        unrolled = unrolled_flow(system)
        return path_kernel(series_of(unrolled, count), record), unrolled.arrays
    return kept(key_of(system, count, record), system, make)


def kernel_for(system: Any, rtol: float, atol: np.ndarray, y: np.ndarray, kernel: Callable[[Any, int], Any] = kernel_of) -> Any:
    """The kernel of the order that costs least, of Jorba's and Zou's where that is too long a series, or Unsuited."""
    products = products_of(system)
    if isinstance(products, Unsuited):
        return products
    for count in (cheapest(products, tolerance(rtol, atol, y)), order_for(rtol, atol, y)):
        found = kernel(system, count) if products*count*count/2 <= MOST_VALUES else Unsuited("a long series, seen before it is written")
        if not isinstance(found, Unsuited):
            break
    return found


class SeriesPath:
    """Taylor's method of one path as a stepper: advance(path, end, lo, hi, room) -> code."""

    def __init__(self, system: Any, made: tuple, course: Course, p: int):
        kernel, arrays = made
        self.step = machine.function(kernel.text, "path", *KINDS)
        self.course, self.order = course, kernel.order
        self.numbers = np.array([number_of(system, arrays, p, *n) for n in kernel.numbers] or [0.0])
        self.atol = np.ascontiguousarray(course.atol)
        self.clock, self.slope, self.told = np.zeros(1), np.zeros(self.atol.size), np.zeros(3, dtype=np.int64)

    def advance(self, path: Path, end: float, lo: float, hi: float, room: int) -> int:
        """Up to `room` steps towards `end`."""
        path.grow(room)
        self.clock[0] = path.t
        stride = path.hist_c.shape[1]*path.hist_c.shape[2]
        tables = (self.clock, path.y, self.atol, self.numbers, path.hist_t, path.hist_c, self.slope, self.told)
        self.step(path.count + room, path.count, stride, end, 1.0 if end >= path.t else -1.0, lo, hi, self.course.rtol,
                  *(a.ctypes.data for a in tables))
        before, (code, path.count, refused) = path.count, self.told.tolist()
        path.hist_c[before:path.count, self.order + 1:] = 0.0                       # the record has room for more than the kernel writes
        path.t, path.refused = float(self.clock[0]), path.refused + refused
        return {DONE: ALL_DONE, FULL: ROOM_USED}[code] if code in (DONE, FULL) else self._stuck(path.y)

    def _stuck(self, y: np.ndarray) -> int:
        """Why no step is long enough."""
        if np.isnan(y).any() or np.isnan(self.slope).any():
            return NONFINITE
        return DIVERGED if np.abs(y).max() > LARGE else STUCK


def number_of(system: Any, arrays: list[np.ndarray], p: int, kind: str, name: Any, i: int) -> float:
    """A number that a kernel loads, on path p."""
    if kind == "array":
        return float(arrays[name].ravel()[i])
    if kind == "vector":
        return float(system.setup.vectors[name][i])
    return 0.0 if name == "k" else float(system._parameter(name, p))


def has_series(system: Any, rtol: float, atol: np.ndarray) -> bool:
    """Whether the paths of a system have kernels of their own."""
    return not any(isinstance(kernel_for(system, rtol, atol, y), Unsuited) for y in system.start[:1 if rtol > 0 else None])


def longest(system: Any, rtol: float, atol: np.ndarray, y: np.ndarray) -> int:
    """The order of Taylor's method on a path."""
    found = kernel_for(system, rtol, atol, y)
    return order_for(rtol, atol, y) if isinstance(found, Unsuited) else found[0].order
