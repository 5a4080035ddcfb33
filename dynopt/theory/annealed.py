"""Steps that fall to zero and start again: the variance that noise leaves at the end of a cycle of length T.

One mode, x_(k+1) = a_k x_k + w_k xi with a_k, w_k of period T in k. At the end of a cycle the periodic solution has
V = sum_j w_j^2 prod_(i > j) a_i^2 / (1 - prod a_i^2); for long cycles only the last steps count, where 1 - a = c u^p and
w^2 = b u^r in u = 1 - k/T, and the sum becomes an integral of m^r exp(-2 c m^(p+1)/((p+1) T^p)).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Dummy, Expr, Integer, cancel, gamma, series

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule
from .driven import drive
from .evaluate import evaluate
from .limits import K
from .symbols import symbol


@dataclass(frozen=True, eq=False)
class Annealed:
    """x_(k+1) = (1 - s_k) x_k + w_k xi over a cycle k = 0 ... T - 1, repeated; `noise` is w_k^2."""

    step: Expr
    noise: Expr
    period: str

    def variance(self, **values: Any) -> np.ndarray:
        """E x_k^2 of the periodic solution for k = 0 ... T, shape (T + 1,); its last entry is the trough."""
        cycle = values.get(self.period)
        if not isinstance(cycle, (int, np.integer)) or isinstance(cycle, bool) or cycle < 1:
            raise ParameterError(f"annealed: {self.period} = {cycle!r}, expected the whole number of steps of a cycle")
        k = np.arange(int(cycle))
        a, w = (np.broadcast_to(evaluate(e, k=k, **values) if e.has(K) else evaluate(e, **values), k.shape)
                for e in (1 - self.step, self.noise))
        start, decay = 0.0, 1.0
        for ak, wk in zip(a, w):
            start, decay = ak*ak*start + wk, decay*ak*ak
        path = [start/(1 - decay)]
        for ak, wk in zip(a, w):
            path.append(ak*ak*path[-1] + wk)
        return np.array(path)

    def trough(self, **values: Any) -> float:
        """E x^2 at the end of a cycle of the periodic solution, exactly."""
        return float(self.variance(**values)[-1])

    @cached_property
    def _ends(self) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]]:
        """Coefficient and power of u = 1 - k/T in the step and in the noise as u -> 0."""
        u, T = Dummy("u", positive=True), symbol(self.period)
        found = []
        for e in (self.step, self.noise):
            scaled = cancel(e.subs(K, T*(1 - u)))
            if scaled.has(T):
                raise RuleError(f"annealed: the step depends on k not by k/{self.period} alone, so that long cycles have no common shape")
            c, power = series(scaled, u, 0, 12).removeO().as_leading_term(u).as_coeff_exponent(u)
            found.append((c, power))
        return found[0], found[1]

    @property
    def order(self) -> Expr:
        """The power of T in the trough of long cycles."""
        (_, p), (_, r) = self._ends
        return -r + p*(r + 1)/(p + 1)

    @property
    def leading(self) -> Expr:
        """The trough as T -> oo at fixed parameters."""
        (c, p), (b, r) = self._ends
        if p <= 0:
            raise RuleError("annealed: the step does not fall to zero at the end of a cycle, so that the noise floor stays")
        q = (r + 1)/(p + 1)
        table = _positive(c)
        b, c = b.xreplace(table), c.xreplace(table)
        return (b*gamma(q)/(p + 1)*((p + 1)/(2*c))**q*symbol(self.period)**self.order).xreplace({t: s for s, t in table.items()})


def _positive(c: Expr) -> dict[Expr, Expr]:
    """A positive letter for the one parameter that a step has to have positive to shrink anything, so that its powers combine."""
    free = [s for s in c.free_symbols if not s.is_positive]
    if len(free) != 1:
        return {}
    t = Dummy("t", positive=True)
    return {free[0]: t} if c.xreplace({free[0]: t}).is_positive and c.xreplace({free[0]: -t}).is_negative else {}


def annealed(rule: Rule, period: str = "T", *, additive: str | None = "sigma") -> Annealed:
    """The variance at the end of a cycle of a rule with one state whose step is a schedule over k = 0 ... T - 1, repeated.

    rule : Method with one state, its step a schedule of k/T that falls to zero, as in the example; period : the name of T.
    Returns an Annealed: `.trough(T=100, **values)` exactly, `.leading` for long cycles, `.order` its power of T.

    >>> from dynopt import gradient_descent, schedule
    >>> cosine = gradient_descent.subs(eta=schedule("eta_max*(1 + cos(pi*k/T))/2"))
    >>> annealed(cosine).order
    -2/3
    """
    driven = drive(rule, additive=additive, multiplicative=None, settled=False)
    if driven.matrix.rows != 1 or driven.kind != "method":
        raise RuleError(f"annealed: {rule.name} has {driven.matrix.rows} states, expected a method with one")
    if any(e != 0 for p in driven.parts for e in p.matrix):
        raise RuleError(f"annealed: the noise of {rule.name} multiplies the state, expected noise that is added")
    noise = sum((p.variance*p.affine[0]**2 for p in driven.parts), Integer(0))
    return Annealed(1 - driven.matrix[0], noise, period)
