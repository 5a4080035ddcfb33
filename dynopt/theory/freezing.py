"""States held fixed while the rest moves: the preconditioner of an adaptive rule becomes part of the curvature."""
from __future__ import annotations

from itertools import product

import sympy
from sympy import Expr, Matrix, Symbol

from ..core.errors import RuleError
from ..core.expr import leaf, replace
from ..core.program import Program
from ..core.rule import Rule, as_rule
from .symbols import symbol


def frozen(rule: Rule, names: tuple[str, ...]) -> tuple[Program, dict[str, Symbol]]:
    """The program where old and new value of each frozen state are one constant."""
    program = as_rule(rule).program
    wrong = [n for n in names if n not in program.state]
    if wrong:
        raise RuleError(f"{rule.name}: freeze={names!r} names {wrong[0]!r}, expected some of ({', '.join(program.state)})")
    if not names:
        return program, {}
    table = {program.outputs[program.state.index(n)]: leaf("state", n) for n in names}
    table = {node: new for node, new in table.items() if node.op != "state"}
    outputs = tuple(leaf("state", s) if s in names else o for s, o in zip(program.state, replace(program.outputs, table)))
    return Program(program.kind, program.state, outputs, program.scalars), {n: symbol(n) for n in names}


def preconditioned(matrix: Matrix, frozen_states: dict[str, Symbol], curvatures: tuple[Symbol, ...]) -> tuple[Matrix, list[str]]:
    """The matrix in the curvature seen through the preconditioner, where the frozen values enter in no other way."""
    inside = {s for s in frozen_states.values() if s.is_Symbol}
    if not any(e.free_symbols & inside for e in matrix):
        return matrix, []
    scales = {d for e in matrix for d in _denominators(e) if d.free_symbols & inside}
    for scale in scales:
        scaled = matrix.subs({c: c*scale for c in curvatures}, simultaneous=True)
        for units in product((1, scale), repeat=matrix.rows):           # momenta may be counted in preconditioned units
            balanced = matrix.__class__(matrix.rows, matrix.cols, lambda i, j, u=units, m=scaled: sympy.cancel(m[i, j]*u[j]/u[i]))
            if not any(e.free_symbols & inside for e in balanced):
                return balanced, [r"\lambda \text{ is the preconditioned curvature}"]
    return matrix, []


def _denominators(e: Expr) -> list[Expr]:
    return [f for f in sympy.Mul.make_args(sympy.fraction(sympy.together(e))[1]) if f.free_symbols]
