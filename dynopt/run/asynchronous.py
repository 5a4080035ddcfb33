"""Workers without a barrier: each computes a gradient where it last read the state, and hands it in when it is done.

An event simulation: the next event is the worker that finishes first; its gradient is one step of the method, after which it reads
the new state and starts again. Many independent systems run side by side.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.rule import Method


@dataclass(frozen=True)
class Asynchronous:
    """What came out: after each update its time, the states, and how many updates old the gradient was."""

    t: np.ndarray                        # (paths, updates + 1)
    states: dict[str, np.ndarray]        # by name, (paths, updates + 1, d)
    staleness: np.ndarray                # (paths, updates), in updates by others

    def __getattr__(self, name: str) -> np.ndarray:
        if name != "states" and name in self.states:
            return self.states[name]
        raise AttributeError(f"asynchronous run: no {name!r}, expected one of {', '.join(self.states)}, t, staleness")


def exponential(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Durations of mean 1 without memory."""
    return rng.exponential(size=shape)


def asynchronous(method: Method, problem: Any, *, x0: Any, workers: int, updates: int, paths: int = 1, seed: int = 0,
                 duration: Callable[[np.random.Generator, tuple], np.ndarray] = exponential, start: dict[str, Any] | None = None,
                 **params: float) -> Asynchronous:
    """A method whose gradients come from workers that do not wait for each other.

    x_(k+1) = method(x_k) with grad(x) = grad f(y), y the state that the worker read when it began.

    method : Method that calls grad once a step; x0 : shape (d,); workers, updates, paths : whole numbers >= 1; start : states other
    than the first, 0 where they are not named; duration : (rng, shape) -> times that gradients take, of mean 1 by default.
    Returns an Asynchronous: `.t`, the states by name, `.staleness`. Raises ParameterError for counts below 1.

    >>> from dynopt import gradient_descent, quadratic
    >>> asynchronous(gradient_descent, quadratic([1.]), x0=[1.], workers=1, updates=2, eta=.5).x[0, :, 0].tolist()
    [1.0, 0.5, 0.25]
    """
    if not isinstance(method, Method):
        raise ParameterTypeError(f"asynchronous: found {type(method).__name__} {method!r:.40}, expected a Method")
    for name, count in (("workers", workers), ("updates", updates), ("paths", paths)):
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 1:
            raise ParameterError(f"asynchronous: {name} = {count!r:.40}, expected a whole number >= 1")
    if method.oracles != ("grad",) or method.clocks:
        raise ParameterError(f"asynchronous: {method.name} has the oracles {', '.join(method.oracles)}, expected grad alone and no clock")
    rng, each = np.random.default_rng(seed), np.arange(paths)
    first = np.atleast_1d(np.asarray(x0, dtype=float))
    begun = {s: np.broadcast_to(np.asarray((start or {}).get(s, 0.0), dtype=float), first.shape) for s in method.state[1:]}
    now = {s: np.tile(v, (paths, 1)) for s, v in {method.state[0]: first, **begun}.items()}
    kept = {s: np.empty((paths, updates + 1, first.size)) for s in method.state}
    t, staleness = np.zeros((paths, updates + 1)), np.zeros((paths, updates), dtype=int)
    read, stamp = np.tile(first, (paths, workers, 1)), np.zeros((paths, workers), dtype=int)
    done = duration(rng, (paths, workers))
    for s in method.state:
        kept[s][:, 0] = now[s]
    for k in range(updates):
        who = done.argmin(1)
        t[:, k + 1], staleness[:, k] = done[each, who], k - stamp[each, who]
        pushed = problem.grad(read[each, who])
        out = method(*now.values(), grad=lambda *_, g=pushed, **__: g, **params)
        now = dict(zip(method.state, out if isinstance(out, tuple) else (out,)))
        for s, v in now.items():
            kept[s][:, k + 1] = v
        read[each, who], stamp[each, who] = now[method.state[0]], k + 1
        done[each, who] += duration(rng, (paths,))
    return Asynchronous(t, kept, staleness)
