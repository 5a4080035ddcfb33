"""The operations of a tape, one after another: coefficient k of every value from the coefficients before it.

Recurrences: Moore 1966; Hairer, Norsett, Wanner 1993, section I.8.
"""
from __future__ import annotations

import math

import numba as nb
import numpy as np

from ..emit.tape import CODE

(ADD, SUB, NEG, COPY, MUL, SCALE, DIV, DIVIDE, SQRT, POW, EXP, LOG, SIN, COS, TANH, SIGN, LT, LE, GT, GE, EQ, NE, WHERE, MOD, UNIT, SUM, DOT,
 MATMUL, TIME) = range(len(CODE))


@nb.njit(nogil=True, error_model="numpy")
def function_step(code, J, c, d, a, p, k):
    """Coefficient k of an elementary function in row c of row a; d is the row of its companion, p a constant exponent."""
    if k == 0:
        x = J[a, 0]
        if code == SQRT:
            J[c, 0] = math.sqrt(x)
        elif code == POW:
            J[c, 0] = math.pow(x, p)
        elif code == EXP:
            J[c, 0] = math.exp(x)
        elif code == LOG:
            J[c, 0] = math.log(x)
        elif code == SIN:
            J[c, 0], J[d, 0] = math.sin(x), math.cos(x)
        else:
            J[c, 0] = math.tanh(x)
            J[d, 0] = 1.0 - J[c, 0]*J[c, 0]
        return
    total, other = 0.0, 0.0
    if code == SQRT:
        total = J[a, k]
        for j in range(1, k):
            total -= J[c, j]*J[c, k - j]
        J[c, k] = total/(2.0*J[c, 0])
    elif code == POW:
        for j in range(1, k + 1):
            total += (j*p - (k - j))*J[a, j]*J[c, k - j]
        J[c, k] = total/(k*J[a, 0])
    elif code == EXP:
        for j in range(1, k + 1):
            total += j*J[a, j]*J[c, k - j]
        J[c, k] = total/k
    elif code == LOG:
        for j in range(1, k):
            total += j*J[c, j]*J[a, k - j]
        J[c, k] = (J[a, k] - total/k)/J[a, 0]
    elif code == SIN:
        for j in range(1, k + 1):
            total += j*J[a, j]*J[d, k - j]
            other -= j*J[a, j]*J[c, k - j]
        J[c, k], J[d, k] = total/k, other/k
    else:
        for j in range(1, k + 1):
            total += j*J[a, j]*J[d, k - j]
        J[c, k] = total/k
        for j in range(k + 1):
            other -= J[c, j]*J[c, k - j]
        J[d, k] = other


@nb.njit(nogil=True, error_model="numpy")
def compare_step(code, x, y):
    """1 where a comparison holds, else 0."""
    return 1.0 if (code == LT and x < y or code == LE and x <= y or code == GT and x > y or code == GE and x >= y
                   or code == EQ and x == y or code == NE and x != y) else 0.0


@nb.njit(nogil=True, error_model="numpy")
def arithmetic(code, width, out, a, sa, b, sb, extra, J, k):
    """Coefficient k of a sum, a product, a quotient or an elementary function, entry by entry."""
    for i in range(width):
        c, p, q = out + i, a + i*sa, b + i*sb
        if code == ADD:
            J[c, k] = J[p, k] + J[q, k]
        elif code == SUB:
            J[c, k] = J[p, k] - J[q, k]
        elif code == NEG:
            J[c, k] = -J[p, k]
        elif code == COPY:
            J[c, k] = J[p, k]
        elif code == MUL:
            total = 0.0
            for j in range(k + 1):
                total += J[p, j]*J[q, k - j]
            J[c, k] = total
        elif code == SCALE:
            J[c, k] = J[p, 0]*J[q, k]
        elif code == DIV:
            total = J[p, k]
            for j in range(1, k + 1):
                total -= J[q, j]*J[c, k - j]
            J[c, k] = total/J[q, 0]
        elif code == DIVIDE:
            J[c, k] = J[p, k]/J[q, 0]
        else:
            function_step(code, J, c, extra + i, p, J[q, 0], k)


@nb.njit(nogil=True, error_model="numpy")
def choice(code, width, out, a, sa, b, sb, extra, J, k):
    """Coefficient k of what is constant in pieces or picks among values, entry by entry."""
    for i in range(width):
        c, p, q = out + i, a + i*sa, b + i*sb
        if code == SIGN:
            J[c, k] = np.sign(J[p, 0]) if k == 0 else 0.0
        elif code <= NE:
            J[c, k] = compare_step(code, J[p, 0], J[q, 0]) if k == 0 else 0.0
        elif code == WHERE:
            J[c, k] = J[p, k] if J[extra//2 + i*(extra % 2), 0] != 0.0 else J[q, k]
        elif code == MOD:
            J[c, k] = J[p, 0] % J[q, 0] if k == 0 else J[p, k]
        else:
            J[c, k] = J[a, k] if i == extra else 0.0


@nb.njit(nogil=True, error_model="numpy")
def coupling(code, width, out, a, sa, b, sb, J, matrices, k):
    """Coefficient k of a sum over entries, an inner product, or a product with a matrix."""
    if code == MATMUL:
        for i in range(width):
            total = 0.0
            for j in range(sa):
                total += matrices[b + i*sa + j]*J[a + j, k]
            J[out + i, k] = total
        return
    total = 0.0
    for i in range(width):
        if code == SUM:
            total += J[a + i*sa, k]
        else:
            for j in range(k + 1):
                total += J[a + i*sa, j]*J[b + i*sb, k - j]
    J[out, k] = total


@nb.njit(nogil=True, error_model="numpy")
def play(ops, first, last, J, matrices, k, t):
    """Coefficient k of all values, in order."""
    for m in range(first, last):
        code, width, out, a, sa, b, sb, extra = ops[m, 0], ops[m, 1], ops[m, 2], ops[m, 3], ops[m, 4], ops[m, 5], ops[m, 6], ops[m, 7]
        if code <= TANH:
            arithmetic(code, width, out, a, sa, b, sb, extra, J, k)
        elif code <= UNIT:
            choice(code, width, out, a, sa, b, sb, extra, J, k)
        elif code <= MATMUL:
            coupling(code, width, out, a, sa, b, sb, J, matrices, k)
        else:
            J[out, k] = t if k == 0 else (1.0 if k == 1 else 0.0)
