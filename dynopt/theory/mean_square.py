"""Where second moments stay finite: the lifted map is stable.

A lifted map keeps positive matrices positive, so that its spectral radius is an eigenvalue and grows with the noise. Where all
noise multiplies the state along one direction, det(1 - lifted) is affine in the strength of the noise: it changes sign only once,
when that eigenvalue passes 1. The mean square is then finite exactly where the mean map is stable and the determinant positive.
"""
from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr, Integer, Matrix, cancel, eye, latex

from ..core.errors import RuleError
from .algebra import LinearizeError
from .atoms import make
from .lift import cleared, integral_charpoly, pairs
from .linear import Linear
from .pool import OutOfTime, WorkFailed
from .question import Question
from .reduce import Context, reduce
from .region import Region
from .stability import stability
from .symbols import symbol

if TYPE_CHECKING:
    from .moments import Moments


def mean_square(m: "Moments") -> Region:
    """The mean-square region of a rule with noise."""
    mean = _linear(m.driven.matrix, m.driven.keys, m)
    parts = [p.matrix for p in m.driven.parts if any(e != 0 for e in p.matrix)]
    if not parts:
        return stability(mean)
    keys = tuple((f"E[{m.names[i]}*{m.names[j]}]", 0) for i, j in pairs(len(m.names)))
    lifted = _linear(m.lifted, keys, m)
    if not _one_direction(parts):
        return stability(lifted)
    try:
        return _by_determinant(mean, lifted)
    except (LinearizeError, OutOfTime, WorkFailed) as error:
        return Region((), unknown=str(error))


def _linear(matrix: Matrix, keys: tuple, m: "Moments") -> Linear:
    used = tuple(s for s in map(symbol, m.driven.names) if str(s).startswith("lam") and matrix.has(s))
    return Linear(matrix, Matrix.zeros(matrix.rows, 1), keys, m.driven.kind, used, m.driven.needs, (), m.driven.names,
                  allowed=m.driven.allowed)


def _one_direction(parts: list[Matrix]) -> bool:
    """Are all matrices multiples of one matrix of rank one?"""
    first = parts[0]
    i, j = next((i, j) for i in range(first.rows) for j in range(first.cols) if first[i, j] != 0)
    column, row = first[:, j], first[i, :]
    shapes = [column*row - first*first[i, j], *(p*first[i, j] - first*p[i, j] for p in parts[1:])]
    return all(cancel(e) == 0 for shape in shapes for e in shape)


def _by_determinant(mean: Linear, lifted: Linear) -> Region:
    inner = stability(mean)
    if inner.unknown:
        return inner
    if len(inner.union) > 1 and inner.definitions:
        raise RuleError("mean square: the region of the mean has several parts with roots; give numbers to some parameters")
    problem = Question(lifted, inner.facts, inner.definitions)
    determinant = _determinant(lifted)
    extra = make(determinant, ">")
    context = Context(problem.facts)
    union = tuple(c for conjunction in inner.union for c in reduce((*conjunction, *extra), context))
    kinds = {**inner.kinds, **{f: "fold" for a in extra for f in a.factors}}
    line = r"\det(1 - \mathbb E[M \otimes M]) > 0:\quad " + latex(determinant.subs(problem.definitions)) + " > 0"
    return problem.finished(union, context, kinds, (*inner.steps, line))


def _determinant(lifted: Linear) -> Expr:
    """det(1 - lifted) (flows: det(-lifted)), up to squares of the denominators of its rows."""
    matrix = lifted.polynomial_matrix
    system = (-matrix if lifted.kind == "flow" else eye(matrix.rows) - matrix)
    rows, scales = cleared(system)
    determinant = (-1)**matrix.rows*integral_charpoly(Matrix.vstack(*rows))[-1]
    total = Integer(1)
    for s in scales:
        total = total*s
    return cancel(determinant*total) if total.free_symbols else determinant
