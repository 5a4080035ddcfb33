"""How many paths a kernel takes at a time: by a rule at first, and where there is much to do, by a race over blocks of the real work.

Every width gives the same bits, so that a race changes no result. Its winner is kept beside the machine code, under a key of the same kind.
"""
from __future__ import annotations

import statistics
import threading
import time
from functools import lru_cache
from itertools import accumulate
from typing import Any, Callable

import numpy as np

from ..emit.entries import Unrolled, Value, order
from ..emit.lane_kernel import LaneKernel
from ..emit.regroup import Regrouped
from . import machine
from .cache import load, save

ENOUGH = 3e10                                       # operations, about a second: a kernel that does more is worth two further compilations
LONGEST = 200                                       # operations of a step beyond which these take too long
ROUNDS = 5                                          # blocks that each width is given
MARGIN = .97                                        # the rule's width stays unless another needs less than this part of its time
_spent: dict[str, float] = {}                       # operations of each kernel in this process, by the name that its width is kept under
_chosen: dict[str, int | None] = {}
_races: dict[str, "Race"] = {}
_lock = threading.Lock()


def by_rule(unrolled: Unrolled, lead: bool) -> int:
    """Several registers for every number, so that chains of operations overlap, while all of them fit; one path alone has none."""
    if not lead:
        return 1
    count, vector = alive(Regrouped(unrolled.make, unrolled.roots).roots(unrolled.roots)), machine.lanes_of_machine()
    return vector*(4 if count <= 9 else 2 if count <= 20 else 1)


def alive(roots: list[Value]) -> int:
    """The largest number of values that differ between paths and are needed at one time."""
    line = [v for v in order(roots) if v.lane and v.op != "const"]
    last = {a: i for i, v in enumerate(line) for a in v.args} | dict.fromkeys(roots, len(line))
    changes = [0]*(len(line) + 2)
    for i, v in enumerate(line):
        changes[i] += v.step
        changes[last.get(v, i) + 1 if v not in roots else len(line)] -= v.step
    return max(accumulate(changes), default=0)


def fastest(kernel: LaneKernel, other: Callable[[int], LaneKernel], kinds: tuple, work: float, taken: np.ndarray) -> Callable:
    """The step function of a kernel at the best width known; `other(width)` is the same kernel at another width.

    `work` is what the run will do, in operations; `taken` are the steps that its paths have taken, to know what a block has cost.
    """
    if kernel.width == 1:
        return machine.function(kernel.text, "run", *kinds)
    name = name_of(kernel.text)
    width = remembered(name)
    if width is not None:
        return machine.function(other(width).text, "run", *kinds)
    with _lock:
        _spent[name] = _spent.get(name, 0.0) + work
        if kernel.cost > LONGEST or _spent[name] < ENOUGH:
            return machine.function(kernel.text, "run", *kinds)
        if name not in _races:
            vector = machine.lanes_of_machine()
            _races[name] = Race(kernel.width, {w: machine.function(other(w).text, "run", *kinds) for w in (vector, 2*vector, 4*vector)})
    return lambda *arguments: _races[name].step(name, taken, *arguments)


@lru_cache(maxsize=256)
def name_of(text: str) -> str:
    """The name under which the width of a kernel is kept, by its text at the rule's width."""
    return machine.key_for("width", text)


def remembered(name: str) -> int | None:
    """The width that won an earlier race of this kernel, in this process or another."""
    if name not in _chosen:
        content = load(name)
        _chosen[name] = int(content) if content else None
    return _chosen[name]


class Race:
    """Blocks of paths go to the widths in turn, until each has had ROUNDS of them; from then on to the fastest."""

    def __init__(self, rule: int, steps: dict[int, Callable]):
        self.rule, self.steps, self.best = rule, steps, 0
        self.given = dict.fromkeys(steps, 0)
        self.paces: dict[int, list[float]] = {w: [] for w in steps}        # processor seconds of a step of a path
        self.lock = threading.Lock()

    def step(self, name: str, taken: np.ndarray, *arguments: Any) -> None:
        """Run a block, and remember the winner once it is known."""
        with self.lock:
            width = self.best or min(self.given, key=self.given.__getitem__)
            self.given[width] += 1
        if self.best:
            return self.steps[width](*arguments)
        lo, hi = arguments[5:7]
        before, start = int(taken[lo:hi].sum()), time.thread_time()
        self.steps[width](*arguments)
        spent, done = time.thread_time() - start, int(taken[lo:hi].sum()) - before
        with self.lock:
            if done:
                self.paces[width].append(spent/done)
            if not self.best and min(map(len, self.paces.values())) >= ROUNDS:
                self.best = self.winner()
                _chosen[name] = self.best
                save(name, str(self.best).encode())

    def winner(self) -> int:
        times = {w: statistics.median(p) for w, p in self.paces.items()}
        best = min(times, key=times.__getitem__)
        return best if times[best] < MARGIN*times[self.rule] else self.rule
