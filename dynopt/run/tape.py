"""The interpreter of tapes: rates and Taylor coefficients of any traced flow by code compiled once on a machine.

A tape, its table and its matrices lie in the work array w of a path; w[:8] says where.
"""
from __future__ import annotations

from functools import cache
from typing import Any

import numba as nb
import numpy as np
from numba.experimental.function_type import _get_wrapper_address

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
    J = w[head[6]:head[6] + rows].reshape((1, rows))
    for i in range(n):
        J[0, i] = y[i]
    play(ops, still, count, J, w[head[7]:], 0, t)
    for i in range(n):
        out[i] = J[0, outputs[i]]


def tape_still(w):
    """What involves no state and no time, computed once."""
    head = w[:HEAD].view(np.int64)
    ops = w[head[4]:head[4] + 8*head[0]].view(np.int64).reshape((head[0], 8))
    play(ops, 0, head[1], w[head[6]:head[6] + head[3]].reshape((1, head[3])), w[head[7]:], 0, 0.0)


@nb.njit(nogil=True, error_model="numpy")
def spans(outputs):
    """Where outputs that lie side by side begin, and the end."""
    found, m = np.empty(outputs.shape[0] + 1, dtype=np.int64), 0
    for i in range(outputs.shape[0]):
        if i == 0 or outputs[i] != outputs[i - 1] + 1:
            found[m] = i
            m += 1
    found[m] = outputs.shape[0]
    return found[:m + 1]


@nb.njit(nogil=True, error_model="numpy")
def integrate(out, rates, order):
    """Coefficients of a state from those of its rates, one order below."""
    for i in range(out.shape[0]):
        out[i] = rates[i]/order


@nb.njit(nogil=True, error_model="numpy")
def series(t, J, w, K):
    """Coefficients 0..K of the solution through J[0, :n]."""
    head = w[:HEAD].view(np.int64)
    count, still, n = head[0], head[1], head[2]
    ops = w[head[4]:head[4] + 8*count].view(np.int64).reshape((count, 8))
    outputs = w[head[5]:head[5] + n].view(np.int64)
    runs = spans(outputs)
    for k in range(K):
        play(ops, still, count, J, w[head[7]:], k, t)
        for a, b in zip(runs, runs[1:]):
            integrate(J[k + 1, a:b], J[k, outputs[a]:outputs[a] + b - a], k + 1.0)


class Known(nb.types.WrapperAddressProtocol):
    """A compiled function whose address is at hand: numba looks it up at every call else, for a third of a millisecond."""

    def __init__(self, made: Any, kind: Any):
        self.made, self.kind, self.address = made, kind, _get_wrapper_address(made, kind)

    def __wrapper_address__(self) -> int:
        return self.address

    def signature(self) -> Any:
        return self.kind

    def __call__(self, *args: Any) -> Any:
        return self.made(*args)


@cache
def rates() -> Any:
    """The compiled `tape_rates`."""
    kind = nb.void(F, F[::1], F[::1], F[::1])
    return Known(kept(kind, tape_rates), kind)


@cache
def _still() -> Any:
    """The compiled `tape_still`."""
    return kept(nb.void(F[::1]), tape_still)


def work_of(tape: Tape, content: Any) -> np.ndarray:
    """A work array with the tape in it; `content(node)` gives parameters and constants, None for what is written later."""
    matrices = [np.ravel(np.transpose(content(m))) for m in tape.matrices]          # columns, which lie along what they add to
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
    """A table of coefficients for the tape in w, a row for each order, its constants in place."""
    head = w[:HEAD].view(np.int64)
    J = np.zeros((columns, head[3]))
    J[0] = w[head[6]:head[6] + head[3]]
    return J


def past_row(tape: Tape, w: np.ndarray, node: Node) -> int:
    """Where in w a past state is to be written."""
    return int(w[:HEAD].view(np.int64)[6]) + next(row for row, n in tape.loads if n is node)
