"""Best parameters in floats: the search, where the rate goes if it is not attained, and a lower bound that z3 proves."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sympy import Expr, Float, Integer, Rational, oo

from .closed_tuning import HIGH, LOW, pinned
from .proof import smt2
from .rates import Rate, _ends_decide
from .search import Minimum, minimum
from .smt import NLSAT, decide
from .symbols import symbol
from .tuning_proof import below
from .worst import Worst

MS = 4000
SLACKS = (1e-6, 1e-4, 1e-2)                                              # how far below the number the proved bound may lie


@dataclass(frozen=True)
class Best:
    """The best that was found; `runs`, `to` and `limit` where it is not attained; `lower` a bound that z3 proved."""

    params: dict[str, float]
    value: float
    runs: str = ""
    to: str = ""
    limit: Expr = Integer(0)
    lower: Expr | None = None
    smt2: str = ""
    note: str = ""


def best(found: Rate, names: tuple[str, ...], low: Expr, high: Expr) -> Best:
    """The smallest worst rate for numbers low and high, with a proved lower bound where one is found in time."""
    search = Search(found, names, low, high)
    at = search.minimum
    if at.runs or at.value >= (0 if found.flow else 1):
        return search.told()
    lower, text = search.lower_bound()
    worst = float(found.over(low, high).at(**{n: v for n, v in search.everything.items() if n != "lam"}))
    return Best(search.everything, worst, lower=lower, smt2=text, note=search.note)


def glance(found: Rate, names: tuple[str, ...], low: Expr, high: Expr) -> Best:
    """The same without a bound."""
    return Search(found, names, low, high).told()


class Search:
    """One search: the rate with what is known put in, the parameters that matter, the interval."""

    def __init__(self, found: Rate, names: tuple[str, ...], low: Expr, high: Expr):
        self.low, self.high = Rational(str(low)) if low.is_Float else low, Rational(str(high)) if high.is_Float else high
        chosen = [symbol(n) for n in names]
        ends = {s: v for s, v in ((LOW, self.low), (HIGH, self.high)) if s in found.free_symbols and s not in chosen}
        plain = len(found.factors) == 1 and not found.definitions
        self.pins = pinned(found.factors[0], found.curvatures[0], chosen) if plain else {}
        self.found, self.known = found, {**ends, **self.pins}
        self.free = [s for s in chosen if s not in self.pins]
        decided = not found.definitions and all(_ends_decide(f, found.curvatures[0]) for f in found.factors)
        held = {s: float(v) for s, v in self.known.items()}
        self.worst = Worst(found, self.free, float(low), float(high), held, decided)
        self.minimum: Minimum = minimum(self.worst)

    @property
    def everything(self) -> dict[str, float]:
        """All parameters by name, those that were known among them."""
        return {**{str(s): float(v) for s, v in self.known.items()}, **self.minimum.params}

    @property
    def note(self) -> str:
        held = ", ".join(f"{s} = {e}" for s, e in self.pins.items())
        return f"{held} without loss: only combinations of the parameters matter" if held else ""

    def told(self) -> Best:
        """The minimum, or where the rate goes on falling to."""
        m = self.minimum
        return Best(m.params, m.value, m.runs, m.to, self._limit() if m.runs else Integer(0), note=self.note)

    def _limit(self) -> Expr:
        """The limit of the rate, read off far out."""
        value, near = self.minimum.value, self.minimum.near
        if self.found.flow:
            return -oo if value < 2*near < 0 else Float(value)
        return Integer(0) if value < near/3 else Float(value)

    def lower_bound(self) -> tuple[Expr | None, str]:
        """The largest bound below the number that z3 proves no parameters to beat, and the text of the question."""
        if self.found.definitions or self.found.needs or any(f.step != 1 for f in self.found.factors):
            return None, ""
        value = self.minimum.value
        for slack in SLACKS:
            bound = Rational(f"{value - slack*abs(value):.9f}")
            question = self._beaten(bound)
            if decide(question, ms=MS, tactic=NLSAT).verdict == "unsat":
                return Float(bound), smt2((), [(f"parameters with a worst rate below {bound}", question)])
        return None, ""

    def _beaten(self, bound: Rational) -> tuple:
        """Parameters that keep the rate below a bound at the curvatures that hold it."""
        formulas: list = []
        for lam in self._holding():
            for f in self.found.factors:
                p = tuple(c.subs({**self.known, self.found.curvatures[0]: lam}).expand() for c in f.coefficients)
                formulas += below(p, bound, self.found.flow)
        return tuple(formulas)

    def _holding(self) -> list[Expr]:
        """The ends, and the curvature between them where the rate is as large."""
        ends: list[Expr] = [self.low] if self.low == self.high else [self.low, self.high]
        point = np.array([self.minimum.params[str(s)]/self.worst.unit**p for s, p in zip(self.free, self.worst.powers)])
        nodes = np.linspace(self.worst.low, self.worst.high, 201)[1:-1]
        sizes = [self._size(point, n) for n in nodes] if self.worst.nodes.size > 2 else []
        inside = [n for n, s in zip(nodes, sizes) if s > self.minimum.value - 1e-3*abs(self.minimum.value)]
        middle = [inside[int(np.argmax([self._size(point, n) for n in inside]))]] if inside else []
        return ends + [Rational(f"{n*self.worst.unit:.9g}") for n in middle if self.worst.low < n < self.worst.high]

    def _size(self, point: np.ndarray, lam: float) -> float:
        nodes, self.worst.nodes = self.worst.nodes, np.array([lam])
        try:
            return float(self.worst(point))
        finally:
            self.worst.nodes = nodes

