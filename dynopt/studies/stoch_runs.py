"""What studies of noise measure: stationary variances with their standard errors, and second moments by quadrature."""
from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from dynopt import iterate, quadratic


def stationary(rule: Any, *, burn: int, steps: int, every: int = 1, paths: int = 2000, lead: int = 0, state: str = "x",
               lam: float = 1., seed: int = 1, start: Any = 0., **params: Any) -> tuple[Any, Any]:
    """E state^2 on f = lam x^2/2 after `burn` steps, averaged over paths and recorded rows, and its standard error.

    Arrays in `params` have `lead` entries, one ensemble of paths each; the error is that between paths, which are independent.
    """
    shape = (lead, paths, 1) if lead else (paths, 1)
    params = {n: np.asarray(v)[:, None] if np.ndim(v) else v for n, v in params.items()}
    x0 = {s: np.full(shape, float(v)) for s, v in start.items()} if isinstance(start, dict) else np.full(shape, float(start))
    run = iterate(rule, quadratic([lam]), x0=x0, steps=burn + steps, record=every, seed=seed, **params)
    squares = (run[state][..., burn//every + 1:, 0]**2).mean(-1)
    return squares.mean(-1), squares.std(-1)/np.sqrt(paths)


def second_moment_radius(step: Any, states: int, draws: list[np.ndarray]) -> float:
    """The spectral radius of E[M x M], M the matrix of one step(state, draw values).

    `draws` lists the nodes of a quadrature rule with equal weights for each draw; two nodes are exact where a draw enters linearly.
    """
    total = 0.
    cases = list(product(*draws))
    for case in cases:
        M = np.array([np.ravel(step(*row, *case)) for row in np.eye(states)]).T
        total = total + np.kron(M, M)/len(cases)
    return float(np.abs(np.linalg.eigvals(total)).max())


def slope(x: np.ndarray, y: np.ndarray) -> float:
    """The slope of y against x in logarithms."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])
