"""The operations of a tape, one after another: coefficient k of every value from the coefficients before it.

Recurrences: Moore 1966; Hairer, Norsett, Wanner 1993, section I.8.
"""
from __future__ import annotations

import math

import numba as nb
import numpy as np

from ..emit.tape import CODE
from .tape_wide import WIDE, product, wide

(ADD, SUB, NEG, COPY, MUL, SCALE, DIV, DIVIDE, SQRT, POW, EXP, LOG, SIN, COS, TANH, SIGN, LT, LE, GT, GE, EQ, NE, WHERE, MOD, UNIT, SUM, DOT,
 MATMUL, TIME) = range(len(CODE))


@nb.njit(nogil=True, error_model="numpy")
def function_step(code, J, c, d, a, p, k):
    """Coefficient k of an elementary function in row c of row a; d is the row of its companion, p a constant exponent."""
    if k == 0:
        x = J[0, a]
        if code == SQRT:
            J[0, c] = math.sqrt(x)
        elif code == POW:
            J[0, c] = math.pow(x, p)
        elif code == EXP:
            J[0, c] = math.exp(x)
        elif code == LOG:
            J[0, c] = math.log(x)
        elif code == SIN:
            J[0, c], J[0, d] = math.sin(x), math.cos(x)
        else:
            J[0, c] = math.tanh(x)
            J[0, d] = 1.0 - J[0, c]*J[0, c]
        return
    total, other = 0.0, 0.0
    if code == SQRT:
        total = J[k, a]
        for j in range(1, k):
            total -= J[j, c]*J[k - j, c]
        J[k, c] = total/(2.0*J[0, c])
    elif code == POW:
        for j in range(1, k + 1):
            total += (j*p - (k - j))*J[j, a]*J[k - j, c]
        J[k, c] = total/(k*J[0, a])
    elif code == EXP:
        for j in range(1, k + 1):
            total += j*J[j, a]*J[k - j, c]
        J[k, c] = total/k
    elif code == LOG:
        for j in range(1, k):
            total += j*J[j, c]*J[k - j, a]
        J[k, c] = (J[k, a] - total/k)/J[0, a]
    elif code == SIN:
        for j in range(1, k + 1):
            total += j*J[j, a]*J[k - j, d]
            other -= j*J[j, a]*J[k - j, c]
        J[k, c], J[k, d] = total/k, other/k
    else:
        for j in range(1, k + 1):
            total += j*J[j, a]*J[k - j, d]
        J[k, c] = total/k
        for j in range(k + 1):
            other -= J[j, c]*J[k - j, c]
        J[k, d] = other


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
            J[k, c] = J[k, p] + J[k, q]
        elif code == SUB:
            J[k, c] = J[k, p] - J[k, q]
        elif code == NEG:
            J[k, c] = -J[k, p]
        elif code == COPY:
            J[k, c] = J[k, p]
        elif code == MUL:
            total = 0.0
            for j in range(k + 1):
                total += J[j, p]*J[k - j, q]
            J[k, c] = total
        elif code == SCALE:
            J[k, c] = J[0, p]*J[k, q]
        elif code == DIV:
            total = J[k, p]
            for j in range(1, k + 1):
                total -= J[j, q]*J[k - j, c]
            J[k, c] = total/J[0, q]
        elif code == DIVIDE:
            J[k, c] = J[k, p]/J[0, q]
        else:
            function_step(code, J, c, extra + i, p, J[0, q], k)


@nb.njit(nogil=True, error_model="numpy")
def choice(code, width, out, a, sa, b, sb, extra, J, k):
    """Coefficient k of what is constant in pieces or picks among values, entry by entry."""
    for i in range(width):
        c, p, q = out + i, a + i*sa, b + i*sb
        if code == SIGN:
            J[k, c] = np.sign(J[0, p]) if k == 0 else 0.0
        elif code <= NE:
            J[k, c] = compare_step(code, J[0, p], J[0, q]) if k == 0 else 0.0
        elif code == WHERE:
            J[k, c] = J[k, p] if J[0, extra//2 + i*(extra % 2)] != 0.0 else J[k, q]
        elif code == MOD:
            J[k, c] = J[0, p] % J[0, q] if k == 0 else J[k, p]
        else:
            J[k, c] = J[k, a] if i == extra else 0.0


@nb.njit(nogil=True, error_model="numpy")
def coupling(code, width, out, a, sa, b, sb, J, matrices, k):
    """Coefficient k of a sum over entries, an inner product, or a product with a matrix."""
    if code == MATMUL:
        product(J[k, out:out + width], J[k, a:a + sa], matrices[b:b + sa*width])
        return
    total = 0.0
    for i in range(width):
        if code == SUM:
            total += J[k, a + i*sa]
        else:
            for j in range(k + 1):
                total += J[j, a + i*sa]*J[k - j, b + i*sb]
    J[k, out] = total


@nb.njit(nogil=True, error_model="numpy")
def play(ops, first, last, J, matrices, k, t):
    """Coefficient k of all values, in order."""
    for m in range(first, last):
        code, width, out, a, sa, b, sb, extra = ops[m, 0], ops[m, 1], ops[m, 2], ops[m, 3], ops[m, 4], ops[m, 5], ops[m, 6], ops[m, 7]
        if code <= DIVIDE and width >= WIDE:
            wide(code, width, out, a, sa, b, sb, J, k)
        elif code <= TANH:
            arithmetic(code, width, out, a, sa, b, sb, extra, J, k)
        elif code <= UNIT:
            choice(code, width, out, a, sa, b, sb, extra, J, k)
        elif code <= MATMUL:
            coupling(code, width, out, a, sa, b, sb, J, matrices, k)
        else:
            J[k, out] = t if k == 0 else (1.0 if k == 1 else 0.0)
