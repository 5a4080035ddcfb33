"""Rates that are singular at the start, such as 3/t: the solution begins as a polynomial found by collocation.

Where x(t) has a limit at t0, it solves x'(t) = rates(t, x(t)) at nodes that leave t0 out; the polynomial through them converges
with the number of nodes, and two numbers of nodes compared tell its error.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import ParameterError
from .ode_path import Course, Path

NODES = (9, 12)
MOST_UNKNOWNS = 3000


def starts_singular(system: Any, path: Path, p: int) -> bool:
    """Whether the rates at the start are no numbers, though those just after it are."""
    if "t" not in system.program.params:
        return False
    out = np.empty_like(path.y)
    with np.errstate(all="ignore"):
        try:
            if path.lags is None:
                system.declared(np.float64(path.t), path.y.copy(), out, np.array([float(p)]))
        except ArithmeticError:                             # a division of plain numbers by zero
            out[:] = np.nan
        if path.lags is not None or not np.isfinite(out).all():
            system.rates(path.t, path.y.copy(), out, path.w)
        return not np.isfinite(out).all()


def start_series(system: Any, path: Path, course: Course) -> None:
    """Take the first step of a path by collocation; raises ParameterError where no smooth solution leaves the start."""
    span = (course.breaks[0] if course.breaks else course.end) - path.t
    scale = course.atol + course.rtol*np.maximum(np.abs(path.y), 1e-3*np.abs(path.y).max())
    h = span
    limit = 1e-6*abs(span)
    while abs(h) > limit:
        found = [collocate(system, path, h, s) for s in NODES]
        if all(f is not None for f in found):
            coarse, fine = found
            ends = [c.sum(0) for c in (coarse, fine)]
            middles = [np.polynomial.polynomial.polyval(.5, c) for c in (coarse, fine)]
            error = max(np.abs((a - b)/scale).max() for a, b in (ends, middles))
            if error <= .1:
                _accept(path, fine, h)
                return
        h /= 2
    raise ParameterError(f"{system.setup.rule.name}: the rates are singular at t0 = {path.t:g} and no smooth solution leaves x0 there; start at rest "
                         f"(velocity 0), or a little later: write t0={path.t + abs(span)*1e-3:.3g}")


def _accept(path: Path, polynomial: np.ndarray, h: float) -> None:
    path.grow(1)
    path.hist_c[path.count] = 0.0
    path.hist_c[path.count, :len(polynomial)] = polynomial
    path.hist_t[path.count] = path.t
    path.t += h
    path.count += 1
    path.hist_t[path.count] = path.t
    path.y[:] = polynomial.sum(0)


def collocate(system: Any, path: Path, h: float, s: int) -> np.ndarray | None:
    """Coefficients (s + 1, n) of the polynomial in u = (t - t0)/h that satisfies the equation at s Chebyshev nodes, or None."""
    n = path.y.size
    if n*s > MOST_UNKNOWNS:
        raise ParameterError(f"{system.setup.rule.name}: a singular start with {n} entries is too large for the series; write t0=1e-3")
    u = (1 - np.cos((2*np.arange(1, s + 1) - 1)*np.pi/(2*s)))/2
    powers = u[:, None]**np.arange(1, s + 1)
    integral = powers @ np.linalg.inv(np.arange(1, s + 1)*u[:, None]**np.arange(s))       # x(u_i) - x0 = h sum_j integral_ij x'(u_j)
    slopes, w = np.zeros((s, n)), path.w.copy()
    with np.errstate(all="ignore"):
        for _ in range(20):
            states = path.y + h*integral @ slopes
            values, jacobians = _linearized(system, path, path.t + u*h, states, w)
            if not np.isfinite(values).all():
                return None
            matrix = np.eye(s*n) - h*np.einsum("iab,ij->iajb", jacobians, integral).reshape(s*n, s*n)
            try:
                moved = np.linalg.solve(matrix, (values - slopes).reshape(-1)).reshape(s, n)
            except np.linalg.LinAlgError:
                return None
            slopes = slopes + moved
            if np.abs(moved).max() <= 1e-12*(1e-300 + np.abs(slopes).max()):
                rest = np.linalg.solve(powers, h*integral @ slopes)
                return np.vstack([path.y, rest])
    return None


def _linearized(system: Any, path: Path, times: np.ndarray, states: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rates and their Jacobians by differences at each node."""
    s, n = states.shape
    values, jacobians, moved = np.empty((s, n)), np.empty((s, n, n)), np.empty(n)
    for i, (t, y) in enumerate(zip(times, states)):
        path.recall(t, y, w)
        system.rates(t, np.ascontiguousarray(y), values[i], w)
        for j in range(n):
            near = y.copy()
            near[j] += 1.5e-8*max(1.0, abs(y[j]))
            system.rates(t, near, moved, w)
            jacobians[i, :, j] = (moved - values[i])/(near[j] - y[j])
    return values, jacobians
