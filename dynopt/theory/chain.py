"""Rules that jump on a lattice by chance, as a Markov chain: reachable states, long-run probabilities, in exact positions.

The program runs on fractions; where a uniform draw is compared with a number it runs both ways, with their probabilities.
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Iterator

import numpy as np

from ..core.errors import ParameterError, RuleError
from ..core.expr import LEAVES, Node, walk
from ..core.rule import Rule

MOST = 2000                                             # states of a chain
DOUBLINGS = 60                                          # of the number of steps, from one to the long run

State = tuple[Fraction, ...]
COMPARE = {"lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
           "eq": lambda a, b: a == b, "ne": lambda a, b: a != b}
ARITHMETIC = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a*b, "div": lambda a, b: a/b, "mod": lambda a, b: a % b,
              "neg": lambda a: -a, "abs": abs, "min": min, "max": max, "sign": lambda a: Fraction((a > 0) - (a < 0)),
              "where": lambda c, a, b: a if c else b, **COMPARE}


@dataclass(frozen=True)
class Chain:
    """The states that a rule reaches and how often it is there in the long run, from its start."""

    names: tuple[str, ...]
    states: tuple[State, ...]
    probabilities: np.ndarray

    def mean(self, state: str = "x", power: int = 1) -> float:
        """E state**power in the long run."""
        i = self.names.index(state)
        return float(sum(p*float(s[i])**power for s, p in zip(self.states, self.probabilities)))

    def law(self, state: str = "x") -> dict[Fraction, float]:
        """The probability of each value of a state."""
        i, found = self.names.index(state), {}
        for s, p in zip(self.states, self.probabilities):
            found[s[i]] = found.get(s[i], 0.0) + float(p)
        return {v: p for v, p in sorted(found.items()) if p > 1e-12}


def chain(rule: Rule, *, x0: Any, lam: Any = 1, **params: Any) -> Chain:
    """The long-run law of a method that reaches finitely many states from x0 on f = lam x^2/2, by chance.

    rule : Method of rational operations whose uniform() draws are compared with numbers only; x0 : a number, or one for each state
    by name; params : numbers, taken as exact fractions (text such as "1/3" too).
    Returns a Chain: `.states`, `.probabilities`, `.mean("x", power)`, `.law("x")`. Raises RuleError beyond 2000 states.

    >>> from dynopt import method, where
    >>> walk = method(lambda x, *, p, uniform: where(uniform() < p, 1 - x, x))
    >>> chain(walk, x0=0, p="1/3").probabilities.round(6).tolist()
    [0.5, 0.5]
    """
    given = x0 if isinstance(x0, dict) else {rule.state[0]: x0}
    if set(given) != set(rule.state):
        raise ParameterError(f"chain: x0 has {', '.join(given)}, expected a number for each of {', '.join(rule.state)}")
    missing = [n for n in rule.params if n not in params]
    if missing:
        raise ParameterError(f"chain: missing {', '.join(missing)}; give every parameter a number")
    values = {n: _exact(n, v) for n, v in params.items()} | {"lam": _exact("lam", lam)}
    start = tuple(_exact(n, given[n]) for n in rule.state)
    order, rows = {start: 0}, []
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        row: dict[int, Fraction] = {}
        for there, p in _step(rule, here, values):
            if there not in order:
                order[there] = len(order)
                waiting.append(there)
            row[order[there]] = row.get(order[there], Fraction(0)) + p
        rows.append(row)
        if len(order) > MOST:
            raise RuleError(f"chain: {rule.name} reaches more than {MOST} states from {given}, expected a rule on a lattice that it cannot leave")
    return Chain(rule.state, tuple(order), _long_run(rows))


def _exact(name: str, value: Any) -> Fraction:
    try:
        return Fraction(value) if isinstance(value, (str, int, Fraction)) else Fraction(str(float(value)))
    except (TypeError, ValueError):
        raise ParameterError(f"chain: {name} = {value!r:.40}, expected a number or text such as \"1/3\"") from None


def _long_run(rows: list[dict[int, Fraction]]) -> np.ndarray:
    """Where the chain that starts in the first state is found in the long run (on average, where it has a period)."""
    P = np.zeros((len(rows), len(rows)))
    for i, row in enumerate(rows):
        for j, p in row.items():
            P[i, j] = float(p)
    P = (P + np.eye(len(rows)))/2                       # lazy: the same law in the long run, without periods
    for _ in range(DOUBLINGS):
        P = P @ P
        P /= P.sum(1, keepdims=True)
    return P[0]


def _step(rule: Rule, state: State, values: dict[str, Fraction]) -> Iterator[tuple[State, Fraction]]:
    """The next states and their probabilities."""
    known = dict(zip(rule.state, state))
    worlds: list[tuple[dict[Node, Any], Fraction]] = [({}, Fraction(1))]
    for node in walk(rule.program.outputs):
        worlds = [w for world, p in worlds for w in _applied(rule, node, world, p, known, values)]
    for world, p in worlds:
        yield tuple(world[o] for o in rule.program.outputs), p


def _applied(rule: Rule, node: Node, world: dict[Node, Any], p: Fraction, known: dict, values: dict) -> list[tuple[dict, Fraction]]:
    if node.op in LEAVES:
        if node.op not in ("state", "param", "const"):
            raise RuleError(f"chain: {rule.name} holds `{node!r}`, expected rational numbers only")
        found = known[node.data] if node.op == "state" else values[node.data] if node.op == "param" else Fraction(node.data)
        return [({**world, node: found}, p)]
    args = [world[a] for a in node.args]
    if node.op == "call":
        return [({**world, node: _called(rule, node, args, values)}, p)]
    if any(isinstance(a, Draw) for a in args):
        return _split(rule, node, args, world, p)
    if node.op == "pow" and args[1].denominator == 1:
        return [({**world, node: args[0]**int(args[1])}, p)]
    if node.op not in ARITHMETIC:
        raise RuleError(f"chain: {rule.name} holds `{node!r}`, expected +, -, *, /, %, where, comparisons, min, max, abs, sign")
    return [({**world, node: ARITHMETIC[node.op](*args)}, p)]


@dataclass(frozen=True)
class Draw:
    """A uniform draw, known to lie between two numbers by the comparisons made so far."""

    node: Node
    low: Fraction = Fraction(0)
    high: Fraction = Fraction(1)


def _called(rule: Rule, node: Node, args: list, values: dict) -> Any:
    kind = node.data[0].partition("_")[0]
    if kind == "grad":
        return values["lam"]*args[0]
    if kind == "uniform":
        return Draw(node)
    raise RuleError(f"chain: {rule.name} calls {node.data[0]}, expected grad and uniform only")


def _split(rule: Rule, node: Node, args: list, world: dict, p: Fraction) -> list[tuple[dict, Fraction]]:
    """Both outcomes of a comparison with a draw, which is narrowed by each."""
    if node.op not in ("lt", "le", "gt", "ge") or all(isinstance(a, Draw) for a in args):
        raise RuleError(f"chain: `{node!r}` in {rule.name} uses a draw as a number, expected it to be compared with one")
    first = isinstance(args[0], Draw)
    draw, value = (args[0], args[1]) if first else (args[1], args[0])
    below = (node.op in ("lt", "le")) == first
    cut = min(max(value, draw.low), draw.high)
    parts = [(below, Draw(draw.node, draw.low, cut)), (not below, Draw(draw.node, cut, draw.high))]
    return [({**world, node: holds, draw.node: part}, p*(part.high - part.low)/(draw.high - draw.low)) for holds, part in parts
            if part.high > part.low]
