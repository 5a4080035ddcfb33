"""The pieces of a region's rim that a root really crosses, and whether the motion on them stays bounded."""
from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr

from .atoms import Atom, Formula, first_coefficient, flipped, make, negative
from .letters import Letters
from .reduce import Conjunction, Context
from .schur import Coefficients

if TYPE_CHECKING:
    from .region import Boundary, Region

AT = {("fold", "disk"): 1, ("flip", "disk"): -1, ("fold", "half_plane"): 0}


def boundaries(region: "Region") -> "tuple[Boundary, ...]":
    """One boundary for each curve that touches the region, in the order fold, flip, neimark_sacker, hopf."""
    from .region import Boundary
    context, found = Context(region.facts), {}
    for conjunction in region.union:
        for atom in conjunction:
            for f in atom.factors:
                kind = region.kinds.get(f, region.kinds.get(flipped((f,))[0]))
                if kind and (kind, f) not in found and (kind, flipped((f,))[0]) not in found:
                    near = _rim(conjunction, atom, f)
                    if context.ask(*near).verdict != "unsat":
                        found[kind, f] = _semisimple(region, kind, near, context)
    order = ("fold", "flip", "neimark_sacker", "hopf")
    shown = sorted(found.items(), key=lambda p: order.index(p[0][0]))
    upright = [(kind, curve if first_coefficient(curve) > 0 else negative(curve), safe) for (kind, curve), safe in shown]
    letters = Letters("text", region.definitions)
    return tuple(Boundary(kind, curve.subs(region.definitions), safe, letters.product(curve)) for kind, curve, safe in upright)


def _rim(conjunction: Conjunction, atom: Atom, f: Expr) -> tuple[Formula, ...]:
    """On the curve f = 0, where the other relations hold strictly."""
    others = [Atom(a.factors, ">" if a.op == ">=" else a.op) for a in conjunction if a is not atom]
    rest = [Atom((g,), "!=") for g in atom.factors if g != f]
    return (Atom((f,), "=="), *others, *rest)


def _semisimple(region: "Region", kind: str, near: tuple[Formula, ...], context: Context) -> bool | None:
    """Is the root on the circle simple on all of the curve?"""
    claim = region.claim
    place, polynomials = getattr(claim, "place", None), getattr(claim, "polynomials", ())
    if place is None:
        return None
    point = AT.get((kind, place))
    verdicts = []
    for p in polynomials:
        if point is not None:
            double = (*make(_value(p, point), "=="), *make(_value(_derivative(p), point), "=="))
            verdicts.append(context.impossible(*near, *double))
        elif len(p) > 4:
            verdicts.append(None)                                       # two pairs on the circle could coincide
        elif len(p) == 3:
            verdicts.append(context.impossible(*near, *make(p[1]**2 - 4*p[0]*p[2], "==")))
        else:
            verdicts.append(True)                                       # a cubic holds one pair only
    if len(polynomials) > 1 or any(power > 1 for power in getattr(claim, "powers", ())):
        return None if None in verdicts or not all(verdicts) else _only_one(polynomials, point, near, context)
    return None if None in verdicts else all(verdicts)


def _only_one(polynomials: tuple[Coefficients, ...], point: int | None, near: tuple[Formula, ...],
              context: Context) -> bool | None:
    """No two factors have the same root on the circle."""
    if point is None:
        return None
    for i, p in enumerate(polynomials):
        for q in polynomials[i + 1:]:
            if not context.impossible(*near, *make(_value(p, point), "=="), *make(_value(q, point), "==")):
                return None
    return True


def _value(p: Coefficients, z: int) -> Expr:
    n = len(p) - 1
    return sum(c*z**(n - k) for k, c in enumerate(p)).expand()


def _derivative(p: Coefficients) -> Coefficients:
    n = len(p) - 1
    return tuple((n - k)*c for k, c in enumerate(p[:-1]))
