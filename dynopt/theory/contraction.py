"""The worst start of a step that is no linear map: how much of f - f* one step leaves on a quadratic of two curvatures."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Dummy, Expr, Integer, Symbol, cancel, factor, limit, oo, sqrt

from ..core.errors import RuleError
from ..core.expr import Node, evaluate
from ..core.rule import Rule
from .algebra import LinearizeError, leaf_value, operation
from .atoms import make
from .extremal import roots_of
from .mode import as_expression
from .proof import Proof, smt2
from .smt import NLSAT, decide
from .wording import in_text

MS = 4000
SHARE = Symbol("<start>", positive=True)                                 # second entry over the first, squared
NUMBERS = ({"low": 1, "high": 2}, {"low": 1, "high": 10}, {"low": 3, "high": 200})


@dataclass(frozen=True)
class Contraction:
    """The largest f(next)/f(now) over all starts; `start` is the worst one, (1, start) along the two curvatures."""

    value: Expr
    start: Expr
    proof: Proof

    def __repr__(self) -> str:
        return f"at most {in_text(self.value)} of f is left, from (1, {in_text(self.start)})        {self.proof.status}"


def contraction(rule: Rule, mu: Any = "mu", L: Any = "L") -> Contraction:
    """The worst start of one step on f = (mu*x_1**2 + L*x_2**2)/2: the largest part of f that is left.

    max over x of f(step(x))/f(x), for steps that scale with x: step(c*x) = c*step(x), as with an exact line search.

    rule : Method with one state, rational in it, that may use f, grad, hess, dot; mu, L : names of the two curvatures, mu < L.
    Returns a Contraction: `.value`, `.start`, `.proof`. Raises RuleError where the step does not scale, or no closed form is found.

    >>> from dynopt import dot, method
    >>> search = method(lambda x, *, grad, hess: x - dot(grad(x), grad(x))/dot(grad(x), hess(x, grad(x)))*grad(x))
    >>> contraction(search).value
    (L - mu)**2/(L + mu)**2
    """
    if rule.kind != "method" or len(rule.state) != 1:
        raise RuleError(f"contraction: {rule.name} has the states {', '.join(rule.state)}, expected a method with one state")
    low, high = as_expression(mu), as_expression(L)
    a, b = Dummy("a", positive=True), Dummy("b", positive=True)
    after = _step(rule, (a, b), (low, high))
    scale = Dummy("scale", positive=True)
    if any(cancel(x.subs({a: scale*a, b: scale*b}, simultaneous=True) - scale*x) != 0 for x in after):
        raise RuleError(f"contraction: a step of {rule.name} does not scale with x, so that every size of the start has its own")
    left = cancel((low*after[0]**2 + high*after[1]**2)/(low*a**2 + high*b**2)).subs({a: 1, b: sqrt(SHARE)})
    return _largest(rule, cancel(left), low, high)


def _step(rule: Rule, start: tuple[Expr, Expr], curvatures: tuple[Expr, Expr]) -> tuple[Expr, ...]:
    """One step, entry by entry; reductions sum over the two."""
    def leaf(node: Node) -> tuple[Expr, ...]:
        return start if node.op == "state" else (leaf_value(node, {}),)*2

    def apply(node: Node, args: list) -> tuple[Expr, ...]:
        if node.op == "call":
            return _oracle(node.data[0], args)
        if node.op in ("dot", "sum", "mean", "norm"):
            return (_reduced(node.op, args),)*2
        return tuple(operation(node, [arg[i] for arg in args]) for i in range(2))

    def _oracle(name: str, args: list) -> tuple[Expr, ...]:
        if name not in ("grad", "hess", "f"):
            raise LinearizeError(f"{name}(...) has no value on a quadratic, expected f, grad and hess")
        of = args[-1]
        if name == "f":
            return (sum((c*x**2 for c, x in zip(curvatures, of)), Integer(0))/2,)*2
        return tuple(c*x for c, x in zip(curvatures, of))
    [found] = evaluate(rule.program.outputs, leaf, apply)
    return tuple(map(cancel, found))


def _reduced(op: str, args: list) -> Expr:
    terms = [x*y for x, y in zip(args[0], args[-1])] if op in ("dot", "norm") else list(args[0])
    total = sum(terms, Integer(0))
    return sqrt(total) if op == "norm" else total/2 if op == "mean" else total


def _largest(rule: Rule, left: Expr, low: Expr, high: Expr) -> Contraction:
    """The candidates: where the slope is zero, and the two directions themselves; the one that z3 proves largest."""
    if not left.is_rational_function(SHARE):
        raise RuleError(f"contraction: a step of {rule.name} is no rational function of its start")
    slope = cancel(left.diff(SHARE)).as_numer_denom()[0]
    starts = [e for e, roots in (roots_of(slope, SHARE) if slope.has(SHARE) else []) if not roots]
    found = [(factor(cancel(left.subs(SHARE, s))), sqrt(factor(s))) for s in starts if _positive(s, low, high)]
    found += [(factor(left.subs(SHARE, 0)), Integer(0)), (factor(limit(left, SHARE, oo)), oo)]
    for value, start in found:
        question = (*make(high - low, ">"), *make(left - value, ">"))
        if decide(question, ms=MS, tactic=NLSAT).verdict == "unsat":
            text = smt2((), [("a start that keeps more", question)])
            return Contraction(value, start, Proof("proved", "no start keeps more (z3), and this one keeps as much", text))
    raise RuleError(f"contraction: no worst start of {rule.name} was found in closed form")


def _positive(e: Expr, low: Expr, high: Expr) -> bool:
    """Is it a start, at some curvatures?"""
    values = [e.subs({low: n["low"], high: n["high"]}) for n in NUMBERS]
    return all(v.is_number and v.is_positive for v in values)
