"""`sweep`: a rule at every point of a grid of parameters, tile by tile, so that it can be watched, interrupted and taken up again."""
from __future__ import annotations

import hashlib
import io
import json
import math
import os
import sys
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterable

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.expr import COMPARISONS
from ..core.rule import Flow, Method, Rule, unknown_name
from ..core.trajectory import STATUS
from ..core.values import PerCoordinate
from .iterate import Run, check_steps
from .rest import at_rest
from .setup import array_of, check_seed, prepare

SAMPLE = 4096
TILE = 1 << 16                                      # points of a tile: small enough to stay in the cache, large enough to fill lanes


@dataclass
class Job:
    """What every tile of a sweep is run from."""

    rule: Rule
    problem: Any
    axes: dict[str, np.ndarray]
    states: dict[str, np.ndarray]                   # (d,) or (points, d)
    params: dict[str, Any]
    steps: int
    until: float
    seed: int
    options: dict[str, Any]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(a.size for a in self.axes.values())

    def at(self, points: np.ndarray) -> dict[str, np.ndarray]:
        """Parameter values at points of the grid, the last axis running fastest."""
        places = np.unravel_index(points, self.shape)
        return {n: a[i] for (n, a), i in zip(self.axes.items(), places)}


def sweep(rule: Rule, problem: Any = None, grid: dict[str, Any] | None = None, *, x0: Any, steps: int | None = None, until: float | None = None,
          store: Any = None, executor: Any = None, resume: bool = True, progress: bool | Callable = True, seed: int | None = None,
          tile: int = TILE, **params: Any) -> Any:
    """Run a rule at every point of a grid: end state, value f, status and steps taken, as an xarray.Dataset.

    Parameters: `grid` is {parameter: values} in the order of the axes; `x0` as in iterate, of shape (d,) or (*grid, d); `steps` for a
    Method, `until` for a Flow; `store` a folder in which finished tiles are kept and, with `resume`, taken up again; `executor`
    anything with .submit(function, *args); `progress` True (a line where somebody looks), False, or a function of (done, all); other
    parameters by name. Returns a Dataset over the grid: every state, `f`, `status`, `steps`. The result depends neither on the
    tiles nor on the executor. Raises ParameterError, ParameterTypeError, and ImportError without xarray.

    >>> from dynopt import sweep, heavy_ball, quadratic
    >>> found = sweep(heavy_ball, quadratic([1, 10]), {"eta": [.1, .3], "beta": [0, .5, .9]}, x0=[1, 1], steps=200)
    >>> found.status.sel(eta=.3, beta=0).item()
    'diverged'
    """
    xarray = need_xarray()
    job = read_job(rule, problem, grid, x0, steps, until, check_seed(seed), params)
    total = math.prod(job.shape)
    size = total if draws_by_loops(job) else max(1, int(tile))
    spans = [(lo, min(lo + size, total)) for lo in range(0, total, size)]
    kept = Store(store, job, size, resume) if store is not None else None
    parts: dict[int, dict[str, np.ndarray]] = {}
    for lo, found in results(job, spans, executor, kept):
        parts[lo] = found
        report(progress, len(parts), len(spans))
    return dataset(xarray, job, [parts[lo] for lo, _ in spans])


def need_xarray() -> Any:
    try:
        import xarray
    except ImportError:
        raise ImportError("sweep needs xarray, which is not installed; run `pip install dynopt[sweep]`") from None
    return xarray


def read_job(rule: Any, problem: Any, grid: Any, x0: Any, steps: Any, until: Any, seed: int, params: dict[str, Any]) -> Job:
    """The arguments, checked."""
    if not isinstance(rule, (Method, Flow)):
        raise ParameterTypeError(f"sweep: found {type(rule).__name__} {rule!r:.40}, expected a Method or a Flow")
    is_flow = isinstance(rule, Flow)
    if (until is None) == is_flow or (steps is None) != is_flow:
        raise ParameterError(f"sweep: {rule.name} is a {type(rule).__name__}, expected {'until=10.0' if is_flow else 'steps=1000'} and not "
                             f"{'steps' if is_flow else 'until'}")
    axes = read_grid(rule, grid, is_flow)
    both = sorted(set(axes) & set(params))
    if both:
        raise ParameterError(f"sweep: {both[0]} is in the grid and given as {both[0]}=..., expected one of them; leave {both[0]}= out")
    options = {n: params.pop(n) for n in ("method", "rtol", "atol", "t0", "h") if is_flow and n in params and n not in rule.params}
    job = Job(rule, problem, axes, {}, params, 0 if is_flow else check_steps(steps), float(until or 0), seed, options)
    job.states = start(job, x0)
    return job


def read_grid(rule: Rule, grid: Any, is_flow: bool) -> dict[str, np.ndarray]:
    if not isinstance(grid, dict) or not grid:
        raise ParameterError(f"sweep: grid = {grid!r:.40}, expected values by parameter; write grid={{'eta': np.linspace(.01, 1, 50)}}")
    names = (*rule.params, *(("h",) if is_flow else ()))
    for name, values in grid.items():
        if name not in names:
            raise ParameterError(unknown_name(rule.name, name, names))
        if isinstance(values, PerCoordinate) or np.ndim(values) != 1 or np.size(values) == 0:
            raise ParameterError(f"sweep: grid[{name!r}] has shape {np.shape(values)}, expected the values of one axis; write {name!r}: [.1, .2]")
    return {n: array_of(v, n, rule.name) for n, v in grid.items()}


def start(job: Job, x0: Any) -> dict[str, np.ndarray]:
    """All states at every point; where rest is the same everywhere, it is found once."""
    given = dict(x0) if isinstance(x0, dict) else {job.rule.state[0]: x0}
    scalars = job.rule.scalars
    shaped = {n: np.asarray(v, dtype=float) for n, v in given.items() if v is not None}
    if any(v.ndim > (0 if n in scalars else 1) for n, v in shaped.items()):
        full = {n: v if v.ndim == (0 if n in scalars else 1) else np.broadcast_to(v, (*job.shape, *v.shape[len(job.shape):]))
                for n, v in shaped.items()}
        setup = prepare(job.rule, job.problem, full, job.params | {n: v for n, v in mesh(job).items() if n in job.rule.params})
        return setup.states
    first = {n: v[0] for n, v in job.at(np.arange(1)).items() if n in job.rule.params}
    setup = prepare(job.rule, job.problem, x0, job.params | first)
    states = {n: s[0] for n, s in setup.states.items()}
    if set(given) == set(job.rule.state) or rests_everywhere(job, setup, states, given):
        return states
    return prepare(job.rule, job.problem, x0, job.params | {n: v for n, v in mesh(job).items() if n in job.rule.params}).states


def mesh(job: Job) -> dict[str, np.ndarray]:
    return dict(zip(job.axes, np.meshgrid(*job.axes.values(), indexing="ij")))


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
    given = starts_of(job, lo, hi)
    setup = prepare(job.rule, job.problem, given, job.params | job.at(np.arange(lo, hi)))
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
        found = {n: np.array(s[:, 0] if n in job.rule.scalars else s) for n, s in run.setup.states.items()}
        found |= {"status": run.status.astype(np.int8), "steps": run.taken.copy()}
    first = found[job.rule.state[0]]
    if "f" in getattr(job.problem, "fields", {}) and first.ndim == 2:
        with np.errstate(all="ignore"):
            found["f"] = np.asarray(job.problem.f(first))
    return found


def solve_tile(job: Job, lo: int, hi: int) -> dict[str, np.ndarray]:
    from .solve import solve
    given = starts_of(job, lo, hi)
    params = job.params | job.at(np.arange(lo, hi))
    run = solve(job.rule, job.problem, x0=given, until=[job.until], dense=False, seed=job.seed, **job.options, **params)
    found = {n: v[:, -1, 0] if n in job.rule.scalars else v[:, -1] for n, v in run.states.items()}
    return found | {"status": np.array([STATUS.index(s) for s in run.status], dtype=np.int8)}


def dataset(xarray: Any, job: Job, parts: list[dict[str, np.ndarray]]) -> Any:
    names, variables = tuple(job.axes), {}
    for name in parts[0]:
        whole = np.concatenate([p[name] for p in parts])
        whole = np.array(STATUS, dtype=object)[whole] if name == "status" else whole
        variables[name] = ((*names, *((f"{name}_entry",) if whole.ndim > 1 else ())), whole.reshape(*job.shape, *whole.shape[1:]))
    return xarray.Dataset(variables, coords=job.axes, attrs={"rule": job.rule.name, "problem": getattr(job.problem, "name", ""), "seed": job.seed})


def report(progress: bool | Callable, done: int, total: int) -> None:
    if callable(progress):
        progress(done, total)
    elif progress and total > 1 and sys.stderr.isatty():
        print(f"\rsweep: {done} of {total} tiles", end="\n" if done == total else "", file=sys.stderr, flush=True)


class Store:
    """A folder of finished tiles and a file that says what they belong to; a tile is there whole or not at all."""

    def __init__(self, folder: Any, job: Job, size: int, resume: bool):
        self.folder, self.size = Path(folder), size
        self.folder.mkdir(parents=True, exist_ok=True)
        description, place = describe(job, size), self.folder/"sweep.json"
        if resume and place.exists() and json.loads(place.read_text(encoding="utf-8")) != description:
            raise ParameterError(f"sweep: {self.folder} holds the tiles of another sweep (rule, problem, grid, start or steps differ); "
                                 "give another store, or resume=False to begin anew")
        if not resume:
            for old in self.folder.glob("tile-*.npz"):
                old.unlink()
        write(place, json.dumps(description, indent=1).encode())

    def load(self, lo: int) -> dict[str, np.ndarray] | None:
        place = self.folder/f"tile-{lo}.npz"
        if not place.exists():
            return None
        try:
            with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
            return None                             # cut short: it is run again

    def save(self, lo: int, found: dict[str, np.ndarray]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **found)
        write(self.folder/f"tile-{lo}.npz", buffer.getvalue())


def write(place: Path, content: bytes) -> None:
    """A file that is whole as soon as it has its name."""
    handle, name = tempfile.mkstemp(prefix="new-", dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(name, place)


def describe(job: Job, size: int) -> dict[str, Any]:
    """What a sweep is, in words and hashes: equal only for equal results."""
    from ..core.show import fingerprint
    fields = getattr(job.problem, "fields", {})
    shown = {n: fingerprint([f.node]) if f.node is not None else repr(f.function) for n, f in fields.items()}
    arrays = [n.data.values for f in fields.values() if f.node is not None for n in _nodes(f.node) if n.op == "array"]
    arrays += [n.data.values for n in job.rule.program.everything if n.op == "array"]
    digest = hashlib.sha256()
    for a in (*arrays, *job.axes.values(), *job.states.values()):
        digest.update(str(np.shape(a)).encode() + np.ascontiguousarray(a).tobytes())
    for text in (job.rule.key, json.dumps(shown, sort_keys=True), repr(sorted(job.params.items(), key=lambda i: i[0])), repr(job.options)):
        digest.update(text.encode())
    return {"rule": job.rule.name, "axes": {n: a.size for n, a in job.axes.items()}, "steps": job.steps, "until": job.until, "seed": job.seed,
            "tile": size, "hash": digest.hexdigest()}


def _nodes(node: Any) -> list:
    from ..core.expr import walk
    return walk([node])
