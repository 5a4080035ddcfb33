"""Energies on a mode of a quadratic: increments along methods, and points where an energy grows."""
from __future__ import annotations

import operator
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Integer

from ..core.rule import Method
from .energy_proof import holds, psd
from .energy_terms import HV, VALUE, G, NoEnergy, Scalar, pair, scaled
from .linear import linearize
from .numbers import expression
from .proof import Proof
from .symbols import symbol

POINTS, PARTS, TRIED = 20_000, 100, 20              # points looked at in floating point; parts of one; points tried in exact arithmetic
OPERATORS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne}


def mode_of(rate: Scalar, state: tuple[str, ...]) -> Expr:
    """An expression on f = lam x^2/2 in one dimension."""
    lam, x, v = symbol("lam"), symbol(state[0]), symbol(state[-1])
    meaning = {G: lam*x, HV: lam*v}
    total = sum((c*(lam*x**2/2 if k == VALUE else meaning.get(k[0], symbol(k[0]))*meaning.get(k[1], symbol(k[1]))) for k, c in rate.items()),
                Integer(0))
    return sympy.factor(sympy.expand(total))


def increment(value: Scalar, method: Method) -> tuple[Scalar, Expr]:
    """E(next) - E on a mode of a quadratic, as a form in the states. Raises NoEnergy where the clock changes the step or the energy."""
    clocks = method.program.params & {"k", "t"} | {str(s) for c in value.values() for s in c.free_symbols} & {"k", "t"}
    if clocks:
        raise NoEnergy(f"{method.name}: the step or the energy depends on {min(clocks)}, so that one matrix does not tell the increment; "
                       "expected constant coefficients, or a Flow")
    matrix = linearize(method).matrix
    before = mode_of(value, method.state)
    symbols = [symbol(s) for s in method.state]
    after = before.subs(dict(zip(symbols, matrix*sympy.Matrix(symbols))), simultaneous=True)
    gain = sympy.Poly(sympy.expand(after - before), *symbols)
    form = {pair(*[s for s, p in zip(method.state, powers) for _ in range(p)]): sympy.cancel(c)
            for powers, c in gain.terms() if c != 0}
    return form, sympy.factor(gain.as_expr())


def prove_on_mode(form: Scalar, state: tuple[str, ...], classes: tuple[str, ...], relations: tuple[str, ...]) -> Proof:
    """The increment is never positive for any curvature of the class, on quadratics."""
    held, text = holds(psd(scaled(Integer(-1), form)), [*relations, *_class_facts(classes)])
    if held:
        return Proof("proved", "minus the increment is a sum of squares on every mode (quadratic f; z3)", text)
    return Proof("unknown", "the increment on a mode is not shown to be negative (quadratic f)", text)


def refuted(proof: Proof, on_mode: Expr, classes: tuple[str, ...], relations: tuple[str, ...]) -> Proof:
    """The proof against random points of quadratics: one where the energy grows refutes it, in exact arithmetic."""
    if on_mode == 0:
        return proof
    facts = [c for r in relations for c in _booleans(r)] + _class_facts(classes)
    names = sorted(set().union(on_mode.free_symbols, *(f.free_symbols for f in facts)), key=str)
    for point in _growing(on_mode, facts, names):
        values = {s: sympy.Rational(n, PARTS) for s, n in point.items()}
        if all(f.subs(values) == sympy.true for f in facts) and on_mode.subs(values).evalf(30) > sympy.Rational(1, 10**12):
            return Proof("unknown", "refuted: on f = lam x^2/2 the energy grows at the counterexample", proof.smt2,
                         {str(s): Fraction(n, PARTS) for s, n in point.items()})
    return proof


def _growing(on_mode: Expr, facts: list[Any], names: list[sympy.Symbol]) -> list[dict[sympy.Symbol, int]]:
    """Points, as numbers of parts, at which floating point sees the energy grow."""
    rng = np.random.default_rng(0)
    parts = {s: rng.integers(1, 4*PARTS, POINTS) for s in names}
    parts = {s: n if s.is_positive or str(s) == "t" else n*rng.choice([-1, 1], POINTS) for s, n in parts.items()}
    values = {s: n/PARTS for s, n in parts.items()}
    with np.errstate(all="ignore"):
        fits = np.broadcast_to(expression(on_mode, values) > 1e-12, POINTS).copy()
        for f in facts:
            if f != sympy.true:
                fits &= OPERATORS[f.rel_op](expression(f.lhs, values), expression(f.rhs, values))
    return [{s: int(n[i]) for s, n in parts.items()} for i in np.flatnonzero(fits)[:TRIED]]


def _class_facts(classes: tuple[str, ...]) -> list[Any]:
    """Which curvatures a class allows."""
    lam = symbol("lam")
    return [*([lam >= symbol("mu")] if "strongly convex" in classes else []), *([lam <= symbol("L")] if "smooth" in classes else [])]


def _booleans(relation: str) -> list[Any]:
    from .relations import _booleans as read
    return read(relation)
