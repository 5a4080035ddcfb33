"""Stability for every curvature of an interval: exact where the conditions are quadratic in lam, else proposed and proved."""
from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, Sequence

from sympy import Expr, Symbol, latex

from ..core.errors import RuleError
from .algebra import LinearizeError
from .atoms import Atom, Formula, make
from .letters import Letters
from .mode import as_expression, no_clash
from .reduce import Context, reduce, union
from .relations import union_of
from .show import write
from .steps import Lines, derivation
from .symbols import symbol

if TYPE_CHECKING:
    from .every import Every
    from .plane import Plane
    from .question import Question
    from .region import Region

LAM = symbol("lam")


def every_curvature(question: "Question", over: tuple) -> "Region":
    """The region of the other parameters that are stable for all lam in [low, high] (low = 0: in (0, high])."""
    low, high, facts = _interval(over, question)
    question.facts = tuple(dict.fromkeys([*question.facts, *facts]))
    context = Context(question.facts, seconds=15)
    atoms, kinds = question.atoms(question.conditions())
    parts = reduce(atoms, context)
    asked = [("and", *(always(a, low, high) for a in c)) for c in parts]
    cases = [union_of(formula) for formula in asked]
    found = union((c for case in cases for conj in case for c in reduce(conj, context)), context)
    gapless = _sure(found, parts, low, high, context)
    at_ends = {g: kind for f, kind in kinds.items() for v in (low, high) for a in make(f.subs(LAM, v), ">") for g in a.factors}
    told = context.again()
    steps = Lines(lambda: (*derivation(question.linear, question.conditions(), told, parts, question.definitions),
                           _last_step(question, found, low, high, told)))
    from .between import Between
    from .every import Every
    claim = Between(question.claim, low, high, parts[0], asked[0], gapless) if gapless else Every(question.claim, low, high)
    return _finished(question, found, claim, at_ends, steps)


def _last_step(question: "Question", found: tuple, low: Expr, high: Expr, context: Context) -> str:
    letters = Letters("latex", question.definitions)
    first = "(0" if low == 0 else f"[{latex(low)}"
    return rf"\text{{for every }} \lambda \in {first}, {latex(high)}] \iff {write(found, context, letters, {})}"


def _interval(over: Any, question: "Question") -> tuple[Expr, Expr, list[Atom]]:
    try:
        low, high = (as_expression(v) for v in (over if not isinstance(over, str) else ()))
    except (TypeError, ValueError):                                     # RuleError is a ValueError
        raise RuleError(f'over={over!r:.60}, expected the two ends of an interval, as in over=("mu", "L")') from None
    if not all(e.is_rational_function() for e in (low, high)):
        raise RuleError(f"over={over!r:.60}, expected ends that are names, numbers or fractions of such; give a root a name of its own")
    own = {n for n in question.linear.names if n not in ("mu", "L")} | {"lam"}          # mu and L mean the ends, whoever has them
    no_clash("over", f"{over!r:.60}", low.free_symbols | high.free_symbols, own)
    if set(question.linear.curvatures) - {LAM}:
        raise LinearizeError("over= asks for one real curvature lam; this rule has several, or a complex one")
    if (low.is_number and low < 0) or (high.is_number and high <= 0) or (low.is_number and high.is_number and low > high):
        raise RuleError(f"over={over!r:.60}, expected 0 <= mu <= L")
    return low, high, [*make(high - low, ">="), *make(low, ">="), *make(high, ">")]


def always(a: Atom, low: Expr, high: Expr) -> Formula:
    """The relation for all lam of the interval: exact up to degree two, else what both ends ask for."""
    if LAM not in a.symbols:
        return a
    e = a.expr.expand()
    degree = _degree(e, LAM)
    ends = [("and", *make(e.subs(LAM, high), a.op)), ("and", *make(e.subs(LAM, low), ">=" if low == 0 and a.op == ">" else a.op))]
    if degree == 1 and a.op == "!=":                                    # never zero: of one sign at both ends
        both = e.subs(LAM, low)*e.subs(LAM, high)
        return ("and", *make(e.subs(LAM, high), "!="), *make(both, ">=" if low == 0 else ">"))
    if degree < 2 or a.op != ">":
        return ("and", *ends)
    if low == 0 and degree == 2:
        ends = ends[:1] + [("or", ("and", *make(e.subs(LAM, 0), ">")), _grows(e))]
    if degree > 2:
        return ("and", *ends)
    q, b, c = e.coeff(LAM, 2), e.coeff(LAM, 1), e.coeff(LAM, 0)
    no_dip = ((-q, ">="), (b + 2*q*low, ">="), (-b - 2*q*high, ">="), (4*q*c - b**2, ">"))     # one of these keeps it up
    return ("and", *ends, ("or", *(("and", *make(x, op)) for x, op in no_dip)))


def _grows(e: Expr) -> Formula:
    """Zero at lam = 0 and positive just above it."""
    b, c, q = e.coeff(LAM, 1), e.coeff(LAM, 0), e.coeff(LAM, 2)
    return ("and", *make(c, "=="), ("or", ("and", *make(b, ">")), ("and", *make(b, "=="), *make(q, ">"))))


def _degree(e: Expr, x: Symbol) -> int:
    from sympy import degree
    return int(degree(e, x))


def _sure(found: tuple, parts: tuple, low: Expr, high: Expr, context: Context) -> "Plane | None":
    """No curvature of the interval leaves the region where the answer holds; the ends show that nothing smaller is needed.

    The plane of `between` where that told it, None where z3 did.
    """
    inside = [*(make(LAM - low, ">=") if low != 0 else ()), *make(high - LAM, ">=")]
    outside = [("or", *(a.negated for a in c)) for c in parts]
    if any(not context.impossible(*c, *inside, *outside) for c in found):
        ends = low.free_symbols | high.free_symbols
        from .between import without_gap
        gapless = without_gap(parts[0], context.facts, frozenset(ends), low == 0) if len(parts) == 1 else None
        if gapless is None:
            raise LinearizeError("stability at both ends of the interval of curvatures could not be carried over to its inside")
        return gapless
    if len(parts) > 1:
        ends = [v for v in (low, high) if v != 0]
        needed = [[b for c, v in zip(pieces, ends) for a in c for b in a.subs({LAM: v})]
                  for pieces in product(parts, repeat=len(ends))]
        rest = [("or", *(a.negated for a in c)) for c in found]
        if any(not context.impossible(*conj, *rest) for conj in needed):
            raise LinearizeError("the region falls into several pieces, and a curvature may lie in another piece than the ends")
    return None


def _finished(question: "Question", found: tuple, claim: "Every", kinds: dict, steps: Sequence[str]) -> "Region":
    from .region import Region, checked
    ends = [str(s) for e in (claim.low, claim.high) for s in sorted(e.free_symbols, key=str)]
    names = tuple(n for n in dict.fromkeys([*question.linear.names, *ends]) if n != "lam")
    return checked(Region(found, question.facts, question.definitions, kinds, claim, steps, names=names))
