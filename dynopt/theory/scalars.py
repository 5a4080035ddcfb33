"""Scalar states that drive themselves, such as FISTA's theta: where they go, proved, and the rule that is left then.

A sequence s -> f(s) that starts at s_0 grows without bound where f(s) > s for all s >= s_0, and settles at a root r of
f(s) = s where f(s) lies strictly between s and r (or on r) for all s between s_0 and r. Both are questions for z3.
"""
from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr, Matrix, Poly, oo, sqrt

from ..core.expr import Node, evaluate, walk
from ..core.program import Program
from ..core.rule import Rule
from .algebra import LinearizeError, leaf_value, operation
from .atoms import make
from .generators import Generators
from .limits import K, limit
from .reduce import Context


@dataclass(frozen=True)
class Driven:
    """A scalar state, the symbol that stands for it, and its limit (oo where it grows without bound)."""

    name: str
    symbol: Dummy
    limit: Expr


def driven(rule: Rule, program: Program) -> list[Driven]:
    """The self-driven scalars of a rule with their limits; raises LinearizeError where a limit is not found."""
    found = []
    for name, node in zip(program.state, program.outputs):
        states = {n.data for n in walk([node]) if n.op == "state"}
        if name in program.scalars and states == {name} and not any(n.op in ("call", "past", "implicit") for n in walk([node])):
            s = Dummy(name, real=True)
            update, start = _update(node, s), rule.defaults.get(name)
            if start is None:
                raise LinearizeError(f"the scalar {name} has no default, so its limit is not known; write `{name}: Scalar = 1`")
            found.append(Driven(name, s, _limit(name, update, sympy.nsimplify(start, rational=True), s)))
    return found


def _update(node: Node, s: Dummy) -> Expr:
    return evaluate([node], lambda n: s if n.op == "state" else leaf_value(n, {}), operation)[0]


def _limit(name: str, update: Expr, start: Expr, s: Dummy) -> Expr:
    if update.has(K):                                                   # what happens at k = 0 may differ from all later steps
        start = sympy.cancel(update.subs({K: 0, s: start}))
        update = limit(update, K, [])
    if _grows(update, start, s):
        return oo
    for r in _fixed_points(update, s):
        if _settles(update, start, r, s):
            return r
    raise LinearizeError(f"the scalar {name} follows {name} -> {update.subs(s, sympy.Symbol(name))}, and where that leads is not known; "
                         "replace it by its limit with a parameter of its own")


def _context(*expressions: Expr) -> tuple[Context, list[Expr]]:
    generators = Generators()
    shown = [generators.polynomial(e) for e in expressions]
    return Context(tuple(generators.facts), ms=2000), shown


def _grows(update: Expr, start: Expr, s: Dummy) -> bool:
    context, (f, s0) = _context(update, start)
    return context.impossible(*make(s - s0, ">="), *make(s - f, ">="))


def _fixed_points(update: Expr, s: Dummy) -> list[Expr]:
    """Roots of f(s) = s where that is a polynomial equation of degree one or two, in the form that survives a vanishing square."""
    over = sympy.numer(sympy.cancel(sympy.together(update - s)))
    if not over.is_polynomial(s):
        return []
    coefficients = Poly(over, s).all_coeffs()
    if len(coefficients) == 2:
        return [-coefficients[1]/coefficients[0]]
    if len(coefficients) != 3:
        return []
    a, b, c = (e.factor() for e in coefficients)
    root = sqrt(sympy.factor(b**2 - 4*a*c))
    return [sympy.factor(sympy.radsimp(2*c/(-b + mark*root), symbolic=False)) for mark in (1, -1)]


def _settles(update: Expr, start: Expr, r: Expr, s: Dummy) -> bool:
    context, (f, s0, end) = _context(update, start, r)
    for up in (1, -1):
        between = (*make(up*(s - s0), ">="), *make(up*(end - s), ">"))
        if (context.impossible(*make(up*(s0 - end), ">")) and context.impossible(*between, *make(up*(s - f), ">="))
                and context.impossible(*between, *make(up*(f - end), ">"))):
            return True
    return False


def settled(matrix: Matrix, scalars: list[Driven]) -> Matrix:
    """The matrix where the scalars have reached their limits."""
    for d in scalars:
        matrix = matrix.applyfunc(lambda e, d=d: sympy.limit(e, d.symbol, oo) if d.limit == oo else e.subs(d.symbol, d.limit))
    if matrix.has(oo, -oo, sympy.zoo, sympy.nan):
        raise LinearizeError("the rule has no limit as its scalar state grows")
    return matrix
