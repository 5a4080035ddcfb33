"""Radau IIA of order 5 for stiff flows: collocation at three points, one real and one complex system for each iteration.

Source: Hairer, Wanner 1996, section IV.8 (the code RADAU5); the step control follows scipy's.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numba as nb
import numpy as np

from .kept import kept
from .ode_control import ALL_DONE, DIVERGED, FULL, LIMIT, NONFINITE, TOO_SMALL, first_step
from .ode_path import Course, Path
from .ode_rk import RATES, largest

F, I, Z = nb.float64, nb.int64, nb.complex128
S6 = 6**.5
C = np.array([(4 - S6)/10, (4 + S6)/10, 1.0])
E = np.array([-13 - 7*S6, -13 + 7*S6, -1])/3
REAL = 3 + 3**(2/3) - 3**(1/3)
COMPLEX = 3 + .5*(3**(1/3) - 3**(2/3)) - .5j*(3**(5/6) + 3**(7/6))
T = np.array([[0.09443876248897524, -0.14125529502095421, 0.03002919410514742],
              [0.25021312296533332, 0.20412935229379994, -0.38294211275726192], [1, 1, 0]])
TI = np.array([[4.17871859155190428, 0.32768282076106237, 0.52337644549944951],
               [-4.17871859155190428, -0.32768282076106237, 0.47662355450055044],
               [0.50287263494578682, -2.57192694985560522, 0.59603920482822492]])
DENSE = np.array([[13/3 + 7*S6/3, -23/3 - 22*S6/3, 10/3 + 5*S6], [13/3 - 7*S6/3, -23/3 + 22*S6/3, 10/3 - 5*S6], [1/3, -8/3, 10/3]])
ITERATIONS, EPS = 7, 2.220446049250313e-16


@nb.njit(nogil=True, error_model="numpy")
def factor(A, order):
    """LU decomposition in place with partial pivoting; False where it is singular."""
    n = A.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[best, k]):
                best = i
        if not abs(A[best, k]) > 0.0:
            return False
        order[k] = best
        if best != k:
            for j in range(n):
                A[k, j], A[best, j] = A[best, j], A[k, j]
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k]*A[k, j]
    return True


@nb.njit(nogil=True, error_model="numpy")
def back(A, order, b):
    """Solve with the decomposition, in place."""
    n = A.shape[0]
    for k in range(n):
        if order[k] != k:
            b[k], b[order[k]] = b[order[k]], b[k]
    for i in range(n):
        for j in range(i):
            b[i] -= A[i, j]*b[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= A[i, j]*b[j]
        b[i] /= A[i, i]


@nb.njit(nogil=True, error_model="numpy")
def rms(a, scale):
    total = 0.0
    for i in range(a.shape[0]):
        total += (a[i]/scale[i])**2
    return np.sqrt(total/a.shape[0])


@nb.njit(nogil=True, error_model="numpy")
def matrices(jac, h, real, complex_, order_r, order_c):
    """Decompositions of REAL/h - J and COMPLEX/h - J."""
    n = jac.shape[0]
    for i in range(n):
        for j in range(n):
            real[i, j] = -jac[i, j]
            complex_[i, j] = -jac[i, j]
        real[i, i] += REAL/h
        complex_[i, i] += COMPLEX/h
    return factor(real, order_r) and factor(complex_, order_c)


@nb.njit(nogil=True, error_model="numpy")
def transform(M, a, out):
    for i in range(3):
        for j in range(a.shape[1]):
            out[i, j] = M[i, 0]*a[0, j] + M[i, 1]*a[1, j] + M[i, 2]*a[2, j]


def jacobian(rates, t, y, f, w, jac):
    """Differences of the rates, column by column."""
    near, moved = y.copy(), np.empty_like(y)
    for j in range(y.shape[0]):
        near[j] = y[j] + np.sqrt(EPS*max(1e-5, abs(y[j])))
        rates(t, near, moved, w)
        for i in range(y.shape[0]):
            jac[i, j] = (moved[i] - f[i])/(near[j] - y[j])
        near[j] = y[j]


def newton(rates, t, h, lo, hi, y, w, Z, W, G, real, complex_, order_r, order_c, scale, tol):
    """Simplified Newton iteration on the three stages; returns (whether it converged, iterations, rate of contraction)."""
    n = y.shape[0]
    stage, right = np.empty(n), np.empty(n, dtype=np.complex128)
    plain = np.empty(n)
    transform(TI, Z, W)
    before, contraction = 0.0, 0.0
    for sweep in range(ITERATIONS):
        for s in range(3):
            for i in range(n):
                stage[i] = y[i] + Z[s, i]
            rates(min(max(t + h*C[s], lo), hi), stage, G[s], w)
        for i in range(n):
            a, b, c = G[0, i], G[1, i], G[2, i]
            if not abs(a + b + c) < np.inf:
                return False, sweep + 1, contraction
            plain[i] = TI[0, 0]*a + TI[0, 1]*b + TI[0, 2]*c - REAL/h*W[0, i]
            right[i] = (complex(TI[1, 0], TI[2, 0])*a + complex(TI[1, 1], TI[2, 1])*b + complex(TI[1, 2], TI[2, 2])*c
                        - COMPLEX/h*complex(W[1, i], W[2, i]))
        back(real, order_r, plain)
        back(complex_, order_c, right)
        size = 0.0
        for i in range(n):
            size += (plain[i]/scale[i])**2 + (right[i].real/scale[i])**2 + (right[i].imag/scale[i])**2
        size = np.sqrt(size/(3*n))
        if sweep > 0:
            contraction = size/before if before > 0.0 else 0.0
            left = ITERATIONS - 1 - sweep
            if contraction >= 1.0 or contraction**left/(1.0 - contraction)*size > tol:
                return False, sweep + 1, contraction
        for i in range(n):
            W[0, i] += plain[i]
            W[1, i] += right[i].real
            W[2, i] += right[i].imag
        transform(T, W, Z)
        if size == 0.0 or (sweep > 0 and contraction/(1.0 - contraction)*size < tol):
            return True, sweep + 1, contraction
        before = size
    return False, ITERATIONS, contraction


_jacobian = nb.njit(nogil=True, error_model="numpy")(jacobian)
_newton = nb.njit(nogil=True, error_model="numpy")(newton)


def radau_steps(rates, clock, y, w, end, lo, hi, rtol, atol, most, longest, count, hist_t, hist_c):
    """Advance towards `end`; clock = [t, h, h before, error before]; as `ode_rk.steps`."""
    n = y.shape[0]
    f, new, error, scale = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    jac, real, complex_ = np.empty((n, n)), np.empty((n, n)), np.empty((n, n), dtype=np.complex128)
    order_r, order_c = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    Z, W, G = np.zeros((3, n)), np.empty((3, n)), np.empty((3, n))
    direction = 1.0 if end >= clock[0] else -1.0
    tol = max(10*EPS/max(rtol, 1e-15), min(0.03, max(rtol, 1e-15)**0.5))
    refused, code, fresh, factored, rejected = 0, ALL_DONE, False, 0.0, False
    rates(min(max(clock[0], lo), hi), y, f, w)
    stale = True
    while (end - clock[0])*direction > 0.0 and code == ALL_DONE:
        t, left = clock[0], abs(end - clock[0])
        if stale:
            _jacobian(rates, min(max(t, lo), hi), y, f, w, jac)
            stale, fresh, factored = False, True, 0.0
        h = min(clock[1], longest)
        reaches = h >= left*(1.0 - 1e-13)
        h = left if reaches else min(h, max(0.5*left, left - h))
        least = 10.0*abs(np.nextafter(t, end) - t)
        if count >= most or (h < least and not reaches):
            code = FULL if count >= most else TOO_SMALL
            break
        step = h*direction
        if factored != step:
            if not matrices(jac, step, real, complex_, order_r, order_c):
                clock[1] = 0.5*h
                continue
            factored = step
        for i in range(n):
            scale[i] = atol[i] + rtol*abs(y[i])
        if count > 0 and clock[2] > 0.0 and hist_t[count] == t:
            span = hist_t[count] - hist_t[count - 1]
            for s in range(3):
                u = 1.0 + step*C[s]/span
                for i in range(n):
                    c = hist_c[count - 1]
                    Z[s, i] = c[0, i] + u*(c[1, i] + u*(c[2, i] + u*c[3, i])) - y[i]
        else:
            Z[:] = 0.0
        converged, sweeps, contraction = _newton(rates, t, step, lo, hi, y, w, Z, W, G, real, complex_, order_r, order_c, scale, tol)
        if not converged:
            refused += 1
            if fresh:
                clock[1] = 0.5*h
                clock[2] = 0.0
                if clock[1] < least:
                    code = TOO_SMALL
            else:
                stale = True
            continue
        for i in range(n):
            new[i] = y[i] + Z[2, i]
            error[i] = f[i] + (E[0]*Z[0, i] + E[1]*Z[1, i] + E[2]*Z[2, i])/step
            scale[i] = atol[i] + rtol*max(abs(y[i]), abs(new[i]))
        back(real, order_r, error)
        size = rms(error, scale)
        if rejected and size > 1.0:
            for i in range(n):
                error[i] += y[i]
            rates(min(max(t, lo), hi), error, new, w)
            for i in range(n):
                error[i] = new[i] + (E[0]*Z[0, i] + E[1]*Z[1, i] + E[2]*Z[2, i])/step
                new[i] = y[i] + Z[2, i]
            back(real, order_r, error)
            size = rms(error, scale)
        safety = 0.9*(2*ITERATIONS + 1)/(2*ITERATIONS + sweeps)
        usual = size**(-0.25) if size > 0.0 else 10.0
        if clock[2] > 0.0 and clock[3] > 0.0 and size > 0.0:
            usual *= min(1.0, h/clock[2]*(clock[3]/size)**0.25)
        if not size <= 1.0 or not largest(new, new) <= LIMIT:
            refused += 1
            clock[1], rejected = h*(max(0.2, safety*usual) if size < 1e300 else 0.2), True
            if clock[1] < least:
                code = TOO_SMALL
            continue
        stale = sweeps > 2 and contraction > 1e-3
        grown = min(10.0, safety*usual)
        if not stale and grown < 1.2:
            grown = 1.0
        hist_t[count] = t
        hist_c[count] = 0.0
        for i in range(n):
            hist_c[count, 0, i] = y[i]
            for k in range(3):
                hist_c[count, k + 1, i] = Z[0, i]*DENSE[0, k] + Z[1, i]*DENSE[1, k] + Z[2, i]*DENSE[2, k]
        clock[0] = end if reaches else t + step
        count += 1
        hist_t[count] = clock[0]
        y[:] = new
        rates(min(max(clock[0], lo), hi), y, f, w)
        clock[2], clock[3], rejected, fresh = h, size, False, False
        clock[1] = max(clock[1], h*grown) if reaches else h*grown
    if code == TOO_SMALL:
        size = largest(y, f)
        code = NONFINITE if size != size else DIVERGED if size > 1e8 else TOO_SMALL
    return code, count, refused


SIGNATURE = nb.types.Tuple((I, I, I))(RATES, F[::1], F[::1], F[::1], F, F, F, F, F[::1], I, F, I, F[::1], F[:, :, ::1])


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
                                             course.longest, path.count, path.hist_t, path.hist_c)
        path.t, path.refused = float(self.clock[0]), path.refused + refused
        return code
