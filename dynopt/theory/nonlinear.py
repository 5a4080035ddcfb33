"""A rule on a function of one variable, as expressions; branches of |.|, sign, min and max told apart."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from sympy import Abs, Dummy, Expr, Integer, Max, Min, Piecewise, Symbol, cancel, sign, sqrt

from ..core.errors import RuleError
from ..core.expr import Node, evaluate
from ..core.parse import parse
from ..core.rule import Rule
from .algebra import LinearizeError, expression, leaf_value, operation
from .exact import neat
from .extremal import candidates, roots_of
from .symbols import symbol

ONE = {"norm": Abs, "mean": lambda x: x, "sum": lambda x: x, "dot": lambda x, y: x*y}


@dataclass(frozen=True)
class Curve:
    """A function of one variable and its derivative."""

    value: Expr

    def at(self, oracle: str, x: Expr) -> Expr:
        own = self.value if oracle.startswith("f") else self.value.diff(symbol("x"))
        return own.subs(symbol("x"), x)


def curve_of(f: Any) -> Curve:
    """A function of one variable x, given as text, as a sympy expression or as a plain function."""
    x = symbol("x")
    if isinstance(f, str):
        value = expression(parse(f, names=None))
    elif isinstance(f, Expr):
        value = f.xreplace({s: symbol(s.name) for s in f.free_symbols})
    elif callable(f):
        value = f(x)
    else:
        raise RuleError(f"f: found {type(f).__name__} {f!r:.40}, expected text such as 'x**4/4' or a function of one variable")
    return Curve(value)


def step_of(rule: Rule, states: dict[str, Expr], curve: Curve | None) -> list[Expr]:
    """One step (the rates, for a flow) at states that are expressions."""
    program = rule.program

    def leaf(node: Node) -> Expr:
        return states[node.data] if node.op == "state" else leaf_value(node, {})

    def apply(node: Node, args: list) -> Expr:
        if node.op == "call":
            if curve is None or not node.data[0].startswith(("grad", "f")):
                raise LinearizeError(f"{node.data[0]}(...) has no value here; give the function, as in cycle(rule, 'x**4/4')")
            return curve.at(node.data[0], args[0])
        if node.op in ONE:
            return ONE[node.op](*args)
        if node.op in ("implicit", "pick", "past", "matmul", "item"):
            raise LinearizeError(f"{node.op}(...) has no closed form on a function of one variable")
        return operation(node, args)
    return evaluate(program.outputs, leaf, apply)


def unknowns(rule: Rule, *, positive: bool) -> dict[str, Symbol]:
    """A symbol for each state; the first one positive where that is no loss."""
    return {s: Dummy(s, positive=True) if positive and i == 0 else Dummy(s, real=True) for i, s in enumerate(rule.state)}


def branches(values: list[Expr]) -> Iterator[tuple[list[Expr], tuple]]:
    """The smooth pieces of the values, each with the relations under which it is the one."""
    inner = next((a for e in values for a in sorted(e.atoms(Abs, sign, Min, Max, Piecewise), key=lambda a: a.count_ops())), None)
    if inner is None:
        yield values, ()
        return
    for value, relation in _cases(inner):
        for found, more in branches([e.xreplace({inner: value}) for e in values]):
            yield found, (*(() if relation is None else (relation,)), *more)


def _cases(e: Expr) -> list[tuple[Expr, Any]]:
    if isinstance(e, Abs):
        return [(e.args[0], e.args[0] > 0), (-e.args[0], e.args[0] < 0)]
    if isinstance(e, sign):
        return [(Integer(1), e.args[0] > 0), (Integer(-1), e.args[0] < 0)]
    if isinstance(e, Piecewise):
        return [(value, None if condition == True else condition) for value, condition in e.args]  # noqa: E712
    first, *rest = e.args
    other = e.func(*rest)
    less = first < other if isinstance(e, Min) else first > other
    return [(first, less), (other, ~less if less not in (True, False) else None)]


def solutions(system: list[Expr], wanted: list[Symbol]) -> list[dict[Symbol, Expr]]:
    """Solutions of rational equations, as far as each unknown follows from an equation of degree one or two."""
    system = [cancel(e).as_numer_denom()[0] for e in system]
    if len(wanted) == 1:
        found = [({wanted[0]: value}, roots) for value, roots in roots_of(system[0], wanted[0])] if system[0] != 0 else []
    else:
        found = [({**c.params, wanted[-1]: c.rho}, c.roots) for c in candidates(system, wanted[:-1], wanted[-1], "")]
    return [{s: neat(e).subs({g: sqrt(neat(i)) for g, i in roots.items()}) for s, e in values.items()} for values, roots in found]
