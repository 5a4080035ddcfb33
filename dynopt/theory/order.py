"""Exact orders of consistency, with the defect."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

from ..core.errors import ParameterTypeError, RuleError
from ..core.expr import Node
from ..core.rule import Flow, Method
from .modified import HIGHEST, Expansion, clocked, own_field, second_order, to_node
from .tree_run import run
from .trees import Algebra, Element, NoTrees, StaysAway, Tree


@dataclass(frozen=True)
class Order:
    """`order` (None: no defect was found up to `checked`) and the leading `defect`: modified flow minus flow at h^order, by state."""

    order: int | None
    defect: dict[str, Node]
    checked: int

    def __str__(self) -> str:
        if self.order is None:
            return f"order at least {self.checked}"
        return f"order {self.order}, defect h^{self.order}*({', '.join(f'{s}: {d}' for s, d in self.defect.items())})"

    def __eq__(self, other: object) -> bool:
        return self.order == (other.order if isinstance(other, Order) else other)

    def __hash__(self) -> int:
        return hash(self.order)


def order_of(method: Method, flow: Flow, where: dict[str, str] | None = None, *, highest: int = 4) -> Order:
    """The order p to which a method follows a flow, exactly, and its defect: modified flow - flow = h^p defect + O(h^(p + 1)).

    Both are expanded in elementary differentials of an arbitrary f; `where` gives the scaling of parameters, as in `ode_limit`;
    `highest` <= 6 bounds the search. Raises RuleError where one of them has no expansion in trees.

    >>> from dynopt import symplectic_euler, damped
    >>> order_of(symplectic_euler(damped), damped).order
    1
    """
    if not isinstance(method, Method) or not isinstance(flow, Flow):
        raise ParameterTypeError(f"order_of: found {type(method).__name__} and {type(flow).__name__}, expected a Method and a Flow; "
                                 "write order_of(leapfrog(damped), damped)")
    try:
        for n in range(min(highest, HIGHEST) + 1):
            for defect, x, over in _defects(method, flow, where or {}, n):
                if any(defect.values()):
                    return Order(n, {s: to_node(d, x, over) for s, d in defect.items() if d}, n)
    except NoLimit:
        limit = Expansion(method, where or {}, 0).flow()
        if limit.state != flow.state:
            raise
        return Order(0, {s: a - b for s, a, b in zip(limit.state, limit.program.outputs, flow.program.outputs) if a is not b}, 0)
    return Order(None, {}, min(highest, HIGHEST))


class NoLimit(RuleError):
    """A flow with a gradient away from x: what a method follows has its gradients at x as h -> 0, so the two differ at h^0."""


def _defects(method: Method, flow: Flow, where: dict[str, str], n: int) -> Iterator[tuple[dict[str, Element], str, Any]]:
    """Modified flow minus flow at h^n: of the motion in x, then state by state where both have the same states."""
    expansion = Expansion(method, where, n)
    try:
        target = flow_field(flow, expansion)
    except StaysAway as error:
        raise NoLimit(str(error)) from None
    yield _gap(expansion.field, target, n), expansion.states[0], expansion.algebra.over
    if expansion.rule.state == flow.state and len(flow.state) > 1:
        algebra = expansion.algebra
        try:
            own = own_field(expansion.rule, algebra)
        except NoTrees:                                         # a buffer in units of its own: only the motion in x can be compared
            return
        yield _gap(own, rates_of(flow, algebra), n), flow.state[0], algebra.over


def _gap(found: dict[str, Element], target: dict[str, Element], n: int) -> dict[str, Element]:
    """The difference at h^n, the first at which there is one."""
    gap = {}
    for s, e in found.items():
        keys = {k for k in (*e, *target[s]) if k[0] == n}
        gap[s] = {(0, k[1]): e.get(k, 0) - target[s].get(k, 0) for k in keys if e.get(k, 0) != target[s].get(k, 0)}
    return gap


def flow_field(flow: Flow, expansion: Expansion) -> dict[str, Element]:
    """A flow's vector field in the states of an expansion."""
    algebra = Algebra(expansion.order, flow.state[0], expansion.algebra.over)
    field = rates_of(flow, algebra)
    if len(flow.state) != len(expansion.states):
        raise RuleError(f"order_of: {expansion.method.name} follows an equation in ({', '.join(expansion.states)}) in this scaling, and "
                        f"{flow.name} has the states ({', '.join(flow.state)}); write another where= or another flow")
    found, states = second_order(field, flow.state, algebra, flow.name)
    return {s: _renamed(found[f], flow.state[0], expansion.states[0]) for s, f in zip(expansion.states, states)}


def rates_of(flow: Flow, algebra: Algebra) -> dict[str, Element]:
    """A flow's vector field in its own states."""
    own = {s: algebra.state(s) for s in flow.state}
    return dict(zip(flow.state, run(flow.program, algebra, own, clocked)))


def _renamed(a: Element, old: str, new: str) -> Element:
    def moved(tree: Tree) -> Tree:
        return (new if tree == old else tree) if isinstance(tree, str) else tuple(map(moved, tree))
    return {(p, moved(tree)): c for (p, tree), c in a.items()}
