"""What a parameter may be given as: a number, an expression, a schedule in k, one value per coordinate, a matrix."""
from __future__ import annotations

import numbers
from fractions import Fraction
from typing import Any

import numpy as np

from .errors import ParameterError, ParameterTypeError
from .exact import is_symbolic
from .expr import Node, as_node, evaluate
from .parse import parse


class PerCoordinate:
    """One value for each coordinate: stands on the last axis of the state."""

    def __init__(self, values: Any):
        self.values = np.array(values, dtype=float)
        if self.values.ndim != 1:
            raise ParameterError(f"per_coordinate: found shape {self.values.shape}, expected one value per coordinate, as in "
                                 f"per_coordinate([.5, .9])")
        self.values.flags.writeable = False

    def __repr__(self) -> str:
        return f"per_coordinate({self.values.tolist()!r:.60})"


class Schedule:
    """A parameter that changes with the counter k or the time t: schedule("k/(k + 3)")."""

    def __init__(self, text: str):
        self.node = parse(text, names=None)
        self.text = text

    def __repr__(self) -> str:
        return f'schedule("{self.text}")'


def per_coordinate(values: Any) -> PerCoordinate:
    """One value of a parameter for each coordinate, as in heavy_ball.subs(beta=per_coordinate([.5, .9]))."""
    return PerCoordinate(values)


def schedule(text: str) -> Schedule:
    """A parameter as an expression in the counter k (0 at the first step), the time t and other parameters."""
    return Schedule(text)


def as_parameter(value: Any, name: str, rule: str) -> Any:
    """The exact expression that a value means, or the value itself where it is an array."""
    if isinstance(value, Schedule):
        return value.node
    if isinstance(value, str):
        return parse(value)
    if isinstance(value, (PerCoordinate, Node)):
        return value
    if isinstance(value, (list, tuple, np.ndarray)):
        return np.array(value, dtype=float)
    if isinstance(value, (bool, np.bool_)):
        raise ParameterTypeError(f"{rule}: {name} = {value!r}, expected a number or text such as '2/(L + mu)'")
    if isinstance(value, numbers.Number) and not isinstance(value, complex):
        return as_node(value)
    if is_symbolic(value):
        return as_node(value) if getattr(value, "is_Rational", False) else parse(str(value))
    raise ParameterTypeError(f"{rule}: {name} is {type(value).__name__} {value!r:.40}, expected a number, text, schedule(...), "
                             f"per_coordinate(...) or a matrix")


def compute(value: Any, given: dict[str, Any], rule: str) -> Any:
    """The value of a bound parameter where other parameters are given, in whatever arithmetic they know."""
    if not isinstance(value, Node):
        return value.values if isinstance(value, PerCoordinate) else value
    from .arithmetic import plain

    def leaf_value(node: Node) -> Any:
        if node.op == "param":
            if node.data not in given:
                raise ParameterError(f"{rule}: called without {node.data}; write {node.data}=...")
            return given[node.data]
        return plain_constant(node, given)
    [found] = evaluate([value], leaf_value, plain)
    return found


def plain_constant(node: Node, given: dict[str, Any]) -> Any:
    """A constant in the arithmetic of what it meets: exact among nodes and sympy expressions, a float among numbers."""
    if any(isinstance(v, Node) for v in given.values()):
        return node
    if any(map(is_symbolic, given.values())):
        import sympy
        return sympy.pi if node.op == "pi" else sympy.Rational(node.data.numerator, node.data.denominator)
    if node.op == "pi":
        return np.pi
    return node.data.values if node.op == "array" else as_number(node.data)


def as_number(value: Fraction) -> float | int:
    """A whole number stays whole (k + 1 counts), anything else becomes the nearest double."""
    return int(value) if value.denominator == 1 else float(value)
