"""Straight-line values as LLVM text for W paths at a time: one line an operation, every number a register of W lanes.

No fast-math flag stands anywhere: products and sums are fused only where `fma` is written, so that a path gets the same bits at any
width and on any number of threads. Names in the text are made here, never taken from the user.
"""
from __future__ import annotations

from typing import Mapping, Sequence

from .draws import drawn
from .entries import Value, order
from .lane_functions import Lanes, number

COMPARE = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
ARITHMETIC = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
INTRINSIC = {"sqrt": "sqrt", "abs": "fabs", "fma": "fma"}
LIBRARY = ("exp", "log", "sin", "cos", "tanh", "pow", "fmod")


class Text:
    """Lines of a function, with fresh names."""

    def __init__(self, width: int):
        self.width, self.lines, self.declared = width, [], set()
        self.serial = [0]                               # of the last register, shared with `single`
        self.real = "double" if width == 1 else f"<{width} x double>"
        self.whole = "i64" if width == 1 else f"<{width} x i64>"
        self.truth = "i1" if width == 1 else f"<{width} x i1>"

    def add(self, *lines: str) -> None:
        self.lines.extend("  " + line for line in lines)

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def new(self, text: str) -> str:
        """A register that holds the value of an instruction."""
        self.serial[0] += 1
        self.lines.append(f"  %r{self.serial[0]} = {text}")
        return f"%r{self.serial[0]}"

    @property
    def single(self) -> "Text":
        """The same text, for what is one number for all lanes."""
        other = Text(1)
        other.lines, other.declared, other.serial = self.lines, self.declared, self.serial
        return other

    def splat(self, kind: str, value: str) -> str:
        """One number in every lane."""
        if self.width == 1:
            return value
        if not value.startswith("%"):
            return f"splat ({kind} {value})"
        one = self.new(f"insertelement <{self.width} x {kind}> poison, {kind} {value}, i32 0")
        return self.new(f"shufflevector <{self.width} x {kind}> {one}, <{self.width} x {kind}> poison, <{self.width} x i32> zeroinitializer")

    def any(self, mask: str) -> str:
        """Whether any lane is true."""
        if self.width == 1:
            return mask
        bits = self.new(f"bitcast {self.truth} {mask} to i{self.width}")
        return self.new(f"icmp ne i{self.width} {bits}, 0")

    def call(self, name: str, kind: str, args: Sequence[str]) -> str:
        """An intrinsic on numbers or lanes."""
        suffix = "f64" if kind == "double" else f"v{self.width}f64"
        self.declared.add(f"declare {kind} @llvm.{name}.{suffix}({', '.join([kind]*len(args))})")
        return self.new(f"call {kind} @llvm.{name}.{suffix}({', '.join(f'{kind} {a}' for a in args)})")

    def library(self, name: str, kind: str, args: Sequence[str]) -> str:
        """A function of the C library, lane by lane."""
        self.declared.add(f"declare double @{name}({', '.join(['double']*len(args))}) #1")
        if kind == "double":
            return self.new(f"call double @{name}({', '.join(f'double {a}' for a in args)})")
        found = "poison"
        for i in range(self.width):
            parts = [self.new(f"extractelement {kind} {a}, i32 {i}") for a in args]
            one = self.new(f"call double @{name}({', '.join(f'double {p}' for p in parts)})")
            found = self.new(f"insertelement {kind} {found}, double {one}, i32 {i}")
        return found


class Body:
    """Prints values in one place of the text; `names` are those known there, `step` the register of the step counter."""

    def __init__(self, text: Text, names: Mapping[Value, str], step: str = "", key: str = "", quick: bool = False):
        self.text, self.names, self.step, self.key, self.quick = text, dict(names), step, key, quick
        self.wide: dict[Value, str] = {}
        self.draws: dict[tuple, tuple[str, str]] = {}

    def print(self, values: Sequence[Value]) -> None:
        for v in order(values):
            if v not in self.names and v.op != "const":
                self.names[v] = self._one(v)

    def wanted(self, v: Value, lane: bool) -> str:
        """A number as an operand, spread over the lanes where its user is."""
        if v.op == "const":
            return self.text.splat("double", number(v.data)) if lane else number(v.data)
        if lane and not v.lane and self.text.width > 1:
            if v not in self.wide:
                self.wide[v] = self.text.splat("double", self._real(v, False))
            return self.wide[v]
        return self._real(v, lane)

    def _real(self, v: Value, lane: bool) -> str:
        """Truth as 1 or 0, a number as it is."""
        if not v.truth:
            return self.names[v]
        kind, truth = (self.text.real, self.text.truth) if lane else ("double", "i1")
        return self.text.new(f"uitofp {truth} {self.names[v]} to {kind}")

    def _truth(self, v: Value, lane: bool) -> str:
        if v.truth and v.lane == lane:
            return self.names[v]
        if v.truth:
            return self.text.splat("i1", self.names[v])
        kind, zero = (self.text.real, self.text.splat("double", number(0))) if lane else ("double", number(0))
        return self.text.new(f"fcmp une {kind} {self.wanted(v, lane)}, {zero}")

    def _one(self, v: Value) -> str:
        text, lane = self.text, v.lane and self.text.width > 1
        kind = text.real if lane else "double"
        if v.op in ("noise", "uniform"):
            return self._draw(v)
        if v.op == "where":
            truth = self._truth(v.args[0], lane)
            return self._select(truth, self.wanted(v.args[1], lane), self.wanted(v.args[2], lane), lane)
        args = [self.wanted(a, lane) for a in v.args]
        if v.op in ARITHMETIC:
            return text.new(f"{ARITHMETIC[v.op]} {kind} {args[0]}, {args[1]}")
        if v.op == "neg":
            return text.new(f"fneg {kind} {args[0]}")
        if v.op in COMPARE:
            return text.new(f"fcmp {COMPARE[v.op]} {kind} {args[0]}, {args[1]}")
        if v.op in INTRINSIC:
            return text.call(INTRINSIC[v.op], kind, args)
        if v.op in ("min", "max"):
            return self._extreme(v.op, kind, args, lane)
        if v.op == "sign":
            return self._sign(kind, args[0], lane)
        if v.op == "exp" and self.quick:
            return Lanes(text if lane else text.single).exp(args[0])
        return self._modulo(kind, args, lane) if v.op == "mod" else text.library(v.op, kind, args)

    def _select(self, truth: str, a: str, b: str, lane: bool) -> str:
        kind, mask = (self.text.real, self.text.truth) if lane else ("double", "i1")
        return self.text.new(f"select {mask} {truth}, {kind} {a}, {kind} {b}")

    def _extreme(self, op: str, kind: str, args: list[str], lane: bool) -> str:
        """numpy's minimum and maximum: NaN where either is."""
        less = self.text.new(f"fcmp {'olt' if op == 'min' else 'ogt'} {kind} {args[0]}, {args[1]}")
        nan = self.text.new(f"fcmp uno {kind} {args[0]}, {args[0]}")
        either = self.text.new(f"or {self.text.truth if lane else 'i1'} {less}, {nan}")
        return self._select(either, args[0], args[1], lane)

    def _sign(self, kind: str, x: str, lane: bool) -> str:
        text = self.text
        zero, one, minus = (text.splat("double", number(c)) if lane else number(c) for c in (0, 1, -1))
        up, down = (text.new(f"fcmp {c} {kind} {x}, {zero}") for c in ("ogt", "olt"))
        nan = text.new(f"fcmp uno {kind} {x}, {x}")
        below = self._select(down, minus, self._select(nan, x, zero, lane), lane)
        return self._select(up, one, below, lane)

    def _modulo(self, kind: str, args: list[str], lane: bool) -> str:
        """Python's %: the remainder has the sign of the divisor."""
        text = self.text
        mask, zero = (text.truth, text.splat("double", number(0))) if lane else ("i1", number(0))
        rest = text.library("fmod", kind, args)
        some = text.new(f"fcmp une {kind} {rest}, {zero}")
        signs = [text.new(f"fcmp olt {kind} {a}, {zero}") for a in (rest, args[1])]
        other = text.new(f"xor {mask} {signs[0]}, {signs[1]}")
        moved = text.new(f"fadd {kind} {rest}, {args[1]}")
        return self._select(text.new(f"and {mask} {some}, {other}"), moved, rest, lane)

    def _draw(self, v: Value) -> str:
        """One of the numbers that the word of a path, step, call and entry gives (see draws.py)."""
        call, entry = v.data
        at, place = ((v.op, call, entry//2), entry % 2) if v.op == "noise" else ((v.op, call, entry), 0)
        if at not in self.draws:
            self.draws[at] = drawn(self.text, v.op, self.key, self.step, call, at[2])
        return self.draws[at][place]

    def _int(self, op: str, a: str, b: str | int) -> str:
        other = self.text.splat("i64", str(b)) if isinstance(b, int) else b
        return self.text.new(f"{op} {self.text.whole} {a}, {other}")
