"""Quadratic quantities that a method leaves as they are on a mode: shadow energies."""
from __future__ import annotations

from typing import Any

from sympy import Expr, eye

from ..core.rule import Rule
from .exact import neat
from .lift import pairs, symmetric_square, symmetric_sum
from .linear import linearize
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
