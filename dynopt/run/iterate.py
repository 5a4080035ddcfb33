"""`iterate`: a method on a problem, compiled, step after step."""
from __future__ import annotations

import time
import warnings
from typing import Any, Callable

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.rule import Method
from ..core.trajectory import STATUS, Trajectory
from ..emit.entries import Unsuited
from . import lanes
from .setup import Setup, check_seed, prepare

MOST_BYTES = 8 << 30
CHUNK = 1 << 12
PIECE = 1 << 28                                     # steps of all paths together between two looks at the keyboard


def iterate(method: Method, problem: Any = None, *, x0: Any, steps: int, t0: float = 0.0, seed: int | None = None,
            record: Any = "all",
            stop: float | Callable | None = None, exact: bool = True, out: dict | None = None, **params: Any) -> Trajectory:
    """Iterate a method on a problem: x_{k+1} = method(x_k).

    Parameters: `x0` of shape (..., d) or {"x": ..., "v": ...} (unnamed states start at their default or at rest); `steps` >= 0;
    `record` is "all", "last" (the start and the end of each path, which may come early) or every how many steps a row is kept; `stop`
    ends a path at |grad f(x)| <= stop, or is called with (k, states) after each recorded row and may raise StopIteration; `seed` keys
    the draws; parameters by name: numbers, arrays over the leading axes (an ensemble), per_coordinate(...), schedule(...), matrices.
    Running needs eta > 0 and finite numbers; leaving the stability region is allowed. `exact=True` does the operations of one path as
    written; ensembles, and one path with exact=False, use fma and regrouping. `out` is {state: array to fill}, or the `.states` of an
    earlier run of the same shape, whose memory is taken over. Returns a Trajectory with states of shape (..., rows, d).
    Raises ParameterError, ParameterTypeError (a TypeError) for what cannot be run.

    >>> from dynopt import method, quadratic, iterate
    >>> gd = method.from_string("x = x - eta*grad(x)", state="x")
    >>> iterate(gd, quadratic([1, 10]), x0=[1, 1], steps=2, eta=.1).x[-1].tolist()
    [0.81, 0.0]
    """
    if not isinstance(method, Method):
        raise ParameterTypeError(f"iterate: found {type(method).__name__} {method!r:.40}, expected a Method; "
                                 "a Flow becomes one by a scheme, as in symplectic_euler(flow), or is run by solve")
    steps, every = check_steps(steps), check_record(record, steps)
    setup = prepare(method, problem, x0, params)
    run = Run(setup, problem, steps, every, float(t0), check_seed(seed), stop, exact=bool(exact), out=check_out(out, setup, steps//every + 1))
    return run.trajectory()


def check_out(out: Any, setup: Setup, rows: int) -> dict | None:
    """Arrays to fill, of the shape that the run will have."""
    if out is None:
        return None
    if not isinstance(out, dict) or set(out) != set(setup.rule.state):
        raise ParameterError(f"out = {out!r:.40}, expected one array for each state: {{{', '.join(f'{s!r}: ...' for s in setup.rule.state)}}}")
    for name, array in out.items():
        shape = (*setup.lead, rows, setup.states[name].shape[1])
        if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != float or not array.flags.writeable:
            raise ParameterError(f"out[{name!r}] is {type(array).__name__} of shape {np.shape(array)}, expected a writeable array of doubles "
                                 f"of shape {shape}; write out={{{name!r}: np.empty({shape}), ...}}")
        if any(s == 0 and n > 1 for s, n in zip(array.strides, shape)) or any(_overlap(array, a) for n, a in out.items() if n != name):
            raise ParameterError(f"out[{name!r}] shares memory with itself or another array of out, expected memory of its own for every number; "
                                 f"write out={{{name!r}: np.empty({shape}), ...}}")
    return out


def _overlap(a: np.ndarray, b: Any) -> bool:
    """Whether two arrays have a number in common; views that lie between each other, as those of an earlier run, have none."""
    try:
        return isinstance(b, np.ndarray) and np.shares_memory(a, b, max_work=100_000)
    except np.exceptions.TooHardError:
        return False


def check_steps(steps: Any) -> int:
    if isinstance(steps, (bool, np.bool_)) or not isinstance(steps, (int, np.integer)):
        raise ParameterTypeError(f"steps = {steps!r:.40} is {type(steps).__name__}, expected a whole number; write steps=100")
    if steps < 0:
        raise ParameterError(f"steps = {steps}, expected steps >= 0; write steps=100")
    return int(steps)


def check_record(record: Any, steps: int) -> int:
    """Every how many steps a row is kept."""
    if isinstance(record, str) and record in ("all", "last"):
        return 1 if record == "all" else max(steps, 1)
    if isinstance(record, (int, np.integer)) and not isinstance(record, bool) and record >= 1:
        return int(record)
    raise ParameterError(f"record = {record!r:.40}, expected \"all\", \"last\" or a whole number >= 1; write record=\"all\"")


class Run:
    """One run in chunks of steps, so that it can be watched, stopped and interrupted between them."""

    def __init__(self, setup: Setup, problem: Any, steps: int, every: int, t0: float, seed: int, stop: Any, *, exact: bool = True,
                 out: dict | None = None):
        self.setup, self.problem, self.steps, self.every = setup, problem, steps, every
        self.t0, self.seed, self.exact, self.given = t0, np.uint64(seed), exact, out
        self.base = 0                                   # number of the first path, for runs of a part of an ensemble
        self.tol = float(stop) if stop is not None and not callable(stop) else 0.0
        self.callback = stop if callable(stop) else None
        self.rule, self.message = setup.rule, ""
        rows, paths = steps//every + 1, setup.paths
        size = 8*rows*paths*sum(s.shape[1] for s in setup.states.values())
        if size > MOST_BYTES:
            raise ParameterError(f"{self.rule.name}: {steps} steps on {paths} path(s) would record {size/2**30:.0f} GiB, "
                                 f"expected at most "
                                 f"{MOST_BYTES >> 30}; write record={max(2, steps//1000)} or record=\"last\"")
        self._allocate(rows)

    def _allocate(self, rows: int) -> None:
        """Memory for lanes where the program can be unrolled, else an array for each state."""
        setup, self.memory = self.setup, None
        try:
            lanes.unrolled_kernel(setup, self.problem, stopping=self.tol > 0, exact=self.exact and not setup.lead)
        except Unsuited:
            self.out = {n: np.full((setup.paths, rows, s.shape[1]), np.nan) for n, s in setup.states.items()}
            setup.states = {n: s if s.flags.writeable else s.copy() for n, s in setup.states.items()}
            for n, s in setup.states.items():
                self.out[n][:, 0] = s
            self.status, self.taken = np.zeros(setup.paths, dtype=np.int64), np.zeros(setup.paths, dtype=np.int64)
        else:
            self.memory = lanes.Memory(setup, rows, self.given)
            setup.states, self.out = self.memory.views()
            self.status, self.taken = self.memory.status[:setup.paths], self.memory.taken[:setup.paths]

    def trajectory(self) -> Trajectory:
        """Run to the end and say how it ended."""
        if self.tol > 0:
            self._converged_at_start()
        advance = self._advance()
        interrupted = self._drive(advance)
        return self._collect(interrupted)

    def _advance(self) -> Callable:
        """advance(first step, number of steps): by lanes, by loops over entries, or by the declaration itself."""
        if self.memory is not None:
            return lanes.lane_advance(self, self.memory)
        from . import looped
        from .compiled import NotCompilable
        try:
            return looped.advance_of(self)
        except NotCompilable as reason:
            return self._interpreted(str(reason))

    def _converged_at_start(self) -> None:
        """A start that is already optimal takes no step."""
        slope = self.problem.grad(self.setup.states[self.rule.state[0]])
        self.status[np.linalg.norm(slope, axis=-1) <= self.tol] = STATUS.index("converged")

    def _drive(self, advance: Callable) -> bool:
        piece = max(CHUNK//16, min(CHUNK, PIECE//self.setup.paths))
        first, count = 0, piece if self.callback is None else self.every
        while first < self.steps and (self.status == 0).any():
            count = min(count, self.steps - first)
            began = time.monotonic()
            try:
                advance(first, count)
            except KeyboardInterrupt:
                self.message = f"interrupted at step {int(self.taken.min())}"
                return True
            first += count
            if self.callback is not None:
                try:
                    self.callback(first, {n: s.reshape(*self.setup.lead, -1) for n, s in self.setup.states.items()})
                except StopIteration:
                    self.message = f"stopped by the callback at step {first}"
                    return True
            elif time.monotonic() - began < .2:
                count *= 2
        return False

    def _interpreted(self, reason: str) -> Callable:
        from .reference import stepper
        warnings.warn(f"{self.problem.name}: numba cannot compile this gradient ({reason:.200}); it runs as plain Python, which "
                      f"is slow",
                      RuntimeWarning, stacklevel=5)
        self.problem._kind = "python"
        return stepper(self)

    def _collect(self, interrupted: bool) -> Trajectory:
        lead, every = self.setup.lead, self.every
        valid = self.taken//every + 1
        counts = np.arange(self.steps//every + 1)*every
        if every == self.steps > 1:                     # start and end alone are kept: the end is where a path stopped
            self._keep_ends(valid)
            counts[1:] = self.steps if lead else int(self.taken[0])
        rows = int(valid.max()) if (not lead or interrupted) else self.steps//every + 1
        states = {n: self._shaped(n, rows) for n in self.out}
        codes = np.where((self.status == 0) & interrupted, STATUS.index("interrupted"), self.status)
        codes = np.where((codes == 0) & (self.tol > 0), STATUS.index("max_steps"), codes)
        status = np.array(STATUS)[codes].reshape(lead)
        values = {**self.setup.numbers, **self.setup.vectors, **self.setup.matrices}
        return Trajectory(states, k=counts[:rows], status=status if lead else str(status), message=self.message
                          or self._told(codes),
                          rule=self.rule, problem=self.problem, params=values, lengths=valid.reshape(lead) if lead
                          else int(valid[0]))

    def _keep_ends(self, valid: np.ndarray) -> None:
        """The states of paths that stopped on their way, as last rows."""
        early = np.flatnonzero((self.taken > 0) & (self.taken < self.steps))
        valid[early] = 2
        for n, ends in self.setup.states.items():
            self.out[n][early, 1] = ends[early]

    def _shaped(self, name: str, rows: int) -> np.ndarray:
        """The rows of a state with the axes of the ensemble, in the array that was given for them."""
        found = self.out[name][:, :rows]
        found = found.reshape(*self.setup.lead, rows, found.shape[-1])
        if self.given is None or (self.memory is not None and np.shares_memory(found, self.given[name])):
            return found
        view = self.given[name][..., :rows, :]
        view[...] = found
        return view

    def _told(self, codes: np.ndarray) -> str:
        """How the run ended, in words."""
        bad = codes > STATUS.index("converged")
        if not bad.any():
            return f"{self.steps} steps" if self.tol == 0 else f"converged after {int(self.taken.max())} steps"
        which = f"{int(bad.sum())} of {bad.size} paths" if self.setup.lead else self.rule.name
        return f"{which}: {', '.join(sorted(STATUS[c] for c in set(codes[bad].tolist())))} after {int(self.taken[bad].min())} steps"
