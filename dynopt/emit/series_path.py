"""The kernel that takes one path along its flow by Taylor's method and writes down every step, as LLVM text."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .entries import order
from .lanes import Text
from .series import Series
from .series_packed import WIDEST, Packed
from .series_step import INFINITY, Course, Here, Step, hoisted

ARGUMENTS = ("i64 %most, i64 %count0, i64 %stride, double %end, double %direction, double %lo, double %hi, double %rtol, ptr %clock, "
             "ptr %state, ptr %atol, ptr %numbers, ptr %times, ptr %record, ptr %slope, ptr %told")
ATTRIBUTES = ('attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }',
              "attributes #1 = { nounwind willreturn memory(none) }")
DONE, FULL, TOO_SMALL = range(3)


@dataclass(frozen=True)
class SeriesKernel:
    """Text of a kernel; `numbers` says in order what its table of numbers holds: (kind, name, entry)."""

    text: str
    numbers: tuple[tuple[str, Any, int], ...]
    order: int
    cost: int                                           # floating-point instructions of the series of one step


def wanted_numbers(series: Series) -> list:
    """Parameters and entries of vectors that the series refers to."""
    return [v for v in order([c for x in series.x for c in x] + series.rates) if v.op in ("param", "vector", "array")]


def named(values: list) -> tuple[tuple[str, Any, int], ...]:
    return tuple(("number", v.data, 0) if v.op == "param" else (v.op, *v.data) for v in values)


def cost(series: Series) -> int:
    return sum(series.moves(v) and bool(v.args) for v in order([c for x in series.x for c in x]))


def whole(name: str, arguments: str, text: Text) -> str:
    """The text of a function and of what it declares."""
    return "\n".join([f"define void @{name}({arguments}) #0 {{", *text.lines, "}", *sorted(text.declared), *ATTRIBUTES, ""])


def path_kernel(series: Series, record: bool = True) -> SeriesKernel:
    """The kernel `path`: steps until the end, until `most` rows are written, or until no step is long enough.

    It reads and writes clock[0] and state; writes times and scaled coefficients of steps count0, ... (without `record` the states
    alone), told = (code, count, refused), and where no step was long enough the rates there.
    """
    return _Path(series, record).made()


class _Path:
    def __init__(self, series: Series, record: bool):
        self.series, self.record, self.text, self.n = series, record, Text(1), len(series.states)

    def made(self) -> SeriesKernel:
        text, numbers = self.text, wanted_numbers(self.series)
        text.label("entry")
        names = {v: self._load("%numbers", i) for i, v in enumerate(numbers)}
        names = hoisted(text, self.series, names, lane=False)
        atol = [self._load("%atol", i) for i in range(self.n)]
        start = [*(self._load("%state", i) for i in range(self.n)), self._load("%clock", 0)]
        text.add("br label %loop")
        now = self._loop(start)
        kind = Packed if 2 <= self.n <= WIDEST else Step
        step = kind(text, self.series, names, Here(now[:-2], now[-2], now[-1]), Course("%end", "%direction", "%lo", "%hi", "%rtol", atol), "step")
        self._after(step, now)
        self._exit(now)
        return SeriesKernel(whole("path", ARGUMENTS, text), named(numbers), self.series.count, cost(self.series))

    def _load(self, pointer: str, i: int) -> str:
        at = self.text.new(f"getelementptr double, ptr {pointer}, i64 {i}")
        return self.text.new(f"load double, ptr {at}")

    def _store(self, pointer: str, i: int | str, value: str, kind: str = "double") -> None:
        at = self.text.new(f"getelementptr {kind}, ptr {pointer}, i64 {i}")
        self.text.add(f"store {kind} {value}, ptr {at}")

    def _loop(self, start: list[str]) -> list[str]:
        """States, time and cap at the top of the loop."""
        text = self.text
        text.label("loop")
        now = [f"%now.{i}" for i in range(self.n + 2)]
        for i, (name, first) in enumerate(zip(now, [*start, INFINITY])):
            text.add(f"{name} = phi double [ {first}, %entry ], [ %new.{i}, %next ]")
        text.add("%count = phi i64 [ %count0, %entry ], [ %count.new, %next ]", "%refused = phi i64 [ 0, %entry ], [ %refused.new, %next ]",
                 "%full = icmp sge i64 %count, %most", "br i1 %full, label %exit.full, label %going")
        text.label("exit.full")
        text.add("br label %exit")
        text.label("going")
        return now

    def _after(self, step: Step, now: list[str]) -> None:
        """The record of an accepted step; on to the next."""
        text = self.text
        text.add(f"br i1 {step.good}, label %accepted, label %unmoved")
        text.label("unmoved")
        text.add(f"br i1 {step.small}, label %exit.small, label %next")
        text.label("exit.small")
        for i, x in enumerate(step.x):
            self._store("%slope", i, x[1])
        text.add("br label %exit")
        text.label("accepted")
        text.add(f"br i1 {step.small}, label %exit.small, label %written")
        text.label("written")
        text.add("%row = mul i64 %count, %stride", "%at = getelementptr double, ptr %record, i64 %row")
        for place, kind, register in step.rows(self.record):
            at = text.new(f"getelementptr double, ptr %at, i64 {place}")
            text.add(f"store {kind} {register}, ptr {at}, align 8")
        self._store("%times", "%count", now[-2])
        text.add("%count.more = add i64 %count, 1")
        self._store("%times", "%count.more", step.t)
        text.add("br label %next")
        text.label("next")
        for i, (new, old) in enumerate(zip([*step.y, step.t], now)):
            text.add(f"%new.{i} = phi double [ {new}, %written ], [ {old}, %unmoved ]")
        text.add(f"%new.{self.n + 1} = phi double [ {INFINITY}, %written ], [ {step.cap}, %unmoved ]",
                 "%count.new = phi i64 [ %count.more, %written ], [ %count, %unmoved ]",
                 "%refused.one = phi i64 [ 0, %written ], [ 1, %unmoved ]", "%refused.new = add i64 %refused, %refused.one",
                 f"%done = fcmp oeq double %new.{self.n}, %end", "br i1 %done, label %exit.done, label %loop")
        text.label("exit.done")
        text.add("br label %exit")

    def _exit(self, now: list[str]) -> None:
        text = self.text
        text.label("exit")
        ends = ("exit.full", "exit.small", "exit.done")
        for i, old in enumerate(now[:-1]):
            text.add(f"%last.{i} = phi double " + ", ".join(f"[ {f'%new.{i}' if e == 'exit.done' else old}, %{e} ]" for e in ends))
        for name in ("count", "refused"):
            text.add(f"%last.{name} = phi i64 " + ", ".join(f"[ %{name}{'.new' if e == 'exit.done' else ''}, %{e} ]" for e in ends))
        text.add("%code = phi i64 " + ", ".join(f"[ {c}, %{e} ]" for e, c in zip(ends, (FULL, TOO_SMALL, DONE))))
        for i in range(self.n):
            self._store("%state", i, f"%last.{i}")
        self._store("%clock", 0, f"%last.{self.n}")
        for i, name in enumerate(("code", "last.count", "last.refused")):
            self._store("%told", i, f"%{name}", "i64")
        text.add("ret void")
