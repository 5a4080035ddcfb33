"""Where a mode stays bounded: no eigenvalue outside the closed disk (half plane), those on the rim semisimple."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

import numpy as np
import sympy
from sympy import Expr, Integer, Matrix

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .atoms import Atom, Formula, make
from .claim import Obligation, Stable, _equal, _remainder, _unknown
from .linear import Linear, linearize
from .numbers import formula_holds, polynomials
from .question import Question
from .reduce import Context, reduce, union
from .region import Region, checked
from .relations import assumptions
from .schur import Coefficients, Z, as_poly, with_positive_lead
from .steps import summary


@dataclass(frozen=True)
class Bounded(Stable):
    """No root of the polynomial outside, and no double root on the rim where the matrix is not diagonal there."""

    defects: tuple[tuple[Atom, ...], ...] = ()                           # each conjunction: a double root on the rim, defective

    def holds(self, values: Mapping[Any, Any]) -> tuple[Any, Any]:
        truth: Any = True
        sure: Any = True
        for p in self.polynomials:
            numbers = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in polynomials(p, values)))
            truth, sure = _closed(list(numbers), self.place)
        for a in self.conditions:
            truth = truth & formula_holds(a, values)
        for defect in self.defects:
            truth = truth & ~np.asarray(formula_holds(("and", *defect), values), dtype=bool)
        return truth, sure

    def violated(self) -> list[Obligation]:
        found: list[Obligation] = [(f"{a.expr} fails", (a.negated,)) for a in self.conditions]
        [p] = self.polynomials
        n, r, b, c = len(p) - 1, _unknown("root"), _unknown("pair_b"), _unknown("pair_c")
        disk = self.place == "disk"
        far: Formula = ("or", *make(r - 1, ">"), *make(-r - 1, ">")) if disk else ("and", *make(r, ">"))
        found.append(("a real root outside", (*_equal(sum(a*r**(n - k) for k, a in enumerate(p))), far)))
        if n == 2:
            outside = make(c - 1, ">") if disk else make(-b, ">")
            found.append(("a complex pair outside", (*_remainder(p, b, c), *make(4*c - b**2, ">"), *outside)))
        return found + [("a defective double root on the rim", defect) for defect in self.defects]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        [p] = self.polynomials
        sound = tuple(("or", *(a.negated for a in defect)) for defect in self.defects)
        r, s, b, c = _unknown("root_1"), _unknown("root_2"), _unknown("pair_b"), _unknown("pair_c")

        def near(x: Expr) -> tuple[Atom, ...]:
            return (*make(1 - x, ">="), *make(1 + x, ">=")) if self.place == "disk" else make(-x, ">=")
        if len(p) == 2:
            return [(*self.conditions, *sound, *_equal(p[0]*r + p[1]), *near(r))]
        real = (*_equal(p[1] + p[0]*(r + s)), *_equal(p[2] - p[0]*r*s), *near(r), *near(s))
        inside = make(1 - c, ">=") if self.place == "disk" else make(b, ">=")
        pair = (*_equal(p[1] - p[0]*b), *_equal(p[2] - p[0]*c), *make(4*c - b**2, ">"), *inside)
        return [(*self.conditions, *sound, *case) for case in (real, pair)]

    exact = False
    by_theorem = False


def _closed(p: list[np.ndarray], place: str) -> tuple[np.ndarray, np.ndarray]:
    """Largest modulus (real part) at most one (zero), by the quadratic formula; unsure close to a double root on the rim."""
    with np.errstate(all="ignore"):
        if len(p) == 2:
            roots, apart = [-p[1]/p[0] + 0j], np.full(np.shape(p[0]), np.inf)
        else:
            b, c = p[1]/p[0], p[2]/p[0]
            spread = np.sqrt(b*b - 4*c + 0j)
            roots, apart = [(-b + spread)/2, (-b - spread)/2], np.abs(spread)
        size = np.max([np.abs(z) for z in roots], axis=0) - 1 if place == "disk" else np.max([z.real for z in roots], axis=0)
    rim = np.abs(size) < 1e-7
    return size <= 1e-10, ~((size > 1e-10) & (size < 1e-7)) & ~(rim & (apart < 1e-5))


def bounded(rule: Rule | Linear, *, given: Iterable[Any] = (), mode: Any = "lam", freeze: Iterable[str] = (),
            at: dict | None = None) -> Region:
    """Where every mode stays bounded: spectral radius at most one (flows: abscissa at most zero), semisimple on the rim.

    Parameters as in `stability`. Decided for rules whose minimal polynomial has degree one or two, else `unknown`
    outside the region of `stability`.
    """
    pool.warm()
    try:
        linear = rule if isinstance(rule, Linear) else linearize(rule, mode=mode, freeze=freeze, at=at)
        question = Question(linear, *assumptions(given, linear))
        return _region(question, _minimal(linear))
    except (LinearizeError, pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=str(error))


def _minimal(linear: Linear) -> tuple[Coefficients, int]:
    """The one factor that decides, and the number of roots at zero."""
    if linear.settled:
        raise LinearizeError("the rule depends on k, and a limit k -> oo was taken; what happens on the rim of its region depends "
                             "on how the limit is approached; ask stability for the inside, or write .subs(...) for the last "
                             "value of the schedule")
    zeros = linear.matrix.rows - sum((len(f) - 1)*power for f, power in linear.factors)
    if not linear.factors:
        return (Integer(1), Integer(0)), zeros
    product = sympy.prod([as_poly(f, Z).as_expr() for f, _ in linear.factors])
    p = tuple(sympy.Poly(product, Z).all_coeffs())
    if len(p) > 3:
        raise LinearizeError(f"the minimal polynomial has degree {len(p) - 1}, and boundedness is decided up to degree two")
    if any(power > 1 for _, power in linear.factors) and not _annihilates(p, linear.polynomial_matrix, zeros):
        raise LinearizeError("the matrix has a repeated eigenvalue that is not semisimple, and boundedness is not decided then")
    return p, zeros


def _annihilates(p: Coefficients, matrix: Matrix, zeros: int) -> bool:
    total = sympy.zeros(*matrix.shape)
    for c in p:
        total = total*matrix + c*sympy.eye(matrix.rows)
    return all(sympy.cancel(e) == 0 for e in total*matrix**zeros)


def _region(question: Question, minimal: tuple[Coefficients, int]) -> Region:
    p, zeros = minimal
    p = with_positive_lead(p)
    disk = question.place == "disk"
    rows, kinds = _closed_conditions(p, disk)
    context = Context(question.facts)
    base = [*question.claim.conditions, *(a for e in rows for a in make(e, ">="))]
    defects = _defects(p, question.linear.polynomial_matrix, zeros, disk, context) if len(p) == 3 else []
    cases: list[list[Atom]] = [base]
    for defect in defects:
        if not context.impossible(*base, *defect):
            cases = [[*c, a.negated] for c in cases for a in defect]
    found = union((c for case in cases for c in reduce(_strict(case), context)), context)
    names = {f: kind for e, kind in zip(rows, kinds) for a in make(e, ">=") for f in a.factors}
    whole = question.claim
    claim = Bounded(question.place, (p,), whole.defined, whole.needs, allowed=whole.allowed, defects=tuple(map(tuple, defects)))
    said = "no root outside the disk" if disk else "no root right of the axis"
    steps = summary(question.linear, said, [(e, ">=") for e in rows], context, found, question.definitions)
    return checked(Region(found, question.facts, question.definitions, names, claim, steps, names=question.linear.names))


def _closed_conditions(p: Coefficients, disk: bool) -> tuple[list[Expr], list[str]]:
    """Polynomials that must not be negative, with the kind of boundary where each vanishes."""
    if not disk:
        return list(p[1:]), ["fold"] if len(p) == 2 else ["hopf", "fold"]
    if len(p) == 2:
        return [p[0] - p[1], p[0] + p[1]], ["flip", "fold"]
    return [p[0] + p[1] + p[2], p[0] - p[1] + p[2], p[0] - p[2]], ["fold", "flip", "neimark_sacker"]


def _strict(atoms: list) -> list[Atom]:
    """f >= 0 and f != 0 as f > 0."""
    nonzero = {a.factors for a in atoms if a.op == "!="}
    turned = [Atom(a.factors, ">") if a.op == ">=" and (a.factors in nonzero or _opposite(a) in nonzero) else a for a in atoms]
    return list(dict.fromkeys(turned))


def _opposite(a: Atom) -> tuple[Expr, ...]:
    from .atoms import flipped
    return flipped(a.factors)


def _defects(p: Coefficients, matrix: Matrix, zeros: int, disk: bool, context: Context) -> list[list[Atom]]:
    """A real double root on the rim, once for each way in which the matrix is not diagonal there."""
    found = []
    for z in ((1, -1) if disk else (0,)):
        double = [*_equal(2*p[0]*z + p[1]), *_equal(p[0]*z**2 + p[1]*z + p[2])]
        entries = [sympy.numer(sympy.cancel(e)) for e in matrix**zeros*(matrix - z*sympy.eye(matrix.rows))]
        ways = [make(e, "!=") for e in dict.fromkeys(e for e in entries if e != 0)]
        if any(not way for way in ways) or context.impossible(*double, *(a for e in entries for a in make(e, "=="))):
            found.append(double)                                        # never diagonal there
        else:
            found += [list(dict.fromkeys([*double, *way])) for way in ways]
    return found
