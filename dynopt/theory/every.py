"""The claim of a region for a whole interval of curvatures, and how it is tested and proved."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np
from sympy import Expr, Symbol

from .atoms import Formula, make
from .claim import Obligation, Stable
from .numbers import expression
from .symbols import symbol

LAM = symbol("lam")
PLACES = np.concatenate([[0.0, 1.0], np.linspace(0.02, 0.98, 13)])


@dataclass(frozen=True)
class Every:
    """The inner claim holds for all lam in [low, high], in (0, high] where low is zero."""

    inner: Stable
    low: Expr
    high: Expr

    @property
    def conditions(self) -> tuple:
        return ()

    @property
    def symbols(self) -> frozenset[Symbol]:
        return (self.inner.symbols | self.low.free_symbols | self.high.free_symbols) - {LAM}

    def holds(self, values: Mapping[Symbol, Any]) -> tuple[Any, Any]:
        """At the ends and at points between them; sure where one of them fails, or all hold clearly."""
        truth: Any = True
        sure: Any = True
        broken: Any = False
        a, b = expression(self.low, values), expression(self.high, values)
        for place in PLACES:
            lam = a + place*(b - a) if place or self.low != 0 else None
            if lam is None:
                continue
            inside, certain = self.inner.holds({**values, LAM: np.asarray(lam, dtype=float)})
            truth, sure = truth & inside, sure & certain
            broken = broken | (np.logical_not(inside) & certain)
        return truth, sure | broken

    def violated(self) -> list[Obligation]:
        between = self._between()
        return [(f"{label} for some lam", (*between, *formulas)) for label, formulas in self.inner.violated()]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        """Stable at both ends is all that is used: more is implied."""
        ends = [v for v in (self.low, self.high) if v != 0]
        cases: list[tuple[Formula, ...]] = [()]
        for j, v in enumerate(ends):
            cases = [(*c, *_at(f, v, j)) for c in cases for f in self.inner.fulfilled()]
        return cases

    def theorem(self) -> list:
        return []

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
