"""Which integrator takes a path, and when it hands over to another."""
from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

import numpy as np

from ..core.errors import ParameterError
from ..emit.entries import Unsuited
from .linear_flow import in_closed_form
from .ode_control import ALL_DONE, STIFF
from .ode_path import PAIRS, Course, Pair, Path
from .ode_radau import Radau
from .ode_scipy import Scipy
from .ode_taylor import Taylor
from .series import SeriesPath, has_series, kernel_for
from .singular import NODES
from .system import System

MOST_ROWS = 20_000                              # beyond it the series of all values costs more than stages do
LOOSE = 1e-5
FINEST = 1e-14                                  # about what doubles can hold
MANY, TRIAL, GAIN = 3000, 24, 8.0               # steps still to go that raise suspicion; steps of a trial; how much longer they must be
LARGEST_DENSE = 400                             # entries of a state for which a full Jacobian is worth its price


def settle(method: str, system: System, rtol: float, atol: np.ndarray) -> str:
    """What runs: the integrator asked for where it can, "auto:..." with the one that automatic choice begins with."""
    if method in ("auto", "taylor") and has_series(system, rtol, atol):
        return "auto:taylor" if method == "auto" else method
    if method == "exact" or method == "auto" and in_closed_form(system):
        return "exact"
    smooth = system.tape is not None and system.tape.smooth
    if system.pasts and system.kind == "python":
        raise ParameterError(f"{system.setup.rule.name}: a gradient in plain Python knows no delays; write functions that can be traced or compiled")
    if method == "taylor" and not smooth:
        raise ParameterError(f"{system.setup.rule.name}: method=\"taylor\" needs rates that are traced expressions without delay or "
                             "implicit parts; write method=\"dop853\"")
    if method != "auto":
        return method
    few = smooth and system.tape.rows <= MOST_ROWS                                 # type: ignore[union-attr]
    return "auto:" + ("taylor" if few else "tsit5" if rtol > LOOSE else "dop853")


def width_of(method: str, order: int) -> int:
    """How many coefficients a step of the run may have; a singular start has those of its collocation polynomial."""
    return max(NODES[-1] + 1, order + 1 if method.endswith("taylor") else 0)


def chooser(method: str, system: System, course: Course, p: int) -> Callable[[Path, int], Any]:
    """choose(path, code): the stepper to begin with, and to go on with after a stretch that ended with `code`."""
    if method.startswith("auto:") and system.start.shape[1] <= LARGEST_DENSE and not system.plain:
        return Automatic(method.partition(":")[2], system, course, p)
    name = method.rpartition(":")[2]
    only = None

    def choose(path: Path, code: int) -> Any:
        nonlocal only
        only = only or make(name, system, course, path, p, watch_stiffness=True)
        if code == STIFF:                                   # told once: it goes on, as asked
            path.message = f"stiff at t = {path.t:.6g}: {name} takes steps that its stability allows, not its accuracy; write method=\"radau\""
            only.rim = 0.0
        return only
    return choose


def make(name: str, system: System, course: Course, path: Path, p: int, *, watch_stiffness: bool = False) -> Any:
    """A stepper by its name."""
    if system.plain:
        return Scipy(name, system.rates, course)
    if name == "radau":
        return Radau(system.rates, course)
    if name == "taylor":
        made = kernel_for(system, course.rtol, course.atol, path.y)
        return Taylor(system.rates, course, path) if isinstance(made, Unsuited) else SeriesPath(system, made, course, p)
    if name == "dop853" and system.pasts:
        # The past is read between steps, where the error is larger than at their ends, unseen by the control, and fed back.
        course = replace(course, rtol=max(course.rtol/10, FINEST) if course.rtol else 0.0, atol=course.atol/10)
    return Pair(PAIRS[name], system.rates, course, watch_stiffness=watch_stiffness)


class Automatic:
    """An explicit integrator that lets Radau IIA try where many steps are still to go, and stays with whoever takes the longer ones."""

    def __init__(self, explicit: str, system: System, course: Course, p: int):
        self.explicit, self.system, self.course, self.p = explicit, system, course, p
        self.made: dict[str, Any] = {}
        self.now = explicit
        self.mark: tuple[int, float] = (0, 0.0)
        self.trial: tuple[float, float] | None = None                   # while Radau is tried: (time it began, mean step to beat)

    def _stepper(self, path: Path) -> Any:
        if self.now not in self.made:
            self.made[self.now] = make(self.now, self.system, self.course, path, self.p, watch_stiffness=True)
        return self.made[self.now]

    def __call__(self, path: Path, code: int) -> Any:
        count, t = self.mark
        done, self.mark = path.taken - count, (path.taken, path.t)
        if done == 0 and code == ALL_DONE:
            return self._stepper(path)
        mean = abs(path.t - t)/max(done, 1)
        if self.trial is not None:
            began, to_beat = self.trial
            self.trial = None
            if mean < GAIN*to_beat and path.t != began:
                self.now = self.explicit
        elif self.now == self.explicit and (code == STIFF or mean > 0 and abs(self.course.end - path.t)/mean > MANY):
            self.now, self.trial = "radau", (path.t, mean)
            self.made.pop("radau", None)
            self.course.room = TRIAL
            return self._stepper(path)
        self.course.room = None
        return self._stepper(path)
