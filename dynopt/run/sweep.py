"""`sweep`: a rule at every point of a grid of parameters, tile by tile, so that it can be watched, interrupted and taken up again."""
from __future__ import annotations

import math
import sys
from typing import Any, Callable

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.rule import Flow, Method, Rule, unknown_name
from ..core.trajectory import STATUS
from ..core.values import PerCoordinate
from .iterate import check_steps
from .setup import array_of, check_seed
from .sweep_store import Store
from .sweep_tiles import Job, begin, draws_by_loops, results

TILE = 1 << 16                                      # points of a tile: small enough to stay in the cache, large enough to fill lanes


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
    whole: dict[str, np.ndarray] = {}
    for done, (lo, found) in enumerate(results(job, spans, executor, kept), 1):
        for name, part in found.items():
            if name not in whole:                   # an entry of a state is one row in memory, as in the tiles
                whole[name] = np.empty((*part.shape[:0:-1], total), part.dtype).T
            whole[name][lo:lo + len(part)] = part
        report(progress, done, len(spans))
    return dataset(xarray, job, whole)


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
    begin(job, x0)
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


def dataset(xarray: Any, job: Job, whole: dict[str, np.ndarray]) -> Any:
    names, variables = tuple(job.axes), {}
    for name, values in whole.items():
        values = np.array(STATUS, dtype=object)[values] if name == "status" else values
        dims = (*names, *((f"{name}_entry",) if values.ndim > 1 else ()))
        variables[name] = xarray.Variable(dims, values.reshape(*job.shape, *values.shape[1:]), fastpath=True)
    return xarray.Dataset(variables, coords=job.axes, attrs={"rule": job.rule.name, "problem": getattr(job.problem, "name", ""), "seed": job.seed})


def report(progress: bool | Callable, done: int, total: int) -> None:
    if callable(progress):
        progress(done, total)
    elif progress and total > 1 and sys.stderr.isatty():
        print(f"\rsweep: {done} of {total} tiles", end="\n" if done == total else "", file=sys.stderr, flush=True)
