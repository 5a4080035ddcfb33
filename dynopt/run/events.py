"""Events: zeros of functions along a run, found on its dense output."""
from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from ..core.arithmetic import plain
from ..core.errors import ParameterError, ParameterTypeError
from ..core.expr import Node, as_node, evaluate, leaf
from ..core.parse import parse
from ..core.values import plain_constant
from .dense import Pieces
from .event_search import looks, zeros

AGAIN = 16                                          # steps looked at twice, by two stretches of a run
TOLERANCES = 10.0                                   # errors of a state of so many tolerances are expected
SIGNS = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])


@dataclass(frozen=True)
class Event:
    """A zero of `function` along a run: of states by name and t, as lambda x, t: ..., or text such as "x - 1".

    terminal: the run ends there. direction: 1 for zeros from below, -1 from above, 0 for both and for those that only touch zero
    (to within ten tolerances, between slopes that climb to ten times that).
    """

    function: Callable | str
    terminal: bool = False
    direction: int = 0


def read_events(events: Any, system: Any, rtol: float, weights: np.ndarray) -> dict[str, "Watched"]:
    """Events given as one function, a list, or a dict by name, ready to be evaluated."""
    if events is None:
        return {}
    if not isinstance(events, dict):
        several = events if isinstance(events, (list, tuple)) else [events]
        events = {f"event_{i}" if len(several) > 1 else "event": e for i, e in enumerate(several)}
    return {name: Watched(name, e if isinstance(e, Event) else _as_event(e, name), system, rtol, weights) for name, e in events.items()}


def _as_event(given: Any, name: str) -> Event:
    if not (callable(given) or isinstance(given, str)):
        raise ParameterTypeError(f"events: {name!r} is {type(given).__name__} {given!r:.40}, expected a function of states by name; "
                                 "write events={\"crossing\": lambda x: x}, or Event(function, terminal=True)")
    return Event(given, bool(getattr(given, "terminal", False)), int(np.sign(getattr(given, "direction", 0))))


class Watched:
    """An event on a system whose states are known to atol + rtol |y|: `value(t, y)` for many times at once."""

    def __init__(self, name: str, event: Event, system: Any, rtol: float, weights: np.ndarray):
        self.name, self.event, self.system, self.rtol, self.weights = name, event, system, rtol, weights
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

    def search(self, run: Pieces, first: int) -> None:
        """Look for zeros in the steps from `first` on, and once more in a few steps before: a dip may lie across that place."""
        grid = looks(run.t, max(first - AGAIN, 0))
        direction = 1.0 if grid[-1] >= grid[0] else -1.0
        found = zeros(lambda t: self.value(t, run(t)), lambda t: self.doubt(t, run(t)), grid)
        wanted = [t for t, way in found if self.event.direction in (0, way)]
        self.times = [t for t in self.times if (grid[0] - t)*direction >= 0] + wanted

    def doubt(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """How much the function may be off, the states being off by a few tolerances: the root of the mean square over some signs."""
        near = TOLERANCES*(self.weights + self.rtol*np.abs(y))
        here = self.value(t, y)
        moved = [self.value(t, y + np.resize(signs, y.shape[-1])*near) - here for signs in SIGNS]
        return np.sqrt(np.mean(np.square(moved), axis=0))


def watcher(watched: dict[str, Watched]) -> Callable[[Pieces, int], float | None] | None:
    """What looks at each new stretch of a run: notes the events, returns the time of the first terminal one."""
    if not watched:
        return None

    def watch(run: Pieces, first: int) -> float | None:
        direction = 1.0 if run.t[-1] >= run.t[0] else -1.0
        for w in watched.values():
            w.search(run, first)
        ends = [t for w in watched.values() if w.event.terminal for t in w.times]
        stop = min(ends, key=lambda t: t*direction) if ends else None
        for w in watched.values():
            w.times = [t for t in w.times if stop is None or (t - stop)*direction <= 0]
        return stop
    return watch


def told(watched: dict[str, Watched], run: Pieces, system: Any) -> dict[str, dict[str, np.ndarray]]:
    """Events as arrays: {"name": {"t": times, "x": states there, ...}}."""
    return {name: {"t": np.array(w.times)} | system.split(run(np.array(w.times))) for name, w in watched.items()}
