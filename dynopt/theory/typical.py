"""What a typical path does under noise that multiplies the state: the mean logarithm of one step (Kesten 1973).

The mean square can grow while almost every path shrinks: averages are then carried by rare paths.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule

NODES = np.linspace(-3.2, 3.2, 129)                    # of the quadrature on each piece
PIECES = 8
REACH = 12.0                                            # standard deviations beyond which a normal density is no number


@dataclass(frozen=True)
class Typical:
    """x_(k+1) = m(xi) x_k with one draw xi a step; |x_k| behaves like exp(k*exponent) along almost every path."""

    rule: Rule
    draw: str

    def factor(self, xi: Any, **values: Any) -> Any:
        """m(xi): what one step multiplies x by."""
        given = {n: values[n] for n in self.rule.params if n in values}
        missing = [n for n in (*self.rule.params, *(["lam"] if "grad" in self.rule.oracles else [])) if n not in values]
        if missing:
            raise ParameterError(f"typical: missing {', '.join(missing)}; give every parameter a number")
        oracles: dict[str, Any] = {self.draw: lambda *_: xi}
        if "grad" in self.rule.oracles:
            oracles["grad"] = lambda x, **_: values["lam"]*x
        out = self.rule(1.0, **given, **oracles)
        return out[0] if isinstance(out, tuple) else out

    def exponent(self, **values: Any) -> float:
        """E log|m(xi)|, negative where almost every path dies out."""
        low, high = (-REACH, REACH) if self.draw == "noise" else (0.0, 1.0)
        ends = np.array(sorted({*np.linspace(low, high, PIECES + 1), *self._zeros(np.linspace(low, high, 2001), values)}))
        middle, half = (ends[1:] + ends[:-1])[:, None]/2, (ends[1:] - ends[:-1])[:, None]/2
        xi = middle + half*np.tanh(np.pi/2*np.sinh(NODES))      # tanh-sinh rule: no harm from a logarithm at the ends
        size = np.abs(np.broadcast_to(np.asarray(self.factor(xi, **values), dtype=float), xi.shape))
        weight = half*np.pi/2*np.cosh(NODES)/np.cosh(np.pi/2*np.sinh(NODES))**2*(NODES[1] - NODES[0])
        density = np.exp(-xi*xi/2)/np.sqrt(2*np.pi) if self.draw == "noise" else 1.0
        return float((weight*density*np.log(np.where(size > 0, size, 1.0))).sum())

    def _zeros(self, grid: np.ndarray, values: dict) -> list[float]:
        """Where a step lands on the minimum, and the logarithm is infinite."""
        from scipy.optimize import brentq
        found = np.broadcast_to(np.asarray(self.factor(grid, **values), dtype=float), grid.shape)
        turns = np.flatnonzero(found[:-1]*found[1:] < 0)
        return [brentq(lambda xi: float(self.factor(xi, **values)), grid[i], grid[i + 1], xtol=1e-14) for i in turns] + list(
            grid[1:-1][found[1:-1] == 0])

    def edge(self, name: str, low: float, high: float, **values: Any) -> float:
        """The value of a parameter in [low, high] at which almost every path stops dying out."""
        from scipy.optimize import brentq
        ends = [self.exponent(**{name: v}, **values) for v in (low, high)]
        if ends[0]*ends[1] > 0:
            raise ParameterError(f"typical: the exponent is {ends[0]:.3g} at {name} = {low} and {ends[1]:.3g} at {high}, "
                                 "expected different signs; choose ends on both sides of the edge")
        return float(brentq(lambda v: self.exponent(**{name: v}, **values), low, high, xtol=1e-10))


def typical(rule: Rule) -> Typical:
    """The growth rate of almost every path of a method with one state and one draw a step: E log|x_(k+1)/x_k|.

    rule : Method with one state, linear in it, that calls noise() or uniform() once a step.
    Returns a Typical: `.exponent(**values)`, `.edge(name, low, high, **values)`. Raises RuleError for other rules.

    >>> from dynopt import method
    >>> rule = method(lambda x, *, eta, s, grad, noise: x - eta*(grad(x) + s*noise()*x))
    >>> round(typical(rule).edge("eta", .5, 3, s=1., lam=1.), 4)
    1.7309
    """
    draws = {n.data for n in rule.program.everything if n.op == "call" and n.data[0].startswith(("noise", "uniform"))}
    if rule.kind != "method" or len(rule.state) != 1 or len(draws) != 1:
        raise RuleError(f"typical: {rule.name} has {len(rule.state)} state(s) and {len(draws)} draw(s) a step, expected a method with "
                        "one of each; measure others with iterate")
    found = Typical(rule, next(iter(draws))[0].partition("_")[0])
    probe = {n: .3 + .1*i for i, n in enumerate((*rule.params, "lam"))}
    oracles: dict[str, Any] = {found.draw: lambda *_: .4, "grad": lambda x, **_: probe["lam"]*x}
    given = {n: probe[n] for n in rule.params} | {o: oracles[o] for o in rule.oracles if o in oracles}
    one, two, none = (np.ravel(rule(x, **given))[0] for x in (1.0, 2.0, 0.0))
    if abs(two - 2*one) > 1e-12 or abs(none) > 1e-12:
        raise RuleError(f"typical: {rule.name} adds something that does not shrink with x, expected x_(k+1) = m x_k")
    return found
