"""The points of a sweep, tile by tile: every tile is an ensemble of its own, and where a tile ends changes no result."""
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Iterable

import numpy as np

from ..core.errors import ParameterError
from ..core.expr import COMPARISONS
from ..core.rule import Flow, Rule
from ..core.trajectory import STATUS
from .iterate import Run
from .rest import at_rest
from .setup import Setup, prepare, split_parameters

SAMPLE = 4096
PIECE = 1 << 14                                     # points whose values f are asked for at once: what lies between stays in the cache


@dataclass
class Job:
    """What every tile of a sweep is run from; `setup` is that of one point, checked."""

    rule: Rule
    problem: Any
    axes: dict[str, np.ndarray]
    states: dict[str, np.ndarray]                   # (d,) or (points, d)
    params: dict[str, Any]
    steps: int
    until: float
    seed: int
    options: dict[str, Any]
    setup: Setup | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.size for a in self.axes.values())

    def at(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Parameter values at points of the grid, the last axis running fastest."""
        places = np.unravel_index(points, self.shape)
        return {n: a[i] for (n, a), i in zip(self.axes.items(), places)}


def begin(job: Job, x0: Any) -> None:
    """Find all states at every point, and the setup that tiles are made from; where rest is the same everywhere, it is found once."""
    given = dict(x0) if isinstance(x0, dict) else {job.rule.state[0]: x0}
    scalars = job.rule.scalars
    shaped = {n: np.asarray(v, dtype=float) for n, v in given.items() if v is not None}
    first = {n: v[0] for n, v in job.at(np.arange(1)).items() if n in job.rule.params}
    if any(v.ndim > (0 if n in scalars else 1) for n, v in shaped.items()):
        full = {n: v if v.ndim == (0 if n in scalars else 1) else np.broadcast_to(v, (*job.shape, *v.shape[len(job.shape):]))
                for n, v in shaped.items()}
        job.setup = prepare(job.rule, job.problem, full, job.params | mesh(job))
        job.states = job.setup.states
        return
    job.setup = prepare(job.rule, job.problem, x0, job.params | first)
    check_axes(job, first)
    job.states = {n: s[0] for n, s in job.setup.states.items()}
    if set(given) != set(job.rule.state) and not rests_everywhere(job, job.setup, job.states, given):
        job.states = prepare(job.rule, job.problem, x0, job.params | mesh(job)).states


def check_axes(job: Job, first: dict[str, Any]) -> None:
    """Every value of an axis may be run with, and nothing else has a value for each point."""
    for name in first:
        split_parameters(job.rule, job.params | first | {name: job.axes[name]})
    for name, value in job.setup.numbers.items() if job.setup else ():
        if value.ndim:
            raise ParameterError(f"{job.rule.name}: {name} has shape {value.shape}, expected one number, or values of an axis; "
                                 f"write grid={{{name!r}: [...], ...}}")


def mesh(job: Job) -> dict[str, np.ndarray]:
    """The parameters of the rule at all points."""
    return {n: v for n, v in zip(job.axes, np.meshgrid(*job.axes.values(), indexing="ij")) if n in job.rule.params}


def rests_everywhere(job: Job, setup: Any, states: dict[str, np.ndarray], given: dict[str, Any]) -> bool:
    """Whether the states that nobody named stay where they are at every point of the grid.

    Without branches the update is one formula in the parameters, and 4096 points tell; with them every point is asked.
    """
    total = math.prod(job.shape)
    unnamed = [s for s in setup.rule.state if s not in given and s not in setup.rule.defaults]
    branches = COMPARISONS | {"where", "min", "max", "sign", "abs", "mod"}
    some = total > SAMPLE and not any(n.op in branches for n in setup.rule.program.everything)
    points = np.unique(np.append(np.random.default_rng(0).integers(0, total, SAMPLE), total - 1)) if some else np.arange(total)
    params = dict(setup.numbers) | setup.vectors | setup.matrices | {"k": 2.0, "t": 2.0}
    params |= {n: v[:, None] for n, v in job.at(points).items() if n in setup.numbers}
    scale = 1.0 + max(float(np.abs(s).max()) for s in states.values())
    moved = dict(zip(setup.rule.state, at_rest(setup.rule, states, params)))
    still = {s: states[s] if setup.rule.kind == "method" else 0.0 for s in unnamed}
    return all((np.abs(moved[s] - still[s]) <= 1e-9*scale).all() for s in unnamed)


def draws_by_loops(job: Job) -> bool:
    """Draws are keyed by the number of a path; only lanes can begin to count elsewhere than at zero."""
    drawing = any(o.startswith(("noise", "uniform")) for o in job.rule.program.oracles)
    return drawing and (isinstance(job.rule, Flow) or run_of(job, 0, 1).memory is None)


def results(job: Job, spans: list[tuple[int, int]], executor: Any, kept: Any) -> Iterable[tuple[int, dict[str, np.ndarray]]]:
    """Tiles as they become ready: those kept from an earlier run first."""
    left = []
    for lo, hi in spans:
        found = kept.load(lo) if kept else None
        if found is None:
            left.append((lo, hi))
        else:
            yield lo, found
    waiting = [(lo, executor.submit(run_tile, job, lo, hi).result if executor else (lambda lo=lo, hi=hi: run_tile(job, lo, hi))) for lo, hi in left]
    for lo, wait in waiting:
        found = wait()
        if kept:
            kept.save(lo, found)
        yield lo, found


def starts_of(job: Job, lo: int, hi: int) -> dict[str, np.ndarray]:
    """All states at the points lo..hi-1, one for all points where it is the same."""
    states = {n: s if s.ndim == 1 else s[lo:hi] for n, s in job.states.items()}
    return {n: s[..., 0] if n in job.rule.scalars else s for n, s in states.items()}


def run_of(job: Job, lo: int, hi: int) -> Run:
    """The run of the points lo..hi-1, of which only the end is kept."""
    assert job.setup is not None
    states = {n: np.broadcast_to(s, (hi - lo, s.size)) if s.ndim == 1 else s[lo:hi] for n, s in job.states.items()}
    setup = replace(job.setup, numbers=job.setup.numbers | job.at(np.arange(lo, hi)), lead=(hi - lo,), states=states)
    run = Run(setup, job.problem, job.steps, job.steps + 1, 0.0, job.seed, None)
    run.base = lo
    return run


def run_tile(job: Job, lo: int, hi: int) -> dict[str, np.ndarray]:
    """End states, values, statuses and steps of the points lo..hi-1."""
    if isinstance(job.rule, Flow):
        found = solve_tile(job, lo, hi)
    else:
        run = run_of(job, lo, hi)
        if run._drive(run._advance()):
            raise KeyboardInterrupt
        found = {n: s[:, 0] if n in job.rule.scalars else s for n, s in run.setup.states.items()}
        found |= {"status": run.status.astype(np.int8), "steps": run.taken}
    first = found[job.rule.state[0]]
    if "f" in getattr(job.problem, "fields", {}) and first.ndim == 2:
        found["f"] = values_of(job.problem, first)
    return found


def values_of(problem: Any, x: np.ndarray) -> np.ndarray:
    """f at every point."""
    with np.errstate(all="ignore"):
        if problem.fields["f"].node is None:
            return np.asarray(problem.f(x))
        return np.concatenate([np.asarray(problem.f(x[a:a + PIECE])) for a in range(0, len(x), PIECE)])


def solve_tile(job: Job, lo: int, hi: int) -> dict[str, np.ndarray]:
    from .solve import solve
    given = starts_of(job, lo, hi)
    params = job.params | job.at(np.arange(lo, hi))
    run = solve(job.rule, job.problem, x0=given, until=[job.until], dense=False, seed=job.seed, **job.options, **params)
    found = {n: v[:, -1, 0] if n in job.rule.scalars else v[:, -1] for n, v in run.states.items()}
    return found | {"status": np.array([STATUS.index(s) for s in run.status], dtype=np.int8)}
