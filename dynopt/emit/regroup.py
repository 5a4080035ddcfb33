"""Straight-line arithmetic rewritten for speed: sums of products become chains of fma, what no step changes is computed once.

Every value becomes a sum of terms, coefficient (the same in all steps) times a product of at most two values. A difference is
never multiplied out and never reordered: a rule that computes one on purpose (x - x_prev, a compensated sum) keeps it.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Sequence

from .entries import Value, Values, order

MOST_TERMS = 6
DELAY = {"div": 14, "sqrt": 18, "pow": 80, "exp": 40, "log": 40, "sin": 40, "cos": 40, "tanh": 60, "noise": 90, "uniform": 40,
         "state": 0, "const": 0, "param": 0, "vector": 0, "k": 0, "t0": 0}


@dataclass(frozen=True)
class Coefficient:
    """An exact number times a value that no step changes (None: one)."""

    number: Fraction
    symbol: Value | None = None

    def __neg__(self) -> "Coefficient":
        return Coefficient(-self.number, self.symbol)

    @property
    def is_unit(self) -> bool:
        return self.symbol is None and abs(self.number) == 1


ONE = Coefficient(Fraction(1))
Form = dict[tuple[Value, ...], Coefficient]              # product of values that change -> its coefficient


def _serial(v: Value) -> int:
    """Products are ordered as values were made, so that the same rule gives the same text in every process."""
    return v.serial


class Regrouped:
    """Roots rewritten; `value(root)` is the new value of an old one.

    `positive` are parameters that are above zero in this run. With `hasty` a sum that others need too is taken over all the same:
    more operations, but the next state does not wait for them; for a run of one path, which has nothing else to do meanwhile.
    """

    def __init__(self, make: Values, roots: Sequence[Value], positive: frozenset[str] = frozenset(), hasty: bool = False):
        self.make, self.positive, self.hasty, nodes = make, positive, hasty, order(roots)
        self.moving: dict[Value, bool] = {}
        self.uses = Counter(a for v in nodes for a in v.args) + Counter(roots)
        self.delay: dict[Value, int] = {}
        self.forms: dict[Value, Form] = {}
        self.done: dict[Value, Value] = {}
        for v in nodes:
            self.forms[v] = self._common(self._form(v))

    def roots(self, values: Sequence[Value]) -> list[Value]:
        return [self.value(v) for v in values]

    def value(self, v: Value) -> Value:
        """The new value, made when first asked for."""
        if v not in self.done:
            self.done[v] = self._made(self.forms[v])
        return self.done[v]

    # -- forms -----------------------------------------------------------------------------------------------------
    def _form(self, v: Value) -> Form:
        make = self.make
        if v.op == "const":
            return {(): Coefficient(v.data)} if v.data else {}
        if not v.args:
            return {(v,): ONE} if v.step else {(): Coefficient(Fraction(1), v)}
        if v.op in ("add", "sub"):
            left, right = self._inside(v.args[0]), self._inside(v.args[1])
            if self._cancels(left, right, v.op == "sub"):                   # (x + y) - x, to find what was rounded off
                left, right = (self._atom(self.value(a)) for a in v.args)
            return self._sum(left, right, v.op == "sub")
        if v.op == "neg":
            return {m: -c for m, c in self._inside(v.args[0]).items()}
        if v.op == "mul":
            return self._product(v, *v.args)
        if v.op == "div":
            return self._quotient(v, *v.args)
        if v.op == "pow" and v.args[1].op == "const" and v.args[1].data in (3, 4):
            base = self.value(v.args[0])
            square = make("mul", base, base)
            return self._atom(make("mul", square, base if v.args[1].data == 3 else square))
        if v.op == "pow" and self._is_positive(v.args[0]) and v.args[1].step and not self._moves(v.args[1]):
            rate = make("log", self.value(v.args[0]))                       # beta^(k + 1) by a logarithm that is taken once
            return self._atom(make("exp", make("mul", rate, self.value(v.args[1]))))
        return self._atom(make(v.op, *(self.value(a) for a in v.args), data=v.data))

    def _is_positive(self, v: Value) -> bool:
        """Whether a base is known to be above zero in all steps."""
        return (v.op == "const" and v.data > 0) or (v.op == "param" and v.data in self.positive)

    def _moves(self, v: Value) -> bool:
        """Whether a value depends on the state or on draws, rather than on the clock alone."""
        for w in order([v], stop=self.moving):
            self.moving[w] = w.op in ("state", "noise", "uniform") or any(self.moving[a] for a in w.args)
        return self.moving[v]

    def _common(self, form: Form) -> Form:
        """2 a - 2 b as twice a difference: the factor goes on to where the value is used."""
        numbers = {abs(c.number) for c in form.values()}
        if len(form) < 2 or len(numbers) > 1 or numbers == {1} or any(c.symbol for c in form.values()):
            return form
        factor = numbers.pop()
        whole = self._made({m: Coefficient(c.number/factor) for m, c in form.items()})
        return {(whole,): Coefficient(factor)}

    def _atom(self, v: Value) -> Form:
        return {(v,): ONE} if v.step else {(): Coefficient(Fraction(1), v)}

    def _inside(self, v: Value) -> Form:
        """The form of an operand of a sum: taken over where nobody else needs it, and where it is no difference."""
        form = self.forms[v]
        if len(form) <= 1 or (self.uses[v] == 1 and not self._is_difference(form)) or (self.hasty and len(form) <= MOST_TERMS):
            return form
        return self._atom(self.value(v))

    @staticmethod
    def _is_difference(form: Form) -> bool:
        return len({c.number > 0 for c in form.values()}) > 1

    @staticmethod
    def _cancels(left: Form, right: Form, minus: bool) -> bool:
        """Whether a value would drop out, wholly or in part, of a sum of several."""
        shared = [(left[m], right[m]) for m in left if m in right and not left[m].symbol and not right[m].symbol]
        return max(len(left), len(right)) > 1 and any((a.number > 0) == ((b.number > 0) == minus) for a, b in shared)

    def _plus(self, a: Coefficient, b: Coefficient) -> Coefficient:
        if a.symbol is b.symbol:
            return Coefficient(a.number + b.number, a.symbol)
        return Coefficient(Fraction(1), self.make("add", self.coefficient(a), self.coefficient(b)))

    def _sum(self, left: Form, right: Form, minus: bool) -> Form:
        found = dict(left)
        for m, c in right.items():
            c = -c if minus else c
            found[m] = self._plus(found[m], c) if m in found else c
            if found[m].number == 0:
                del found[m]
        return found

    def _times(self, a: Coefficient, b: Coefficient) -> Coefficient:
        symbol = a.symbol if b.symbol is None else b.symbol if a.symbol is None else self.make("mul", a.symbol, b.symbol)
        return Coefficient(a.number*b.number, symbol)

    def _scaled(self, v: Value, by: Coefficient) -> Form:
        """A form times a coefficient: term by term where that saves an operation, a difference as a whole."""
        form = self.forms[v]
        saves = not self._is_difference(form) and not all(c.is_unit for c in form.values())
        if len(form) <= 1 or (self.uses[v] == 1 and (by.is_unit or saves)):
            return {m: self._times(c, by) for m, c in form.items()}
        return {(self.value(v),): by}

    def _constant(self, v: Value) -> Coefficient | None:
        """A value that no step changes, as a coefficient."""
        form = self.forms[v]
        if not form:
            return Coefficient(Fraction(0))
        return form[()] if list(form) == [()] else None

    def _product(self, v: Value, a: Value, b: Value) -> Form:
        for one, other in ((a, b), (b, a)):
            by = self._constant(one)
            if by is not None:
                return self._scaled(other, by) if by.number else {}
        (ma, ca), (mb, cb) = self._factor(a), self._factor(b)
        c = self._times(ca, cb)
        while len(ma) + len(mb) > 2:
            ma, mb = (self._fused(ma), mb) if len(ma) > 1 else (ma, self._fused(mb))
        product = tuple(sorted((*ma, *mb), key=_serial))
        if self.uses[v] > 1:
            product = self._fused(product)
        return {product: c}

    def _factor(self, v: Value) -> tuple[tuple[Value, ...], Coefficient]:
        form = self.forms[v]
        if len(form) == 1:
            return next(iter(form.items()))
        return (self.value(v),), ONE

    def _fused(self, product: tuple[Value, ...]) -> tuple[Value, ...]:
        return (self.make("mul", *product),) if len(product) == 2 else product

    def _quotient(self, v: Value, a: Value, b: Value) -> Form:
        by = self._constant(b)
        if by is not None and by.number:
            inverse = Coefficient(1/by.number, None if by.symbol is None else self.make("div", self.make.one, by.symbol))
            return self._scaled(a, inverse)
        if self._moves(a) and not self._moves(b):           # the state does not wait for a division by what the clock tells
            product, c = self._factor(a)
            return {tuple(sorted((*self._fused(product), self.make("div", self.make.one, self.value(b))), key=_serial)): c}
        return self._atom(self.make("div", self.value(a), self.value(b)))

    # -- values ----------------------------------------------------------------------------------------------------
    def coefficient(self, c: Coefficient) -> Value:
        """The value of a coefficient; its number is rounded once."""
        number = self.make.const(float(c.number))
        if c.symbol is None:
            return number
        return c.symbol if c.number == 1 else self.make("neg", c.symbol) if c.number == -1 else self.make("mul", number, c.symbol)

    def _late(self, v: Value) -> int:
        """Roughly how many cycles after the start of a step a value is known."""
        for w in order([v], stop=self.delay):
            self.delay[w] = max((self.delay[a] for a in w.args), default=0) + DELAY.get(w.op, 4) if w.step else 0
        return self.delay[v]

    def _made(self, form: Form) -> Value:
        make = self.make
        terms = sorted(form.items(), key=lambda item: max((self._late(v) for v in item[0]), default=-1))
        if not terms:
            return make.zero
        free = next((t for t in terms if not t[0] or (len(t[0]) == 1 and t[1] == ONE)), None)
        first = free or terms[0]
        total = self._term(*first)
        for product, c in terms:
            if product != first[0]:
                total = self._added(total, product, c)
        return total

    def _term(self, product: tuple[Value, ...], c: Coefficient) -> Value:
        if not product:
            return self.coefficient(c)
        whole = self._fused(product)[0]
        if c.is_unit:
            return whole if c.number > 0 else self.make("neg", whole)
        return self.make("mul", self.coefficient(c), whole)

    def _added(self, total: Value, product: tuple[Value, ...], c: Coefficient) -> Value:
        make = self.make
        if not product:
            return make("add", total, self.coefficient(c))
        if not c.is_unit and len(product) == 2:             # the later factor waits for nothing but the sum
            early, late = sorted(product, key=self._late)
            return make("fma", make("mul", self.coefficient(c), early), late, total)
        if not c.is_unit:
            return make("fma", self.coefficient(c), product[0], total)
        if len(product) == 1:
            return make("add" if c.number > 0 else "sub", total, product[0])
        a, b = product
        return make("fma", a if c.number > 0 else make("neg", a), b, total)
