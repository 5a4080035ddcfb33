"""The kernel that iterates a method on W paths at a time, as LLVM text.

Paths go through the steps in pieces: in a piece nothing is checked. A state that is not finite stays so (`persists`), and is found at
the end of the piece, which is then gone through again with every step checked. A piece is as long as all that went before, within the
bounds PIECES: most paths that are lost are lost early. Its length follows from the number of the step, never from what other paths
do. A rule for which `persists` cannot be shown, or a run that stops by the gradient, is checked at every step.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from .entries import Unrolled, order
from .lane_frame import Frame
from .lane_functions import number
from .lanes import Body
from .steps import CONVERGED, DIVERGED, LARGE, LIMIT, NONFINITE

PIECES = (32, 512)
NAN = "0x7FF8000000000000"
ARGUMENTS = ("i64 %first, i64 %count, i64 %every, i64 %stride, i64 %base, i64 %lo, i64 %hi, double %t0, i64 %seed, double %tol, "
             "ptr %status, ptr %taken, ptr %states, ptr %rows, ptr %numbers")


@dataclass(frozen=True)
class LaneKernel:
    """Text of a kernel `run`; `numbers` says in order what its table of numbers points to: (kind, name, entry)."""

    text: str
    numbers: tuple[tuple[str, str, int], ...]
    entries: tuple[tuple[int, int], ...]            # (state, entry) of each row of the table of states
    width: int
    cost: int                                       # floating-point instructions of one step of one path (fma counts as one)


def lane_kernel(unrolled: Unrolled, width: int, *, regroup: bool, positive: frozenset[str] = frozenset(), hasty: bool = False) -> LaneKernel:
    """The kernel of an unrolled program for `width` paths at a time; `regroup=False` keeps the operations as written."""
    return _Kernel(unrolled, width, regroup, positive, hasty).made()


class _Kernel(Frame):
    def made(self) -> LaneKernel:
        self._entry()
        self._block()
        self._chunk()
        text, attributes = self.text, 'attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }'
        head = f"define void @run({ARGUMENTS}) #0 {{"
        whole = "\n".join([head, *text.lines, "}", *sorted(text.declared), attributes, "attributes #1 = { nounwind willreturn memory(none) }", ""])
        cost = sum(v.step and v.lane and bool(v.args) and v.op != "neg" for v in order(self.roots))
        return LaneKernel(whole, tuple(self.numbers), tuple(v.data for v in self.inputs), self.width, cost)

    def _chunk(self) -> None:
        """A piece of steps, by the quick loop where it may be used, else by the checked one."""
        text, n = self.text, len(self.inputs)
        self.kinds = [text.real]*n + [text.whole]*2
        text.label("chunk")
        after = [f"%after.{i}" for i in range(n + 2)]
        now = self._phis("now", [*self.kinds, "i64", "i64", "i64"],
                         [([*self.start, self.status0, self.taken0, "%first", "%left0", "%row0"], "block.start"),
                          ([*after, "%done", "%left.next", "%row.next"], "step.next")])
        self.now, self.step0, self.left, self.row = now[:n + 2], now[n + 2], now[n + 3], now[n + 4]
        rest = text.new(f"sub i64 %end, {self.step0}")
        text.declared.add("declare i64 @llvm.umin.i64(i64, i64)")
        some = text.new(f"call i64 @llvm.umin.i64(i64 {rest}, i64 {self.left})")
        text.add(f"%n = call i64 @llvm.umin.i64(i64 {some}, i64 {self._most() if self.quick else 4096})", f"%done = add i64 {self.step0}, %n")
        text.add("br label %quick" if self.quick else "br label %checked")
        good = self._quick_loop() if self.quick else None
        slow = self._checked_loop(good[0] if good else None)
        self._end(good, slow)

    def _most(self) -> str:
        """The longest piece from a step on."""
        text, (least, most) = self.text, PIECES
        text.declared |= {"declare i64 @llvm.umin.i64(i64, i64)", "declare i64 @llvm.umax.i64(i64, i64)"}
        longer = text.new(f"call i64 @llvm.umax.i64(i64 {self.step0}, i64 {least})")
        return text.new(f"call i64 @llvm.umin.i64(i64 {longer}, i64 {most})")

    def _step(self, states: Sequence[str], step: str) -> tuple[list[str], Body]:
        names = self.names | dict(zip(self.inputs, states))
        body = Body(self.text, names, step, self.key, self.regroup)
        names_k = next((v for v in self.nodes if v.op == "k"), None)
        if names_k is not None:
            body.names[names_k] = self.text.new(f"sitofp i64 {step} to double")
        body.print(self.roots)
        return [body.wanted(r, True) for r in self.roots], body

    def _quick_loop(self) -> tuple[list[str], str]:
        text, n = self.text, len(self.inputs)
        text.label("quick")
        new = [f"%quick.new.{i}" for i in range(n)]
        phis = self._phis("q", [*self.kinds[:n], "i64"], [([*self.now[:n], self.step0], "chunk"), ([*new, "%quick.next"], "quick")])
        values, _ = self._step(phis[:n], phis[n])
        text.add(f"%quick.next = add i64 {phis[n]}, 1", *(f"{a} = {self._copy(b)}" for a, b in zip(new, values)),
                 "%quick.more = icmp slt i64 %quick.next, %done", "br i1 %quick.more, label %quick, label %good")
        text.label("good")
        active = self._active(self.now[n])
        self.fine = fine = self._fine(new)
        bad = text.new(f"and {text.truth} {active}, {text.new(f'xor {text.truth} {fine}, ' + text.splat('i1', 'true'))}")
        kept = [text.new(f"select {text.truth} {active}, {text.real} {a}, {text.real} {b}") for a, b in zip(new, self.now)]
        taken = text.new(f"select {text.truth} {active}, {text.whole} {text.splat('i64', '%done')}, {text.whole} {self.now[n + 1]}")
        text.add(f"br i1 {text.any(bad)}, label %checked, label %step.end")
        return [*kept, self.now[n], taken], "good"

    def _copy(self, value: str) -> str:
        """A name for a value: both sides of the selection are the value itself, so nothing is left of it in machine code."""
        return f"select i1 true, {self.text.real} {value}, {self.text.real} {value}"

    def _fine(self, states: Sequence[str]) -> str:
        """Whether every entry of a state is a number of at most LIMIT."""
        text, limit = self.text, self.text.splat("double", number(float(LIMIT)))
        found = ""
        for s in states:
            small = text.new(f"fcmp ole {text.real} {text.call('fabs', text.real, [s])}, {limit}")
            found = text.new(f"and {text.truth} {found}, {small}") if found else small
        return found

    def _any_of(self, masks: Sequence[str]) -> str:
        found = masks[0]
        for mask in masks[1:]:
            found = self.text.new(f"or {self.text.truth} {found}, {mask}")
        return found

    def _checked_loop(self, good: list[str] | None) -> tuple[list[str], str]:
        text, n = self.text, len(self.inputs)
        text.label("checked")
        new = [f"%checked.new.{i}" for i in range(n + 2)]
        phis = self._phis("c", [*self.kinds, "i64"], [([*self.now, self.step0], "good" if good else "chunk"), ([*new, "%checked.next"], "checked")])
        old, status, taken, step = phis[:n], phis[n], phis[n + 1], phis[n + 2]
        values, body = self._step(old, step)
        text.add(f"%checked.next = add i64 {step}, 1")
        active, fine = self._active(status), self._fine(values)
        going = text.new(f"and {text.truth} {active}, {fine}")
        ended = self._ended(old, values)
        lost = text.new(f"select {text.truth} {active}, {text.whole} {ended}, {text.whole} {status}")
        now = text.new(f"select {text.truth} {fine}, {text.whole} {status}, {text.whole} {lost}")
        moved = [text.new(f"select {text.truth} {going}, {text.real} {a}, {text.real} {b}") for a, b in zip(values, old)]
        if self.slope is not None:
            now = self._converged(moved, going, now)
        count = text.new(f"select {text.truth} {going}, {text.whole} {text.splat('i64', '%checked.next')}, {text.whole} {taken}")
        text.add(*(f"{a} = {self._copy(b)}" for a, b in zip(new, moved)),
                 *(f"{a} = select i1 true, {text.whole} {b}, {text.whole} {b}" for a, b in zip(new[n:], (now, count))))
        some = text.any(self._active(new[n]))
        text.add("%checked.rest = icmp slt i64 %checked.next, %done", f"%checked.more = and i1 %checked.rest, {some}",
                 "br i1 %checked.more, label %checked, label %checked.end")
        text.label("checked.end")
        if good:                                        # paths that the quick loop brought through are not judged by their neighbours' lot
            new = [text.new(f"select {text.truth} {self.fine}, {kind} {a}, {kind} {b}") for kind, a, b in zip(self.kinds, good, new)]
        text.add("br label %step.end")
        return new, "checked.end"

    def _ended(self, old: Sequence[str], new: Sequence[str]) -> str:
        """How a path that cannot go on has ended: beyond LIMIT, or by NaN from a large state, it diverged; else it is not finite."""
        text, large = self.text, self.text.splat("double", number(float(LARGE)))
        nan = self._any_of([text.new(f"fcmp uno {text.real} {v}, {v}") for v in new])
        far = self._any_of([text.new(f"fcmp ogt {text.real} {text.call('fabs', text.real, [v])}, {large}") for v in old])
        near = text.new(f"xor {text.truth} {far}, {text.splat('i1', 'true')}")
        odd = text.new(f"and {text.truth} {nan}, {near}")
        codes = [f"{text.whole} {text.splat('i64', str(c))}" for c in (NONFINITE, DIVERGED)]
        return text.new(f"select {text.truth} {odd}, {codes[0]}, {codes[1]}")

    def _converged(self, states: Sequence[str], going: str, status: str) -> str:
        """Paths whose gradient is small enough at the new state stop there."""
        text = self.text
        body = Body(text, self.names | dict(zip(self.inputs, states)))
        body.print([self.slope])
        size = text.call("sqrt", text.real, [body.wanted(self.slope, True)])
        small = text.new(f"fcmp ole {text.real} {size}, {text.splat('double', '%tol')}")
        both = text.new(f"and {text.truth} {going}, {small}")
        return text.new(f"select {text.truth} {both}, {text.whole} {text.splat('i64', str(CONVERGED))}, {text.whole} {status}")

    def _end(self, good: tuple[list[str], str] | None, slow: tuple[list[str], str]) -> None:
        """After a piece: a row where one is due, and on while there are steps and paths."""
        text, n = self.text, len(self.inputs)
        text.label("step.end")
        after = self._phis("after", self.kinds, [found for found in (good, slow) if found])
        text.add(f"%left.minus = sub i64 {self.left}, %n", "%due = icmp eq i64 %left.minus, 0",
                 "%left.next = select i1 %due, i64 %every, i64 %left.minus", "%row.one = zext i1 %due to i64",
                 f"%row.next = add i64 {self.row}, %row.one")
        here = text.new(f"icmp eq {text.whole} {after[n + 1]}, {text.splat('i64', '%done')}")
        text.add("br i1 %due, label %row.write, label %step.next")
        text.label("row.write")
        at = text.new(f"mul i64 {self.row}, %stride")
        at = text.new(f"add i64 {at}, %lane")
        for pointer, value in zip(self.O, after):
            shown = text.new(f"select {text.truth} {here}, {text.real} {value}, {text.real} {text.splat('double', NAN)}")
            place = text.new(f"getelementptr double, ptr {pointer}, i64 {at}")
            text.add(f"store {text.real} {shown}, ptr {place}, align 8")
        text.add("br label %step.next")
        text.label("step.next")
        some = text.any(self._active(after[n]))
        rest = text.new("icmp slt i64 %done, %end")
        text.add(f"br i1 {text.new(f'and i1 {rest}, {some}')}, label %chunk, label %leave")
        text.label("leave")
        for pointer, value in zip(self.S, after):
            self._store(pointer, value)
        self._store("%status", after[n], "i64")
        self._store("%taken", after[n + 1], "i64")
        text.add("br label %block.end")
