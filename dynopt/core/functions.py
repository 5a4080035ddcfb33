"""The functions of the traced language: the same name works on traced values, floats, arrays and sympy expressions."""
from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np

from .exact import is_symbolic
from .expr import Node, as_node

SYMPY = {"abs": "Abs", "min": "Min", "max": "Max"}


class Scalar:
    """Annotation of a state that is one number, whatever the dimension of the problem: `theta: Scalar = 1`."""


def _symbolic(values: tuple) -> bool:
    return any(map(is_symbolic, values))


def _numeric(name: str) -> Callable:
    table: dict[str, Callable] = {"min": np.minimum, "max": np.maximum}
    return table.get(name) or getattr(np, name)


def _function(op: str, doc: str) -> Callable:
    def function(*values: Any) -> Any:
        if any(isinstance(v, Node) for v in values):
            return Node(op, *map(as_node, values))
        if _symbolic(values):
            import sympy
            return getattr(sympy, SYMPY.get(op, op))(*values)
        return _numeric(op)(*values)
    function.__name__ = function.__qualname__ = {"min": "minimum", "max": "maximum"}.get(op, op)
    function.__doc__ = doc
    return function


sqrt = _function("sqrt", "Square root, entry by entry.")
exp = _function("exp", "Exponential, entry by entry.")
log = _function("log", "Natural logarithm, entry by entry.")
sin = _function("sin", "Sine, entry by entry.")
cos = _function("cos", "Cosine, entry by entry.")
tanh = _function("tanh", "Hyperbolic tangent, entry by entry.")
abs = _function("abs", "Absolute value, entry by entry.")
sign = _function("sign", "Sign (-1, 0 or 1), entry by entry.")
minimum = _function("min", "The smaller of two values, entry by entry.")
maximum = _function("max", "The larger of two values, entry by entry.")
pi = math.pi


def where(condition: Any, a: Any, b: Any) -> Any:
    """a where the condition holds, else b; both branches are evaluated."""
    values = (condition, a, b)
    if any(isinstance(v, Node) for v in values):
        return Node("where", *map(as_node, values))
    if _symbolic(values):
        import sympy
        return sympy.Piecewise((a, condition), (b, True))
    if isinstance(condition, (bool, np.bool_)):
        return a if condition else b
    return np.where(condition, a, b)


def clip(x: Any, low: Any, high: Any) -> Any:
    """x held within [low, high], entry by entry."""
    return minimum(maximum(x, low), high)


def _reduction(op: str, numeric: Callable, doc: str) -> Callable:
    def function(*values: Any) -> Any:
        if any(isinstance(v, Node) for v in values):
            return Node(op, *map(as_node, values))
        if _symbolic(values):
            import sympy
            return sympy.Function(op)(*values)                  # couples the entries: on one mode it stays unevaluated
        return numeric(*map(np.asarray, values))
    function.__name__ = function.__qualname__ = op
    function.__doc__ = doc
    return function


def _last(values: np.ndarray, reduce: Callable) -> Any:
    return reduce(values, axis=-1, keepdims=True) if values.ndim else values


norm = _reduction("norm", lambda x: np.sqrt(_last(x*x, np.sum)), "Euclidean norm over the entries (last axis, kept as length 1).")
dot = _reduction("dot", lambda x, y: _last(x*y, np.sum), "Inner product over the entries (last axis, kept as length 1).")
mean = _reduction("mean", lambda x: _last(x, np.mean), "Mean over the entries (last axis, kept as length 1).")
