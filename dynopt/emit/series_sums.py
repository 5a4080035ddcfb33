"""Sums of products of coefficients, in the order in which their terms become known."""
from __future__ import annotations

from fractions import Fraction
from typing import Sequence

from .entries import Value, Values, order
from .regroup import DELAY

Term = tuple[Value, ...]                                # a value, or two to be multiplied


class Sums:
    """Coefficients known so far (`table`), which values change along the solution, and sums of their products."""

    def __init__(self, make: Values):
        self.make, self.minus = make, make.const(-1)
        self.moving: dict[Value, bool] = {}
        self.delay: dict[Value, int] = {}
        self.table: dict[tuple[Value, int], Value | None] = {}

    def moves(self, v: Value) -> bool:
        """Whether a value changes along the solution."""
        for w in order([v], stop=self.moving):
            self.moving[w] = w.op in ("state", "time") or any(self.moving[a] for a in w.args)
        return self.moving[v]

    def at(self, v: Value, k: int) -> Value | None:
        """Coefficient k of a value; None is zero."""
        return self.table[v, k] if self.moves(v) else v if k == 0 else None

    def _late(self, v: Value) -> int:
        """Roughly how many cycles after the start of a step a value is known."""
        for w in order([v], stop=self.delay):
            self.delay[w] = max((self.delay[a] for a in w.args), default=0) + DELAY.get(w.op, 4) if self.moves(w) else 0
        return self.delay[v]

    def _sum(self, terms: Sequence[Term | None]) -> Value | None:
        """A sum of values and products of two, what is known first taken first."""
        known = sorted((t for t in terms if t), key=lambda t: max(map(self._late, t)))
        if not known:
            return None
        total = self._product(known[0])
        for t in known[1:]:
            if t[0] is self.minus:
                total = self.make("sub", total, t[1])
            else:
                total = self.make("fma", *t, total) if len(t) == 2 else self.make("add", total, t[0])
        return total

    def _term(self, v: Value, k: int, sign: int = 1) -> Term | None:
        """Coefficient k of a value, or minus it, as a term of a sum: a number times a value stays a product, which costs no more."""
        if v.op == "neg" and k:
            return self._term(v.args[0], k, -sign)
        if v.op == "mul" and k:
            for still, moving in (v.args, v.args[::-1]):
                if not self.moves(still):
                    return self._pair(still if sign > 0 else self.make("neg", still), self.at(moving, k))
        found = self.at(v, k)
        return None if found is None else (found,) if sign > 0 else (self.minus, found)

    def _product(self, term: Term) -> Value:
        if term[0] is self.minus:
            return self.make("neg", term[1])
        return term[0] if len(term) == 1 else self._times(*term)

    def _times(self, a: Value, b: Value) -> Value:
        one = self.make.one
        return b if a is one else a if b is one else self.make("mul", a, b)

    def _terms(self, a: Value, b: Value, k: int) -> list[Term | None]:
        """The products whose sum is coefficient k of a b."""
        if self._is_square(a, b):
            sign, base = (1, a) if a is b else (-1, b if a.op == "neg" else a)
            found: list[Term | None] = [self._pair(self._weighted(base, j, 2*sign), self.at(base, k - j)) for j in range((k + 1)//2)]
            return found + ([self._pair(self._weighted(base, k//2, sign), self.at(base, k//2))] if k % 2 == 0 else [])
        return [self._pair(self.at(a, j), self.at(b, k - j)) for j in range(k + 1)]

    @staticmethod
    def _is_square(a: Value, b: Value) -> bool:
        """Whether a product is a^2 or -a^2."""
        return a is b or (a.op == "neg" and a.args[0] is b) or (b.op == "neg" and b.args[0] is a)

    def _pair(self, a: Value | None, b: Value | None) -> Term | None:
        if a is None or b is None:
            return None
        one = self.make.one
        return (b,) if a is one else (a,) if b is one else (a, b)

    def _weighted(self, v: Value, k: int, weight: Fraction | int) -> Value | None:
        """A number times a coefficient."""
        found = self.at(v, k)
        if found is None or weight == 0:
            return None
        if weight == 1:
            return found
        return self.make("neg", found) if weight == -1 else self.make("mul", self.make.const(float(weight)), found)

    def _single(self, v: Value | None) -> Term | None:
        return None if v is None else (v,)

    def _over(self, total: Value | None, by: Value) -> Value | None:
        return None if total is None else self.make("mul", total, by)

    def _inverse(self, v: Value) -> Value:
        return self.make("div", self.make.one, v)
