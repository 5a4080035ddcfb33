"""What several studies measure on the running core."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dynopt import iterate, quadratic


def edge(rule: Any, name: str, low: float, high: float, *, lam: float = 1.0, steps: int = 20_000, **params: Any) -> float:
    """The value of a parameter in [low, high] at which a run on f = lam x^2/2 stops shrinking, to about 1e-6 of the interval.

    Four rounds of 65 runs side by side, each round inside the gap that the last one left.
    """
    for _ in range(4):
        grid = np.linspace(low, high, 65)
        run = iterate(rule, quadratic([lam]), x0=np.ones((65, 1)), steps=steps, record="last", **{name: grid}, **params)
        shrunk = (run.status == "success") & (np.abs(run.x[:, -1, 0]) < 1)
        first = int(np.argmin(shrunk)) if not shrunk.all() else 64
        low, high = grid[max(first - 1, 0)], grid[first]
    return (low + high)/2


def halving(holds: Callable[[float], bool], low: float, high: float, rounds: int = 40) -> float:
    """Where a property that holds at `low` and not at `high` ends."""
    for _ in range(rounds):
        middle = (low + high)/2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high)/2


def steps_to(distances: np.ndarray, tolerance: float) -> int:
    """The first step after which every distance stays below a tolerance."""
    above = np.flatnonzero(distances > tolerance)
    return int(above[-1]) + 1 if above.size else 0


def modes(rule: Any, spectrum: Any, steps: int, **params: Any) -> np.ndarray:
    """Iterates x_k on a quadratic with these curvatures, from x_0 = (1, ..., 1); shape (steps + 1, d)."""
    spectrum = np.atleast_1d(np.asarray(spectrum, dtype=float))
    return iterate(rule, quadratic(spectrum), x0=np.ones(spectrum.size), steps=steps, **params).x


def step_matrix(rule: Any, lam: Any, **params: Any) -> np.ndarray:
    """The matrix of one step on the mode lam, from unit vectors run through the declaration; shape (..., n, n)."""
    shape = np.broadcast_shapes(np.shape(lam), *(np.shape(p) for p in params.values()))
    n = len(rule.state)
    columns = []
    for j in range(n):
        unit = [np.full(shape, float(i == j)) for i in range(n)]
        out = rule(*unit, grad=lambda x: lam*x, **params)
        columns.append(np.stack([np.broadcast_to(o, shape) for o in (out if isinstance(out, tuple) else (out,))], -1))
    return np.stack(columns, -1)


def radius(rule: Any, lam: Any, **params: Any) -> np.ndarray:
    """The spectral radius of one step, by numpy's eigenvalues: an experiment that knows no formula; shape (...)."""
    return np.abs(np.linalg.eigvals(step_matrix(rule, lam, **params))).max(-1)


def worst(rule: Any, mu: float, L: float, **params: Any) -> float:
    """The largest spectral radius over 400 curvatures between mu and L."""
    return float(radius(rule, np.geomspace(mu, L, 400), **params).max())


def halved(holds: Callable[[float], bool], low: float, high: float, rounds: int = 40) -> float:
    """Where a property that holds at `low` and not at `high` ends, by halving."""
    for _ in range(rounds):
        middle = (low + high)/2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return (low + high)/2
