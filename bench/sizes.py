"""Cost of a step against the number of paths and the dimension: bench/sizes.svg, by CPU time; `--png` for a look."""
from __future__ import annotations

import importlib
import sys
import time
from typing import Any, Callable

import matplotlib
import numpy as np
from harness import HERE

from dynopt import heavy_ball, iterate, quadratic, rosenbrock

matplotlib.use("agg")
from matplotlib import pyplot

ETA, BETA = 1e-4, 1.0                                   # nothing is lost, so that no number becomes so small that the processor slows down
LEAST = {"dynopt": 100}                                 # steps of a run, where a call has a cost of its own; whole arrays cost the same each step
Step = Callable[[int], Any]                             # takes a number of steps


def slope(x: Any) -> Any:
    """The gradient of Rosenbrock's function, its two entries first."""
    u = x[1] - x[0]*x[0]
    return -2*(1 - x[0]) - 400*(x[0]*u), 200*u


def dynopt(paths: int, d: int) -> Step:
    problem = rosenbrock() if d == 2 else quadratic(np.linspace(1, 10, d))
    states = {"x": np.full((paths, d), .5), "v": np.zeros((paths, d))}
    states = {n: s[0] for n, s in states.items()} if paths == 1 else states
    return lambda steps: iterate(heavy_ball, problem, x0=states, steps=steps, record="last", eta=ETA, beta=BETA)


def arrays(paths: int, d: int, new: Callable = np.full) -> Step:
    """numpy, or torch, on whole arrays: paths along the last axis for Rosenbrock's function, entries along it for a quadratic."""
    lam = new((d,), 1.0)

    def run(steps: int) -> Any:
        if d == 2:
            x, v = [new((paths,), .5) for _ in range(2)], [new((paths,), 0.0) for _ in range(2)]
            for _ in range(steps):
                v = [BETA*p + ETA*g for p, g in zip(v, slope(x))]
                x = [a - p for a, p in zip(x, v)]
            return x
        y, w = new((paths, d), .5), new((paths, d), 0.0)
        for _ in range(steps):
            w = BETA*w + ETA*(lam*y)
            y = y - w
        return y
    return run


def jitted(paths: int, d: int) -> Step:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    start = jax.numpy.full((2, paths), .5) if d == 2 else jax.numpy.full((paths, d), .5)

    def step(_: int, state: tuple) -> tuple:
        x, v = state
        v = BETA*v + ETA*(jax.numpy.stack(slope(x)) if d == 2 else jax.numpy.linspace(1, 10, d)*x)
        return x - v, v
    run = jax.jit(lambda steps: jax.lax.fori_loop(0, steps, step, (start, 0*start))[0])
    return lambda steps: run(steps).block_until_ready()


def peers() -> dict[str, Callable[[int, int], Step]]:
    found: dict[str, Callable] = {"dynopt": dynopt, "numpy": arrays}
    for name in ("torch", "jax"):
        try:
            module: Any = importlib.import_module(name)
        except ImportError:
            continue
        found[name] = jitted if name == "jax" else lambda paths, d, t=module: arrays(paths, d, lambda shape, value: t.full(
            shape, value, dtype=t.float64))
    return found


def nanoseconds(made: Callable[[int, int], Step], paths: int, d: int, least: int) -> float:
    """CPU time of one step of one entry of one path, checks and copies included, the best of three of about a twentieth of a second."""
    run, steps = made(paths, d), least
    run(steps)
    while True:
        start = time.process_time()
        run(steps)
        spent = time.process_time() - start
        if spent > .04 or steps >= 1 << 20:
            break
        steps *= 4
    times = [spent]
    for _ in range(2):
        start = time.process_time()
        run(steps)
        times.append(time.process_time() - start)
    return min(times)/(paths*d*steps)*1e9


def draw() -> Any:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
    paths, dims = [10**k for k in range(8)], [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
    for i, (name, made) in enumerate(peers().items()):
        least = LEAST.get(name, 4)
        for axes, sizes, shown in ((left, paths, [nanoseconds(made, n, 2, least) for n in paths]),
                                   (right, dims, [nanoseconds(made, 1, d, least) for d in dims])):
            axes.loglog(sizes, shown, "o-", color=f"C{i}", ms=4, label=name)
            print(name, [f"{s:.3g}" for s in shown], flush=True)
    left.set(xlabel="paths", ylabel="ns of CPU per step and entry", title="heavy ball on Rosenbrock's function, d = 2")
    right.set(xlabel="dimension d", title="heavy ball on a quadratic, one path")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


if __name__ == "__main__":
    matplotlib.rcParams["svg.fonttype"] = "none"
    matplotlib.rcParams["svg.hashsalt"] = "dynopt"
    made = draw()
    made.savefig(HERE/"sizes.svg", metadata={"Date": None})
    if "--png" in sys.argv:
        made.savefig(sys.argv[-1], dpi=110)
