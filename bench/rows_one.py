"""One long run of a method, and maps of spectral radii."""
from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from harness import Row, cdouble, clong, equal, pointer, race
from rows_fixed import grad

from dynopt import heavy_ball, iterate, linearize, rosenbrock
from dynopt.catalog.methods_adaptive import adam
from dynopt.run.radius import spectral_radius

STEPS, FEW = 4_000_000, 2000                        # of a run; of one that a peer takes whose steps cost a thousand times as much
GIVEN = dict(problem=rosenbrock(), x0=[-1.2, 1.], record="last")
HEAVY_BALL = dict(eta=1e-4, beta=.9)
ADAM = dict(eta=1e-3, beta1=.9, beta2=.999, eps=1e-8)


def long_runs(library: Any, jax: Any, torch: Any) -> list[Row]:
    peers: dict[str, Callable] = {"numpy arrays": lambda: numpy_heavy_ball(FEW)}
    if library:
        s = np.array([-1.2, 1., 0, 0])
        library.heavy_ball(pointer(s), cdouble(1e-4), cdouble(.9), clong(20_000))
        mine = iterate(heavy_ball, **GIVEN, steps=20_000, **HEAVY_BALL, exact=False).x[-1]
        equal("heavy ball in C++", mine, s[:2], 1e-9)
        peers["C++"] = lambda: library.heavy_ball(pointer(s), cdouble(1e-4), cdouble(.9), clong(STEPS))
    return [one_run("heavy ball", heavy_ball, HEAVY_BALL, peers, jax, torch), one_run("Adam", adam, ADAM, {}, jax, torch)]


def one_run(name: str, rule: Any, values: dict, peers: dict[str, Callable], jax: Any, torch: Any) -> Row:
    """One run of a published method beside the libraries that have it."""
    mine = iterate(rule, **GIVEN, steps=FEW, **values).x[-1]
    key, work = name.lower().replace(" ", "_"), {"numpy arrays": FEW/STEPS, "torch eager": FEW/STEPS}
    peers = {"exact=True": lambda: iterate(rule, **GIVEN, steps=STEPS, **values), **peers}
    for library, module, steps in (("optax", jax, STEPS), ("torch eager", torch, FEW)):
        if module:
            equal(f"{name} in {library}", mine, module.optimizer(key, FEW)(), 1e-6)
            peers[library] = module.optimizer(key, steps)
    work = {n: w for n, w in work.items() if n in peers}
    return race(f"{name}, one run of {STEPS} steps, exact=False", lambda: iterate(rule, **GIVEN, steps=STEPS, exact=False, **values), peers,
                per=STEPS, unit="s/step", work=work, wanted="1.5x optax, 1000x torch eager")


def numpy_heavy_ball(steps: int) -> np.ndarray:
    x, v = np.array([-1.2, 1.]), np.zeros(2)
    for _ in range(steps):
        v = .9*v + 1e-4*np.array(grad(*x))
        x = x - v
    return x


def radii() -> list[Row]:
    from dynopt import delayed
    rows = []
    for name, rule, n, wanted in (("2 x 2 (heavy ball)", heavy_ball, 2000, "500x numpy eigvals"),
                                  ("4 x 4 (heavy ball, gradients two steps late)", delayed(heavy_ball, 2), 300, "35x numpy eigvals")):
        eta, beta, out = np.linspace(1e-3, 3, n), np.linspace(-.9, .99, n)[:, None], np.empty((n, n))
        matrix = linearize(rule).matrix
        def eigenvalues(m: int, rule: Any = rule, matrix: Any = matrix, eta: Any = eta, beta: Any = beta) -> np.ndarray:
            grid = {"eta": np.broadcast_to(eta[:m], (m, m)), "beta": np.broadcast_to(beta[:m], (m, m))}
            M = np.zeros((m, m, *matrix.shape))
            for i in range(matrix.rows):
                for j in range(matrix.cols):
                    M[..., i, j] = entry(matrix[i, j], grid)
            return np.abs(np.linalg.eigvals(M)).max(-1)
        m = n//5
        found = spectral_radius(rule, eta=eta, beta=beta, lam=1., out=out)
        want = eigenvalues(m)
        assert np.median(np.abs(found[:m, :m]/want - 1)) < 1e-12
        equal(name, found[:m, :m], want, 1e-4)                  # eigenvalues of a matrix near a multiple root are no better
        rows.append(race(f"spectral radii, {n} x {n} points, {name}", lambda rule=rule, eta=eta, beta=beta, out=out:
                         spectral_radius(rule, eta=eta, beta=beta, lam=1., out=out), {"numpy eigvals": lambda f=eigenvalues, m=m: f(m)},
                         per=n*n, unit="s/point", work={"numpy eigvals": m*m/n/n}, wanted=wanted))
    return rows


def entry(expression: Any, grid: dict[str, np.ndarray]) -> Any:
    """A polynomial entry of a matrix on arrays."""
    if expression.is_Number:
        return float(expression)
    if expression.is_Symbol:
        return grid.get(expression.name, 1.0)
    parts = [entry(a, grid) for a in expression.args]
    return sum(parts) if expression.is_Add else math.prod(parts) if expression.is_Mul else parts[0]**parts[1]
