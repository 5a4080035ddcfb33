"""Sizes of roots, in formulas and in floats: the modulus of the largest (methods), the real part of the rightmost (flows).

A factor is a polynomial in z**step with real coefficients, leading first. In floats, degrees one and two use the formulas, beyond
them bisection on a test that counts nothing but signs (Schur-Cohn, Routh): no companion matrix, whole arrays at once.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np
from sympy import Abs, Expr, Function, Integer, Matrix, Poly, Rational, Symbol, acos, cancel, sqrt

from .lift import integral_charpoly, symmetric_square, symmetric_sum

HALVINGS, ROUNDING = 90, 1e-15


class LargestRealRoot(Function):
    """LargestRealRoot(p, s): the largest real root of the polynomial p in s, where no formula in radicals is worth reading."""

    nargs = 2

    def _eval_is_real(self) -> bool:
        return True


@dataclass(frozen=True)
class Piece:
    """A formula and where it holds: where `when` is negative ("complex"), not negative ("real"), or everywhere (None).

    `kind` is "real", "complex" or "root"; `angle` is the turn per step (per unit of time) of a complex pair.
    """

    value: Expr
    when: Expr | None
    kind: str
    angle: Expr | None = None


@dataclass(frozen=True)
class Factor:
    """An irreducible factor of a characteristic polynomial, read in z**step."""

    coefficients: tuple[Expr, ...]
    step: int = 1

    @property
    def degree(self) -> int:
        return len(self.coefficients) - 1

    def subs(self, table: dict) -> "Factor":
        return Factor(tuple(c.subs(table, simultaneous=True) for c in self.coefficients), self.step)

    def pieces(self, flow: bool) -> tuple[Piece, ...]:
        """Formulas for the largest modulus (flows: the largest real part) of a root."""
        c = self.coefficients
        if self.degree == 1:
            value = cancel(-c[1]/c[0])
            return (Piece(value if flow else Abs(value)**_root(self.step), None, "real"),)
        if self.degree == 2:
            return self._quadratic(flow)
        s = Symbol("s", real=True)
        p = self.sizes(s, flow)
        value = LargestRealRoot(p.as_expr(), s)
        return (Piece(value/2 if flow else value**(_root(self.step)/2), None, "root"),)

    def _quadratic(self, flow: bool) -> tuple[Piece, ...]:
        a, b, c = self.coefficients
        b, c = cancel(b/a), cancel(c/a)
        d = b**2 - 4*c
        power = _root(self.step)
        if flow:
            return (Piece(-b/2, d, "complex", sqrt(-d)/2), Piece((-b + sqrt(d))/2, d, "real"))
        return (Piece(sqrt(c)**power, d, "complex", acos(-b/(2*sqrt(c)))*power), Piece(((Abs(b) + sqrt(d))/2)**power, d, "real"))

    def sizes(self, s: Symbol, flow: bool) -> Poly:
        """Polynomial in s whose largest real root is the squared modulus (flows: twice the real part) of the largest root.

        Its roots are the products (sums) of two roots of the factor: the characteristic polynomial of the symmetric square of a
        companion matrix, which is made integral by reading the factor in lead*z.
        """
        lead, n = self.coefficients[0], self.degree
        monic = [c*lead**(i - 1) if i else Integer(1) for i, c in enumerate(self.coefficients)]
        companion = Matrix(n, n, lambda i, j: -monic[j + 1] if i == 0 else Integer(i == j + 1))
        lifted = (symmetric_sum if flow else symmetric_square)(companion)
        found, m = integral_charpoly(lifted), lifted.rows
        scale = lead if flow else lead**2
        return Poly({(m - i,): cancel(c*scale**(m - i)) for i, c in enumerate(found)}, s).primitive()[1]

    def size(self, values: Sequence[Any], flow: bool) -> Any:
        """The same in floats, from the values of the coefficients."""
        c = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in values))
        found = abscissa(c) if flow else radius(c)**(1/self.step)
        return found if np.ndim(found) else float(found)


def _root(step: int) -> Expr:
    return Rational(1, step)


def radius(c: Sequence[np.ndarray]) -> np.ndarray:
    """Largest modulus of a root, entry by entry; nan where the leading coefficient is zero."""
    with np.errstate(all="ignore"):
        return _radius(c)


def _radius(c: Sequence[np.ndarray]) -> np.ndarray:
    a = [x/c[0] for x in c]
    if len(c) == 2:
        return np.abs(a[1])
    if len(c) == 3:
        d = _discriminant(a)
        return np.where(d < 0, np.sqrt(np.maximum(a[2], 0)), (np.abs(a[1]) + np.sqrt(np.maximum(d, 0)))/2)
    high = 2*np.max([np.abs(x)**(1/k) for k, x in enumerate(a) if k], axis=0)
    return _bisect(np.zeros_like(high), high, lambda r: _inside(a, r))


def abscissa(c: Sequence[np.ndarray]) -> np.ndarray:
    """Largest real part of a root, entry by entry; nan where the leading coefficient is zero."""
    with np.errstate(all="ignore"):
        return _abscissa(c)


def _abscissa(c: Sequence[np.ndarray]) -> np.ndarray:
    a = [x/c[0] for x in c]
    if len(c) == 2:
        return -a[1]
    if len(c) == 3:
        d = _discriminant(a)
        return (-a[1] + np.sqrt(np.maximum(d, 0)))/2
    high = 2*np.max([np.abs(x)**(1/k) for k, x in enumerate(a) if k], axis=0)
    return _bisect(-high, high, lambda s: _left(a, s))


def _discriminant(a: Sequence[np.ndarray]) -> np.ndarray:
    """a_1**2 - 4 a_2, zero where it is nothing but rounding: at critical damping its root would be an error of 1e-8."""
    square, four = a[1]**2, 4*a[2]
    d = square - four
    return np.where(np.abs(d) <= ROUNDING*np.maximum(square, np.abs(four)), 0.0, d)


def _bisect(low: np.ndarray, high: np.ndarray, test: Any) -> np.ndarray:
    """The smallest value at which the test holds, to the last bits; nan stays nan."""
    for _ in range(HALVINGS):
        middle = (low + high)/2
        holds = test(middle)
        low, high = np.where(holds, low, middle), np.where(holds, middle, high)
        if np.all((high - low <= 1e-16*np.abs(high)) | ~np.isfinite(high)):
            break
    return np.where(np.isfinite(low + high), (low + high)/2, np.nan)


def _inside(a: Sequence[np.ndarray], r: np.ndarray) -> np.ndarray:
    """Are all roots smaller than r? Schur 1917: every reflection coefficient is below one in size."""
    row = [x/r**k for k, x in enumerate(a)]
    good = np.ones(np.shape(r), dtype=bool)
    while len(row) > 1:
        k = row[-1]/row[0]
        good &= np.abs(k) < 1
        row = [x - k*y for x, y in zip(row[:-1], row[:0:-1])]
    return good


def _left(a: Sequence[np.ndarray], s: np.ndarray) -> np.ndarray:
    """Are all roots left of s? Routh 1877: the first column of the array of p(z + s) is positive."""
    row = list(a)
    for i in range(1, len(row)):
        for j in range(1, len(row) - i + 1):
            row[j] = row[j] + s*row[j - 1]
    upper, lower = row[0::2], row[1::2]
    good = np.ones(np.shape(s), dtype=bool)
    while lower:
        good &= lower[0] > 0
        ratio = upper[0]/lower[0]
        following = [u - ratio*(lower[i + 1] if i + 1 < len(lower) else 0) for i, u in enumerate(upper[1:])]
        upper, lower = lower, following
    return good
