"""The parameters that make the worst rate over [mu, L] smallest: in closed form with a proof, else as numbers."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Iterable

import numpy as np
from sympy import Add, Expr, Integer, Poly, Symbol, cancel, factor, latex, sqrt

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule
from . import pool
from .extremal import Candidate, candidates, combinations, equations, stationary
from .linear import as_expression
from .numbers import expression
from .proof import Proof
from .rates import Rate, rate
from .spectrum import Factor
from .symbols import symbol

LOW, HIGH = symbol("mu"), symbol("L")
M, N = Symbol("<sqrt(mu)>", positive=True), Symbol("<sqrt(L)>", positive=True)
SECONDS = 20.0
SAMPLES = ((1.0, 1.7), (1.0, 9.0), (2.0, 150.0))


@dataclass(frozen=True, eq=False)
class Tuning:
    """The best parameters by name and the worst rate that they reach; `numeric` where no closed form was proved."""

    params: dict[str, Expr]
    rho: Expr
    proof: Proof
    numeric: bool = False
    kind: str = "method"
    clinging: str = ""

    def at(self, **values: Any) -> dict[str, float]:
        """Parameters and rate in floats, `rho` among them."""
        env = {symbol(n): np.float64(v) for n, v in values.items()}
        return {n: float(expression(e, env)) for n, e in {**self.params, "rho": self.rho}.items()}

    def __repr__(self) -> str:
        what = "abscissa" if self.kind == "flow" else "rho"
        shown = [f"{n} = {e}" for n, e in {**self.params, what: self.rho}.items()]
        return ", ".join(shown) + f"        {'numeric' if self.numeric else self.proof.status}"

    def _repr_latex_(self) -> str:
        what = symbol("alpha") if self.kind == "flow" else symbol("rho")
        rows = [f"{latex(symbol(n))} = {latex(e)}" for n, e in self.params.items()] + [f"{latex(what)} = {latex(self.rho)}"]
        return "$\\displaystyle " + r",\quad ".join(rows) + "$"


def optimum(rule: Rule, mu: Any = "mu", L: Any = "L", *, params: Iterable[str] | None = None) -> Tuning:
    """The parameters that make the worst rate over all curvatures in [mu, L] smallest.

    rho* = min over parameters of max over lam in [mu, L] of rate(lam); all real parameters compete.

    rule : Rule with one curvature; mu, L : names or numbers with 0 < mu <= L (the same name twice: one curvature);
    params : the parameters to choose, by default all that the rate depends on; the others stay as they are.
    Returns a Tuning. Where no closed form is found, numbers for mu and L give a numeric optimum, labelled so; with names that is
    a RuleError.

    >>> from dynopt import method
    >>> optimum(method(lambda x, *, eta, grad: x - eta*grad(x)))
    eta = 2/(L + mu), rho = (L - mu)/(L + mu)        proved
    """
    found = rate(rule)
    names = tuple(n for n in rule.params if symbol(n) in found.free_symbols) if params is None else tuple(params)
    _check(rule, found, names, mu, L)
    closed = closed_form(found, names, mu == L)
    low, high = as_expression(mu), as_expression(L)
    if closed is not None:
        table = {LOW: low, HIGH: high}
        best = {n: closed.params[n].subs(table, simultaneous=True) for n in names}
        return Tuning(best, closed.rho.subs(table, simultaneous=True), closed.proof, False, found.kind, closed.clinging)
    if low.free_symbols or high.free_symbols or set(found.free_symbols) - {symbol(n) for n in names} - set(found.curvatures):
        raise RuleError(f"optimum: no closed form was found for {rule.name}; give numbers, as in optimum(rule, mu=1, L=100)")
    from .search import numeric_minimum
    values, size = numeric_minimum(found.over(low, high), names)
    return Tuning({n: as_expression(v) for n, v in values.items()}, as_expression(size),
                  Proof("unknown", "numeric search from many starts"), True, found.kind)


def closed_form(found: Rate, names: tuple[str, ...], single: bool) -> Tuning | None:
    """The closed form in mu and L, or None where none is proved in time."""
    try:
        return pool.call(__name__, "search", found, names, single, seconds=SECONDS)
    except (pool.OutOfTime, pool.WorkFailed):
        return None


def search(found: Rate, names: tuple[str, ...], single: bool) -> Tuning | None:
    """The same, run in a worker process."""
    return Problem(found, [symbol(n) for n in names], single).closed_form()


def _check(rule: Rule, found: Rate, names: tuple[str, ...], mu: Any, L: Any) -> None:
    wrong = [n for n in names if n not in rule.params]
    if wrong:
        raise ParameterError(f"optimum: {wrong[0]!r} is no parameter of {rule.name}, expected some of {', '.join(rule.params)}")
    if not names:
        raise ParameterError(f"optimum: the rate of {rule.name} depends on no parameter that could be chosen")
    if len(found.curvatures) != 1:
        raise RuleError(f"optimum: the rate of {rule.name} depends on {len(found.curvatures)} curvatures, expected one (lam)")
    low, high = as_expression(mu), as_expression(L)
    if (low.is_number and low <= 0) or (low.is_number and high.is_number and low > high):
        raise ParameterError(f"optimum: found mu = {mu}, L = {L}, expected 0 < mu <= L")


class Problem:
    """One search for a closed form: the factor, the parameters to choose, the ends of the interval."""

    def __init__(self, found: Rate, chosen: list[Symbol], single: bool):
        self.rate, self.chosen, self.single = found, chosen, single
        self.flow = found.flow
        self.rho = Symbol("<rho>", real=True)
        [self.lam] = found.curvatures
        self.ends = (M**2,) if single else (M**2, N**2)
        self.simple = len(found.factors) == 1 and not found.definitions and found.factors[0].step == 1 and not found.needs
        used: set = set().union(*(c.free_symbols for f in found.factors for c in f.coefficients))
        self.fixed = sorted(used - {*chosen, self.lam}, key=str)

    @cached_property
    def factor(self) -> Factor:
        return self.rate.factors[0]

    def at_end(self, end: Expr) -> tuple[Expr, ...]:
        return self.factor.subs({self.lam: end}).coefficients

    def closed_form(self) -> "Tuning | None":
        """The first candidate that is proved best; several together where the best one depends on a parameter that stays."""
        if not self.simple or any(s not in self.rate.free_symbols for s in self.chosen):
            return None
        from .tuning_proof import prove_best, prove_together
        lower: list[Candidate] = []
        for c in self.candidates():
            proof, below = prove_best(self, c)
            if proof is not None and proof.status == "proved":
                return self.finished(c, proof)
            lower += [c] if below else []
        return prove_together(self, lower) if self.fixed and len(lower) > 1 else None

    def candidates(self) -> Iterable[Candidate]:
        """Solutions that are real, and whose rate is what they claim, at some of the samples."""
        for name in combinations(len(self.chosen) + 1, len(self.ends), self.flow):
            ends = zip(self.ends, name.split("|"))
            system = [e for end, kind in ends for e in equations(self.at_end(end), kind, self.rho, self.flow)]
            yield from self.claimed(system, name)
        if len(self.chosen) == 1:                                        # or a root is smallest all by itself
            for end, sign in product(self.ends, (1, -1)):
                yield from self.claimed(stationary(self.at_end(end), self.chosen[0], self.rho, sign), "stationary")

    def claimed(self, system: list[Expr], name: str) -> Iterable[Candidate]:
        for c in candidates(system, self.chosen, self.rho, name):
            if any(self.claims(c, values) for values in self.samples()):
                yield c

    def samples(self) -> list[dict[Symbol, float]]:
        """Ends of the interval, and values on its scale for the parameters that stay."""
        shares = (0.3, 1.3, 2.5, 3.5) if self.fixed else (1.0,)
        return [{M: np.sqrt(a), N: np.sqrt(b)} | dict.fromkeys(self.fixed, f/b) for a, b in SAMPLES for f in shares]

    def values(self, c: Candidate, sample: dict[Symbol, float]) -> dict[Symbol, float] | None:
        """The candidate in floats, or None where it is not real."""
        env: dict[Symbol, Any] = {s: np.float64(v) for s, v in sample.items()}
        with np.errstate(all="ignore"):
            for g, inside in c.roots.items():
                env[g] = np.sqrt(expression(inside, env))
            out = {s: float(expression(e, env)) for s, e in {**c.params, self.rho: c.rho}.items()}
        return out if all(np.isfinite(v) for v in out.values()) else None

    def claims(self, c: Candidate, sample: dict[Symbol, float]) -> bool:
        """Is the worst rate at the ends the one that the candidate names?"""
        found = self.values(c, sample)
        if found is None or not (self.flow or 0 < found[self.rho] < 1):
            return False
        worst = self.worst({**sample, **found})
        return abs(worst - found[self.rho]) < 1e-6*(1 + abs(found[self.rho]))

    def worst(self, values: dict[Symbol, float]) -> float:
        """The larger of the rates at the ends."""
        sizes = []
        for end in ((M,) if self.single else (M, N)):
            env = {**{s: np.float64(v) for s, v in values.items()}, self.lam: np.float64(values[end]**2)}
            sizes.append(float(self.factor.size([expression(e, env) for e in self.factor.coefficients], self.flow)))
        return max(sizes)

    def finished(self, c: Candidate, proof: Proof) -> Tuning:
        shown = {str(s): self.written(e, c.roots) for s, e in c.params.items()}
        return Tuning(shown, self.written(c.rho, c.roots), proof, False, self.rate.kind, c.clinging)

    def written(self, e: Expr, roots: dict[Symbol, Expr]) -> Expr:
        """In mu and L again: the shorter of the ways to write it."""
        table = {M: sqrt(LOW), N: sqrt(HIGH)}
        ways = [e] + [short for g, inside in roots.items() for short in _in_terms_of(e, g, inside)]
        out = [factor(cancel(w)).subs({g: sqrt(inside) for g, inside in roots.items()}).subs(table) for w in ways]
        out += [factor(w) for w in map(_rational, ways) if w is not None]
        return min(out, key=lambda w: (sum(len(a.args) for a in w.atoms(Add)), w.count_ops()))


def _rational(e: Expr) -> Expr | None:
    """The expression in mu and L where only even powers of their roots occur."""
    if e.free_symbols - {M, N} and any(str(s).startswith("<sqrt") for s in e.free_symbols - {M, N}):
        return None
    parts = [Poly(part, M, N) for part in cancel(e).as_numer_denom()]
    if any(k % 2 for p in parts for powers in p.monoms() for k in powers):
        return None
    over, under = (sum((c*LOW**(i//2)*HIGH**(j//2) for (i, j), c in p.terms()), Integer(0)) for p in parts)
    return over/under


def _in_terms_of(e: Expr, g: Symbol, inside: Expr) -> list[Expr]:
    """The expression with L, or the symbol under the root, eliminated in favour of the root, where that is possible."""
    if inside.is_Symbol:
        return [cancel(e.subs(inside, g**2))]
    over, under = cancel(e).as_numer_denom()
    p = Poly(inside, N)
    if p.degree() != 2 or any(k % 2 for part in (over, under, inside) for (k,) in Poly(part, N).monoms()):
        return []
    square = (g**2 - p.nth(0))/p.nth(2)
    swap = [sum((c*square**(k//2) for (k,), c in Poly(part, N).terms()), Integer(0)) for part in (over, under)]
    return [cancel(swap[0]/swap[1])]
