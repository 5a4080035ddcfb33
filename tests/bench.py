"""How long things take on this machine: `make bench`. Prints a table, fails nothing."""
from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np


def seconds(work: Callable[[], object], repeat: int = 3) -> float:
    """The shortest of several runs."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def line(what: str, value: float) -> None:
    print(f"{what:<46} {value:10.4f} s")


def main() -> None:
    import dynopt
    from dynopt import iterate, stability
    from dynopt.catalog.methods import gradient_descent, heavy_ball, nesterov
    line("import dynopt (with the interpreter)", seconds(lambda: python("-c", "import dynopt")))
    line("dynopt --help", seconds(lambda: python("-m", "dynopt", "--help")))
    stability(gradient_descent)                              # loads the theory, which is timed nowhere else
    for rule in (heavy_ball, nesterov):
        line(f"stability({rule.name}), with its proof", seconds(lambda rule=rule: stability(rule).proof.status, 1))
    problem = dynopt.rosenbrock()
    run = dict(x0=np.array([-1.5, 1.0]), record="last", eta=1e-4, beta=0.9)
    line("iterate(heavy_ball), first call, compiling", seconds(lambda: iterate(heavy_ball, problem, steps=10, **run), 1))
    line("iterate(heavy_ball), a million steps", seconds(lambda: iterate(heavy_ball, problem, steps=1_000_000, **run)))


if __name__ == "__main__":
    main()
