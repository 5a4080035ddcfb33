"""The derivation of a region, one LaTeX line for each step: what a teacher puts on the board."""
from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Callable

import sympy

from .letters import Letters
from .reduce import Context
from .schur import Coefficients, Condition
from .show import write

if TYPE_CHECKING:
    from .linear import Linear

SUBSTITUTION = {"method": (r"z = \frac{1 + s}{1 - s} \text{ sends the unit disk to the left half plane: all of }",
                           r"\text{all roots in } |z| < 1"),
                "flow": (r"\text{all roots in the left half plane: all of }", r"\text{all roots in } \Re z < 0")}


class Lines(Sequence[str]):
    """Lines that are written when they are first read: to write long relations takes as long as to derive them."""

    def __init__(self, write: Callable[[], tuple[str, ...]]):
        self._write = write

    @cached_property
    def _lines(self) -> tuple[str, ...]:
        return self._write()

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, i: Any) -> Any:
        return self._lines[i]

    def __repr__(self) -> str:
        return repr(self._lines)

    def __reduce__(self) -> tuple:
        return tuple, (self._lines,)


def polynomial_latex(p: Coefficients, letters: Letters, z: str = "z") -> str:
    """A polynomial in z with its coefficients factored."""
    n, shown = len(p) - 1, ""
    for k, c in enumerate(p):
        if c == 0:
            continue
        text, power = letters.product(c), n - k
        variable = "" if power == 0 else z if power == 1 else f"{z}^{{{power}}}"
        minus = text.startswith("-")
        text = letters.product((-c).expand()) if minus else text
        if variable and any(sign in text for sign in (" + ", " - ")) and not text.endswith(r"\right)"):
            text = rf"\left({text}\right)"
        text = variable if text == "1" and variable else f"{text} {variable}".strip()
        shown += (" - " if minus else " + ") + text if shown else ("-" if minus else "") + text
    return shown or "0"


def summary(linear: "Linear", said: str, relations: list, context: Context, union: tuple, definitions: dict) -> tuple[str, ...]:
    """Matrix, characteristic polynomial, the relations that decide, result."""
    letters = Letters("latex", definitions)
    names = {s: letters.symbol(s) for s in linear.matrix.free_symbols}
    lines = [rf"M = {sympy.latex(linear.matrix, symbol_names=names)}",
             rf"\det(z I - M) \propto {polynomial_latex(linear.coefficients, letters)}"]
    if relations:
        lines.append(rf"\text{{{said}: }} " + r",\quad ".join(letters.relation(letters.product(e), op, "0") for e, op in relations))
    return (*lines, *_dropped(context, letters), rf"\text{{{said}}} \iff {write(union, context, letters, {})}")


def _dropped(context: Context, letters: Letters) -> list[str]:
    return [rf"\text{{{why}: }} {letters.relation(letters.product(atom.expr.expand()), atom.op, '0')}" for why, atom in context.notes]


def derivation(linear: "Linear", found: list[tuple[Coefficients, list[Condition]]], context: Context, union: tuple,
               definitions: dict) -> tuple[str, ...]:
    """Matrix, characteristic polynomial, conditions, what was dropped and why, result."""
    letters = Letters("latex", definitions)
    lines = [rf"M = {sympy.latex(linear.matrix, symbol_names={s: letters.symbol(s) for s in linear.matrix.free_symbols})}"]
    lines += [rf"\text{{taken}}: {note}" for note in linear.notes]
    lines.append(rf"\det(z I - M) \propto {polynomial_latex(linear.coefficients, letters)}")
    if len(linear.factors) > 1 or any(power > 1 for _, power in linear.factors):
        lines.append(r"\text{factors: } " + r",\quad ".join(f"({polynomial_latex(p, letters)})" + (f"^{{{m}}}" if m > 1 else "")
                                                            for p, m in linear.factors))
    for p, rows in found:
        shown = ",\\quad ".join(rf"{c.name} = {letters.product(c.expr)}" for c in rows)
        lines.append(rf"{polynomial_latex(p, letters)}:\; {SUBSTITUTION[linear.kind][0]} {shown} > 0")
    lines += _dropped(context, letters)
    lines.append(rf"{SUBSTITUTION[linear.kind][1]} \iff {write(union, context, letters, {})}")
    return tuple(lines)
