"""What a flow with delays knows from before its start: functions of the time as polynomials, one for each stretch."""
from __future__ import annotations

import warnings
from typing import Any, Callable

import numpy as np
from numpy.polynomial import Polynomial, chebyshev

from ..core.errors import ParameterError, ParameterTypeError
from .dense import Pieces
from .ode_path import Path

DEGREE = 10
U = (1 - np.cos((2*np.arange(DEGREE + 1) + 1)*np.pi/(2*DEGREE + 2)))/2                       # Chebyshev's nodes on [0, 1]
TO_SERIES = np.linalg.inv(chebyshev.chebvander(2*U - 1, DEGREE))
TO_POWERS = np.zeros((DEGREE + 1, DEGREE + 1))
for _k in range(DEGREE + 1):
    TO_POWERS[:_k + 1, _k] = Polynomial(chebyshev.cheb2poly(np.eye(DEGREE + 1)[_k]))(Polynomial([-1, 2])).coef[:_k + 1]
CHECKS = np.linspace(0, 1, 2*DEGREE + 1)
CLOSE, DEEPEST, MANY = 1e-14, 40, 5000              # error over size that is good enough; halvings that end at a jump or a kink; stretches
MOST_LAGS = 200_000                                 # steps of the length of a delay


def start_of(x0: Any, t0: float, rule: Any) -> tuple[Any, dict[str, Callable]]:
    """The start, and the functions of the time that x0 holds: x0=lambda t: ..., or {"x": lambda t: ...}."""
    named = dict(x0) if isinstance(x0, dict) else {rule.state[0]: x0}
    functions = {n: f for n, f in named.items() if callable(f)}
    if not functions:
        return x0, {}
    return named | {n: value_of(f, t0, n, rule.name) for n, f in functions.items()}, functions


def value_of(function: Callable, t: float, name: str, rule: str) -> np.ndarray:
    """The state at a time of the history; what it raises and what is no number becomes one clear message."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = np.asarray(function(t))
    except Exception as error:
        raise ParameterError(f"{rule}: the history of {name} raised {type(error).__name__} at t = {t:g}: {error}; expected a function of the "
                             f"time, as in x0={{{name!r}: lambda t: [cos(t)]}}") from error
    if found.dtype.kind not in "iuf" or not np.isfinite(found).all():
        raise ParameterTypeError(f"{rule}: the history of {name} gives {found!r:.40} at t = {t:g}, expected finite numbers")
    return found.astype(float)


def history_of(system: Any, path: int, functions: dict[str, Callable], t0: float, longest: float) -> Pieces:
    """All states of a path from t0 - longest to t0; those without a function stay where they start."""
    setup, start = system.setup, system.start[path]

    def state(t: float) -> np.ndarray:
        y = start.copy()
        for name, f in functions.items():
            a = system.edges[setup.rule.state.index(name)]
            width = system.dims[setup.rule.state.index(name)]
            found = value_of(f, t, name, setup.rule.name)
            shape = setup.lead if name in setup.rule.scalars else (*setup.lead, width)
            try:
                y[a:a + width] = np.broadcast_to(found, shape).reshape(-1, width)[path]
            except ValueError:
                raise ParameterError(f"{setup.rule.name}: the history of {name} has shape {found.shape} at t = {t:g} and {shape} at the start, "
                                     "expected one shape") from None
        return y
    return fitted(state, t0 - longest, t0)


def fitted(state: Callable[[float], np.ndarray], lo: float, hi: float) -> Pieces:
    """Polynomials through a function, on stretches halved until they hold between their nodes too, the widest first."""
    size = max(float(np.abs(state(t)).max()) for t in np.linspace(lo, hi, 33))
    done: list[tuple[float, float, np.ndarray]] = []
    stretches = [(lo, hi)]
    for depth in range(DEEPEST + 1):
        halves = []
        for a, b in stretches:
            c = TO_POWERS @ (TO_SERIES @ np.stack([state(t) for t in a + (b - a)*U]))
            truth = np.stack([state(t) for t in a + (b - a)*CHECKS])
            error = np.abs(CHECKS[:, None]**np.arange(DEGREE + 1) @ c - truth).max()
            if depth == DEEPEST or len(done) + len(halves) >= MANY or error <= CLOSE*max(size, np.abs(truth).max()):
                done.append((a, b, c))
            else:
                halves += [(a, (a + b)/2), ((a + b)/2, b)]
        stretches = halves
    done.sort(key=lambda piece: piece[0])
    return Pieces(np.array([lo, *(b for _, b, _ in done)]), np.array([c for _, _, c in done]), done[0][2][0])


def kinks(history: Pieces) -> list[float]:
    """Times at which halving did not help: where the history jumps or bends."""
    spans = np.diff(history.t)
    narrow = spans <= (history.t[-1] - history.t[0])*2.0**-(DEEPEST//2)
    groups = np.split(np.flatnonzero(narrow), np.flatnonzero(np.diff(np.flatnonzero(narrow)) > 1) + 1)
    narrowest = [g[np.argmin(spans[g])] for g in groups if g.size]
    return [float(history.t[i] + spans[i]/2) for i in narrowest]


def recollect(system: Any, path: Path, p: int, end: float, history: dict[str, Any]) -> tuple[float, ...]:
    """Tell a path its delays and what was before its start; returns where that history bends."""
    path.lags = system.lags(p, path.w)
    longest = float(path.lags[0].max())
    if longest > 0 and end < path.t:
        raise ParameterError(f"{system.setup.rule.name}: until = {end:g} lies before t0 = {path.t:g}, and a flow with delays asks there for states "
                             "that are still to come; write until > t0")
    if not history or longest == 0:
        return ()
    known = history_of(system, p, history, path.t, longest)
    path.remember(known)
    return tuple(kinks(known))


def longest_step(path: Path, end: float) -> float:
    """No step is longer than the shortest delay, so that past states are known; unless that would take very many steps."""
    positive = [lag for lag in path.lags[0] if lag > 0] if path.lags else []
    least = min(positive, default=np.inf)
    return float(least) if abs(end - path.t) <= MOST_LAGS*least else np.inf
