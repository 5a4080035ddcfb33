"""The operations of the language on plain values: what a node means on floats, arrays and sympy expressions."""
from __future__ import annotations

import operator
from typing import Any, Callable

import numpy as np

from . import functions
from .errors import RuleError
from .expr import Node


def matmul(a: Any, x: Any) -> Any:
    """A @ x on the last axis of x, whatever leading axes it has."""
    return np.asarray(x) @ np.asarray(a).T


def total(x: Any) -> Any:
    return np.sum(x, axis=-1, keepdims=True)


PLAIN: dict[str, Callable] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "pow": operator.pow,
    "mod": operator.mod,
    "neg": operator.neg, "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq,
    "ne": operator.ne,
    "matmul": matmul, "sum": total, "min": functions.minimum, "max": functions.maximum,
    **{name: getattr(functions, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tanh", "abs", "sign", "where", "norm",
                                                   "dot", "mean")}}


def plain(node: Node, args: list) -> Any:
    """One operation on plain values; indices and unit vectors act on the last axis."""
    if node.op in PLAIN:
        return PLAIN[node.op](*args)
    if node.op == "item":
        return args[0][..., node.data:node.data + 1] if node.data != -1 else args[0][..., -1:]
    if node.op == "size":
        return np.shape(args[0])[-1]
    if node.op == "like":
        return np.broadcast_to(args[0], np.shape(args[1]))
    if node.op == "unit":
        value, like = args
        out = np.zeros(np.broadcast_shapes(np.shape(value), np.shape(like)))
        out[..., node.data] = np.asarray(value)[..., 0]
        return out
    raise RuleError(f"{node.op}: no plain value exists for this operation here; run the rule with iterate or solve")
