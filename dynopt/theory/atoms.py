"""Relations between polynomials, the alphabet of every region: a product of irreducible factors compared with zero."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Iterable

from sympy import Add, Expr, Integer, Mul, Poly, PolynomialError, Symbol, factor_list, fraction, together

from ..core.errors import RuleError

NEGATED = {">": ">=", ">=": ">", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Atom:
    """`factors[0]*factors[1]*... op 0` with op one of > >= == !=; the factors are irreducible over the rationals."""

    factors: tuple[Expr, ...]
    op: str

    @property
    def expr(self) -> Expr:
        return Mul(*self.factors)

    @property
    def symbols(self) -> frozenset[Symbol]:
        return frozenset().union(*(f.free_symbols for f in self.factors))

    @property
    def negated(self) -> "Atom":
        """The relation that holds exactly where this one fails."""
        return Atom(self.factors if self.op in ("==", "!=") else flipped(self.factors), NEGATED[self.op])

    @property
    def size(self) -> tuple[int, int]:
        """How hard the relation is to read."""
        return sum(degree(f) for f in self.factors), sum(len(terms(f)) for f in self.factors)

    def subs(self, table: dict) -> tuple["Atom", ...]:
        """The relation after a substitution of polynomials or rational functions."""
        return make(Mul(*(f.subs(table, simultaneous=True) for f in self.factors)), self.op)


NEVER = Atom((Integer(-1),), ">")
Formula = Atom | tuple                                                    # ("and" | "or", formula, formula, ...)


def flipped(factors: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The factors of minus the product: the shortest sum changes its sign, so that it prints well."""
    i = min(range(len(factors)), key=lambda j: (degree(factors[j]) == 0, len(terms(factors[j])) == 1, j))
    return (*factors[:i], negative(factors[i]), *factors[i + 1:])


def negative(f: Expr) -> Expr:
    return Add(*(-t for t in Add.make_args(f)))


@lru_cache(maxsize=20000)
def terms(f: Expr) -> tuple[tuple[tuple[tuple[Symbol, int], ...], Any], ...]:
    """The terms of a polynomial: ((symbol, exponent), ...) with its coefficient, a fraction of sympy or an integer."""
    symbols = sorted(f.free_symbols, key=str)
    if not symbols:
        return (((), f),) if f else ()
    return tuple((tuple((s, e) for s, e in zip(symbols, powers) if e), c) for powers, c in Poly(f, *symbols).terms())


def degree(f: Expr) -> int:
    return max((sum(e for _, e in powers) for powers, _ in terms(f)), default=0)


@lru_cache(maxsize=20000)
def sign(f: Expr, positive: frozenset[Symbol] = frozenset()) -> int:
    """+1 or -1 where the sign can be read off (all terms of one sign, one of them never zero), else 0."""
    strict, signs = False, set()
    for powers, c in terms(f):
        signs.add(1 if c > 0 else -1)
        sure = all(s.is_positive or s in positive for s, _ in powers)
        if not sure and any(e % 2 and not (s.is_positive or s in positive) for s, e in powers):
            return 0
        strict = strict or sure
    return signs.pop() if strict and len(signs) == 1 else 0


def _factors(expr: Expr) -> tuple[Expr, list]:
    """Content and factors; a sum in which everything cancels is no polynomial for sympy until it is multiplied out."""
    try:
        return factor_list(expr)
    except PolynomialError:
        whole = expr.expand()
        return factor_list(whole) if whole.free_symbols else (whole, [])


@lru_cache(maxsize=20000)
def factored(expr: Expr) -> tuple[int, tuple[tuple[Expr, int], ...]]:
    """Sign of the content and the irreducible factors with multiplicities; each factor starts with a positive low term."""
    if not expr.free_symbols:
        return (1 if expr > 0 else -1 if expr < 0 else 0), ()
    try:
        content, found = _factors(expr)
        content_sign, pairs = (1 if content > 0 else -1 if content < 0 else 0), []
        for f, power in found:
            if first_coefficient(f) < 0:
                f, content_sign = negative(f), content_sign*(-1)**power
            pairs.append((f, power))
    except Exception as error:
        raise RuleError(f"{expr} is not a polynomial in the parameters: {error}") from None
    return content_sign, tuple(pairs)


def _prod(numbers: Iterable) -> Any:
    total: Any = 1
    for n in numbers:
        total = total*n
    return total


def first_coefficient(f: Expr) -> Expr:
    """Coefficient of the term of lowest degree, the one an author writes first."""
    return min(terms(f), key=lambda t: (sum(e for _, e in t[0]), [(str(s), -e) for s, e in t[0]]))[1]


def make(expr: Expr, op: str) -> tuple[Atom, ...]:
    """The conjunction equivalent to `expr op 0` for a rational function: factors of evident sign are divided out."""
    over, under = fraction(together(expr))
    if under.free_symbols:
        return make(over if op in ("==", "!=") else over*under, op) + make(under, "!=")
    lead, pairs = factored(over/under if under != 1 else over)
    if lead == 0:
        return () if op in (">=", "==") else (NEVER,)
    if op == "!=":
        return tuple(Atom((f,), op) for f, _ in pairs if not sign(f))
    open_ = [(f, power) for f, power in pairs if not sign(f)]
    if op == ">=" and open_ and all(power % 2 == 0 for _, power in open_):           # minus a square is nonnegative only at zero
        known = lead*_prod(sign(f)**power for f, power in pairs if sign(f))
        return () if known > 0 else make(_prod(f for f, _ in open_), "==")
    kept, others = [], []
    for f, power in pairs:
        s = sign(f)
        if s:
            lead *= s**power
        elif op == "==" or power % 2:
            kept.append(f)
        elif op == ">":
            others.append(Atom((f,), "!="))                               # f**2 > 0 says that f is not zero
        else:
            kept += [f, f]
    if not kept:
        holds = lead > 0 if op in (">", ">=") else False
        return tuple(others) if holds else (NEVER,)
    return (Atom(tuple(kept) if lead > 0 or op == "==" else flipped(tuple(kept)), op), *others)


def negation(formula: Formula) -> Formula:
    """The opposite formula, with the negations at the atoms."""
    if isinstance(formula, Atom):
        return formula.negated
    word, *parts = formula
    return ("or" if word == "and" else "and", *map(negation, parts))


def atoms_of(formula: Formula) -> list[Atom]:
    """Every atom of a formula."""
    if isinstance(formula, Atom):
        return [formula]
    return [a for part in formula[1:] for a in atoms_of(part)]
