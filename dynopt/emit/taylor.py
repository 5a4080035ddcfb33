"""Taylor coefficients of the solution of a flow, by recurrences printed from the traced program with its gradients written in.

`jets(t, J, w, K)` gets the state in J[:n, 0] and fills J[row, k], the k-th coefficient in the time of every value in the program
(Moore 1966; the recurrences in Hairer, Norsett, Wanner 1993, section I.8).
"""
from __future__ import annotations

from typing import Callable, Sequence

from ..core.expr import COMPARISONS, Node, constant, evaluate, leaf, replace, walk
from ..core.problem import Field
from ..core.program import Program
from .layout import Layout
from .loops import CALLS, INFIX, Lines
from .rates import Place, Rates, place_all

ONE, ZERO = constant(1), constant(0)
KNOWN = {"add", "sub", "mul", "div", "neg", "pow", "mod", "sqrt", "exp", "log", "sin", "cos", "tanh", "sign", "where", "dot", "sum", "item",
         "unit", "like", "size", "matmul", "state", "param", "const", "pi", "array", *COMPARISONS}


def inlined(program: Program, fields: dict[str, Field]) -> list[Node] | None:
    """The outputs with oracle calls replaced by the expressions of the problem, in operations that have recurrences; else None."""
    def rebuilt(node: Node, args: list[Node]) -> Node:
        if node.op == "call":
            field = fields[node.data[0]]
            return replace([field.node], {leaf("state", a): v for a, v in zip(field.args, args)})[0]
        return Node(node.op, *args, data=node.data)
    if any(n.op in ("implicit", "past") or n.op == "call" and (n.data[0] not in fields or fields[n.data[0]].node is None)
           for n in program.everything):
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
    if n == 0:
        return ONE
    half = _whole_power(base, n//2) if n > 1 else ONE
    return base if n == 1 else half*half if n % 2 == 0 else half*half*base


def _moves(node: Node) -> bool:
    """Whether a value changes along the solution."""
    return any(n.op == "state" or (n.op == "param" and n.data == "t") for n in walk([node]))


class Jets:
    """Rows of J for the values of a program, and the source that fills them."""

    def __init__(self, program: Program, outputs: list[Node], dims: Sequence[int], vectors: dict[str, int], matrices: dict[str, tuple]):
        self.program, self.outputs, self.dims = program, outputs, list(dims)
        self.states = [leaf("state", s) for s in program.state]
        wide = [s for s in self.states if s.data not in program.scalars]
        self.order = walk(outputs)
        self.constants = tuple(n for n in self.order if n.op == "array")
        held = [*(leaf("param", p) for p in matrices), *(c for c in self.constants if c.data.values.ndim == 2)]
        self.layout = Layout(outputs, [*wide, *(leaf("param", p) for p in vectors)], held)
        self.params = sorted({n.data for n in self.order if n.op == "param"} - {"k", "t"})
        self.places = place_all(self.params, vectors, matrices, self.constants)
        self.size_of = self._sizes(vectors, matrices)
        self.moves = {n: False for n in self.order}
        for n in self.order:
            self.moves[n] = n.op == "state" or (n.op == "param" and n.data == "t") or (n.op != "size" and any(self.moves[a] for a in n.args))
        self.row: dict[Node, int] = {}
        self.pair: dict[Node, int] = {}
        self.name: dict[Node, str] = {}
        self.rows = 0
        for s, d in zip(self.states, self.dims):
            self._claim(s, d)

    def _claim(self, node: Node, width: int) -> int:
        self.row[node] = at = self.rows
        self.rows += width
        return at

    def _sizes(self, vectors: dict[str, int], matrices: dict[str, tuple]) -> Callable[[Node], int]:
        group = self.layout.group
        known: dict[Node, int] = {group(s): d for s, d in zip(self.states, self.dims) if s in self.layout.scalar and not self.layout.scalar[s]}
        known |= {group(leaf("param", p)): n for p, n in vectors.items() if leaf("param", p) in self.layout.scalar}
        for n in self.order:
            if n.op == "array" and n not in self.layout.matrices:
                known.setdefault(group(n), n.data.values.shape[0])
            elif n.op == "matmul":
                shape = n.args[0].data.values.shape if n.args[0].op == "array" else matrices[n.args[0].data]
                known.setdefault(group(n), shape[0])
        return lambda n: 1 if self.layout.scalar[n] else known.get(group(n), self.dims[0])

    # -- names of values ------------------------------------------------------------------------------------------
    def at(self, node: Node, k: str, i: str = "i") -> str:
        """Coefficient k of a value (entry i): constants have the zeroth only."""
        if node.op == "const":
            return f"({float(node.data)!r} if {k} == 0 else 0.0)" if k != "0" else f"({float(node.data)!r})"
        if node in self.name:
            value = self.name[node] if self.layout.scalar[node] else f"{self.name[node]}[{i}]"
            return value if k == "0" else f"({value} if {k} == 0 else 0.0)"
        return f"J[{self.row[node]}{'' if self.layout.scalar[node] else f' + {i}'}, {k}]"

    def still(self, node: Node, i: str = "i") -> str:
        """A value that does not move."""
        return self.at(node, "0", i)

    # -- the source -----------------------------------------------------------------------------------------------
    def source(self) -> Rates:
        lines = Lines()
        for place in self.places:
            self._bind(lines, place)
        self.name[Node("pi")] = "math.pi"
        self.name[leaf("param", "k")] = "0.0"
        for node in self.order:
            if not self.moves[node] and node not in self.name and node.op not in ("const", "array", "param"):
                self._constant(lines, node)
        body = Lines()
        body.depth = 2
        for node in self.order:
            if self.moves[node] and node not in self.row:
                self._step(body, node)
        lines.add("for k in range(K):")
        lines.extend(body or ["        pass"])
        lines.depth = 2
        for s, d, out in zip(self.states, self.dims, self.outputs):
            lines.add(f"for i in range({d}):", f"    J[{self.row[s]} + i, k + 1] = {self.at(out, 'k')}/(k + 1.0)")
        return Rates("def jets(t, J, w, K):\n" + "\n".join(lines) + "\n", self.places, max((p.stop for p in self.places), default=0),
                     self.constants, ())

    def _bind(self, lines: Lines, place: Place) -> None:
        node = self.constants[int(place.name)] if place.kind == "constant" else leaf("param", place.name)
        self.name[node] = name = f"c{place.name}" if place.kind == "constant" else f"p_{self.params.index(place.name)}"
        shape = f".reshape({place.shape})" if len(place.shape) > 1 else ""
        lines.add(f"{name} = w[{place.start}]" if place.kind == "number" else f"{name} = w[{place.start}:{place.stop}]{shape}")

    def _constant(self, lines: Lines, node: Node) -> None:
        """A value of parameters alone, once."""
        self.name[node] = name = f"n{len(self.name)}"
        if self.layout.scalar[node]:
            if node.op in ("dot", "sum"):
                lines.add(f"{name} = 0.0", f"for i in range({self.size_of(node.args[0])}):",
                          f"    {name} += {'*'.join(self.still(a) for a in node.args)}")
            else:
                lines.add(f"{name} = {self._plain(node)}")
            return
        lines.add(f"{name} = np.empty({self.size_of(node)})")
        if node.op == "matmul":
            lines.add(f"np.dot({self.name[node.args[0]]}, {self.name[node.args[1]]}, {name})")
        else:
            lines.add(f"for i in range({self.size_of(node)}):", f"    {name}[i] = {self._plain(node)}")

    def _plain(self, node: Node) -> str:
        """An operation on zeroth coefficients."""
        if node.op == "size":
            return repr(float(self.size_of(node.args[0])))
        if node.op == "item":
            return self.still(node.args[0], str(node.data % self.size_of(node.args[0])))
        if node.op == "unit":
            return f"({self.still(node.args[0])} if i == {node.data % self.size_of(node)} else 0.0)"
        args = [self.still(a) for a in node.args]
        if node.op in COMPARISONS:
            return f"(1.0 if {args[0]} {INFIX[node.op]} {args[1]} else 0.0)"
        if node.op in INFIX:
            return f"{args[0]} {INFIX[node.op]} {args[1]}"
        if node.op == "where":
            return f"({args[1]} if {args[0]} != 0.0 else {args[2]})"
        return {"neg": lambda: f"-{args[0]}", "like": lambda: args[0], "pow": lambda: f"math.pow({args[0]}, {args[1]})"}.get(
            node.op, lambda: f"{CALLS[node.op]}({args[0]})")()

    def _step(self, lines: Lines, node: Node) -> None:
        """Coefficient k of one value from lower ones."""
        width = self.size_of(node)
        if node.op == "param":                                                   # the time itself
            self._claim(node, 1)
            lines.add(f"J[{self.row[node]}, k] = t if k == 0 else (1.0 if k == 1 else 0.0)")
            return
        twin = self._twin(node)
        row = self._claim(node, width)
        if twin is not None:
            self.row[twin] = self.rows
            self.rows += width
        if node.op in ("sin", "cos", "tanh"):
            self.pair[node] = self.row[twin] if twin is not None else self._extra(width)
        out = f"J[{row}{'' if self.layout.scalar[node] else ' + i'}, k]"
        if not self.layout.scalar[node]:
            lines.loop(f"for i in range({width}):")
        lines.add(*self._recurrence(node, out))
        if not self.layout.scalar[node]:
            lines.end()

    def _twin(self, node: Node) -> Node | None:
        """The cosine of a sine and the other way round, where the program has both."""
        other = {"sin": "cos", "cos": "sin"}.get(node.op)
        found = Node(other, *node.args) if other else None
        return found if found is not None and found in self.moves and found not in self.row else None

    def _extra(self, width: int) -> int:
        at = self.rows
        self.rows += width
        return at

    def _recurrence(self, node: Node, out: str) -> list[str]:
        args, op = node.args, node.op
        a = args[0]
        if op in ("add", "sub"):
            return [f"{out} = {self.at(a, 'k')} {INFIX[op]} {self.at(args[1], 'k')}"]
        if op in ("neg", "like"):
            return [f"{out} = {'-' if op == 'neg' else ''}{self.at(a, 'k')}"]
        if op == "mul":
            return self._product(out, a, args[1])
        if op == "item":
            return [f"{out} = {self.at(a, 'k', str(node.data % self.size_of(a)))}"]
        if op == "unit":
            return [f"{out} = {self.at(a, 'k')} if i == {node.data % self.size_of(node)} else 0.0"]
        if op == "sum":
            return [f"{out} = 0.0", f"for i in range({self.size_of(a)}):", f"    {out} += {self.at(a, 'k')}"]
        if op == "dot":
            inner = self._product("term", a, args[1])
            return ["total = 0.0", f"for i in range({max(self.size_of(a), self.size_of(args[1]))}):", *(f"    {x}" for x in inner), "    total += term", f"{out} = total"]
        if op == "matmul":
            n = self.size_of(args[1])
            return ["acc = 0.0", f"for j in range({n}):", f"    acc += {self.name[a]}[i, j]*{self.at(args[1], 'k', 'j')}", f"{out} = acc"]
        if op in COMPARISONS or op == "sign":
            return [f"{out} = {self._plain(node)} if k == 0 else 0.0"]
        if op == "where":
            return [f"{out} = {self.at(args[1], 'k')} if {self.at(a, '0')} != 0.0 else {self.at(args[2], 'k')}"]
        if op == "mod":
            return [f"{out} = {self._plain(node)} if k == 0 else {self.at(a, 'k')}"]
        return self._function(node, out, a)

    def _product(self, out: str, a: Node, b: Node) -> list[str]:
        if not self.moves[a]:
            return [f"{out} = {self.still(a)}*{self.at(b, 'k')}"]
        if not self.moves[b]:
            return [f"{out} = {self.at(a, 'k')}*{self.still(b)}"]
        return ["acc = 0.0", "for j in range(k + 1):", f"    acc += {self.at(a, 'j')}*{self.at(b, 'k - j')}", f"{out} = acc"]

    def _function(self, node: Node, out: str, a: Node) -> list[str]:
        """Division, powers and elementary functions; `c` is the value itself, of which lower coefficients are known."""
        def c(k: str) -> str:
            return out.replace(", k]", f", {k}]")
        A, op = (lambda k: self.at(a, k)), node.op
        if op == "div":
            b = node.args[1]
            if not self.moves[b]:
                return [f"{out} = {A('k')}/{self.still(b)}"]
            return [f"acc = {A('k')}", "for j in range(1, k + 1):", f"    acc -= {self.at(b, 'j')}*{c('k - j')}", f"{out} = acc/{self.at(b, '0')}"]
        if op == "sqrt":
            return ["if k == 0:", f"    {out} = math.sqrt({A('0')})", "else:", f"    acc = {A('k')}", "    for j in range(1, k):",
                    f"        acc -= {c('j')}*{c('k - j')}", f"    {out} = acc/(2.0*{c('0')})"]
        if op == "pow":
            p = self.still(node.args[1])
            return ["if k == 0:", f"    {out} = math.pow({A('0')}, {p})", "else:", "    acc = 0.0", "    for j in range(1, k + 1):",
                    f"        acc += (j*{p} - (k - j))*{A('j')}*{c('k - j')}", f"    {out} = acc/(k*{A('0')})"]
        if op == "exp":
            return ["if k == 0:", f"    {out} = math.exp({A('0')})", "else:", "    acc = 0.0", "    for j in range(1, k + 1):",
                    f"        acc += j*{A('j')}*{c('k - j')}", f"    {out} = acc/k"]
        if op == "log":
            return ["if k == 0:", f"    {out} = math.log({A('0')})", "else:", "    acc = 0.0", "    for j in range(1, k):",
                    f"        acc += j*{c('j')}*{A('k - j')}", f"    {out} = ({A('k')} - acc/k)/{A('0')}"]
        offset = "" if self.layout.scalar[node] else " + i"
        other = f"J[{self.pair[node]}{offset}, k]"

        def d(k: str) -> str:
            return other.replace(", k]", f", {k}]")
        if op == "tanh":                                                             # c' = (1 - c^2) a', with d = 1 - c^2
            return ["if k == 0:", f"    {out} = math.tanh({A('0')})", "else:", "    acc = 0.0", "    for j in range(1, k + 1):",
                    f"        acc += j*{A('j')}*{d('k - j')}", f"    {out} = acc/k",
                    "acc = 1.0 if k == 0 else 0.0", "for j in range(k + 1):", f"    acc -= {c('j')}*{c('k - j')}", f"{other} = acc"]
        sine, cosine = (out, other) if op == "sin" else (other, out)

        def at(which: str, k: str) -> str:
            return which.replace(", k]", f", {k}]")
        return ["if k == 0:", f"    {sine} = math.sin({A('0')})", f"    {cosine} = math.cos({A('0')})", "else:", "    acc, acc2 = 0.0, 0.0",
                "    for j in range(1, k + 1):", f"        acc += j*{A('j')}*{at(cosine, 'k - j')}",
                f"        acc2 -= j*{A('j')}*{at(sine, 'k - j')}", f"    {sine} = acc/k", f"    {cosine} = acc2/k"]

