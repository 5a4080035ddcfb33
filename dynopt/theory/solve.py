"""A region as intervals of one parameter: lower < x < upper, each with the condition on the other parameters.

In each conjunction every relation must be linear in x, so that for fixed other parameters the set is one interval; a single
quadratic relation is solved by cases, and one beside others is split into two lines through the root of its discriminant.
The ends are tried in pairs: the pair (L, U) is right where both slopes have their sign, L < U, and every other relation
holds at both ends.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sympy import Expr, Rational, Symbol, cancel, fraction, oo, sqrt, sstr, together

from ..core.errors import RuleError
from .atoms import NEVER, Atom, Formula, make, negation, sign
from .generators import Generators
from .letters import Letters
from .reduce import Conjunction, Context, cases, reduce, union

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

    def __str__(self) -> str:
        letters = Letters()
        signs = [("<=" if c else "<") for c in self.closed]
        parts = [f"{shown(self.lower, letters)} {signs[0]} " if self.lower != -oo else "", self.name,
                 f" {signs[1]} {shown(self.upper, letters)}" if self.upper != oo else ""]
        condition = str(self.when)
        parts[1] += " real" if self.lower == -oo and self.upper == oo else ""
        return "".join(parts) + ("" if condition == "all parameters" else f"  when  {condition}")

    __repr__ = __str__


def shown(e: Expr, letters: Letters) -> str:
    """A bound as it is typeset."""
    if not e.is_rational_function():
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
    if any(e.has(x) for e in region.definitions.values()):
        raise RuleError(f"the region depends on {x} through {next(str(e) for e in region.definitions.values() if e.has(x))}; "
                        "solve it for another parameter, or substitute a parameter of its own first")
    context = Context(region.facts, seconds=20)
    found = [b for whole in region.union for c in cases(whole, context, x) for b in _branches(region, c, x, context)]
    return tuple(sorted(_without_covered(found, x, region, context), key=lambda b: (b.lower != 0, str(b.when))))


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
    if any(len(a.factors) > 1 or a.factors[0].diff(x, 3).expand() != 0 or (a in curved and a.op != ">") for a in bound):
        raise RuleError(f"the region's relations are of higher degree in {x}, so its ends have no closed form here; "
                        f"use .conditions, or .contains on a grid of {x}")
    if len(bound) == len(curved) == 1:
        return _parabola(region, free, bound[0], x, context)
    lines = [Bound(-r/s, s, r, a.op == ">=") for a in bound if a not in curved for s, r in [_line(a, x)]]
    return _between(region, free, lines, x, context) if not curved else _curved(region, free, lines, curved, x)


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
    if low is not None and high is not None:
        asks += make(high.rest*low.slope - low.rest*high.slope, ">")    # -r/s < -r'/s' with s > 0 > s'
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
    total = make(at_low, ">=") + make(at_high, ">=")
    if low is None or high is None:
        inside = at_low + b.slope if low else at_high - b.slope if high else b.rest
        return [*total, *make(inside, ">")]
    return [*total, *make(at_low - at_high*low.slope/high.slope, ">")]


def _when(region: "Region", parts: tuple[Conjunction, ...], context: Context) -> "Region":
    from .region import Region
    return Region(union(parts, context), region.facts, region.definitions, {}, names=region.names)


def _curved(region: "Region", free: list[Atom], lines: list[Bound], curved: list[Atom], x: Symbol) -> list[Branch]:
    """Quadratic relations beside others: each is a product of two lines that hold the root of its discriminant."""
    cases: list[tuple] = [(region, list(free), list(lines), [])]
    for atom in curved:
        f = atom.factors[0].expand()
        cases = [c for case in cases for c in _split(case, f.coeff(x, 2), f.coeff(x, 1), f.coeff(x, 0))]
    found: list[Branch] = []
    for inner, asks, straight, real in cases:
        for b in _between(inner, asks, straight, x, Context(inner.facts, seconds=20)):
            values = [cancel(e.subs(inner.definitions)) if e.free_symbols else e for e in (b.lower, b.upper)]
            found.append(replace(b, lower=values[0], upper=values[1], when=_with_real_roots(b.when, real, region)))
    return found


def _split(case: tuple, a: Expr, b: Expr, c: Expr) -> list[tuple]:
    """a*x**2 + b*x + c > 0 as (2*a*x + b - w)*(2*a*x + b + w)/a > 0 with w the root of the discriminant."""
    region, asks, lines, real = case
    disc = (b**2 - 4*a*c).expand()
    generators = Generators()
    w = generators.polynomial(sqrt(disc.factor()))
    rooted = replace(region, facts=(*region.facts, *generators.facts), definitions={**region.definitions, **generators.meaning})
    up, down = (Bound(-(b - w)/(2*a), 2*a, b - w, False), Bound(-(b + w)/(2*a), -2*a, -b - w, False))
    rise, fall = (*asks, *make(a, ">")), (*asks, *make(-a, ">"))
    real = [*real, *make(disc, ">=")]
    pieces = [(rooted, [*rise], [*lines, up], real), (rooted, [*rise], [*lines, down], real),
              (region, [*rise, *make(-disc, ">")], lines, real[:-1] if make(disc, ">=") else real),
              (rooted, [*fall], [*lines, replace(up, slope=-2*a, rest=w - b), replace(down, slope=2*a, rest=b + w)], real),
              (region, [*asks, *make(a, "==")], [*lines, Bound(-c/b if b != 0 else oo, b, c, False)], real)]
    return [p for p in pieces if NEVER not in p[1]]


def _with_real_roots(when: "Region", real: list[Atom], region: "Region") -> "Region":
    """That the roots in the ends are real, said where the rest does not say it."""
    plain = Context(region.facts)
    parts = []
    for c in when.union:
        known = [a for a in c if not any(s in when.definitions for s in a.symbols)]
        parts.append((*c, *(a for a in real if not plain.implies(known, a))))
    return replace(when, union=tuple(parts))


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
