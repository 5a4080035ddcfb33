"""Polynomials on numbers: whole arrays of floats at once, or exact fractions."""
from __future__ import annotations

from fractions import Fraction
from functools import reduce as fold
from math import inf
from typing import Any, Mapping, Sequence

import numpy as np
from sympy import Expr, Rational, Symbol

from .atoms import Atom, terms
from .roots import Root, root_on

FUNCTIONS = {"exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tanh": np.tanh, "Abs": np.abs, "sign": np.sign,
             "Min": np.minimum, "Max": np.maximum}


class Grid(dict):
    """Exact points: numerators (arrays of Python integers) by symbol, over one common denominator `unit`."""

    def __init__(self, numerators: Mapping[Symbol, Any], unit: int):
        super().__init__(numerators)
        self.unit = unit


def polynomial(f: Expr, values: Mapping[Symbol, Any], degree: int = 0) -> Any:
    """The value of a polynomial; on a Grid times unit**d with d its degree, or the given one if that is larger."""
    unit = values.unit if isinstance(values, Grid) else 1
    rows = terms(f)
    top = max([degree, *(sum(e for _, e in powers) for powers, _ in rows)]) if unit != 1 else 0
    total: Any = 0
    known, exactly = _powers(rows, values), unit != 1 or _exact(values)
    for powers, c in rows:
        term: Any = (int(c.p) if c.q == 1 else as_fraction(c)) if exactly else _float(c)
        for s, e in powers:
            term = term*known[s][e]
        total = total + (term*unit**(top - sum(e for _, e in powers)) if unit != 1 else term)
    return total if exactly or not isinstance(total, Fraction) else float(total)


def _float(c: Expr) -> float:
    """A rational number as a float, infinite where it is too large for one."""
    try:
        return int(c.p)/int(c.q)
    except OverflowError:
        return inf if c > 0 else -inf


def _powers(rows: Sequence[tuple], values: Mapping[Symbol, Any]) -> dict[Symbol, list]:
    """x, x**2, ... for each symbol as far as they occur, by multiplication: on arrays ten times as fast as **."""
    top: dict[Symbol, int] = {}
    for powers, _ in rows:
        for s, e in powers:
            top[s] = max(top.get(s, 1), e)
    found = {}
    for s, e in top.items():
        row = [1, values[s]]
        for _ in range(e - 1):
            row.append(row[-1]*values[s])
        found[s] = row
    return found


def polynomials(fs: Sequence[Expr], values: Mapping[Symbol, Any]) -> list:
    """The values of several polynomials with one common positive factor."""
    top = max(sum(e for _, e in powers) for f in fs for powers, _ in terms(f))
    return [polynomial(f, values, top) for f in fs]


def _exact(values: Mapping[Symbol, Any]) -> bool:
    return all(isinstance(v, (int, Fraction)) for v in values.values())


def holds(atom: Atom, values: Mapping[Symbol, Any]) -> Any:
    """Whether the relation holds, entry by entry; never where a value is not a number."""
    product: Any = 1
    for f in atom.factors:
        product = product*polynomial(f, values)
    return {">": lambda: product > 0, ">=": lambda: product >= 0, "==": lambda: product == 0,
            "!=": lambda: (product != 0) & (product == product)}[atom.op]()


def formula_holds(formula: Any, values: Mapping[Symbol, Any]) -> Any:
    """The same for a formula of relations."""
    if isinstance(formula, Atom):
        return holds(formula, values)
    word, *parts = formula
    result: Any = word == "and"
    for part in parts:
        result = result & formula_holds(part, values) if word == "and" else result | formula_holds(part, values)
    return result


def expression(e: Expr, values: Mapping[Symbol, Any]) -> Any:
    """The value of a sympy expression of plain functions, by walking its tree."""
    if e.is_Symbol:
        return values[e]
    if isinstance(e, Root):
        return root_on(e, values)
    if e.is_Rational:
        return int(e.p) if e.q == 1 else Fraction(int(e.p), int(e.q)) if _exact(values) else e.p/e.q
    if e.is_number:
        return float(e)                                                  # oo too
    parts = [expression(a, values) for a in e.args]
    if e.is_Add:
        return sum(parts[1:], parts[0])
    if e.is_Mul:
        return _product(parts)
    if e.is_Pow:
        return _power(parts[0], e.exp, parts[1])
    function, first, *others = FUNCTIONS[type(e).__name__], *(np.asarray(p, dtype=float) for p in parts)
    return fold(function, others, first) if others else function(first)


def _product(parts: list) -> Any:
    total = parts[0]
    for p in parts[1:]:
        total = total*p
    return total


def _power(base: Any, exponent: Expr, value: Any) -> Any:
    if exponent.is_Integer:
        n = int(exponent)
        return base**n if n >= 0 else 1/base**-n
    base = np.asarray(base, dtype=float)
    return np.sqrt(base) if exponent == Rational(1, 2) else base**np.asarray(value, dtype=float)


def as_fraction(e: Expr) -> Fraction:
    """A sympy rational as a Python fraction."""
    return Fraction(int(e.p), int(e.q))
