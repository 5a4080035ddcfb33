"""Where a parameter y is cut so that between two cuts the solution of some relations in x always has the same ends.

The cuts are the real roots, in y, of leading coefficients, discriminants and resultants: between two neighbours no root of the
relations in x appears, vanishes, or passes another one. So one exact sample of each gap decides (Collins 1975, in the plane).
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Callable, Sequence

import mpmath
from sympy import Expr, Poly, Rational, Symbol, discriminant, factor_list, intervals, resultant

from .atoms import Atom, make

DIGITS, TIE = 80, mpmath.mpf(10)**-18                                    # of a cut that is no fraction
Label = tuple[int, ...] | None                                           # (which polynomial, which of its real roots), or infinite
Run = tuple[Label, Label, bool, bool]                                     # ends, and whether they belong to it


@dataclass(frozen=True)
class Cut:
    """A real root of an irreducible polynomial q in y, alone in [low, high]."""

    q: Poly
    low: Fraction
    high: Fraction

    @property
    def rational(self) -> Expr | None:
        a, b = self.q.all_coeffs() if self.q.degree() == 1 else (0, 0)
        return -b/a if a else None

    def value(self) -> Any:
        if self.rational is not None:
            return mpmath.mpf(int(self.rational.p))/int(self.rational.q)
        [(a, b)] = self.q.intervals(eps=Rational(1, 10**DIGITS), inf=self.low, sup=self.high)[0][:1]
        return mpmath.mpf(int((a + b).p))/(2*int((a + b).q))


def cuts(polynomials: Sequence[Expr], x: Symbol, y: Symbol) -> list[Cut]:
    """All y where the picture in x can change, in rising order."""
    found: list[Expr] = []
    for f in polynomials:
        p = Poly(f, x)
        found += [p.LC()] + ([discriminant(p)] if p.degree() > 1 else [])
    found += [resultant(f, g, x) for f, g in combinations(polynomials, 2) if f.has(x) and g.has(x)]
    parts = {q: None for e in found for q, _ in factor_list(Poly(e, y).as_expr())[1] if q.has(y)}
    alone = [Poly(q, y) for q in parts]
    if not alone:
        return []
    rows = intervals(alone, strict=True, eps=Rational(1, 1000))
    return [Cut(alone[next(iter(owner))], Fraction(int(a.p), int(a.q)), Fraction(int(b.p), int(b.q))) for (a, b), owner in rows]


def between(places: list[Cut], least: Fraction | None) -> list[Fraction]:
    """One fraction inside each gap; `least` bounds y from below."""
    if not places:
        return [Fraction(1) if least is not None else Fraction(0)]
    first = places[0].low - 1 if least is None else (least + places[0].low)/2
    return [first, *((a.high + b.low)/2 for a, b in zip(places, places[1:])), places[-1].high + 1]


# -- the solution in x for one y ------------------------------------------------------------------------------------

def runs(roots: list[dict[int, int]], sample: Callable[[int], dict[int, int]], holds: Callable[[dict[int, int]], bool]) -> list[Run]:
    """The maximal intervals where `holds` is true, from the signs of all polynomials in the gaps of their roots.

    `roots` : for each distinct root which polynomials vanish there, how often; `sample(j)` : their signs in gap j.
    """
    seen: dict[int, int] = {}
    labels: list[Label] = [None]
    truth: list[bool] = []
    for j, owners in enumerate(roots):
        i = min(owners)
        labels += [(i, seen.get(i, 0))]
        for p, power in owners.items():
            seen[p] = seen.get(p, 0) + power
        signs = sample(j)
        truth += [holds(signs), holds({**signs, **dict.fromkeys(owners, 0)})]
    truth.append(holds(sample(len(roots))))
    labels.append(None)
    return _maximal(truth, labels)


def _maximal(truth: list[bool], labels: list[Label]) -> list[Run]:
    """Gap 0, root 1, gap 1, root 2, ... as runs; labels[0] and labels[-1] are infinite."""
    found: list[Run] = []
    i = 0
    while i < len(truth):
        if truth[i]:
            j = i
            while j + 1 < len(truth) and truth[j + 1]:
                j += 1
            found.append((labels[(i + 1)//2], labels[j//2 + 1] if j % 2 == 0 else labels[(j + 1)//2], i % 2 == 1, j % 2 == 1))
            i = j
        i += 1
    return found


def exact_runs(polynomials: Sequence[Expr], x: Symbol, y: Symbol, at: Fraction, holds: Callable) -> list[Run]:
    """The solution at a fraction y where no polynomial has a double root."""
    own = [Poly(f.subs(y, Rational(at.numerator, at.denominator)), x) for f in polynomials]
    with_roots = [i for i, p in enumerate(own) if p.degree() > 0]
    rows = intervals([own[i] for i in with_roots], strict=True, eps=Rational(1, 1000)) if with_roots else []
    places = _inside([row[0] for row in rows])
    return runs([{with_roots[i]: power for i, power in row[1].items()} for row in rows],
                lambda j: {i: _sign(p(places[j])) for i, p in enumerate(own)}, holds)


def _inside(ends: list) -> list[Any]:
    if not ends:
        return [Rational(0)]
    return [ends[0][0] - 1, *((a[1] + b[0])/2 for a, b in zip(ends, ends[1:])), ends[-1][1] + 1]


def _sign(value: Any) -> int:
    return 1 if value > 0 else -1 if value < 0 else 0


@dataclass(frozen=True)
class Place:
    """The picture over one cut: every polynomial's real roots in rising order, and where the relations hold."""

    values: list[list[Any]]
    runs: list[tuple[Any, Any]]
    labels: list[Run]

    def has(self, run: Run) -> bool:
        """Does the interval between these ends exist here, and does all of it solve the relations?"""
        low, high = (self._end(label, side) for label, side in zip(run[:2], (-1, 1)))
        if low is None or high is None or not low < high:
            return False
        return any(a <= low + TIE and high - TIE <= b for a, b in self.runs)

    def _end(self, label: Label, side: int) -> Any:
        if label is None:
            return side*mpmath.inf
        return self.values[label[0]][label[1]] if label[1] < len(self.values[label[0]]) else None

    def rest(self, kept: list[Run]) -> list[Run]:
        """The runs that the kept ones do not cover."""
        ends = [tuple(self._end(label, side) for label, side in zip(r[:2], (-1, 1))) for r in kept]
        return [label for (a, b), label in zip(self.runs, self.labels)
                if a < b and not any(low <= a + TIE and b - TIE <= high for low, high in ends)]


def place(polynomials: Sequence[Expr], x: Symbol, y: Symbol, cut: Cut, holds: Callable) -> Place:
    """The picture over a cut, in eighty digits."""
    with mpmath.workdps(DIGITS):
        at = cut.value()
        rows = [[_number(c, y, at) for c in Poly(f, x).all_coeffs()] for f in polynomials]
        values = [_real_roots(row) for row in rows]
        merged: list[tuple[Any, dict[int, int]]] = []
        for v, i in sorted((v, i) for i, own in enumerate(values) for v in own):
            if merged and v - merged[-1][0] < TIE:
                merged[-1][1][i] = merged[-1][1].get(i, 0) + 1
            else:
                merged.append((v, {i: 1}))
        spots = _inside([(v, v) for v, _ in merged])
        found = runs([owners for _, owners in merged],
                     lambda j: {i: _sign(_chopped(mpmath.polyval(row, spots[j]))) for i, row in enumerate(rows)}, holds)
        ends = [tuple(side*mpmath.inf if label is None else values[label[0]][label[1]] for label, side in zip(r[:2], (-1, 1)))
                for r in found]
        return Place(values, ends, found)


def _number(c: Expr, y: Symbol, at: Any) -> Any:
    p = [mpmath.mpf(int(k.p))/int(k.q) for k in Poly(c, y).all_coeffs()]
    return _chopped(mpmath.polyval(p, at))


def _chopped(v: Any) -> Any:
    return mpmath.mpf(0) if abs(v) < mpmath.mpf(10)**(-DIGITS//2) else v


def _real_roots(row: list[Any]) -> list[Any]:
    while row and row[0] == 0:
        row = row[1:]
    if len(row) < 2:
        return []
    found = mpmath.polyroots(row, maxsteps=400, extraprec=6*DIGITS)
    return sorted(z.real for z in map(mpmath.mpc, found) if abs(z.imag) < TIE*(1 + abs(z)))


# -- the gaps of y as relations -----------------------------------------------------------------------------------

def stretch(y: Symbol, a: Cut | None, b: Cut | None, shut: tuple[bool, bool]) -> list[tuple[Atom, ...]]:
    """a < y < b (an end that is `shut` belongs to it) as a union of conjunctions of polynomial relations."""
    if a is not None and a is b:
        return [(*make(a.q.as_expr(), "=="), *_near(y, a))]
    c = next((c for c in (a, b) if c is not None and _others(c, a, b)), None)
    if c is not None:
        middle = c.high if c is a else c.low
        edge = Cut(Poly(y - Rational(middle.numerator, middle.denominator), y), middle, middle)
        return [*stretch(y, a, edge, (shut[0], True)), *stretch(y, edge, b, (False, shut[1]))]
    return [tuple(atom for c, side, closed in ((a, 1, shut[0]), (b, -1, shut[1])) if c is not None for atom in _beyond(y, c, side, closed))]


def _near(y: Symbol, c: Cut) -> tuple[Atom, ...]:
    low, high = (Rational(v.numerator, v.denominator) for v in (c.low, c.high))
    return () if c.rational is not None else (*make(y - low, ">"), *make(high - y, ">"))


def _others(c: Cut, a: Cut | None, b: Cut | None) -> bool:
    """Has the polynomial of an end another root on the way to the other end?"""
    low, high = a.high if a is not None else None, b.low if b is not None else None
    ends = (None if v is None else Rational(v.numerator, v.denominator) for v in (low, high))
    return c.rational is None and c.q.count_roots(*ends) > 0


def _beyond(y: Symbol, c: Cut, side: int, closed: bool) -> tuple[Atom, ...]:
    """side*(y - c) > 0 up to the next root of c's polynomial."""
    op = ">=" if closed else ">"
    if c.rational is not None:
        return make(side*(y - c.rational), op)
    edge = c.high if side > 0 else c.low
    up = 1 if c.q(Rational(edge.numerator, edge.denominator)) > 0 else -1
    start = c.low if side > 0 else c.high
    return (*make(up*c.q.as_expr(), op), *make(side*(y - Rational(start.numerator, start.denominator)), ">"))
