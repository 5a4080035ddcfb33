"""Traced expressions as sympy expressions, and what the theory cannot say about them."""
from __future__ import annotations

import operator
from math import comb, prod
from typing import Any, Callable, Mapping

import sympy
from sympy import Expr, Rational

from ..core.errors import RuleError
from ..core.expr import Node, evaluate
from .symbols import symbol

MOST_TERMS = 20_000                                                      # of one expression, multiplied out
MOST_DIGITS = 60                                                         # of one number

class LinearizeError(RuleError):
    """A rule (or a part of it) has no linearization on one mode; the message says why and what applies instead."""


FUNCTIONS: dict[str, Callable] = {
    "sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log, "sin": sympy.sin, "cos": sympy.cos, "tanh": sympy.tanh,
    "abs": sympy.Abs, "sign": sympy.sign, "min": sympy.Min, "max": sympy.Max}
ARITHMETIC: dict[str, Callable] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "pow": operator.pow, "mod": operator.mod}
COMPARE: dict[str, Callable] = {"lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge, "eq": sympy.Eq, "ne": sympy.Ne}


def leaf_value(node: Node, values: Mapping[str, Any]) -> Any:
    """A parameter or a number as sympy sees it."""
    if node.op == "const":
        return _number(node.data.numerator, node.data.denominator)
    if node.op == "pi":
        return sympy.pi
    if node.op == "param":
        return values[node.data] if node.data in values else symbol(node.data)
    raise LinearizeError(f"`{node!r}` is {node.op}, expected numbers and parameters")


def _number(over: int, under: int) -> Rational:
    """A number of a rule, refused where sympy would factor integers of its size for hours."""
    digits = len(str(max(abs(over), under)))
    if digits > MOST_DIGITS:
        raise LinearizeError(f"a number has {digits} digits ({over/under:.6g}), at most {MOST_DIGITS} are handled; "
                             "give it a name of its own, or measure in other units")
    return Rational(over, under)


def operation(node: Node, args: list) -> Any:
    """One operation of the language on sympy expressions of parameters."""
    op = node.op
    if op in ARITHMETIC:
        return ARITHMETIC[op](*args)
    if op == "neg":
        return -args[0]
    if op in FUNCTIONS:
        return FUNCTIONS[op](*args)
    if op in COMPARE:
        return COMPARE[op](*args)
    if op == "where":
        return where(*args)
    if op in ("norm", "mean", "sum", "dot"):
        raise LinearizeError(f"{op} couples the coordinates, so there is no single mode of curvature lam")
    raise LinearizeError(f"{op} has no value on parameters alone")


def where(condition: Any, a: Any, b: Any) -> Any:
    if condition in (sympy.true, sympy.false):
        return a if condition == sympy.true else b
    return a if a == b else sympy.Piecewise((a, condition), (b, True))


def expression(node: Node, values: Mapping[str, Any] | None = None) -> Expr:
    """The sympy expression of a traced expression of parameters."""
    return evaluate([node], lambda n: leaf_value(n, values or {}), operation)[0]


def written_out(e: Expr) -> int:
    """An upper bound for the number of terms when all products and powers are multiplied out."""
    if e.is_Add:
        return sum(map(written_out, e.args))
    if e.is_Mul:
        return prod(map(written_out, e.args))
    if e.is_Pow and e.exp.is_Integer:
        inner, power = written_out(e.base), abs(int(e.exp))
        return comb(inner + power - 1, power) if inner > 1 else 1
    return max((written_out(a) for a in e.args), default=1)


def check_size(e: Expr) -> Expr:
    """The expression, refused where writing it out would take minutes and gigabytes."""
    terms = written_out(e)
    if terms > MOST_TERMS:
        shown = str(e)
        raise LinearizeError(f"`{shown if len(shown) < 60 else shown[:57] + '...'}` has up to {terms} terms when multiplied out, at most "
                             f"{MOST_TERMS} are handled; give the sum a name of its own, as in .subs, or numbers")
    return e
