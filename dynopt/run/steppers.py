"""Which integrator takes a path, and when it hands over to another."""
from __future__ import annotations

from typing import Any, Callable

from .ode_control import STIFF
from .ode_path import PAIRS, Course, Pair, Path


def width_of(method: str, system: Any, rtol: float) -> int:
    """How many coefficients a step of the run may have."""
    return 16


def chooser(method: str, system: Any, course: Course, p: int) -> Callable[[Path, int], Any]:
    """choose(path, code): the stepper to begin with, and to go on with after a stretch that ended with `code`."""
    lags = system.lags(p)
    stepper = Pair(PAIRS[method if method in PAIRS else "dop853"], system.rates, course, lags)
    return lambda path, code: stepper
