"""Derived formulas on their way to the page: expressions become JavaScript, LaTeX becomes trees of MathML that carry no markup."""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Sequence
from xml.etree import ElementTree

import sympy

from ..core.expr import Node, constant, leaf
from ..emit.js import js_numbers
from ..report.mathml import mathml

UNARY = {sympy.Abs: "abs", sympy.exp: "exp", sympy.log: "log", sympy.sin: "sin", sympy.cos: "cos", sympy.tanh: "tanh",
         sympy.sign: "sign"}
FOLDED = {sympy.Add: "add", sympy.Mul: "mul", sympy.Max: "max", sympy.Min: "min"}
RELATIONS = {sympy.StrictGreaterThan: "gt", sympy.GreaterThan: "ge", sympy.StrictLessThan: "lt", sympy.LessThan: "le",
             sympy.Equality: "eq", sympy.Unequality: "ne"}


class Unprintable(Exception):
    """An expression that has no JavaScript here."""


def node(expr: Any) -> Node:
    """The operations of a sympy expression as a node; raises Unprintable for what numbers cannot compute."""
    if expr.is_Symbol:
        return leaf("param", str(expr))
    if expr.is_Rational:
        return constant(Fraction(int(expr.p), int(expr.q)))
    if expr is sympy.pi:
        return leaf("pi", None)
    kind = type(expr)
    if isinstance(expr, sympy.Pow):
        base, power = map(node, expr.args)
        return Node("sqrt", base) if expr.exp == sympy.Rational(1, 2) else Node("pow", base, power)
    if kind in UNARY:
        return Node(UNARY[kind], node(expr.args[0]))
    if kind in RELATIONS:
        return Node(RELATIONS[kind], *map(node, expr.args))
    if kind in FOLDED:
        found, *rest = map(node, expr.args)
        for other in rest:
            found = Node(FOLDED[kind], found, other)
        return found
    raise Unprintable(f"{kind.__name__} has no JavaScript here")


def function(exprs: Sequence[Any], names: Sequence[str]) -> str | None:
    """Expressions as `(p, out) => out` in JavaScript, or None where one of them cannot be printed."""
    try:
        nodes = [node(e) for e in exprs]
    except Unprintable:
        return None
    known = set(names)
    free = {str(s) for e in exprs for s in e.free_symbols}
    return js_numbers(nodes, names) if free <= known else None


def verdict(conditions: Sequence[Sequence[Any]], names: Sequence[str]) -> str | None:
    """A union of conjunctions as `(p, out) => out` with one number: 1 inside, 0 outside."""
    try:
        union = None
        for conjunction in conditions:
            inside = constant(1)
            for relation in conjunction:
                inside = Node("where", node(relation), inside, constant(0))
            union = inside if union is None else Node("max", union, inside)
    except Unprintable:
        return None
    free = {str(s) for c in conditions for r in c for s in r.free_symbols}
    return js_numbers([union], names) if union is not None and free <= set(names) else None


def tree(latex: str) -> list:
    """A formula as nested lists [tag, attributes, children] of MathML, which the page builds element by element."""
    try:
        return _listed(ElementTree.fromstring(mathml(latex)))
    except ElementTree.ParseError:
        return ["math", {}, [["mtext", {}, [latex]]]]


def lines(latex: str) -> list[list]:
    """A formula of several aligned lines as one tree a line."""
    bare = latex.strip("$ ").removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    return [tree(line) for line in bare.split("\\\\") if line.strip()]


def _listed(element: ElementTree.Element) -> list:
    children: list[Any] = [element.text] if element.text else []
    for child in element:
        children.append(_listed(child))
        if child.tail:
            children.append(child.tail)
    return [element.tag, dict(element.attrib), children]
