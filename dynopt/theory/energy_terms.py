"""The algebra of energies: f(x), and inner products of states and gradients, with coefficients in parameters and the time."""
from __future__ import annotations

from typing import Any, Iterable

import sympy
from sympy import Expr, Integer

from ..core.errors import RuleError
from ..core.expr import Node, evaluate
from ..core.rule import Flow, Rule
from .symbols import symbol
from .tree_run import number

G, HV, VALUE = "grad f", "hess f v", "f"
Vector = dict[str, Expr]
Scalar = dict[Any, Expr]                                # VALUE or a sorted pair of atoms -> coefficient


class NoEnergy(RuleError):
    """An energy or a flow beyond f(x), states, gradients at x and their inner products."""


def pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def inner(a: Vector, b: Vector) -> Scalar:
    out: Scalar = {}
    for s, c in a.items():
        for t, d in b.items():
            out[pair(s, t)] = out.get(pair(s, t), Integer(0)) + c*d
    return out


def combined(a: dict, b: dict, sign: int = 1) -> dict:
    out = dict(a)
    for k, c in b.items():
        out[k] = out.get(k, Integer(0)) + sign*c
    return {k: v for k, c in out.items() if (v := sympy.cancel(sympy.together(c)) if c.is_rational_function() else sympy.expand(c)) != 0}


def scaled(c: Expr, a: dict) -> dict:
    return {k: c*v for k, v in a.items()}


def scalar_of(node: Node, states: dict[str, Vector]) -> Scalar:
    """An energy as {VALUE or pair of vectors: coefficient}."""
    [found] = walk_values([node], states)
    if found[0] == "scalar":
        return found[1]
    raise NoEnergy(f"energy: {node!r:.60} is a {found[0]}, expected one number: f(x), inner products, squared norms and their combinations")


def vectors_of(rule: Rule) -> dict[str, Vector]:
    """The rates of a flow as combinations of states and grad f(x)."""
    found = walk_values(rule.program.outputs, {s: {s: Integer(1)} for s in rule.state})
    if any(k != "vector" for k, _ in found):
        raise NoEnergy(f"{rule.name}: its rates are not combinations of states and gradients")
    return {s: v for s, (_, v) in zip(rule.state, found)}


def walk_values(roots: Iterable[Node], states: dict[str, Vector]) -> list[tuple[str, Any]]:
    first = next(iter(states))

    def value(n: Node) -> tuple[str, Any]:
        if n.op == "state":
            return "vector", states[n.data]
        if n.op == "param":
            return "number", symbol(n.data)
        return "number", sympy.pi if n.op == "pi" else sympy.Rational(n.data.numerator, n.data.denominator)

    def apply(n: Node, args: list) -> tuple[str, Any]:
        kinds, contents = [a[0] for a in args], [a[1] for a in args]
        if n.op == "call":
            return _call(n, contents, first, states)
        if all(k == "number" for k in kinds):
            return "number", number(n, contents)
        if n.op == "norm":
            return "norm", contents[0]
        if n.op in ("sum", "like") and kinds[0] == "scalar":
            return args[0]
        if n.op == "dot" or (n.op == "mul" and kinds in (["vector"]*2, ["norm"]*2) and (kinds[0] == "vector" or contents[0] == contents[1])):
            return "scalar", combined(inner(*contents), {})
        if n.op == "pow" and kinds[0] in ("norm", "vector") and contents[1] == 2:
            return "scalar", combined(inner(contents[0], contents[0]), {})
        if n.op in ("add", "sub") and kinds[0] == kinds[1]:
            return kinds[0], combined(contents[0], contents[1], 1 if n.op == "add" else -1)
        if n.op == "neg":
            return kinds[0], scaled(Integer(-1), contents[0])
        if n.op == "mul" and "number" in kinds and "norm" not in kinds:
            at = kinds.index("number")
            return kinds[1 - at], scaled(contents[at], contents[1 - at])
        if n.op == "div" and kinds[1] == "number" and kinds[0] != "norm":
            return kinds[0], scaled(1/contents[1], contents[0])
        raise NoEnergy(f"{n!r:.60} is no combination of f(x), states and gradients with inner products")
    return evaluate(roots, value, apply)


def _call(n: Node, contents: list, first: str, states: dict[str, Vector]) -> tuple[str, Any]:
    kind = n.data[0]
    if contents and contents[0] != {first: 1}:
        raise NoEnergy(f"{n!r:.60}: energies know f and its gradient at {first} only")
    if kind == "f":
        return "scalar", {VALUE: Integer(1)}
    if kind == "grad":
        return "vector", {G: Integer(1)}
    if kind == "hess" and list(contents[1]) == [list(states)[-1]] and len(states) == 2:
        return "vector", {HV: contents[1][list(states)[-1]]}
    raise NoEnergy(f"{kind}(...) is not known to energies, expected f(x), grad(x) or hess(x, v)")


def rate_of(value: Scalar, flow: Flow) -> Scalar:
    """dE/dt by the product rule."""
    rates = vectors_of(flow)
    x = flow.state[0]
    rates[G] = {HV: Integer(1)} if rates[x] == ({flow.state[-1]: 1} if len(flow.state) == 2 else None) else {}
    total: Scalar = {}
    for key, c in value.items():
        total = combined(total, {key: sympy.diff(c, symbol("t"))})
        if key == VALUE:
            total = combined(total, scaled(c, inner({G: Integer(1)}, rates[x])))
            continue
        for a, b in (key, key[::-1]):
            if a == G and not rates[G]:
                raise NoEnergy(f"{flow.name}: the energy holds grad f(x), whose rate needs x' = {flow.state[-1]}")
            if a == HV:
                raise NoEnergy(f"{flow.name}: the energy holds hess f, whose rate needs third derivatives")
            total = combined(total, scaled(c, inner(rates[a], {b: Integer(1)})))
    return total
