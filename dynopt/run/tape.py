"""The interpreter of tapes: rates and Taylor coefficients of any traced flow by code compiled once on a machine.

A tape, its table and its matrices lie in the work array w of a path; w[:8] says where. Recurrences: Moore 1966; Hairer,
Norsett, Wanner 1993, section I.8.
"""
from __future__ import annotations

import math
from functools import cache
from typing import Any

import numba as nb
import numpy as np

from ..core.expr import Node
from ..emit.tape import CODE, Tape
from .kept import kept

F, I = nb.float64, nb.int64
HEAD = 8                                            # number of ops, of still ones, of entries, of rows; starts of ops, outputs, table, matrices
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
def play(ops, first, last, J, matrices, k, t):
    """Coefficient k of all values, in order."""
    for m in range(first, last):
        code, width, out, a, sa, b, sb, extra = ops[m, 0], ops[m, 1], ops[m, 2], ops[m, 3], ops[m, 4], ops[m, 5], ops[m, 6], ops[m, 7]
        if code == ADD:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, k] + J[b + i*sb, k]
        elif code == SUB:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, k] - J[b + i*sb, k]
        elif code == NEG:
            for i in range(width):
                J[out + i, k] = -J[a + i*sa, k]
        elif code == COPY:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, k]
        elif code == MUL:
            for i in range(width):
                total, p, q = 0.0, a + i*sa, b + i*sb
                for j in range(k + 1):
                    total += J[p, j]*J[q, k - j]
                J[out + i, k] = total
        elif code == SCALE:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, 0]*J[b + i*sb, k]
        elif code == DIV:
            for i in range(width):
                total, q, c = J[a + i*sa, k], b + i*sb, out + i
                for j in range(1, k + 1):
                    total -= J[q, j]*J[c, k - j]
                J[c, k] = total/J[q, 0]
        elif code == DIVIDE:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, k]/J[b + i*sb, 0]
        elif code <= TANH:
            for i in range(width):
                function_step(code, J, out + i, extra + i, a + i*sa, J[b + i*sb, 0], k)
        elif code == SIGN:
            for i in range(width):
                J[out + i, k] = np.sign(J[a + i*sa, 0]) if k == 0 else 0.0
        elif code <= NE:
            for i in range(width):
                J[out + i, k] = compare_step(code, J[a + i*sa, 0], J[b + i*sb, 0]) if k == 0 else 0.0
        elif code == WHERE:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, k] if J[extra//2 + i*(extra % 2), 0] != 0.0 else J[b + i*sb, k]
        elif code == MOD:
            for i in range(width):
                J[out + i, k] = J[a + i*sa, 0] % J[b + i*sb, 0] if k == 0 else J[a + i*sa, k]
        elif code == UNIT:
            for i in range(width):
                J[out + i, k] = J[a, k] if i == extra else 0.0
        elif code == SUM:
            total = 0.0
            for i in range(width):
                total += J[a + i*sa, k]
            J[out, k] = total
        elif code == DOT:
            total = 0.0
            for i in range(width):
                for j in range(k + 1):
                    total += J[a + i*sa, j]*J[b + i*sb, k - j]
            J[out, k] = total
        elif code == MATMUL:
            for i in range(width):
                total = 0.0
                for j in range(sa):
                    total += matrices[b + i*sa + j]*J[a + j, k]
                J[out + i, k] = total
        else:
            J[out, k] = t if k == 0 else (1.0 if k == 1 else 0.0)


def tape_rates(t, y, out, w):
    """The right-hand side by the tape in w."""
    head = w[:HEAD].view(np.int64)
    count, still, n, rows = head[0], head[1], head[2], head[3]
    ops = w[head[4]:head[4] + 8*count].view(np.int64).reshape((count, 8))
    outputs = w[head[5]:head[5] + n].view(np.int64)
    J = w[head[6]:head[6] + rows].reshape((rows, 1))
    for i in range(n):
        J[i, 0] = y[i]
    play(ops, still, count, J, w[head[7]:], 0, t)
    for i in range(n):
        out[i] = J[outputs[i], 0]


@nb.njit(nogil=True, error_model="numpy")
def series(t, J, w, K):
    """Coefficients 0..K of the solution through J[:n, 0]."""
    head = w[:HEAD].view(np.int64)
    count, still, n = head[0], head[1], head[2]
    ops = w[head[4]:head[4] + 8*count].view(np.int64).reshape((count, 8))
    outputs = w[head[5]:head[5] + n].view(np.int64)
    for k in range(K):
        play(ops, still, count, J, w[head[7]:], k, t)
        for i in range(n):
            J[i, k + 1] = J[outputs[i], k]/(k + 1.0)


@cache
def rates() -> Any:
    """The compiled `tape_rates`."""
    return kept(nb.void(F, F[::1], F[::1], F[::1]), tape_rates)


def work_of(tape: Tape, content: Any) -> np.ndarray:
    """A work array with the tape in it; `content(node)` gives parameters and constants, None for what is written later."""
    matrices = [np.ravel(content(m)) for m in tape.matrices]
    m, n = len(tape.ops), len(tape.outputs)
    starts = np.cumsum([HEAD, 8*m, n, tape.rows])
    w = np.zeros(starts[3] + sum(x.size for x in matrices))
    w[:HEAD].view(np.int64)[:] = [m, tape.still, n, tape.rows, *starts]
    w[starts[0]:starts[1]].view(np.int64)[:] = tape.ops.ravel()
    w[starts[1]:starts[2]].view(np.int64)[:] = tape.outputs
    table = w[starts[2]:starts[3]]
    for row, node in tape.loads:
        value = content(node)
        if value is not None:
            table[row:row + np.size(value)] = np.ravel(value)
    if matrices:
        w[starts[3]:] = np.concatenate(matrices)
    play(tape.ops, 0, tape.still, table.reshape(-1, 1), w[starts[3]:], 0, 0.0)
    return w


def table(w: np.ndarray, columns: int) -> np.ndarray:
    """A table of coefficients for the tape in w, its constants in place."""
    head = w[:HEAD].view(np.int64)
    J = np.zeros((head[3], columns))
    J[:, 0] = w[head[6]:head[6] + head[3]]
    return J


def past_row(tape: Tape, w: np.ndarray, node: Node) -> int:
    """Where in w a past state is to be written."""
    return int(w[:HEAD].view(np.int64)[6]) + next(row for row, n in tape.loads if n is node)
