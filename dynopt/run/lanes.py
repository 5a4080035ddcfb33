"""Many paths at once: states as rows of numbers, W paths to a register, blocks of paths on threads."""
from __future__ import annotations

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import numpy as np

from ..core.expr import leaf
from ..core.problem import Field
from ..emit.entries import Unrolled, Unsuited, order
from ..emit.lane_kernel import LaneKernel, lane_kernel
from . import machine, widths
from .setup import Setup

THREADS = max(1, os.cpu_count() or 1)
PAD = 64                                            # rows hold a multiple of this many paths, so that no width needs an odd end
KINDS = (*[machine.I64]*7, machine.REAL, machine.I64, machine.REAL, *[machine.POINTER]*5)
MOST_OPERATIONS = {False: 600, True: 2000}          # of a step of one path, of an ensemble: beyond, loops over entries do better
_kernels: dict[tuple, tuple[LaneKernel | Unsuited, dict]] = {}


class Memory:
    """States, rows, statuses of all paths, each number of a state a contiguous row over the paths."""

    def __init__(self, setup: Setup, rows: int, reuse: Any = None):
        self.setup, self.paths = setup, setup.paths
        self.padded = -(-self.paths//PAD)*PAD if setup.lead else 1
        counts = [s.shape[1] for s in setup.states.values()]
        self.starts = np.cumsum([0, *counts])
        self.S = np.empty((self.starts[-1], self.padded))
        self.S[:, self.paths:] = 0.0
        self.rows = self._rows(rows, reuse)
        for (a, b), s in zip(zip(self.starts, self.starts[1:]), setup.states.values()):
            self.S[a:b, :self.paths] = s.T
        if rows > 1 or self.rows.base is not self.S:    # else the only row is the state itself
            self.rows[0], self.rows[1:] = self.S, np.nan
        self.status, self.taken = np.ones(self.padded, dtype=np.int64), np.zeros(self.padded, dtype=np.int64)
        self.status[:self.paths] = 0

    def _rows(self, rows: int, reuse: Any) -> np.ndarray:
        shape = (rows, *self.S.shape)
        found = _reused(reuse, shape) if reuse else None
        return found if found is not None else self.S[None] if rows == 1 else np.empty(shape)

    def views(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """States (paths, d) and rows (paths, rows, d) by name, as views of this memory."""
        spans = dict(zip(self.setup.states, zip(self.starts, self.starts[1:])))
        return ({n: self.S[a:b, :self.paths].T for n, (a, b) in spans.items()},
                {n: np.moveaxis(self.rows[:, a:b, :self.paths], 2, 0) for n, (a, b) in spans.items()})


def _reused(out: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    """The memory of an earlier run of the same shape, which `out=earlier.states` hands on."""
    bases = {id(v.base): v.base for v in (out or {}).values() if getattr(v, "base", None) is not None}
    if len(bases) != 1:
        return None
    [base] = bases.values()
    fits = isinstance(base, np.ndarray) and base.shape == shape and base.dtype == float and base.flags.c_contiguous and base.flags.writeable
    return base if fits else None


def fields_of(problem: Any) -> dict[str, Field]:
    """The oracles of a problem; without a second term prox is the identity."""
    return {"prox": Field(("u", "s"), leaf("state", "u"), lambda u, s: u)} | dict(getattr(problem, "fields", {}))


def unrolled_kernel(setup: Setup, problem: Any, *, stopping: bool, exact: bool, width: int | None = None) -> LaneKernel:
    """The kernel of a prepared run; raises Unsuited where its program cannot be unrolled."""
    rule, program = setup.rule, setup.rule.program
    wide = {s.shape[1] for n, s in setup.states.items() if n not in rule.scalars}
    if len(wide) != 1 or setup.matrices:
        raise Unsuited("states of several lengths, or matrices")
    lanes = frozenset(n for n in setup.numbers if setup.number(n).size > 1)
    vectors = {n: v.size for n, v in setup.vectors.items()}
    fields = fields_of(problem)
    used = {n: fields[n] for n in (*program.oracles, "grad") if n in fields}
    constants = tuple(n.data.values.tobytes() for n in program.everything if n.op == "array")     # a program's key knows their shapes only
    positive = frozenset(n for n, v in setup.numbers.items() if (v > 0).all())
    key = (program.key, constants, frozenset((n, id(f)) for n, f in used.items()), tuple(wide), tuple(sorted(vectors.items())), lanes,
           stopping, exact, width, bool(setup.lead), positive)
    if key not in _kernels:
        if len(_kernels) > 256:
            _kernels.clear()
        try:
            found: LaneKernel | Unsuited = made_kernel(setup, fields, next(iter(wide)), vectors, lanes, stopping, exact, width, positive)
        except Unsuited as reason:
            found = reason
        _kernels[key] = found, used                  # the key names fields by identity, so they have to stay as long
    kernel = _kernels[key][0]
    if isinstance(kernel, Unsuited):
        raise kernel
    return kernel


def made_kernel(setup: Setup, fields: dict[str, Field], d: int, vectors: dict[str, int], lanes: frozenset[str], stopping: bool, exact: bool,
                width: int | None, positive: frozenset[str]) -> LaneKernel:
    """The program unrolled and printed, where that is not too long."""
    most, program = MOST_OPERATIONS[bool(setup.lead)], setup.rule.program
    if d*len(program.nodes) > 8*most:
        raise Unsuited("too many entries")
    unrolled = Unrolled(program, fields, d, vectors, lanes, stopping)
    if sum(v.step and bool(v.args) for v in order(unrolled.roots)) > most:
        raise Unsuited("too many operations")
    return lane_kernel(unrolled, width or widths.by_rule(unrolled, bool(setup.lead)), regroup=not exact, positive=positive, hasty=not setup.lead)


def lane_advance(run: Any, memory: Memory, width: int | None = None) -> Callable[[int, int], None]:
    """advance(first, count) of a run over this memory; `width` forces one, else it is the fastest that is known."""
    setup = run.setup

    def at(width: int | None) -> LaneKernel:
        return unrolled_kernel(setup, run.problem, stopping=run.tol > 0, exact=run.exact and not setup.lead, width=width)
    kernel = at(width)
    step = (machine.function(kernel.text, "run", *KINDS) if width else
            widths.fastest(kernel, at, KINDS, float(memory.padded)*run.steps*kernel.cost, memory.taken))
    columns = [_padded(setup.number(n) if kind == "number" else setup.vectors[n][i:i + 1].copy(), memory) for kind, n, i in kernel.numbers]
    tables = [_pointers(list(memory.S)), _pointers(list(memory.rows[0])), _pointers(columns)]
    seed = ctypes.c_int64(int(run.seed) & (2**64 - 1)).value
    stride, ends = memory.S.size, (memory.status.ctypes.data, memory.taken.ctypes.data)

    def advance(first: int, count: int) -> None:
        def part(lo: int, hi: int) -> None:
            step(first, count, run.every, stride, run.base, lo, hi, run.t0, seed, run.tol, *ends, *tables)
        over_blocks(part, memory.padded, kernel.cost*count)
    advance.kept = columns  # type: ignore[attr-defined]  # the table holds bare pointers to these
    return advance


def _padded(values: np.ndarray, memory: Memory) -> np.ndarray:
    """One number for all paths, or one for each, repeated to the end of the row."""
    if values.size == 1:
        return values
    return np.concatenate([values, np.full(memory.padded - values.size, values[-1])]) if values.size < memory.padded else values


def _pointers(rows: list[np.ndarray]) -> Any:
    return (ctypes.c_void_p*max(len(rows), 1))(*[r.ctypes.data for r in rows])


def over_blocks(part: Callable[[int, int], None], padded: int, work: int) -> None:
    """part(lo, hi) over all paths, on threads where there is enough to share; blocks hold a multiple of PAD paths."""
    pieces = max(1, min(8*THREADS, padded//PAD)) if padded*work > 200_000 else 1
    edges = [padded//PAD*i//pieces*PAD for i in range(pieces)] + [padded]
    if pieces == 1 or THREADS == 1:
        for a, b in zip(edges, edges[1:]):
            part(a, b)
        return
    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(part, a, b) for a, b in zip(edges, edges[1:])]:
            future.result()
