"""The interpreter of tapes: rates and Taylor coefficients of any traced flow by code compiled once on a machine.

A tape, its table and its matrices lie in the work array w of a path; w[:8] says where.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numba as nb
import numpy as np

from ..core.expr import Node
from ..emit.tape import Tape
from .kept import kept
from .tape_play import play

F = nb.float64
HEAD = 8                                            # number of ops, of still ones, of entries, of rows; starts of ops, outputs, table, matrices


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


def tape_still(w):
    """What involves no state and no time, computed once."""
    head = w[:HEAD].view(np.int64)
    ops = w[head[4]:head[4] + 8*head[0]].view(np.int64).reshape((head[0], 8))
    play(ops, 0, head[1], w[head[6]:head[6] + head[3]].reshape((head[3], 1)), w[head[7]:], 0, 0.0)


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


@cache
def _still() -> Any:
    """The compiled `tape_still`."""
    return kept(nb.void(F[::1]), tape_still)


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
    if tape.still:
        _still()(w)
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
