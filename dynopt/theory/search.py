"""A minimum of a worst rate in floats, from many starts, and whether it is reached at all."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .worst import Worst

DRAWS, COARSE, STARTS, FEW, CALLS, ROUNDS = 4096, 8, 4, 150, 600, 4
FAR = 1e4                                                                # a parameter that large, or that small, is on its way out
REAL, POSITIVE = ((FAR, "oo"), (-FAR, "-oo")), ((FAR, "oo"), (1/FAR, "0"))
GAIN, SETTLED = 1e-3, 1e-10


@dataclass(frozen=True)
class Minimum:
    """Parameters by name and the worst rate there.

    `runs` is the parameter that leaves every bound, `to` where it goes, `near` the rate when it had gone half of the way.
    """

    params: dict[str, float]
    value: float
    runs: str = ""
    to: str = ""
    near: float = 0.0


def minimum(worst: Worst, seed: int = 0) -> Minimum:
    """The parameters at which a worst rate is smallest: the best of many draws, improved by Nelder-Mead.

    Each parameter is then held far out; where the others do better there than anywhere nearer, the minimum is not attained.
    """
    rng = np.random.default_rng(seed)
    free = np.ones(len(worst.chosen), dtype=bool)
    point, value = _shaken(worst, rng, *_improved(worst, _draws(rng, free.size), free))
    sides = [(i, end, to) for i, s in enumerate(worst.chosen) for end, to in (POSITIVE if s.is_positive else REAL)]
    for i, end, to in sorted(sides, key=lambda side: not _gone(point[side[0]], side[1])):
        gone = _gone(point[i], end)
        _, near = _held(worst, rng, i, end)
        if gone or near < value - GAIN*(abs(value) + GAIN):
            further, far = _held(worst, rng, i, np.sign(end)*np.abs(end)**2)
            if gone or far <= near + GAIN*abs(near):
                return Minimum(worst.named(further), far, str(worst.chosen[i]), to, near)
    return Minimum(worst.named(point), value)


def _shaken(worst: Worst, rng: np.random.Generator, point: np.ndarray, value: float) -> tuple[np.ndarray, float]:
    """Out of the ridges on which a simplex collapses: points around the best on all scales, then once more to the end."""
    for _ in range(ROUNDS):
        scale = (np.abs(point) + 1e-3)*10**rng.uniform(-6, 0, (DRAWS//4, 1))
        around = point + scale*rng.normal(size=(DRAWS//4, point.size))
        start = around[np.argmin(worst(around))]
        last = value
        if float(worst(start)) < value:
            point, value = _settled(worst, start, float(worst(start)), np.ones(point.size, dtype=bool), ROUNDS)
        if last - value <= SETTLED*abs(value):
            break
    return point, value


def _gone(x: float, end: float) -> bool:
    """Has the search itself left every bound on the side of this end?"""
    return bool(x*np.sign(end) > FAR if abs(end) > 1 else abs(x) < 1/FAR)


def _held(worst: Worst, rng: np.random.Generator, i: int, held: float) -> tuple[np.ndarray, float]:
    """The best with one parameter held far out."""
    draws = _draws(rng, len(worst.chosen), wide=True)
    draws[:, i] = held
    free = np.arange(draws.shape[1]) != i
    return _improved(worst, draws, free, starts=1, rounds=1)


def _improved(worst: Worst, draws: np.ndarray, free: np.ndarray, starts: int = STARTS,
              rounds: int = ROUNDS) -> tuple[np.ndarray, float]:
    """The best of the draws, a few of them improved a little, the best two of these to the end."""
    sizes = worst(draws, every=COARSE)
    first = draws[np.argsort(sizes)[:starts]]
    if not free.any():
        return first[0], float(worst(first[0]))
    begun = sorted((_descended(worst, start, free, FEW) for start in first), key=lambda found: found[1])
    ended = [_settled(worst, *found, free, rounds) for found in begun[:2]]
    return min(ended, key=lambda found: found[1])


def _settled(worst: Worst, point: np.ndarray, value: float, free: np.ndarray,
             rounds: int) -> tuple[np.ndarray, float]:
    for _ in range(rounds):
        last = value
        point, value = _descended(worst, point, free, CALLS if rounds > 1 else FEW)
        if last - value <= SETTLED*abs(value):
            break
    return point, value


def _descended(worst: Worst, start: np.ndarray, free: np.ndarray, calls: int) -> tuple[np.ndarray, float]:
    """One run of Nelder-Mead in the free coordinates."""
    from scipy.optimize import minimize
    point = start.copy()

    def size(x: np.ndarray) -> float:
        point[free] = x
        return min(float(worst(point)), 1e300)
    with np.errstate(all="ignore"):
        found = minimize(size, start[free], method="Nelder-Mead", options=dict(xatol=1e-13, fatol=1e-15, maxfev=calls))
    point[free] = found.x
    return point, float(found.fun)


def _draws(rng: np.random.Generator, n: int, wide: bool = False) -> np.ndarray:
    """Points on all scales: uniform in [0, 1), log-uniform, close to one; an eighth of the coordinates negative."""
    shape = (DRAWS//4 if wide else DRAWS, n)
    low, high = (-9, 9) if wide else (-4, 1)
    kinds = np.stack([rng.random(shape), 10**rng.uniform(low, high, shape), 1 - 10**rng.uniform(-5, 0, shape)])
    values = np.take_along_axis(kinds, rng.choice(3, size=(1, *shape), p=(0.4, 0.4, 0.2)), 0)[0]
    return values*np.where(rng.random(shape) < 0.125, -1, 1)
