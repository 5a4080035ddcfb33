"""Zeros of a function along a run: where its sign changes, and where it touches zero without a change."""
from __future__ import annotations

from typing import Callable

import numpy as np
from scipy.optimize import brentq

SAMPLES, LOOKS = 16, 2000                           # looks at each step, and at a whole run
HALVINGS, NEAR = 50, 1e-3                           # of a bracket around an extremum; where differences are taken, as a share of it
HILL = 10.0                                         # slopes beside a touching zero climb to so many times what counts as zero
Level = Callable[[np.ndarray], np.ndarray]


def looks(t: np.ndarray, first: int) -> np.ndarray:
    """Times to look at in the steps from `first` on: SAMPLES in each, and more in the long ones of a short run."""
    spans = np.diff(t[first:])
    counts = np.maximum(SAMPLES, np.ceil(LOOKS*np.abs(spans)/max(abs(t[-1] - t[0]), 1e-300))).astype(int)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.append(np.repeat(t[first:-1], counts) + within/np.repeat(counts, counts)*np.repeat(spans, counts), t[-1])


def zeros(level: Level, doubt: Level, grid: np.ndarray) -> list[tuple[float, int]]:
    """Zeros on a grid of times, in the order of travel: (time, 1 from below, -1 from above, 0 where it only touches zero).

    `doubt` says at a time how far from zero a value still counts as zero. A dip of that size between two slopes that climb well
    over it is one touching zero, whether or not it crosses.
    """
    direction = 1.0 if grid[-1] >= grid[0] else -1.0
    times, values = with_extrema(level, doubt, grid, level(grid))
    dips = dips_of(level, doubt, times, values)
    found = [(t, way) for t, way in crossings(level, times, values)
             if not any((t - a)*direction >= 0 and (b - t)*direction >= 0 for a, b, _ in dips)]
    return sorted([*found, *((t, 0) for *_, t in dips)], key=lambda zero: zero[0]*direction)


def crossings(level: Level, times: np.ndarray, values: np.ndarray) -> list[tuple[float, int]]:
    """Where the sign changes, and which way."""
    before, after = values[:-1], values[1:]
    rising, falling = (before < 0) & (after >= 0), (before > 0) & (after <= 0)
    return [(_root(level, times[i], times[i + 1]), 1 if rising[i] else -1) for i in np.flatnonzero(rising | falling)]


def _root(level: Level, a: float, b: float) -> float:
    def at(t: float) -> float:
        return float(level(np.array([t]))[0])
    if at(b) == 0.0:
        return float(b)
    return float(brentq(at, a, b, xtol=2e-16*max(abs(a), abs(b), 1e-290), rtol=8.9e-16, maxiter=2000))      # a triple root takes hundreds


def with_extrema(level: Level, doubt: Level, times: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The samples and, between them, the extrema that come so near to zero that they may reach it."""
    sign, size = np.sign(values), np.abs(values)
    low = _lows(size)
    low = low[(sign[low - 1] == sign[low]) & (sign[low + 1] == sign[low]) & (sign[low] != 0)]
    low = low[size[low] <= np.maximum(size[low - 1], size[low + 1]) - size[low] + doubt(times[low])] if low.size else low
    if not low.size:
        return times, values
    at = extrema(level, times[low - 1], times[low + 1], sign[low])
    fresh = ~np.isin(at, times)
    at, low = at[fresh], low[fresh]
    place = low + (np.abs(at - times[low - 1]) > np.abs(times[low] - times[low - 1]))
    return np.insert(times, place, at), np.insert(values, place, level(at))


def _lows(size: np.ndarray) -> np.ndarray:
    """Samples that are no larger than both neighbours, and smaller than one."""
    a, b, c = size[:-2], size[1:-1], size[2:]
    return np.flatnonzero((b <= a) & (b <= c) & ((b < a) | (b < c))) + 1


def extrema(level: Level, a: np.ndarray, b: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """The time in each bracket where sign*level is least: its difference quotient changes sign there, found by halving."""
    near = NEAR*(b - a)
    for _ in range(HALVINGS):
        middle = (a + b)/2
        climbs = sign*(level(middle + near) - level(middle - near)) > 0
        a, b = np.where(climbs, a, middle), np.where(climbs, middle, b)
    return (a + b)/2


def dips_of(level: Level, doubt: Level, times: np.ndarray, values: np.ndarray) -> list[tuple[float, float, float]]:
    """(from, to, time of the extremum) of every dip to zero between two slopes of one sign."""
    size = np.abs(values)
    low = _lows(size)
    if not low.size:
        return []
    nothing = doubt(times[low])
    low, nothing = low[size[low] <= nothing], nothing[size[low] <= nothing]
    found: dict[tuple[int, int], None] = {}
    for i, least in zip(low, nothing):
        left, right = _foot(size, i, -1, least), _foot(size, i, 1, least)
        if left is not None and right is not None and values[left]*values[right] > 0 and (size[left + 1:right] <= least).all():
            found[left, right] = None
    if not found:
        return []
    a, b = (np.array(side) for side in zip(*found))
    at = extrema(level, times[a], times[b], np.sign(values[a]))
    return [(float(times[i]), float(times[j]), float(t)) for i, j, t in zip(a, b, at)]


def _foot(size: np.ndarray, at: int, way: int, least: float) -> int | None:
    """The first sample beside a dip that counts as zero no more, where from there it climbs to HILL times as much; else None."""
    foot = None
    for j in range(at, len(size) if way > 0 else -1, way):
        if foot is None and size[j] > least:
            foot = j
        if foot is not None and size[j] >= HILL*least:
            return foot
        if foot is not None and j != foot and size[j] < size[j - way]:
            return None
    return None
