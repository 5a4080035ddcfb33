"""Exact literals: the fraction that somebody who typed a float meant."""
from __future__ import annotations

import math
from fractions import Fraction
from typing import Any


def is_symbolic(value: Any) -> bool:
    """Whether a value is a sympy expression; told by its bases, since a function like norm(x) makes a class without a module."""
    return any((base.__module__ or "").startswith("sympy.") for base in type(value).__mro__)


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction with the smallest denominator in [low, high], 0 < low <= high, by continued fractions."""
    terms = []
    while True:
        whole = low.numerator//low.denominator
        if whole == low or whole + 1 <= high:
            terms.append(whole if whole == low else whole + 1)
            break
        terms.append(whole)
        low, high = 1/(high - whole), 1/(low - whole)
    value = Fraction(terms.pop())
    while terms:
        value = terms.pop() + 1/value
    return value


def simplest_fraction(x: float) -> Fraction:
    """The simplest fraction that rounds to the double x: 2/3 for 0.6666666666666666, 1/10 for 0.1.

    >>> simplest_fraction(2/3), simplest_fraction(-0.1)
    (Fraction(2, 3), Fraction(-1, 10))
    """
    if not math.isfinite(x):
        raise ValueError(f"a literal must be finite, found {x!r}")
    exact = Fraction(x)
    if exact.denominator == 1:
        return exact
    size, half = abs(exact), Fraction(math.ulp(x))/2
    low = size - half if math.nextafter(abs(x), 0.0) > 0 and math.frexp(x)[0] not in (0.5, -0.5) else size - half/2
    found = simplest_between(max(low, Fraction(1, 10**400)), size + half)
    found = found if float(found) == abs(x) else size                    # a tie at the rim that rounds to the neighbour
    return found if x > 0 else -found
