"""The coefficients of trees: quotients of polynomials in the parameters, kept in lowest terms, or any expression at a higher price."""
from __future__ import annotations

from typing import Any, Iterable

import sympy
from sympy import Expr

from ..core.expr import Node, walk
from ..core.program import Program
from .symbols import symbol

CLOCK = symbol("t")


class Quotients:
    """Elements of QQ(parameters, t); a parameter under a square root is the square of a generator."""

    def __init__(self, names: Iterable[str], squared: Iterable[str] = ()):
        parameters = [symbol(n) for n in names if n not in ("h", "k", "t")]
        roots = {symbol(n): sympy.Dummy(n, positive=True) for n in squared}
        self.squares = {s: g**2 for s, g in roots.items()}
        self.back = {g: sympy.sqrt(s) for s, g in roots.items()}
        self.clock = CLOCK
        self.field: Any = sympy.field([*(roots.get(s, s) for s in dict.fromkeys(parameters)), CLOCK], sympy.QQ)[0]
        self._known: dict[Expr, Any] = {}

    def of(self, e: Any) -> Any:
        """The element of an expression; ValueError where it is no quotient of polynomials."""
        if not isinstance(e, Expr):
            return e if not isinstance(e, int) else self.field(e)
        if e not in self._known:
            self._known[e] = self.field.from_expr(e.subs(self.squares) if self.squares else e)
        return self._known[e]

    def expr(self, c: Any) -> Expr:
        return c.as_expr().subs(self.back) if self.back else c.as_expr()

    def slope(self, c: Any) -> Any:
        """The derivative with respect to the time."""
        return c.diff(self.field.gens[-1])

    def neat(self, c: Any) -> Any:
        return c


class Expressions:
    """Coefficients that are no such quotients (exponentials, roots of sums): sympy's own arithmetic."""

    @staticmethod
    def of(e: Any) -> Expr:
        return sympy.Integer(e) if isinstance(e, int) else e

    @staticmethod
    def expr(c: Expr) -> Expr:
        return c

    @staticmethod
    def slope(c: Expr) -> Expr:
        return sympy.diff(c, CLOCK)

    @staticmethod
    def neat(c: Expr) -> Expr:
        return c if c.is_Rational or c.is_Symbol else sympy.cancel(c)


Coefficients = Quotients | Expressions


def under_roots(program: Program) -> set[str]:
    """Parameters that stand under a root."""
    inside = [n for n in walk(program.outputs) if n.op == "sqrt" or (n.op == "pow" and _fractional(n.args[1]))]
    return {n.data for n in walk(inside) if n.op == "param"} - {"h", "k", "t"}


def _fractional(exponent: Node) -> bool:
    return exponent.op != "const" or exponent.data.denominator != 1


def coefficients_of(*programs: Program) -> Coefficients:
    """What holds the coefficients of these programs; whether quotients do shows at the first one that is none."""
    names = dict.fromkeys(p for program in programs for p in sorted(program.params))
    squared = set().union(*(under_roots(program) for program in programs))
    return Quotients(names, [n for n in names if n in squared])
