"""What the steps of all schemes share: rates at a stage, draws shared by the stages, exact coefficients, the method made."""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Callable, Iterable

from ..core.errors import ParameterTypeError, RuleError
from ..core.expr import Node, constant, walk
from ..core.functions import Scalar, sqrt
from ..core.rule import Flow, Method
from ..core.signature import CLOCKS
from ..core.values import as_number, compute


def exact(value: Fraction, like: Any) -> Any:
    """An exact coefficient in the arithmetic of `like`: a node, a rational of sympy, or the nearest double."""
    if isinstance(like, Node):
        return constant(value)
    if type(like).__module__.startswith("sympy"):
        import sympy
        return sympy.Rational(value.numerator, value.denominator)
    return as_number(value)


class Step:
    """One step of a scheme: `h`, the parameters and oracles `given`, and the rates of the flow at its stages."""

    def __init__(self, flow: Flow, given: dict[str, Any]):
        self.flow, self.given, self.h = flow, given, given["h"]
        self.drawn: dict[str, list] = {"noise": [], "uniform": []}
        signature = flow.signature
        self.names = (*signature.params, *signature.clocks, *signature.oracles)

    def time(self, fraction: Any = 0) -> Any:
        """t + fraction h; None where the flow does not ask for the time."""
        t = self.given.get("t")
        if t is None or (isinstance(fraction, (int, Fraction)) and fraction == 0):
            return t
        return t + (self.h if fraction == 1 else exact(Fraction(fraction), self.h)*self.h)

    def rates(self, states: Iterable[Any], fraction: Any = 0) -> tuple:
        """Rates of the flow at a stage a fraction of h into the step."""
        counters = {"noise": 0, "uniform": 0}
        given = self.given | {"t": self.time(fraction)} | {n: self._draw(n, counters) for n in counters if n in self.given}
        values = self.flow.defaults | self.flow._structural() | given
        bound = self.flow.bound
        out = self.flow.function(*states, **{n: compute(bound[n], values, self.flow.name) if n in bound else values[n] for n in self.names})
        return tuple(out) if isinstance(out, (tuple, list)) else (out,)

    def _draw(self, name: str, counters: dict[str, int]) -> Callable:
        """The draw of this call at this step, drawn once; white noise over a step h is xi/sqrt(h)."""
        def draw(like: Any = None) -> Any:
            counters[name] += 1
            drawn = self.drawn[name]
            if len(drawn) < counters[name]:
                fresh = self.given[name]() if like is None else self.given[name](Scalar)
                drawn.append(fresh/sqrt(self.h) if name == "noise" else fresh)
            return drawn[counters[name] - 1]
        return draw

    def along(self, states: Iterable[Any], rates: Iterable[Any], fraction: Any = 1) -> tuple:
        """states + fraction h rates."""
        reach = self.h if fraction == 1 else exact(Fraction(fraction), self.h)*self.h
        return tuple(x + reach*r for x, r in zip(states, rates))


def method_of(name: str, flow: Flow, body: Callable[[Step, tuple], tuple], *, params: tuple = (), clocks: tuple = (), oracles: tuple = (),
              more: tuple = (), defaults: dict | None = None, source: str = "") -> Method:
    """The method whose step is `body`; `more` are states beyond those of the flow, `params` and `oracles` beyond its own."""
    check_flow(name, flow, ("h", *params), more)
    arrays = {n: v for n, v in flow.bound.items() if not isinstance(v, Node)}            # stay parameters, so that they print and vary by name
    flow = flow._with(bound={n: v for n, v in flow.bound.items() if n not in arrays})     # type: ignore[assignment]
    asked = (*flow.signature.clocks, *clocks, *_clocks_bound(flow))

    def function(*states: Any, **given: Any) -> Any:
        out = body(Step(flow, given), states)
        return out if len(out) > 1 else out[0]
    inside = flow.defaults | (defaults or {})
    made = Method.build(f"{name}({flow.name})", function, (*flow.state, *more), (*flow.params, *params, "h"), clocks=dict.fromkeys(asked),
                        oracles=dict.fromkeys((*flow.oracles, *oracles)), counts=[c for c in flow.signature.counts if c in flow.params],
                        scalars=flow.scalars, defaults=inside, source=source or flow.source, origin=(name, flow))
    return made.subs(**arrays) if arrays else made                                        # type: ignore[return-value]


def _clocks_bound(flow: Flow) -> list[str]:
    """Clocks that schedules bring in."""
    return [n.data for v in flow.bound.values() for n in walk([v]) if n.op == "param" and n.data in CLOCKS]


def check_flow(name: str, flow: Any, params: tuple, more: tuple = ()) -> None:
    """A scheme takes a Flow that does not already use the names it brings."""
    if not isinstance(flow, Flow):
        raise ParameterTypeError(f"{name}: found {type(flow).__name__} {flow!r:.40}, expected a Flow; write {name}(damped)")
    taken = [n for n in (*params, *more) if n in (*flow.params, *flow.state)]
    if taken:
        raise RuleError(f"{name}: the flow {flow.name} already uses the name {taken[0]!r}, which the scheme needs; rename it in the flow")
    if "past" in flow.oracles:
        raise RuleError(f"{name}: {flow.name} asks for states between steps, past(x, tau) with tau a time; run it by solve, "
                        "or write the method with past(x, n), n a whole number of steps")
