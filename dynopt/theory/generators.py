"""Roots, exponentials and powers of parameters as symbols of their own, so that everything else is a polynomial.

A generator comes with what is known of it (sqrt(L) is positive and its square is L). Where that knowledge is not complete
(exp, symbolic powers) it is `loose`: what is proved from it holds, but a point found with it need not exist.
"""
from __future__ import annotations

from math import lcm
from typing import Iterable

from sympy import Abs, Add, Expr, Mul, Poly, Pow, Rational, Symbol, cos, exp, minimal_polynomial, pi, sin

from ..core.errors import RuleError
from .algebra import LinearizeError, check_size
from .atoms import Atom, Formula, make, terms
from .numbers import FUNCTIONS

PI_BOUNDS = Rational(3141592653, 10**9), Rational(3141592654, 10**9)


class Generators:
    """Collects the generators of several expressions, one symbol for each."""

    def __init__(self) -> None:
        self.meaning: dict[Symbol, Expr] = {}
        self.facts: list[Formula] = []
        self._known: dict[Expr, Expr] = {}
        self._units: dict[Expr, list[tuple[Rational, Symbol]]] = {}

    def polynomials(self, expressions: Iterable[Expr]) -> list[Expr]:
        """Several expressions, whose exponentials are powers of common ones."""
        expressions = list(expressions)
        shares: dict[Expr, list[Rational]] = {}
        for f in dict.fromkeys(f for e in expressions for f in sorted(e.atoms(exp), key=str)):
            for part, share in _exponents(f):
                shares.setdefault(part, []).append(share)
        for part, found in shares.items():
            self._exponential(part, Rational(found[0].p//abs(found[0].p), lcm(*(int(c.q) for c in found))))
        return [self.polynomial(e) for e in expressions]

    def polynomial(self, e: Expr) -> Expr:
        """The expression as a rational function of parameters and generators."""
        check_size(e)
        e = e.xreplace({f: Mul(*(self._exponential(*part) for part in _exponents(f))) for f in e.atoms(exp)})
        table: dict[Expr, Expr] = {}
        for sub in _irrational(e):
            table[sub] = self._generator(sub)
        return e.xreplace(table) if table else e

    def _generator(self, e: Expr) -> Expr:
        if e not in self._known:
            self._known[e] = self._power(e) if e.is_Pow and e.exp.is_Rational else self._named(e)
        return self._known[e]

    def _exponential(self, part: Expr, share: Rational) -> Expr:
        """exp(share*part) as a whole power of one generator; a finer one than those known is tied to them."""
        known = self._units.setdefault(part, [])
        for unit, g in known:
            if (share/unit).is_Integer:
                return g**(share/unit)
        unit = Rational(share.p//abs(share.p), lcm(int(share.q), *(int(u.q) for u, _ in known)))
        g = self._named(exp(unit*part, evaluate=False))
        for other, h in known:
            self.facts += make(h*g**max(-other/unit, 0) - g**max(other/unit, 0), "==")
        known.append((unit, g))
        return g**(share/unit)

    def _power(self, e: Expr) -> Expr:
        """base**(p/q) as a power of the q-th root."""
        p, q = e.exp.p, e.exp.q
        root = Pow(e.base, Rational(1, q))
        if root not in self._known:
            base = self.polynomial(e.base)
            sure = bool(e.base.is_positive)
            g = self._new(root, positive=sure)
            self.facts += make(g**q - base, "==")
            if not sure and q % 2 == 0:
                self.facts += make(g, ">=")
            self._known[root] = g
        return self._known[root]**p

    def _named(self, e: Expr) -> Symbol:
        if isinstance(e, exp):
            g, a = self._new(e, positive=True), self.polynomial(e.args[0])
            cases = [(*make(a, ">"), *make(g - 1, ">")), (*make(-a, ">"), *make(1 - g, ">")),
                     (*make(a, "=="), *make(g - 1, "=="))]
            self.facts.append(("or", *(("and", *case) for case in cases)))
            return g
        if e.is_number and e.is_algebraic:
            return self._algebraic(e)
        if not (e.is_Pow or e == pi or type(e).__name__ in FUNCTIONS):
            raise LinearizeError(f"`{e}` follows different rules for different parameters; give them numbers with .subs, "
                                 "or write one rule for each case")
        g = self._new(e, positive=e == pi)
        if e == pi:
            self.facts += [*make(g - PI_BOUNDS[0], ">"), *make(PI_BOUNDS[1] - g, ">")]
        if isinstance(e, (sin, cos)):
            other = (cos if isinstance(e, sin) else sin)(e.args[0])
            if other in self._known:
                self.facts += make(g**2 + self._known[other]**2 - 1, "==")
            self.facts += [*make(1 - g**2, ">=")]
        if isinstance(e, Abs):
            self.facts += [*make(g, ">="), *make(g**2 - self.polynomial(e.args[0])**2, "==")]
        return g

    def _algebraic(self, e: Expr) -> Symbol:
        """A number such as cos(pi/7): the root of its minimal polynomial in a small interval."""
        g = self._new(e, positive=bool(e > 0))
        for low, high in (sorted(Rational(round(e*10**k) + j, 10**k) for j in (-1, 1)) for k in (6, 12, 24)):
            polynomial = Poly(minimal_polynomial(e, g), g)
            if polynomial.count_roots(low, high) == 1:
                self.facts += [*make(polynomial.as_expr(), "=="), *make(g - low, ">"), *make(high - g, ">")]
                return g
        raise RuleError(f"the number {e} could not be told apart from its conjugates")

    def _new(self, e: Expr, positive: bool) -> Symbol:
        g = Symbol(f"<{e}>", positive=True) if positive else Symbol(f"<{e}>", real=True)
        self.meaning[g] = e
        return g


def _exponents(f: Expr) -> list[tuple[Expr, Rational]]:
    """exp(2*a - b/2) as [(a, 2), (b, -1/2)]."""
    return sorted(f.args[0].expand().as_coefficients_dict().items(), key=lambda p: str(p[0]))


def without_exponentials(atom: Atom, definitions: dict) -> tuple[Atom, ...]:
    """exp(a) < exp(b) as a < b, factor by factor; everything else as it is."""
    factors = [_exponent(f, definitions) for f in atom.factors]
    if any(e.has(exp) or not e.is_rational_function() for e in factors):
        return (atom,)
    return make(Mul(*factors), atom.op)


def _exponent(f: Expr, definitions: dict) -> Expr:
    """a - b for c*(exp(a) - exp(b)), which has its sign; f itself for anything else."""
    rows = terms(f)
    if len(rows) != 2 or rows[0][1] != -rows[1][1] or not all(isinstance(definitions.get(s), exp) for s in f.free_symbols):
        return f
    first, second = (Add(*(e*definitions[s].args[0] for s, e in powers)) for powers, _ in rows)
    return (first - second if rows[0][1] > 0 else second - first).expand()


def is_loose(definitions: dict) -> bool:
    """Is there a generator of which not everything is known?"""
    return not all((e.is_Pow and e.exp.is_Rational) or isinstance(e, Abs) or (e.is_number and e.is_algebraic)
                   for e in definitions.values())


def _irrational(e: Expr) -> list[Expr]:
    """The outermost subexpressions that are no rational function of symbols."""
    if e.is_Symbol or e.is_Rational:
        return []
    if e.is_Add or e.is_Mul or (e.is_Pow and e.exp.is_Integer):
        return list(dict.fromkeys(s for a in e.args for s in _irrational(a)))
    return [e]
