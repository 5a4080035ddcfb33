"""How fast a rule forgets: spectral radius of a method, spectral abscissa of a flow, in formulas and in floats."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import gcd
from typing import Any, Iterable

import numpy as np
from sympy import Dummy, Expr, Max, Piecewise, Poly, Symbol, factor_list, log

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule
from .atoms import sign
from .letters import Letters
from .linear import Linear, linearize
from .mode import as_expression, no_clash
from .numbers import expression
from .pool import limited
from .schur import Coefficients, as_poly
from .spectrum import Factor, Piece
from .symbols import symbol
from .values import fitting, floats

SAMPLES, FEW, SHARPENINGS = 257, 33, 60


@dataclass(frozen=True, eq=False)
class Rate:
    """The largest root of several factors: a contraction factor per step, or (for flows) a growth rate per unit of time.

    `how` is "closed form", or "numeric" where a worst case over an interval is searched for in floats.
    """

    factors: tuple[Factor, ...]
    kind: str
    definitions: dict = field(default_factory=dict)
    names: tuple[str, ...] = ()
    curvatures: tuple[Symbol, ...] = ()
    interval: tuple[Expr, Expr] | None = None            # only where the worst case is numeric
    needs: tuple[Expr, ...] = ()

    @property
    def flow(self) -> bool:
        return self.kind == "flow"

    @property
    def how(self) -> str:
        return "numeric" if self.interval else "closed form"

    @cached_property
    def pieces(self) -> tuple[tuple[Piece, ...], ...]:
        """For each factor its formulas, the complex branch first; the rate is the largest over the factors."""
        return tuple(tuple(self._named(p) for p in f.pieces(self.flow)) for f in self.factors)

    def _named(self, p: Piece) -> Piece:
        value, when, angle = (None if e is None else e.subs(self.definitions) for e in (p.value, p.when, p.angle))
        return Piece(value, when, p.kind, angle)

    @cached_property
    def expr(self) -> Expr:
        """One sympy expression: Max over the factors of Piecewise formulas (of lam where the worst case is numeric)."""
        return Max(*(_piecewise(group) for group in self.pieces)) if self.pieces else as_expression(0)

    @property
    def time_constant(self) -> Expr:
        """Steps (units of time) in which the error falls by a factor e."""
        return -1/self.expr if self.flow else -1/log(self.expr)

    def at(self, **values: Any) -> Any:
        """The rate at numbers or arrays by name, broadcast against each other; a float or an array.

        >>> from dynopt import method
        >>> rate(method(lambda x, *, eta, grad: x - eta*grad(x))).at(eta=0.5, lam=[1.0, 3.0]).tolist()
        [0.5, 0.5]
        """
        env = self._environment(values)
        return self._worst(env) if self.interval else self._largest(env)

    def quick(self, **values: Any) -> Any:
        """The same, a worst case over an interval read off from a few curvatures only: for searches."""
        env = self._environment(values)
        return np.max(self._sampled(env, FEW)[1], axis=-1) if self.interval else self._largest(env)

    def _largest(self, env: dict[Symbol, Any]) -> Any:
        sizes = [f.size([expression(c, env) for c in f.coefficients], self.flow) for f in self.factors]
        floor = -np.inf if self.flow else 0.0
        worst = floor
        for s in sizes:
            worst = np.maximum(worst, s)
        return worst if np.ndim(worst) else float(worst)

    def _sampled(self, env: dict[Symbol, Any], count: int) -> tuple[np.ndarray, np.ndarray]:
        """Curvatures that fill the interval, denser at its ends, and the rates there, on a last axis of their own."""
        [lam] = self.curvatures
        low, high = (np.asarray(expression(e, env), dtype=float)[..., None] for e in self.interval)
        nodes = low + (high - low)*(1 - np.cos(np.pi*np.arange(count)/(count - 1)))/2
        values = self._largest(_wide(env) | {lam: nodes})
        return np.broadcast_to(nodes, np.shape(values)), values

    def _worst(self, env: dict[Symbol, Any]) -> Any:
        """The largest value over the interval: samples, then golden sections around the best one."""
        nodes, values = self._sampled(env, SAMPLES)
        best = np.argmax(values, axis=-1)[..., None]
        left = np.take_along_axis(nodes, np.maximum(best - 1, 0), -1)
        right = np.take_along_axis(nodes, np.minimum(best + 1, SAMPLES - 1), -1)
        found = self._sharpen(_wide(env), self.curvatures[0], left, right)
        worst = np.maximum(np.max(values, axis=-1), found[..., 0])
        return worst if np.ndim(worst) else float(worst)

    def _sharpen(self, env: dict, lam: Symbol, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        golden = (np.sqrt(5) - 1)/2
        best = np.full(np.shape(left), -np.inf)
        for _ in range(SHARPENINGS):
            a, b = right - golden*(right - left), left + golden*(right - left)
            fa, fb = self._largest(env | {lam: a}), self._largest(env | {lam: b})
            best = np.maximum(best, np.maximum(fa, fb))
            left, right = np.where(fa < fb, a, left), np.where(fa < fb, right, b)
        return best

    def _environment(self, values: dict[str, Any]) -> dict[Symbol, Any]:
        needed = {str(s) for s in self.free_symbols}
        missing, extra = sorted(needed - set(values)), sorted(set(values) - needed - set(self.names))
        if missing or extra:
            raise ParameterError(f"rate: {'missing ' + ', '.join(missing) if missing else 'unknown ' + ', '.join(extra)}; "
                                 f"expected values for {', '.join(sorted(needed)) or 'nothing'}")
        env: dict[Symbol, Any] = {symbol(n): floats("rate", n, v) for n, v in values.items()}
        fitting("rate", env)
        with np.errstate(all="ignore"):
            for generator, meaning in self.definitions.items():
                env[generator] = expression(meaning, env)
        return env

    @cached_property
    def free_symbols(self) -> frozenset[Symbol]:
        """The parameters that the rate depends on."""
        inside: set = set().union(*(c.free_symbols for f in self.factors for c in f.coefficients))
        used = set().union(*(self.definitions[s].free_symbols for s in inside if s in self.definitions))
        own = {s for s in inside if s not in self.definitions} | used
        ends = set().union(*(e.free_symbols for e in self.interval)) if self.interval else set()
        return frozenset(own - (set(self.curvatures) if self.interval else set()) | ends)

    def over(self, mu: Any, L: Any) -> "Rate":
        """The worst rate for curvatures in [mu, L], names or numbers with mu <= L.

        For factors of degree up to two whose coefficients are affine in lam, the set of lam below any level is an interval,
        so that the worst lam is an end of [mu, L]; beyond that it is searched for in floats (`how` is "numeric").
        """
        if self.interval:
            raise RuleError("over: the rate is a worst case already; start from rate(rule)")
        if len(self.curvatures) != 1:
            raise RuleError(f"over: the rate depends on {len(self.curvatures)} curvatures, expected one (lam)")
        [lam] = self.curvatures
        low, high = as_expression(mu), as_expression(L)
        no_clash("over", "the interval", low.free_symbols | high.free_symbols, {*self.names, str(lam)} - {"mu", "L"})
        if low.is_number and high.is_number and low > high:
            raise ParameterError(f"over: mu = {mu} is larger than L = {L}; write over(mu, L) with mu <= L")
        ends = sorted(str(s) for s in low.free_symbols | high.free_symbols)
        names = tuple(dict.fromkeys([n for n in self.names if n != str(lam)] + ends))
        if any(e.has(lam) for e in self.definitions.values()) or not all(_ends_decide(f, lam) for f in self.factors):
            return replace(self, interval=(low, high), names=names)
        factors = tuple(dict.fromkeys(f.subs({lam: end}) for end in (low, high) for f in self.factors))
        return replace(self, factors=factors, names=names, curvatures=())

    def __str__(self) -> str:
        from .rate_text import text
        return text(self, Letters("text", self.definitions))

    __repr__ = __str__

    @cached_property
    def latex(self) -> str:
        """The rate in LaTeX, without dollar signs."""
        from .rate_text import text
        return text(self, Letters("latex", self.definitions))

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"


def rate(rule: Rule, *, at: dict[str, Any] | None = None, mode: Any = "lam", freeze: Iterable[str] = ()) -> Rate:
    """The rate at which a rule forgets its start on one mode of curvature lam.

    Method: the spectral radius, max |z| over the roots of the characteristic polynomial (per step, below 1 when it converges).
    Flow: the spectral abscissa, max Re z (per unit of time, negative when it decays). Eigenvalues on the circle that a start
    from rest never excites are left out.

    rule : Rule whose gradient enters linearly, else LinearizeError; at, mode, freeze : as for `linearize`.
    Returns a Rate: `.pieces`, `.expr`, `.at(**values)`, `.over(mu, L)`, `.time_constant`.

    >>> from dynopt import method
    >>> rate(method(lambda x, *, eta, grad: x - eta*grad(x))).expr
    Abs(eta*lam - 1)
    """
    linear = linearize(rule, at=at, mode=mode, freeze=freeze)
    return rate_of(linear)


def rate_of(linear: Linear) -> Rate:
    """The rate of a rule that has been linearized."""
    neutral = {tuple(p.all_coeffs()) for p in linear.neutral}
    found = limited(linear.matrix.rows, "rates", "factors_of", linear.coefficients, linear.kind)
    factors = [replace(f, step=f.step*linear.period) for f in found if f.coefficients not in neutral]     # per step, not per period
    generators = linear.generators.meaning
    return Rate(tuple(dict.fromkeys(factors)), linear.kind, dict(generators), linear.names, linear.curvatures,
                needs=(*linear.needs, *linear.allowed))


def factors_of(coefficients: Coefficients, kind: str = "method") -> list[Factor]:
    """Irreducible factors in z, in z**step where only multiples of a step occur; roots at zero are left out (methods)."""
    z = Dummy("z")
    found = []
    for f, _ in factor_list(as_poly(coefficients, z).as_expr())[1]:
        if not f.has(z) or (f == z and kind == "method"):
            continue
        p = Poly(f, z)
        step = gcd(*(powers[0] for powers in p.monoms())) if kind == "method" else 1
        found.append(Factor(tuple(p.nth(step*i) for i in range(p.degree()//step, -1, -1)), step))
    return found


def _ends_decide(f: Factor, lam: Symbol) -> bool:
    """Is {lam : rate < level} an interval for every level?"""
    if f.degree > 2:
        return False
    affine = all(c.is_polynomial(lam) and Poly(c, lam).degree() <= 1 for c in f.coefficients)
    lead = f.coefficients[0]
    return affine and (not lead.has(lam) or sign(lead) != 0)


def _piecewise(group: tuple[Piece, ...]) -> Expr:
    if len(group) == 1:
        return group[0].value
    under, real = group
    return Piecewise((under.value, under.when < 0), (real.value, True))


def _wide(env: dict[Symbol, Any]) -> dict[Symbol, Any]:
    return {s: np.asarray(v, dtype=float)[..., None] for s, v in env.items()}
