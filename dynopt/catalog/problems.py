"""Problems to run rules on, each from a plain function; gradients and Hessians follow by differentiation."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.functions import dot, exp, log, maximum, mean, where
from ..core.problem import Game, Problem


def _finite(value: Any, name: str, subject: str, ndim: int) -> np.ndarray:
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(f"{subject}: {name} is {value!r:.40}, expected numbers; write {subject}([1, 10])") from None
    if found.ndim != ndim or found.size == 0:
        axes = "1 axis" if ndim == 1 else f"{ndim} axes"
        raise ParameterError(f"{subject}: {name} has shape {found.shape}, expected {axes} with at least one entry")
    if not np.isfinite(found).all():
        raise ParameterError(f"{subject}: {name} has a value that is not finite, expected finite numbers only")
    return found


def quadratic(spectrum: Any) -> Problem:
    """f(x) = sum of lam_i x_i^2 / 2 with the curvatures given; minimizer 0.

    >>> quadratic([1, 10]).grad([1, 1]).tolist()
    [1.0, 10.0]
    """
    lam = _finite(spectrum, "spectrum", "quadratic", 1)
    return Problem(lambda x: dot(x, lam*x)/2, grad=lambda x: lam*x, minimizer=np.zeros(lam.size), name="quadratic",
                   bounds=(float(lam.min()), float(lam.max())))


def rosenbrock(a: float = 1.0, b: float = 100.0) -> Problem:
    """f(x) = (a - x_1)^2 + b (x_2 - x_1^2)^2; minimizer (a, a^2) (Rosenbrock 1960, eq. (1))."""
    return Problem(lambda x: (a - x[0])**2 + b*(x[1] - x[0]**2)**2, minimizer=[a, a*a], name="rosenbrock")


def himmelblau() -> Problem:
    """f(x) = (x_1^2 + x_2 - 11)^2 + (x_1 + x_2^2 - 7)^2; four minimizers, (3, 2) among them (Himmelblau 1972)."""
    return Problem(lambda x: (x[0]**2 + x[1] - 11)**2 + (x[0] + x[1]**2 - 7)**2, minimizer=[3, 2], name="himmelblau")


def double_well() -> Problem:
    """f(x) = (x_1^2 - 1)^2/4 + the squares of the other entries halved; minimizers (+-1, 0, ...)."""
    return Problem(lambda x: (x[0]**2 - 1)**2/4 + (dot(x, x) - x[0]**2)/2, name="double_well")


def least_squares(X: Any, y: Any, l2: float = 0.0) -> Problem:
    """f(x) = |X x - y|^2/(2 n) + l2 |x|^2/2, X of shape (n, d), y of shape (n,)."""
    X, y = _finite(X, "X", "least_squares", 2), _finite(y, "y", "least_squares", 1)
    _same_rows(X, y, "least_squares")
    best = np.linalg.lstsq(X.T @ X/len(y) + l2*np.eye(X.shape[1]), X.T @ y/len(y), rcond=None)[0]

    def f(x):
        r = X @ x - y
        return dot(r, r)/(2*len(y)) + l2/2*dot(x, x)
    return Problem(f, minimizer=best, name="least_squares", noise=lambda x: (X @ x - y)[:, None]*X + l2*x)


def logistic(X: Any, y: Any, l2: float = 1e-2) -> Problem:
    """f(x) = mean log(1 + exp(-y_i x.X_i)) + l2 |x|^2/2, labels y_i in {-1, 1} (or {0, 1}); minimizer by `newton` of a run."""
    X, y = _finite(X, "X", "logistic", 2), _finite(y, "y", "logistic", 1)
    _same_rows(X, y, "logistic")
    labels = set(np.unique(y).tolist())
    if not (labels <= {0.0, 1.0} or labels <= {-1.0, 1.0}):
        raise ParameterError(f"logistic: y has the values {sorted(labels)[:4]}, expected labels in {{-1, 1}} or {{0, 1}}")
    signed = (2*y - 1 if labels <= {0.0, 1.0} else y)[:, None]*X

    def f(x):
        z = signed @ x                                         # below -30 the loss is -z to the last digit
        return mean(where(z > -30, log(1 + exp(-maximum(z, -30))), -z)) + l2/2*dot(x, x)
    return Problem(f, name="logistic", dim=X.shape[1])


def _same_rows(X: np.ndarray, y: np.ndarray, subject: str) -> None:
    if len(X) != len(y):
        raise ParameterError(f"{subject}: X has {len(X)} rows and y has {len(y)} values, expected one value of y for each row of X")


def bilinear(A: Any) -> Game:
    """Two players on x.A y: fields (A y, -A^T x); the bilinear game (Goodfellow 2016, section 8.2)."""
    A = np.atleast_2d(np.asarray(A, dtype=float))
    return Game([lambda x, y: A @ y, lambda x, y: -(A.T @ x)], name="bilinear", minimizer=None)
