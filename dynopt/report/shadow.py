"""A method beside the modified flows that shadow it, each with the step h written into it."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dynopt.core.errors import RuleError
from dynopt.core.rule import Flow, Method

from .compare import Comparison

SHOTS = 30


def compare_modified(method: Method, order: int, problem: Any, runs: Sequence[Any], h: Sequence[float],
                     params: Mapping[str, float]) -> Comparison:
    """The largest distance between iterates with the parameter `h` and their modified flow of one order, for each step.

    The flow starts where the method does, or at a quarter of the time where a transient or a singular start comes first; a flow
    of second order passes through two iterates.
    """
    from dynopt.theory.modified import modified
    flow = modified(method, order, {})
    late = "t" in flow.clocks or (len(flow.state) == 1 and len(method.state) > 1)
    distances, solution = [], None
    for run, step in zip(runs, h, strict=True):
        x = np.asarray(run[method.state[0]])
        first = len(x)//4 if late else 0
        given = {n: v for n, v in {**params, "h": step}.items() if n in flow.params}
        solution = follow(flow, problem, x, first, step, given)
        distances.append(float(np.abs(x[first:] - solution.at(np.arange(first, len(x))*step)[flow.state[0]]).max()))
    return Comparison(method.name, flow.name, tuple(map(float, h)), tuple(distances), tuple(runs), solution)


def follow(flow: Flow, problem: Any, x: np.ndarray, first: int, step: float, given: Mapping[str, float]) -> Any:
    """The flow through iterate `first`, and through the next one where it has a velocity."""
    from dynopt.run.solve import solve
    tight: dict[str, Any] = dict(rtol=1e-12, atol=1e-14, method="dop853", **given)
    start, end = first*step, (len(x) - 1)*step
    if len(flow.state) == 1:
        return solve(flow, problem, x0=x[first], t0=start, until=end, **tight)
    v = (x[first + 1] - x[first])/step
    for _ in range(SHOTS):                                          # the error falls by a factor of order h each time
        missed = x[first + 1] - solve(flow, problem, x0={"x": x[first], "v": v}, t0=start, until=start + step, **tight)[flow.state[0]][-1]
        v = v + missed/step
        if np.abs(missed).max() <= 1e-14*(1 + np.abs(x[first]).max()):
            return solve(flow, problem, x0={"x": x[first], "v": v}, t0=start, until=end, **tight)
    raise RuleError(f"{flow.name}: no start was found from which it passes through the first two iterates; take smaller steps h")
