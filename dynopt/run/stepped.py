"""`solve` by a scheme with a fixed step: every scheme of the catalogue, and flows with noise."""
from __future__ import annotations

import math
from functools import partial
from typing import Any, Callable

import numpy as np

from ..catalog import schemes
from ..core.errors import ParameterError, RuleError
from ..core.expr import walk
from ..core.rule import Flow, Method
from ..core.trajectory import Trajectory
from .iterate import Run
from .setup import prepare

STEPS = 1000                                        # of a run that names no h


def solve_by_steps(flow: Flow, problem: Any, x0: Any, t0: float, end: float, times: np.ndarray | None, method: Any, events: Any,
                   seed: int, params: dict[str, Any]) -> Trajectory:
    """Iterate the scheme; h is shortened so that steps land on the times wanted."""
    scheme = find_scheme(flow, method)
    made = scheme(flow)
    if events is not None:
        cure = "run it and look for sign changes in its states, as in np.diff(np.sign(run.x[..., 0]))" if "noise" in flow.oracles else \
            "write method=\"auto\", or look for them in the states"
        raise ParameterError(f"solve: events were given with the scheme {made.name}, which knows its states at its steps only; {cure}")
    if end < t0:
        raise ParameterError(f"solve: until = {end:g} lies before t0 = {t0:g}, expected a scheme to go forward; write until > t0")
    h, steps, every = step_size(t0, end, times, params.pop("h", None), made.name)
    start = prepare(flow, problem, x0, params)
    lead = {s: v.reshape(*start.lead, -1) if s not in flow.scalars else v.reshape(start.lead) for s, v in start.states.items()}
    setup = prepare(made, problem, lead, params | {"h": h})
    run = Run(setup, problem, steps, every, t0, seed, None).trajectory()
    rows = np.arange(run.k.size)
    clock = t0 + run.k*h
    if run.success:
        clock[-1] = end
    keep = rows if times is None or np.isclose(times[0], t0) else rows[1:]
    states = {s: v[..., keep, :] for s, v in run.states.items() if s in flow.state}
    if times is not None:
        clock[keep] = times[:keep.size]
    return Trajectory(states, t=clock[keep], status=run.status, message=run.message, rule=made, problem=problem,
                      params=run.params, lengths=run.lengths, dense=partial(between_steps, made.name))


def between_steps(scheme: str, times: Any) -> dict[str, np.ndarray]:
    """A scheme has no dense output, and a path with noise has none that would be right."""
    raise ParameterError(f"trajectory: {scheme} knows its states at its steps only, and t = {np.ravel(times)[:3].tolist()} was asked for; "
                         "write until=[...] with the times wanted, equally spaced from t0")


def without_noise(flow: Flow) -> Flow | None:
    """The plain flow that is left where every draw is multiplied by zero; None where noise remains."""
    from ..catalog.scheme_parts import fold
    from ..core.strings import rule_from_nodes
    if any(n.op in ("implicit", "past") for n in flow.program.everything):
        return None
    left = fold(list(flow.program.outputs))
    if any(n.op == "call" and n.data[0].startswith(("noise", "uniform")) for n in walk(left)):
        return None
    return rule_from_nodes(Flow, flow.name, flow.state, left, scalars=flow.scalars, source=flow.source, params=flow.params)


def find_scheme(flow: Flow, method: Any) -> Callable[[Flow], Method]:
    """The scheme meant; "auto" takes BAOAB where the noise is additive and the flow splits, Heun where it is additive, else Euler-Maruyama."""
    if callable(method):
        return method
    if method in schemes.SCHEMES:
        return schemes.SCHEMES[method]
    if method != "auto":
        raise ParameterError(f"solve: {flow.name} has noise and method = {method!r:.40}, expected \"auto\" or a scheme: {', '.join(schemes.SCHEMES)}")
    try:
        schemes.baoab(flow)
        return schemes.baoab
    except RuleError:
        return schemes.heun if is_additive(flow) else schemes.euler_maruyama


def is_additive(flow: Flow) -> bool:
    """Whether the noise enters with a factor that is free of the state."""
    from ..catalog.scheme_parts import depends, fold
    from ..core.autodiff import derivative
    from ..core.expr import constant, leaf, walk
    program = flow.program
    states = {leaf("state", s) for s in program.state}
    draws = [n for n in walk(program.outputs) if n.op == "call" and n.data[0].startswith("noise")]
    one = constant(1)
    for out in program.outputs:
        for draw in draws:
            if depends([out], {draw}) and depends(fold(derivative([out], {draw: one})), {*states, *draws}):
                return False
    return True


def step_size(t0: float, end: float, times: np.ndarray | None, h: Any, name: str) -> tuple[float, int, int]:
    """(h, steps, every how many a row is kept), h at most what was asked for."""
    from .setup import one_number
    asked = one_number(h, "h", name) if h is not None else None
    if times is None:
        steps = max(1, STEPS if asked is None else math.ceil((end - t0)/asked*(1 - 1e-12)))
        return (end - t0)/steps, steps, 1
    grid = times if np.isclose(times[0], t0) else np.concatenate([[t0], times])
    gaps = np.diff(grid)
    if not gaps.size or not np.allclose(gaps, gaps[0], rtol=1e-9, atol=0):
        raise ParameterError(f"{name}: until has unequal gaps, expected equally spaced times from t0 = {t0:g} for a fixed step; "
                             "write until=np.linspace(t0, 10, 101)")
    every = max(1, math.ceil((STEPS/len(gaps) if asked is None else gaps[0]/asked)*(1 - 1e-12)))
    return (end - t0)/(every*len(gaps)), every*len(gaps), every
