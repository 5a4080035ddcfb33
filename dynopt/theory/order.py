"""Exact orders of consistency with the defect, and exact stability intervals of schemes."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, Callable, Iterator

import sympy
from sympy import Expr, Integer

from ..core.errors import ParameterTypeError, RuleError
from ..core.expr import Node, leaf
from ..core.rule import Flow, Method
from ..core.strings import rule_from_nodes
from .complex_plane import factors_of, scheme_on_test
from .modified import HIGHEST, Expansion, clocked, own_field, second_order, to_node
from .symbols import symbol
from .trees import Algebra, Element, NoTrees, StaysAway, Tree, all_trees, run, size

REAL = symbol("y")


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


# -- Runge-Kutta tableaux -------------------------------------------------------------------------------------------

def density(tree: Tree) -> int:
    """gamma(t) of a rooted tree (Hairer, Norsett, Wanner 1993, definition II.2.10)."""
    return size(tree)*prod(map(density, tree))


def elementary_weight(A: Any, b: Any, tree: Tree) -> Fraction:
    """Phi(t) of a tableau, in exact arithmetic."""
    def stages(t: Tree) -> list[Fraction]:
        values = [Fraction(1)]*len(b)
        for child in t:
            inner = stages(child)
            values = [v*sum((a*w for a, w in zip(row, inner)), Fraction(0)) for v, row in zip(values, A)]
        return values
    return sum((w*v for w, v in zip(b, stages(tree))), Fraction(0))


def tableau_order(scheme: Any, highest: int = 8) -> tuple[int, dict[Tree, Fraction]]:
    """The order of a Runge-Kutta scheme by rooted trees, and by how much each tree of the next size misses: Phi(t) - 1/gamma(t)."""
    for n in range(1, highest + 1):
        missed = {t: elementary_weight(scheme.A, scheme.b, t) - Fraction(1, density(t)) for t in all_trees(n)}
        if any(missed.values()):
            return n - 1, {t: m for t, m in missed.items() if m}
    return highest, {}


# -- stability intervals --------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Interval:
    """How far a scheme is stable for x' = -y x (`real`) and x' = i y x (`imag`), h = 1: algebraic numbers, oo, or 0.

    A scheme of positions and velocities has `imag` from x'' = -y^2 x and no `real`.
    """

    real: Expr | None
    imag: Expr


def stability_interval(scheme: Callable[[Flow], Method]) -> Interval:
    """The longest intervals 0 < y <= real, imag on which no solution of x' = -y x, x' = i y x grows, h = 1.

    |R(z)| <= 1 for one-step schemes, the root condition for multistep ones; ends are exact roots of polynomials.

    >>> from dynopt import rk4
    >>> stability_interval(rk4).imag
    2*sqrt(2)
    """
    try:
        made = scheme_on_test(scheme)
    except RuleError:
        return Interval(None, _first_exit(_on_oscillator(scheme)))
    made = made.subs(theta="1/2") if "theta" in made.params else made
    p = factors_of(made, sympy.Dummy("zeta"))
    return Interval(*(_first_exit(sympy.Poly(p.as_expr().subs(symbol("a"), z*REAL), p.gen)) for z in (Integer(-1), sympy.I)))


def _on_oscillator(scheme: Callable[[Flow], Method]) -> sympy.Poly:
    x, v, y = leaf("state", "x"), leaf("state", "v"), leaf("param", "y")
    made = scheme(rule_from_nodes(Flow, "oscillator", ("x", "v"), [v, -(y*y)*x]))
    return factors_of(made.subs(h=1), sympy.Dummy("zeta"))                                   # type: ignore[arg-type]


def _first_exit(p: sympy.Poly) -> Expr:
    """The first y > 0 beyond which a root lies outside the unit disk: a common root of p and its reflection, or the end at infinity."""
    mirror = sympy.Poly([sympy.conjugate(c) for c in p.all_coeffs()][::-1], p.gen)
    resultant = sympy.expand(sympy.resultant(p.as_expr(), mirror.as_expr(), p.gen))
    parts = [sympy.Poly(e, REAL) for e in map(sympy.expand, resultant.as_real_imag()) if e != 0]
    if not parts:                                              # a root stays on the circle: it leaves where it meets another one
        double = map(sympy.expand, sympy.expand(sympy.discriminant(p)).as_real_imag())
        parts = [sympy.Poly(e, REAL) for e in double if e != 0] or [sympy.Poly(1, REAL)]
    common = parts[0] if len(parts) == 1 else sympy.gcd(parts[0], parts[1])
    found = sympy.real_roots(common.sqf_part()) if common.degree() > 0 else []
    marks = [Integer(0), *sorted({r for r in found if r.is_positive}, key=lambda r: r.evalf(30))]
    for i, mark in enumerate(marks):
        beyond = (mark + marks[i + 1])/2 if i + 1 < len(marks) else mark + 1
        if _grows(p, Fraction(int(sympy.floor(beyond.evalf(30)*2**20)), 2**20)):
            return _radical(mark)
    return sympy.oo


def _grows(p: sympy.Poly, y: Fraction) -> bool:
    """Whether a root lies outside the unit disk at a rational point that is no boundary, by Schur-Cohn in exact arithmetic."""
    at = [sympy.expand(c.subs(REAL, sympy.Rational(y.numerator, y.denominator))) for c in p.all_coeffs()]
    while len(at) > 1:
        first, last = at[0], at[-1]
        gap = sympy.expand(first*sympy.conjugate(first) - last*sympy.conjugate(last))
        if gap < 0:
            return True
        if gap == 0:                                                       # a root on the circle at every point: it stays there
            return any(abs(complex(r)) > 1 + 1e-12 for r in sympy.Poly(at, sympy.Dummy()).nroots(n=30))
        mirrored = [sympy.conjugate(c) for c in at[::-1]]
        at = [sympy.expand(sympy.conjugate(first)*a - last*b) for a, b in zip(at, mirrored)][:-1]
    return False


def _radical(root: Expr) -> Expr:
    """A root in radicals where it is short."""
    if isinstance(root, sympy.CRootOf) and root.poly.degree() > 2:
        return root
    return sympy.sqrtdenest(sympy.radsimp(root)) if root.is_number else root
