"""The frame of a kernel over paths, as LLVM text: what all paths share, and what a block of W of them starts from."""
from __future__ import annotations

from typing import Sequence

from .entries import Unrolled, Value, order, persists
from .lanes import Body, Text
from .regroup import Regrouped


class Frame:
    """Pointers, numbers and states in registers, with the loop over blocks around them; a subclass fills in the block."""

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

    def _phis(self, prefix: str, kinds: Sequence[str], sources: Sequence[tuple[Sequence[str], str]]) -> list[str]:
        """The values that come into a label, by the label that they come from."""
        names = [f"%{prefix}.{i}" for i in range(len(kinds))]
        for i, (name, kind) in enumerate(zip(names, kinds)):
            self.text.add(f"{name} = phi {kind} " + ", ".join(f"[ {values[i]}, %{block} ]" for values, block in sources))
        return names

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


def _signed(word: int) -> int:
    return word - (1 << 64) if word >= 1 << 63 else word
