"""The kernel that iterates a method on W paths at a time, as LLVM text.

Paths go through the steps in pieces: in a piece nothing is checked. A state that is not finite stays so (`persists`), and is found at
the end of the piece, which is then gone through again with every step checked. A piece is as long as all that went before, within the
bounds PIECES: most paths that are lost are lost early. Its length follows from the number of the step, never from what other paths
do. A rule for which `persists` cannot be shown, or a run that stops by the gradient, is checked at every step.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from .entries import Unrolled, Value, order, persists
from .lane_functions import number
from .lanes import Body, Text
from .regroup import Regrouped
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


class _Kernel:
    def __init__(self, unrolled: Unrolled, width: int, regroup: bool, positive: frozenset[str], hasty: bool):
        self.u, self.make, self.text, self.regroup, self.width = unrolled, unrolled.make, Text(width), regroup, width
        self.inputs = [self.make("state", data=(j, i)) for j, out in enumerate(unrolled.outputs) for i in range(len(out))]
        rewrite = Regrouped(self.make, unrolled.roots, positive, hasty).roots if regroup else list
        self.roots = rewrite(unrolled.roots)
        self.slope = unrolled.slope
        self.nodes = order([*self.roots, *([self.slope] if self.slope else [])])
        checked = self.slope is not None or any(not persists(r, s) for r, s in zip(self.roots, self.inputs))
        self.quick = regroup and not checked
        self.names: dict[Value, str] = {}
        self.key = ""

    def made(self) -> LaneKernel:
        self._entry()
        self._block()
        self._chunk()
        text, attributes = self.text, 'attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }'
        head = f"define void @run({ARGUMENTS}) #0 {{"
        whole = "\n".join([head, *text.lines, "}", *sorted(text.declared), attributes, "attributes #1 = { nounwind willreturn memory(none) }", ""])
        cost = sum(v.step and v.lane and bool(v.args) and v.op != "neg" for v in order(self.roots))
        return LaneKernel(whole, tuple(self.numbers), tuple(v.data for v in self.inputs), self.width, cost)

    # -- loading -----------------------------------------------------------------------------------------------------
    def _pointer(self, table: str, row: int) -> str:
        at = self.text.new(f"getelementptr ptr, ptr {table}, i64 {row}")
        return self.text.new(f"load ptr, ptr {at}")

    def _entry(self) -> None:
        """What all paths share: pointers, shared numbers, and what follows from them alone."""
        text = self.text
        text.label("entry")
        self.S = [self._pointer("%states", i) for i in range(len(self.inputs))]
        self.O = [self._pointer("%rows", i) for i in range(len(self.inputs))]
        found = [v for v in self.nodes if v.op in ("param", "vector")]
        self.numbers = [("number", v.data, 0) if v.op == "param" else ("vector", *v.data) for v in found]
        self.P = {v: self._pointer("%numbers", i) for i, v in enumerate(found)}
        self.names = {v: text.new(f"load double, ptr {p}") for v, p in self.P.items() if not v.lane}
        self.names |= {v: "%t0" for v in self.nodes if v.op == "t0"}
        self._hoisted(lane=False)
        text.add("%end = add i64 %first, %count", "%nextrow = udiv i64 %first, %every", "%row0 = add i64 %nextrow, 1",
                 "%gone = urem i64 %first, %every", "%left0 = sub i64 %every, %gone", "br label %blocks")
        text.label("blocks")
        text.add("%lane = phi i64 [ %lo, %entry ], [ %lane.next, %block.end ]", "%lane.next = add i64 %lane, " + str(self.width),
                 "%more = icmp slt i64 %lane, %hi", "br i1 %more, label %block, label %exit")
        text.label("exit")
        text.add("ret void")

    def _hoisted(self, lane: bool) -> None:
        """Values that no step changes, computed once."""
        body = Body(self.text, self.names)
        body.print([v for v in self.nodes if not v.step and v.lane == lane and v.op != "const" and (v.args or v in self.names)])
        self.names = body.names

    def _lanes(self, pointer: str, kind: str = "double") -> str:
        at = self.text.new(f"getelementptr {kind}, ptr {pointer}, i64 %lane")
        return self.text.new(f"load {self.text.real if kind == 'double' else self.text.whole}, ptr {at}, align 8")

    def _store(self, pointer: str, value: str, kind: str = "double") -> None:
        at = self.text.new(f"getelementptr {kind}, ptr {pointer}, i64 %lane")
        self.text.add(f"store {self.text.real if kind == 'double' else self.text.whole} {value}, ptr {at}, align 8")

    def _zeros(self) -> str:
        return self.text.splat("i64", "0")

    def _active(self, status: str) -> str:
        return self.text.new(f"icmp eq {self.text.whole} {status}, {self._zeros()}")

    def _block(self) -> None:
        """What a block of W paths starts from."""
        text = self.text
        text.label("block")
        self.status0, self.taken0 = self._lanes("%status", "i64"), self._lanes("%taken", "i64")
        some = text.any(self._active(self.status0))
        text.add(f"br i1 {some}, label %block.start, label %block.end")
        text.label("block.end")
        text.add("br label %blocks")
        text.label("block.start")
        self.start = [self._lanes(p) for p in self.S]
        self.names |= {v: self._lanes(p) for v, p in self.P.items() if v.lane}
        self._hoisted(lane=True)
        if any(v.op in ("noise", "uniform") for v in self.nodes):
            self.key = self._key()
        text.add("br label %chunk")

    def _key(self) -> str:
        """A 64-bit key for (seed, path): the finalizer of splitmix64 applied to each in turn."""
        text, body = self.text, Body(self.text, {})
        path = text.splat("i64", text.new("add i64 %base, %lane"))
        if self.width > 1:
            path = text.new(f"add {text.whole} {path}, <{', '.join(f'i64 {i}' for i in range(self.width))}>")
        z = text.splat("i64", "%seed")
        word = body._int("add", body._int("mul", path, _signed(0xD1342543DE82EF95)), 1)
        for w in (text.splat("i64", str(_signed(0x9E3779B97F4A7C15))), word):
            z = body._int("add", z, w)
            z = body._int("mul", body._int("xor", z, body._int("lshr", z, 30)), _signed(0xBF58476D1CE4E5B9))
            z = body._int("mul", body._int("xor", z, body._int("lshr", z, 27)), _signed(0x94D049BB133111EB))
            z = body._int("xor", z, body._int("lshr", z, 31))
        return z

    # -- stepping ----------------------------------------------------------------------------------------------------
    def _phis(self, prefix: str, kinds: Sequence[str], sources: Sequence[tuple[Sequence[str], str]]) -> list[str]:
        names = [f"%{prefix}.{i}" for i in range(len(kinds))]
        for i, (name, kind) in enumerate(zip(names, kinds)):
            self.text.add(f"{name} = phi {kind} " + ", ".join(f"[ {values[i]}, %{block} ]" for values, block in sources))
        return names

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


def _signed(word: int) -> int:
    return word - (1 << 64) if word >= 1 << 63 else word
