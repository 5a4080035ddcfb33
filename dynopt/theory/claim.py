"""What a region is said to describe, so that it can be tested and proved without looking at how it was derived."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Mapping

import numpy as np
from sympy import Expr, Integer, Symbol

from .atoms import Atom, Formula, make, terms
from .numbers import holds, polynomials
from .schur import Coefficients, disk_conditions, enough, half_plane_conditions, moebius

SURE = 1e-9                                                              # relative distance from a tie that counts as sure
LONG = 24                                                                # terms
Obligation = tuple[str, tuple[Formula, ...]]


@dataclass(frozen=True)
class Stable:
    """All roots of all polynomials lie in the open unit disk (`disk`) or the open left half plane (`half_plane`)."""

    place: str
    polynomials: tuple[Coefficients, ...]
    defined: tuple[Expr, ...] = ()                                      # not zero, else there is no rule
    needs: tuple[Expr, ...] = ()                                        # positive, else the limit that was taken does not exist
    whole: tuple[Coefficients, ...] = ()                                # the unfactored polynomial, for tests on numbers
    allowed: tuple[Expr, ...] = ()                                      # not negative, else a chance is none
    by_theorem = True                                                   # `asked` and `granted` say the same as the claim
    exact = True                                                         # `holds` is exact on a Grid

    @property
    def conditions(self) -> tuple[Atom, ...]:
        """Where the rule exists."""
        asked = [(self.defined, "!="), (self.needs, ">"), (self.allowed, ">=")]
        return tuple(a for found, op in asked for e in found for a in make(e, op))

    @property
    def symbols(self) -> frozenset[Symbol]:
        found = [c.free_symbols for p in self.polynomials for c in p] + [e.free_symbols for e in (*self.defined, *self.needs, *self.allowed)]
        return frozenset().union(*found) if found else frozenset()

    # -- on numbers --------------------------------------------------------------------------------------------
    def holds(self, values: Mapping[Symbol, Any]) -> tuple[Any, Any]:
        """Truth at the points, and where it is sure; exact (always sure) on fractions."""
        truth: Any = True
        sure: Any = True
        for a in self.conditions:
            truth = truth & holds(a, values)
        for p in self.whole or self.polynomials:
            numbers = polynomials(p, values)
            inside, certain = schur_cohn(numbers if self.place == "disk" else to_disk(numbers))
            truth, sure = truth & inside, sure & certain
        return truth, sure

    def asked(self) -> list[tuple[tuple[Formula, ...], Atom]]:
        """The Lienard-Chipart conditions, not reduced, each with premises of its own (here none)."""
        conditions = disk_conditions if self.place == "disk" else half_plane_conditions
        found = [*self.conditions, *(a for p in self.polynomials for c in conditions(p) for a in make(c.expr, ">"))]
        return [((), a) for a in found]

    def granted(self) -> tuple[Formula, ...]:
        """The same as premises."""
        return tuple(a for _, a in self.asked())

    def enough(self) -> list[list[list[Atom]]]:
        """For each part of the claim the selections of what is asked for that decide it alone."""
        conditions = disk_conditions if self.place == "disk" else half_plane_conditions
        parts = [[[a]] for a in self.conditions]
        parts += [[[a for c in some for a in make(c.expr, ">")] for some in enough(conditions(p), len(p) - 1)] for p in self.polynomials]
        return parts

    # -- for z3 ------------------------------------------------------------------------------------------------
    def violated(self) -> list[Obligation]:
        """Formulas of which one holds wherever the claim fails: an undefined rule or a root in the wrong place."""
        found: list[Obligation] = [(f"{a.expr} fails", (a.negated,)) for a in self.conditions]
        for p in self.polynomials:
            found += _root_outside(p, self.place)
        return found

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        """Alternatives that cover every point where the claim holds, roots as explicit unknowns."""
        cases: list[tuple[Formula, ...]] = [self.conditions]
        for p in self.polynomials:
            cases = [(*c, *more) for c in cases for more in _roots_inside(p, self.place)]
        return cases


def to_disk(a: list) -> list:
    """Coefficients of (z + 1)**n p((z - 1)/(z + 1)), leading first: the half plane becomes the disk."""
    n, out = len(a) - 1, [0]*len(a)
    for k, c in enumerate(a):                                           # c*(z - 1)**(n - k)*(z + 1)**k
        row = [1]
        for factor in [-1]*(n - k) + [1]*k:
            row = [x + factor*y for x, y in zip([*row, 0], [0, *row])]
        out = [o + c*r for o, r in zip(out, row)]
    return out


def schur_cohn(a: list) -> tuple[Any, Any]:
    """Are all roots in the open unit disk (leading coefficient first)? And is the answer beyond rounding?

    The recursion of Schur 1918 and Cohn 1922: |a_n| < |a_0|, then the same for the polynomial of one degree less.
    """
    exact = all(isinstance(c, (int, Fraction)) or getattr(getattr(c, "dtype", None), "hasobject", False) for c in a)
    inside: Any = True
    sure: Any = True
    while len(a) > 1:
        first, last = a[0], a[-1]
        inside = inside & (abs(last) < abs(first))
        sure = sure & (exact or abs(abs(last) - abs(first)) > SURE*(abs(first) + abs(last)))
        a = [first*x - last*y for x, y in zip(a[:-1], a[:0:-1])]
        if not exact:
            scale = np.maximum(np.max(np.abs(np.broadcast_arrays(*a)), axis=0), 1e-300)
            a = [x/scale for x in a]
    return inside, sure


def _unknown(name: str, positive: bool = False) -> Symbol:
    return Symbol(name, positive=True) if positive else Symbol(name, real=True)


def _equal(e: Expr) -> tuple[Atom, ...]:
    """e == 0; a long polynomial with unknown roots in it has no factors worth the search."""
    e = e.expand()
    return make(e, "==") if len(terms(e)) < LONG else (Atom((e,), "=="),)


def _root_outside(p: Coefficients, place: str) -> list[Obligation]:
    """A real root r, or a pair with the factor z**2 + b*z + c, in the wrong place."""
    r, b, c = _unknown("root"), _unknown("pair_b"), _unknown("pair_c")
    n = len(p) - 1
    wrong: Formula = ("or", *make(r - 1, ">="), *make(-r - 1, ">=")) if place == "disk" else ("and", *make(r, ">="))
    found: list[Obligation] = [("a real root outside", (*_equal(sum(a*r**(n - k) for k, a in enumerate(p))), wrong))]
    if n > 1:
        outside = make(c - 1, ">=") if place == "disk" else make(-b, ">=")
        found.append(("a complex pair outside", (*_remainder(p, b, c), *make(4*c - b**2, ">"), *outside)))
    return found


def _remainder(p: Coefficients, b: Expr, c: Expr) -> tuple[Atom, ...]:
    """z**2 + b*z + c divides p."""
    rest = list(p)
    for k in range(len(p) - 2):
        lead = rest[k]
        rest[k + 1] = (rest[k + 1] - lead*b).expand()
        rest[k + 2] = (rest[k + 2] - lead*c).expand()
    return tuple(a for e in rest[-2:] for a in _equal(e))


def _roots_inside(p: Coefficients, place: str) -> list[tuple[Formula, ...]]:
    """The coefficients of p as those of a product whose roots lie where they should."""
    n = len(p) - 1
    if n == 1:
        r = _unknown("root")
        return [(*_equal(p[0]*r + p[1]), *_real_inside(r, place))]
    if n == 2:
        r, s, b, c = _unknown("root_1"), _unknown("root_2"), _unknown("pair_b"), _unknown("pair_c")
        real = (*_equal(p[1] + p[0]*(r + s)), *_equal(p[2] - p[0]*r*s), *_real_inside(r, place), *_real_inside(s, place))
        inside = make(1 - c, ">") if place == "disk" else make(b, ">")
        return [real, (*_equal(p[1] - p[0]*b), *_equal(p[2] - p[0]*c), *make(4*c - b**2, ">"), *inside)]
    return [_factored(p, place)]


def _real_inside(r: Symbol, place: str) -> tuple[Atom, ...]:
    return (*make(1 - r, ">"), *make(1 + r, ">")) if place == "disk" else make(-r, ">")


def _factored(p: Coefficients, place: str) -> tuple[Formula, ...]:
    """p (in s, where the left half plane is the right place) as lead*(s + e)*(s**2 + b*s + c)..., all of e, b, c positive."""
    q = moebius(p) if place == "disk" else p
    n, product = len(q) - 1, [Integer(1)]
    factors = [[Integer(1), _unknown("e", True)]]*(n % 2)
    factors += [[Integer(1), _unknown(f"b_{i}", True), _unknown(f"c_{i}", True)] for i in range(n//2)]
    for f in factors:
        product = [sum((product[i]*f[k - i] for i in range(len(product)) if 0 <= k - i < len(f)), Integer(0)).expand()
                   for k in range(len(product) + len(f) - 1)]
    return tuple(a for c, e in zip(q[1:], product[1:]) for a in _equal(c - q[0]*e)) + make(q[0], "!=")


