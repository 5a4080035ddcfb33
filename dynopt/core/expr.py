"""The value that flows through a traced rule: one node of a directed acyclic graph, operations kept as they were written.

Nodes are interned: equal expressions are one object, so identity is equality and a repeated `grad(x)` is one call. Nothing is
rearranged, which is why a compiled rule agrees to the last bits with its declaration run on arrays.
"""
from __future__ import annotations

import math
import numbers
from fractions import Fraction
from typing import Any, Callable, Iterable, Iterator
from weakref import WeakValueDictionary

import numpy as np

from .errors import RuleError
from .exact import is_symbolic, simplest_fraction

LEAVES = frozenset(("state", "param", "const", "pi", "array", "unknown"))
COMPARISONS = frozenset(("lt", "le", "gt", "ge", "eq", "ne"))
REDUCTIONS = frozenset(("norm", "dot", "mean", "sum"))
UFUNCS = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "true_divide": "div", "power": "pow",
          "remainder": "mod", "matmul": "matmul"}
PI_MULTIPLES = {math.ldexp(math.pi, j): Fraction(2)**j for j in range(-3, 4)}      # exact in floats as in symbols
SPOKEN = {"sqrt", "exp", "log", "sin", "cos", "tanh", "abs", "sign", "where", "minimum", "maximum", "clip", "norm", "dot", "mean"}
_interned: WeakValueDictionary[tuple, "Node"] = WeakValueDictionary()


class Array:
    """A constant array inside an expression, compared by identity."""

    def __init__(self, values: np.ndarray):
        self.values = np.ascontiguousarray(np.array(values, dtype=float))       # a copy: what becomes of the caller's array is his own
        self.values.flags.writeable = False
        self._transpose: Array | None = None

    @property
    def T(self) -> "Array":
        if self._transpose is None:
            self._transpose = Array(self.values.T)
            self._transpose._transpose = self
        return self._transpose


class Node:
    """One operation on earlier nodes: `op`, `args`, and `data` that is no node (a name, a number, an index)."""

    __slots__ = ("op", "args", "data", "__weakref__")
    op: str
    args: tuple["Node", ...]
    data: Any

    def __new__(cls, op: str, *args: "Node", data: Any = None) -> "Node":
        key = (op, tuple(map(id, args)), data)
        node = _interned.get(key)
        if node is None:
            node = super().__new__(cls)
            node.op, node.args, node.data = op, args, data
            _interned[key] = node
        return node

    __hash__ = object.__hash__

    def __reduce__(self) -> tuple:
        return _rebuild, (self.op, self.args, self.data)

    # -- arithmetic, as written ------------------------------------------------------------------------------------
    def __add__(self, other): return _binary("add", self, other)
    def __radd__(self, other): return _binary("add", other, self)
    def __sub__(self, other): return _binary("sub", self, other)
    def __rsub__(self, other): return _binary("sub", other, self)
    def __mul__(self, other): return _binary("mul", self, other)
    def __rmul__(self, other): return _binary("mul", other, self)
    def __truediv__(self, other): return _binary("div", self, other)
    def __rtruediv__(self, other): return _binary("div", other, self)
    def __pow__(self, other): return _binary("pow", self, other)
    def __rpow__(self, other): return _binary("pow", other, self)
    def __mod__(self, other): return _binary("mod", self, other)
    def __rmod__(self, other): return _binary("mod", other, self)
    def __matmul__(self, other): return _binary("matmul", self, other)
    def __rmatmul__(self, other): return _binary("matmul", other, self)
    def __neg__(self): return Node("neg", self)
    def __pos__(self): return self
    def __abs__(self): return Node("abs", self)
    def __lt__(self, other): return _binary("lt", self, other)
    def __le__(self, other): return _binary("le", self, other)
    def __gt__(self, other): return _binary("gt", self, other)
    def __ge__(self, other): return _binary("ge", self, other)
    def __eq__(self, other): return _binary("eq", self, other)
    def __ne__(self, other): return _binary("ne", self, other)

    def __getitem__(self, index: Any) -> "Node":
        if isinstance(index, tuple) and len(index) == 2 and index[0] is Ellipsis:
            index = index[1]
        if isinstance(index, numbers.Integral) and not isinstance(index, bool):
            return Node("item", self, data=int(index))
        raise RuleError(f"{_short(self)}[{index!r}]: only one entry, as in x[0], can be taken from a traced vector; "
                        "write array operations on whole vectors, or give the gradient as a function of its own")

    def sum(self, *_: Any, **__: Any) -> "Node": return Node("sum", self)
    def mean(self, *_: Any, **__: Any) -> "Node": return Node("mean", self)
    def dot(self, other: Any) -> "Node": return Node("dot", self, as_node(other))

    # -- what cannot be done on a symbol, with the cure -----------------------------------------------------------
    def _in_place(self, _other: Any) -> "Node":
        raise RuleError(f"in-place change of {_short(self)}: a state or an expression of one is read-only, since on arrays "
                        f"`y -= ...` would overwrite the caller's numbers; write `y = y - ...`")

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = __imod__ = __imatmul__ = _in_place

    def __bool__(self) -> bool:
        raise RuleError(f"the truth of {_short(self)} was asked for (`if`, `while`, `and`, `or`, `not`, min, max, or a chained "
                        "comparison): a rule is traced once and cannot branch on values; write where(condition, a, b), "
                        "maximum(a, b) or minimum(a, b)")

    def _no_number(self, *_: Any) -> Any:
        raise RuleError(f"{_short(self)} was turned into a Python number (math.sqrt, float, int, range): a traced value has no "
                        "number yet; use sqrt, exp, log, sin, cos, tanh, abs from dynopt, and annotate counts as `n: int`")

    __float__ = __int__ = __index__ = __complex__ = __round__ = __floor__ = __ceil__ = __trunc__ = _no_number

    def __len__(self) -> int:
        raise RuleError(f"len of {_short(self)}: the dimension is not known while a rule is traced; use mean, dot or norm")

    def __iter__(self) -> Iterator:
        raise RuleError(f"{_short(self)} was unpacked or looped over: states are vectors of unknown dimension; write array "
                        f"operations")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuleError(f"a numpy function was applied to {_short(self)}: a rule is traced on symbols; "
                        "use norm, dot, mean, sqrt, exp, ... from dynopt, which also work on arrays")

    def __array_ufunc__(self, ufunc: Any, how: str, *inputs: Any, **_: Any) -> Any:
        name = ufunc.__name__
        if how == "__call__" and name in UFUNCS:
            return _binary(UFUNCS[name], *inputs)
        from .numpy_words import spoken
        if how == "__call__" and (meant := spoken(ufunc)):
            return meant(*inputs)
        name = {"absolute": "abs", "negative": "-", "square": "**2"}.get(name, name)
        cure = f"`from dynopt import {name}` and write {name}(...)" if name in SPOKEN else "write it with the functions of dynopt"
        raise RuleError(f"np.{ufunc.__name__} was applied to {_short(self)}: numpy's functions act on numbers only; {cure}, "
                        "which works on arrays too")

    def __array_function__(self, function: Any, _types: Any, given: tuple, options: dict) -> Any:
        from .numpy_words import spoken
        if meant := spoken(function):
            return meant(*given, **options)
        if function is np.sum or function is np.mean:
            return getattr(self, function.__name__)()
        return self.__array__()

    def __repr__(self) -> str:
        from .show import text
        return text(self, longest=400)


def _rebuild(op: str, args: tuple, data: Any) -> Node:
    return Node(op, *args, data=data)


def _short(node: Node) -> str:
    shown = repr(node)
    return f"`{shown}`" if len(shown) <= 60 else f"`{shown[:57]}...`"


def _binary(op: str, left: Any, right: Any) -> Any:
    left, right = as_node(left), as_node(right)
    return _product(left, right) if op == "matmul" else Node(op, left, right)


def _product(left: Node, right: Node) -> Node:
    """A @ x as it is, x @ A as A^T @ x, and x @ y of two vectors as their inner product."""
    if right.op == "array" and right.data.values.ndim == 2 and not (left.op == "array" and left.data.values.ndim == 2):
        return Node("matmul", Node("array", data=right.data.T), left)
    if right.op == "param" and left.op != "param":
        raise RuleError(f"{_short(left)} @ {_short(right)}: a matrix parameter stands on the right, expected it on the left; "
                        f"write {right.data} @ x")
    matrix = left.op == "param" or (left.op == "array" and left.data.values.ndim == 2)
    return Node("matmul" if matrix else "dot", left, right)


def constant(value: int | Fraction) -> Node:
    """The exact number as a node."""
    value = Fraction(value)
    return Node("const", data=value)


def as_node(value: Any) -> Node:
    """Anything a declaration may combine with a traced value: numbers become exact, arrays constants."""
    if isinstance(value, Node):
        return value
    if isinstance(value, (bool, np.bool_)):
        return constant(int(value))
    if isinstance(value, numbers.Rational):
        return constant(Fraction(int(value.numerator), int(value.denominator)))
    if isinstance(value, numbers.Real):
        if value in PI_MULTIPLES:
            return constant(PI_MULTIPLES[value])*Node("pi") if value != math.pi else Node("pi")
        try:
            return constant(simplest_fraction(float(value)))
        except ValueError as error:
            raise RuleError(f"literal in a rule: {error}") from None
    if isinstance(value, np.ndarray):
        return as_node(value.item()) if value.ndim == 0 else Node("array", data=Array(value))
    if is_symbolic(value) and getattr(value, "is_Rational", False):
        return constant(Fraction(int(value.p), int(value.q)))
    raise RuleError(f"a rule combined a traced value with {type(value).__name__} {value!r:.40}: expected a number, an array or "
                    "another traced value; pass what varies as a keyword-only parameter")


def leaf(op: str, name: Any) -> Node:
    return Node(op, data=name)


def walk(roots: Iterable[Node], stop: Iterable[Node] = ()) -> list[Node]:
    """Every node below the roots once, arguments before their users, in the order of the declaration; not below `stop`."""
    seen: set[Node] = set(stop)
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        node, ready = stack.pop()
        if node in seen:
            continue
        if ready:
            seen.add(node)
            order.append(node)
            continue
        stack.append((node, True))
        stack.extend((arg, False) for arg in reversed(node.args) if arg not in seen)
    return order


def evaluate(roots: Iterable[Node], value: Callable[[Node], Any], apply: Callable[[Node, list], Any],
             known: dict[Node, Any] | None = None) -> list[Any]:
    """Values of the roots where `value` gives the leaves and `apply` the operations; `known` values are taken as they are."""
    roots = list(roots)
    memo = dict(known or {})
    for node in walk(roots, stop=memo):
        memo[node] = value(node) if node.op in LEAVES else apply(node, [memo[arg] for arg in node.args])
    return [memo[root] for root in roots]


def replace(roots: Iterable[Node], table: dict[Node, Node]) -> list[Node]:
    """The roots with leaves exchanged, everything else as written."""
    def rebuilt(node: Node, args: list[Node]) -> Node:
        if node.op == "implicit":
            unknowns, residuals = node.data
            return make_implicit(unknowns, replace(residuals, table))
        return Node(node.op, *args, data=node.data)
    return evaluate(roots, lambda node: table.get(node, node), rebuilt, known=table)


def make_implicit(unknowns: tuple[Node, ...], residuals: Iterable[Node]) -> Node:
    """The root of residuals(unknowns) = 0; its arguments are the parts of the residuals that do not involve the unknowns."""
    residuals = tuple(residuals)
    inside: set[Node] = set(unknowns)
    inputs: dict[Node, None] = {}
    order = walk(residuals)
    for node in order:                                                  # arguments come first, so one sweep is enough
        if any(arg in inside for arg in node.args):
            inside.add(node)
    for node in order:
        if node in inside:
            inputs.update((arg, None) for arg in node.args if arg not in inside and arg.op != "const")
    inputs.update((root, None) for root in residuals if root not in inside and root.op != "const")
    return Node("implicit", *inputs, data=(tuple(unknowns), residuals))
