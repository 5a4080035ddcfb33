"""Energies along flows: their rate of change, and a proof of its sign for every f of a class, in any dimension.

An energy is a combination of f(x) - f* and inner products of states and grad f(x), with coefficients in parameters and the time; the
minimizer is the origin and f* = 0. The class enters as inequalities, each with a multiplier that is never negative.
"""
from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Callable, Iterable

from sympy import Expr, Integer

from ..core.errors import RuleError
from ..core.expr import Node, as_node, leaf, replace
from ..core.rule import Flow, Method, Rule
from ..core.strings import rule_from_string
from . import smt
from .energy_mode import increment, mode_of, prove_on_mode, refuted
from .energy_proof import prove
from .energy_terms import rate_of, scalar_of
from .proof import Proof
from .relations import assumptions
from .symbols import symbol

CLASSES = ("convex", "strongly convex", "smooth")


@dataclass(frozen=True)
class Lyapunov:
    """`rate`: dE/dt (for a method: the increment on a mode) as {term: coefficient}; `proof` that it is never positive.

    `on_mode` is the same on f = lam x^2/2 in one dimension; `proof.counterexample` is a point there where the energy grows.
    """

    rate: dict[Any, Expr]
    on_mode: Expr
    proof: Proof
    assumed: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.proof.status == "proved"

    def __str__(self) -> str:
        terms = [f"({c})*{k if isinstance(k, str) else f'<{k[0]}, {k[1]}>'}" for k, c in self.rate.items()]
        return f"dE/dt = {' + '.join(terms) or '0'}; dE/dt <= 0 {self.proof}"


def lyapunov(rule: Rule, energy: Callable | str, given: Iterable[str] = ()) -> Lyapunov:
    """The rate of change of an energy along a flow and a proof that it is never positive; for a Method its increment on quadratics.

    `energy` is a function of the states by name, with t, f and parameters as keywords, or text: "t**2*f(x) + 2*norm(x + t/2*v)**2"
    (x stands for x - x*, f for f - f*); `given` holds the class of f ("convex", "strongly convex" with mu, "smooth" with L) and
    relations such as "gamma > 0"; a time in the energy is taken positive. Returns Lyapunov.
    Raises RuleError for an energy that is no such combination and for relations that exclude each other.

    >>> from dynopt import nesterov_flow
    >>> lyapunov(nesterov_flow.subs(r=3), "t**2*f(x) + 2*norm(x + t/2*v)**2", given=("convex", "t > 0")).proof.status
    'proved'
    """
    given = (given,) if isinstance(given, str) else tuple(given)
    classes = tuple(g.replace("_", " ") for g in given if g.replace("_", " ") in CLASSES)
    relations = tuple(g for g in given if g.replace("_", " ") not in CLASSES)
    _consistent(relations)
    node = read_energy(rule, energy)
    value = scalar_of(node, {s: {s: Integer(1)} for s in rule.state})
    if isinstance(rule, Flow):
        rate = rate_of(value, rule)
        on_mode = mode_of(rate, rule.state)
        proof = prove(rate, classes, relations, rule)
    elif isinstance(rule, Method):
        rate, on_mode = increment(value, rule)
        proof = prove_on_mode(rate, rule.state, classes, relations)
    else:
        raise RuleError(f"lyapunov: found {type(rule).__name__}, expected a Flow or a Method")
    return Lyapunov(rate, on_mode, refuted(proof, on_mode, classes, relations), (*classes, *relations))


def _consistent(relations: tuple[str, ...]) -> None:
    """Relations that exclude each other, or the positive time, would prove anything."""
    if not relations:
        return
    formulas, _ = assumptions([*relations, symbol("t") > 0])
    if smt.decide(formulas, ms=4000).verdict == "unsat":
        raise RuleError(f"lyapunov: given={relations!r} holds nowhere, since time is taken positive (t > 0); write relations that can "
                        "hold together")


def read_energy(rule: Rule, energy: Callable | str) -> Node:
    """The energy as an expression of states, parameters and the oracle f."""
    states = {s: leaf("state", s) for s in rule.state}
    if isinstance(energy, str):
        made = rule_from_string(Flow, f"energy_value = {energy}", "energy_value", name="energy")
        return replace(made.program.outputs, {leaf("param", s): v for s, v in states.items()})[0]
    oracles = {"f": lambda x: Node("call", x, data=("f", 0)), "grad": lambda x: Node("call", x, data=("grad", 0))}
    names = inspect.signature(energy).parameters
    values = {n: states.get(n) if n in states else oracles.get(n) or leaf("param", n) for n in names}
    keyword = {n: v for n, v in values.items() if names[n].kind is inspect.Parameter.KEYWORD_ONLY}
    return as_node(energy(*(v for n, v in values.items() if n not in keyword), **keyword))
