"""The map of a method's growth by brute force: it is run at every point, and what its state does is measured."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..catalog.problems import quadratic
from ..core.errors import ParameterError, ParameterTypeError
from ..core.rule import Method
from .iterate import Run, check_steps
from .setup import check_seed, prepare

ROWS, VANISHED = 16, 1e-250


def measured_radius(rule: Method, *, lam: float = 1.0, steps: int = 2000, seed: int | None = None, **values: Any) -> np.ndarray:
    """Factor per step by which a method's state grows on f(x) = lam x^2/2, measured on a run from a random start at every point.

    (|s_k|/|s_j|)^(1/(k - j)) over the second half of the run, as far as the state neither vanishes nor passes 1e50: the spectral
    radius to about 1/steps, where `spectral_radius` is exact. Parameters: those of the rule by name, numbers or arrays that
    broadcast; `lam` > 0 one number; `steps` >= 16; `seed` keys start and draws. Returns an array of the common shape, 0 where the
    state vanished at once. Raises ParameterError, ParameterTypeError for what cannot be run.

    >>> from dynopt import heavy_ball
    >>> measured_radius(heavy_ball, eta=[.1, 2.], beta=.25).round(2).tolist()
    [0.86, 0.5]
    """
    if not isinstance(rule, Method):
        raise ParameterTypeError(f"measured_radius: found {type(rule).__name__} {rule!r:.40}, expected a Method, as in symplectic_euler(flow)")
    if check_steps(steps) < ROWS:
        raise ParameterError(f"measured_radius: steps = {steps}, expected at least {ROWS}; write steps=2000")
    shape = np.broadcast_shapes(*map(np.shape, values.values()))
    random = np.random.default_rng(check_seed(seed))
    problem = quadratic([float(lam)])
    wide = {n: np.broadcast_to(np.asarray(v, dtype=float), shape) if np.ndim(v) else v for n, v in values.items()}
    start = {s: np.broadcast_to(random.standard_normal(1), (*shape, 1)) for s in rule.state if s not in rule.scalars}
    every = steps//ROWS
    run = Run(prepare(rule, problem, start, wide), problem, every*ROWS, every, 0.0, check_seed(seed), None)
    run._drive(run._advance())
    return _growth(run, every).reshape(shape)


def _growth(run: Run, every: int) -> np.ndarray:
    """From the rows of a run, the factor per step over the last half of those that are numbers away from zero."""
    vectors = [rows for s, rows in run.out.items() if s not in run.rule.scalars]
    size = sum(np.abs(rows).sum(-1) for rows in vectors)
    good = np.logical_and.accumulate(size > VANISHED, axis=1)                       # NaN is not
    last = np.maximum(good.sum(1) - 1, 0)
    paths = np.arange(len(size))
    half = last//2
    with np.errstate(invalid="ignore", divide="ignore"):
        slow = (size[paths, last]/size[paths, half])**(1/(every*np.maximum(last - half, 1)))
        ends = sum(np.abs(s).sum(-1) for n, s in run.setup.states.items() if n not in run.rule.scalars)
        fast = (ends/size[:, 0])**(1/np.maximum(run.taken, 1))                      # gone beyond every bound before the first row
    return np.where(last > 0, slow, np.where(run.status != 0, fast, 0.0))
