"""The numbers behind a region: which values of one parameter it allows when the others are given."""
from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from sympy import Expr, Mul, Poly, PolynomialError, Rational, Symbol

from ..core.errors import ParameterError
from .region import Region
from .symbols import symbol


def intervals(region: Region, name: str, **values: Any) -> tuple[tuple[float, float], ...]:
    """The open intervals of one parameter that lie in a region at given values of the others, in rising order.

    The relations become polynomials in one variable; between neighbouring real roots nothing changes, so one point of each
    gap decides.

    `region` : a Region; `name` : the parameter; `values` : a number for every other symbol of the region.
    Returns (lower, upper) pairs, which may be infinite; no pair where the region is empty there.
    Raises ParameterError where a value is missing or a relation is no polynomial in the parameter.

    >>> from dynopt import heavy_ball, stability
    >>> intervals(stability(heavy_ball), "eta", beta=.9, lam=2.)
    ((0.0, 1.9),)
    """
    x = symbol(name)
    held = {symbol(n): Rational(*Fraction(float(v)).as_integer_ratio()) for n, v in values.items()}
    points = {0.0} if x.is_positive else set()
    for conjunction in region.conditions:
        for relation in conjunction:
            for factor in Mul.make_args(getattr(relation, "lhs", relation)):
                points |= _roots(factor, x, held, name)
    ends = [-math.inf, *sorted(points), math.inf]
    found: list[tuple[float, float]] = []
    for low, high in zip(ends, ends[1:]):
        if region.contains(**{**values, name: _between(low, high)}):
            found.append((low, high))
    return tuple(found)


def largest(region: Region, name: str, **values: Any) -> float:
    """The largest value of one parameter up to which a region holds at given values of the others (nan where it is empty).

    >>> from dynopt import nesterov, stability
    >>> largest(stability(nesterov), "eta", beta=.5, lam=3.)
    0.5
    """
    found = intervals(region, name, **values)
    return found[-1][1] if found else math.nan


def _roots(factor: Expr, x: Symbol, held: dict[Symbol, Rational], name: str) -> set[float]:
    """The real roots of one factor with the other symbols given."""
    found = factor.subs(held)
    missing = sorted(str(s) for s in found.free_symbols - {x})
    if missing:
        raise ParameterError(f"interval of {name}: found no value for {', '.join(missing)}, expected one for each symbol; "
                             f"add {', '.join(f'{m}=...' for m in missing)}")
    if x not in found.free_symbols:
        return set()
    try:
        return {float(r) for r in Poly(found, x).real_roots()}
    except PolynomialError:
        raise ParameterError(f"interval of {name}: {factor} is no polynomial in {name}, expected one; "
                             f"use .contains on a grid of {name}") from None


def _between(low: float, high: float) -> float:
    if math.isinf(low) or math.isinf(high):
        return 0.0 if low == -high else high - 1 - abs(high) if math.isinf(low) else low + 1 + abs(low)
    return (low + high)/2
