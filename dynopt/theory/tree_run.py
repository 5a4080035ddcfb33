"""Rules on elements: a program run where states are series in h whose terms are trees."""
from __future__ import annotations

from typing import Any, Callable

import sympy
from sympy import Expr, Integer

from ..core.expr import Node, evaluate
from ..core.program import Program
from .trees import Algebra, Element, NoTrees


def run(program: Program, algebra: Algebra, states: dict[str, Element], values: Callable[[str], Expr]) -> list[Element]:
    """The outputs of a rule on elements; `values` gives parameters (and the clocks) as expressions of h and t."""
    def leaf(node: Node) -> Any:
        if node.op == "state":
            return states[node.data]
        if node.op == "param":
            return values(node.data)
        if node.op == "const":
            return sympy.Rational(node.data.numerator, node.data.denominator)
        if node.op == "pi":
            return sympy.pi
        raise NoTrees(f"{node!r} is no state, number or parameter; modified equations need linear combinations of states and gradients")

    def apply(node: Node, args: list) -> Any:
        vector = [isinstance(a, dict) for a in args]
        if node.op == "implicit":
            return _solved(node, args, algebra, leaf, apply)
        if node.op == "pick":
            return args[0][node.data]
        if node.op == "call":
            kind = node.data[0]
            if kind == "grad":
                return algebra.gradient(args[0])
            if kind in ("hess", "hess2", "hess3"):
                return algebra.gradient(args[0], args[1:])
            raise NoTrees(f"{kind}(...) has no expansion in derivatives of f; modified equations need states and gradients alone")
        if not any(vector):
            return number(node, args)
        if node.op in ("add", "sub") and all(vector):
            return algebra.add(args[0], args[1], 1 if node.op == "add" else -1)
        if node.op in ("add", "sub") and args[1 - vector.index(True)] == 0:
            return algebra.scale(Integer(-1 if node.op == "sub" and vector[1] else 1), args[vector.index(True)])
        if node.op == "neg":
            return algebra.scale(Integer(-1), args[0])
        if node.op == "mul" and not all(vector):
            return algebra.scale(args[vector.index(False)], args[vector.index(True)])
        if node.op == "div" and not vector[1]:
            return algebra.scale(1/args[1], args[0])
        raise NoTrees(f"{node!r:.60} is not a linear combination of states and gradients, so it has no expansion in trees")
    return evaluate(program.outputs, leaf, apply)


def _solved(node: Node, args: list, algebra: Algebra, leaf: Callable, apply: Callable) -> list[Element]:
    """The unknowns of an implicit stage: y <- y - residual(y) from the state, each sweep right to one more order."""
    unknowns, residuals = node.data
    found = [algebra.state(algebra.base) for _ in unknowns]
    for _ in range(algebra.order + len(found) + 2):
        left = evaluate(residuals, leaf, apply, known={**dict(zip(node.args, args)), **dict(zip(unknowns, found))})
        found = [algebra.add(y, r, -1) for y, r in zip(found, left)]
        if not any(left):
            return found
    raise NoTrees("implicit(...) has no solution near the state as h -> 0, or its residual is not the unknown minus an expression")


def number(node: Node, args: list[Expr]) -> Expr:
    a = args[0]
    plain = {"add": lambda: a + args[1], "sub": lambda: a - args[1], "mul": lambda: a*args[1], "div": lambda: a/args[1],
             "pow": lambda: a**args[1], "neg": lambda: -a, "sqrt": lambda: sympy.sqrt(a), "exp": lambda: sympy.exp(a),
             "log": lambda: sympy.log(a), "sin": lambda: sympy.sin(a), "cos": lambda: sympy.cos(a), "tanh": lambda: sympy.tanh(a)}
    if node.op not in plain:
        raise NoTrees(f"{node!r:.60} is no smooth function of the parameters near h = 0")
    return plain[node.op]()
