"""Lowered programs as Python source for numba: scalar code in loops, oracles called in place as `grad(x, out, data)`.

Names in the source are made here (s0, p1, w3, ...), never taken from the user.
"""
from __future__ import annotations

from ..core.errors import RuleError
from ..core.expr import Node, walk
from .lower import Lowered, is_barrier, is_draw, is_leaf

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==",
         "ne": "!="}
CALLS = {"sqrt": "math.sqrt", "exp": "math.exp", "log": "math.log", "sin": "math.sin", "cos": "math.cos", "tanh": "math.tanh",
         "abs": "abs", "sign": "np.sign", "min": "min_", "max": "max_"}


class Lines(list):
    """Source lines with an indentation."""

    depth = 1

    def add(self, *lines: str) -> None:
        self.extend("    "*self.depth + line for line in lines)

    def loop(self, head: str) -> "Lines":
        self.add(head)
        self.depth += 1
        return self

    def end(self) -> None:
        self.depth -= 1


class Printer:
    """Prints levels of a lowered program; `names` gives leaves, `sizes` the lengths of groups, `data` the arrays of constants."""

    def __init__(self, lowered: Lowered, names: dict[Node, str], sizes: dict[Node, str], prefix: str = "w"):
        self.lowered, self.layout, self.sizes, self.prefix = lowered, lowered.layout, sizes, prefix
        self.names = dict(names)                     # numbers by value, vectors by array
        self.temporaries: dict[str, str] = {}        # array name -> length
        self.matrices: list[Node] = []
        self.either: set[Node] = set()               # arguments that come as a number or as a vector
        self.roots_used: list[Node] = []             # implicit nodes, whose solvers are printed beside
        for node in lowered.order:
            if node not in self.names and (node in lowered.stored or (is_barrier(node) and not lowered.layout.scalar[node])):
                if node.op != "implicit":
                    self._temporary(node)

    def _temporary(self, node: Node) -> None:
        self.names[node] = name = f"{self.prefix}{len(self.temporaries)}_"
        self.temporaries[name] = self.size(node)

    def size(self, node: Node) -> str:
        return self.sizes[self.layout.group(node)]

    def value(self, node: Node, local: dict[Node, str]) -> str:
        """A node inside a loop (or among numbers), fully named before."""
        if node.op == "const":
            number = node.data
            return repr(float(number)) if number >= 0 else f"({float(number)!r})"
        if node.op == "pi":
            return "math.pi"
        if node in local:
            return local[node]
        if node not in self.names:
            raise RuleError(f"internal: {node!r} was used before it was computed")
        if node in self.either:
            return f"at_({self.names[node]}, i)"
        return self.names[node] if self.layout.scalar[node] else f"{self.names[node]}[i]"

    def inline(self, node: Node) -> str:
        """An expression of parameters alone, in one line."""
        memo: dict[Node, str] = {}
        for n in walk([node]):
            memo[n] = self.value(n, {}) if is_leaf(n) else f"({self.expression(n, memo)})"
        return memo[node]

    def expression(self, node: Node, local: dict[Node, str]) -> str:
        """The operation of one node on values that have names."""
        if is_draw(node):
            kind = node.data[0].partition("_")[0]
            return f"{kind}_(key, step, {node.data[1]}, {'0' if self.layout.scalar[node] else 'i'})"
        if node.op == "size":
            return f"float({self.size(node.args[0])})"
        args = [self.value(a, local) for a in node.args]
        if node.op in INFIX:
            return f"{args[0]} {INFIX[node.op]} {args[1]}"
        if node.op == "pow":
            return self._power(node, args)
        if node.op == "neg":
            return f"-{args[0]}"
        if node.op == "where":
            condition = args[0] if node.args[0].op in ("lt", "le", "gt", "ge", "eq", "ne") else f"{args[0]} != 0.0"
            return f"{args[1]} if {condition} else {args[2]}"
        if node.op == "like":
            return args[0]
        if node.op == "unit":
            at = node.data if node.data >= 0 else f"{self.size(node)} - {-node.data}"
            return f"{args[0]} if i == {at} else 0.0"
        return f"{CALLS[node.op]}({', '.join(args)})"

    @staticmethod
    def _power(node: Node, args: list[str]) -> str:
        """numpy squares by a product and takes roots by sqrt; everything else is the library's pow."""
        exponent = float(node.args[1].data) if node.args[1].op == "const" else None
        special = {2.0: f"{args[0]}*{args[0]}", 1.0: args[0], .5: f"math.sqrt({args[0]})", -1.0: f"1.0/{args[0]}", 0.0: "1.0"}
        return special.get(exponent) if exponent in special else f"math.pow({args[0]}, {args[1]})"     # type: ignore[return-value, arg-type]

    def body(self, lines: Lines) -> None:
        """All levels, in order."""
        for level in range(self.lowered.count):
            for node in self.lowered.numbers(level):
                self.names[node] = name = f"{self.prefix}n{len(self.names)}"
                lines.add(f"{name} = {self.expression(node, {})}")
            for group, nodes in self.lowered.loops(level).items():
                self._loop(lines, group, nodes)
            for node in self.lowered.barriers(level):
                self._barrier(lines, node)

    def _loop(self, lines: Lines, group: Node, nodes: list[Node]) -> None:
        lines.loop(f"for i in range({self.sizes[group]}):")
        local: dict[Node, str] = {}
        for node in nodes:
            expression = self.expression(node, local)
            local[node] = f"{self.prefix}e{len(local)}"
            lines.add(f"{local[node]} = {expression}")
            if node in self.lowered.stored:
                lines.add(f"{self.names[node]}[i] = {local[node]}")
        lines.end()

    def array(self, node: Node) -> str:
        """A whole vector as an array."""
        if node not in self.names:
            raise RuleError(f"internal: {node!r} is needed as an array but was not stored")
        return self.names[node]

    def _barrier(self, lines: Lines, node: Node) -> None:
        if node.op == "call":
            self._call(lines, node)
        elif node.op == "implicit":
            self._implicit(lines, node)
        elif node.op == "matmul":
            lines.add(f"np.dot({self.array(node.args[0])}, {self.array(node.args[1])}, {self.names[node]})")
        elif node.op == "item":
            self.names[node] = name = f"{self.prefix}i{len(self.names)}"
            lines.add(f"{name} = {self.array(node.args[0])}[{node.data}]")
        else:
            self._reduction(lines, node)

    def _call(self, lines: Lines, node: Node) -> None:
        oracle = node.data[0]
        args = [self.value(a, {}) if self.layout.scalar[a] else self.array(a) for a in node.args]
        if self.layout.scalar[node]:
            self.names[node] = name = f"{self.prefix}c{len(self.names)}"
            lines.add(f"{name} = {oracle}_({', '.join(args)}, data_{oracle})")
        else:
            lines.add(f"{oracle}_({', '.join([*args, self.names[node]])}, data_{oracle})")

    def _implicit(self, lines: Lines, node: Node) -> None:
        index = len(self.roots_used)
        self.roots_used.append(node)
        picks = []
        for unknown in node.data[0]:
            pick = f"root{index}_{len(picks)}_"
            self.temporaries[pick] = self.size(unknown)
            picks.append(pick)
        for i, pick in enumerate(picks):
            self.names[Node("pick", node, data=i)] = pick
        inputs = [self.value(a, {}) if self.layout.scalar[a] else self.array(a) for a in node.args]
        guess = [self._guess(u, i) for i, u in enumerate(node.data[0])]
        lines.add(*(f"{p}[:] = {g}" for p, g in zip(picks, guess)))
        data = [f"data_{o}" for o in residual_oracles(node)]
        lines.add(f"solved = root{index}_({', '.join([*picks, *inputs, *data])}) and solved")

    def _guess(self, unknown: Node, index: int) -> str:
        """Newton's method starts from the current state: the i-th unknown from the i-th state of the same length."""
        vectors = [n for n in self.names if n.op == "state" and not self.layout.scalar[n]]
        same = [n for n in vectors if self.layout.group(n) is self.layout.group(unknown)]
        return self.names[same[min(index, len(same) - 1)]] if same else "0.0"

    def _reduction(self, lines: Lines, node: Node) -> None:
        self.names[node] = name = f"{self.prefix}r{len(self.names)}"
        args = [self.value(a, {}) for a in node.args]
        product = {"norm": f"{args[0]}*{args[0]}", "dot": "*".join(args)}.get(node.op, args[0])
        vector = next((a for a in node.args if not self.layout.scalar[a]), None)
        if vector is None:
            lines.add(f"{name} = {f'math.sqrt({product})' if node.op == 'norm' else product}")
            return
        lines.add(f"{name} = 0.0")
        lines.loop(f"for i in range({self.size(vector)}):").add(f"{name} += {product}")
        lines.end()
        if node.op == "norm":
            lines.add(f"{name} = math.sqrt({name})")
        if node.op == "mean":
            lines.add(f"{name} = {name}/{self.size(vector)}")


def residual_oracles(node: Node) -> list[str]:
    """Names of the oracles that the residuals of an implicit node call."""
    inner = walk(node.data[1], stop=set(node.args))
    return list(dict.fromkeys(n.data[0] for n in inner if n.op == "call"))
