"""Curvature of a problem at a point, its minimizer by Newton's method, and a check of its gradient."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError

DENSE = 400                                     # above this dimension only Hessian-vector products are made


def _point(problem: Any, at: Any, subject: str) -> np.ndarray:
    at = problem.minimizer if at is None else at
    if at is None:
        raise ParameterError(f"{subject}: {problem.name} has no known minimizer, expected a point; write "
                             f"{subject}({problem.name}, at=[0.0, ...])")
    point = np.atleast_1d(np.asarray(at, dtype=float))
    if point.ndim != 1 or not np.isfinite(point).all():
        raise ParameterError(f"{subject}: at has shape {point.shape} or a value that is not finite, expected one finite point "
                             f"(d,)")
    if problem.dim is not None and point.size != problem.dim:
        raise ParameterError(f"{subject}: at has {point.size} entries, and {problem.name} has dimension {problem.dim}")
    return point


def product(problem: Any, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """H(x) v, exact where the problem knows it, else by a central difference of gradients."""
    if "hess" in problem.fields:
        return np.asarray(problem.hess(x, v))
    size = np.linalg.norm(v)
    if size == 0:
        return np.zeros_like(x)
    h = 6e-6*max(1.0, float(np.linalg.norm(x)))/size
    return (np.asarray(problem.grad(x + h*v)) - np.asarray(problem.grad(x - h*v)))/(2*h)


def hessian(problem: Any, at: Any = None) -> np.ndarray:
    """The Hessian at a point (default: the minimizer), shape (d, d), from one Hessian-vector product a direction."""
    x = _point(problem, at, "hessian")
    columns = np.array([product(problem, x, e) for e in np.eye(x.size)])
    return (columns + columns.T)/2


def curvature(problem: Any, at: Any = None, *, method: str = "auto", tol: float = 1e-10) -> tuple[float, float]:
    """The smallest and the largest curvature (mu, L) at a point: extreme eigenvalues of the Hessian.

    `at`: point (d,), default the minimizer; `method`: "dense" (all eigenvalues), "lanczos" (Hessian-vector products only,
    scipy.sparse.linalg.eigsh), "auto" by the dimension. Units 1/T^2. Raises ParameterError for a point that does not fit.

    >>> from dynopt import quadratic, curvature
    >>> curvature(quadratic([1, 4, 10]))
    (1.0, 10.0)
    """
    x = _point(problem, at, "curvature")
    if method not in ("auto", "dense", "lanczos"):
        raise ParameterError(f"curvature: method = {method!r}, expected \"auto\", \"dense\" or \"lanczos\"")
    if method == "dense" or (method == "auto" and x.size <= DENSE) or x.size < 3:
        found = np.linalg.eigvalsh(hessian(problem, x))
        return float(found[0]), float(found[-1])
    from scipy.sparse.linalg import LinearOperator, eigsh
    operator = LinearOperator((x.size, x.size), matvec=lambda v: product(problem, x, np.ravel(v)), dtype=float)
    start = np.random.default_rng(0).normal(size=x.size)
    low, high = (float(eigsh(operator, k=1, which=end, v0=start, return_eigenvectors=False, tol=tol, maxiter=100*x.size)[0])
                 for end in ("SA", "LA"))
    return low, high


def minimize_newton(problem: Any, x0: Any, *, steps: int = 100) -> np.ndarray:
    """The minimizer of a strongly convex problem to the last bits: Newton steps, halved while the value rises.

    Ends when the gradient stops falling. Raises ParameterError where the Hessian on the way is not positive definite.
    """
    x = _point(problem, x0, "minimize_newton")
    slope = float(np.linalg.norm(problem.grad(x)))
    for _ in range(steps):
        try:
            L = np.linalg.cholesky(hessian(problem, x))
        except np.linalg.LinAlgError:
            raise ParameterError(f"minimize_newton: the Hessian of {problem.name} is not positive definite on the way; start "
                                 f"nearer to a minimizer") from None
        move = np.linalg.solve(L.T, np.linalg.solve(L, problem.grad(x)))
        while problem.f(x - move) > problem.f(x)*(1 + 1e-14) and np.linalg.norm(move) > 1e-15*(1 + np.linalg.norm(x)):
            move = move/2
        following = float(np.linalg.norm(problem.grad(x - move)))
        if following >= slope and slope < 1e-10*(1 + abs(float(problem.f(x)))):
            break
        x, slope = x - move, following
    return x


@dataclass(frozen=True)
class GradientCheck:
    """Whether a gradient fits its function: `ok` True, False, or None where the function has a kink there."""

    ok: bool | None
    error: float                                # largest |difference quotient - gradient|, relative to the largest slope
    component: int                              # the entry where it is reached
    step: float                                 # the step of the best difference quotient
    message: str

    def __bool__(self) -> bool:
        return self.ok is True


def check_gradient(problem: Any, at: Any, *, tol: float = 1e-6) -> GradientCheck:
    """Compare a gradient with central differences of f over steps 1e-2 ... 1e-9, taking the best step for each entry.

    `at`: point (d,). An entry whose one-sided quotients disagree at every step is a kink: inconclusive, never a pass.
    """
    x = _point(problem, at, "check_gradient")
    g = np.asarray(problem.grad(x), dtype=float)
    if g.shape != x.shape:
        raise ParameterError(f"check_gradient: the gradient of {problem.name} has shape {g.shape}, expected {x.shape}")
    scale = max(float(np.abs(g).max()), 1e-8)
    value, worst, kink = float(problem.f(x)), (0.0, 0, 0.0), None
    for i, e in enumerate(np.eye(x.size)):
        tried, jumps = [], []
        for h in 10.0**-np.arange(2, 10)*max(1.0, abs(x[i])):
            up, down = float(problem.f(x + h*e)), float(problem.f(x - h*e))
            tried.append((abs((up - down)/(2*h) - g[i])/scale, i, h))
            jumps.append(max(abs(up - 2*value + down) - 8*np.spacing(max(abs(up), abs(value), abs(down))), 0.0)/h)
        if kink is None and jumps[4] > .5*jumps[2] > 0:             # a smooth f has jumps of size h f'': a hundredth here
            kink = i
        worst = max(worst, min(tried))
    error, component, step = worst
    if kink is not None:
        return GradientCheck(None, error, kink, step, f"{problem.name}: f has a kink in entry {kink} at this point; the check "
                                                      f"is inconclusive, move the point")
    ok = bool(error <= tol)
    told = "agrees" if ok else f"disagrees most in entry {component}"
    return GradientCheck(ok, error, component, step, f"{problem.name}: the gradient {told} (relative error {error:.1e} at step "
                                                     f"{step:.0e}, expected <= {tol:.0e})")
