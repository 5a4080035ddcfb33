"""The Taylor coefficients of a flow's solution as straight-line values: every sum of products a chain of fma, what is known late comes last.

Recurrences: Moore 1966; Hairer, Norsett, Wanner 1993, section I.8. A single path is a chain of dependent operations; the sums are
taken in the order in which their terms become known, so that the next coefficient waits for two operations only.
"""
from __future__ import annotations

from fractions import Fraction
from typing import Callable, Sequence

from ..core.expr import COMPARISONS
from .entries import Unsuited, Value, Values, order
from .regroup import Regrouped
from .series_sums import Sums


class Series(Sums):
    """`rates` are the right-hand sides at the state; `x[i][k]` the k-th coefficient of entry i, `slopes[i][k]` that of its rate."""

    def __init__(self, make: Values, roots: Sequence[Value], states: Sequence[Value], count: int):
        super().__init__(make)
        self.states, self.count = list(states), count
        self.rates = [self._plainer(r) for r in Regrouped(make, roots).roots(roots)]
        self.nodes = [v for v in order([*self.rates, *self._companions()]) if self.moves(v)]
        self.x = [[s] for s in self.states]
        self.slopes: list[list[Value]] = [[] for _ in self.states]
        for k in range(count):
            self._column(k)

    @property
    def products(self) -> float:
        """How many products of moving values the recurrences have; a square or a root is half of one."""
        half = {v for v in self.nodes if v.op == "sqrt" or v.op in ("mul", "fma") and self._is_square(*v.args[:2])}
        return sum(.5 if v in half else 1. for v in self.nodes if self._convolves(v))

    def _convolves(self, v: Value) -> bool:
        if v.op in ("mul", "fma"):
            return self.moves(v.args[0]) and self.moves(v.args[1])
        return self.moves(v.args[1]) if v.op == "div" else v.op in ("sqrt", "pow", "exp", "log", "sin", "cos", "tanh")

    # -- fewer kinds of operations ---------------------------------------------------------------------------------
    def _plainer(self, root: Value) -> Value:
        """Whole powers by products, powers with a moving exponent by the logarithm, extrema and absolute values by choices."""
        done: dict[Value, Value] = {}
        for v in order([root]):
            done[v] = self._plain(v, [done[a] for a in v.args])
        return done[root]

    def _plain(self, v: Value, args: list[Value]) -> Value:
        make = self.make
        if v.op == "pow" and args[1].op == "const" and args[1].data.denominator == 1 and abs(args[1].data) <= 64:
            return self._whole_power(args[0], int(args[1].data))
        if v.op == "pow" and self.moves(args[1]):
            return make("exp", make("mul", args[1], make("log", args[0])))
        if v.op in ("min", "max"):
            return make("where", make("gt" if v.op == "max" else "lt", *args), *args)
        if v.op == "abs":
            return make("where", make("ge", args[0], make.zero), args[0], make("neg", args[0]))
        return make(v.op, *args, data=v.data)

    def _whole_power(self, base: Value, n: int) -> Value:
        make = self.make
        if n < 0:
            return make("div", make.one, self._whole_power(base, -n))
        if n < 2:
            return base if n else make.one
        half = self._whole_power(base, n//2)
        square = make("mul", half, half)
        return make("mul", square, base) if n % 2 else square

    def _companions(self) -> list[Value]:
        """What the recurrences need beside their own values: cosines of sines, slopes of hyperbolic tangents."""
        make, found = self.make, []
        for v in order(self.rates):
            if v.op in ("sin", "cos"):
                found.append(make("cos" if v.op == "sin" else "sin", *v.args))
            elif v.op == "tanh":
                found.append(self._slope_of_tanh(v))
        return found

    def _slope_of_tanh(self, v: Value) -> Value:
        return self.make("fma", self.make("neg", v), v, self.make.one)

    # -- coefficients ----------------------------------------------------------------------------------------------
    def _column(self, k: int) -> None:
        """Coefficient k of every value, then k + 1 of the states."""
        for v in self.nodes:
            if v.op == "state":
                self.table[v, k] = self.x[self.states.index(v)][k]
            elif v.op == "time":
                self.table[v, k] = v if k == 0 else self.make.one if k == 1 else None
            elif k == 0:
                self.table[v, 0] = v
            else:
                self.table[v, k] = self._coefficient(v, k)
        for x, slopes, r in zip(self.x, self.slopes, self.rates):
            rate = self.at(r, k) or self.make.zero
            slopes.append(rate)
            x.append(rate if k == 0 else self.make("mul", self.make.const(1/(k + 1)), rate))

    def _coefficient(self, v: Value, k: int) -> Value | None:
        if v.op in COMPARISONS or v.op == "sign":
            return None
        rule: Callable | None = getattr(self, f"_{v.op}", None)
        if rule is None:
            raise Unsuited(f"the series of {v.op}")
        return rule(v, k)

    # -- rules by operation ----------------------------------------------------------------------------------------
    def _add(self, v: Value, k: int) -> Value | None:
        return self._sum([self._term(a, k) for a in v.args])

    def _sub(self, v: Value, k: int) -> Value | None:
        a, b = v.args
        return self._sum([self._term(a, k), self._term(b, k, -1)])

    def _neg(self, v: Value, k: int) -> Value | None:
        return self._weighted(v.args[0], k, -1)

    def _mul(self, v: Value, k: int) -> Value | None:
        a, b = v.args
        return self._sum(self._terms(a, b, k))

    def _fma(self, v: Value, k: int) -> Value | None:
        a, b, c = v.args
        return self._sum([*self._terms(a, b, k), self._term(c, k)])

    def _div(self, v: Value, k: int) -> Value | None:
        a, b = v.args
        tail = [self._pair(self._weighted(b, j, -1), self.at(v, k - j)) for j in range(1, k + 1)]
        return self._over(self._sum([self._single(self.at(a, k)), *tail]), self._inverse(b))

    def _sqrt(self, v: Value, k: int) -> Value | None:
        [a] = v.args
        twice = [self._pair(self._weighted(v, j, -2), self.at(v, k - j)) for j in range(1, (k + 1)//2)]
        middle = [self._pair(self._weighted(v, k//2, -1), self.at(v, k//2))] if k % 2 == 0 else []
        return self._over(self._sum([self._single(self.at(a, k)), *twice, *middle]), self.make("div", self.make.const(.5), v))

    def _pow(self, v: Value, k: int) -> Value | None:
        """a c' = p a' c with a still exponent p: k a_0 c_k = sum_j (j p - (k - j)) a_j c_(k-j)."""
        a, p = v.args
        tail = []
        for j in range(1, k + 1):
            factor = self._factor(p, j, k)
            tail.append(self._pair(factor and self._some(factor, self.at(a, j)), self.at(v, k - j)))
        return self._over(self._sum(tail), self.make("div", self.make.const(1/k), a))

    def _factor(self, p: Value, j: int, k: int) -> Value | None:
        """j p - (k - j)."""
        if p.op == "const":
            return self.make.const(float(j*p.data - (k - j))) if j*p.data != k - j else None
        return self.make("fma", self.make.const(j), p, self.make.const(j - k))

    def _some(self, factor: Value, v: Value | None) -> Value | None:
        return None if v is None else self._times(factor, v)

    def _exp(self, v: Value, k: int) -> Value | None:
        return self._driven(v, v.args[0], v, k, 1)

    def _driven(self, v: Value, a: Value, other: Value, k: int, sign: int) -> Value | None:
        """v' = sign a' other: coefficient k of v."""
        return self._sum([self._pair(self._weighted(a, j, Fraction(sign*j, k)), self.at(other, k - j)) for j in range(1, k + 1)])

    def _log(self, v: Value, k: int) -> Value | None:
        [a] = v.args
        tail = [self._pair(self._weighted(v, j, Fraction(-j, k)), self.at(a, k - j)) for j in range(1, k)]
        return self._over(self._sum([self._single(self.at(a, k)), *tail]), self._inverse(a))

    def _sin(self, v: Value, k: int) -> Value | None:
        return self._driven(v, v.args[0], self.make("cos", *v.args), k, 1)

    def _cos(self, v: Value, k: int) -> Value | None:
        return self._driven(v, v.args[0], self.make("sin", *v.args), k, -1)

    def _tanh(self, v: Value, k: int) -> Value | None:
        return self._driven(v, v.args[0], self._slope_of_tanh(v), k, 1)

    def _where(self, v: Value, k: int) -> Value | None:
        truth, a, b = v.args
        found = [self.at(w, k) for w in (a, b)]
        if found == [None, None]:
            return None
        return self.make("where", truth, *(w or self.make.zero for w in found))

    def _mod(self, v: Value, k: int) -> Value | None:
        return self.at(v.args[0], k)
