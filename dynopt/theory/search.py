"""A minimum in floats, from many starts."""
from __future__ import annotations

import numpy as np

from .rates import Rate

DRAWS, STARTS, CALLS = 4096, 4, 2000


def numeric_minimum(worst: Rate, names: tuple[str, ...], seed: int = 0) -> tuple[dict[str, float], float]:
    """Parameters at which a rate is smallest, and that rate: the best of many draws, improved by Nelder-Mead."""
    from scipy.optimize import minimize
    draws = _draws(np.random.default_rng(seed), len(names))
    starts, calls = (2, 400) if worst.interval else (STARTS, CALLS)      # a worst case in floats costs a hundred times more
    draws = draws[::8] if worst.interval else draws
    with np.errstate(all="ignore"):
        sizes = np.asarray(worst.quick(**dict(zip(names, draws.T))))

    def size(point: np.ndarray) -> float:
        with np.errstate(all="ignore"):
            value = float(worst.quick(**dict(zip(names, map(float, point)))))
        return value if np.isfinite(value) else 1e300
    best, low = draws[0], np.inf
    for start in draws[np.argsort(np.where(np.isfinite(sizes), sizes, np.inf))[:starts]]:
        for _ in range(3):
            found = minimize(size, start, method="Nelder-Mead", options=dict(xatol=1e-12, fatol=1e-14, maxfev=calls))
            start = found.x
        if found.fun < low:
            best, low = found.x, float(found.fun)
    found = {n: float(v) for n, v in zip(names, best)}
    return found, float(worst.at(**found))


def _draws(rng: np.random.Generator, n: int) -> np.ndarray:
    """Points on all scales: uniform in [0, 1), and log-uniform over five decades; an eighth of the coordinates negative."""
    shape = (DRAWS, n)
    values = np.where(rng.random(shape) < 0.5, rng.random(shape), 10**rng.uniform(-4, 1, shape))
    return values*np.where(rng.random(shape) < 0.125, -1, 1)
