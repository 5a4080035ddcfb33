"""A method beside the flow that it discretizes: how far apart they are, and how fast the distance falls with the step."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from dynopt.core.errors import ParameterError
from dynopt.core.rule import Flow, Method


@dataclass(frozen=True)
class Comparison:
    """Iterates and flow from one start: for each step h the largest distance between them, and the order that it shows.

    `modified` holds the same for the modified flows of order 1 and 2, derived and solved when it is asked for.
    """

    method: str
    flow: str
    h: tuple[float, ...]
    distances: tuple[float, ...]
    iterates: tuple[Any, ...]
    solution: Any
    shadow: Callable[[int], "Comparison"] | None = field(default=None, repr=False, compare=False)

    @cached_property
    def modified(self) -> tuple["Comparison", ...]:
        """The comparisons with the modified flows of order 1 and 2. Raises RuleError where the method has none."""
        return tuple(self.shadow(n) for n in (1, 2)) if self.shadow else ()

    @property
    def order(self) -> float:
        """Slope of log distance over log h at the two smallest steps."""
        (a, b), (p, q) = self.h[-2:], self.distances[-2:]
        return float(np.log(p/q)/np.log(a/b))

    def __str__(self) -> str:
        rows = [f"  h = {h:<10.6g} distance {distance:.6g}" for h, distance in zip(self.h, self.distances, strict=True)]
        return "\n".join([f"{self.method} against {self.flow}", *rows, f"  observed order {self.order:.3f}"])


def compare(method: Any, flow: Any, problem: Any, *, x0: Any, until: float, h: Sequence[float] = (0.1, 0.05, 0.025),
            where: Mapping[str, str] | None = None, solver: str = "auto", **params: float) -> Comparison:
    """Run a method with several steps h and its flow once, from one start at rest, and measure how far apart they are.

    max over k of |x_k - x(k h)|, k h <= until.
    method : with the parameter `h`, or made so by `where`, as in where={"eta": "h**2", "beta": "1 - gamma*h"}.
    solver : the `method` of `solve`.
    x0 : start, shape (d,). until : end time, > 0. h : decreasing steps, > 0. params : values by name, for both rules.
    Returns a Comparison: distances, observed order, iterates for each h, and the flow's trajectory.
    Raises ParameterError where the method has no `h` or a parameter has no value.
    """
    from dynopt.run.iterate import iterate
    from dynopt.run.solve import solve
    _check_kinds(method, flow)
    method = method.subs(**where) if where else method
    _check(method, flow, until, h, params)
    shared = {name: value for name, value in params.items() if name in flow.params}
    solution = solve(flow, problem, x0=x0, until=until, rtol=1e-10, atol=1e-12, method=solver, **shared)
    position = flow.state[0]
    runs, distances = [], []
    for step in h:
        values: dict[str, Any] = {name: value for name, value in params.items() if name in method.params} | {"h": step}
        run = iterate(method, problem, x0=x0, steps=int(until/step + 1e-9), **values)
        runs.append(run)
        distances.append(float(np.abs(run[method.state[0]] - solution.at(run.k*step)[position]).max()))
    def shadow(n: int) -> Comparison:
        from .shadow import compare_modified
        return compare_modified(method, n, problem, runs, h, params)
    return Comparison(method.name, flow.name, tuple(map(float, h)), tuple(distances), tuple(runs), solution, shadow)


def _check_kinds(method: Any, flow: Any) -> None:
    if not isinstance(method, Method) or not isinstance(flow, Flow):
        raise ParameterError(f"compare: found {type(method).__name__} and {type(flow).__name__}, expected a method "
                             "and then a flow; write compare(symplectic_euler(damped), damped, problem, x0=..., until=10)")


def _check(method: Any, flow: Any, until: float, h: Sequence[float], params: Mapping[str, Any]) -> None:
    if "h" not in method.params:
        raise ParameterError(f"{method.name}: it has no step h to compare at, only {', '.join(method.params) or 'no parameters'}"
                             "; say how they follow from h, as in where={'eta': 'h**2', 'beta': '1 - gamma*h'}")
    if not (until > 0 and len(h) > 1 and all(a > b > 0 for a, b in zip(h, h[1:], strict=False))):
        raise ParameterError(f"compare: until = {until}, h = {tuple(h)}; expected until > 0 and at least "
                             "two decreasing steps > 0")
    wanted = {*method.params, *flow.params} - {"h"}
    for name in (*[n for n in wanted if n not in params], *[n for n in params if n not in wanted]):
        missing = "a value is missing" if name in wanted else "neither rule has this parameter"
        raise ParameterError(f"{method.name} against {flow.name}: {name}: {missing}; "
                             f"both take {', '.join(sorted(wanted)) or 'none'}")
