"""Derivatives of traced expressions: reverse mode for gradients, forward mode for Hessian-vector products."""
from __future__ import annotations

from fractions import Fraction
from typing import Callable

from .errors import RuleError
from .expr import COMPARISONS, LEAVES, Node, constant, walk

ZERO, ONE, HALF = constant(0), constant(1), constant(Fraction(1, 2))
SCALAR_OPS = frozenset(("norm", "dot", "mean", "sum", "item", "size", "const", "pi", "param"))


def scalar_table(nodes: list[Node], scalars: frozenset[str] = frozenset()) -> dict[Node, bool]:
    """Which nodes are one number whatever the dimension is."""
    table: dict[Node, bool] = {}
    for n in nodes:
        if n.op in SCALAR_OPS:
            table[n] = True
        elif n.op in LEAVES or n.op in ("matmul", "unit", "like", "call"):
            table[n] = n.op == "state" and n.data in scalars
        else:
            table[n] = all(table[a] for a in n.args)
    return table


def _slope_of_max(a: Node, b: Node) -> Node:
    """Derivative of max(a, b) in a; one half at a tie, so that both sides share it."""
    return Node("where", Node("gt", a, b), ONE, Node("where", Node("lt", a, b), ZERO, HALF))


def _power_slopes(n: Node, a: Node, b: Node) -> tuple[Node, Node | None]:
    if b.op == "const":
        return (2*a if b.data == 2 else b*a**constant(b.data - 1)), None
    return b*a**(b - 1), n*Node("log", a)


# slopes(node, *args) -> the derivative of an entry-by-entry operation in each argument, None where it is zero
SLOPES: dict[str, Callable] = {
    "add": lambda n, a, b: (ONE, ONE), "sub": lambda n, a, b: (ONE, -ONE), "neg": lambda n, a: (-ONE,),
    "mul": lambda n, a, b: (b, a), "div": lambda n, a, b: (1/b, -n/b), "pow": _power_slopes, "mod": lambda n, a, b: (ONE, None),
    "sqrt": lambda n, a: (HALF/n,), "exp": lambda n, a: (n,), "log": lambda n, a: (1/a,),
    "sin": lambda n, a: (Node("cos", a),), "cos": lambda n, a: (-Node("sin", a),), "tanh": lambda n, a: (1 - n*n,),
    "abs": lambda n, a: (Node("sign", a),), "sign": lambda n, a: (None,),
    "where": lambda n, c, a, b: (None, Node("where", c, ONE, ZERO), Node("where", c, ZERO, ONE)),
    "max": lambda n, a, b: (_slope_of_max(a, b), _slope_of_max(b, a)), "min": lambda n, a, b: (_slope_of_max(b, a),
                                                                                               _slope_of_max(a, b)),
    **{op: (lambda n, a, b: (None, None)) for op in COMPARISONS}}


def times(slope: Node, other: Node) -> Node:
    """A product without the trivial factors that derivatives are full of."""
    if slope is ONE:
        return other
    if other is ONE:
        return slope
    if slope.op == "neg" and slope.args[0] is ONE:
        return -other
    return slope*other


def plus(a: Node | None, b: Node) -> Node:
    return b if a is None else a + b


def gradient(output: Node, wrt: Node) -> Node:
    """The gradient of a scalar expression in a vector leaf, by one reverse sweep."""
    nodes = walk([output])
    scalar = scalar_table(nodes)
    if not scalar[output]:
        raise RuleError("f(x) is a vector, expected one number; sum it with mean(...), dot(...) or .sum()")
    reached = {wrt}
    for n in nodes:
        if any(a in reached for a in n.args):
            reached.add(n)
    adjoint: dict[Node, Node] = {output: ONE}
    for node in reversed(nodes):
        if node in adjoint and node in reached and node.op not in LEAVES:
            for arg, part, whole in _pull(node, adjoint[node], scalar):
                if arg in reached:
                    part = Node("sum", part) if scalar[arg] and not whole else part
                    adjoint[arg] = plus(adjoint.get(arg), part)
    return adjoint.get(wrt, times(ZERO, wrt))


def _pull(node: Node, seed: Node, scalar: dict[Node, bool]) -> list[tuple[Node, Node, bool]]:
    """(argument, adjoint, whether it is already one number) for each argument of a node."""
    args = node.args
    if node.op == "dot":
        return [(args[0], times(seed, args[1]), False), (args[1], times(seed, args[0]), False)]
    if node.op == "norm":
        return [(args[0], times(seed, args[0]/node), False)]
    if node.op == "sum":
        return [(args[0], Node("like", seed, args[0]), False)]
    if node.op == "mean":
        return [(args[0], Node("like", seed/Node("size", args[0]), args[0]), False)]
    if node.op == "item":
        return [(args[0], Node("unit", seed, args[0], data=node.data), False)]
    if node.op == "matmul":
        matrix, vector = args
        if matrix.op != "array":
            raise RuleError("the derivative of a product with a matrix parameter: expected a constant array; give the gradient "
                            "as a function")
        return [(vector, Node("matmul", Node("array", data=matrix.data.T), seed), False)]
    slopes = SLOPES.get(node.op)
    if slopes is None:
        raise RuleError(f"{node.op} has no derivative here; give the gradient as a function of its own")
    return [(a, times(s, seed), scalar[node])
            for a, s in zip(args, slopes(node, *args)) if s is not None]


def derivative(outputs: list[Node], wrt: dict[Node, Node]) -> list[Node]:
    """The directional derivative of expressions, where `wrt` gives each leaf its direction: one forward sweep."""
    tangent: dict[Node, Node] = dict(wrt)
    for node in walk(outputs):
        if node.op in LEAVES or not any(a in tangent for a in node.args):
            continue
        found = _push(node, tangent)
        if found is not None:
            tangent[node] = found
    return [tangent.get(o, times(ZERO, o)) for o in outputs]


def _push(node: Node, tangent: dict[Node, Node]) -> Node | None:
    args = node.args
    if node.op in ("sum", "mean", "item"):
        return Node(node.op, tangent[args[0]], data=node.data)
    if node.op in ("unit", "like"):                                        # the second argument only lends its shape
        return Node(node.op, tangent[args[0]], args[1], data=node.data) if args[0] in tangent else None
    if node.op == "size":
        return None
    if node.op == "norm":
        return Node("dot", args[0], tangent[args[0]])/node
    found: Node | None = None
    if node.op in ("dot", "matmul"):
        for i, a in enumerate(args):
            if a in tangent:
                moved = [tangent[a] if j == i else b for j, b in enumerate(args)]
                found = plus(found, Node(node.op, *moved))
        return found
    for a, slope in zip(args, SLOPES[node.op](node, *args)):
        if slope is not None and a in tangent:
            found = plus(found, times(slope, tangent[a]))
    return found
