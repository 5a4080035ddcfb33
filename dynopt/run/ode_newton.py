"""The stages of a Radau step: simplified Newton iteration, one real and one complex linear system for each sweep.

Source: Hairer, Wanner 1996, section IV.8 (the code RADAU5).
"""
from __future__ import annotations

import numba as nb
import numpy as np

from .ode_linear import back, factor
from .ode_past import rates_at

S6 = 6**.5
C = np.array([(4 - S6)/10, (4 + S6)/10, 1.0])
REAL = 3 + 3**(2/3) - 3**(1/3)
COMPLEX = 3 + .5*(3**(1/3) - 3**(2/3)) - .5j*(3**(5/6) + 3**(7/6))
T = np.array([[0.09443876248897524, -0.14125529502095421, 0.03002919410514742],
              [0.25021312296533332, 0.20412935229379994, -0.38294211275726192], [1, 1, 0]])
TI = np.array([[4.17871859155190428, 0.32768282076106237, 0.52337644549944951],
               [-4.17871859155190428, -0.32768282076106237, 0.47662355450055044],
               [0.50287263494578682, -2.57192694985560522, 0.59603920482822492]])
ITERATIONS, EPS = 7, 2.220446049250313e-16


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


@nb.njit(nogil=True, error_model="numpy")
def jacobian(rates, t, lo, hi, memory, hist_t, hist_c, count, y, f, w, jac):
    """Differences of the rates, column by column."""
    near, moved = y.copy(), np.empty_like(y)
    for j in range(y.shape[0]):
        near[j] = y[j] + np.sqrt(EPS*max(1e-5, abs(y[j])))
        rates_at(rates, t, lo, hi, memory, hist_t, hist_c, count, near, moved, w)
        for i in range(y.shape[0]):
            jac[i, j] = (moved[i] - f[i])/(near[j] - y[j])
        near[j] = y[j]


@nb.njit(nogil=True, error_model="numpy")
def right_sides(G, W, h, plain, right):
    """Right-hand sides of the real and of the complex system of a Newton step; False where the rates are no numbers."""
    for i in range(plain.shape[0]):
        a, b, c = G[0, i], G[1, i], G[2, i]
        if not abs(a + b + c) < np.inf:
            return False
        plain[i] = TI[0, 0]*a + TI[0, 1]*b + TI[0, 2]*c - REAL/h*W[0, i]
        right[i] = (complex(TI[1, 0], TI[2, 0])*a + complex(TI[1, 1], TI[2, 1])*b + complex(TI[1, 2], TI[2, 2])*c
                    - COMPLEX/h*complex(W[1, i], W[2, i]))
    return True


@nb.njit(nogil=True, error_model="numpy")
def newton(rates, t, h, lo, hi, memory, hist_t, hist_c, count, y, w, Z, W, G, real, complex_, order_r, order_c, scale, tol):
    """Simplified Newton iteration on the three stages; returns (whether it converged, iterations, rate of contraction)."""
    n = y.shape[0]
    stage, plain, right = np.empty(n), np.empty(n), np.empty(n, dtype=np.complex128)
    transform(TI, Z, W)
    before, contraction = 0.0, 0.0
    for sweep in range(ITERATIONS):
        for s in range(3):
            for i in range(n):
                stage[i] = y[i] + Z[s, i]
            rates_at(rates, t + h*C[s], lo, hi, memory, hist_t, hist_c, count, stage, G[s], w)
        if not right_sides(G, W, h, plain, right):
            return False, sweep + 1, contraction
        back(real, order_r, plain)
        back(complex_, order_c, right)
        size = 0.0
        for i in range(n):
            size += (plain[i]/scale[i])**2 + (right[i].real/scale[i])**2 + (right[i].imag/scale[i])**2
        size = np.sqrt(size/(3*n))
        if sweep > 0:
            contraction = size/before if before > 0.0 else 0.0
            if contraction >= 1.0 or contraction**(ITERATIONS - 1 - sweep)/(1.0 - contraction)*size > tol:
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
