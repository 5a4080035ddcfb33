"""Choices by chance: where(uniform() < p, a, b) is b + (a - b)*(p + zeta), zeta of mean zero and variance p*(1 - p).

zeta takes two values, so that zeta**2 = p*(1 - p) + (1 - 2*p)*zeta exactly: a choice may enter a step more than once.
"""
from __future__ import annotations

from typing import Any, Mapping

from sympy import Expr, Integer, Poly, PolynomialError, Rational, Symbol, cancel, factorial2
from sympy.core.relational import GreaterThan, LessThan, StrictGreaterThan, StrictLessThan

from ..core.signature import CLOCKS
from .algebra import LinearizeError
from .symbols import symbol

BELOW, ABOVE = (StrictLessThan, LessThan), (StrictGreaterThan, GreaterThan)


def chance(relation: Any, uniforms: Mapping[Symbol, Any]) -> tuple[Symbol, Expr] | None:
    """The uniform draw that decides a relation and the probability that it holds; None where no single one decides it.

    A draw is 1/2 + xi with xi in [-1/2, 1/2); the relation has to be affine in xi with a number as slope.
    """
    if not isinstance(relation, (*BELOW, *ABOVE)):
        return None
    difference = relation.lhs - relation.rhs
    used = [s for s in difference.free_symbols if s in uniforms]
    if len(used) != 1:
        return None
    try:
        slope, rest = Poly(difference, used[0]).all_coeffs()
    except (PolynomialError, ValueError):
        return None
    if not slope.is_Rational:
        return None
    below = isinstance(relation, BELOW) == (slope > 0)
    p = Rational(1, 2) - cancel(rest/slope)
    return used[0], cancel(p if below else 1 - p)


def squared_away(terms: list[tuple[tuple[int, ...], Expr]], chances: list[Expr | None]) -> list[tuple[tuple[int, ...], Expr]]:
    """Terms (powers, coefficient) in draws, the powers of choices taken down to 0 and 1; others are left as they are."""
    total: dict[tuple[int, ...], Expr] = {}
    for powers, c in terms:
        for reduced, factor in _expanded(powers, chances):
            total[reduced] = total.get(reduced, Integer(0)) + c*factor
    return list(total.items())


def _expanded(powers: tuple[int, ...], chances: list[Expr | None]) -> list[tuple[tuple[int, ...], Expr]]:
    found: list[tuple[tuple[int, ...], Expr]] = [((), Integer(1))]
    for power, p in zip(powers, chances):
        parts = [(power, Integer(1))] if p is None or power < 2 else list(enumerate(_power(power, p)))
        found = [((*done, k), c*factor) for done, c in found for k, factor in parts]
    return found


def _power(power: int, p: Expr) -> tuple[Expr, Expr]:
    """(a, b) with zeta**power = a + b*zeta."""
    a, b = Integer(0), Integer(1)
    for _ in range(power - 1):
        a, b = (b*p*(1 - p)).expand(), (a + b*(1 - 2*p)).expand()
    return a, b


def bounds_of(p: Expr) -> list[Expr]:
    """What must not be negative for p to be a probability."""
    if p.has(*map(symbol, CLOCKS)):
        raise LinearizeError(f"the probability {p} of a branch changes with time, and only a constant one is decided; "
                             "give it a name of its own")
    if p.is_number and not 0 <= p <= 1:
        raise LinearizeError(f"uniform() is compared with a value that it is always on one side of (probability {p}); "
                             "write the branch that is taken without where(...)")
    return [] if p.is_number else [p, 1 - p]


def moment(power: int, *, uniform: bool) -> Expr:
    """E xi**power of a normal draw, or of a uniform one measured from 1/2."""
    if power % 2:
        return Integer(0)
    return Rational(1, (power + 1)*2**power) if uniform else factorial2(power - 1)
