"""What a run is given, checked and brought into shape: parameters, start, seed."""
from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.expr import Node
from ..core.rule import Rule, unknown_name
from ..core.values import PerCoordinate, Schedule
from .checks import check_dimension, check_lengths, check_problem

POSITIVE = ("eta", "h")                                     # steps: a run needs them above zero, theory takes any real


@dataclass
class Setup:
    """A rule with every parameter known: `numbers` by path or for all, `vectors` by coordinate, `matrices`; `states` (P, d)."""

    rule: Rule
    numbers: dict[str, np.ndarray]                          # shape lead, or ()
    vectors: dict[str, np.ndarray]
    matrices: dict[str, np.ndarray]
    lead: tuple[int, ...]                                   # shape of the ensemble
    states: dict[str, np.ndarray]                           # (paths, d) or (paths, 1) for a Scalar

    @property
    def paths(self) -> int:
        return math.prod(self.lead)

    def number(self, name: str) -> np.ndarray:
        """A parameter as one value for each path, or one for all."""
        value = self.numbers[name]
        return np.ascontiguousarray(np.broadcast_to(value, self.lead).reshape(-1)) if value.ndim else value.reshape(1)


def matrix_names(program: Any) -> set[str]:
    """Parameters that stand on the left of @."""
    return {n.args[0].data for n in program.everything if n.op == "matmul" and n.args[0].op == "param"}


def one_number(value: Any, name: str, rule: str) -> float:
    """A finite double, or a clear refusal."""
    if isinstance(value, (bool, np.bool_, str, bytes)) or value is None:
        raise ParameterTypeError(f"{rule}: {name} = {value!r:.40} is {type(value).__name__}, expected a number; write {name}=0.1"
                                 + (f", or {name}=schedule({value!r})" if isinstance(value, str) else ""))
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        raise ParameterTypeError(f"{rule}: {name} = {value!r:.40} is complex, expected a real number; write {name}=0.1")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ParameterTypeError(f"{rule}: {name} is {type(value).__name__} {value!r:.40}, expected a number; "
                                 f"write {name}=0.1") from None
    if not math.isfinite(number):
        raise ParameterError(f"{rule}: {name} = {number}, expected a finite number; write {name}=0.1")
    if name in POSITIVE and number <= 0:
        raise ParameterError(f"{rule}: {name} = {number}, expected {name} > 0 to run (the theory takes any real {name}); write "
                             f"{name}={abs(number) or 0.1}")
    return number


def array_of(value: Any, name: str, rule: str) -> np.ndarray:
    """A finite array of doubles (integers and booleans are not mixed in by accident: only numbers are taken)."""
    try:
        found = np.asarray(value)
    except ValueError:
        raise ParameterError(f"{rule}: {name} has rows of different lengths, expected a rectangular array; "
                             f"write {name}=[[1.0, 2.0], [3.0, 4.0]]") from None
    if found.dtype.kind not in "iuf":
        raise ParameterTypeError(f"{rule}: {name} has dtype {found.dtype}, expected real numbers; write {name}=[1.0, 2.0]")
    found = np.array(found, dtype=float)
    if not np.isfinite(found).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(found))[0])
        raise ParameterError(f"{rule}: {name} has {found[at]} at index {at if len(at) != 1 else at[0]}, expected finite numbers "
                             f"only")
    return found


def split_parameters(rule: Rule, given: dict[str, Any]) -> tuple[Rule, dict, dict, dict]:
    """The rule with counts, schedules and text bound, and its parameters as numbers, vectors and matrices."""
    asked = (*rule.params, *rule.signature.counts)
    for name in given:
        if name not in asked:
            raise ParameterError(unknown_name(rule.name, name, asked))
    bind = {n: v for n, v in given.items() if n in rule.signature.counts or isinstance(v, (Schedule, Node))}
    rule = rule.subs(**bind) if bind else rule
    values = {n: v for n, v in rule.defaults.items() if n in rule.params} | {n: v for n, v in given.items() if n not in bind}
    values |= {n: v for n, v in rule.bound.items() if not isinstance(v, Node)}
    missing = [p for p in rule.params if p not in values]
    if missing:
        raise ParameterError(f"{rule.name}: run without a value for {', '.join(missing)}; add "
                             f"{', '.join(f'{m}=...' for m in missing)}")
    wanted = matrix_names(rule.program)
    plain: dict[str, np.ndarray] = {}
    vectors: dict[str, np.ndarray] = {}
    matrices: dict[str, np.ndarray] = {}
    for name, value in values.items():
        if name in wanted:
            matrices[name] = _matrix(value, name, rule.name)
        elif isinstance(value, PerCoordinate):
            vectors[name] = array_of(value.values, name, rule.name)
            if name in POSITIVE and (vectors[name] <= 0).any():
                raise ParameterError(f"{rule.name}: {name} = {value!r}, expected {name} > 0 in every coordinate")
        elif isinstance(value, (list, tuple, np.ndarray)) and np.ndim(value):
            plain[name] = array_of(value, name, rule.name)
            if name in POSITIVE and (plain[name] <= 0).any():
                raise ParameterError(f"{rule.name}: {name} has values <= 0, expected {name} > 0 on every path")
        else:
            plain[name] = np.array(one_number(value, name, rule.name))
    return rule, plain, vectors, matrices


def _matrix(value: Any, name: str, rule: str) -> np.ndarray:
    found = array_of(value, name, rule)
    if found.ndim != 2:
        raise ParameterError(f"{rule}: {name} stands before @ and has shape {found.shape}, expected a matrix; write {name}=[[1, "
                             f"0], [0, 1]]")
    return np.ascontiguousarray(found)


def start_states(rule: Rule, x0: Any) -> dict[str, np.ndarray]:
    """The states that x0 names, as arrays (..., d); a bare value is the first state."""
    given = dict(x0) if isinstance(x0, dict) else {rule.state[0]: x0}
    unknown = [n for n in given if n not in rule.state]
    if unknown:
        raise ParameterError(f"{rule.name}: x0 names the state {unknown[0]!r}, expected one of {', '.join(rule.state)}")
    states = {}
    for name, value in given.items():
        if value is None:
            raise ParameterTypeError(f"{rule.name}: x0 is None, expected a start such as x0=[1.0, 1.0]")
        found = array_of(value, f"x0[{name!r}]" if isinstance(x0, dict) else "x0", rule.name)
        if name in rule.scalars:
            states[name] = found[..., None]
        else:
            states[name] = found.reshape(1) if found.ndim == 0 else found
        if states[name].size == 0:
            raise ParameterError(f"{rule.name}: x0 has shape {found.shape}, expected at least one coordinate; write x0=[1.0]")
    return states


def check_seed(seed: Any) -> int:
    """A seed between 0 and 2**64 - 1; None means 0, so that a run repeats itself."""
    if seed is None:
        return 0
    if isinstance(seed, (bool, np.bool_)) or not isinstance(seed, (int, np.integer)):
        raise ParameterTypeError(f"seed = {seed!r:.40} is {type(seed).__name__}, expected a whole number; write seed=0")
    if not 0 <= seed < 2**64:
        raise ParameterError(f"seed = {seed}, expected 0 <= seed < 2**64; write seed=0")
    return int(seed)


def prepare(rule: Rule, problem: Any, x0: Any, given: dict[str, Any]) -> Setup:
    """Everything a run needs, checked; states that x0 does not name start at their default or at rest."""
    from .rest import rest_states
    check_problem(rule, problem)
    rule, plain, vectors, matrices = split_parameters(rule, given)
    states = start_states(rule, x0)
    _lead(rule, [v.shape[:-1] for v in states.values()], {n: v.shape for n, v in plain.items()})
    first = rule.leading
    for name, value in rule.defaults.items():
        if name in rule.state and name not in states:
            states[name] = states[value] if value in states else _default(value, name, rule, states.get(first))
    if first in states:
        check_dimension(rule, problem, states, vectors)
    states |= rest_states(rule, states, plain, vectors, matrices)
    check_dimension(rule, problem, states, vectors)
    check_lengths(rule, states, vectors, matrices)
    lead = _lead(rule, [v.shape[:-1] for v in states.values()], {n: v.shape for n, v in plain.items()})
    flat = {n: np.ascontiguousarray(np.broadcast_to(states[n], (*lead, states[n].shape[-1]))).reshape(-1,
                                                                                                      states[n].shape[-1]).copy()
            for n in rule.state}
    return Setup(rule, plain, vectors, matrices, lead, flat)


def _default(value: Any, name: str, rule: Rule, like: np.ndarray | None) -> np.ndarray:
    """The start of a state that x0 does not name: a number (a block may also write the name of a state instead)."""
    if name in rule.scalars:
        return np.array([float(value)])
    return np.full_like(like, float(value)) if like is not None else np.array([float(value)])


def _lead(rule: Rule, shapes: list[tuple], params: dict[str, tuple]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*shapes, *params.values())
    except ValueError:
        told = ", ".join(f"{n} {s}" for n, s in params.items() if s)
        raise ParameterError(f"{rule.name}: the leading axes of x0 {shapes[0]} and the parameters {told or '()'} do not "
                             "broadcast; give arrays whose leading axes agree, or per_coordinate([...])") from None
