"""Values on one mode: affine forms in the states, from running a traced program on them.

A value is a tuple of forms, one for each component of the mode (one for a real curvature, two for a complex one or for two
players). A form is a constant and a row of coefficients. Products of states need a point (`at=`) to be linearized at.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

import sympy
from sympy import Expr, Integer, Matrix

from ..core.expr import Node, evaluate
from .algebra import COMPARE, LinearizeError, leaf_value, operation, where

ZERO = Integer(0)
WHY = {"norm": "couples the coordinates, so no single mode exists", "dot": "couples the coordinates, so no single mode exists",
       "mean": "couples the coordinates, so no single mode exists", "sum": "couples the coordinates, so no single mode exists",
       "sign": "has no derivative at the minimum", "abs": "has no derivative at the minimum",
       "min": "is not differentiable in a state", "max": "is not differentiable in a state",
       "where": "depends on a state, so different points follow different rules",
       "matmul": "mixes the coordinates by a matrix", "item": "takes one entry of a vector"}
CURE = ("the mode analysis (grad(x) = lam*x) does not apply; measure with iterate or measured_radius, "
        "freeze a slow state with freeze=(...), or linearize at a point with at={...}")


@dataclass(frozen=True)
class Form:
    """const + sum of row[key]*key."""

    const: Expr = ZERO
    row: dict[Any, Expr] = field(default_factory=dict)

    @property
    def linear(self) -> dict[Any, Expr]:
        return {k: c for k, c in self.row.items() if c != 0}

    def __add__(self, other: "Form") -> "Form":
        row = {k: self.row.get(k, ZERO) + other.row.get(k, ZERO) for k in {**self.row, **other.row}}
        return Form(self.const + other.const, row)

    def __mul__(self, factor: Expr) -> "Form":
        if factor == 0:
            return Form()
        return Form(self.const*factor, {k: c*factor for k, c in self.row.items()})

    __rmul__ = __mul__

    def __neg__(self) -> "Form":
        return self*Integer(-1)

    def __sub__(self, other: "Form") -> "Form":
        return self + -other


Value = tuple[Form, ...]


class Runner:
    """Runs the nodes of a program on forms."""

    def __init__(self, size: int, values: dict[str, Expr], gradient: Callable[[str, list[Value]], Value], nonlinear: bool,
                 flow: bool = False):
        self.size, self.values, self.gradient, self.nonlinear, self.flow = size, values, gradient, nonlinear, flow
        self.registers: dict[str, int] = {}
        self.outer: dict[Node, Value] = {}

    def expected(self, matrix: Matrix) -> Matrix:
        """The mean over the draws; here none was kept."""
        return matrix

    def bounds(self) -> list[Expr]:
        """What must not be negative for the values to be meant."""
        return []

    def run(self, nodes: tuple[Node, ...], known: dict[Node, Value]) -> list[Value]:
        return evaluate(nodes, self.leaf, self.apply, known=known)

    def constant(self, e: Expr) -> Value:
        return (Form(e),)*self.size

    def leaf(self, node: Node) -> Value:
        if node.op == "array":
            raise LinearizeError(f"an array enters the rule, {WHY['matmul']}; " + CURE)
        return self.constant(leaf_value(node, self.values))

    def apply(self, node: Node, args: list[Value]) -> Value:
        if node.op == "call":
            return self._call(node, args)
        if node.op == "implicit":
            return self._implicit(node)
        if node.op == "pick":
            return args[0][node.data*self.size:(node.data + 1)*self.size]
        if node.op == "past":
            return self._past(node, args)
        if node.op == "matmul":
            raise LinearizeError(f"`{node!r}` {WHY['matmul']}; {CURE}")
        return tuple(self._entry(node, [a[i] for a in args]) for i in range(self.size))

    def _entry(self, node: Node, args: list[Form]) -> Form:
        op = node.op
        if not any(a.linear for a in args) and op not in ("norm", "dot", "mean", "sum", "item"):
            return Form(operation(node, [a.const for a in args]))
        if op in ("add", "sub", "neg"):
            return args[0] + args[1] if op == "add" else args[0] - args[1] if op == "sub" else -args[0]
        if op == "mul" and not (args[0].linear and args[1].linear):
            return args[0]*args[1].const if args[0].linear else args[1]*args[0].const
        if op == "div" and not args[1].linear:
            return args[0]*(1/args[1].const)
        if op == "where" and not args[0].linear:
            return _where(*args)
        if self.nonlinear and op not in ("norm", "dot", "mean", "sum", "item", "where", *COMPARE):
            return self._differentiated(node, args)
        shown = repr(node)
        reason = WHY.get(op, f"is {'not linear in' if op in ('mul', 'div', 'pow') else 'no linear function of'} the states")
        raise LinearizeError(f"`{shown if len(shown) < 60 else shown[:57] + '...'}` {reason}; {CURE}")

    def _differentiated(self, node: Node, args: list[Form]) -> Form:
        """First-order expansion at the point; an infinite slope (sqrt at zero) counts for nothing beside a factor zero."""
        slots = [sympy.Dummy(real=True) if a.linear else a.const for a in args]
        function = operation(node, slots)
        point = {s: a.const for s, a in zip(slots, args) if a.linear}
        total = Form(function.subs(point))
        for s, a in zip(slots, args):
            if a.linear:
                slope = function.diff(s).subs(point)
                if slope.has(sympy.nan, sympy.Derivative, sympy.Heaviside) or _at_kink(node.op, args, a):
                    raise LinearizeError(f"`{node!r}` {WHY.get(node.op, 'has no derivative')} at the point; choose another `at=`")
                total = total + Form(ZERO, {k: c*slope for k, c in a.linear.items() if slope != 0})
        return total

    def _call(self, node: Node, args: list[Value]) -> Value:
        name = node.data[0]
        kind = name.partition("_")[0]
        if kind in ("noise", "uniform"):
            return self.constant(ZERO if kind == "noise" else sympy.Rational(1, 2))
        if kind == "grad":
            return self.gradient(name, args)
        if kind == "hess":
            return self.gradient(name, args[1:])
        if kind[:4] == "hess" and kind[4:].isdigit():                       # a derivative of grad beyond the first: a mode has none
            return self.constant(ZERO)
        if kind == "prox":
            shrink = 1/(1 + args[1][0].const*leaf_value(Node("param", data="nu"), self.values))
            return tuple(f*shrink for f in args[0])
        raise LinearizeError(f"{name}(...) is a value, not a linear function of the state; " + CURE)

    def _implicit(self, node: Node) -> Value:
        unknowns, residuals = node.data
        keys = [(u.data, i) for u in unknowns for i in range(self.size)]
        known = {u: tuple(Form(ZERO, {(u.data, i): Integer(1)}) for i in range(self.size)) for u in unknowns}
        known |= self.outer
        rows = [f for value in evaluate(residuals, self.leaf, self.apply, known=known) for f in value]
        if any(r.row.get(k, ZERO).free_symbols & set(keys) for r in rows for k in keys):
            raise LinearizeError("implicit(...) is not linear in its unknown; " + CURE)
        system = Matrix([[r.row.get(k, ZERO) for k in keys] for r in rows])
        determinant = sympy.cancel(system.det(method="berkowitz"))
        if determinant == 0:
            raise LinearizeError("implicit(...) has no unique solution on a mode; check that its residual involves every unknown")
        inverse = (system.adjugate()/determinant).applyfunc(sympy.cancel)
        rest = [Form(r.const, {k: c for k, c in r.row.items() if k not in keys}) for r in rows]
        return tuple(_combination([-inverse[i, j] for j in range(len(rows))], rest) for i in range(len(keys)))

    def _past(self, node: Node, args: list[Value]) -> Value:
        state, delay = node.args[0].data, args[1][0].const
        if self.flow and delay != 0:
            raise LinearizeError(f"past({state}, {delay}) in a flow has infinitely many eigenvalues, not counted here; "
                                 "solve the delayed flow on a mode, or take a scheme of it with a fixed number of steps")
        if not (delay.is_Integer and delay >= 0):
            raise LinearizeError(f"past({state}, {delay}): the delay is no fixed whole number of steps; "
                                 "write it as `tau: int` and fix it with .at(tau=2)")
        steps = int(delay)
        if steps == 0:
            return args[0]
        self.registers[state] = max(self.registers.get(state, 0), steps)
        return tuple(Form(ZERO, {(f"{state}[-{steps}]", i): Integer(1)}) for i in range(self.size))


def _combination(weights: list[Expr], forms: list[Form]) -> Form:
    total = Form()
    for w, f in zip(weights, forms):
        total = total + f*w
    return total


def _at_kink(op: str, args: list[Form], a: Form) -> bool:
    """Whether |.|, sign, min or max turn a corner at the point: where their argument is zero, or their two arguments meet."""
    if op in ("min", "max"):
        return sympy.cancel(args[0].const - args[1].const) == 0
    return op in WHY and a.const == 0


def _where(condition: Form, a: Form, b: Form) -> Form:
    keys = {**a.row, **b.row}
    return Form(where(condition.const, a.const, b.const),
                {k: where(condition.const, a.row.get(k, ZERO), b.row.get(k, ZERO)) for k in keys})
