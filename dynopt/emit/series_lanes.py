"""The kernel that takes many paths along a flow by Taylor's method, W at a time, as LLVM text.

Each lane has a time and a step of its own. A lane whose path has ended is written back and given the next path of the queue, which
all threads share, so that no lane waits for another. A path has the same bits in any lane, at any width, on any thread.
"""
from __future__ import annotations

from typing import Callable

from .lanes import Text
from .series import Series
from .series_path import DONE, FULL, TOO_SMALL, SeriesKernel, cost, named, wanted_numbers, whole
from .series_step import INFINITY, Course, Here, Step, hoisted

ARGUMENTS = ("i64 %last, i64 %most, double %end, double %direction, double %rtol, i64 %wanted, i64 %across, ptr %queue, ptr %order, "
             "ptr %clock, ptr %states, ptr %atol, ptr %numbers, ptr %grid, ptr %due, ptr %steps, ptr %codes, ptr %rows, ptr %told")
EMPTY, GOING = 9, -1                                    # codes of lanes without a path, and of paths under way


def lanes_kernel(series: Series, width: int) -> SeriesKernel:
    """The kernel `lanes`: takes paths order[queue], ... to the end, to `most` steps in all, or until no step is long enough.

    For each path it reads and writes clock, states (entries, across), steps, due (the next row of `grid` that is wanted) and codes;
    writes rows (paths, wanted, entries) and adds (steps of W lanes, steps of lanes at work) to told.
    """
    return _Lanes(series, width).made()


class _Lanes:
    def __init__(self, series: Series, width: int):
        self.series, self.text, self.n, self.width = series, Text(width), len(series.states), width
        self.numbers = wanted_numbers(series)
        self.own = [v for v in self.numbers if v.lane]

    def made(self) -> SeriesKernel:
        self._entry()
        self._refill()
        self._step()
        return SeriesKernel(whole("lanes", ARGUMENTS, self.text), named(self.numbers), self.series.count, cost(self.series))

    # -- places: rows of W numbers on the stack --------------------------------------------------------------------
    def _place(self, buffer: str, row: int, lane: str | int = 0) -> str:
        at = str(row*self.width) if lane == 0 else self.text.new(f"add i64 {lane}, {row*self.width}")
        return self.text.new(f"getelementptr {'double' if buffer == '%B' else 'i64'}, ptr {buffer}, i64 {at}")

    def _get(self, buffer: str, row: int) -> str:
        """All lanes of a row."""
        kind = self.text.real if buffer == "%B" else self.text.whole
        return self.text.new(f"load {kind}, ptr {self._place(buffer, row)}, align 8")

    def _put(self, buffer: str, row: int, value: str) -> None:
        kind = self.text.real if buffer == "%B" else self.text.whole
        self.text.add(f"store {kind} {value}, ptr {self._place(buffer, row)}, align 8")

    def _one(self, kind: str, pointer: str, index: str = "0") -> str:
        return self.text.new(f"load {kind}, ptr {self._at(kind, pointer, index)}, align 8")

    def _at(self, kind: str, pointer: str, index: str) -> str:
        return self.text.new(f"getelementptr {kind}, ptr {pointer}, i64 {index}")

    def _write(self, kind: str, value: str, place: str) -> None:
        self.text.add(f"store {kind} {value}, ptr {place}, align 8")

    def _entry(self) -> None:
        """Buffers: B holds states, time, cap, the time of the next row, numbers of the lane, a row to be written; I ids, due, steps, codes."""
        text, n = self.text, self.n
        self.T, self.CAP, self.LATE, self.OWN = n, n + 1, n + 2, n + 3
        self.ROW = self.OWN + len(self.own)
        self.ID, self.DUE, self.STEPS, self.CODE, self.MARK = range(5)
        text.label("entry")
        text.add(f"%B = alloca double, i64 {(self.ROW + n)*self.width}, align 64", f"%I = alloca i64, i64 {5*self.width}, align 64")
        zero = text.splat("double", "0.0")
        for row in range(self.ROW + n):
            self._put("%B", row, zero)
        for row, value in ((self.ID, -1), (self.DUE, 0), (self.STEPS, 0), (self.CODE, EMPTY), (self.MARK, 0)):
            self._put("%I", row, text.splat("i64", str(value)))
        self.P = {v: self._one("ptr", "%numbers", str(i)) for i, v in enumerate(self.numbers)}
        names = {v: self._one("double", p) for v, p in self.P.items() if not v.lane}
        self.names = hoisted(text, self.series, names, lane=False)
        self.atol = [text.splat("double", self._one("double", "%atol", str(i))) for i in range(n)]
        self.shared = [text.splat("double", x) for x in ("%end", "%direction", "%rtol")]
        text.add("br label %refill")

    # -- refill ----------------------------------------------------------------------------------------------------
    def _refill(self) -> None:
        """Paths that have ended are written back, their lanes given the next paths; then all lanes are taken up again."""
        text = self.text
        text.label("refill")
        text.add("br label %each")
        text.label("each")
        text.add("%l = phi i64 [ 0, %refill ], [ %l.next, %each.end ]", "%live = phi i64 [ 0, %refill ], [ %live.next, %each.end ]")
        code = self._one("i64", self._place("%I", self.CODE, "%l"))
        path = self._one("i64", self._place("%I", self.ID, "%l"))
        text.add(f"%busy = icmp eq i64 {code}, {GOING}", "br i1 %busy, label %each.end, label %ended")
        text.label("ended")
        text.add(f"%held = icmp sge i64 {path}, 0", "br i1 %held, label %back, label %free")
        text.label("back")
        self._move(path, out=True)
        self._write("i64", code, self._at("i64", "%codes", path))
        text.add("br label %free")
        text.label("free")
        self._write("i64", "-1", self._place("%I", self.ID, "%l"))
        self._write("i64", str(EMPTY), self._place("%I", self.CODE, "%l"))
        text.add("%turn = atomicrmw add ptr %queue, i64 1 seq_cst", "%some = icmp slt i64 %turn, %last", "br i1 %some, label %take, label %each.end")
        text.label("take")
        taken = self._one("i64", "%order", "%turn")
        self._move(taken, out=False)
        self._write("i64", taken, self._place("%I", self.ID, "%l"))
        self._write("i64", str(GOING), self._place("%I", self.CODE, "%l"))
        text.add("br label %each.end")
        text.label("each.end")
        text.add("%one = phi i64 [ 1, %each ], [ 0, %free ], [ 1, %take ]", "%live.next = add i64 %live, %one", "%l.next = add i64 %l, 1",
                 f"%l.more = icmp slt i64 %l.next, {self.width}", "br i1 %l.more, label %each, label %filled")
        text.label("filled")
        text.add("%none = icmp eq i64 %live.next, 0", "br i1 %none, label %exit, label %again")
        text.label("exit")
        text.add("ret void")

    def _move(self, path: str, *, out: bool) -> None:
        """One path between its place in memory and its lane."""
        def both(kind: str, memory: str, index: str, buffer: str, row: int) -> None:
            places = self._at(kind, memory, index), self._place(buffer, row, "%l")
            source, target = places[::-1] if out else places
            self._write(kind, self.text.new(f"load {kind}, ptr {source}, align 8"), target)
        index = path
        for i in range(self.n):
            both("double", "%states", index, "%B", i)
            index = self.text.new(f"add i64 {index}, %across")
        both("double", "%clock", path, "%B", self.T)
        both("i64", "%steps", path, "%I", self.STEPS)
        both("i64", "%due", path, "%I", self.DUE)
        if not out:
            for i, v in enumerate(self.own):
                both("double", self.P[v], path, "%B", self.OWN + i)
            self._write("double", INFINITY, self._place("%B", self.CAP, "%l"))
            self._later(self._one("i64", self._place("%I", self.DUE, "%l")), "%l")

    def _later(self, due: str, lane: str) -> None:
        """The time of the next row that the lane owes: beyond every time where there is none."""
        text = self.text
        text.declared.add("declare i64 @llvm.smin.i64(i64, i64)")
        text.declared.add("declare i64 @llvm.smax.i64(i64, i64)")
        last = text.new("sub i64 %wanted, 1")
        at = text.new(f"call i64 @llvm.smax.i64(i64 0, i64 {text.new(f'call i64 @llvm.smin.i64(i64 {due}, i64 {last})')})")
        never = text.new(f"fmul double {INFINITY}, %direction")
        owed = text.new(f"icmp slt i64 {due}, %wanted")
        time = text.new(f"select i1 {owed}, double {self._one('double', '%grid', at)}, double {never}")
        self._write("double", time, self._place("%B", self.LATE, lane))

    # -- a step of all lanes ---------------------------------------------------------------------------------------
    def _step(self) -> None:
        text, n = self.text, self.n
        end, direction, rtol = self.shared
        text.label("again")
        text.add("br label %step")
        text.label("step")
        now = [self._get("%B", i) for i in range(n + 2)]
        names = hoisted(text, self.series, self.names | {v: self._get("%B", self.OWN + i) for i, v in enumerate(self.own)}, lane=True)
        wide = text.splat("double", "0xFFF0000000000000"), text.splat("double", INFINITY)
        step = Step(text, self.series, names, Here(now[:n], now[n], now[n + 1]), Course(end, direction, *wide, rtol, self.atol), "one")
        alive = text.new(f"icmp sge {text.whole} {self._get('%I', self.ID)}, {text.splat('i64', '0')}")
        fits = text.new(f"xor {text.truth} {step.small}, {text.splat('i1', 'true')}")
        accepted = self._and(self._and(alive, step.good), fits)
        self._count()
        self._rows(step, now, accepted)
        for i, (new, old) in enumerate(zip([*step.y, step.t], now)):
            self._put("%B", i, self._pick(accepted, new, old))
        self._put("%B", self.CAP, self._pick(accepted, text.splat("double", INFINITY), step.cap))
        more = text.new(f"zext {text.truth} {accepted} to {text.whole}")
        steps = text.new(f"add {text.whole} {self._get('%I', self.STEPS)}, {more}")
        self._put("%I", self.STEPS, steps)
        self._ends(step, accepted, alive, steps, end)

    def _and(self, a: str, b: str) -> str:
        return self.text.new(f"and {self.text.truth} {a}, {b}")

    def _pick(self, truth: str, a: str, b: str, kind: str = "") -> str:
        kind = kind or self.text.real
        return self.text.new(f"select {self.text.truth} {truth}, {kind} {a}, {kind} {b}")

    def _count(self) -> None:
        """Steps of the register, and how many of its lanes are at work."""
        for i, more in enumerate(("1", "%live.next")):
            place = self._at("i64", "%told", str(i))
            self._write("i64", self.text.new(f"add i64 {self.text.new(f'load i64, ptr {place}')}, {more}"), place)

    def _rows(self, step: Step, now: list[str], accepted: str) -> None:
        """Rows that fall into the step: the series there, for all lanes, until none is owed."""
        text, n = self.text, self.n
        _, direction, _ = self.shared
        text.add("br label %owed")
        text.label("owed")
        late = self._get("%B", self.LATE)
        ahead = text.new(f"fmul {text.real} {text.new(f'fsub {text.real} {step.t}, {late}')}, {direction}")
        owed = self._and(accepted, text.new(f"fcmp oge {text.real} {ahead}, {text.splat('double', '0.0')}"))
        text.add(f"br i1 {text.any(owed)}, label %row, label %moved")
        text.label("row")
        u = text.new(f"fsub {text.real} {late}, {now[n]}")
        for i, x in enumerate(step.x):
            self._put("%B", self.ROW + i, step.lanes.polynomial(u, x))
        self._put("%I", self.MARK, text.new(f"zext {text.truth} {owed} to {text.whole}"))
        self._each_lane("%l2", "row", self._row_of_lane)
        text.add("br label %owed")
        text.label("moved")

    def _each_lane(self, name: str, before: str, do: Callable[[str], None]) -> None:
        """`do(lane)` for lanes that are marked, one after another."""
        text = self.text
        text.add(f"br label %{before}.each")
        text.label(f"{before}.each")
        text.add(f"{name} = phi i64 [ 0, %{before} ], [ {name}.next, %{before}.end ]")
        place = text.new(f"getelementptr i64, ptr %I, i64 {text.new(f'add i64 {name}, {self.MARK*self.width}')}")
        marked = text.new(f"icmp ne i64 {text.new(f'load i64, ptr {place}')}, 0")
        text.add(f"br i1 {marked}, label %{before}.do, label %{before}.end")
        text.label(f"{before}.do")
        do(name)
        text.add(f"br label %{before}.end")
        text.label(f"{before}.end")
        text.add(f"{name}.next = add i64 {name}, 1", f"{name}.more = icmp slt i64 {name}.next, {self.width}",
                 f"br i1 {name}.more, label %{before}.each, label %{before}.done")
        text.label(f"{before}.done")

    def _row_of_lane(self, lane: str) -> None:
        """The row of one lane goes to its place; the lane owes the next."""
        text, n = self.text, self.n
        path, due = (self._one("i64", self._place("%I", row, lane)) for row in (self.ID, self.DUE))
        first = text.new(f"add i64 {text.new(f'mul i64 {path}, %wanted')}, {due}")
        first = text.new(f"mul i64 {first}, {n}")
        for i in range(n):
            target = self._at("double", "%rows", text.new(f"add i64 {first}, {i}"))
            self._write("double", self._one("double", self._place("%B", self.ROW + i, lane)), target)
        later = text.new(f"add i64 {due}, 1")
        self._write("i64", later, self._place("%I", self.DUE, lane))
        self._later(later, lane)

    def _ends(self, step: Step, accepted: str, alive: str, steps: str, end: str) -> None:
        """Lanes whose path has ended are marked by a code; on with the others."""
        text = self.text
        done = self._and(accepted, text.new(f"fcmp oeq {text.real} {step.t}, {end}"))
        full = text.new(f"icmp sge {text.whole} {steps}, {text.splat('i64', '%most')}")
        code = text.splat("i64", str(GOING))
        for truth, value in ((full, FULL), (step.small, TOO_SMALL), (done, DONE)):
            code = self._pick(truth, text.splat("i64", str(value)), code, text.whole)
        code = self._pick(alive, code, text.splat("i64", str(EMPTY)), text.whole)
        ended = self._and(alive, text.new(f"icmp sge {text.whole} {code}, {text.splat('i64', '0')}"))
        self._put("%I", self.CODE, code)
        text.add(f"br i1 {text.any(ended)}, label %refill, label %step")
