"""The plain declaration on arrays, step after step: what kernels are compared with, and the way out without numba."""
from __future__ import annotations

import inspect
from typing import Any, Callable

import numpy as np

from ..core.functions import Scalar
from ..core.program import stride_of
from ..core.trajectory import STATUS
from ..core.values import compute
from . import noise


class Oracles:
    """The oracles of one step on one path, as plain functions of arrays; draws are those of the kernels."""

    def __init__(self, problem: Any, seed: int, path: int, dimension: int):
        self.problem, self.seed, self.path, self.dimension = problem, seed, path, dimension
        self.step = self.calls = 0
        self.history: list[dict[str, np.ndarray]] = []
        self.states: dict[str, np.ndarray] = {}

    def begin(self, step: int, states: dict[str, np.ndarray]) -> None:
        """Tell the oracles which step begins and from where."""
        self.step, self.calls, self.states = step, 0, states
        self.history.append(states)

    def _draw(self, normal: bool, like: Any) -> Any:
        self.calls += 1
        count = 1 if like is Scalar else self.dimension
        found = noise.draws(normal, np.uint64(self.seed), self.path, self.step, self.calls - 1, count)
        return found[0] if like is Scalar else found

    def past(self, x: Any, tau: Any) -> Any:
        name = next(n for n, v in self.states.items() if np.shares_memory(v, x))
        return self.history[max(len(self.history) - 1 - int(tau), 0)][name]

    def implicit(self, residual: Callable) -> Any:
        """Newton's method with a difference Jacobian, from the current state."""
        count = len(inspect.signature(residual).parameters)
        guess = [np.array(v) for v in list(self.states.values())[:count]]
        sizes = np.cumsum([0, *(g.size for g in guess)])

        def flat(z: np.ndarray) -> np.ndarray:
            out = residual(*(z[a:b] for a, b in zip(sizes, sizes[1:])))
            return np.concatenate([np.broadcast_to(o, g.shape) for o, g in zip(out if isinstance(out, tuple) else (out,), guess)])
        z = np.concatenate(guess)
        for _ in range(60):
            r = flat(z)
            eps = 1.5e-8*np.maximum(1.0, np.abs(z))
            J = np.stack([(flat(z + e) - r)/e[i] for i, e in enumerate(np.diag(eps))], -1)
            moved = np.linalg.solve(J, r)
            z = z - moved
            if np.abs(moved).max() <= 1e-15*max(np.abs(z).max(), 1e-300):
                break
        parts = tuple(z[a:b] for a, b in zip(sizes, sizes[1:]))
        return parts if count > 1 else parts[0]

    def named(self, names: tuple[str, ...]) -> dict[str, Callable]:
        """The oracles a rule asks for, by name."""
        own = {"noise": lambda like=None: self._draw(True, like), "uniform": lambda like=None: self._draw(False, like),
               "past": self.past, "implicit": self.implicit}
        fields = getattr(self.problem, "fields", {})
        return {n: own[n] if n in own else _shared(fields[n]) if n in fields else (lambda u, s: u) for n in names}


def _shared(field: Callable) -> Callable:
    """An oracle without chance: a fresh sample is the same sample."""
    return lambda *points, fresh=False: field(*points)


def stepper(run: Any) -> Callable[[int, int], None]:
    """advance(first, count) for a Run, by calling the rule itself."""
    setup = run.setup
    oracles = [Oracles(run.problem, int(run.seed), p, next(iter(setup.states.values())).shape[1]) for p in range(setup.paths)]

    def advance(first: int, count: int) -> None:
        for p in range(setup.paths):
            for step in range(first, first + count):
                if run.status[p]:
                    break
                _one(run, oracles[p], p, step)
    return advance


def parameters(run: Any, path: int) -> dict[str, Any]:
    """The parameter values of one path."""
    setup = run.setup
    values = {n: float(setup.number(n)[path % setup.number(n).size]) for n in setup.numbers} | setup.vectors | setup.matrices
    return {n: v for n, v in values.items() if n not in setup.rule.bound}


def _one(run: Any, oracles: Oracles, p: int, step: int) -> None:
    setup, rule = run.setup, run.rule
    now = {n: float(s[p, 0]) if n in rule.scalars else s[p].copy() for n, s in setup.states.items()}
    oracles.begin(step, {n: np.asarray(v) for n, v in now.items()})
    values = parameters(run, p)
    clocks = {"k": step, "t": run.t0 + step*compute(stride_of(rule.program), values, rule.name)}
    out = rule(*(now[s] if s in rule.scalars else oracles.states[s] for s in rule.state), **values, **oracles.named(rule.oracles),
               **{c: clocks[c] for c in rule.clocks})
    out = out if isinstance(out, tuple) else (out,)
    if not all(np.isfinite(o).all() and np.abs(o).max() <= 1e50 for o in out):
        run.status[p] = STATUS.index("diverged")
        return
    for name, value in zip(rule.state, out):
        setup.states[name][p] = value
        if (step + 1) % run.every == 0:
            run.out[name][p, (step + 1)//run.every] = value
    run.taken[p] = step + 1
    if run.tol > 0 and np.linalg.norm(run.problem.grad(setup.states[rule.state[0]][p])) <= run.tol:
        run.status[p] = STATUS.index("converged")


def plain_run(method: Any, problem: Any = None, *, x0: Any, steps: int, t0: float = 0.0, seed: int | None = None,
              **params: Any) -> Any:
    """What `iterate` does, by calling the declaration on numpy arrays: slow, and the reference for every kernel."""
    from .iterate import Run
    from .setup import check_seed, prepare
    run = Run(prepare(method, problem, x0, params), problem, steps, 1, t0, check_seed(seed), None)
    run._drive(stepper(run))
    return run._collect(False)
