"""The energy that a symplectic method keeps instead of the true one, as derivatives of any f contracted with gradients and velocities.

Each term is a tree without a root: D^n f[a, b, ...] is the same number whichever of its gradients is written first. Its gradient in x
is the sum of the trees rooted at each of its vertices, in v the same at each leaf v. Source: Hairer, Lubich, Wanner 2006, section IX.3.
"""
from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from sympy import Rational

from ..core.errors import ParameterError, RuleError
from ..core.expr import Node, constant, leaf
from ..core.functions import dot
from ..core.rule import Method
from .coefficients import coefficients_of
from .modified import HIGHEST, _tree_node, own_field
from .trees import Algebra, Tree, canonical

KINETIC = ("kinetic",)


def shadow(method: Method, order: int = 4) -> Node:
    """The energy v^2/2 + f(x) + h H_1 + ... + h^order H_order that a method of x and v keeps up to h^(order + 1) over long times.

    x' = dH/dv, v' = -dH/dx for its modified equation in its own states, for every f in any dimension.
    method : a symplectic method with the states x, v and the step h, such as leapfrog(conservative); 0 <= order <= 6.
    Returns an expression with f(x), grad(x), hess(x, v), ... and h.
    Raises RuleError for a method that keeps no such energy, or with other states.

    >>> from dynopt import conservative, symplectic_euler
    >>> shadow(symplectic_euler(conservative), 1)
    dot(v, v)/2 + f(x) - h/2*dot(grad(x), v)
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= HIGHEST:
        raise ParameterError(f"shadow: order = {order!r:.30}, expected a whole number from 0 to {HIGHEST}")
    if not isinstance(method, Method) or len(method.state) != 2:
        raise RuleError(f"shadow: found {method!r:.60}, expected a Method with the states x, v; write shadow(leapfrog(conservative))")
    over = coefficients_of(method.program)
    x, v = method.state
    field = own_field(method, Algebra(order, x, over))
    terms: dict[tuple[int, Any], Fraction] = {}
    for n in range(order + 1):
        in_x, in_v = ({tree: _number(over.expr(c), method) for (p, tree), c in field[s].items() if p == n} for s in (x, v))
        terms.update({(n, graph): c for graph, c in energy_of(in_x, in_v, v, method.name).items()})
    return _written(terms, x, v)


def _number(c: Any, method: Method) -> Fraction:
    if not isinstance(c, Rational):
        raise RuleError(f"{method.name}: its energy depends on {', '.join(map(str, c.free_symbols))}; friction and mass have no place in "
                        "v^2/2 + f(x), expected a method of the conservative flow")
    return Fraction(int(c.p), int(c.q))


def energy_of(x_rate: dict[Tree, Fraction], v_rate: dict[Tree, Fraction], v: str, name: str) -> dict[Any, Fraction]:
    """Coefficients of rootless trees H with x' = dH/dv and v' = -dH/dx; all rates must agree."""
    found: dict[Any, Fraction] = {}
    for tree, c in v_rate.items():
        if not isinstance(tree, str):
            found[_graph(tree)] = -c/rooted(tree)[tree]
    for tree, c in x_rate.items():
        if isinstance(tree, tuple):
            whole = canonical((*tree, v))
            found.setdefault(_graph(whole), c/_without_leaf(whole, v)[tree])
        else:
            found[KINETIC] = c
    back_x, back_v = Counter[Any](), Counter[Any]()
    for graph, c in found.items():
        if graph == KINETIC:
            back_x[v] += c                                                                   # type: ignore[assignment]
            continue
        for tree, count in rooted(graph).items():
            back_v[tree] -= c*count                                                          # type: ignore[assignment]
        for tree, count in _without_leaf(graph, v).items():
            back_x[tree] += c*count                                                          # type: ignore[assignment]
    if {t: c for t, c in back_x.items() if c} != x_rate or {t: c for t, c in back_v.items() if c} != v_rate:
        raise RuleError(f"{name}: its modified equation is not that of an energy, so the method is not symplectic and keeps none")
    return found


def rooted(tree: Tree) -> Counter:
    """The tree rooted at each of its gradients."""
    found = Counter([tree])
    for i, child in enumerate(tree):
        if not isinstance(child, str):
            found.update(rooted_below(canonical((*tree[:i], *tree[i + 1:])), child))
    return found


def rooted_below(above: Tree, child: Tree) -> Counter:
    """Trees rooted in `child` and below, what lies above it hanging from it."""
    found = Counter([canonical((*child, above))])
    for i, grandchild in enumerate(child):
        if not isinstance(grandchild, str):
            found.update(rooted_below(canonical((*child[:i], *child[i + 1:], above)), grandchild))
    return found


def _graph(tree: Tree) -> Tree:
    """One name for the tree, wherever it is rooted."""
    return min(rooted(tree), key=lambda t: (len(t), repr(t)))


def _without_leaf(tree: Tree, v: str) -> Counter:
    """The derivative with respect to v: each leaf v taken away, the tree rooted where it hung."""
    found: Counter = Counter()
    for root, count in rooted(tree).items():
        for i, child in enumerate(root):
            if child == v:
                found[canonical((*root[:i], *root[i + 1:]))] += count
    return found


def _written(terms: dict[tuple[int, Any], Fraction], x: str, v: str) -> Node:
    total: Node | None = None
    for (n, graph), c in sorted(terms.items(), key=lambda item: (item[0][0], item[0][1] != KINETIC, repr(item[0][1]))):
        scale = constant(abs(c))
        term = _scalar(graph, x, v)
        if n:
            h = leaf("param", "h")**n if n > 1 else leaf("param", "h")
            term = (h if abs(c) == 1 else h/constant(1/abs(c)) if abs(c).numerator == 1 else scale*h)*term
        elif abs(c) != 1 or graph == KINETIC:
            term = term/2 if graph == KINETIC and c == 1 else scale*term
        total = term if total is None else total - term if c < 0 else total + term
    return total if total is not None else constant(0)*leaf("state", x)


def _scalar(graph: Any, x: str, v: str) -> Node:
    """D^n f[a, b, ...] as the inner product of one branch with the derivative in the direction of the others."""
    if graph == KINETIC:
        return dot(leaf("state", v), leaf("state", v))
    if not graph:
        return Node("call", leaf("state", x), data=("f", 0))
    *rest, last = graph
    return dot(_tree_node(tuple(rest), x), _tree_node(last, x))
