"""Which integrator takes a path, and when it hands over to another."""
from __future__ import annotations

from typing import Any, Callable

from ..core.errors import ParameterError
from .ode_path import PAIRS, Course, Pair, Path
from .ode_taylor import Taylor, order_for
from .system import System, compiled_jets

MOST_ROWS = 20_000                              # beyond it the series of all values costs more than stages do
LOOSE = 1e-5


def settle(method: str, system: System, rtol: float) -> str:
    """The integrator that "auto" begins with, and whether the one asked for can run this flow."""
    smooth = not system.layout.pasts and system.jets is not None
    if method == "taylor" and not smooth:
        raise ParameterError(f"{system.setup.rule.name}: method=\"taylor\" needs rates that are traced expressions without delay or implicit parts; "
                             "write method=\"dop853\"")
    if method == "auto":
        few = smooth and system.jets is not None and system.jets.rows <= MOST_ROWS
        return "taylor" if few else "tsit5" if rtol > LOOSE else "dop853"
    return method


def width_of(method: str, system: System, rtol: float) -> int:
    """How many coefficients a step of the run may have."""
    return 32 if method == "taylor" else 16


def chooser(method: str, system: System, course: Course, p: int) -> Callable[[Path, int], Any]:
    """choose(path, code): the stepper to begin with, and to go on with after a stretch that ended with `code`."""
    made: dict[str, Any] = {}

    def stepper(name: str, path: Path) -> Any:
        if name not in made:
            made[name] = taylor(system, course, path, p) if name == "taylor" else Pair(PAIRS[name], system.rates, course, system.lags(p))
        return made[name]
    return lambda path, code: stepper(method, path)


def taylor(system: System, course: Course, path: Path, p: int) -> Taylor:
    jets = system.jets
    code = compiled_jets(system.jets_layout.source)
    return Taylor(code, jets.rows, system.work(p, system.jets_layout), system.rates, course, order_for(course.rtol, course.atol, path.y))
