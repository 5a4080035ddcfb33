"""What a formula is worth: expressions and matrices that the theory derived, at numbers by name."""
from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special
from sympy import Expr, MatrixBase

from ..core.errors import ParameterError
from .mode import as_expression
from .numbers import FUNCTIONS, expression

for _name, _function in {"gamma": special.gamma, "besselj": special.jv, "cosh": np.cosh, "sinh": np.sinh}.items():
    FUNCTIONS.setdefault(_name, _function)                # beyond the traced language, but solutions hold them


def evaluate(formula: Any, **values: Any) -> Any:
    """The value of a derived formula at numbers by name, broadcast against each other.

    formula : an expression (`moments(rule).variance("x")`), a matrix (`linearize(rule).matrix`), text or a number;
    values : a number or an array for every symbol of it, by name.
    Returns a float or an array; for a matrix of shape (n, m) the entries are the last two axes. Complex where the value is.
    Raises ParameterError where a value is missing.

    >>> from dynopt import heavy_ball, linearize, response
    >>> evaluate(response(heavy_ball).gain, eta=.1, beta=[.5, .9]).round(3).tolist()
    [0.2, 1.0]
    >>> evaluate(linearize(heavy_ball).matrix, eta=.5, beta=.5, lam=1.).tolist()
    [[0.5, -0.5], [0.5, 0.5]]
    """
    if isinstance(formula, MatrixBase):
        shape = np.broadcast_shapes(*(np.shape(v) for v in values.values()))
        entries = [np.broadcast_to(evaluate(e, **values), shape) for e in formula]
        return np.stack(entries, -1).reshape(*shape, *formula.shape)
    e = formula if isinstance(formula, Expr) else as_expression(formula)
    names = {str(s): s for s in e.free_symbols}
    missing = sorted(set(names) - set(values))
    if missing:
        raise ParameterError(f"evaluate: missing {', '.join(missing)}; expected values for {', '.join(sorted(names))}")
    env = {s: np.asarray(values[n], dtype=float) for n, s in names.items()}
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(expression(e, env))
            found = found.astype(float) if found.dtype == object else found        # a fraction, where there is no symbol
    except (KeyError, TypeError):                           # a function that neither numpy nor scipy has here
        found = np.asarray(np.nan)
    if np.isnan(found).any() and not any(np.isnan(v).any() for v in env.values()):
        found = _point_by_point(e, env)                     # or the root of a negative number: complex arithmetic is meant
    return found if found.ndim else found.item()


def _point_by_point(e: Expr, env: dict) -> np.ndarray:
    """A special function, a sum or a complex value: in sympy's own arithmetic, one point after the other."""
    points = np.broadcast_arrays(*env.values()) if env else [np.zeros(())]
    found = [complex(e.evalf(17, subs=dict(zip(env, map(float, at))))) for at in zip(*(p.ravel() for p in points))]
    out = np.array(found, dtype=complex).reshape(points[0].shape)
    return out.real if not out.imag.any() else out
