"""Taylor's method: the series of the solution at every step, order and step from the tolerance, dense output for nothing.

Step size: Jorba, Zou 2005, section 3.2, with the defect x' - rates(x) at the end of a step as a check that refuses it.
"""
from __future__ import annotations

import math
from functools import cache
from typing import Any

import numba as nb
import numpy as np

from .kept import kept
from .ode_control import ALL_DONE, FULL, LIMIT, TOO_SMALL
from .ode_path import Course, Path
from .ode_rk import RATES, how_it_ended, largest
from .tape import series, table

F, I = nb.float64, nb.int64
DEFECT = 8.0                                # a defect times the step of so many tolerances is refused
ORDERS = (4, 30)


def tolerance(rtol: float, atol: np.ndarray, y: np.ndarray) -> float:
    """The relative error that is allowed."""
    tol = rtol if rtol > 0 else float(atol.min())/max(float(np.abs(y).max(initial=0.0)), 1e-300)
    return min(max(tol, 1e-18), .5)


def order_for(rtol: float, atol: np.ndarray, y: np.ndarray) -> int:
    """The order that is cheapest at a tolerance, where a step costs its square: -ln(tol)/2 + 1."""
    return min(max(math.ceil(-math.log(tolerance(rtol, atol, y))/2 + 1), ORDERS[0]), ORDERS[1])


@nb.njit(nogil=True, error_model="numpy")
def series_step(J, n, K, y, rtol, atol):
    """The step at which the last two terms of the series are within the tolerance."""
    h = np.inf
    for k in range(K - 1, K + 1):
        size = 0.0
        for i in range(n):
            scale = atol[i] + rtol*abs(y[i])
            value = abs(J[k, i])
            if value != value:
                return np.nan
            if value > 0.0:
                size = max(size, value/scale)
        if size > 0.0:
            h = min(h, size**(-1.0/k))
    return h*math.exp(-0.7/(K - 1))


@nb.njit(nogil=True, error_model="numpy")
def evaluate(J, n, K, h, new, slope):
    """The series and its derivative at h."""
    for i in range(n):
        new[i], slope[i] = J[K, i], 0.0
    for k in range(K - 1, -1, -1):
        for i in range(n):
            slope[i] = slope[i]*h + new[i]
            new[i] = new[i]*h + J[k, i]


def taylor_steps(rates, clock, y, w, J, end, lo, hi, rtol, atol, K, most, count, hist_t, hist_c):
    """Advance towards `end`; as `ode_rk.steps`."""
    n = y.shape[0]
    new, slope, out = np.empty(n), np.empty(n), np.empty(n)
    direction = 1.0 if end >= clock[0] else -1.0
    refused, code = 0, ALL_DONE
    while (end - clock[0])*direction > 0.0 and code == ALL_DONE:
        if count >= most:
            code = FULL
            break
        t, left = clock[0], abs(end - clock[0])
        least = 10.0*abs(np.nextafter(t, end) - t)
        for i in range(n):
            J[0, i] = y[i]
        series(min(max(t, lo), hi), J, w, K)
        h = series_step(J, n, K, y, rtol, atol)
        accepted = False
        while not accepted:
            if h != h or (h < least and h < left):
                code = TOO_SMALL
                break
            h = left if h >= left*(1.0 - 1e-13) else min(h, max(0.5*left, left - h))
            evaluate(J, n, K, h*direction, new, slope)
            rates(min(max(t + h*direction, lo), hi), new, out, w)
            size, error = largest(new, out), 0.0
            for i in range(n):
                scale = atol[i] + rtol*max(abs(y[i]), abs(new[i]))
                miss = h*abs(slope[i] - out[i])
                if miss > 0.0:
                    error = max(error, miss/max(scale, 1e-16*(h*abs(out[i]) + abs(new[i]))))
            if size <= LIMIT and error <= DEFECT:
                accepted = True
            else:
                refused += 1
                h *= max(0.2, 0.9*(0.5*DEFECT/error)**(1.0/(K + 1))) if size <= LIMIT and error < 1e300 else 0.3
        if accepted:
            hist_t[count] = t
            for k in range(K + 1, hist_c.shape[1]):
                for i in range(n):
                    hist_c[count, k, i] = 0.0
            power = 1.0
            for k in range(K + 1):
                for i in range(n):
                    hist_c[count, k, i] = J[k, i]*power
                power *= h*direction
            clock[0] = end if h == left else t + h*direction
            count += 1
            hist_t[count] = clock[0]
            y[:] = new
    if code == TOO_SMALL:
        rates(min(max(clock[0], lo), hi), y, out, w)
    return how_it_ended(code, y, out), count, refused


SIGNATURE = nb.types.Tuple((I, I, I))(RATES, F[::1], F[::1], F[::1], F[:, ::1], F, F, F, F, F[::1], I, I, I, F[::1], F[:, :, ::1])


@cache
def kernel() -> Any:
    """The compiled `taylor_steps`."""
    return kept(SIGNATURE, taylor_steps)


class Taylor:
    """Taylor's method as a stepper: advance(path, end, lo, hi, room) -> code."""

    def __init__(self, rates: Any, course: Course, path: Path):
        self.rates, self.course = rates, course
        self.order = order_for(course.rtol, course.atol, path.y)
        self.J = table(path.w, self.order + 1)
        self.clock = np.zeros(1)

    def advance(self, path: Path, end: float, lo: float, hi: float, room: int) -> int:
        """Up to `room` steps towards `end`."""
        path.grow(room)
        self.clock[0] = path.t
        code, path.count, refused = kernel()(self.rates, self.clock, path.y, path.w, self.J, end, lo, hi, self.course.rtol, self.course.atol,
                                             self.order, path.count + room, path.count, path.hist_t, path.hist_c)
        path.t, path.refused = float(self.clock[0]), path.refused + refused
        return code
