"""Cost of a step against the number of paths and the dimension: bench/sizes.svg, by CPU time."""
from __future__ import annotations

import time
from typing import Any

import matplotlib
import numpy as np
from harness import HERE

from dynopt import heavy_ball, iterate, quadratic, rosenbrock

matplotlib.use("svg")
from matplotlib import pyplot


def seconds(paths: int, d: int) -> float:
    """CPU time of one step of one entry of one path, checks and copies included, the best of three."""
    problem = rosenbrock() if d == 2 else quadratic(np.linspace(1, 10, d))
    steps = int(min(10_000, max(100, 2e7/(paths*d))))
    given: dict[str, Any] = dict(x0={"x": np.full((paths, d), .5), "v": np.zeros((paths, d))}, steps=steps, record="last", eta=1e-3, beta=.9)
    iterate(heavy_ball, problem, **given | {"steps": 1})
    times = []
    for _ in range(3):
        start = time.process_time()
        iterate(heavy_ball, problem, **given)
        times.append(time.process_time() - start)
    return min(times)/(paths*d*steps)


def draw() -> Any:
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    paths = [10**k for k in range(8)]
    left.loglog(paths, [seconds(n, 2)*1e9 for n in paths], "o-")
    left.set(xlabel="paths", ylabel="ns of CPU per step and entry", title="heavy ball on Rosenbrock's function, d = 2")
    dims = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
    for n in (1, 64):
        right.loglog(dims, [seconds(n, d)*1e9 for d in dims], "o-", label=f"{n} path" + "s"*(n > 1))
    right.set(xlabel="dimension d", title="heavy ball on a quadratic")
    right.legend(frameon=False)
    return figure


if __name__ == "__main__":
    draw().savefig(HERE/"sizes.svg", metadata={"Date": None})
