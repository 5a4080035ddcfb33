"""Is what holds at two curvatures held between them? Decided in the plane of the curvature and the one other quantity that matters.

Scaling leaves few rules more than one quantity beside lam. In that plane the relations change only on finitely many curves, and
over an interval of the other quantity between two critical values the curves neither meet nor turn (Collins 1975): one line of
rational points speaks for the whole strip. Everything is exact.
"""
from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Iterator

from sympy import Expr, Integer, Poly, Rational, Symbol, cancel, factor_list, groebner, real_roots, resultant
from sympy.polys.polytools import intervals

from .atoms import Atom, Formula, make
from .smt import decide, weights, without
from .symbols import symbol

LAM = symbol("lam")
MS = 3000
MOST = 40                                                                # degree of a curve in lam, or of all of them together


@dataclass(frozen=True)
class Plane:
    """The relations with all but two quantities set to 1, and the lines on which they were tested."""

    atoms: tuple[Atom, ...]
    other: Symbol | None                                                 # the quantity beside lam
    fixed: tuple[Symbol, ...]                                            # set to 1: only scales
    facts: tuple[Atom, ...]
    lines: int = 0                                                       # how many lines were tested

    @property
    def told(self) -> str:
        """In words."""
        scale = f" with {' = '.join(map(str, self.fixed))} = 1" if self.fixed else ""
        where = f"in the plane of lam and {self.other}{scale}" if self.other is not None else f"on the line of lam{scale}"
        return f"both ends decide, since nothing fails between stable curvatures ({self.lines} lines of an exact decomposition {where})"

    # -- which points ------------------------------------------------------------------------------------------------
    @property
    def curves(self) -> list[Expr]:
        return list(dict.fromkeys(f for a in self.atoms for f in a.factors if f.free_symbols))

    def allowed(self, value: Rational) -> bool:
        if self.other is None:
            return True
        return not (self.other.is_positive and value <= 0) and all(a.expr.subs(self.other, value) > 0 for a in self.facts)

    def samples(self) -> Iterator[Rational]:
        """A value of the other quantity between each two critical ones."""
        if self.other is None:
            yield Integer(1)
        else:
            yield from filter(self.allowed, _between(self._critical(), self.other))

    def _critical(self) -> list[Expr]:
        """Polynomials in the other quantity that vanish where curves meet, turn, or run off."""
        found = [self.other, *(f for a in self.facts for f in a.factors)]
        moving = [f for f in self.curves if f.has(LAM)]
        found += [f for f in self.curves if not f.has(LAM)]
        for f in moving:
            p = Poly(f, LAM)
            found += [p.LC(), p.nth(0), *([p.discriminant()] if p.degree() > 1 else [])]
        found += [resultant(f, g, LAM) for f, g in combinations(moving, 2)]
        return [e for e in found if e.free_symbols]

    def line(self, value: Rational) -> "_Line":
        """The relations where the other quantity has this value."""
        table = {self.other: value} if self.other is not None else {}
        return _Line({f: Poly(f.subs(table), LAM) for f in self.curves})

    # -- what is asked -----------------------------------------------------------------------------------------------
    def gap(self, value: Rational, from_zero: bool) -> bool:
        """Does a relation of high degree fail between two curvatures where all hold (or between 0, where none is below zero, and one)?"""
        line = self.line(value)
        low = from_zero and all(line.value(a, Integer(0)) >= 0 for a in self.atoms if a.op == ">")
        opened, broken = low, False
        for x in line.points():
            good = all(line.holds(a, x) for a in self.atoms)
            if good and broken:
                return True
            told = not good and not all(line.holds(a, x) for a in self.atoms if _plain(a))       # by conditions of degree one and two
            opened = (opened or good) and not told
            broken = opened and not good
        return False

    def lonely(self) -> bool:
        """May a curve have a point of its own, off every line that is tested? There both slopes vanish and no branch passes."""
        high = dict.fromkeys(f for a in self.atoms if not _plain(a) for f in a.factors)
        return any(self._alone(f) for f in high if self.other is not None and f.has(LAM) and f.has(self.other))

    def _alone(self, f: Expr) -> bool:
        a: Any = self.other
        x, y = f.diff(LAM), f.diff(a)
        bend = f.diff(LAM, 2)*f.diff(a, 2) - x.diff(a)**2                # negative where two branches cross
        basis = groebner([f, x, y], LAM, a, order="lex").exprs
        if basis == [1]:
            return False
        if len(basis) != 2 or Poly(basis[0], LAM).degree() != 1 or basis[1].has(LAM):
            return True
        p = Poly(basis[0], LAM)
        lam = cancel(-p.nth(0)/p.nth(1))
        return any(self._matters(_On(lam, Poly(q, a), r), bend) for q, _ in factor_list(basis[1])[1] for r in real_roots(Poly(q, a)))

    def _matters(self, point: "_On", bend: Expr) -> bool:
        """A lone point with relations all around has none that fails there, or that passes through zero with a slope."""
        if point.sign(LAM) < 0 or point.sign(bend) < 0:
            return False
        for a in self.atoms:
            s = point.sign(a.expr)
            slopes = [point.sign(a.expr.diff(x)) for x in (LAM, self.other)]
            if a.op == ">" and (s < 0 or s == 0 and any(slopes)):
                return False
        return True

    def _reached(self, ends: tuple[Rational, Rational]) -> bool:
        return not (self.other.is_positive and ends[1] <= 0)             # type: ignore[union-attr]

    def dips(self, ends: tuple[Rational, Rational]) -> bool:
        """May something fail between lam = 0 and a stable one on the line of a root that is no rational number?"""
        low, high = ends
        a, later = self.other, Symbol("later", positive=True)
        root = next(f for f in self._at_zero() if Poly(f, a).count_roots(low, high))                   # type: ignore[arg-type]
        here = [*make(root, "=="), *make(a - low, ">"), *make(high - a, ">"), *self.facts]             # type: ignore[operator]
        limit = [b for e in self.atoms if e.op == ">" for b in make(e.expr.subs(LAM, 0), ">=")]
        stable = [b for e in self.atoms for b in e.subs({LAM: later})]
        plain = [e for e in self.atoms if _plain(e)]
        between = [*here, *limit, *stable, *plain, *make(later - LAM, ">")]
        return any(decide([*between, e.negated], ms=MS).verdict != "unsat" for e in self.atoms if e not in plain)

    def _at_zero(self) -> list[Expr]:
        ends = [f.subs(LAM, 0) for f in self.curves if f.has(LAM)]
        return list(dict.fromkeys(g for e in ends if e.free_symbols for g, _ in factor_list(e)[1]))

    def starts(self) -> list[tuple[Rational, Rational]]:
        """The values of the other quantity at which a relation is zero for lam = 0, as isolating intervals."""
        return [] if self.other is None else [i for i in _isolated(self._at_zero(), self.other) if self._reached(i)]


def plane(atoms: tuple[Atom, ...], facts: tuple[Formula, ...], ends: frozenset[Symbol]) -> Plane | None:
    """The relations in a plane, None where more than two quantities remain, or a relation is no strict one.

    Of what is given the strict relations on the other quantity are used, the rest is not needed.
    """
    own = tuple(f for f in facts if isinstance(f, Atom) and f.op == ">" and not f.symbols & (ends | {LAM}))
    if not all(a.op == ">" or a.op == "!=" and _plain(a) for a in atoms):
        return None
    factors = tuple(dict.fromkeys(f for a in (*atoms, *own) for f in a.factors))
    symbols = sorted({s for f in factors for s in f.free_symbols}, key=str)
    fixed = _scales(factors, symbols)
    left = [s for s in symbols if s not in fixed and s != LAM]
    if len(left) > 1 or sum(Poly(f, LAM).degree() for f in factors if f.has(LAM)) > MOST:
        return None
    table = dict.fromkeys(fixed, 1)
    here, known = (tuple(b for a in some for b in a.subs(table)) for some in (atoms, own))
    return Plane(here, left[0] if left else None, fixed, tuple(a for a in known if a.symbols))


def _scales(factors: tuple[Expr, ...], symbols: list[Symbol]) -> tuple[Symbol, ...]:
    """Positive symbols that can be set to 1, lam left alone."""
    left, fixed = weights(factors, symbols), []
    for i, s in enumerate(symbols):
        pivot = next((w for w in left if w[i]), None) if s.is_positive and s != LAM else None
        if pivot is not None:
            fixed.append(s)
            left = without(left, pivot, i)
    return tuple(fixed)


def without_gaps(found: Plane, from_zero: bool) -> Plane | None:
    """The plane with the number of lines tested if nothing fails between two curvatures where all holds, else None."""
    if found.lonely():
        return None
    count = 0
    for value in found.samples():
        if found.gap(value, from_zero):
            return None
        count += 1
    for low, high in found.starts() if from_zero else []:
        if found.dips((low, high)) if low != high else found.allowed(low) and found.gap(low, True):
            return None
    return Plane(found.atoms, found.other, found.fixed, found.facts, count)


# -- exact points ---------------------------------------------------------------------------------------------------

def _plain(a: Atom) -> bool:
    """Is the relation so simple in lam that what it asks of an interval is known exactly (`curvature.always`)?"""
    return not a.expr.has(LAM) or Poly(a.expr, LAM).degree() < (3 if a.op == ">" else 2)


@dataclass(frozen=True)
class _Line:
    """Curves as polynomials in lam alone."""

    curves: dict[Expr, Poly]

    def points(self) -> list[Rational]:
        """Curvatures between each two at which a curve is met, ascending."""
        return [x for x in _between([LAM, *(p.as_expr() for p in self.curves.values() if p.degree() > 0)], LAM) if x > 0]

    def value(self, a: Atom, x: Rational) -> Expr:
        total = Integer(1)
        for f in a.factors:
            total *= self.curves[f](x) if f in self.curves else f
        return total

    def holds(self, a: Atom, x: Rational) -> bool:
        v = self.value(a, x)
        return bool(v > 0 if a.op == ">" else v != 0)


@dataclass(frozen=True)
class _On:
    """A point of the plane: the other quantity is a root of an irreducible polynomial, lam a rational function of it."""

    lam: Expr
    polynomial: Poly
    root: Expr

    def sign(self, e: Expr) -> int:
        """Exact: zero where the polynomial divides, else told by digits."""
        x = self.polynomial.gen
        over, under = cancel(e.subs(LAM, self.lam)).as_numer_denom()
        if Poly(over, x).rem(self.polynomial).is_zero:
            return 0
        for digits in (30, 100, 300):
            values = [part.subs(x, self.root).evalf(digits) for part in (over, under)]
            if all(abs(v) > Rational(1, 10**(digits//2)) for v in values):
                return 1 if values[0]*values[1] > 0 else -1
        raise ArithmeticError("a sign could not be told")


def _isolated(polynomials: list[Expr], x: Symbol) -> list[tuple[Rational, Rational]]:
    """Disjoint intervals with rational ends, one for each real root of any of the polynomials, ascending."""
    factors = {f for e in polynomials for f, _ in factor_list(e)[1] if f.has(x)}
    if not factors:
        return []
    rows = sorted(factors, key=str)
    for digits in (2, 6, 12, 24, 48):
        found = [pair for pair, _ in intervals([Poly(f, x) for f in rows], eps=Rational(1, 10**digits))]
        if all(a[1] < b[0] for a, b in zip(found, found[1:])):
            return found
    raise ArithmeticError("two roots could not be told apart")


def _between(polynomials: list[Expr], x: Symbol) -> list[Rational]:
    """One rational number in each interval between neighbouring roots, and beyond the first and last."""
    found = _isolated(polynomials, x)
    if not found:
        return [Integer(1)]
    inner = [_simple(a[1], b[0]) for a, b in zip(found, found[1:])]
    return [found[0][0] - 1, *inner, found[-1][1] + 1]


def _simple(low: Rational, high: Rational) -> Rational:
    """A number with a small denominator between the two."""
    for k in range(200):
        m = Rational(int(((low + high)*2**k/2).round()), 2**k)
        if low < m < high:
            return m
    return (low + high)/2
