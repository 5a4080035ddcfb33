"""The short way through `solve`: all that a kind of call needs besides its numbers is kept, and only the numbers are looked at again.

It takes one path of a traced flow by its own series, where everything given is plainly in order. Whatever is not, and a path that does
not come to its end, it leaves alone: the long way then says what is wrong, or finds another integrator. Both give the same bits.
"""
from __future__ import annotations

from functools import partial
from typing import Any, Sequence

import numpy as np

from ..core.rule import Flow
from ..core.trajectory import Trajectory
from ..emit.entries import Unsuited
from . import machine
from .breaks import switches
from .plan_path import Path
from .series import KINDS, kernel_for, kernel_of, number_of
from .setup import POSITIVE, prepare
from .system import System

NUMBERS = frozenset((float, int, np.float64))       # types that are numbers and nothing else: a bool is none
KEPT = 256
WORD = 2**63                                        # whole numbers beyond it are no numbers to numpy
MISSING: Any = object()
Entries = dict[str, Sequence[float]]
_plans: dict[tuple, "Plan | None"] = {}             # the keys hold the flow and the problem, so that no other takes their place


def solve_shortly(flow: Any, problem: Any, x0: Any, until: Any, t0: Any, method: Any, rtol: Any, atol: Any, dense: Any,
                  params: dict[str, Any]) -> Trajectory | None:
    """The trajectory, or None where the long way has to be taken."""
    if not (type(flow) is Flow and type(method) is str and method in ("auto", "taylor") and number(rtol) and 1e-14 <= rtol < 1
            and number(atol) and atol >= 0 and number(t0) and number(until) and t0 != until):
        return None
    for name, value in params.items():
        if not number(value) or value <= 0 and name in POSITIVE:
            return None
    entries = entries_of(flow, x0)
    plan = None if entries is None else plan_for(flow, problem, entries, params)
    if plan is None:
        return None
    return plan.run(plan.start(entries, params), params, float(t0), float(until), float(rtol), float(atol), bool(dense),             # type: ignore
                    method == "taylor")


def number(value: Any) -> bool:
    """Whether a value is a finite number of a plain type."""
    return type(value) in NUMBERS and -1e300 < value < 1e300 and (type(value) is not int or abs(value) < WORD)


def entries_of(flow: Flow, x0: Any) -> Entries | None:
    """The states that x0 names as lists of numbers; None where they are anything else."""
    found, scalars = {}, flow.signature.scalars
    for name, value in x0.items() if type(x0) is dict else ((flow.state[0], x0),):
        kind = type(value)
        if kind is np.ndarray and value.ndim == 1 and value.dtype.char in "dlf":
            value = value.tolist()
        elif kind in NUMBERS:
            value = (value,)
        elif kind is not list and kind is not tuple:
            return None
        kinds = set(map(type, value))
        if not value or not kinds <= NUMBERS or int in kinds and not all(map(number, value)):
            return None
        if not -1e300 < sum(value) < 1e300 or name in scalars and kind not in NUMBERS:
            return None                                 # a sum is a number only where all entries are
        found[name] = value
    return found


def plainly(flow: Flow, entries: Entries) -> dict[str, Any]:
    """Entries as x0 gives them: a state that is a number is no list."""
    return {name: value[0] if name in flow.scalars else value for name, value in entries.items()}


def plan_for(flow: Flow, problem: Any, entries: Entries, params: dict[str, Any]) -> "Plan | None":
    """The plan of a kind of call, made at the first one."""
    key = (flow, problem, *params, None, *entries, *map(len, entries.values()))
    try:
        plan = _plans.get(key, MISSING)
    except TypeError:                                   # a problem that is no key
        return None
    if plan is MISSING or plan is not None and not plan.holds():
        if len(_plans) > KEPT:
            _plans.clear()
        try:
            _plans[key] = plan = made(flow, problem, plainly(flow, entries), params)
        except Exception:                               # what is wrong, the long way says; the next call of this kind may be in order
            return None
    return plan


def made(flow: Flow, problem: Any, x0: dict[str, Any], params: dict[str, Any]) -> "Plan | None":
    """A plan where the flow is traced, has no past, no chance and no break; raises where the call is wrong."""
    program, fields = flow.program, getattr(problem, "fields", {})
    traced = all(name in fields and fields[name].node is not None for name in program.oracles)
    if not traced or any(n in flow.signature.counts for n in params) or any(n.op in ("past", "implicit") for n in program.everything) \
            or switches(program):
        return None
    setup = prepare(flow, problem, x0, params)
    system = System(setup, problem)
    plain = setup.rule is flow and not (setup.lead or setup.vectors or setup.matrices)
    return Plan(system) if plain and not isinstance(kernel_for(system, 1e-6, np.ones(1), np.ones(1)), Unsuited) else None


class Plan:
    """A system that paths are taken from, with kernels by tolerance, and how many steps the last path took."""

    def __init__(self, system: System):
        self.system, self.rule, self.problem = system, system.setup.rule, system.problem
        self.known = {name: value.item() for name, value in system.numbers.items()}
        self.places = [(s, int(a), int(b)) for s, a, b in zip(self.rule.state, system.edges, system.edges[1:])]
        self.size, self.rows = int(system.edges[-1]), 64
        self.kernels: dict[tuple[float, bool], tuple | None] = {}

    def holds(self) -> bool:
        """Whether the oracles are still those that the plan was made with."""
        for name, field in self.system.fields.items():
            if self.problem.fields.get(name) is not field:
                return False
        return True

    def start(self, entries: Entries, params: dict[str, Any]) -> list[float]:
        """All entries of the state, in order; what is not named starts at rest."""
        if len(entries) < len(self.places):
            found = prepare(self.rule, self.problem, plainly(self.rule, entries), params).states
            entries = {s: v[0].tolist() for s, v in found.items()}
        y: list[float] = []
        for s, _, _ in self.places:
            y += entries[s]
        return y

    def kernel(self, rtol: float, record: bool) -> tuple | None:
        """(function, order, numbers as values or names) for a tolerance, with or without a record of coefficients."""
        kernel = self.kernels.get((rtol, record), MISSING)
        if kernel is MISSING:
            found = kernel_for(self.system, rtol, np.ones(1), np.ones(1), partial(kernel_of, record=record))
            kernel = None if isinstance(found, Unsuited) else (
                machine.function(found[0].text, "path", *KINDS), found[0].order,
                [name if kind == "number" and name in self.known else number_of(self.system, found[1], 0, kind, name, i)
                 for kind, name, i in found[0].numbers])
            if len(self.kernels) > KEPT:
                self.kernels.clear()
            self.kernels[rtol, record] = kernel
        return kernel

    def run(self, y: list[float], params: dict[str, Any], t0: float, end: float, rtol: float, atol: float, dense: bool,
            patient: bool) -> Trajectory | None:
        """A path from y at t0 to `end`; None where it does not come there. Impatient: nor where very many steps are still to go."""
        kernel = self.kernel(rtol, dense)
        if kernel is None or len(y) != self.size:
            return None
        values = {**self.known, **params}
        path = Path(self, kernel, y, values, t0, atol, dense)
        message = ""
        try:
            if not path.advance(end, rtol, patient):
                return None
        except KeyboardInterrupt:
            message = f"interrupted at t = {path.t:.6g}"
        run, rows = path.pieces()
        self.rows = len(rows) + len(rows)//8 + 16
        return Trajectory({s: rows[:, a:b].copy() for s, a, b in self.places}, t=run.t.copy(), status="interrupted" if message else "success",
                          message=message, rule=self.rule, problem=self.problem, params={n: np.array(float(v)) for n, v in values.items()},
                          dense=(lambda t: self.system.split(run(t))) if dense else None, lengths=len(rows))
