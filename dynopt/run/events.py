"""Events: zeros of functions along a run, found on its dense output."""
from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from scipy.optimize import brentq

from ..core.arithmetic import plain
from ..core.errors import ParameterError, ParameterTypeError
from ..core.expr import Node, as_node, evaluate, leaf
from ..core.parse import parse
from ..core.values import plain_constant
from .dense import Pieces

SAMPLES, LOOKS = 8, 2000                            # looks at each step, and at a whole run: what comes and goes between two is missed


@dataclass(frozen=True)
class Event:
    """A zero of `function` along a run: of states by name and t, as lambda x, t: ..., or text such as "x - 1".

    terminal: the run ends there. direction: 1 for zeros from below, -1 from above, 0 for both.
    """

    function: Callable | str
    terminal: bool = False
    direction: int = 0


def read_events(events: Any, system: Any) -> dict[str, "Watched"]:
    """Events given as one function, a list, or a dict by name, ready to be evaluated."""
    if events is None:
        return {}
    if not isinstance(events, dict):
        several = events if isinstance(events, (list, tuple)) else [events]
        events = {f"event_{i}" if len(several) > 1 else "event": e for i, e in enumerate(several)}
    return {name: Watched(name, e if isinstance(e, Event) else _as_event(e, name), system) for name, e in events.items()}


def _as_event(given: Any, name: str) -> Event:
    if not (callable(given) or isinstance(given, str)):
        raise ParameterTypeError(f"events: {name!r} is {type(given).__name__} {given!r:.40}, expected a function of states by name; "
                                 "write events={\"crossing\": lambda x: x}, or Event(function, terminal=True)")
    return Event(given, bool(getattr(given, "terminal", False)), int(np.sign(getattr(given, "direction", 0))))


class Watched:
    """An event on a system: `value(t, y)` for many times at once."""

    def __init__(self, name: str, event: Event, system: Any):
        self.name, self.event, self.system = name, event, system
        self.times: list[float] = []
        known = (*system.setup.rule.state, "t")
        if isinstance(event.function, str):
            self.node: Node | None = parse(event.function, names=known)
            table = {leaf("param", s): leaf("state", s) for s in system.setup.rule.state}
            from ..core.expr import replace
            [self.node] = replace([self.node], table)
            return
        self.args = tuple(inspect.signature(event.function).parameters)
        wrong = [a for a in self.args if a not in known]
        if wrong or not self.args:
            raise ParameterError(f"events: {name!r} takes {', '.join(self.args) or 'nothing'}, expected names among {', '.join(known)}; "
                                 f"write lambda {known[0]}: ...")
        try:
            self.node = as_node(event.function(*(leaf("param" if a == "t" else "state", a) for a in self.args)))
        except Exception:      # whatever it needs that symbols do not have: it is called point by point
            self.node = None

    def value(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The function at times t (m,) and states y (m, n)."""
        states = self.system.split(y)
        if self.node is not None:
            def leaf_value(n: Node) -> Any:
                return t[:, None] if n.op == "param" else states[n.data] if n.op == "state" else plain_constant(n, {})
            found = np.asarray(evaluate([self.node], leaf_value, plain)[0], dtype=float)
            found = np.broadcast_to(found, (len(t), found.shape[-1] if found.ndim > 1 else 1))
        else:
            found = np.array([np.ravel(self.event.function(*(t[i] if a == "t" else states[a][i] for a in self.args))) for i in range(len(t))])
        if found.shape[-1] != 1:
            raise ParameterError(f"events: {self.name!r} gives {found.shape[-1]} numbers, expected one; "
                                 "write an entry, as in lambda x: x[0], or norm(x)")
        return found[..., 0]

    def search(self, run: Pieces, first: int) -> list[float]:
        """Zeros in the steps from `first` on."""
        grid = looks(run.t, first)
        level = self.value(grid, run(grid))
        before, after = level[:-1], level[1:]
        rising, falling = (before < 0) & (after >= 0), (before > 0) & (after <= 0)
        wanted = rising if self.event.direction > 0 else falling if self.event.direction < 0 else rising | falling
        return [self._root(run, grid[i], grid[i + 1]) for i in np.flatnonzero(wanted)]

    def _root(self, run: Pieces, a: float, b: float) -> float:
        def at(t: float) -> float:
            times = np.array([t])
            return float(self.value(times, run(times))[0])
        if at(b) == 0.0:
            return float(b)
        return float(brentq(at, a, b, xtol=2e-16*max(abs(a), abs(b), 1e-290), rtol=8.9e-16, maxiter=2000))      # a triple root takes hundreds


def looks(t: np.ndarray, first: int) -> np.ndarray:
    """Times to look at in the steps from `first` on: SAMPLES in each, and more in the long ones of a short run."""
    spans = np.diff(t[first:])
    counts = np.maximum(SAMPLES, np.ceil(LOOKS*np.abs(spans)/max(abs(t[-1] - t[0]), 1e-300))).astype(int)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.append(np.repeat(t[first:-1], counts) + within/np.repeat(counts, counts)*np.repeat(spans, counts), t[-1])


def watcher(watched: dict[str, Watched]) -> Callable[[Pieces, int], float | None] | None:
    """What looks at each new stretch of a run: notes the events, returns the time of the first terminal one."""
    if not watched:
        return None

    def watch(run: Pieces, first: int) -> float | None:
        direction = 1.0 if run.t[-1] >= run.t[0] else -1.0
        found = {name: w.search(run, first) for name, w in watched.items()}
        ends = [t for name, times in found.items() if watched[name].event.terminal for t in times]
        stop = min(ends, key=lambda t: t*direction) if ends else None
        for name, times in found.items():
            watched[name].times += sorted((t for t in times if stop is None or (t - stop)*direction <= 0), key=lambda t: t*direction)
        return stop
    return watch


def told(watched: dict[str, Watched], run: Pieces, system: Any) -> dict[str, dict[str, np.ndarray]]:
    """Events as arrays: {"name": {"t": times, "x": states there, ...}}."""
    return {name: {"t": np.array(w.times)} | system.split(run(np.array(w.times))) for name, w in watched.items()}
