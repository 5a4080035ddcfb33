"""Second moments under a problem's own sampling, exactly: the curvature of each sample counts, not only its gradient.

Least squares: the gradient of a batch is H_b (u - x*) + r_b, so that S' = M S M^T + f/B (mean of G_i S G_i^T + c_i c_i^T) with
G_i and c_i what the deviation of sample i does in one step, f = (N - B)/(N - 1) without replacement and 1 with it.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule
from .evaluate import evaluate
from .realize import Realization, realize


@dataclass(frozen=True, eq=False)
class Sampled:
    """A rule on least squares under sampling; deviations are those of samples from the whole, at the minimizer."""

    rule: Rule
    realization: Realization
    hessian: np.ndarray                  # of f, shape (d, d)
    hessians: np.ndarray                 # sample minus whole, shape (n, d, d)
    gradients: np.ndarray                # of each sample at the minimizer, shape (n, d)

    def step(self, **params: float) -> tuple[np.ndarray, np.ndarray]:
        """The matrix of the mean step on all states, (s d, s d), and what a gradient at the query adds, (s d, d)."""
        r, d = self.realization, len(self.hessian)
        A, B, C = (evaluate(m, **{n: params[n] for n in map(str, m.free_symbols)}) for m in (r.A, r.B, r.C))
        return np.kron(A, np.eye(d)) + np.kron(B @ C, self.hessian), np.kron(B, np.eye(d))

    def _query(self, **params: float) -> np.ndarray:
        C = self.realization.C
        return np.kron(evaluate(C, **{n: params[n] for n in map(str, C.free_symbols)}), np.eye(len(self.hessian)))

    def strength(self, batch: int, replacement: bool) -> float:
        """f/B: the variance of a batch mean over that of one sample."""
        n = len(self.gradients)
        if not isinstance(batch, (int, np.integer)) or not 1 <= batch <= n:
            raise ParameterError(f"batch = {batch!r}, expected a whole number of samples from 1 to {n}")
        return (1 if replacement else (n - batch)/(n - 1))/batch

    def lifted(self, *, batch: int = 1, replacement: bool = False, **params: float) -> np.ndarray:
        """What one step does to E[z z^T], as a matrix on its entries."""
        M, add = self.step(**params)
        query = self._query(**params)
        noise = np.kron(add, add) @ self.spread @ np.kron(query, query)
        return np.kron(M, M) + self.strength(batch, replacement)*noise

    @cached_property
    def spread(self) -> np.ndarray:
        """The mean over samples of H_i x H_i, deviations from the whole, shape (d*d, d*d)."""
        d = len(self.hessian)
        rows = self.hessians.reshape(len(self.hessians), d*d)
        return (rows.T @ rows/len(rows)).reshape(d, d, d, d).transpose(0, 2, 1, 3).reshape(d*d, d*d)

    def radius(self, *, batch: int = 1, replacement: bool = False, **params: float) -> float:
        """The factor by which E|z|^2 shrinks per step in the long run: finite moments where it is below 1."""
        T = self.lifted(batch=batch, replacement=replacement, **params)
        return float(np.abs(np.linalg.eigvals(T)).max())

    def covariance(self, *, batch: int = 1, replacement: bool = False, **params: float) -> np.ndarray:
        """Stationary covariance of all states, shape (s d, s d), states one after another."""
        T = self.lifted(batch=batch, replacement=replacement, **params)
        _, add = self.step(**params)
        pushes = self.gradients @ add.T
        Q = self.strength(batch, replacement)*pushes.T @ pushes/len(pushes)
        return np.linalg.solve(np.eye(len(T)) - T, Q.ravel()).reshape(Q.shape)

    def excess(self, *, batch: int = 1, replacement: bool = False, **params: float) -> float:
        """E f - f* in the stationary state."""
        d = len(self.hessian)
        i = self.realization.states.index(self.rule.state[0])
        S = self.covariance(batch=batch, replacement=replacement, **params)[i*d:(i + 1)*d, i*d:(i + 1)*d]
        return float(np.trace(self.hessian @ S)/2)

    @cached_property
    def curvatures(self) -> np.ndarray:
        """Eigenvalues of the Hessian, ascending."""
        return np.linalg.eigvalsh(self.hessian)


def sampled(rule: Rule, problem: Any) -> Sampled:
    """The exact second moments of a rule on a least-squares problem whose gradients are means over random batches.

    rule : Method, linear in its states, with one gradient call a step; problem : has `minimizer` and `noise(x)`, the gradient of
    each sample, (n, d), affine in x (least_squares has both).
    Returns a Sampled: `.excess(batch=, **params)`, `.covariance(...)`, `.radius(...)`, `replacement=` False or True.

    >>> import numpy as np
    >>> from dynopt import gradient_descent, least_squares
    >>> toy = sampled(gradient_descent, least_squares(np.array([[1.], [1.]]), np.array([1., -1.])))
    >>> round(toy.excess(batch=1, replacement=True, eta=.5), 6)
    0.166667
    """
    samples, at = getattr(problem, "noise", None), problem.minimizer
    if not callable(samples) or at is None:
        raise ParameterError("sampled: the problem has no gradients of single samples at a minimizer; write "
                             "Problem(f, minimizer=x_star, noise=per_sample_gradients)")
    gradients = np.asarray(samples(at), dtype=float)
    columns = np.stack([np.asarray(samples(at + e), dtype=float) - gradients for e in np.eye(at.size)], -1)
    far = np.linspace(-1, 2, at.size)
    if not np.allclose(samples(at + far), gradients + columns @ far, rtol=1e-8, atol=1e-8*np.abs(gradients).max()):
        raise RuleError("sampled: the gradients of single samples are not affine in x, expected least squares; "
                        "moments(rule, noise=problem) is the answer to first order in the step")
    realization = realize(rule)
    if len(realization.calls) != 1:
        raise RuleError(f"sampled: {rule.name} calls {len(realization.calls)} gradients a step, expected one")
    whole = columns.mean(0)
    return Sampled(rule, realization, whole, columns - whole, gradients - gradients.mean(0))
