"""The claim of a region for a whole interval of curvatures, and how it is tested and proved."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np
from sympy import Expr, Symbol

from .atoms import Atom, Formula, make
from .claim import Obligation, Stable
from .curvature import always
from .numbers import Grid, as_fraction, expression
from .symbols import symbol

LAM = symbol("lam")
PARTS = 64
PLACES = (0, PARTS, 1, 4, 9, 15, 21, 27, 32, 38, 44, 50, 56, 60, 63)       # where lam is tried, in parts of the interval


@dataclass(frozen=True)
class Every:
    """The inner claim holds for all lam in [low, high], in (0, high] where low is zero."""

    inner: Stable
    low: Expr
    high: Expr

    by_theorem = True

    @property
    def exact(self) -> bool:
        """Are both ends names or numbers, so that they lie on a grid?"""
        return all(e.is_Symbol or e.is_Rational for e in (self.low, self.high))

    @property
    def conditions(self) -> tuple:
        return ()

    @property
    def symbols(self) -> frozenset[Symbol]:
        return (self.inner.symbols | self.low.free_symbols | self.high.free_symbols) - {LAM}

    def holds(self, values: Mapping[Symbol, Any]) -> tuple[Any, Any]:
        """At the ends and at points between them: sure only where one of them fails, since a gap between them may hide."""
        if isinstance(values, Grid) and not self.exact:
            return True, False
        truth: Any = True
        broken: Any = False
        for place in PLACES:
            if place or self.low != 0:
                inside, certain = self.inner.holds(self._at(values, place))
                truth = truth & inside
                broken = broken | (np.logical_not(inside) & certain)
        return truth, broken

    def _at(self, values: Mapping[Symbol, Any], place: int) -> Mapping[Symbol, Any]:
        """The values with lam = low + place/PARTS*(high - low)."""
        if not isinstance(values, Grid):
            low, high = expression(self.low, values), expression(self.high, values)
            return {**values, LAM: np.asarray(low + place/PARTS*(high - low), dtype=float)}
        low, high = (values[e] if e.is_Symbol else as_fraction(e)*values.unit for e in (self.low, self.high))
        scale = PARTS*(1 if self.low.is_Symbol else int(self.low.q))*(1 if self.high.is_Symbol else int(self.high.q))
        finer = {s: v*scale for s, v in values.items()}
        return Grid({**finer, LAM: _integers((low*PARTS + place*(high - low))*(scale//PARTS))}, values.unit*scale)

    def violated(self) -> list[Obligation]:
        between = self._between()
        return [(f"{label} for some lam", (*between, *formulas)) for label, formulas in self.inner.violated()]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        """Stable at both ends (towards lam = 0: in the limit) is all that is used: more is implied."""
        ends = [v for v in (self.low, self.high) if v != 0]
        cases: list[tuple[Formula, ...]] = [self._limit()]
        for j, v in enumerate(ends):
            cases = [(*c, *_at(f, v, j)) for c in cases for f in self.inner.fulfilled()]
        return cases

    def asked(self) -> list[tuple[tuple[Formula, ...], Atom]]:
        """What the theorem asks for at every lam between the ends."""
        return [(self._between(), a) for _, a in self.inner.asked()]

    def enough(self) -> list[list[list[Atom]]]:
        """Which of them decide alone."""
        return self.inner.enough()

    def granted(self) -> tuple[Formula, ...]:
        """What the theorem grants at the ends, and where a quadratic condition is least between them."""
        return (*self._limit(), *(always(a, self.low, self.high) for _, a in self.inner.asked()))

    def _limit(self) -> tuple[Formula, ...]:
        """What is positive for all small lam is not negative at lam = 0."""
        return tuple(b for _, a in self.inner.asked() for b in make(a.expr.subs(LAM, 0), ">=")) if self.low == 0 else ()

    def _between(self) -> tuple[Formula, ...]:
        return (*(make(LAM - self.low, ">=") if self.low != 0 else ()), *make(self.high - LAM, ">="))


def _at(formulas: tuple[Formula, ...], value: Expr, j: int) -> list[Formula]:
    """The formulas at lam = value, with unknown roots of their own."""
    return [_moved(f, value, j) for f in formulas]


def _moved(formula: Formula, value: Expr, j: int) -> Formula:
    if isinstance(formula, tuple):
        return (formula[0], *(_moved(f, value, j) for f in formula[1:]))
    own = {s: Symbol(f"{s}_at_{j}", **({"positive": True} if s.is_positive else {"real": True})) for s in formula.symbols
           if str(s).partition("_")[0] in ("root", "pair", "b", "c", "e")}
    return ("and", *formula.subs({LAM: value, **own}))


def _integers(values: Any) -> Any:
    return np.vectorize(int, otypes=[object])(values) if np.ndim(values) else int(values)
