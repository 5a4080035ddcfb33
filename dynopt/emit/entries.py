"""Programs of a small, known dimension as straight-line arithmetic on single entries: vectors unrolled, gradients put in place.

A `Value` is one number of one path. What is printed from here (`lanes.py`) holds a whole step in registers.
"""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Iterable, Mapping, Sequence

from ..core.expr import COMPARISONS, Node, leaf, walk
from ..core.program import Program, stride_of
from .lower import is_draw

MOST = 12_000                                       # values of a line; what is longer is not worth beginning
VARYING = frozenset(("state", "time", "k", "noise", "uniform"))


class Unsuited(Exception):
    """A program that cannot be unrolled; it runs by loops over entries instead."""


class Value:
    """One operation on earlier values: `step` if it changes from step to step, `lane` if it differs from path to path, `serial` its number."""

    __slots__ = ("op", "args", "data", "step", "lane", "serial")

    def __init__(self, op: str, args: tuple["Value", ...], data: Any, step: bool, lane: bool, serial: int = 0):
        self.op, self.args, self.data, self.step, self.lane, self.serial = op, args, data, step, lane, serial

    @property
    def truth(self) -> bool:
        """Whether it is true or false rather than a number."""
        return self.op in COMPARISONS


class Values:
    """Makes values, equal ones once; `lanes` are the parameters that differ between paths."""

    def __init__(self, lanes: Iterable[str] = ()):
        self.lanes, self.table = frozenset(lanes), {}
        self.zero, self.one = self.const(0), self.const(1)

    def __call__(self, op: str, *args: Value, data: Any = None) -> Value:
        key = (op, tuple(map(id, args)), data)
        if key not in self.table:
            if len(self.table) > MOST:
                raise Unsuited("too many operations")
            step = op in VARYING or any(a.step for a in args)
            own = op in ("state", "time", "noise", "uniform") or (op == "param" and data in self.lanes)
            self.table[key] = Value(op, args, data, step, own or any(a.lane for a in args), len(self.table))
        return self.table[key]

    def const(self, number: Fraction | int | float) -> Value:
        return self("const", data=Fraction(number))


def order(roots: Iterable[Value], stop: Iterable[Value] = ()) -> list[Value]:
    """All values below the roots, arguments first; not those below `stop`."""
    return walk(roots, stop)                                                 # type: ignore[arg-type, return-value]


class Unrolled:
    """`outputs[j]` are the entries of the next state j; `slope` is |grad|^2 at a state, where a run stops by it."""

    def __init__(self, program: Program, fields: Mapping[str, Any], dimension: int, vectors: Mapping[str, int] = {},
                 lanes: Iterable[str] = (), stopping: bool = False):
        self.make, self.program, self.fields, self.d, self.vectors = Values(lanes), program, fields, dimension, vectors
        self.arrays: list[Any] = []                         # constant arrays of a flow: loaded, so that one text serves all their values
        make, states = self.make, {}
        for j, s in enumerate(program.state):
            states[leaf("state", s)] = make("state", data=(j, 0)) if s in program.scalars else self._vector("state", j, dimension)
        self.clock, self.time = self._clocks()
        found = self._run(program.outputs, states)
        self.outputs = [self._spread(out, 1 if s in program.scalars else dimension) for out, s in zip(found, program.state)]
        self.slope = self._slope(states) if stopping else None

    def _clocks(self) -> tuple[Value, Value]:
        """The step counter and the time: of a method t0 + k h, of a flow a number of its own."""
        make, program = self.make, self.program
        if program.kind == "flow":
            return make.zero, make("time")
        clock = make("k")
        [stride] = [make.one] if "h" in self.vectors else self._run([stride_of(program)], {})
        return clock, make("add", make("t0"), make("mul", clock, stride) if stride is not make.one else clock)

    @property
    def roots(self) -> list[Value]:
        return [v for out in self.outputs for v in out]

    def _vector(self, op: str, name: Any, count: int) -> list[Value]:
        return [self.make(op, data=(name, i)) for i in range(count)]

    def _spread(self, value: Any, count: int) -> list[Value]:
        found = value if isinstance(value, list) else [value]*count
        if len(found) != count:
            raise Unsuited(f"{len(found)} entries for a state of {count}")
        return found

    def _slope(self, states: dict[Node, Any]) -> Value:
        g = self._field("grad", [states[leaf("state", self.program.state[0])]])
        return self._total([self.make("mul", a, a) for a in self._spread(g, self.d)])

    def _run(self, roots: Sequence[Node], known: Mapping[Node, Any]) -> list[Any]:
        memo = dict(known)
        for node in walk(roots, stop=memo):
            memo[node] = self._node(node, [memo[a] for a in node.args])
        return [memo[r] for r in roots]

    def _node(self, node: Node, args: list) -> Any:
        if not node.args and node.op != "call":
            return self._leaf(node)
        if node.op == "call":
            return self._draw(node) if is_draw(node) else self._field(node.data[0], args)
        special = getattr(self, f"_{node.op}", None)
        if special is not None:
            return special(node, args)
        if node.op in ("implicit", "past", "pick"):
            raise Unsuited(node.op)
        return self._each(lambda *a: self._entry(node, a), args)

    def _each(self, apply: Any, args: list) -> Any:
        counts = {len(a) for a in args if isinstance(a, list)}
        if not counts:
            return apply(*args)
        if len(counts) > 1:
            raise Unsuited("vectors of several lengths")
        return [apply(*(a[i] if isinstance(a, list) else a for a in args)) for i in range(counts.pop())]

    def _entry(self, node: Node, args: tuple) -> Value:
        if node.op == "pow" and args[1].op == "const":
            return self._power(args[0], args[1])
        zero = self.make.zero                               # unit vectors are mostly zeros, and x + 0 is x
        if node.op == "add" and zero in args:
            return args[1] if args[0] is zero else args[0]
        return args[0] if node.op == "sub" and args[1] is zero else self.make(node.op, *args)

    def _power(self, base: Value, exponent: Value) -> Value:
        """numpy squares by a product and takes roots by sqrt; everything else is the library's pow."""
        make, n = self.make, exponent.data
        if n == 0 or n == 1:
            return base if n else make.one
        if n == 2:
            return make("mul", base, base)
        if n == Fraction(1, 2):
            return make("sqrt", base)
        return make("div", make.one, base) if n == -1 else make("pow", base, exponent)

    def _leaf(self, node: Node) -> Any:
        make = self.make
        if node.op == "const":
            return make.const(float(node.data))
        if node.op == "pi":
            return make.const(3.141592653589793)
        if node.op == "array":
            return self._array(node.data.values)
        if node.op == "param" and node.data in ("k", "t"):
            return self.clock if node.data == "k" else self.time
        if node.op == "param":
            return self._vector("vector", node.data, self.vectors[node.data]) if node.data in self.vectors else make("param", data=node.data)
        raise Unsuited(node.op)

    def _array(self, values: Any) -> Any:
        """The entries of a constant array; the rows of a matrix."""
        if values.size > MOST//4:
            raise Unsuited("a matrix that is large")
        made = [self.make.const(v) for v in values.ravel().tolist()]
        if self.program.kind == "flow":
            if not any(values is a for a in self.arrays):
                self.arrays.append(values)
            at = next(i for i, a in enumerate(self.arrays) if a is values)
            made = [self.make("array", data=(at, i)) for i in range(values.size)]
        return [tuple(made[i:i + values.shape[1]]) for i in range(0, len(made), values.shape[1])] if values.ndim == 2 else made

    def _draw(self, node: Node) -> Any:
        kind, _, scalar = node.data[0].partition("_")
        draws = [self.make(kind, data=(node.data[1], i)) for i in range(1 if scalar else self.d)]
        return draws[0] if scalar else draws

    def _field(self, name: str, args: list) -> Any:
        field = self.fields.get(name)
        if field is None or field.node is None:
            raise Unsuited(f"{name} is no traced function")
        found = self._run([field.node], {leaf("state", a): v for a, v in zip(field.args, args)})[0]
        if field.value:
            if isinstance(found, list):
                raise Unsuited("a value that is a vector")
            return found
        return found if isinstance(found, list) or not isinstance(args[0], list) else [found]*len(args[0])

    def _total(self, parts: list[Value]) -> Value:
        total = parts[0]
        for part in parts[1:]:
            total = self.make("add", total, part)
        return total

    # -- what couples entries --------------------------------------------------------------------------------------
    def _products(self, args: list) -> list[Value]:
        found = self._each(lambda a, b: self.make("mul", a, b), args)
        return found if isinstance(found, list) else [found]

    def _norm(self, node: Node, args: list) -> Value:
        return self.make("sqrt", self._total(self._products([args[0], args[0]])))

    def _dot(self, node: Node, args: list) -> Value:
        return self._total(self._products(args))

    def _sum(self, node: Node, args: list) -> Value:
        return self._total(args[0]) if isinstance(args[0], list) else args[0]

    def _mean(self, node: Node, args: list) -> Value:
        return self.make("div", self._total(args[0]), self.make.const(len(args[0]))) if isinstance(args[0], list) else args[0]

    def _size(self, node: Node, args: list) -> Value:
        return self.make.const(len(args[0]) if isinstance(args[0], list) else 1)

    def _item(self, node: Node, args: list) -> Value:
        if not isinstance(args[0], list) or not -len(args[0]) <= node.data < len(args[0]):
            raise Unsuited(f"entry {node.data} of a shorter vector")
        return args[0][node.data]

    def _like(self, node: Node, args: list) -> list[Value]:
        return [args[0]]*len(args[1])

    def _unit(self, node: Node, args: list) -> list[Value]:
        at = node.data % len(args[1])
        return [args[0] if i == at else self.make.zero for i in range(len(args[1]))]

    def _matmul(self, node: Node, args: list) -> list[Value]:
        matrix, vector = args
        if not isinstance(matrix, list) or not isinstance(matrix[0], tuple) or len(matrix[0]) != len(vector):
            raise Unsuited("a matrix that is a parameter")
        return [self._total([self.make("mul", c, x) for c, x in zip(row, vector)]) for row in matrix]


def persists(root: Value, state: Value) -> bool:
    """Whether a state that is not finite leaves this value not finite either, whatever the other values are."""
    known: dict[Value, bool] = {}
    for v in order([root]):
        carrying = v.args if v.op in ("add", "sub", "mul", "neg", "sqrt", "fma") else v.args[:1] if v.op == "div" else ()
        known[v] = v is state or any(known[a] for a in carrying)
    return known[root]
