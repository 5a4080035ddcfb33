"""`solve`: a flow from its start to a time, by an integrator that fits: accurate where it is smooth, honest where it is not."""
from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.rule import Flow
from ..core.trajectory import Trajectory
from .history import start_of
from .plan import solve_shortly
from .setup import Setup, check_seed, prepare

INTEGRATORS = ("auto", "taylor", "tsit5", "dop853", "radau", "exact")


def solve(flow: Flow, problem: Any = None, *, x0: Any, until: Any, t0: float = 0.0, method: Any = "auto", rtol: float = 1e-6, atol: Any = 1e-9,
          events: Any = None, dense: bool = True, seed: int | None = None, out: dict | None = None, **params: Any) -> Trajectory:
    """Solve a flow: x' = flow(x), from x(t0) = x0 to t = until.

    Parameters: `x0` of shape (..., d) or by state, as in iterate (leading axes are an ensemble); for a flow with delays a function of
    the time tells what was before t0 (x0=lambda t: [cos(t)]), else the first state is taken; `until` a time, or the times wanted
    in order; `method` is "auto", "taylor", "tsit5", "dop853", "radau", "exact" (linear flows with
    constant coefficients, by their modes), or a scheme (rk4, "leapfrog", ...) with its step `h=`;
    `rtol` >= 0 and `atol` >= 0 (a number or one for each entry of the state) bound the error of a step by atol + rtol |x|;
    `events` functions of states by name, or Event(function, terminal=, direction=); `seed` keys the noise. White noise is read in
    Ito's sense by euler_maruyama, in Stratonovich's by heun and the other Runge-Kutta schemes; additive noise knows no difference.
    `out` is {state: array to fill} of shape (..., times, d), where times are given or the run is an ensemble (201 of them).
    Returns a Trajectory: `.t`, states of shape (..., rows, d), `.at(t)`, `.events`, `.status`, `.message`. A run that breaks down ends
    at the time it reached. Raises ParameterError, ParameterTypeError (a TypeError) for what cannot be run.

    >>> from dynopt import solve, gradient_flow, quadratic
    >>> solve(gradient_flow, quadratic([1, 2]), x0=[1, 1], until=1).x[-1].round(6).tolist()
    [0.367879, 0.135335]
    """
    if events is None and seed is None and out is None:
        short = solve_shortly(flow, problem, x0, until, t0, method, rtol, atol, dense, params)
        if short is not None:
            return short
    if not isinstance(flow, Flow):
        raise ParameterTypeError(f"solve: found {type(flow).__name__} {flow!r:.40}, expected a Flow; "
                                 "a Method is run by iterate(method, problem, steps=100)")
    t0, times, end = check_times(t0, until)
    check_tolerances(rtol, atol)
    seed = check_seed(seed)
    x0, history = start_of(x0, t0, flow)
    noisy = "noise" in flow.oracles or "uniform" in flow.oracles
    if is_scheme(method) or noisy:
        refuse_out(out)
        from .stepped import solve_by_steps, without_noise
        plain = without_noise(flow) if noisy and not is_scheme(method) else None
        if plain is not None:
            return solve(plain, problem, x0=x0, until=until, t0=t0, method=method, rtol=rtol, atol=atol, events=events, dense=dense, **params)
        return solve_by_steps(flow, problem, x0, t0, end, times, method, events, seed, params)
    if not isinstance(method, str) or method not in INTEGRATORS:
        raise ParameterError(f"solve: method = {method!r:.40}, expected one of {', '.join(INTEGRATORS)}, or a scheme such as rk4; "
                             "write method=\"auto\"")
    from .ensemble import solve_paths
    setup = prepare(flow, problem, x0, params)
    return solve_paths(setup, problem, t0, end, times, method, float(rtol), atol, events, dense, history, read_out(out, setup, t0, end, times))


def refuse_out(out: Any) -> None:
    if out is not None:
        raise ParameterError("solve: out= is filled by adaptive runs only; a run by steps takes it as iterate(rk4(flow), problem, steps=100, "
                             "out=...)")


def read_out(out: Any, setup: Setup, t0: float, end: float, times: np.ndarray | None) -> dict | None:
    """Arrays to fill, of the shape of the rows of this run, which has to be known before it."""
    if out is None:
        return None
    if times is None and not setup.lead:
        raise ParameterError(f"{setup.rule.name}: out= needs a known number of rows, and one path is told at the steps that it takes; write "
                             f"until=np.linspace({t0:g}, {end:g}, 101)")
    from .gather import grid_of
    from .iterate import check_out
    return check_out(out, setup, len(grid_of(times, t0, end)))


def is_scheme(method: Any) -> bool:
    """Whether a scheme of the catalogue is meant, by itself or by its name."""
    from ..catalog.schemes import SCHEMES
    return callable(method) or (isinstance(method, str) and method in SCHEMES)


def check_times(t0: Any, until: Any) -> tuple[float, np.ndarray | None, float]:
    """The start, the times wanted (None: where the steps fall) and the end."""
    if isinstance(t0, (bool, str, bytes)) or not isinstance(t0, numbers.Real) or not math.isfinite(t0):
        raise ParameterError(f"t0 = {t0!r:.40}, expected a finite time; write t0=0.0")
    if isinstance(until, (bool, str, bytes)) or until is None:
        raise ParameterTypeError(f"until = {until!r:.40} is {type(until).__name__}, expected a time or an array of times; write until=10.0")
    found = np.asarray(until)
    if found.dtype.kind not in "iuf":
        raise ParameterTypeError(f"until has dtype {found.dtype}, expected a time or an array of times; write until=10.0")
    found = found.astype(float)
    if found.ndim > 1 or found.size == 0 or not np.isfinite(found).all():
        raise ParameterError(f"until = {until!r:.60}, expected one finite time, or finite times in one axis; write until=10.0")
    t0 = float(t0)
    if found.ndim == 0:
        return t0, None, float(found)
    steps = np.diff(np.concatenate([[t0], found]))
    if not ((steps >= 0).all() and (steps[1:] > 0).all() or (steps <= 0).all() and (steps[1:] < 0).all()):
        raise ParameterError(f"until = {until!r:.60} with t0 = {t0:g}, expected times that go one way from t0; write until=np.linspace(t0, 10, 101)")
    return t0, found, float(found[-1])


def check_tolerances(rtol: Any, atol: Any) -> None:
    for name, value in (("rtol", rtol), ("atol", atol)):
        found = np.asarray(value)
        if found.dtype.kind not in "iuf" or isinstance(value, bool):
            raise ParameterTypeError(f"{name} = {value!r:.40}, expected a number >= 0; write {name}=1e-6")
        if not (np.isfinite(found).all() and (found >= 0).all()):
            raise ParameterError(f"{name} = {value!r:.40}, expected a finite number >= 0; write {name}=1e-6")
    if np.ndim(rtol):
        raise ParameterError(f"rtol has shape {np.shape(rtol)}, expected one number; atol may have one for each entry")
    if not rtol and not np.all(np.asarray(atol) > 0):
        raise ParameterError(f"rtol = {rtol!r} and atol = {atol!r:.40}: no error can be zero; write rtol=1e-6")
    if 0 < rtol < 1e-14 and not np.any(np.asarray(atol) > 0):
        raise ParameterError(f"rtol = {rtol!r}, expected rtol >= 1e-14, about what doubles can hold; write rtol=1e-12")
