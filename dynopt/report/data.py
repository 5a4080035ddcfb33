"""The real loss of the report: a data set, its minimizer to the last bits, and the exact curvature bounds there."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynopt.catalog.data import dataset
from dynopt.core.errors import ParameterError
from dynopt.run.curvature import curvature, hessian, minimize_newton

# data set -> how its target becomes one of two classes
SETS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"breast_cancer": lambda y: y, "wine": lambda y: (y == 0).astype(int),
                                                       "digits": lambda y: (y >= 5).astype(int)}


@dataclass(frozen=True)
class Landscape:
    """A loss near its minimizer: what every bound of the report depends on."""

    name: str
    problem: Any
    samples: int
    minimizer: np.ndarray
    gradient_norm: float
    curvatures: np.ndarray               # ascending, shape (d,)
    directions: np.ndarray               # eigenvectors in columns, shape (d, d)
    lanczos: tuple[float, float]

    @property
    def mu(self) -> float:
        return float(self.curvatures[0])

    @property
    def L(self) -> float:
        return float(self.curvatures[-1])

    def direction(self, curvature: float) -> np.ndarray:
        """The eigenvector whose curvature is nearest to the one given."""
        return self.directions[:, int(np.argmin(np.abs(self.curvatures - curvature)))]


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Features, standardized to mean 0 and deviation 1, shape (n, d), and labels 0 or 1, shape (n,).

    Raises ParameterError for an unknown name, ImportError where scikit-learn is missing.
    """
    if name not in SETS:
        raise ParameterError(f"--data {name!r}: expected one of {', '.join(SETS)}")
    X, y = dataset(name)
    return X, SETS[name](y).astype(float)


def survey(name: str, make: Callable[..., Any], *, l2: float = 1e-2) -> Landscape:
    """The regularized logistic loss of a data set with its minimizer, its exact curvatures there, and a check by Lanczos.

    make : function of (X, y, l2=) that gives the problem. l2 > 0, the weight of |x|²/2.
    """
    if not l2 > 0:
        raise ParameterError(f"--l2 {l2}: expected a positive weight, else the smallest curvature is 0; write --l2 0.01")
    X, y = load(name)
    problem = make(X, y, l2=l2)
    minimizer = minimize_newton(problem, np.zeros(X.shape[1]))
    curvatures, directions = np.linalg.eigh(hessian(problem, minimizer))
    return Landscape(name, problem, len(y), minimizer, float(np.linalg.norm(problem.grad(minimizer))), curvatures, directions,
                     curvature(problem, minimizer, method="lanczos"))
