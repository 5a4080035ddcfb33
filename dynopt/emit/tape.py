"""A flow as a tape: its operations in order, as numbers that one compiled interpreter reads. Nothing is compiled for a new flow.

Every value of the program has columns in a table, one for each entry; row k holds the k-th Taylor coefficients in the time, so that
the same tape gives rates (row 0) and the series of the solution. Gradients of traced problems are written in.
"""
from __future__ import annotations

from typing import Callable, NamedTuple, Sequence

import numpy as np

from ..core.expr import COMPARISONS, Node, constant, evaluate, leaf, replace, walk
from ..core.problem import Field
from ..core.program import Program
from .layout import Layout

ONE, ZERO = constant(1), constant(0)
CODES = ("add sub neg copy mul scale div divide sqrt pow exp log sin cos tanh sign lt le gt ge eq ne where mod unit sum dot matmul "
         "time").split()
CODE = {name: i for i, name in enumerate(CODES)}
KNOWN = {"add", "sub", "mul", "div", "neg", "pow", "mod", "sqrt", "exp", "log", "sin", "cos", "tanh", "sign", "where", "dot", "sum", "item",
         "unit", "like", "size", "matmul", "state", "param", "const", "pi", "array", "past", *COMPARISONS}


class Tape(NamedTuple):
    """ops (m, 8): code, width, out, a, stride of a, b, stride of b, extra; the first `still` of them involve no state and no time."""

    ops: np.ndarray
    still: int
    rows: int
    outputs: np.ndarray                                 # row of each rate
    loads: tuple[tuple[int, Node], ...]                 # rows that hold parameters, constants and past states
    matrices: tuple[Node, ...]                          # laid out one after another
    smooth: bool                                        # whether coefficients beyond the rates mean anything


def inlined(program: Program, fields: dict[str, Field]) -> list[Node] | None:
    """The outputs with oracle calls replaced by the expressions of the problem, in operations that a tape knows; else None."""
    def rebuilt(node: Node, args: list[Node]) -> Node:
        if node.op == "call":
            field = fields[node.data[0]]
            return replace([field.node], {leaf("state", a): v for a, v in zip(field.args, args)})[0]       # type: ignore[list-item]
        return Node(node.op, *args, data=node.data)
    if any(n.op == "implicit" or n.op == "call" and (n.data[0] not in fields or fields[n.data[0]].node is None) for n in program.everything):
        return None
    outputs = evaluate(evaluate(program.outputs, lambda n: n, rebuilt), lambda n: n, _plainer)
    return outputs if all(n.op in KNOWN for n in walk(outputs)) else None


def _plainer(node: Node, args: list[Node]) -> Node:
    """Fewer kinds of operations: whole powers by products, norms by roots, extrema by choices."""
    if node.op == "pow":
        exponent = args[1]
        if exponent.op == "const" and exponent.data.denominator == 1:
            return _whole_power(args[0], int(exponent.data))
        if exponent.op == "const" and exponent.data*2 == 1:
            return Node("sqrt", args[0])
        return Node("pow", *args) if not _moves(exponent) else Node("exp", exponent*Node("log", args[0]))
    if node.op == "norm":
        return Node("sqrt", Node("dot", args[0], args[0]))
    if node.op == "mean":
        return Node("sum", args[0])/Node("size", args[0])
    if node.op in ("max", "min"):
        return Node("where", Node("gt" if node.op == "max" else "lt", *args), *args)
    if node.op == "abs":
        return Node("where", Node("ge", args[0], ZERO), args[0], -args[0])
    return Node(node.op, *args, data=node.data)


def _whole_power(base: Node, n: int) -> Node:
    if n < 0:
        return ONE/_whole_power(base, -n)
    if n < 2:
        return base if n else ONE
    half = _whole_power(base, n//2)
    return half*half if n % 2 == 0 else half*half*base


def _moves(node: Node) -> bool:
    """Whether a value changes along the solution."""
    return any(map(_moves_of, walk([node])))


def tape_of(program: Program, outputs: list[Node], dims: Sequence[int], vectors: dict[str, int], matrices: dict[str, tuple]) -> Tape:
    """The tape of a flow whose states have the lengths `dims`."""
    return Writer(program, outputs, dims, vectors, matrices).tape()


class Writer:
    """Rows for values, operations for nodes."""

    def __init__(self, program: Program, outputs: list[Node], dims: Sequence[int], vectors: dict[str, int], matrices: dict[str, tuple]):
        self.program, self.outputs, self.dims = program, outputs, list(dims)
        self.states = [leaf("state", s) for s in program.state]
        self.order = walk(outputs)
        arrays = [n for n in self.order if n.op == "array" and n.data.values.ndim == 2]
        self.held = [*(leaf("param", p) for p in matrices), *arrays]
        wide = [s for s in self.states if s.data not in program.scalars]
        self.layout = Layout(outputs, [*wide, *(leaf("param", p) for p in vectors)], self.held)
        self.matrices = [m for m in self.held if m in self.layout.scalar]
        self.size = self._sizes(vectors, matrices)
        self.row: dict[Node, int] = {}
        self.rows, self.ops = 0, []
        self.loads: list[tuple[int, Node]] = []
        for s, d in zip(self.states, self.dims):
            self._claim(s, d)

    def _claim(self, node: Node, width: int) -> int:
        self.row[node] = at = self.rows
        self.rows += width
        return at

    def _sizes(self, vectors: dict[str, int], matrices: dict[str, tuple]) -> Callable[[Node], int]:
        group, scalar = self.layout.group, self.layout.scalar
        known = {group(s): d for s, d in zip(self.states, self.dims) if s in scalar and not scalar[s]}
        known |= {group(leaf("param", p)): n for p, n in vectors.items() if leaf("param", p) in scalar}
        shapes = {m: m.data.values.shape if m.op == "array" else matrices[m.data] for m in self.matrices}
        places = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())])
        self.starts = {m: int(at) for m, at in zip(shapes, places)}              # by identity: `==` of nodes is an expression
        for n in self.order:
            if n.op == "array" and n not in shapes:
                known.setdefault(group(n), n.data.values.shape[0])
            elif n.op == "matmul":
                known.setdefault(group(n), shapes[n.args[0]][0])
        for n in self.order:
            if n.op == "past" and not scalar[n]:
                known.setdefault(group(n), self.dims[self.program.state.index(n.args[0].data)])
        return lambda n: 1 if scalar[n] else known.get(group(n), self.dims[0])

    def tape(self) -> Tape:
        """Constants first, then what moves."""
        moving: dict[Node, bool] = {}
        for n in self.order:
            moving[n] = _moves_of(n) or any(moving[a] for a in n.args)
        self.moving = moving
        for n in self.order:
            if n.op in ("const", "pi", "array", "past") or (n.op == "param" and n.data != "t"):
                if n not in self.starts:
                    self.loads.append((self._claim(n, self.size(n)), n))
        for n in self.order:
            if not moving[n] and n not in self.row and n not in self.starts:
                self._write(n)
        still = len(self.ops)
        for n in self.order:
            if moving[n] and n not in self.row:
                self._write(n)
        rows = [self.row[o] + (0 if self.layout.scalar[o] else i) for o, d in zip(self.outputs, self.dims) for i in range(d)]
        ops = np.array(self.ops, dtype=np.int64).reshape(-1, 8)
        return Tape(ops, still, self.rows, np.array(rows, dtype=np.int64), tuple(self.loads), tuple(self.matrices),
                    not any(n.op == "past" for n in self.order))

    def _stride(self, node: Node) -> int:
        return 0 if self.layout.scalar[node] or self.size(node) == 1 else 1

    def _emit(self, code: str, width: int, out: int, a: Node | None = None, b: Node | None = None, extra: int = 0) -> None:
        ra, sa = (self.row[a], self._stride(a)) if a is not None else (0, 0)
        rb, sb = (self.row[b], self._stride(b)) if b is not None else (0, 0)
        self.ops.append((CODE[code], width, out, ra, sa, rb, sb, extra))

    def _write(self, node: Node) -> None:
        op, args = node.op, node.args
        if op == "size":
            self.loads.append((self._claim(node, 1), constant(self.size(args[0]))))
            return
        if op in ("sin", "cos"):
            self._circle(node)
            return
        width = self.size(node)
        out = self._claim(node, width)
        if op == "param":
            self._emit("time", 1, out)
        elif op == "mul":
            still = [a for a in args if not self.moving[a]]
            self._emit("scale" if still else "mul", width, out, *((still[0], args[1] if still[0] is args[0] else args[0]) if still else args))
        elif op == "div":
            self._emit("div" if self.moving[args[1]] else "divide", width, out, *args)
        elif op in ("neg", "sqrt", "exp", "log", "sign", "add", "sub", "pow", "mod", *COMPARISONS):
            self._emit(op, width, out, *args)
        elif op == "tanh":
            self._emit(op, width, out, args[0], extra=self.rows)
            self.rows += width
        elif op == "like":
            self._emit("copy", width, out, args[0])
        elif op == "item":
            self.ops.append((CODE["copy"], 1, out, self.row[args[0]] + node.data % self.size(args[0]), 0, 0, 0, 0))
        elif op == "unit":
            self._emit("unit", width, out, args[0], extra=node.data % width)
        elif op == "where":
            self._emit("where", width, out, args[1], args[2], extra=self.row[args[0]]*2 + self._stride(args[0]))
        elif op == "sum":
            self._emit("sum", self.size(args[0]), out, args[0])
        elif op == "dot":
            self._emit("dot", max(map(self.size, args)), out, *args)
        else:
            self._matmul(node, out)

    def _matmul(self, node: Node, out: int) -> None:
        matrix, vector = node.args
        self.ops.append((CODE["matmul"], self.size(node), out, self.row[vector], self.size(vector), self.starts[matrix], 0, 0))

    def _circle(self, node: Node) -> None:
        """Sine and cosine of one argument belong together."""
        width = self.size(node)
        sine, cosine = Node("sin", *node.args), Node("cos", *node.args)
        rows = {}
        for n in (sine, cosine):
            rows[n] = self._claim(n, width)
            self.layout.scalar.setdefault(n, self.layout.scalar[node])
        self._emit("sin", width, rows[sine], node.args[0], extra=rows[cosine])


def _moves_of(node: Node) -> bool:
    return node.op in ("state", "past") or (node.op == "param" and node.data == "t")
