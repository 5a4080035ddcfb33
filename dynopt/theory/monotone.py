"""Where x never changes sign when the rule starts from rest."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

import numpy as np
import sympy
from sympy import Expr, Integer

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .atoms import Formula, make, negation
from .claim import Obligation, Stable, _equal, _remainder, _unknown
from .linear import Linear, linearize
from .numbers import holds, polynomials
from .question import Question
from .reduce import Context, reduce, union
from .region import Region, checked
from .relations import assumptions, union_of
from .schur import Coefficients
from .steps import summary

STEPS = 400


@dataclass(frozen=True)
class Monotone(Stable):
    """x_0 = 1, x_1 = first/p0 and p0*x_{k+2} + p1*x_{k+1} + p2*x_k = 0 give no x_k < 0 (a flow: x(0) = 1, x'(0) = first/p0)."""

    first: Expr = Integer(0)                                            # x_1 times the leading coefficient of the polynomial
    exact = False
    by_theorem = False

    def holds(self, values: Mapping[Any, Any]) -> tuple[Any, Any]:
        [p] = self.polynomials
        numbers = [np.asarray(c, dtype=float) for c in polynomials((*p, self.first), values)]
        with np.errstate(all="ignore"):
            *p_, first = np.broadcast_arrays(*[a/numbers[0] for a in numbers])
            truth, sure = _never_negative(p_, first, self.place)
        for a in self.conditions:
            truth = truth & holds(a, values)
        return truth, sure

    def violated(self) -> list[Obligation]:
        found: list[Obligation] = [(f"{a.expr} fails", (a.negated,)) for a in self.conditions]
        [p] = self.polynomials
        r, s, b, c = _unknown("root_1"), _unknown("root_2"), _unknown("pair_b"), _unknown("pair_c")
        if len(p) == 2:
            return found + ([("a negative root", (*_equal(p[0]*r + p[1]), *make(-r, ">")))] if self.place == "disk" else [])
        return found + [("a complex pair", (*_remainder(p, b, c), *make(4*c - b**2, ">"))),
                        ("real roots that change sign", (*_real(p, r, s), negation(self._keeps(r, s))))]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        [p] = self.polynomials
        r, s = _unknown("root_1"), _unknown("root_2")
        if len(p) == 2:
            return [(*self.conditions, *_equal(p[0]*r + p[1]), *(make(r, ">=") if self.place == "disk" else ()))]
        return [(*self.conditions, *_real(p, r, s), self._keeps(r, s))]

    def _keeps(self, r: Expr, s: Expr) -> Formula:
        """x_k = A r**k + B s**k, r >= s, stays nonnegative: r dominates with A >= 0 and x_1 >= 0, or one root is alone."""
        p0, x1 = self.polynomials[0][0], self.first                     # compare p0*r with first = p0*x_1, both times p0
        ahead = make(p0*(x1 - p0*s), ">=")
        if self.place != "disk":
            return ("or", ("and", *ahead), ("and", *_equal(x1 - p0*r)))
        alone = [("and", *_equal(x1 - p0*z), *make(z, ">=")) for z in (r, s)]
        return ("or", ("and", *ahead, *make(p0*x1, ">="), *make(r + s, ">=")), *alone)


def _real(p: Coefficients, r: Expr, s: Expr) -> tuple[Formula, ...]:
    return (*_equal(p[1] + p[0]*(r + s)), *_equal(p[2] - p[0]*r*s), *make(r - s, ">="))


def _never_negative(p: list[np.ndarray], x1: np.ndarray, place: str) -> tuple[np.ndarray, np.ndarray]:
    """By running the recurrence (the flow: in steps of its own exact solution's recurrence on a fine grid)."""
    if len(p) == 2:
        return ((-p[1] >= 0), np.abs(p[1]) > 1e-9) if place == "disk" else (np.ones(p[0].shape, bool), np.ones(p[0].shape, bool))
    b, c = p[1], p[2]
    disc = b*b - 4*c
    size = np.abs(b) + np.sqrt(np.abs(c)) + np.abs(x1)                  # of the roots: what is clear does not depend on units
    clear = (np.abs(disc) > 3e-2*size**2) & (np.abs(x1) > 1e-3*size) & (np.abs(b) > 3e-2*size)
    clear = clear & (np.abs(x1*x1 + b*x1 + c) > 1e-3*size**2) & (size > 0)
    if place != "disk":
        low = (-b - np.sqrt(np.maximum(disc, 0)))/2
        return (disc >= 0) & (x1 >= low), clear                          # x = A e^(rt) + B e^(st): its sign at the end is A's
    old, new, negative = np.ones(np.shape(x1)), np.array(x1, dtype=float), np.asarray(x1 < 0)
    for _ in range(STEPS):
        old, new = new, -b*new - c*old
        size = np.maximum(np.abs(old), np.abs(new))
        scale = np.where((size > 1e50) | (size < 1e-50), np.maximum(size, 1e-300), 1.0)
        old, new = old/scale, new/scale
        negative = negative | (new < 0)
    return ~negative, clear


def monotone(rule: Rule | Linear, *, given: Iterable[Any] = (), mode: Any = "lam", freeze: Iterable[str] = (),
             at: dict | None = None) -> Region:
    """Where x never changes sign when the rule starts from rest (whether it converges is for `stability` to say).

    Decided for polynomials of degree one and two, else `unknown`.
    """
    pool.warm()
    try:
        linear = rule if isinstance(rule, Linear) else linearize(rule, mode=mode, freeze=freeze, at=at)
        question = Question(linear, *assumptions(given, linear))
        p, first, under = _sequence(linear)
        claim = Monotone(question.place, (p,), (*linear.denominators, under), question.claim.needs, allowed=question.claim.allowed, first=first)
        context = Context(question.facts)
        formula: Formula = ("and", *claim.conditions, _formula(p, first, question.place))
        found = union((c for case in union_of(formula) for c in reduce(case, context)), context)
        steps = summary(linear, "x never changes sign", [], context, found, question.definitions)
        return checked(Region(found, question.facts, question.definitions, {}, claim, steps, names=linear.names))
    except (LinearizeError, pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=str(error))


def _sequence(linear: Linear) -> tuple[Coefficients, Expr, Expr]:
    """The recurrence of x and lead*x_1 (lead*x'(0)), all fraction-free, and what must not be zero for rest to exist."""
    if linear.period > 1:
        raise LinearizeError(f"the rule repeats itself every {linear.period} steps, and the sign of x is decided for one rule at "
                             "all steps; write the steps of one round as rules of their own")
    if linear.settled:
        raise LinearizeError("the rule depends on k, and its first steps, which decide the sign of x, are not those of the limit "
                             "k -> oo; write .subs(...) for a constant value of the schedule")
    rest = linear.rest
    zeros = next(k for k, c in enumerate(reversed(linear.coefficients)) if c != 0)
    p = linear.coefficients[:len(linear.coefficients) - zeros] if zeros < linear.matrix.rows else linear.coefficients[:2]
    if rest is None:
        raise LinearizeError("no single state of rest with x = 1 exists, so nothing is said about a start from rest")
    if len(p) > 3 or (zeros and zeros < linear.matrix.rows):
        raise LinearizeError(f"x obeys a recurrence of degree {linear.matrix.rows}, and its sign is decided up to degree two")
    x = [s for s, _ in linear.keys].index("x")
    step = sympy.cancel((linear.polynomial_matrix*rest)[x]*p[0])
    over, under = sympy.fraction(sympy.together(step))
    return tuple((c*under).expand() for c in p), over.expand(), under


def _formula(p: Coefficients, first: Expr, place: str) -> Formula:
    """The same without roots: 2 x_1 >= r + s or p(x_1) <= 0 says x_1 >= s."""
    if len(p) == 2:
        return ("and", *make(-p[0]*p[1], ">=")) if place == "disk" else ("and",)
    a, b, c = p
    real, at_first = make(b**2 - 4*a*c, ">="), first**2 + b*first + a*c                    # a*p(x_1), sign of p(x_1)/a
    ahead: Formula = ("or", ("and", *make(a*(2*first + b), ">=")), ("and", *make(-at_first, ">=")))
    if place != "disk":
        return ("and", *real, ahead)
    first_up = make(a*first, ">=")
    return ("or", ("and", *real, *make(-a*b, ">="), *first_up, ahead), ("and", *_equal(at_first), *first_up))
