"""Embedded Runge-Kutta pairs with their own dense output: one compiled kernel for Tsit5 and DOP853, delays included.

The kernel takes any `rates(t, y, out, w)` by its type, so that a new flow compiles only its rates.
"""
from __future__ import annotations

import math
from functools import cache
from typing import Any

import numba as nb
import numpy as np

from .kept import kept
from .ode_control import ALL_DONE, DIVERGED, FULL, LIMIT, NONFINITE, STIFF, TOO_SMALL
from .ode_past import copy, rates_at

F, I = nb.float64, nb.int64
RATES = nb.types.FunctionType(nb.void(F, F[::1], F[::1], F[::1]))
MEMORY = nb.types.Tuple((F[::1], I[:, ::1], I[::1], F[::1]))
SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0
STIFF_STEPS = 15                    # so many steps at the rim of stability mean stiffness (Hairer, Wanner 1996, section IV.2)


@nb.njit(nogil=True, error_model="numpy")
def error_norm(K, h, E, y, new, rtol, atol):
    """Root mean square of the estimate over atol + rtol max(|y|, |y_new|); two estimates combine as in dop853.f."""
    n, first, second = y.shape[0], 0.0, 0.0
    for i in range(n):
        a, b = 0.0, 0.0
        for j in range(E.shape[1]):
            a += E[0, j]*K[j, i]
            b += E[1, j]*K[j, i]
        scale = atol[i] + rtol*max(abs(y[i]), abs(new[i]))
        first += (a/scale)**2
        second += (b/scale)**2
    if first == 0.0 and second == 0.0:
        return 0.0
    if second == 0.0:
        return abs(h)*math.sqrt(first/n)
    return abs(h)*first/math.sqrt((first + 0.01*second)*n)


@nb.njit(nogil=True, error_model="numpy")
def combine(row, count, K, y, step, out):
    """out = y + step sum_j row_j K_j over the first `count` stages."""
    out[:] = 0.0
    for j in range(count):
        if row[j] != 0.0:
            for i in range(y.shape[0]):
                out[i] += row[j]*K[j, i]
    for i in range(y.shape[0]):
        out[i] = y[i] + step*out[i]


@nb.njit(nogil=True, error_model="numpy")
def record(count, t, step, y, K, dense, hist_t, hist_c):
    """Write a step as a polynomial of its own: coefficients of u^0, u^1, ..."""
    hist_t[count] = t
    hist_c[count] = 0.0
    for i in range(y.shape[0]):
        hist_c[count, 0, i] = y[i]
    for k in range(dense.shape[0]):
        for j in range(K.shape[0]):
            if dense[k, j] != 0.0:
                for i in range(y.shape[0]):
                    hist_c[count, k + 1, i] += step*dense[k, j]*K[j, i]


@nb.njit(nogil=True, error_model="numpy")
def largest(a, b):
    """Largest |a_i|, NaN where a or b has one."""
    size = 0.0
    for i in range(a.shape[0]):
        if a[i] != a[i] or b[i] != b[i]:
            return np.nan
        size = max(size, abs(a[i]))
    return size


@nb.njit(nogil=True, error_model="numpy")
def how_it_ended(code, y, slope):
    """Why steps became too small: rates that are no numbers, a state beyond bounds, or neither."""
    if code != TOO_SMALL:
        return code
    size = largest(y, slope)
    return NONFINITE if size != size else DIVERGED if size > 1e8 else TOO_SMALL


@nb.njit(nogil=True, error_model="numpy")
def slope_ratio(a, b, x, y):
    """|a - b|/|x - y|, an estimate of the largest |lambda| where x and y are stages at one time."""
    top, bottom = 0.0, 0.0
    for i in range(a.shape[0]):
        top += (a[i] - b[i])**2
        bottom += (x[i] - y[i])**2
    return math.sqrt(top/bottom) if bottom > 0.0 else 0.0


def steps(rates, clock, y, w, end, lo, hi, rtol, atol, A, c, last, E, power, dense, rim, most, longest,
          memory, count, hist_t, hist_c):
    """Advance towards `end` until it is reached or the buffers are full; clock = [t, h, whether the step before was refused].

    Rates are asked for times within [lo, hi] only: the piece between two breaks of the right-hand side.
    Returns (code, segments in the buffers, steps refused).
    """
    n, S = y.shape[0], A.shape[0]
    K, new, stage, before = np.empty((S, n)), np.empty(n), np.empty(n), np.empty(n)
    direction = 1.0 if end >= clock[0] else -1.0
    refused, at_rim, code = 0, 0, ALL_DONE
    known = False
    while (end - clock[0])*direction > 0.0 and code == ALL_DONE:
        t, left = clock[0], abs(end - clock[0])
        h = min(clock[1], longest)
        reaches = h >= left*(1.0 - 1e-13)
        h = left if reaches else h
        least = 10.0*abs(np.nextafter(t, end) - t)
        if count >= most or (h < least and not reaches):
            code = FULL if count >= most else TOO_SMALL
            break
        step, error = h*direction, 0.0
        for s in range(0, S):
            if s == 0 and known:
                continue
            combine(A[s], s, K, y, step, stage)
            rates_at(rates, t + c[s]*step, lo, hi, memory, hist_t, hist_c, count, stage, K[s], w)
            if s == last - 1:
                copy(stage, 0, n, before, 0)
            if s == last:
                copy(stage, 0, n, new, 0)
                size = largest(new, K[last])
                error = error_norm(K, step, E, y, new, rtol, atol)
                error = error if size <= LIMIT and error == error else np.inf
                if error > 1.0:
                    break
        known = True
        if error > 1.0:
            refused += 1
            clock[1], clock[2] = h*(max(SHRINK, SAFETY*error**(-power)) if error < np.inf else SHRINK), 1.0
            if clock[1] < least:
                code = TOO_SMALL
            continue
        if rim > 0.0:
            at_rim = at_rim + 1 if h*slope_ratio(K[last], K[last - 1], new, before) > rim else max(at_rim - 1, 0)
            code = STIFF if at_rim >= STIFF_STEPS else ALL_DONE
        record(count, t, step, y, K, dense, hist_t, hist_c)
        clock[0] = end if reaches else t + step
        count += 1
        hist_t[count] = clock[0]
        for i in range(n):
            y[i], K[0, i] = new[i], K[last, i]
        grown = GROW if error == 0.0 else min(GROW, max(SHRINK, SAFETY*error**(-power)))
        grown = min(1.0, grown) if clock[2] == 1.0 else grown
        clock[1], clock[2] = (max(clock[1], h*grown) if reaches else h*grown), 0.0
    return how_it_ended(code, y, K[0]), count, refused


SIGNATURE = nb.types.Tuple((I, I, I))(
    RATES, F[::1], F[::1], F[::1], F, F, F, F, F[::1], F[:, ::1], F[::1], I, F[:, ::1], F, F[:, ::1], F, I, F,
    MEMORY, I, F[::1], F[:, :, ::1])


@cache
def kernel() -> Any:
    """The compiled `steps`."""
    return kept(SIGNATURE, steps)
