"""Radau IIA of order 5 for stiff flows: collocation at three points, one real and one complex system for each iteration.

Source: Hairer, Wanner 1996, section IV.8 (the code RADAU5); the step control follows scipy's.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numba as nb
import numpy as np

from .kept import kept
from .ode_control import ALL_DONE, FULL, LIMIT, TOO_SMALL, first_step
from .ode_linear import back
from .ode_newton import EPS, ITERATIONS, S6, C, jacobian, matrices, newton, rms
from .ode_past import copy, rates_at
from .ode_path import Course, Path
from .ode_rk import MEMORY, RATES, how_it_ended, largest

F, I = nb.float64, nb.int64
E = np.array([-13 - 7*S6, -13 + 7*S6, -1])/3
DENSE = np.array([[13/3 + 7*S6/3, -23/3 - 22*S6/3, 10/3 + 5*S6], [13/3 - 7*S6/3, -23/3 + 22*S6/3, 10/3 - 5*S6], [1/3, -8/3, 10/3]])
T_, H_, H_BEFORE, ERROR_BEFORE = range(4)           # places in the clock


@nb.njit(nogil=True, error_model="numpy")
def guess(clock, step, y, count, hist_t, hist_c, Z):
    """Stages to begin with: the step before goes on, where there was one."""
    if not (count > 0 and clock[H_BEFORE] > 0.0 and hist_t[count] == clock[T_]):
        Z[:] = 0.0
        return
    c, span = hist_c[count - 1], hist_t[count] - hist_t[count - 1]
    for s in range(3):
        u = 1.0 + step*C[s]/span
        for i in range(y.shape[0]):
            Z[s, i] = c[0, i] + u*(c[1, i] + u*(c[2, i] + u*c[3, i])) - y[i]


@nb.njit(nogil=True, error_model="numpy")
def estimate(rates, t, lo, hi, memory, hist_t, hist_c, count, y, f, w, Z, G, step, real, order_r, scale, attempts, error):
    """The error of a step over its tolerance; filtered a second time where two attempts are asked for (RADAU5, section IV.8)."""
    n, size, slope = y.shape[0], np.inf, f
    for attempt in range(attempts):
        if attempt == 1:
            if size <= 1.0:
                break
            for i in range(n):
                error[i] += y[i]
            rates_at(rates, t, lo, hi, memory, hist_t, hist_c, count, error, G[0], w)
            slope = G[0]
        for i in range(n):
            error[i] = slope[i] + (E[0]*Z[0, i] + E[1]*Z[1, i] + E[2]*Z[2, i])/step
        back(real, order_r, error)
        size = rms(error, scale)
    return size


@nb.njit(nogil=True, error_model="numpy")
def record(count, t, y, Z, hist_t, hist_c):
    """Write a step as the polynomial of degree 3 through its stages."""
    hist_t[count] = t
    hist_c[count] = 0.0
    for i in range(y.shape[0]):
        hist_c[count, 0, i] = y[i]
        for k in range(3):
            hist_c[count, k + 1, i] = Z[0, i]*DENSE[0, k] + Z[1, i]*DENSE[1, k] + Z[2, i]*DENSE[2, k]


@nb.njit(nogil=True, error_model="numpy")
def growth(size, h, sweeps, clock):
    """The factor by which the next step may be longer, from this error and the one before (Gustafsson 1994)."""
    safety = 0.9*(2*ITERATIONS + 1)/(2*ITERATIONS + sweeps)
    usual = size**(-0.25) if size > 0.0 else 10.0
    if clock[H_BEFORE] > 0.0 and clock[ERROR_BEFORE] > 0.0 and size > 0.0:
        usual *= min(1.0, h/clock[H_BEFORE]*(clock[ERROR_BEFORE]/size)**0.25)
    return safety*usual


@nb.njit(nogil=True, error_model="numpy")
def proposed(clock, end, longest):
    """The size of the next step, whether it reaches the end, and the least that a step may be."""
    t, left = clock[T_], abs(end - clock[T_])
    h = min(clock[H_], longest)
    reaches = h >= left*(1.0 - 1e-13)
    return left if reaches else min(h, max(0.5*left, left - h)), reaches, 10.0*abs(np.nextafter(t, end) - t)


@nb.njit(nogil=True, error_model="numpy")
def shorter(clock, h, least):
    """Go on with a shorter step, if there is one."""
    clock[H_] = h
    return TOO_SMALL if h < least else ALL_DONE


@nb.njit(nogil=True, error_model="numpy")
def accept(clock, t, h, grown, size, reaches, count, y, new, Z, hist_t, hist_c):
    """Write a step, move on, and propose the next one."""
    record(count, clock[T_], y, Z, hist_t, hist_c)
    copy(new, 0, y.shape[0], y, 0)
    clock[T_] = hist_t[count + 1] = t
    clock[H_] = max(clock[H_], h*grown) if reaches else h*grown
    clock[H_BEFORE], clock[ERROR_BEFORE] = h, size


def radau_steps(rates, clock, y, w, end, lo, hi, rtol, atol, most, longest, memory, count, hist_t, hist_c):
    """Advance towards `end`; clock = [t, h, h before, error before]; as `ode_rk.steps`."""
    n = y.shape[0]
    f, new, error, scale = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    jac, real, complex_ = np.empty((n, n)), np.empty((n, n)), np.empty((n, n), dtype=np.complex128)
    order_r, order_c = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    Z, W, G = np.zeros((3, n)), np.empty((3, n)), np.empty((3, n))
    direction = 1.0 if end >= clock[T_] else -1.0
    tol = max(10*EPS/max(rtol, 1e-15), min(0.03, max(rtol, 1e-15)**0.5))
    refused, code, stale, fresh, factored, attempts = 0, ALL_DONE, True, False, 0.0, 1
    rates_at(rates, clock[T_], lo, hi, memory, hist_t, hist_c, count, y, f, w)
    while (end - clock[T_])*direction > 0.0 and code == ALL_DONE:
        t = clock[T_]
        if stale:
            jacobian(rates, t, lo, hi, memory, hist_t, hist_c, count, y, f, w, jac)
            stale, fresh, factored = False, True, 0.0
        h, reaches, least = proposed(clock, end, longest)
        step = h*direction
        if count >= most or (h < least and not reaches):
            code = FULL if count >= most else TOO_SMALL
            break
        if factored != step and not matrices(jac, step, real, complex_, order_r, order_c):
            clock[H_], factored = 0.5*h, 0.0
            continue
        factored = step
        for i in range(n):
            scale[i] = atol[i] + rtol*abs(y[i])
        guess(clock, step, y, count, hist_t, hist_c, Z)
        converged, sweeps, contraction = newton(rates, t, step, lo, hi, memory, hist_t, hist_c, count, y, w, Z, W, G, real, complex_,
                                                order_r, order_c, scale, tol)
        if not converged:
            refused += 1
            stale = not fresh
            if fresh:
                code, clock[H_BEFORE] = shorter(clock, 0.5*h, least), 0.0
            continue
        for i in range(n):
            new[i] = y[i] + Z[2, i]
            scale[i] = atol[i] + rtol*max(abs(y[i]), abs(new[i]))
        size = estimate(rates, t, lo, hi, memory, hist_t, hist_c, count, y, f, w, Z, G, step, real, order_r, scale, attempts, error)
        grown = growth(size, h, sweeps, clock)
        if not size <= 1.0 or not largest(new, new) <= LIMIT:
            code, refused, attempts = shorter(clock, h*(max(0.2, grown) if size < 1e300 else 0.2), least), refused + 1, 2
            continue
        stale = sweeps > 2 and contraction > 1e-3
        grown = min(10.0, grown) if stale or grown >= 1.2 else 1.0
        accept(clock, end if reaches else t + step, h, grown, size, reaches, count, y, new, Z, hist_t, hist_c)
        count, attempts, fresh = count + 1, 1, False
        rates_at(rates, clock[T_], lo, hi, memory, hist_t, hist_c, count, y, f, w)
    return how_it_ended(code, y, f), count, refused


SIGNATURE = nb.types.Tuple((I, I, I))(RATES, F[::1], F[::1], F[::1], F, F, F, F, F[::1], I, F, MEMORY, I, F[::1], F[:, :, ::1])


@cache
def kernel() -> Any:
    """The compiled `radau_steps`."""
    return kept(SIGNATURE, radau_steps)


class Radau:
    """Radau IIA as a stepper: advance(path, end, lo, hi, room) -> code."""

    def __init__(self, rates: Any, course: Course):
        self.rates, self.course = rates, course
        self.clock: np.ndarray | None = None

    def advance(self, path: Path, end: float, lo: float, hi: float, room: int) -> int:
        """Up to `room` steps towards `end`."""
        course = self.course
        if self.clock is None:
            h = first_step(self.rates, min(max(path.t, lo), hi), path.y, path.w, end, 3, course.rtol, course.atol)
            self.clock = np.array([path.t, h, 0.0, 0.0])
        if path.t != self.clock[0]:
            self.clock[2:] = 0.0                                  # another stepper was here, or a break: no step to extrapolate
        self.clock[0] = path.t
        path.grow(room)
        code, path.count, refused = kernel()(self.rates, self.clock, path.y, path.w, end, lo, hi, course.rtol, course.atol, path.count + room,
                                             course.longest, path.memory, path.count, path.hist_t, path.hist_c)
        path.t, path.refused = float(self.clock[0]), path.refused + refused
        return code
