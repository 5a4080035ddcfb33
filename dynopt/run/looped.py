"""Steps by loops over the entries of states, compiled by numba: for programs that are too long or too various to be unrolled."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import numpy as np

from ..core.errors import ParameterError
from ..core.expr import leaf
from ..core.problem import Field
from ..emit.steps import Kernel, kernel_source
from . import compiled, lanes


def advance_of(run: Any) -> Callable:
    """The compiled kernel with its arguments bound: advance(first step, number of steps)."""
    setup, program = run.setup, run.rule.program
    kernel = kernel_source(program, frozenset(setup.vectors), frozenset(setup.matrices), stopping=run.tol > 0)
    needed = [n for k, n in kernel.arguments if k == "data"]
    if run.tol > 0 and "grad" not in needed:
        raise ParameterError(f"{run.rule.name}: stop={run.tol} asks for a small gradient, and this rule calls no grad; "
                             f"give stop=a function")
    oracles, data = oracles_of(run, needed)
    step = compiled.compiled_kernel(kernel.source, tuple(oracles.items()))
    arguments = [argument_of(run, kind, name, kernel, data) for kind, name in kernel.arguments]

    def advance(first: int, count: int) -> None:
        def part(lo: int, hi: int) -> None:
            step(first, count, run.every, lo, hi, run.t0, run.seed, run.tol, run.status, run.taken, *arguments)
        in_threads(part, setup.paths)
    return advance


def oracles_of(run: Any, needed: list[str]) -> tuple[dict[str, Any], dict[str, tuple]]:
    """The compiled oracles of a problem by name, and the arrays that each of them reads."""
    oracles: dict[str, Any] = {}
    data: dict[str, tuple] = {}
    dimension = next(iter(run.setup.states.values())).shape[1]
    for name in needed:
        field = getattr(run.problem, "fields", {}).get(name)
        if field is None and name == "prox":
            field = Field(("u", "s"), leaf("state", "u"), lambda u, s: u)               # no second term: prox is the identity
        if field is None:
            raise compiled.missing_oracle(run.rule.name, name, run.problem)
        oracles[name], data[name] = compiled.compiled_field(name, field, lambda n, f: compiled.compile_black_box(n, f, dimension))
        if field.node is None:
            run.problem._kind = "compiled"
    return oracles, data


def argument_of(run: Any, kind: str, name: str, kernel: Kernel, data: dict[str, tuple]) -> Any:
    """What stands in one place of a kernel's call."""
    setup = run.setup
    if kind == "history":
        return np.repeat(setup.states[name][:, None, :], longest(run, name) + 1, axis=1)
    if kind == "constant":
        return kernel.constants[int(name)].data.values
    table = {"state": setup.states, "out": run.out, "vector": setup.vectors, "matrix": setup.matrices, "data": data}
    return setup.number(name) if kind == "number" else table[kind][name]


def longest(run: Any, name: str) -> int:
    """The largest delay of a state; delays are whole numbers of steps."""
    lags = [n.args[1] for n in run.rule.program.everything if n.op == "past" and n.args[0].data == name]
    values = [float(lag.data) if lag.op == "const" else float(run.setup.numbers[lag.data].max())
              if lag.op == "param" and lag.data in run.setup.numbers else -1.0 for lag in lags]
    for value in values:
        if value < 0 or value != int(value):
            raise ParameterError(f"{run.rule.name}: past({name}, tau) with tau = {value:g}, expected a whole number of steps >= 0 given as "
                                 "a parameter or a literal; write tau=2")
    return int(max(values))


def in_threads(part: Callable[[int, int], None], paths: int) -> None:
    """part(lo, hi) over all paths, on threads where there is enough to share."""
    if paths < 64 or lanes.THREADS == 1:
        part(0, paths)
        return
    edges = np.linspace(0, paths, 8*lanes.THREADS + 1).astype(int)
    with ThreadPoolExecutor(lanes.THREADS) as pool:
        for future in [pool.submit(part, int(a), int(b)) for a, b in zip(edges, edges[1:]) if b > a]:
            future.result()
