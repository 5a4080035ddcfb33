"""Flows on one mode, solved: closed forms from rest, amplitude and turning points, and how the solution dies out late.

A flow with two states is read as x'' + p(t) x' + q(t) x = 0 (one state: x' + q(t) x = 0).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import hyp0f1
from sympy import (
    Expr,
    Integer,
    Matrix,
    Symbol,
    besselj,
    cancel,
    cos,
    cosh,
    diff,
    exp,
    expand,
    gamma,
    limit,
    oo,
    pi,
    rf,
    series,
    sin,
    sinh,
    sqrt,
)

from ..core.errors import RuleError
from ..core.rule import Flow
from .driven import drive
from .evaluate import evaluate
from .exact import neat
from .symbols import symbol

T, LAM = symbol("t"), symbol("lam")
LATE = Symbol("t", positive=True)


class Solution:
    """x(t) on a mode from x(0) = 1 at rest: `.expr`, `.at(t=..., **values)`, `.series(n)`, `.envelope`."""

    expr: Expr

    def __repr__(self) -> str:
        return f"x(t) = {self.expr}"


@dataclass(frozen=True, repr=False)
class Damped(Solution):
    """Constant coefficients: x = exp(s t) (cos(w t) - s/w sin(w t)) for two states, exp(s t) for one (`square` None)."""

    s: Expr
    square: Expr | None                                  # w**2, negative where nothing swings

    @property
    def expr(self) -> Expr:                              # type: ignore[override]
        if self.square is None:
            return exp(self.s*T)
        if neat(self.square) == 0:
            return exp(self.s*T)*(1 - self.s*T)
        if self.square.is_negative:
            w = sqrt(-self.square)
            return exp(self.s*T)*(cosh(w*T) - self.s/w*sinh(w*T))
        w = sqrt(self.square)
        return exp(self.s*T)*(cos(w*T) - self.s/w*sin(w*T))

    def at(self, *, t: Any, **values: Any) -> Any:
        """x at times and parameters, broadcast; the same formula whether it swings or creeps."""
        s, t = np.asarray(evaluate(self.s, **values)), np.asarray(t, dtype=float)
        if self.square is None:
            return np.exp(s*t)
        w = np.sqrt(np.asarray(evaluate(self.square, **values)) + 0j)
        still = np.abs(w*t) < 1e-8
        swing = np.where(still, t, np.sin(w*t)/np.where(still, 1, w))
        return (np.exp(s*t)*(np.cos(w*t) - s*swing)).real

    @property
    def envelope(self) -> Expr:
        """The amplitude of the swings as a function of t, where w**2 > 0."""
        if self.square is None:
            return self.expr
        return exp(self.s*T)*sqrt(neat(1 + self.s**2/self.square))

    @property
    def turning(self) -> tuple[Expr, Expr]:
        """When x first stands still again, and where: (pi/w, -exp(pi s/w)); meant where w**2 > 0."""
        if self.square is None:
            raise RuleError("a flow with one state does not turn, expected two states such as x, v")
        w = sqrt(self.square)
        return pi/w, -exp(pi*self.s/w)

    def series(self, order: int) -> tuple[Expr, ...]:
        """Coefficients of lam**0 ... lam**order."""
        return _coefficients(self.expr, order)


@dataclass(frozen=True, repr=False)
class Fading(Solution):
    """x'' + (C/t) x' + B t**n x = 0: x = 0F1(; 1 + nu; -z**2/4), nu = (C - 1)/(n + 2), z = 2 sqrt(B) t**((n + 2)/2)/(n + 2)."""

    nu: Expr
    z: Expr

    @property
    def expr(self) -> Expr:                              # type: ignore[override]
        return gamma(self.nu + 1)*(2/self.z)**self.nu*besselj(self.nu, self.z)

    def at(self, *, t: Any, **values: Any) -> Any:
        """x at times >= 0 and parameters, broadcast."""
        nu, square = evaluate(self.nu, **_used(self.nu, values)), self.z**2
        return hyp0f1(np.asarray(nu) + 1, -np.asarray(evaluate(square, **_used(square, {"t": t, **values})))/4)

    @property
    def envelope(self) -> Expr:
        """The amplitude late: J_nu(z) has the amplitude sqrt(2/(pi z)) (DLMF 10.17.3)."""
        return gamma(self.nu + 1)*(2/self.z)**self.nu*sqrt(2/(pi*self.z))

    def series(self, order: int) -> tuple[Expr, ...]:
        """Coefficients of lam**0 ... lam**order, for a z**2 that is linear in lam."""
        slope = cancel(self.z**2/LAM)
        if slope.has(LAM):
            raise RuleError(f"z**2 = {self.z**2} is not proportional to lam, so there is no series in lam")
        return tuple(neat((-slope/4)**j/(rf(self.nu + 1, j).doit()*_factorial(j))) for j in range(order + 1))


def _used(e: Expr, values: dict[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in values.items() if n in {str(s) for s in e.free_symbols}}


def _factorial(j: int) -> int:
    return 1 if j == 0 else j*_factorial(j - 1)


def _coefficients(e: Expr, order: int) -> tuple[Expr, ...]:
    found = series(e, LAM, 0, order + 1).removeO()
    return tuple(expand(found).coeff(LAM, j) for j in range(order + 1))


def solution(flow: Flow) -> Damped | Fading:
    """A flow on a mode of curvature lam in closed form, from x = 1 at rest.

    Constant coefficients: x = exp(s t) (cos(w t) - s/w sin(w t)). x'' + (C/t) x' + B t**n x = 0:
    x = Gamma(nu + 1) (2/z)**nu J_nu(z), nu = (C - 1)/(n + 2), z = 2 sqrt(B) t**((n + 2)/2)/(n + 2), for every real C > 0.

    flow : Flow with one state, or two of which the second is the velocity, linear on a mode.
    Returns a solution: `.expr`, `.at(t=..., lam=..., **params)`, `.series(n)` in lam, `.envelope`, `.turning`.
    Raises RuleError for other coefficients; `late(flow)` may still know how it dies out.
    Source: Watson 1922, section 4.3; Su, Boyd, Candes 2016, section 3.2 for C = 3.

    >>> from dynopt import nesterov_flow
    >>> solution(nesterov_flow.subs(r=3))
    x(t) = 2*besselj(1, sqrt(lam)*t)/(sqrt(lam)*t)
    """
    p, q = equation(flow, rest=True)
    if p is None:
        if q.has(T):
            raise RuleError(f"{flow.name}: its rate {-q} depends on t, expected a constant")
        return Damped(neat(-q), None)
    if not p.has(T) and not q.has(T):
        return Damped(neat(-p/2), neat(q - p**2/4))
    C, n = cancel(p*T), cancel(T*diff(q, T)/q) if q != 0 else Integer(0)
    if C.has(T) or n.has(T):
        raise RuleError(f"{flow.name}: x'' + ({p}) x' + ({q}) x = 0 has no closed form here, expected constant coefficients or "
                        "p = C/t with a power of t for q; late(flow) tells how it dies out")
    return Fading(neat((C - 1)/(n + 2)), 2*sqrt(neat(cancel(q/T**n)))*T**((n + 2)/2)/(n + 2))


def equation(flow: Flow, *, rest: bool = False) -> tuple[Expr | None, Expr]:
    """The coefficients of x'' + p x' + q x = 0 on a mode (p None: x' + q x = 0); with `rest`, x stands still where v = 0."""
    if not isinstance(flow, Flow):
        raise RuleError(f"found {type(flow).__name__}, expected a Flow such as damped or nesterov_flow")
    linear = drive(flow, additive=None, multiplicative=None, settled=False)
    A: Matrix = linear.matrix
    if any(e != 0 for e in linear.affine) or linear.parts or A.rows > 2:
        raise RuleError(f"{flow.name}: found {A.rows} states{' and a drive' if A.rows < 3 else ''}, expected one or two and neither "
                        "noise nor a constant")
    if A.rows == 1:
        return None, neat(-A[0])
    a, b, c, d = A
    if b == 0:
        raise RuleError(f"{flow.name}: {linear.keys[0][0]} does not depend on {linear.keys[1][0]}, expected a velocity")
    if rest and a != 0:
        raise RuleError(f"{flow.name}: {linear.keys[0][0]}' holds {linear.keys[0][0]} itself, expected a velocity alone, as in damped")
    bend = diff(b, T)/b
    try:
        return neat(-(a + d + bend)), neat(-(diff(a, T) - a*bend + b*c - a*d))
    except TypeError:                                    # sympy cannot order t**(p - 2) while p has no number
        raise RuleError(f"{flow.name}: a power of t has no number as its exponent; give it one with .subs") from None


@dataclass(frozen=True)
class Late:
    """x ~ t**power exp(exponent t) for t -> oo."""

    exponent: Expr
    power: Expr

    def __repr__(self) -> str:
        return f"t**({self.power})*exp(({self.exponent})*t)"


@dataclass(frozen=True)
class Fates:
    """The ways in which a flow dies out on a mode, one for each state; `rate(**values)` is the slowest exponent, with its power."""

    ways: tuple[Late, ...]

    def rate(self, **values: float) -> tuple[float, float]:
        """(abscissa, power) of the slowest way at numbers: |x| has the envelope t**power exp(abscissa t)."""
        found = [tuple(_value(e, values).real for e in (w.exponent, w.power)) for w in self.ways]
        return max(found)                                # type: ignore[return-value]

    def __repr__(self) -> str:
        return ", ".join(map(repr, self.ways))

    @cached_property
    def exponents(self) -> tuple[Expr, ...]:
        return tuple(w.exponent for w in self.ways)


def _value(e: Expr, values: dict[str, float]) -> complex:
    table = {str(s): s for s in e.free_symbols}
    missing = sorted(set(table) - set(values))
    if missing:
        raise RuleError(f"late: missing {', '.join(missing)}; expected values for {', '.join(sorted(table))}")
    return complex(e.evalf(30, subs={s: values[n] for n, s in table.items()}))


def late(flow: Flow) -> Fates:
    """How a flow dies out on a mode: x ~ t**a exp(s t), s the roots of s**2 + p0 s + q0 = 0, a = -(p1 s + q1)/(2 s + p0).

    p = p0 + p1/t + ... and q = q0 + q1/t + ... are the coefficients of x'' + p x' + q x = 0 (one state: s = -q0, a = -q1).

    flow : Flow with one or two states, linear on a mode, whose coefficients settle as t -> oo.
    Returns Fates: `.ways`, `.rate(lam=..., **params)`. Raises RuleError where the coefficients do not settle or the roots meet.
    Source: Olver 1974, chapter 7, section 2.

    >>> from dynopt import nesterov_flow
    >>> late(nesterov_flow).rate(lam=4., r=3.)
    (0.0, -1.5)
    """
    p, q = equation(flow)
    q0, q1 = _settling(q, flow)
    if p is None:
        return Fates((Late(-q0, -q1),))
    p0, p1 = _settling(p, flow)
    root = sqrt(neat(p0**2 - 4*q0))
    if root == 0:
        raise RuleError(f"{flow.name}: both roots are {-p0/2} as t -> oo, expected two different ones")
    found = []
    for sign in (1, -1):
        s = (-p0 + sign*root)/2
        found.append(Late(s, neat(-(p1*s + q1)/(sign*root))))
    return Fates(tuple(found))


def _settling(e: Expr, flow: Flow) -> tuple[Expr, Expr]:
    """(e0, e1) with e = e0 + e1/t + O(1/t**2)."""
    e = e.subs(T, LATE)
    first = limit(e, LATE, oo)
    second = limit(LATE*cancel(e - first), LATE, oo) if first.is_finite is not False else oo
    if any(part.has(oo, -oo) or part.has(LATE) for part in (first, second)):
        raise RuleError(f"{flow.name}: the coefficient {e} does not settle like c + d/t as t -> oo")
    return neat(first), neat(second)
