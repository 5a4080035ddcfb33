"""Steps that shrink with k: how fast the error dies, what the noise leaves, and whether Robbins and Monro would agree."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, Max, limit, oo, summation

from ..core.errors import RuleError
from ..core.rule import Rule
from .driven import drive
from .exact import neat
from .limits import K
from .mode import as_expression


@dataclass(frozen=True)
class Decay:
    """x_(k+1) = (1 - s_k) x_k + w_k xi on one mode, s_k of order k**-order."""

    step: Expr
    noise: Expr
    order: Expr

    @property
    def exponent(self) -> Expr:
        """x_k is of order k**exponent without noise, for steps of order 1/k."""
        self._harmonic()
        return neat(-limit(K*self.step, K, oo))

    @property
    def mean_square_exponent(self) -> Expr:
        """E x_k**2 is of order k**this with noise: the noise leaves 1/k where the start is forgotten faster, 2*exponent otherwise."""
        return Max(-1, 2*self.exponent)

    @property
    def variance(self) -> Expr:
        """lim k*E x_k**2 with noise, for steps of order 1/k; valid where 2*(lim k s_k) > 1."""
        self._harmonic()
        a = limit(K*self.step, K, oo)
        return neat(limit(K**2*self.noise, K, oo)/(2*a - 1))

    def _harmonic(self) -> None:
        if self.order != 1:
            raise RuleError(f"the steps are of order k**-({self.order}), expected 1/k: only then is the error a power of k")

    @property
    def robbins_monro(self) -> tuple[Any, Any]:
        """Whether the sum of the steps is infinite, and the sum of their squares finite: true, false or a relation."""
        return self.order <= 1, 2*self.order > 1

    def log_contraction(self, steps: Any) -> Expr:
        """log(x_n/x_0) after n steps to first order in the step: minus the sum of the steps."""
        return neat(-summation(self.step, (K, 0, as_expression(steps) - 1)))


def decay(rule: Rule, *, additive: str | None = "sigma") -> Decay:
    """How the error of a rule with one state and steps that depend on k dies on a mode of curvature lam.

    x_(k+1) = (1 - s_k) x_k + w_k xi: without noise x_k ~ k**-a where a = lim k s_k, with noise E x_k**2 ~ V/k,
    V = lim (k w_k)**2/(2 a - 1) (Chung 1954).

    rule : Method with one state whose parameters are a schedule, as in gd.subs(eta=schedule("c/(k + 1)")).
    Returns a Decay: `.exponent`, `.variance`, `.mean_square_exponent`, `.robbins_monro`, `.log_contraction(n)`.

    >>> from dynopt import method, schedule
    >>> gd = method(lambda x, *, eta, grad: x - eta*grad(x))
    >>> decay(gd.subs(eta=schedule("c/(k + 1)"))).exponent
    -c*lam
    """
    driven = drive(rule, additive=additive, multiplicative=None, settled=False)
    if driven.matrix.rows != 1 or driven.kind != "method":
        raise RuleError(f"{rule.name} has {driven.matrix.rows} states, expected a method with one; momentum at a fixed rate "
                        "follows the same law with eta/(1 - beta) in place of eta")
    step = neat(1 - driven.matrix[0])
    if not step.has(K):
        raise RuleError(f"{rule.name} does not depend on k; give a schedule, as in .subs(eta=schedule('c/(k + 1)'))")
    noise = sum((p.variance*p.affine[0]**2 for p in driven.parts), Integer(0))
    return Decay(step, noise, neat(-limit(K*step.diff(K)/step, K, oo)))
