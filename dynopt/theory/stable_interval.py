"""How far a scheme is stable on the real and on the imaginary axis: algebraic numbers, by isolating roots."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable

import sympy
from sympy import Expr, Integer

from ..core.errors import RuleError
from ..core.expr import leaf
from ..core.rule import Flow, Method
from ..core.strings import rule_from_nodes
from .complex_plane import factors_of, scheme_on_test
from .symbols import symbol

REAL = symbol("y")


@dataclass(frozen=True)
class Interval:
    """How far a scheme is stable for x' = -y x (`real`) and x' = i y x (`imag`), h = 1: algebraic numbers, oo, or 0.

    A scheme of positions and velocities has `imag` from x'' = -y^2 x and no `real`.
    """

    real: Expr | None
    imag: Expr


def stability_interval(scheme: Callable[[Flow], Method]) -> Interval:
    """The longest intervals 0 < y <= real, imag on which no solution of x' = -y x, x' = i y x grows, h = 1.

    |R(z)| <= 1 for one-step schemes, the root condition for multistep ones; ends are exact roots of polynomials.

    >>> from dynopt import rk4
    >>> stability_interval(rk4).imag
    2*sqrt(2)
    """
    try:
        made = scheme_on_test(scheme)
    except RuleError:
        return Interval(None, _first_exit(_on_oscillator(scheme)))
    made = made.subs(theta="1/2") if "theta" in made.params else made
    p = factors_of(made, sympy.Dummy("zeta"))
    return Interval(*(_first_exit(sympy.Poly(p.as_expr().subs(symbol("a"), z*REAL), p.gen)) for z in (Integer(-1), sympy.I)))


def _on_oscillator(scheme: Callable[[Flow], Method]) -> sympy.Poly:
    x, v, y = leaf("state", "x"), leaf("state", "v"), leaf("param", "y")
    made = scheme(rule_from_nodes(Flow, "oscillator", ("x", "v"), [v, -(y*y)*x]))
    return factors_of(made.subs(h=1), sympy.Dummy("zeta"))                                   # type: ignore[arg-type]


def _first_exit(p: sympy.Poly) -> Expr:
    """The first y > 0 beyond which a root lies outside the unit disk: a common root of p and its reflection, or the end at infinity."""
    mirror = sympy.Poly([sympy.conjugate(c) for c in p.all_coeffs()][::-1], p.gen)
    resultant = sympy.expand(sympy.resultant(p.as_expr(), mirror.as_expr(), p.gen))
    parts = [sympy.Poly(e, REAL) for e in map(sympy.expand, resultant.as_real_imag()) if e != 0]
    if not parts:                                              # a root stays on the circle: it leaves where it meets another one
        double = map(sympy.expand, sympy.expand(sympy.discriminant(p)).as_real_imag())
        parts = [sympy.Poly(e, REAL) for e in double if e != 0] or [sympy.Poly(1, REAL)]
    common = parts[0] if len(parts) == 1 else sympy.gcd(parts[0], parts[1])
    marks = positive_roots(common.sqf_part()) if common.degree() > 0 else []
    starts, ends = [Integer(0), *(b for _, b in marks)], [*(a for a, _ in marks), None]
    for i, (low, high) in enumerate(zip(starts, ends)):
        beyond = low + 1 if high is None else (low + high)/2
        if _grows(p, Fraction(int(beyond.p), int(beyond.q))):
            return root_within(common, *marks[i - 1]) if i else Integer(0)
    return sympy.oo


def positive_roots(p: sympy.Poly) -> list[tuple[Any, Any]]:
    """Closed intervals with rational ends around the positive roots, in rising order and apart from each other and from 0 (Sturm)."""
    p = p.terms_gcd()[1]                                                   # without the root 0
    found = [ends for ends in p.intervals(sqf=True) if ends[1] > 0]
    while any(b >= a for (_, b), (a, _) in zip([(0, 0), *found], found)):
        found = [p.refine_root(a, b, eps=(b - a)/16) if a < b else (a, b) for a, b in found]
        found = [ends for ends in found if ends[1] > 0]
    return found


def root_within(p: sympy.Poly, low: Any, high: Any) -> Expr:
    """The one root of p in an interval, exact."""
    for factor, _ in p.factor_list()[1]:
        if factor.count_roots(low, high):
            if factor.degree() == 1:
                return -factor.TC()/factor.LC()
            return _radical(sympy.rootof(factor, factor.count_roots(None, high) - 1))
    raise RuleError(f"internal: {p!r:.60} has no root between {low} and {high}")


def _grows(p: sympy.Poly, y: Fraction) -> bool:
    """Whether a root lies outside the unit disk at a rational point that is no boundary, by Schur-Cohn in exact arithmetic."""
    at = [sympy.expand(c.subs(REAL, sympy.Rational(y.numerator, y.denominator))) for c in p.all_coeffs()]
    while len(at) > 1:
        first, last = at[0], at[-1]
        gap = sympy.expand(first*sympy.conjugate(first) - last*sympy.conjugate(last))
        if gap < 0:
            return True
        if gap == 0:                                                       # a root on the circle at every point: it stays there
            return any(abs(complex(r)) > 1 + 1e-12 for r in sympy.Poly(at, sympy.Dummy()).nroots(n=30))
        mirrored = [sympy.conjugate(c) for c in at[::-1]]
        at = [sympy.expand(sympy.conjugate(first)*a - last*b) for a, b in zip(at, mirrored)][:-1]
    return False


def _radical(root: Expr) -> Expr:
    """A root in radicals where it is short."""
    if isinstance(root, sympy.CRootOf) and root.poly.degree() > 2:
        return root
    return sympy.sqrtdenest(sympy.radsimp(root)) if root.is_number else root
