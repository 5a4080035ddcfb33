"""Where a mode oscillates: the matrix has an eigenvalue that is not real."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping

import numpy as np
from sympy import Expr, Integer, discriminant

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .atoms import Formula, make
from .claim import Obligation, Stable, _equal, _remainder, _unknown
from .linear import Linear, linearize
from .numbers import holds, polynomials
from .question import Question
from .reduce import Context, reduce, union
from .region import Region, checked
from .relations import assumptions
from .schur import Coefficients, as_poly
from .steps import summary


@dataclass(frozen=True)
class Oscillating(Stable):
    """One of the polynomials has a root that is not real."""

    exact = False
    by_theorem = False

    def holds(self, values: Mapping[Any, Any]) -> tuple[Any, Any]:
        found: Any = False
        sure: Any = True
        for p in self.polynomials:
            numbers = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in polynomials(p, values)))
            turning, certain = _turning([np.asarray(a) for a in numbers])
            found, sure = found | turning, sure & certain
        for a in self.conditions:
            found = found & holds(a, values)
        return found, sure

    def violated(self) -> list[Obligation]:
        equations: list[Formula] = []
        for j, p in enumerate(self.polynomials):
            product = [p[0]]
            for i in range(len(p) - 1):
                r = _unknown(f"root_{j}_{i}")
                product = [(a - r*b).expand() for a, b in zip([*product, Integer(0)], [Integer(0), *product])]
            equations += [a for c, e in zip(p[1:], product[1:]) for a in _equal(c - e)]
        return [(f"{a.expr} fails", (a.negated,)) for a in self.conditions] + [("all roots real", tuple(equations))]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        b, c = _unknown("pair_b"), _unknown("pair_c")
        return [(*self.conditions, *_remainder(p, b, c), *make(4*c - b**2, ">")) for p in self.polynomials if len(p) > 2]


def _turning(p: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    n = len(p) - 1
    if n < 2:
        return np.zeros(np.shape(p[0]), bool), np.ones(np.shape(p[0]), bool)
    with np.errstate(all="ignore"):
        monic = np.stack([np.nan_to_num(a/p[0], nan=0.0, posinf=0.0, neginf=0.0) for a in p[1:]], axis=-1)
    companion = np.zeros((*monic.shape[:-1], n, n))
    companion[..., 0, :] = -monic
    companion[..., np.arange(1, n), np.arange(n - 1)] = 1
    roots = np.linalg.eigvals(companion)
    size = 1 + np.max(np.abs(roots), axis=-1)
    turn = np.max(np.abs(np.imag(roots)), axis=-1)/size
    ordered = np.sort(np.real(roots), axis=-1)
    gap = np.min(np.diff(ordered, axis=-1), axis=-1)/size
    return turn > 1e-3, (turn > 1e-3) | ((turn == 0) & (gap > 1e-3))


def oscillation(rule: Rule | Linear, *, given: Iterable[Any] = (), mode: Any = "lam", freeze: Iterable[str] = (),
                at: dict | None = None) -> Region:
    """Where the matrix of a mode has an eigenvalue that is not real; parameters as in `stability`."""
    pool.warm()
    try:
        linear = rule if isinstance(rule, Linear) else linearize(rule, mode=mode, freeze=freeze, at=at)
        question = Question(linear, *assumptions(given, linear))
        claim = Oscillating(question.place, tuple(f for f, _ in linear.factors), linear.denominators, question.claim.needs,
                            allowed=question.claim.allowed)
        context = Context(question.facts)
        cases = [[*claim.conditions, *make(e, ">")] for p in claim.polynomials for e in _pairs(p)]
        found = union((c for case in cases for c in reduce(case, context)), context)
        relations = [(e, ">") for p in claim.polynomials for e in _pairs(p)]
        steps = summary(linear, "a root that is not real", relations[:1] if len(relations) == 1 else [], context, found, question.definitions)
        return checked(Region(found, question.facts, question.definitions, {}, claim, steps, names=linear.names))
    except (LinearizeError, pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=str(error))


def _pairs(p: Coefficients) -> list[Expr]:
    """Polynomials of which one is positive exactly where p has a root that is not real (Hermite's form is indefinite)."""
    n = len(p) - 1
    if n < 2:
        return []
    if n < 4:
        return [(-discriminant(as_poly(p))).as_expr().expand()]
    if n > 5:
        raise LinearizeError(f"the characteristic polynomial has degree {n}, and its reality is decided up to degree five")
    return pool.limited(n, "oscillation", "hermite", p)


def hermite(p: Coefficients) -> list[Expr]:
    """Minus the sums of principal minors of Hermite's form: one is positive where the form is not positive semidefinite."""
    from sympy import Matrix
    n, lead = len(p) - 1, p[0]
    sums = [Integer(n)]                                                 # power sums times lead**k, by Newton
    for k in range(1, 2*n - 1):
        total = k*p[k]*lead**(k - 1) if k <= n else Integer(0)
        total += sum(p[i]*lead**(i - 1)*sums[k - i] for i in range(1, min(k - 1, n) + 1))
        sums.append(-total.expand())
    form = Matrix(n, n, lambda i, j: sums[i + j])
    signed = form.charpoly().all_coeffs()                               # z**n - e_1 z**(n-1) + e_2 ...
    return [-((-1)**k*c).expand() for k, c in enumerate(signed) if k > 0]
