"""The flows that a method follows, for the page to draw beside its iterates: limit and first modified equation."""
from __future__ import annotations

from typing import Any

import sympy

from ..core.errors import ParameterError, RuleError
from ..core.rule import Flow, Method
from ..emit.js import js_step
from ..theory.mode import as_expression
from ..theory.modified import modified, ode_limit
from ..theory.symbols import symbol
from .formulas import function, lines
from .printed import Printed

KNOWN = {"grad", "hess"}                                       # oracles that the page has for every traced problem


def describe(method: Method, printed: Printed) -> list[dict[str, Any]]:
    """The flows as data of the page: printed rates, and how their parameters follow from those of the method."""
    found = []
    for name, order in (("limit flow", 0), ("modified flow", 1)):
        try:
            flow = modified(method, order) if order else ode_limit(method)
        except (RuleError, ParameterError, sympy.PoleError):
            continue                                           # no limit, or none that trees are derived for: nothing is drawn
        told = _one(name, method, flow, printed)
        if told and not any(other["code"] == told["code"] for other in found):
            found.append(told)
    return found


def _one(name: str, method: Method, flow: Flow, printed: Printed) -> dict[str, Any] | None:
    source = js_step(flow.program)
    back = parameters(method, flow, source.params)
    if back is None or source.arrays or not set(source.oracles) <= KNOWN:
        return None
    return {"name": name, "formula": lines(flow._repr_latex_()), "code": printed.function(source.source), "oracles": list(source.oracles),
            "states": len(flow.state), "names": list(method.params), "count": len(source.params), "map": printed.function(back),
            "clock": "t" in flow.program.params}


def parameters(method: Method, flow: Any, wanted: tuple[str, ...]) -> str | None:
    """`(p, out) => out` from the parameters of the method to those of the flow, with the time step last; None where it is not unique."""
    where = {symbol(n): as_expression(v) for n, v in flow.origin.where.items()}
    unknown = sorted(set().union(*(e.free_symbols for e in where.values())) - {symbol(n) for n in method.params}, key=str)
    solutions = sympy.solve([sympy.Eq(s, e) for s, e in where.items()], unknown, dict=True) if where else [{}]
    sample = {symbol(n): sympy.Rational(1, 5 + k) for k, n in enumerate(method.params)}
    h = symbol("h")
    right = [s for s in solutions if s.get(h, h).subs(sample).is_positive and set(unknown) <= set(s)]
    if len(right) != 1:
        return None
    return function([right[0].get(symbol(n), symbol(n)) for n in (*wanted, "h")], method.params)
