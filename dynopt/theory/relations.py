"""Relations from text or from sympy, as unions of conjunctions of polynomial relations."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy
from sympy import Abs, And, Dummy, Expr, Not, Or
from sympy.core.relational import Relational

from ..core.errors import RuleError
from ..core.parse import parse_relation
from .algebra import expression
from .atoms import Atom, Formula, atoms_of, make, negation
from .generators import Generators
from .symbols import symbol

SIGNS = {">": (">", 1), "<": (">", -1), ">=": (">=", 1), "<=": (">=", -1), "==": ("==", 1), "!=": ("!=", 1)}


def read(relations: Iterable[Any]) -> tuple[list[tuple[Atom, ...]], tuple[Formula, ...], dict]:
    """The union of conjunctions that says that all relations hold; its generators, what is known of them and what they mean."""
    formula, facts, definitions = _read(relations)
    return union_of(formula), facts, definitions


def assumptions(given: Iterable[Any], linear: Any = None) -> tuple[tuple[Formula, ...], dict]:
    """Relations that are taken for granted, one formula each; with `linear`, only of names that the rule knows."""
    if isinstance(given, (str, Relational, And, Or, Not)):
        given = (given,)
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise RuleError(f"given={given!r:.40}, expected relations, as in given=[\"0 < beta\", \"beta < 1\"]")
    formula, facts, definitions = _read(given)
    if linear is not None:
        known = {*linear.names, *map(str, linear.matrix.free_symbols), "mu", "L"}
        meant = {str(s) for f in formula[1:] for a in atoms_of(f) for s in a.symbols if s not in definitions}
        strange = sorted((meant | {str(s) for e in definitions.values() for s in e.free_symbols}) - known)
        if strange:
            raise RuleError(f"given: unknown name {strange[0]!r}, expected some of {', '.join(sorted(known))}")
    return tuple(dict.fromkeys([*formula[1:], *facts])), definitions


def _read(relations: Iterable[Any]) -> tuple[tuple, tuple, dict]:
    generators = Generators()
    parts: list[Formula] = []
    for r in relations:
        for one in _booleans(r):
            parts += _flat(formula_of(one, generators))
    return ("and", *parts), tuple(generators.facts), generators.meaning


def _flat(formula: Formula) -> list[Formula]:
    if isinstance(formula, tuple) and formula[0] == "and":
        return [g for part in formula[1:] for g in _flat(part)]
    return [formula]


def _booleans(relation: Any) -> list[Any]:
    if isinstance(relation, str):
        return [expression(node) for node in parse_relation(relation)]
    if relation in (True, False, sympy.true, sympy.false) or isinstance(relation, (Relational, And, Or, Not)):
        return [relation]
    raise RuleError(f"relation: found {type(relation).__name__} {relation!r:.40}, expected text such as '0 < beta < 1'")


def formula_of(relation: Any, generators: Generators) -> Formula:
    """A sympy boolean as a formula of polynomial relations."""
    if relation in (True, sympy.true):
        return ("and",)
    if relation in (False, sympy.false):
        return ("or",)
    if isinstance(relation, (And, Or)):
        return ("and" if isinstance(relation, And) else "or", *(formula_of(a, generators) for a in relation.args))
    if isinstance(relation, Not):
        return negation(formula_of(relation.args[0], generators))
    op, direction = SIGNS[relation.rel_op]
    return _compared(direction*(_own(relation.lhs) - _own(relation.rhs)), op, generators)


def _own(e: Expr) -> Expr:
    """With our symbols, whatever assumptions the caller's have."""
    return e.xreplace({s: symbol(s.name) for s in e.free_symbols if not s.name.startswith("<")})


def _compared(e: Expr, op: str, generators: Generators) -> Formula:
    """e op 0, absolute values split by the sign of what they hold."""
    inner = next(iter(sorted(e.atoms(Abs), key=str)), None)
    if inner is None:
        return ("and", *make(generators.polynomial(e), op))
    a, mark = inner.args[0], Dummy()
    opened = e.xreplace({inner: mark}).expand()
    slope = opened.coeff(mark, 1)
    if op in (">", ">=") and slope.is_Rational and not (opened - slope*mark).has(mark):          # |a| < c and |a| > c
        return ("and" if slope < 0 else "or", *(_compared(opened.xreplace({mark: side}), op, generators) for side in (a, -a)))
    return ("or", ("and", _compared(a, ">=", generators), _compared(e.xreplace({inner: a}), op, generators)),
            ("and", _compared(-a, ">", generators), _compared(e.xreplace({inner: -a}), op, generators)))


def union_of(formula: Formula) -> list[tuple[Atom, ...]]:
    """The formula as a union of conjunctions."""
    if isinstance(formula, Atom):
        return [(formula,)]
    word, *parts = formula
    if word == "or":
        return [c for part in parts for c in union_of(part)]
    found: list[tuple[Atom, ...]] = [()]
    for part in parts:
        found = [(*a, *b) for a in found for b in union_of(part)]
    return found
