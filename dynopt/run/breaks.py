"""Times where a right-hand side may be less than smooth: integrators land on them instead of stepping across."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import brentq

from ..core.arithmetic import plain
from ..core.expr import COMPARISONS, Node, evaluate, walk
from ..core.program import Program
from ..core.values import plain_constant

SAMPLES, MOST = 4097, 100_000
DEPTH = 9                                       # a kink at the start is smoothed once by every delay it passes through


def timed(node: Node) -> bool:
    """Whether an expression depends on the time and on nothing that is not known beforehand."""
    below = walk([node])
    unknown = ("state", "call", "past", "unknown", "implicit", "pick")
    return any(n.op == "param" and n.data == "t" for n in below) and all(n.op not in unknown for n in below)


@lru_cache(maxsize=256)
def switches(program: Program) -> list[tuple[Node, bool]]:
    """Expressions of the time whose zeros (True: whose whole values) are breaks."""
    found: dict[Node, bool] = {}
    for n in program.everything:
        if n.op in COMPARISONS or n.op in ("min", "max"):
            found[n.args[0] - n.args[1]] = False
        elif n.op in ("abs", "sign"):
            found[n.args[0]] = False
        elif n.op == "mod":
            found[n.args[0]/n.args[1]] = True
    return [(n, whole) for n, whole in found.items() if timed(n)]


def breaks(system: Any, path: int, t0: float, end: float, before: tuple[float, ...] = ()) -> list[float]:
    """Breaks strictly between t0 and end, in the order of travel; `before`: kinks of the history."""
    exact: set[float] = set()
    times: set[float] = set()
    numbers = {n: float(v[path % v.size]) for n, v in system.numbers.items()}
    for node, whole in switches(system.program):
        def value(t: Any, node: Node = node) -> Any:
            def leaf_value(n: Node) -> Any:
                return t if n.data == "t" else numbers[n.data] if n.op == "param" else plain_constant(n, {})
            with np.errstate(all="ignore"):
                return evaluate([node], leaf_value, plain)[0]
        (exact if whole else times).update(_crossings(value, t0, end, whole))
    lags = np.array([system.constant(n.args[1], path) for n in system.pasts])
    lo, hi = min(t0, end), max(t0, end)
    rim = 1e-14*max(abs(lo), abs(hi), 1e-300)
    times = exact | {t for t in times if not any(abs(t - e) <= 4*rim for e in exact)}            # a jump is known less well than a period
    if lags.size:
        times.update(_delayed({t0, *times, *before}, lags, t0, end))
    return _thinned(sorted((t for t in times if lo + rim < t < hi - rim), reverse=end < t0), rim)


def _thinned(times: list[float], rim: float) -> list[float]:
    kept: list[float] = []
    for t in times:
        if not kept or abs(t - kept[-1]) > 4*rim:
            kept.append(t)
    return kept


def _crossings(value: Any, t0: float, end: float, whole: bool) -> list[float]:
    """Zeros of value(t) by sampling and Brent's method; with `whole` the times of all whole values."""
    grid = np.linspace(t0, end, SAMPLES)
    level = np.broadcast_to(np.asarray(value(grid), dtype=float), grid.shape)
    found: list[float] = []
    for a, b, low, high in zip(grid, grid[1:], level, level[1:]):
        if not (np.isfinite(low) and np.isfinite(high)):
            continue
        first, last = sorted((low, high))
        targets = np.arange(np.ceil(first), np.floor(last) + 1) if whole else [0.0] if first <= 0 <= last and first < last else []
        for target in targets:
            root = brentq(lambda t, target=target: float(value(t)) - target, a, b, xtol=1e-300, rtol=8.9e-16) \
                if low != target != high else float(a if low == target else b)
            near = round(root, 12)                              # periods and switches are usually short decimals: exactly there, if so
            found.append(near if float(value(near)) == target else root)
            if len(found) > MOST:
                return found
    return found


def _delayed(seeds: set[float], lags: np.ndarray, t0: float, end: float) -> set[float]:
    """Where kinks arrive after passing through delays, DEPTH times at most."""
    found, front = set(), set(seeds)
    positive = {float(lag) for lag in lags if lag > 0}
    for _ in range(DEPTH):
        front = {t + lag for t in front for lag in positive if t + lag < end}
        found |= front
        if len(found) > 2000:
            break
    return found
