"""The flow that a method follows as h -> 0, and the one it follows at finite h: backward error analysis on trees.

Source: Hairer, Lubich, Wanner 2006, chapter IX; for several states the method is first written in x and its forward difference.
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
from .symbols import symbol
from .trees import Algebra, Element, H, NoTrees, T, Tree, run

HIGHEST = 6
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
        if len(self.program.state) > 2:
            raise NoTrees(f"{method.name}: it has the states ({', '.join(self.program.state)}); trees are derived for x with at most one more state")
        self.algebra = Algebra(order + 3, self.program.state[0])
        self.field, self.states = self._field()

    def values(self, later: bool = False) -> Any:
        """Parameters as expressions; the counter is t/h, one more at the next step."""
        now = T + H if later else T
        return lambda name: now/H if name == "k" else now if name == "t" else symbol(name)

    def step(self, states: dict[str, Element], later: bool = False) -> dict[str, Element]:
        return dict(zip(self.program.state, run(self.program, self.algebra, states, self.values(later))))

    def _field(self) -> tuple[dict[str, Element], tuple[str, ...]]:
        x = self.program.state[0]
        own = {s: self.algebra.state(s) for s in self.program.state}
        image = None
        try:
            image = self.step(own)
        except NoTrees:
            if len(own) == 1:
                raise
        if image is not None and all(_is_identity(image[s], s) for s in own):
            near = Algebra(self.order + 2, x)
            field = near.logarithm({n: near.clean(e) for n, e in image.items()}, self.order + 1)
            return (field, (x,)) if len(own) == 1 else self._second_order(field, x, self.program.state[1])
        if len(own) == 1:
            raise NoTrees(f"{self.method.name}: a step does not tend to the identity as h -> 0; give the scaling, as in where={{\"eta\": \"h\"}}")
        return self._through_difference(x, self.program.state[1])

    def _through_difference(self, x: str, s: str) -> tuple[dict[str, Element], tuple[str, ...]]:
        """In x and w = (x_{k+1} - x_k)/h instead of the method's own second state."""
        A = self.algebra
        ahead = A.add(A.state(x), A.shift_power(A.state("v"), 1))
        second = self._solve_for(x, s, ahead)
        after = self.step({x: A.state(x), s: second})
        again = self.step({x: ahead, s: after[s]}, later=True)
        w_next = A.shift_power(A.add(again[x], ahead, -1), -1)
        if any(p < 0 for p, _ in w_next):
            raise NoTrees(f"{self.method.name}: the velocity grows without bound as h -> 0 in this scaling; write another where=")
        keep = {tree: c for (p, tree), c in w_next.items() if p == 0}
        if set(keep) <= {"v"} and keep.get("v", 0) == 1:
            near = Algebra(self.order + 2, x)
            return self._second_order(near.logarithm({x: ahead, "v": near.clean(w_next)}, self.order + 1), x, "v")
        factor = keep.pop("v", Integer(0))
        return self._slow(x, w_next, factor)

    def _solve_for(self, x: str, s: str, target: Element) -> Element:
        """The second state as a series, from x_{k+1} = target: its leading coefficient divides what is left, again and again."""
        A = self.algebra
        own, slope = self._linear_coefficients(x, s)
        found = A.scale(1/slope, A.add(target, A.scale(own, A.state(x)), -1))
        for _ in range(A.order + 6):
            left = A.add(target, self.step({x: A.state(x), s: found})[x], -1)
            if not left:
                return found
            found = A.add(found, A.scale(1/slope, left))
        return found

    def _linear_coefficients(self, x: str, s: str) -> tuple[Expr, Expr]:
        """How x_{k+1} depends on x, and to leading order on the second state, gradients aside."""
        free = Algebra(self.algebra.order, x)
        free.gradient = lambda point, extra=None: {}                                        # type: ignore[method-assign,assignment]
        out = run(self.program, free, {n: free.state(n) for n in self.program.state}, self.values())[0]
        own = sum((c*H**p for (p, tree), c in out.items() if tree == x), Integer(0))
        powers = [p for p, tree in out if tree == s]
        if not powers:
            raise NoTrees(f"{self.method.name}: x does not move with {s}, so {s} is no velocity")
        return own, out[min(powers), s]*H**min(powers)

    def _second_order(self, field: dict[str, Element], x: str, s: str) -> tuple[dict[str, Element], tuple[str, ...]]:
        """The same motion in x and v = x'."""
        A = Algebra(self.order, x)
        velocity = _cut(field[x], self.order)
        lead = {tree: c for (p, tree), c in velocity.items() if p == 0}
        if set(lead) != {s}:
            raise NoTrees(f"{self.method.name}: x' is not proportional to {s} as h -> 0, so the motion is no equation of second order in x")
        speed = lead[s]
        found: Element = {(0, "v"): 1/speed}
        for _ in range(self.order + 1):                                                      # s as a series in x and v = x'
            now = A.at(velocity, A.state(x), {s: found})
            found = A.add(found, A.scale(1/speed, A.add(A.state("v"), now, -1)))
        both = {x: velocity, s: _cut(field[s], self.order)}
        rate = A.at(A.derivative(velocity, both), A.state(x), {s: found})
        return {x: {(0, "v"): Integer(1)}, "v": _cut(rate, self.order)}, (x, "v")

    def _slow(self, x: str, w_next: Element, factor: Expr) -> tuple[dict[str, Element], tuple[str, ...]]:
        """w_{k+1} = factor w_k + ... with a factor that is not 1: the second state follows x, and x obeys an equation of first order."""
        if factor.has(H) or any(c.has(T) for c in w_next.values()):
            raise NoTrees(f"{self.method.name}: the slow manifold moves with the time in this scaling, which trees are not derived for")
        slow: Element = {}
        for n in range(self.order + 2):                                                      # each sweep is right to one more order
            A = Algebra(n, x)
            ahead = A.add(A.state(x), A.shift_power(slow, 1))
            forced = A.at(_cut(w_next, n), A.state(x), {"v": slow})
            grown = A.add(A.at(slow, ahead, {}), slow, -1)
            slow = A.scale(1/(1 - factor), A.add(A.add(forced, A.scale(factor, slow), -1), grown, -1))
        A = Algebra(self.order + 1, x)
        self.note = f", on the slow manifold (transients of factor {factor} per step have died out)"
        image = {x: A.add(A.state(x), A.shift_power(slow, 1))}
        return A.logarithm(image, self.order + 1), (x,)

    def flow(self) -> Flow:
        """The vector field up to h^order as a Flow."""
        rates = [to_node(_cut(self.field[s], self.order), self.states[0]) for s in self.states]
        origin = Origin(self.method.name, self.order, self.where, note=self.note)
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


def _is_identity(image: Element, state: str) -> bool:
    return {k: c for k, c in image.items() if k[0] <= 0} == {(0, state): 1}


def _cut(a: Element, order: int) -> Element:
    return {k: c for k, c in a.items() if k[0] <= order}


def to_node(a: Element, x: str) -> Node:
    """An element as the expression of a flow; trees in order of size, each with its coefficient in h."""
    gathered: dict[Tree, Expr] = {}
    for (p, tree), c in a.items():
        gathered[tree] = gathered.get(tree, Integer(0)) + c*H**p
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


def coefficients(a: Element) -> dict[Tree, Expr]:
    """Coefficients of trees, in h."""
    out: dict[Tree, Expr] = {}
    for (p, tree), c in a.items():
        out[tree] = out.get(tree, Integer(0)) + c*H**p
    return out

