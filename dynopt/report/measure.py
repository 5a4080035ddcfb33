"""How fast a small perturbation shrinks, measured on the running iteration, and the step at which it stops to shrink.

Nothing here knows a formula: a run is a function from a number of steps to the distances from the minimizer.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

# A perturbation that has grown a thousandfold will not come back: the loss is bounded in slope, so that beyond the bound
# an iteration may settle on a cycle of finite size, and only the growth before that counts.
GROWN = 1e3
# One that has shrunk a millionfold is close to the rounding of the minimizer itself (1e-16 against 1e-6).
SHRUNK = 1e-6
# Two windows differ clearly when their sizes are this far apart (in logarithm); a Hann window over more than ten turns of an
# oscillation leaks a hundred times less, and the transients of a momentum up to 0.99 are gone when the first one begins.
CLEAR = 0.02
FIRST, LAST = 2_000, 128_000


@dataclass(frozen=True)
class Growth:
    """The factor per step by which a perturbation changes, and what it was read from."""

    factor: float
    steps: int
    clear: bool

    @property
    def shrinks(self) -> bool:
        return self.factor < 1


def _size(window: np.ndarray) -> float:
    """Root mean square under a Hann weight, which makes the phase of an oscillation matter little: of order 1/n³."""
    weight = np.hanning(len(window) + 2)[1:-1]
    return float(np.sqrt(np.average(window**2, weights=weight)))


def growth(distances: np.ndarray) -> Growth:
    """The factor per step by which the distances change, read from their last two quarters.

    The first half is left to transients; nothing is read after the first distance beyond GROWN or the last above SHRUNK.

    distances : shape (n + 1,), distance from the minimizer at steps 0..n, in any unit, the first one positive.
    Returns a Growth: `factor` per step, the number of `steps` read, and whether the difference is `clear`.

    >>> bool(abs(growth(1e-6*0.99**np.arange(400)).factor - 0.99) < 1e-12)
    True
    """
    with np.errstate(over="ignore"):
        relative = np.asarray(distances, dtype=float) / distances[0]
    grown = np.flatnonzero(~(relative < GROWN))              # so written that nan counts as grown
    read = relative[:grown[0]] if grown.size else relative
    loud = np.flatnonzero(read > SHRUNK)                     # an oscillation may pass through zero: the last one counts
    silent = not grown.size and loud[-1] < len(read) - 2
    n = len(read := read[:loud[-1] + 1])
    if n < 16:
        return Growth(np.inf if grown.size else 0.0, n, True)
    lag = n//4
    early, late = read[n - 2*lag:n - lag], read[n - lag:]
    change = np.log(_size(late) / _size(early))
    return Growth(float(np.exp(change/lag)), n - 1, bool(abs(change) > CLEAR or grown.size or silent))


def settled_growth(run: Callable[[int], np.ndarray], *, first: int = FIRST, last: int = LAST) -> Growth:
    """The growth of a run, made longer until it clearly grows or shrinks, or until `last` steps.

    run : function of a number of steps; returns the distances at steps 0..n, shape (n + 1,).
    """
    steps = first
    while True:
        found = growth(run(steps))
        if found.clear or steps >= last:
            return found
        steps *= 4


def multiplier(signal: np.ndarray, order: int) -> float:
    """The modulus of the slowest multiplier in a signal that obeys a linear recurrence: its measured rate.

    signal : shape (n + 1,), the signed distance along one eigenvector at steps 0..n.
    order : length of the recurrence, the number of state variables of the rule.
    Source: Prony 1795; the recurrence is fitted by least squares where the signal is far above rounding.

    >>> round(multiplier(0.9**np.arange(50)*np.cos(0.3*np.arange(50)), 2), 12)
    0.9
    """
    relative = np.asarray(signal, dtype=float) / np.abs(signal[0])
    loud = np.flatnonzero(np.abs(relative) > SHRUNK)
    read = relative[:loud[-1] + 1]
    # Each row is divided by its size, else the first few steps decide and the slow mode goes unheard.
    rows = np.lib.stride_tricks.sliding_window_view(read, order + 1)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    recurrence = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)[0]
    return float(np.max(np.abs(np.roots([1, *-recurrence[::-1]]))))


def threshold(run: Callable[[float, int], np.ndarray], start: float, *, tolerance: float = 1e-4,
              tick: Callable[[], None] = lambda: None) -> tuple[float, float]:
    """The step size at which a perturbation stops shrinking: doubling from `start`, then bisection.

    run : function of a step size and a number of steps; returns the distances, shape (n + 1,).
    start : a step size > 0 at which the perturbation shrinks.
    tolerance : relative width of the last bracket.
    Returns (low, high): at low it was seen to shrink, at high not. Raises ValueError where `start` does not shrink.
    """
    def shrinks(step: float) -> bool:
        return settled_growth(lambda n: run(step, n)).shrinks

    low = high = start
    while shrinks(high):
        low, high = high, 2*high
        tick()
        if high > 1e6*start:
            raise ValueError(f"step size: the perturbation still shrinks at {high:g}, a million times the first one tried")
    if low == high:
        raise ValueError(f"step size {start:g}: the perturbation does not shrink; start from a smaller one")
    while high - low > tolerance*high:
        middle = np.sqrt(low*high)
        low, high = (middle, high) if shrinks(middle) else (low, middle)
        tick()
    return float(low), float(high)
