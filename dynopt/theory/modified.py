"""The flow that a method follows as h -> 0, and the one it follows at finite h: backward error analysis on trees.

Source: Hairer, Lubich, Wanner 2006, chapter IX; several states are eliminated first (`smooth`), so that x alone is left.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Integer

from ..core.errors import ParameterError, RuleError
from ..core.expr import Node, constant, leaf
from ..core.parse import parse
from ..core.rule import Flow, Method
from ..core.strings import rule_from_nodes
from .coefficients import Coefficients, Expressions, coefficients_of
from .smooth import Smooth
from .symbols import symbol
from .tree_run import run
from .trees import Algebra, Element, H, NoTrees, T, Tree

HIGHEST = 6
FIXED_TIME = "; as h -> 0 at a fixed time t: at a fixed step the limit k -> oo is another one, see rate(method)"
SEARCHED = ({"eta": "h**2", "beta": "1 - gamma*h"}, {"eta": "h**2"}, {"eta": "h"})


@dataclass(frozen=True)
class Origin:
    """Where a limit or modified flow comes from: the method, the scaling, the clock t = k h, the sequence that follows it."""

    method: str
    order: int
    where: dict[str, str]
    time: str = "t = k*h"
    sequence: str = "x"
    note: str = ""

    def __str__(self) -> str:
        scaling = ", ".join(f"{n} = {v}" for n, v in self.where.items())
        kind = "limit" if self.order == 0 else f"modified equation of order {self.order}"
        return f"{kind} of {self.method}{' at ' + scaling if scaling else ''}; {self.time}, sequence {self.sequence}{self.note}"


def ode_limit(method: Method, where: dict[str, str] | None = None) -> Flow:
    """The flow that a method follows as its step vanishes, t = k h.

    `where` says how parameters go to their limits, as in {"eta": "h**2", "beta": "1 - gamma*h"} (beta -> 1: a second-order flow) or
    {"eta": "h"} (beta fixed: the first-order flow on the slow manifold, t = k eta); without it the scalings of `SEARCHED` are tried.
    Returns a Flow whose `.origin` tells scaling, clock and sequence. Raises RuleError where there is no limit or no expansion.

    >>> from dynopt import heavy_ball
    >>> print(ode_limit(heavy_ball, {"eta": "h**2", "beta": "1 - gamma*h"}).program)
    g0 = grad(x)
    x' = v
    v' = -g0 - gamma*v
    """
    return _searched(method, where, 0)


def modified(method: Method, order: int | str = 1, where: dict[str, str] | None = None) -> Any:
    """The flow that a method follows up to h^order: its roots and its solutions agree with the method's to O(h^(order + 1)).

    The terms are derivatives of f of any function in any dimension, derived on trees: `hess(x, v)`, and `hess2(x, a, b)` for the
    third derivative, which running takes from a traced f. Parameters as `ode_limit`; 1 <= order <= 6. `order="exact"` gives the
    matrix log(M)/h on a mode of a quadratic instead, a Linear whose `.notes` say where it holds.
    Raises ParameterError for an order out of range, RuleError where the method has no expansion.
    """
    if order == "exact":
        from .logarithm import exact_on_mode
        return exact_on_mode(method, where)
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ParameterError(f"modified: order = {order!r:.30}, expected a whole number >= 1 or \"exact\"; the flow at order 0 is ode_limit(method)")
    if order > HIGHEST:
        raise ParameterError(f"modified: order = {order}: unknown, the trees of more than order {HIGHEST} take too long; write order={HIGHEST}")
    return _searched(method, where, order)


def _searched(method: Method, where: dict[str, str] | None, order: int) -> Flow:
    if not isinstance(method, Method):
        raise RuleError(f"modified: found {type(method).__name__}, expected a Method; a Flow becomes one by a scheme, as in leapfrog(flow)")
    if where is not None:
        return _followed(method, where, order)
    tried = [{}] if "h" in method.params else [{n: v for n, v in w.items() if n in method.params} for w in SEARCHED]
    reason = ""
    for scaling in tried:
        if scaling or "h" in method.params:
            try:
                return _followed(method, scaling, order)
            except NoTrees as error:
                reason = reason or str(error)
    raise RuleError(f"{method.name}: no scaling of {', '.join(method.params)} was found in which it has a limit ({reason or 'none applies'}); "
                    "write where={\"eta\": \"h**2\", \"beta\": \"1 - gamma*h\"}")


def _followed(method: Method, scaling: dict[str, str], order: int) -> Flow:
    """The flow at one scaling, refused where the clock is so slow that the gradient vanishes from the limit."""
    limit = Expansion(method, scaling, 0).flow()
    if method.program.oracles and not limit.program.oracles:
        told = ", ".join(f"{n} = {v}" for n, v in scaling.items())
        raise NoTrees(f"{method.name}: at {told} the gradient vanishes from the limit; let the step go to 0 more slowly")
    return limit if order == 0 else Expansion(method, scaling, order).flow()


class Expansion:
    """A method at a scaling, as a vector field in powers of h: of x alone, or of x and v = x'."""

    def __init__(self, method: Method, where: dict[str, str], order: int):
        unknown = [n for n in where if n not in method.params]
        if unknown:
            raise ParameterError(f"{method.name}: where names {unknown[0]!r}, expected one of {', '.join(method.params)}")
        self.method, self.where, self.order, self.note = method, dict(where), order, ""
        self.rule = method.subs(**where) if where else method
        self.program = self.rule.program
        try:
            self._expand(coefficients_of(self.program))
        except ValueError as error:
            if isinstance(error, RuleError):
                raise
            self._expand(Expressions())                        # a coefficient is no quotient of polynomials

    def _expand(self, over: Coefficients) -> None:
        self.algebra = Algebra(self.order, self.program.state[0], over)
        if any(o.startswith("hess") for o in self.program.oracles):
            self.field, self.states = second_order(own_field(self.rule, self.algebra), self.program.state, self.algebra, self.method.name)
        else:
            smooth = Smooth(self.rule, self.algebra)
            self.field, self.states, self.note = smooth.field, smooth.states, smooth.note

    def flow(self) -> Flow:
        """The vector field up to h^order as a Flow."""
        rates = [to_node(self.field[s], self.states[0], self.algebra.over) for s in self.states]
        note = self.note + (FIXED_TIME if _has_clock(self.program) else "")
        origin = Origin(self.method.name, self.order, self.where, note=note)
        if not _has_clock(self.program):
            _refuse_clock(rates, self.method.name)
        name = f"{'limit' if self.order == 0 else 'modified'}({self.method.name})"
        return rule_from_nodes(Flow, name, self.states, rates, source=str(origin), origin=origin)


def _has_clock(program: Any) -> bool:
    return bool(program.params & {"k", "t"})


def _refuse_clock(rates: list[Node], name: str) -> None:
    from ..core.expr import walk
    if any(n.op == "param" and n.data in ("k", "t") for n in walk(rates)):
        raise RuleError(f"internal: the time appears in the modified flow of {name}, which has none")


def own_field(method: Method, algebra: Algebra) -> dict[str, Element]:
    """The vector field, in the method's own states, whose flow over h is one step: every step tends to the identity as h -> 0."""
    near = algebra.of_order(algebra.order + 2)
    own = {s: near.state(s) for s in method.state}
    image = dict(zip(method.state, run(method.program, near, own, clocked)))
    wrong = next((s for s, e in image.items() if {k: c for k, c in e.items() if k[0] <= 0} != {(0, s): near.one}), None)
    if wrong is not None:
        raise NoTrees(f"{method.name}: as h -> 0 the state {wrong} does not stay where it is, so the step is no map near the identity")
    return near.logarithm(image, algebra.order + 1)


def clocked(name: str) -> Expr:
    """Parameters as expressions; the counter is t/h."""
    return T/H if name == "k" else T if name == "t" else symbol(name)


def second_order(field: dict[str, Element], state: tuple[str, ...], A: Algebra, name: str) -> tuple[dict[str, Element], tuple[str, ...]]:
    """The motion in x alone as it is, in two states as one in x and v = x'."""
    if len(state) == 1:
        return {state[0]: _cut(field[state[0]], A.order)}, state
    if len(state) > 2:
        raise NoTrees(f"{name}: it has the states ({', '.join(state)}), expected x or x and one more where hess(...) enters")
    x, s = state
    velocity = _cut(field[x], A.order)
    lead = {tree: c for (p, tree), c in velocity.items() if p == 0}
    if set(lead) != {s}:
        raise NoTrees(f"{name}: x' is not proportional to {s} as h -> 0, so the motion is no equation of second order in x")
    speed = 1/lead[s]
    found: Element = {(0, "v"): speed}
    for _ in range(A.order + 1):                                                             # s as a series in x and v = x'
        now = A.at(velocity, A.state(x), {s: found})
        found = A.add(found, A.scale(speed, A.add(A.state("v"), now, -1)))
    both = {x: velocity, s: _cut(field[s], A.order)}
    rate = A.at(A.derivative(velocity, both), A.state(x), {s: found})
    return {x: A.state("v"), "v": _cut(rate, A.order)}, (x, "v")


def _cut(a: Element, order: int) -> Element:
    return {k: c for k, c in a.items() if k[0] <= order}


def to_node(a: Element, x: str, over: Coefficients) -> Node:
    """An element as the expression of a flow; trees in order of size, each with its coefficient in h."""
    gathered: dict[Tree, Expr] = {}
    for (p, tree), c in a.items():
        gathered[tree] = gathered.get(tree, Integer(0)) + over.expr(c)*H**p
    total: Node | None = None
    for tree in sorted(gathered, key=lambda t: (_weight(t), repr(t))):
        total = _joined(total, gathered[tree], _tree_node(tree, x))
    return total if total is not None else constant(0)*leaf("state", x)


def _weight(tree: Tree) -> int:
    return 2 if isinstance(tree, str) else 1 if not tree else 3 + sum(map(_weight, tree))


def _joined(total: Node | None, c: Expr, vector: Node) -> Node:
    """total + c*vector, signs drawn out."""
    c = sympy.factor(c) if c.is_rational_function() else c
    negative = c.could_extract_minus_sign()
    size = -c if negative else c
    term = vector if size == 1 else parse(str(size))*vector
    if total is None:
        return -term if negative else term
    return total - term if negative else total + term


def _tree_node(tree: Tree, x: str) -> Node:
    if isinstance(tree, str):
        return leaf("state", tree)
    children = [_tree_node(child, x) for child in tree]
    name = "grad" if not children else "hess" if len(children) == 1 else f"hess{len(children)}"
    return Node("call", leaf("state", x), *children, data=(name, 0))
