"""The region as intervals of one parameter where its relations are of any degree in it: the ends are real roots.

Units are taken out first (h*lam is one variable). If one parameter is left beside the solved one, its line is cut into cells
(`cells`); if several are left, the number of real roots of each relation is told by the signs of its subresultants (Sturm,
Habicht), and an end is the largest or smallest of those that compete.
"""
from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Iterable

from sympy import Expr, Integer, Max, Min, Poly, Rational, Symbol, oo

from ..core.errors import RuleError
from . import pool
from .atoms import NEVER, Atom, make, sign
from .cells import Cut, Label, Run, between, cuts, exact_runs, place, stretch
from .generators import Generators
from .reduce import Conjunction, Context, positives, reduce, union
from .roots import root
from .smt import weights, without

if TYPE_CHECKING:
    from .region import Region
    from .solve import Branch

MOST = 4000                                                              # combinations of gaps that are looked at


def _units(factors: tuple[Expr, ...], x: Symbol, known: frozenset[Symbol]) -> dict[Symbol, Expr]:
    """Monomials in positive symbols by which the others are measured, so that these symbols drop out; their own unit is zero."""
    symbols = sorted({s for f in factors for s in f.free_symbols}, key=lambda s: (not str(s).startswith("lam"), str(s)))
    scalings, units = weights(factors, symbols), {s: Integer(1) for s in symbols}
    chosen: list[tuple[int, list[Fraction]]] = []
    for i, s in enumerate(symbols):
        pivot = next((w for w in scalings if w[i]), None) if s in known and s != x else None
        if pivot is not None:
            scalings = without(scalings, pivot, i)
            pivot = [a/pivot[i] for a in pivot]
            chosen = [(k, [a - w[i]*b for a, b in zip(w, pivot)]) for k, w in chosen] + [(i, pivot)]      # each moves its own symbol only
    for i, pivot in chosen:
        for y, w in zip(symbols, pivot):
            units[y] *= symbols[i]**Rational(w.numerator, w.denominator)
    return units | {symbols[i]: Integer(0) for i, _ in chosen}


class Line:
    """The relations of one conjunction that hold x, in units that make them as small as possible."""

    def __init__(self, region: "Region", conjunction: Conjunction, x: Symbol, context: Context):
        self.region, self.x, self.context = region, x, context
        self.free = [a for a in conjunction if x not in a.symbols]
        self.atoms = [a for a in conjunction if x in a.symbols]
        known = context.positive | positives(conjunction) | {s for a in conjunction for s in a.symbols if s.is_positive}
        self.factors = list(dict.fromkeys(f for a in self.atoms for f in a.factors))
        self.units = _units(tuple(self.factors), x, known)
        ones = {s: Integer(1) for s, unit in self.units.items() if unit == 0}
        self.polynomials = [f.subs(ones).expand() for f in self.factors] + ([x] if x.is_positive or x in known else [])
        self.floor = len(self.factors) if len(self.polynomials) > len(self.factors) else None        # where x itself stands: x > 0
        self.others = sorted(set().union(*(f.free_symbols for f in self.polynomials)) - {x}, key=str)
        self.known = known

    def holds(self, signs: dict[int, int]) -> bool:
        """Do the relations hold where the polynomials have these signs?"""
        place_of = {f: i for i, f in enumerate(self.factors)}
        for a in self.atoms:
            s = 1
            for f in a.factors:
                s *= signs[place_of[f]]
            if not {">": s > 0, ">=": s >= 0, "==": s == 0, "!=": s != 0}[a.op]:
                return False
        return self.floor is None or signs[self.floor] > 0

    def restored(self, e: Expr) -> Expr:
        """An expression in the small units as one in the parameters."""
        return e.subs({y: y/self.units[y] for y in self.others if self.units[y] != 1}, simultaneous=True)

    def end(self, label: Label, side: int, at: Iterable[dict] = (), walls: Iterable[Cut] = ()) -> Expr:
        """The end that a label names; `at` are samples of the places where it is asked for, `walls` cuts where it is, too."""
        if label is None:
            return side*oo
        f = self.polynomials[label[0]]
        lead = Poly(f, self.x).LC()
        seen = {1 if lead.subs(values) > 0 else -1 for values in at}
        rising = label[2] if len(label) > 2 else seen.pop() if len(seen) == 1 else sign(lead, self.known)
        finite = any(lead.free_symbols and Poly(lead, w.q.gen).rem(w.q).is_zero for w in walls)
        return self.restored(root(f, self.x, label[1], rising, finite))*self.units[self.x]

    def branches(self) -> "list[Branch]":
        """All branches of the conjunction."""
        if not self.others:
            found = exact_runs(self.polynomials, self.x, Symbol("y"), Fraction(0), self.holds)
            return [b for r in found for b in self.branch(self.end(r[0], -1), self.end(r[1], 1), r[2:], [()])]
        return _by_cells(self, self.others[0]) if len(self.others) == 1 else _by_counts(self)

    def branch(self, low: Expr, high: Expr, shut: tuple[bool, bool], conditions: list[tuple[Atom, ...]]) -> "list[Branch]":
        """The branch where one of the conditions holds beside what is free of x; none where that never happens."""
        from .region import Region
        from .solve import Branch
        generators = Generators()
        rows = [[b for a in c for b in make(generators.polynomial(self.restored(a.expr)), a.op)] for c in conditions]
        facts = (*self.region.facts, *generators.facts)
        context = Context(facts, seconds=20)
        parts = union((c for row in rows for c in reduce([*self.free, *row], context)), context)
        if not parts:
            return []
        when = Region(parts, facts, {**self.region.definitions, **generators.meaning}, {}, names=self.region.names)
        return [Branch(when, low, high, str(self.x), shut)]


# -- one other parameter: cells -------------------------------------------------------------------------------------

def _by_cells(line: Line, y: Symbol) -> "list[Branch]":
    positive = y.is_positive or y in line.known
    walls = [c for c in cuts([*line.polynomials, *([y] if positive else [])], line.x, y) if not positive or c.high > 0]
    walls = [c for c in walls if not (positive and c.rational == 0)]
    samples = between(walls, Fraction(0) if positive else None)
    inside = [exact_runs(line.polynomials, line.x, y, at, line.holds) for at in samples]
    places = [place(line.polynomials, line.x, y, c, line.holds) for c in walls]
    stretches = _stretches(inside, places, walls)
    found: list[Branch] = []
    for run, pieces in stretches.items():
        conditions = [c for a, b, shut in pieces for c in stretch(y, a, b, shut)]
        at = [{y: Rational(v.numerator, v.denominator)} for v, rows in zip(samples, inside) if run in rows]
        shut = [wall for *ends, closed in pieces for wall, there in zip(ends, closed) if there]
        found += line.branch(line.end(run[0], -1, at, shut), line.end(run[1], 1, at, shut), run[2:], conditions)
    return found


def _stretches(inside: list[list[Run]], places: list, walls: list[Cut]) -> dict[Run, list]:
    """For each run the intervals of y where it is one: (from, to, do the ends belong to it)."""
    found: dict[Run, list] = {}
    for run in dict.fromkeys(r for rows in inside for r in rows):
        cells = [run in rows for rows in inside]
        shut = [p.has(run) for p in places]
        i = 0
        while i < len(cells):
            if cells[i]:
                j = i
                while j + 1 < len(cells) and cells[j + 1] and shut[j]:
                    j += 1
                ends = (walls[i - 1] if i else None, walls[j] if j < len(walls) else None)
                found.setdefault(run, []).append((*ends, (i > 0 and shut[i - 1], j < len(walls) and shut[j])))
                i = j
            i += 1
    for k, (p, wall) in enumerate(zip(places, walls)):
        covering = [r for r in (*inside[k], *inside[k + 1]) if p.has(r)]
        for run in p.rest(covering):
            found.setdefault(run, []).append((wall, wall, (True, True)))
    return found


# -- several other parameters: numbers of roots ---------------------------------------------------------------------

def _by_counts(line: Line) -> "list[Branch]":
    """One branch for every way to choose a gap of each relation; gaps that never meet are left out where that is decided."""
    if any(len(a.factors) > 1 or a.op not in (">", ">=") for a in line.atoms):
        raise RuleError(f"the region's relations are products of higher degree in {line.x} with several other parameters, so its ends "
                        f"are not told apart here; give some parameters numbers with .subs, or use .contains on a grid of {line.x}")
    choices = [_gaps(line, line.factors.index(a.factors[0]), a.op == ">=") for a in line.atoms]
    if line.floor is not None:
        choices.append([((), (line.floor, 0), None, False)])
    found: list[Branch] = []
    total = 1
    for c in choices:
        total *= len(c)
    if total > MOST:
        raise RuleError(f"the region falls into more than {MOST} pieces along {line.x}; give some parameters numbers with .subs, "
                        f"or use .contains on a grid of {line.x}")
    for chosen in product(*choices):
        conditions = [a for c, *_ in chosen for a in c]
        if line.context.impossible(*line.free, *conditions):
            continue
        lows = [(low, shut) for _, low, _, shut in chosen if low is not None]
        highs = [(high, shut) for _, _, high, shut in chosen if high is not None]
        low, high = (ends(*(line.end(label, side) for label, _ in rows)) if rows else side*oo
                     for ends, rows, side in ((Max, lows, -1), (Min, highs, 1)))
        shut = tuple(bool(rows) and all(s for _, s in rows) for rows in (lows, highs))
        found += line.branch(low, high, shut, [tuple(conditions)])
    return found


def _counts(f: Poly) -> list:
    try:
        return pool.limited(f.degree(), "sturm", "counts", f)
    except (pool.OutOfTime, pool.WorkFailed) as error:
        raise RuleError(f"the real roots of `{f.as_expr()}` in {f.gen} could not be counted ({error}); "
                        "give some parameters numbers with .subs, or use .contains on a grid") from None


def _gaps(line: Line, i: int, shut: bool) -> list[tuple]:
    """(conditions, lower root, upper root, closed) for every gap of polynomial i where it is positive."""
    f = Poly(line.polynomials[i], line.x)
    if f.degree() < 1:
        return [(make(f.as_expr(), ">=" if shut else ">"), None, None, shut)]
    found: list[tuple] = []
    for lead, side in ((1, make(f.LC(), ">")), (-1, make(-f.LC(), ">"))):
        for condition, n in _counts(f):
            for j in range(n + 1):                                      # gap j lies right of j roots
                if lead*(-1)**(n - j) > 0:
                    found.append(((*side, *condition), (i, j - 1, lead) if j else None, (i, j, lead) if j < n else None, shut))
    if not sign(f.LC(), line.known):
        line.polynomials.append((f - f.LC()*line.x**f.degree()).as_expr().expand())
        found += [((*make(f.LC(), "=="), *c), *rest) for c, *rest in _gaps(line, len(line.polynomials) - 1, shut)]
    return [g for g in found if NEVER not in g[0]]
