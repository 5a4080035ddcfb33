"""Formulas as an author writes them: numbers first, what is subtracted last; 1 - beta, never -beta + 1."""
from __future__ import annotations

from typing import Any

from sympy import Expr
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from .letters import Letters

DIGITS = 6                                                               # of a float


def _ordered(terms: list[Expr]) -> list[Expr]:
    return sorted(terms, key=lambda e: (e.could_extract_minus_sign(), not e.is_number))


class _Text(StrPrinter):
    def _as_ordered_terms(self, expr: Expr, order: Any = None) -> list[Expr]:
        return _ordered(super()._as_ordered_terms(expr, order))

    def _print_Float(self, expr: Expr) -> str:
        return f"{float(expr):.{DIGITS}g}"


class _Tex(LatexPrinter):
    def _as_ordered_terms(self, expr: Expr, order: Any = None) -> list[Expr]:
        return _ordered(super()._as_ordered_terms(expr, order))

    def _print_Symbol(self, expr: Any, style: str = "plain") -> str:
        return Letters("latex").symbol(expr) if style == "plain" else super()._print_Symbol(expr, style)


def in_text(e: Any) -> str:
    """The expression in plain text; floats with six digits."""
    return _Text().doprint(e)


def in_latex(e: Any) -> str:
    """The expression in LaTeX."""
    return _Tex().doprint(e.n(DIGITS) if e.is_Float else e)
