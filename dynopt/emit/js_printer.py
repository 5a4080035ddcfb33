"""One printer over `Lowered`: JavaScript text of levels, loops, calls and reductions."""
from __future__ import annotations

import math

from ..core.expr import Node, walk
from .loops import Lines, Printer
from .lower import Lowered, is_draw

INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
COMPARES = ("lt", "le", "gt", "ge", "eq", "ne")
CALLS = {"sqrt": "Math.sqrt", "exp": "Math.exp", "log": "Math.log", "sin": "Math.sin", "cos": "Math.cos", "tanh": "Math.tanh",
         "abs": "Math.abs", "sign": "Math.sign", "min": "Math.min", "max": "Math.max", "mod": "mod_", "pow": "pow_"}


def literal(value: float) -> str:
    """A double as JavaScript reads it back to the last bit."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "(-Infinity)"
    return repr(float(value)) if math.copysign(1.0, value) > 0 else f"({float(value)!r})"


class JsLines(Lines):
    """Source lines whose blocks end in a brace."""

    def __init__(self, depth: int):
        super().__init__()
        self.depth = depth

    def add(self, *lines: str) -> None:
        self.extend("  "*self.depth + line for line in lines)

    def end(self) -> None:
        super().end()
        self.add("}")


class JsPrinter(Printer):
    """`names` gives leaves, `sizes` the lengths of groups, `oracles` the names of functions."""

    def __init__(self, lowered: Lowered, names: dict[Node, str], sizes: dict[Node, str], oracles: dict[str, str],
                 prefix: str = "w"):
        super().__init__(lowered, names, sizes, prefix)
        self.oracles = oracles

    def value(self, node: Node, local: dict[Node, str]) -> str:
        if node.op == "const":
            return literal(float(node.data))
        return "Math.PI" if node.op == "pi" else super().value(node, local)

    def expression(self, node: Node, local: dict[Node, str]) -> str:
        if is_draw(node):
            kind = node.data[0].partition("_")[0]
            return f"{kind}_(key, k, {int(node.data[1])}, {'0' if self.layout.scalar[node] else 'i'})"
        if node.op == "size":
            return self.size(node.args[0])
        args = [self.value(a, local) for a in node.args]
        if node.op in INFIX:
            return f"{args[0]} {INFIX[node.op]} {args[1]}"
        if node.op == "pow":
            return _power(node, args)
        if node.op == "neg":
            return f"-{args[0]}"
        if node.op == "where":
            condition = args[0] if node.args[0].op in COMPARES else f"{args[0]} != 0"
            return f"{condition} ? {args[1]} : {args[2]}"
        if node.op == "like":
            return args[0]
        if node.op == "unit":
            return f"i == {_index(node.data, self.size(node))} ? {args[0]} : 0"
        return f"{CALLS[node.op]}({', '.join(args)})"

    def body(self, lines: Lines) -> None:
        for level in range(self.lowered.count):
            for node in self.lowered.numbers(level):
                expression = self.expression(node, {})
                lines.add(f"const {self._number(node, 'n')} = {expression};")
            for group, nodes in self.lowered.loops(level).items():
                self._loop(lines, group, nodes)
            for node in self.lowered.barriers(level):
                self._barrier(lines, node)

    def _number(self, node: Node, kind: str) -> str:
        self.names[node] = name = f"{self.prefix}{kind}{len(self.names)}"
        return name

    def _loop(self, lines: Lines, group: Node, nodes: list[Node]) -> None:
        lines.loop(f"for (let i = 0; i < {self.sizes[group]}; i++) {{")
        local: dict[Node, str] = {}
        for node in nodes:
            expression = self.expression(node, local)
            local[node] = f"{self.prefix}e{len(local)}"
            lines.add(f"const {local[node]} = {expression};")
            if node in self.lowered.stored:
                lines.add(f"{self.names[node]}[i] = {local[node]};")
        lines.end()

    def _barrier(self, lines: Lines, node: Node) -> None:
        if node.op == "call":
            self._call(lines, node)
        elif node.op == "implicit":
            self._implicit(lines, node)
        elif node.op == "matmul":
            lines.add(f"matmul_({self.array(node.args[0])}, {self.array(node.args[1])}, {self.names[node]});")
        elif node.op == "item":
            array, at = self.array(node.args[0]), _index(node.data, self.size(node.args[0]))
            lines.add(f"const {self._number(node, 'i')} = {array}[{at}];")
        else:
            self._reduction(lines, node)

    def _call(self, lines: Lines, node: Node) -> None:
        args = [self.value(a, {}) if self.layout.scalar[a] else self.array(a) for a in node.args]
        if self.layout.scalar[node]:
            lines.add(f"const {self._number(node, 'c')} = {self.oracles[node.data[0]]}({', '.join(args)});")
        else:
            lines.add(f"{self.oracles[node.data[0]]}({', '.join([*args, self.names[node]])});")

    def _implicit(self, lines: Lines, node: Node) -> None:
        """Newton's method from the current state, on residuals printed as a function of the unknowns."""
        index = len(self.roots_used)
        self.roots_used.append(node)
        unknowns, residuals = node.data
        roots = {u: f"{self.prefix}y{index}_{i}" for i, u in enumerate(unknowns)}
        self.temporaries |= {name: self.size(u) for u, name in roots.items()}
        self.names |= {Node("pick", node, data=i): roots[u] for i, u in enumerate(unknowns)}
        for i, u in enumerate(unknowns):
            guess = self._guess(u, i)
            lines.add(f"{roots[u]}.set({guess});" if guess != "0.0" else f"{roots[u]}.fill(0);")
        inner = Lowered(residuals, self.layout, walk(residuals, stop=set(node.args)))
        known = {a: self.names[a] for a in node.args if a in self.names}
        printer = JsPrinter(inner, known | roots, self.sizes, self.oracles, f"{self.prefix}r{index}_")     # type: ignore[arg-type]
        self.temporaries |= printer.temporaries
        lines.loop(f"solved = newton_([{', '.join(roots.values())}], (r) => {{")
        printer.body(lines)
        at = "0"
        for u, residual in zip(unknowns, residuals):
            lines.add(f"for (let i = 0; i < {self.size(u)}; i++) r[{at} + i] = {printer.value(residual, {})};")
            at = f"{at} + {self.size(u)}"
        lines.end()
        lines[-1] += ") && solved;"

    def _reduction(self, lines: Lines, node: Node) -> None:
        args = [self.value(a, {}) for a in node.args]
        name = self._number(node, "r")
        product = {"norm": f"{args[0]}*{args[0]}", "dot": "*".join(args)}.get(node.op, args[0])
        vector = next((a for a in node.args if not self.layout.scalar[a]), None)
        if vector is None:
            lines.add(f"const {name} = {f'Math.sqrt({product})' if node.op == 'norm' else product};")
            return
        lines.add(f"let {name} = 0;", f"for (let i = 0; i < {self.size(vector)}; i++) {name} += {product};")
        if node.op == "norm":
            lines.add(f"{name} = Math.sqrt({name});")
        if node.op == "mean":
            lines.add(f"{name} /= {self.size(vector)};")


def _index(place: int, size: str) -> str:
    return str(int(place)) if place >= 0 else f"{size} - {-int(place)}"


def _power(node: Node, args: list[str]) -> str:
    """Squares are products and half powers are roots, as in the Python kernels."""
    exponent = float(node.args[1].data) if node.args[1].op == "const" else None
    special = {2.0: f"{args[0]}*{args[0]}", 1.0: args[0], .5: f"Math.sqrt({args[0]})", -1.0: f"1/{args[0]}", 0.0: "1"}
    return special[exponent] if exponent in special else f"pow_({args[0]}, {args[1]})"
