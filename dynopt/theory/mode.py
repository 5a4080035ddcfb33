"""What is asked of one mode: its curvatures, the point, and the names that these may have."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from numbers import Real
from typing import Any, Callable, Sequence

import numpy as np
from sympy import Expr, Symbol

from ..core.errors import RuleError
from ..core.expr import Node, as_node
from ..core.parse import parse
from ..core.rule import Rule
from ..core.signature import CLOCKS
from .algebra import LinearizeError, expression
from .forms import Form
from .symbols import symbol

RESERVED = {"lam": "the curvature of a mode", "nu": "the prox curvature"}
REAL_PAIR = ((symbol("lam_re"), -symbol("lam_im")), (symbol("lam_im"), symbol("lam_re")))
MODES = '"lam", "complex" or a matrix such as [["a", "b"], ["-b", "c"]]'


def check_names(rule: Rule, oracles: Sequence[str]) -> None:
    """No parameter is called like a curvature that the rule has too."""
    if not any(o.startswith(("grad", "hess", "prox")) for o in oracles):
        return
    for name in rule.params:
        if name in RESERVED:
            raise LinearizeError(f"{rule.name}: the parameter {name!r} has the name of {RESERVED[name]}; "
                                 f"rename it, for instance to {name + '_'!r}")


def no_clash(rule: str, what: str, found: Iterable[Symbol], taken: Iterable[str]) -> None:
    """The names in a question are none that the rule or the language uses for something else."""
    taken = {**dict.fromkeys(CLOCKS, "the clock"), **dict.fromkeys(taken, "a parameter of the rule")}
    for name in sorted(map(str, found)):
        if name in taken:
            raise RuleError(f"{rule}: {what} uses the name {name!r}, which is {taken[name]}; expected a name of its own, "
                            f"such as {name + '_0'!r}")


def point_of(at: Any, moving: list[str], rule: Rule) -> dict[str, Expr]:
    """The point to linearize at, an expression for each state that it names."""
    if not isinstance(at, Mapping):
        raise RuleError(f"{rule.name}: at={at!r:.40}, expected a value for each state by name; write at={{{moving[0]!r}: 1}}")
    wrong = [s for s in at if s not in moving]
    if wrong:
        raise RuleError(f"{rule.name}: at={{{wrong[0]!r}: ...}} names no state, expected some of {', '.join(moving)}")
    return {s: as_expression(v) for s, v in at.items()}


def as_expression(value: Any) -> Expr:
    """A number, text or sympy expression as an exact expression in our symbols."""
    if isinstance(value, str):
        return expression(parse(value))
    if isinstance(value, Expr):
        return value.xreplace({s: symbol(s.name) for s in value.free_symbols})
    if not (isinstance(value, (Real, Node, np.bool_)) and (isinstance(value, Node) or isfinite(value))):
        raise RuleError(f"found {type(value).__name__} {value!r:.40}, expected a finite number, text such as '2/(L + mu)' or a sympy "
                        "expression")
    return expression(as_node(value))


def names_in(value: Any, what: str) -> tuple[str, ...]:
    """Names from one name or several."""
    found = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else None
    if found is None or not all(isinstance(n, str) for n in found):
        raise RuleError(f"{what}={value!r:.40}, expected one name or several; write {what}=(\"v\",)")
    return found


def gradient_of(mode: Any, program: Any, rule: Rule) -> tuple[int, Callable, tuple[Symbol, ...]]:
    """Components of a mode, what a gradient does to them, and the curvature symbols."""
    players = max((len(n.args) for n in program.everything if n.op == "call" and n.data[0].startswith("grad")), default=1)
    if isinstance(mode, str) and mode == "lam":
        if players > 1:
            raise LinearizeError('the gradient takes several players, so a mode is a game; write mode=[["a", "b"], ["-b", "c"]]')
        found: dict[str, Symbol] = {n.data[0]: symbol("lam" + index(n.data[0])) for n in program.everything
                                    if n.op == "call" and n.data[0].startswith(("grad", "hess"))}
        return 1, lambda name, args: tuple(f*found[name] for f in args[0]), tuple(dict.fromkeys(found.values()))
    if isinstance(mode, str) and mode != "complex":
        raise RuleError(f"mode={mode!r:.40}, expected {MODES}")
    table = REAL_PAIR if isinstance(mode, str) else matrix_of(mode)
    symbols = tuple(sorted(set().union(*(e.free_symbols for row in table for e in row)), key=str))
    no_clash(rule.name, "the mode", symbols, rule.params)
    if players > 1:
        _as_many(table, players, program, rule)
        return 1, lambda name, args: (_dot(table[int(index(name)[1:] or 1) - 1], [a[0] for a in args]),), symbols
    return len(table), lambda name, args: tuple(_dot(row, list(args[0])) for row in table), symbols


def _as_many(table: tuple, players: int, program: Any, rule: Rule) -> None:
    """A row for every player whose gradient is taken, a column for every player that it depends on."""
    last = max(int(index(o)[1:] or 1) for o in program.oracles if o.startswith("grad"))
    if len(table) != max(players, last):
        raise RuleError(f"{rule.name}: mode has {len(table)} row{'s' if len(table) > 1 else ''}, expected one for each of its "
                        f"{max(players, last)} players; write " + ('mode=[["a", "b"], ["-b", "c"]]' if max(players, last) == 2 else
                                                                   "a square matrix with one row for each"))


def index(name: str) -> str:
    """The number in the name of an oracle with its underscore: _2 of grad_2."""
    return "_" + name.partition("_")[2] if "_" in name else ""


def matrix_of(mode: Any) -> tuple[tuple[Expr, ...], ...]:
    """The matrix of a game as exact expressions."""
    try:
        rows = tuple(tuple(as_expression(e) for e in row) for row in mode)
    except TypeError:
        raise RuleError(f"mode={mode!r:.60}, expected {MODES}") from None
    if any(len(row) != len(rows) for row in rows) or not rows:
        raise RuleError(f"mode: found a matrix with rows of {[len(r) for r in rows]} entries, expected a square one")
    return rows


def _dot(row: Sequence[Expr], forms: list[Form]) -> Form:
    total = Form()
    for c, f in zip(row, forms):
        total = total + f*c
    return total
