"""Noise on one mode: mean, stationary covariance, correlations in time, and where the mean square stays finite."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Dummy, Expr, Matrix, Poly, cancel, exp, eye, fraction, together

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule, as_rule
from .driven import Driven, drive
from .exact import neat, solve
from .lift import pairs, symmetric_square, symmetric_sum
from .mode import as_expression
from .numbers import expression
from .region import Region
from .symbols import symbol
from .wording import in_text


@dataclass(frozen=True, eq=False)
class Moments:
    """First and second moments of a rule on one mode; states are read after the update."""

    driven: Driven

    @property
    def flow(self) -> bool:
        return self.driven.kind == "flow"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates, in the order of `covariance`."""
        return tuple(s for s, _ in self.driven.keys)

    @cached_property
    def mean(self) -> Matrix:
        """The stationary mean, the fixed point of the mean map."""
        d = self.driven
        if all(e == 0 for e in d.affine):
            return Matrix.zeros(d.matrix.rows, 1)
        system = -d.matrix if self.flow else eye(d.matrix.rows) - d.matrix
        found = solve(system, d.affine)
        if found is None:
            raise RuleError("the mean map has no single fixed point, so there is no stationary mean")
        return found

    @cached_property
    def lifted(self) -> Matrix:
        """What one step (the flow) does to the entries i <= j of E[z z^T], z measured from the mean."""
        d = self.driven
        total = (symmetric_sum if self.flow else symmetric_square)(d.matrix)
        for p in d.parts:
            total = total + (p.variance*symmetric_square(p.matrix)).expand()
        return total.applyfunc(lambda e: e.expand() if e.has(exp) else together(e))

    @cached_property
    def drive(self) -> Matrix:
        """What the noise adds to these entries in each step (unit of time)."""
        n = self.driven.matrix.rows
        total = Matrix.zeros(n, n)
        for p in self.driven.parts:
            w = p.matrix*self.mean + p.affine
            total = total + (p.variance*(w*w.T)).expand()
        return Matrix([total[i, j] for i, j in pairs(n)])

    @cached_property
    def covariance(self) -> Matrix:
        """Stationary covariance of the whole state, after the update: P = A P A^T + Q (flows: A P + P A^T + Q = 0)."""
        m = self.lifted.rows
        system = -self.lifted if self.flow else eye(m) - self.lifted
        found = solve(system, self.drive)
        if found is None:
            raise RuleError("no stationary second moments: an eigenvalue has size one at all parameters")
        n = self.driven.matrix.rows
        table = dict(zip(pairs(n), found))
        return Matrix(n, n, lambda i, j: table[min(i, j), max(i, j)])

    def variance(self, state: str = "x") -> Expr:
        """Stationary variance of a state (of X squared)."""
        i = self.driven.row(state)
        return self.covariance[i, i]

    def covariance_of(self, a: str, b: str) -> Expr:
        """Stationary covariance of two states."""
        return self.covariance[self.driven.row(a), self.driven.row(b)]

    def autocovariance(self, j: int = 1) -> Matrix:
        """E[z_(k+j) z_k^T] about the mean, A^j P, for j >= 0 steps."""
        if self.flow or not isinstance(j, (int, np.integer)) or j < 0:
            raise ParameterError(f"autocovariance({j!r}): expected a whole number of steps >= 0 of a method"
                                 + ("; a flow has correlations exp(A t) P" if self.flow else ""))
        return (self.driven.matrix**int(j)*self.covariance).applyfunc(lambda e: neat(e))

    def long_run(self, state: str = "x") -> Expr:
        """lim n*Var(mean of n successive values), what averaging leaves: the noise seen at frequency zero."""
        d, i = self.driven, self.driven.row(state)
        n = d.matrix.rows
        inverse = solve((-d.matrix if self.flow else eye(n) - d.matrix), self.covariance)
        if inverse is None:
            raise RuleError("the mean map has an eigenvalue 1 at all parameters, so that averages do not settle")
        return neat(2*inverse[i, i] - (0 if self.flow else self.covariance[i, i]))

    def mean_of(self, n: int, state: str = "x") -> Expr:
        """Variance of the mean of n successive values of a state, exactly: (n C_0 + 2 sum (n - j) C_j)/n**2."""
        if self.flow or not isinstance(n, (int, np.integer)) or isinstance(n, bool) or n < 1:
            raise ParameterError(f"mean_of({n!r}): expected a whole number of values >= 1 of a method")
        i, column = self.driven.row(state), self.covariance[:, self.driven.row(state)]
        total = n*column[i]
        for j in range(1, int(n)):
            column = self.driven.matrix*column
            total += 2*(n - j)*column[i]
        return total/n**2

    def correlation_time(self, state: str = "x") -> Expr:
        """1 + 2*(sum of autocorrelations), in steps: n values count as n/correlation_time independent ones."""
        return neat(self.long_run(state)/self.variance(state))

    def leading(self, name: str, state: str = "x", *, to: Any = 0, where: dict[str, Any] | None = None) -> Expr:
        """First term of the variance as a parameter tends to a value: `leading("eta")`, or at a fixed effective rate
        `leading("beta", to=1, where={"eta": "alpha*(1 - beta)"})`."""
        s, end = symbol(name), as_expression(to)
        table = {symbol(n): as_expression(v) for n, v in (where or {}).items()}
        gap = Dummy("gap")
        e = cancel(together(self.variance(state).subs(table, simultaneous=True).subs(s, end + gap)))
        over, under = fraction(e)
        if not e.is_rational_function(gap):
            raise RuleError(f"leading: the variance is no rational function of {name}; use sympy's series on .variance()")
        first = [_lowest(Poly(p, gap)) for p in (over, under)]
        return neat(cancel(first[0]/first[1]).subs(gap, s - end))

    @cached_property
    def region(self) -> Region:
        """Where the mean square stays finite: every eigenvalue of the lifted map inside (flows: left of zero)."""
        from .mean_square import mean_square
        return mean_square(self)

    def at(self, **values: Any) -> np.ndarray:
        """The stationary covariance in floats, shape (n, n); NaN where the variance does not stay finite."""
        needed = sorted({str(s) for e in self.covariance for s in e.free_symbols})
        missing = [n for n in needed if n not in values]
        if missing:
            raise ParameterError(f"moments: missing {', '.join(missing)}; expected values for {', '.join(needed)}")
        env = {symbol(n): np.float64(v) for n, v in values.items()}
        found = np.array(self.covariance.applyfunc(lambda e: expression(e, env)).tolist(), dtype=float)
        if (np.linalg.eigvalsh(found) < -1e-9*np.abs(found).max()).any() if np.isfinite(found).all() else False:
            return np.full_like(found, np.nan)                          # no covariance is negative: outside the mean-square region
        return found

    def __repr__(self) -> str:
        rows = [f"Var({s}) = {in_text(self.covariance[i, i])}" for i, s in enumerate(self.names)]
        return "\n".join(rows)


def moments(rule: Rule, *, additive: str | None = "sigma", multiplicative: str | None = None, noise: Any = None,
            mode: Any = "lam") -> Moments:
    """The mean, the stationary covariance and the mean-square stability of a rule on one noisy mode.

    Gradients read g + sigma*xi (`additive="sigma"`), the curvature lam + s*xi (`multiplicative="s"`), xi with mean zero and
    unit variance. All calls of `grad` in a step share one sample; a call that the rule writes as `grad(x, fresh=True)` has one of
    its own. The rule's own `noise()` and `uniform()` count always, alone with `additive=None`. With
    z -> (A + sum xi B) z + w xi about the mean, P = A P A^T + sum (B P B^T + w w^T).

    rule : Rule, linear in its states; noise : a Problem with per-sample data, whose mini-batch noise is then used.
    Returns Moments. Raises LinearizeError where a sample enters a step twice (its fourth moment would matter).

    >>> from dynopt import method
    >>> moments(method(lambda x, *, eta, grad: x - eta*grad(x))).variance("x")
    eta*sigma**2/(lam*(-eta*lam + 2))
    """
    as_rule(rule)
    if noise is not None:
        from .minibatch import minibatch
        return minibatch(rule, noise)
    return Moments(drive(rule, additive=additive, multiplicative=multiplicative, mode=mode))


def _lowest(p: Poly) -> Expr:
    (k,), c = min(p.terms(), key=lambda t: t[0])
    return c*p.gen**k
