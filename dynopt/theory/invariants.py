"""Quadratic quantities of a rule on a mode: those it leaves as they are (shadow energies), and those that fall by a given amount."""
from __future__ import annotations

from typing import Any

from sympy import Expr, Matrix, Poly, PolynomialError, eye

from ..core.errors import RuleError
from ..core.rule import Rule
from .exact import neat, solve
from .lift import pairs, symmetric_square, symmetric_sum
from .linear import linearize
from .mode import as_expression
from .symbols import symbol


def invariants(rule: Rule, *, mode: Any = "lam") -> tuple[Expr, ...]:
    """The quadratic forms in the states that a rule conserves on a mode of curvature lam: H(A z) = H(z) for all z.

    For a flow, forms whose rate of change is zero. Returns expressions in the states and parameters, one for each independent
    form, empty where there is none (every dissipative rule).

    >>> from dynopt import method
    >>> rotate = method(lambda x, y, *, eta, grad: (x - eta*y, y + eta*(x - eta*y)))
    >>> invariants(rotate)
    (-eta*x*y + x**2 + y**2,)
    """
    linear = linearize(rule, mode=mode)
    n, states = linear.matrix.rows, [symbol(s) for s, _ in linear.keys]
    flow = linear.kind == "flow"
    lifted = symmetric_sum(linear.matrix) if flow else symmetric_square(linear.matrix) - eye(n*(n + 1)//2)
    products = [states[i]*states[j] for i, j in pairs(n)]
    found = []
    for vector in lifted.T.applyfunc(lambda e: e.expand()).nullspace(iszerofunc=lambda e: neat(e) == 0):
        scale = next(e for e in reversed(list(vector)) if neat(e) != 0)
        found.append(sum(neat(e/scale)*p for e, p in zip(vector, products)))
    return tuple(found)


def decaying(rule: Rule, loss: str, *, mode: Any = "lam") -> Expr:
    """The quadratic form E in the states that falls by `loss` on a mode: E(A z) - E(z) = -loss in a step, dE/dt = -loss for a flow.

    Lyapunov's equation, M^T P M - P = -Q or M^T P + P M = -Q, solved in the parameters. Where the rule is stable and `loss` is
    positive definite, E is too: E = sum (integral) of what is still to be lost.
    loss : a quadratic form in the states, such as "x**2 + v**2". Raises RuleError where it is none, or no E exists.

    >>> from dynopt import gradient_descent
    >>> decaying(gradient_descent, "x**2")
    x**2/(eta*lam*(-eta*lam + 2))
    """
    linear = linearize(rule, mode=mode)
    n, states = linear.matrix.rows, [symbol(s) for s, _ in linear.keys]
    products = [states[i]*states[j] for i, j in pairs(n)]
    try:
        form = Poly(as_expression(loss), *states)
    except PolynomialError:
        form = None
    if form is None or any(sum(powers) != 2 for powers in form.monoms()):
        raise RuleError(f"decaying: loss = {loss!r:.40}, expected a quadratic form in {', '.join(map(str, states))}, such as \"{states[0]}**2\"")
    half = Matrix([form.coeff_monomial(p)/(1 if i == j else 2) for p, (i, j) in zip(products, pairs(n))])
    turned = linear.matrix.T
    lifted = symmetric_sum(turned) if linear.kind == "flow" else symmetric_square(turned) - eye(n*(n + 1)//2)
    found = solve(lifted, -half)
    if found is None:
        raise RuleError(f"{rule.name}: no quadratic form falls by that, since one is conserved on every mode; see invariants(rule)")
    return sum(neat(e*(1 if i == j else 2))*p for e, p, (i, j) in zip(found, products, pairs(n)))
