"""A region as intervals of one parameter: lower < x < upper, each with the condition on the other parameters.

Where every relation of a conjunction is linear in x, the set is one interval for fixed other parameters, and the ends are tried in
pairs: the pair (L, U) is right where both slopes have their sign, L < U, and every other relation holds at both ends. A single
quadratic relation is solved by cases; everything else goes to `solve_roots`.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import CRootOf, Expr, Pow, Rational, Symbol, fraction, oo, sqrt, sstr, together

from ..core.errors import ParameterError, RuleError
from .atoms import Atom, Formula, atoms_of, flipped, make, negation, sign
from .letters import Letters
from .numbers import expression
from .reduce import Conjunction, Context, cases, reduce, union
from .roots import Root
from .solve_roots import Line
from .symbols import symbol

if TYPE_CHECKING:
    from .region import Region


@dataclass(frozen=True)
class Branch:
    """lower < x < upper wherever `when` (itself a region) holds; the bounds are expressions or infinite."""

    when: "Region"
    lower: Expr
    upper: Expr
    name: str
    closed: tuple[bool, bool] = (False, False)

    def at(self, **values: Any) -> tuple[Any, Any]:
        """Both ends where the other parameters have these values (numbers or arrays); nan where the branch does not hold.

        >>> from dynopt import heavy_ball, stability
        >>> stability(heavy_ball).solve("eta")[0].at(beta=.5, lam=[1., 2.])[1].tolist()
        [3.0, 1.5]
        """
        free = {str(s) for s in self.when.free_symbols}
        arrays = {symbol(n): np.asarray(v, dtype=float) for n, v in values.items()}
        missing = sorted({str(s) for e in (self.lower, self.upper) for s in e.free_symbols} | free - set(values))
        if set(missing) - set(values):
            raise ParameterError(f"at: missing {', '.join(n for n in missing if n not in values)}; expected values for {', '.join(missing)}")
        when = self.when.contains(**{n: v for n, v in values.items() if n in free}) if free else bool(self.when.union)
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values())) if arrays else ()
        with np.errstate(all="ignore"):
            ends = [np.where(when, np.broadcast_to(expression(e, arrays), shape), np.nan) for e in (self.lower, self.upper)]
        return (ends[0], ends[1]) if shape else (float(ends[0]), float(ends[1]))

    def __str__(self) -> str:
        letters = Letters()
        if self.lower == self.upper:
            condition = str(self.when)
            return f"{self.name} = {shown(self.lower, letters)}" + ("" if condition == "all parameters" else f"  when  {condition}")
        signs = [("<=" if c else "<") for c in self.closed]
        parts = [f"{shown(self.lower, letters)} {signs[0]} " if self.lower != -oo else "", self.name,
                 f" {signs[1]} {shown(self.upper, letters)}" if self.upper != oo else ""]
        condition = str(self.when)
        parts[1] += " real" if self.lower == -oo and self.upper == oo else ""
        return "".join(parts) + ("" if condition == "all parameters" else f"  when  {condition}")

    __repr__ = __str__


def shown(e: Expr, letters: Letters) -> str:
    """A bound as it is typeset."""
    if not e.is_rational_function() or e.has(CRootOf, Root) or any(not p.exp.is_Integer for p in e.atoms(Pow)):
        return sstr(e)
    over, under = fraction(together(e))
    return letters.quotient(over.expand(), under.expand())


@dataclass(frozen=True)
class Bound:
    """One end: x = value where `slope > 0` (lower) or `slope < 0` (upper); `linear` is None for a root of a parabola."""

    value: Expr
    slope: Expr
    rest: Expr
    closed: bool


def solve(region: "Region", x: Symbol) -> tuple[Branch, ...]:
    """All branches; () where the region is empty."""
    if x not in region.free_symbols:
        return (Branch(region, _least(x), oo, str(x)),) if region.union else ()
    through = {g: e for g, e in region.definitions.items() if e.has(x)}
    if len(through) == 1 and all(e.is_Pow and e.base == x and e.exp.is_Rational for e in through.values()):
        [(g, e)] = through.items()
        return _through_root(region, x, g, int(1/e.exp))
    if through:
        raise RuleError(f"the region depends on {x} through {next(str(e) for e in region.definitions.values() if e.has(x))}; "
                        "solve it for another parameter, or substitute a parameter of its own first")
    context = Context(region.facts, seconds=20)
    found = [b for whole in region.union for c in cases(whole, context, x) for b in _branches(region, c, x, context)]
    found = _without_covered(found, x, region, context)
    found = [replace(b, lower=b.lower.subs(region.definitions), upper=b.upper.subs(region.definitions)) for b in found]
    return tuple(sorted(found, key=lambda b: (b.lower != 0, str(b.when))))


def _through_root(region: "Region", x: Symbol, g: Symbol, q: int) -> tuple[Branch, ...]:
    """The branches in x, which stands there as g = x**(1/q), from those in g."""
    r = Symbol(f"{'sqrt' if q == 2 else f'root{q}'}_{x}", positive=True)
    table = {x: r**q, g: r}
    facts = tuple(f for f in region.facts if not any({x, g} & a.symbols for a in atoms_of(f)))
    parts = tuple(tuple(b for a in c for b in a.subs(table)) for c in region.union)
    inner = replace(region, union=parts, facts=facts, definitions={s: e for s, e in region.definitions.items() if s != g})
    return tuple(replace(b, lower=b.lower**q, upper=b.upper**q, name=str(x)) for b in solve(inner, r))


def _without_covered(found: list[Branch], x: Symbol, region: "Region", context: Context) -> list[Branch]:
    """Without the branches whose points all lie in the others (two ends that are one and the same only where mu = L, say)."""
    kept = list(found)
    for b in sorted(found, key=lambda b: sum(a.size[1] for c in b.when.union for a in c), reverse=True):
        others = [_points(o, x) for o in kept if o is not b and _rational(o) and len(o.when.definitions) == len(region.definitions)]
        if others and context.impossible(_points(b, x), *map(negation, others)):
            kept = [o for o in kept if o is not b]
    return kept


def _rational(b: Branch) -> bool:
    return all(e in (oo, -oo) or e.is_rational_function() for e in (b.lower, b.upper))


def _points(b: Branch, x: Symbol) -> Formula:
    """The branch as a formula in all parameters; an end that holds a root is left out, which makes the set larger."""
    ends = [make(sign_*(x - e), ">=" if shut else ">") for e, sign_, shut in zip((b.lower, b.upper), (1, -1), b.closed)
            if e not in (oo, -oo) and e.is_rational_function()]
    return ("and", ("or", *(("and", *c) for c in b.when.union)), *(a for end in ends for a in end))


def _least(x: Symbol) -> Expr:
    return Rational(0) if x.is_positive else -oo


def _branches(region: "Region", conjunction: Conjunction, x: Symbol, context: Context) -> list[Branch]:
    free = [a for a in conjunction if x not in a.symbols]
    bound = [a for a in conjunction if x in a.symbols]
    curved = [a for a in bound if a.factors[0].diff(x, 2).expand() != 0]
    if curved or any(len(a.factors) > 1 for a in bound):
        line, alone = Line(region, conjunction, x, context), len(bound) == len(curved) == 1 and _quadratic(bound[0], x)
        return _parabola(region, free, bound[0], x, context) if alone and len(line.others) > 1 else line.branches()
    bound = [b for a in bound for b in _inequalities(a)]
    return _between(region, free, [Bound(-r/s, s, r, a.op == ">=") for a in bound for s, r in [_line(a, x)]], x, context)


def _inequalities(a: Atom) -> tuple[Atom, ...]:
    """An equation as two bounds that meet."""
    return (Atom(a.factors, ">="), Atom(flipped(a.factors), ">=")) if a.op == "==" else (a,)


def _quadratic(a: Atom, x: Symbol) -> bool:
    return len(a.factors) == 1 and a.op == ">" and a.factors[0].diff(x, 3).expand() == 0


def _between(region: "Region", free: list[Atom], lines: list[Bound], x: Symbol, context: Context) -> list[Branch]:
    """One branch for each pair of lines that can be the two ends."""
    lines = list(lines)
    if x.is_positive:
        lines.append(Bound(Rational(0), Rational(1), Rational(0), False))
    found: list[Branch] = []
    for low in [*(b for b in lines if sign(b.slope) >= 0), None]:
        for high in [*(b for b in lines if sign(b.slope) <= 0), None]:
            if low is not high or low is None:
                found += _pair(region, free, lines, low, high, x, context)
    return found


def _line(a: Atom, x: Symbol) -> tuple[Expr, Expr]:
    f = a.factors[0].expand()
    return f.coeff(x, 1), f.coeff(x, 0)


def _pair(region: "Region", free: list[Atom], lines: list[Bound], low: Bound | None, high: Bound | None, x: Symbol,
          context: Context) -> list[Branch]:
    """The branch between two ends, empty list where it never occurs."""
    asks: list[Atom] = list(free)
    if low is not None:
        asks += make(low.slope, ">")
    if high is not None:
        asks += make(-high.slope, ">")
    if low is not None and high is not None:                            # -r/s < -r'/s' with s > 0 > s'; equal where both belong to it
        asks += make(high.rest*low.slope - low.rest*high.slope, ">=" if low.closed and high.closed else ">")
    for b in lines:
        if b is not low and b is not high:
            asks += _stays(b, low, high)
    parts = reduce(asks, context)
    if not parts:
        return []
    when = _when(region, parts, context)
    ends = (low.value if low else -oo, high.value if high else oo)
    return [Branch(when, *ends, str(x), (bool(low and low.closed), bool(high and high.closed)))]


def _stays(b: Bound, low: Bound | None, high: Bound | None) -> list[Atom]:
    """b holds at both ends, and somewhere between them strictly."""
    at_low = (b.rest*low.slope - b.slope*low.rest) if low else -b.slope
    at_high = (b.slope*high.rest - b.rest*high.slope) if high else b.slope
    closed_low, closed_high = (not b.closed and end is not None and end.closed for end in (low, high))
    total = [*make(at_low, ">" if closed_low else ">="), *make(at_high, ">" if closed_high else ">=")]
    if low is None or high is None:
        inside = at_low + b.slope if low else at_high - b.slope if high else b.rest
        return [*total, *make(inside, ">=" if b.closed else ">")]
    if b.closed:
        return total
    return [*total, *make(at_low - at_high*low.slope/high.slope, ">")]


def _when(region: "Region", parts: tuple[Conjunction, ...], context: Context) -> "Region":
    from .region import Region
    return Region(union(parts, context), region.facts, region.definitions, {}, names=region.names)


def _parabola(region: "Region", free: list[Atom], bound: Atom, x: Symbol, context: Context) -> list[Branch]:
    """The cases of one quadratic relation a*x**2 + b*x + c > 0."""
    f = bound.factors[0].expand()
    a, b, c = f.coeff(x, 2), f.coeff(x, 1), f.coeff(x, 0)
    root = sqrt((b**2 - 4*a*c).factor())
    ends = {"first": (-b - root)/(2*a), "second": (-b + root)/(2*a), "least": _least(x), "most": oo}
    found: list[Branch] = []
    for low, high, asks in _quadratic_cases(a, b, c, bool(x.is_positive)):
        parts = reduce([*free, *asks], context)
        if parts:
            found.append(Branch(_when(region, parts, context), ends[low], ends[high], str(x)))
    if not sign(a) and reduce([*free, *make(a, "==")], context):
        found += _branches(region, (*free, *make(a, "=="), *make(b*x + c, ">")), x, context)
    return found


def _quadratic_cases(a: Expr, b: Expr, c: Expr, positive: bool) -> list[tuple[str, str, tuple[Atom, ...]]]:
    """Ends and conditions; for a < 0 `second` is the smaller root. Where x > 0, the signs of b and c place the roots."""
    disc = b**2 - 4*a*c
    falling, rising = make(-a, ">"), make(a, ">")
    if not positive:
        return [("second", "first", (*falling, *make(disc, ">"))), ("least", "first", (*rising, *make(disc, ">="))),
                ("second", "most", (*rising, *make(disc, ">="))), ("least", "most", (*rising, *make(-disc, ">")))]
    apart = (*rising, *make(c, ">"), *make(-b, ">"), *make(disc, ">="))
    return [("least", "first", (*falling, *make(c, ">"))),
            ("second", "first", (*falling, *make(-c, ">="), *make(b, ">"), *make(disc, ">"))),
            ("second", "most", (*rising, *make(-c, ">="))),
            ("least", "first", apart), ("second", "most", apart),
            ("least", "most", (*rising, *make(c, ">"), *make(b, ">="))),
            ("least", "most", (*rising, *make(-disc, ">"), *make(-b, ">")))]
