"""Elementary differentials: series in h whose terms are trees, so that f may be any function in any dimension.

A tree is the name of a state ("x", "v", ...), or a tuple of children: (a, b) stands for D^2 g(x)[a, b], () for g(x) itself, where
g = grad f. An element is {(power of h, tree): coefficient}. Source: Hairer, Lubich, Wanner 2006, section III.1 and chapter IX.
"""
from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import Any, Iterable

import sympy
from sympy import Expr, Integer

from ..core.errors import RuleError
from .coefficients import Coefficients, Expressions
from .symbols import symbol

H, T = symbol("h"), symbol("t")
Tree = Any
Element = dict[tuple[int, Tree], Any]


class NoTrees(RuleError):
    """A rule that is more than linear combinations of states and gradients: it has no expansion in trees."""


class StaysAway(NoTrees):
    """A gradient at a point that does not come to x as h -> 0."""


def canonical(children: Iterable[Tree]) -> Tree:
    return tuple(sorted(children, key=repr))


def size(tree: Tree) -> int:
    """How many gradients and states a tree joins."""
    return 1 if isinstance(tree, str) else 1 + sum(map(size, tree))


class Algebra:
    """Elements truncated beyond h^order; `base` is the state at which gradients are expanded, `over` keeps the coefficients."""

    def __init__(self, order: int, base: str = "x", over: Coefficients = Expressions()):
        self.order, self.base, self.over, self.one = order, base, over, over.of(1)

    def of_order(self, order: int) -> "Algebra":
        return Algebra(order, self.base, self.over)

    def state(self, name: str) -> Element:
        return {(0, name): self.one}

    def add(self, a: Element, b: Element, sign: int = 1) -> Element:
        out = dict(a)
        for key, c in b.items():
            out[key] = out[key] + sign*c if key in out else sign*c
        return self.clean(out)

    def clean(self, a: Element) -> Element:
        """Without terms that vanish or lie beyond the order."""
        found = {}
        for key, c in a.items():
            if key[0] <= self.order and c != 0:
                c = self.over.neat(c)
                if c != 0:
                    found[key] = c
        return found

    def series(self, c: Any, order: int) -> dict[int, Any]:
        """A coefficient in powers of h."""
        return {p: self.over.of(e) for p, e in expanded(c, order).items()} if isinstance(c, Expr) else {0: c}

    def scale(self, c: Any, a: Element) -> Element:
        """c a, where c is an expression in h or a coefficient."""
        out: Element = {}
        lowest = min((p for p, _ in a), default=0)
        for q, factor in self.series(c, self.order - lowest).items():
            for (p, tree), value in a.items():
                if p + q <= self.order:
                    key = (p + q, tree)
                    out[key] = out[key] + factor*value if key in out else factor*value
        return self.clean(out)

    def shift_power(self, a: Element, by: int) -> Element:
        return {(p + by, tree): c for (p, tree), c in a.items() if p + by <= self.order}

    def differential(self, parts: list[Element]) -> Element:
        """D^n g(x)[parts], multilinear."""
        terms: list[tuple[int, tuple, Any]] = [(0, (), self.one)]
        for part in parts:
            terms = [(p + q, (*trees, tree), c*d) for p, trees, c in terms for (q, tree), d in part.items() if p + q <= self.order]
        out: Element = {}
        for p, trees, c in terms:
            key = (p, canonical(trees))
            out[key] = out[key] + c if key in out else c
        return self.clean(out)

    def moved(self, point: Element) -> Element:
        """point - x, which must be of order h."""
        delta = self.add(point, self.state(self.base), -1)
        if any(p <= 0 for p, _ in delta):
            raise StaysAway("a gradient is asked for at a point that stays away from x as h -> 0, so it cannot be expanded at x")
        return delta

    def gradient(self, point: Element, extra: list[Element] | None = None) -> Element:
        """D^m g(point)[extra] by Taylor's theorem at x."""
        extra, delta, out = extra or [], self.moved(point), {}
        n, small = 0, min((p for p, _ in delta), default=self.order + 1)
        low = sum(min((p for p, _ in e), default=0) for e in extra)
        while n*small + low <= self.order:
            out = self.add(out, self.scale(Integer(1)/factorial(n), self.differential([*extra, *([delta]*n)])))
            n += 1
            if not delta:
                break
        return out

    def at(self, a: Element, point: Element, states: dict[str, Element]) -> Element:
        """An element with x moved to `point` and other states replaced."""
        def tree_at(tree: Tree) -> Element:
            if tree == self.base:
                return point
            if isinstance(tree, str):
                return states.get(tree, self.state(tree))
            return self.gradient(point, [tree_at(child) for child in tree])
        out: Element = {}
        for (p, tree), c in a.items():
            out = self.add(out, self.shift_power(self.scale(c, tree_at(tree)), p))
        return out

    def derivative(self, a: Element, field: dict[str, Element]) -> Element:
        """The rate of change of an element along a vector field; coefficients may depend on the time."""
        out: Element = {}
        for (p, tree), c in a.items():
            slope = self.over.slope(c)
            if slope != 0:
                out[p, tree] = out[p, tree] + slope if (p, tree) in out else slope
            for state, rate in field.items():
                for (q, new), d in rate.items():
                    found = grown(tree, state, state == self.base, new) if p + q <= self.order else ()
                    product = c*d if found else c
                    for other, count in found:
                        key, term = (p + q, other), product if count == 1 else count*product
                        out[key] = out[key] + term if key in out else term
        return self.clean(out)

    def logarithm(self, image: dict[str, Element], count: int) -> dict[str, Element]:
        """The vector field V = V_0 + h V_1 + ... (count terms) whose flow over h is the map given, which is the identity at h = 0."""
        field: dict[str, Element] = {s: {} for s in image}
        for n in range(count):
            grown = {s: self.exponential(self.state(s), field, n + 1) for s in image}
            for s in image:
                missing = self.add({k: v for k, v in image[s].items() if k[0] == n + 1},
                                   {k: v for k, v in grown[s].items() if k[0] == n + 1}, -1)
                field[s] = self.add(field[s], self.shift_power(missing, -1))
        return field

    def exponential(self, a: Element, field: dict[str, Element], order: int) -> Element:
        """exp(h V) a up to h^order."""
        return self.of_order(order).shifted(self.of_order(order).taylor(a, field), 1)

    def taylor(self, a: Element, field: dict[str, Element]) -> list[Element]:
        """h^n V^n a/n! for n = 0, 1, ..., as far as the order reaches."""
        terms = [a]
        while terms[-1]:
            grown_ = self.shift_power(self.derivative(terms[-1], field), 1)
            terms.append(self.scale(Integer(1)/len(terms), grown_) if len(terms) > 1 else grown_)
        return terms[:-1]

    def shifted(self, terms: list[Element], steps: int) -> Element:
        """exp(steps h V) a from its Taylor terms."""
        out: Element = dict(terms[0]) if terms else {}
        for n, term in enumerate(terms[1:], 1):
            if steps:
                out = self.add(out, term, steps**n)
        return out


@lru_cache(maxsize=65536)
def grown(tree: Tree, state: str, is_base: bool, new: Tree) -> tuple[tuple[Tree, int], ...]:
    """The derivative of a tree with respect to a state in the direction `new`: trees with how often each appears."""
    if isinstance(tree, str):
        return ((new, 1),) if tree == state else ()
    found: dict[Tree, int] = {canonical((*tree, new)): 1} if is_base else {}
    for i, child in enumerate(tree):
        for other, count in grown(child, state, is_base, new):
            key = canonical((*tree[:i], other, *tree[i + 1:]))
            found[key] = found.get(key, 0) + count
    return tuple(found.items())


@lru_cache(maxsize=4096)
def expanded(c: Expr, order: int) -> dict[int, Expr]:
    """Powers of h in a coefficient, up to h^order."""
    if not c.has(H):
        return {0: c}
    c = sympy.together(c)
    top, bottom = sympy.fraction(c)
    if top.is_polynomial(H) and bottom.is_polynomial(H):
        return _quotient(sympy.Poly(top, H), sympy.Poly(bottom, H), order)
    found: dict[int, Expr] = {}
    for term in sympy.Add.make_args(sympy.expand(sympy.series(c, H, 0, order + 1).removeO())):
        factor, power = term.as_coeff_exponent(H)
        if factor != 0:
            found[int(power)] = found.get(int(power), Integer(0)) + factor
    return found


def _quotient(top: sympy.Poly, bottom: sympy.Poly, order: int) -> dict[int, Expr]:
    """Division of power series."""
    a, b = top.all_coeffs()[::-1], bottom.all_coeffs()[::-1]
    shift = next(i for i, c in enumerate(b) if c != 0)
    b = b[shift:]
    out: list[Expr] = []
    for n in range(order + shift + 1):
        value = a[n] if n < len(a) else Integer(0)
        value -= sum((b[j]*out[n - j] for j in range(1, min(n, len(b) - 1) + 1)), Integer(0))
        out.append(sympy.cancel(value/b[0]))
    return {n - shift: c for n, c in enumerate(out) if c != 0}
