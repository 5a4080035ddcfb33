"""The noise of mini-batches on a real regression: scikit-learn's diabetes data."""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dynopt import dataset, gradient_descent, largest, least_squares, sampled, stability

from .measure import halved
from .picture import COLOURS, note
from .study import study


@cache
def diabetes() -> tuple[np.ndarray, np.ndarray]:
    """Features and target, standardized."""
    X, y = dataset("diabetes")
    return X, (y - y.mean())/y.std()


def batches(rng: np.random.Generator, rows: int, paths: int, size: int) -> np.ndarray:
    """Indices of samples drawn without replacement, (paths, size): draws with a repetition are drawn again."""
    found = rng.integers(rows, size=(paths, size))
    while (again := np.flatnonzero((np.diff(np.sort(found, axis=1), axis=1) == 0).any(1))).size:
        found[again] = rng.integers(rows, size=(again.size, size))
    return found


def descend(eta: float, size: int, *, paths: int, burn: int, steps: int, seed: int) -> tuple[float, float]:
    """Mean excess loss of runs of stochastic gradient descent after `burn` steps, and its standard error between paths."""
    X, y = diabetes()
    problem, rng = least_squares(X, y), np.random.default_rng(seed)
    w, H = np.tile(problem.minimizer, (paths, 1)), X.T @ X/len(y)
    total = np.zeros(paths)
    for k in range(burn + steps):
        rows = batches(rng, len(y), paths, size)
        Z, r = X[rows], y[rows]
        w = gradient_descent(w, eta=eta, grad=lambda u, Z=Z, r=r: np.einsum("pbd,pb->pd", Z, np.einsum("pbd,pd->pb", Z, u) - r)/size)
        if k >= burn:
            d = w - problem.minimizer
            total += np.einsum("pd,de,pe->p", d, H, d)/2/steps
    return float(total.mean()), float(total.std()/np.sqrt(paths))


@study("S07", "Mini-batch noise on a real regression", "Mini-batches make gradient noise, which is beneficial.")
def mini_batches() -> dict[str, Any]:
    X, y = diabetes()
    law, sizes = sampled(gradient_descent, least_squares(X, y)), (1, 16, 256)
    L = float(law.curvatures[-1])
    theory = {"excess loss, B = 16, eta = 0.02": law.excess(batch=16, eta=.02),
              **{f"largest step, B = {B}": halved(lambda e, B=B: law.radius(batch=B, eta=e) < 1, .05, .6, 13) for B in sizes},
              "largest step, all samples": largest(stability(gradient_descent), "eta", lam=L)}
    excess, error = descend(.02, 16, paths=200, burn=250, steps=700, seed=1)
    measured = {"excess loss, B = 16, eta = 0.02": excess, **{f"largest step, B = {B}": _edge(B) for B in sizes},
                "largest step, all samples": halved(lambda e: _growth(e, L) < 1, .1, 1.)}

    def draw(ax):
        steps = {1: np.array([.005, .02, .06]), 16: np.array([.02, .08, .25])}
        points = {B: [descend(float(e), B, paths=30, burn=150, steps=150, seed=2)[0] for e in e_s] for B, e_s in steps.items()}
        for B, colour in zip(sizes, COLOURS):
            end = theory[f"largest step, B = {B}"]
            eta = np.geomspace(.003, .985*end, 25)
            values = [law.excess(batch=B, eta=e) for e in eta]
            ax.loglog(eta, values, color=colour)
            ax.axvline(end, color=colour, lw=.6, ls=":")
            note(ax, eta[8], values[8], f"$B = {B}$", colour, dx=-4, dy=8, ha="right")
            if B in points:
                ax.loglog(steps[B], points[B], "o", ms=4, color=colour)
        ax.set(xlabel="$\\eta$", ylabel="excess loss $E f - f^*$", title="Diabetes: small batches lose step size and accuracy", ylim=(1e-6, 30))
    return dict(verdict="true: sampling makes a noise whose floor and stability edge follow from a linear system for the covariance; one sample a "
                        f"step allows {theory['largest step, B = 1']:.3f}, 16 {theory['largest step, B = 16']:.3f}, the whole "
                        f"{theory['largest step, all samples']:.4f}. That the noise is beneficial is an empirical matter (standard error "
                        f"of the excess loss {error:.1e})",
                theory=theory, measured=measured, tolerance={n: .02 if "excess" in n else .01 if "B" in n else 1e-6 for n in theory},
                derivation=(f"curvatures {law.curvatures[0]:.4f} ... {L:.4f}", "S = M S M^T + (N - B)/((N - 1) B) (E[G S G^T] + C)"), draw=draw)


def _growth(eta: float, L: float) -> float:
    """One step on the steepest direction of the data, by running it."""
    return abs(float(gradient_descent(1., eta=eta, grad=lambda x: L*x)))


def _edge(size: int) -> float:
    """The step at which the second moment of a linear recursion stops shrinking: by iterating E[z z^T] over random batches' law.

    E[H S H] over batches without replacement is taken from its pairs of samples, without a matrix on S.
    """
    X, y = diabetes()
    n, H = len(y), X.T @ X/len(y)

    def mean_square(S: np.ndarray, eta: float) -> np.ndarray:
        each = X.T @ (X*((X @ S)*X).sum(1)[:, None])/n
        whole = H @ S @ H
        same, other = 1/size, (size - 1)/size
        pairs = (n*whole - each)/(n - 1)
        return S - eta*(H @ S + S @ H) + eta**2*(same*each + other*pairs)

    def shrinks(eta: float) -> bool:
        S, grown = np.eye(H.shape[0]), 1.
        for _ in range(150):
            S = mean_square(S, eta)
            grown = np.linalg.norm(S)
            S = S/grown
        return grown < 1
    return halved(shrinks, .05, .6, 12)
