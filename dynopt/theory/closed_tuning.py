"""The search for a closed form of the best parameters: candidates from equations, kept where numbers agree, proved by z3."""
from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, Iterable

import numpy as np
from sympy import Add, Expr, Integer, Matrix, Poly, Rational, Symbol, cancel, factor, solve, sqrt

from .extremal import Candidate, candidates, combinations, equations, stationary
from .numbers import expression
from .rates import Rate, _ends_decide
from .search import minimum
from .spectrum import Factor
from .symbols import symbol
from .worst import Worst

if TYPE_CHECKING:
    from .proof import Proof
    from .tuning import Tuning

LOW, HIGH = symbol("mu"), symbol("L")
M, N = Symbol("<sqrt(mu)>", positive=True), Symbol("<sqrt(L)>", positive=True)
BETWEEN = Symbol("<between>", positive=True)                             # a curvature inside (mu, L) that holds the rate too
SAMPLES = ((1.0, 1.7), (1.0, 9.0), (2.0, 150.0))
NEAR = 1e-3                                                              # how well a search in floats finds the smallest rate


def search(found: Rate, names: tuple[str, ...], single: bool) -> "Tuning | None":
    """The closed form in mu and L, or None where none is proved; run in a worker process."""
    return Problem(found, [symbol(n) for n in names], single).closed_form()


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
        self.fixed = sorted(used - {*chosen, self.lam, LOW, HIGH}, key=str)

    @cached_property
    def factor(self) -> Factor:
        return self.rate.factors[0].subs({LOW: M**2, HIGH: M**2 if self.single else N**2})

    def at_end(self, end: Expr) -> tuple[Expr, ...]:
        return self.factor.subs({self.lam: end}).coefficients

    @cached_property
    def pinned(self) -> dict[Symbol, Expr]:
        """Values of parameters without which the others still reach every polynomial: only combinations of them matter."""
        return pinned(self.factor, self.lam, self.chosen)

    @property
    def moved(self) -> list[Symbol]:
        return [s for s in self.chosen if s not in self.pinned]

    def closed_form(self) -> "Tuning | None":
        """The first candidate that is proved best; several together where the best one depends on a parameter that stays."""
        if not self.simple or any(s not in self.rate.free_symbols for s in self.chosen):
            return None
        from .tuning_proof import prove_best, prove_together
        dead = self.all_zero() if self.single and not self.flow else None
        if dead is not None:
            return self.finished(*dead)
        lower: list[Candidate] = []
        for i, c in enumerate(self.candidates()):
            if i and self.beaten(c):                                     # the first is right most often: z3 is quicker than a search
                continue
            proof, below = prove_best(self, c)
            if proof is not None and proof.status == "proved":
                return self.finished(c, proof)
            lower += [c] if below and all((c.rho, c.params) != (other.rho, other.params) for other in lower) else []
        return prove_together(self, lower) if self.fixed and len(lower) > 1 else None

    @cached_property
    def ends_decide(self) -> bool:
        return _ends_decide(self.factor, self.lam)

    def all_zero(self) -> "tuple[Candidate, Proof] | None":
        """For one curvature: parameters at which every root is zero, so that the error is gone after finitely many steps."""
        from .proof import Proof
        p = self._pinned_at(M**2)
        for found, free in product(solve(p[1:], self.moved, dict=True), (0, 1)):
            idle = {s: Integer(1 if s.is_positive else free) for s in self.moved if s not in found}
            found = {**{s: e.subs(idle) for s, e in found.items()}, **idle}
            c = Candidate({**self.pinned, **found}, Integer(0), {}, "every root is zero")
            known = all(s in found and found[s].is_rational_function() for s in self.moved)
            only_lead = [cancel(e.subs(found)) != 0 for e in p] == [True] + [False]*(len(p) - 1)
            if known and only_lead and all(self.values(c, sample) for sample in self.samples()):
                return c, Proof("proved", "every root is zero (exact elimination), and no rate is smaller than zero")
        return None

    def candidates(self) -> Iterable[Candidate]:
        """Solutions that are real, and whose rate is what they claim, at some of the samples."""
        for name in combinations(len(self.moved) + 1, len(self.ends), self.flow):
            kinds = name.split("|")
            system = [e for end, kind in zip(self.ends, kinds) for e in equations(self._pinned_at(end), kind, self.rho, self.flow)]
            yield from self.claimed(system, self.moved, name)
        if len(self.moved) == 1:                                         # or a root is smallest all by itself
            for end, sign in product(self.ends, (1, -1)):
                yield from self.claimed(stationary(self._pinned_at(end), self.moved[0], self.rho, sign), self.moved, "stationary")
        if not (self.single or self.ends_decide or self.flow):
            yield from self._with_one_between()

    def _with_one_between(self) -> Iterable[Candidate]:
        """A curvature between the ends where the rate is largest holds it too: value and slope in lam are given there."""
        inside = self._pinned_at(BETWEEN)
        for kind, name in product("-+", combinations(len(self.moved), len(self.ends), self.flow)):
            [e] = equations(inside, kind, self.rho, self.flow)
            system = [e, e.diff(BETWEEN).expand()]
            for end, k in zip(self.ends, name.split("|")):
                system += equations(self._pinned_at(end), k, self.rho, self.flow)
            yield from self.claimed(system, [*self.moved, BETWEEN], f"{name}, {kind} between")

    def _pinned_at(self, end: Expr) -> tuple[Expr, ...]:
        return tuple(c.subs(self.pinned).expand() for c in self.at_end(end))

    def claimed(self, system: list[Expr], unknowns: list[Symbol], name: str) -> Iterable[Candidate]:
        for c in candidates(system, unknowns, self.rho, name):
            c = Candidate({**self.pinned, **c.params}, c.rho, c.roots, name)
            if any(self.claims(c, values) for values in self.samples()):
                yield c

    def samples(self) -> list[dict[Symbol, float]]:
        """Ends of the interval, and values on its scale for the parameters that stay."""
        shares = (0.3, 1.3, 2.5, 3.5) if self.fixed else (1.0,)
        return [{M: np.sqrt(a), N: np.sqrt(b)} | dict.fromkeys(self.fixed, f/b) for a, b in SAMPLES for f in shares]

    @cached_property
    def smallest(self) -> float:
        """The smallest rate that a search in floats finds at the second sample: what is larger is not the best."""
        low, high = SAMPLES[1]
        known = {s: v for s, v in ((LOW, low), (HIGH, high)) if s in self.rate.free_symbols}
        return minimum(Worst(self.rate, self.moved, low, low if self.single else high, {**known, **self.pinned}, self.ends_decide)).value

    def beaten(self, c: Candidate) -> bool:
        """Do numbers alone refute it?"""
        found = None if self.fixed else self.values(c, self.samples()[1])
        return found is not None and found[self.rho] > self.smallest + NEAR*(1 + abs(self.smallest))

    def values(self, c: Candidate, sample: dict[Symbol, float]) -> dict[Symbol, float] | None:
        """The candidate in floats, or None where it is not real, or a positive parameter is not."""
        env: dict[Symbol, Any] = {s: np.float64(v) for s, v in sample.items()}
        with np.errstate(all="ignore"):
            for g, inside in c.roots.items():
                env[g] = np.sqrt(expression(inside, env))
            out = {s: float(expression(e, env)) for s, e in {**c.params, self.rho: c.rho}.items()}
        if any(s.is_positive and not v > 0 for s, v in out.items()):
            return None
        return out if all(np.isfinite(v) for v in out.values()) else None

    def claims(self, c: Candidate, sample: dict[Symbol, float]) -> bool:
        """Is the worst rate at the ends the one that the candidate names?"""
        found = self.values(c, sample)
        if found is None or not (self.flow or 0 < found[self.rho] < 1):
            return False
        if BETWEEN in found and not sample[M]**2 <= found[BETWEEN] <= sample[N]**2:
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

    def finished(self, c: Candidate, proof: Any) -> "Tuning":
        from .tuning import Tuning
        shown = {str(s): self.written(c.params[s], c.roots) for s in self.chosen}
        return Tuning(shown, self.written(c.rho, c.roots), proof, False, self.rate.kind, c.clinging, note=self.redundant)

    @property
    def redundant(self) -> str:
        """What to say where several parameters do the work of fewer."""
        held = ", ".join(f"{s} = {e}" for s, e in self.pinned.items())
        return f"{held} without loss: only combinations of the parameters matter" if held else ""

    def written(self, e: Expr, roots: dict[Symbol, Expr]) -> Expr:
        """In mu and L again: the shorter of the ways to write it."""
        table = {M: sqrt(LOW), N: sqrt(HIGH)}
        ways = [e] + [short for g, inside in roots.items() for short in _in_terms_of(e, g, inside)]
        out = [factor(cancel(w)).subs({g: sqrt(inside) for g, inside in roots.items()}).subs(table) for w in ways]
        out += [factor(w) for w in map(_rational, ways) if w is not None]
        return min(out, key=lambda w: (sum(len(a.args) for a in w.atoms(Add)), w.count_ops()))


def pinned(f: Factor, lam: Symbol, chosen: list[Symbol]) -> dict[Symbol, Expr]:
    """Parameters, the last first, that can be held at 0 or 1 while the rest still moves the polynomial in as many directions."""
    held: dict[Symbol, Expr] = {}
    rank = _rank(f, lam, chosen, {})
    for s in reversed(chosen):
        rest = [other for other in chosen if other not in held and other is not s]
        for value in (Integer(1),) if s.is_positive else (Integer(0), Integer(1)):
            if len(chosen) - len(held) > rank and _rank(f, lam, rest, {**held, s: value}) == rank:
                held[s] = value
                break
    return held


def _rank(f: Factor, lam: Symbol, chosen: list[Symbol], held: dict[Symbol, Expr]) -> int:
    """In how many directions the parameters move the monic polynomial, at a point without meaning."""
    monic = [(c/f.coefficients[0]).subs(held) for c in f.coefficients[1:]]
    others = sorted(set().union(*(c.free_symbols for c in monic)) - {lam, *chosen}, key=str)
    point = {s: Rational(31 + 7*i, 97 + i) for i, s in enumerate([*chosen, *others])}
    curvatures = [Rational(11 + 5*j, 13) for j in range(len(chosen) + 2)]
    rows = [[c.diff(s).subs(lam, v).subs(point) for s in chosen] for c in monic for v in curvatures]
    return Matrix(rows).rank() if rows and chosen else 0


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
