"""The noise that a problem's own data make: sampled gradients at the minimizer, direction by direction of its Hessian."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Expr

from ..core.errors import ParameterError
from ..core.rule import Rule
from .driven import drive
from .moments import Moments
from .numbers import expression
from .symbols import symbol


@dataclass(frozen=True, eq=False)
class MiniBatch:
    """Stationary variances of a rule along the eigenvectors of the Hessian, gradients averaged over random batches.

    The curvature is taken as that of the whole data: exact to first order in the step.
    """

    moments: Moments
    curvatures: np.ndarray               # of f at the minimizer, ascending, shape (d,)
    directions: np.ndarray               # eigenvectors in columns, shape (d, d)
    deviations: np.ndarray               # standard deviation of one sample's gradient along each, shape (d,)

    def variance(self, state: str = "x", *, batch: int = 1, **params: float) -> np.ndarray:
        """Variance of a state along each eigenvector, shape (d,), for batches of that many samples drawn with replacement."""
        if not isinstance(batch, (int, np.integer)) or batch < 1:
            raise ParameterError(f"variance: batch = {batch!r}, expected a whole number of samples >= 1")
        formula = self.moments.variance(state)
        env = {symbol(n): np.float64(v) for n, v in params.items()}
        env |= {symbol("lam"): self.curvatures, symbol("sigma"): self.deviations/np.sqrt(batch)}
        missing = sorted(str(s) for s in formula.free_symbols if s not in env)
        if missing:
            raise ParameterError(f"variance: missing {', '.join(missing)}; give every parameter of the rule a number")
        return np.broadcast_to(expression(formula, env), self.curvatures.shape)

    def excess(self, *, batch: int = 1, **params: float) -> float:
        """E f - f* in the stationary state, to second order: half the sum of curvature times variance."""
        return float(self.curvatures @ self.variance("x", batch=batch, **params)/2)

    @property
    def formula(self) -> Expr:
        """The variance of x along one eigenvector, in lam and sigma."""
        return self.moments.variance("x")


def minibatch(rule: Rule, problem: Any) -> MiniBatch:
    """The noise floor of a rule under a problem's own sampling; `problem.noise(x)` gives the gradient of each sample, (n, d)."""
    samples = getattr(problem, "noise", None)
    if not callable(samples) or problem.minimizer is None:
        lacking = "no gradients of single samples" if not callable(samples) else "no minimizer"
        raise ParameterError(f"moments: the problem {getattr(problem, 'name', problem)!s} has {lacking}; write "
                             "Problem(f, minimizer=x_star, noise=per_sample_gradients), with per_sample_gradients(x) of shape (n, d)")
    at = problem.minimizer
    gradients = np.asarray(samples(at), dtype=float)
    if gradients.ndim != 2 or gradients.shape[1] != at.size:
        raise ParameterError(f"moments: the gradients of single samples have shape {gradients.shape}, expected (n, {at.size})")
    hessian = np.array([problem.hess(at, e) for e in np.eye(at.size)])
    curvatures, directions = np.linalg.eigh((hessian + hessian.T)/2)
    deviations = (gradients @ directions).std(axis=0)
    return MiniBatch(Moments(drive(rule, additive="sigma", multiplicative=None)), curvatures, directions, deviations)
