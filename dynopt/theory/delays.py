"""Delays that are a parameter: past(x, tau) is W*x with W = z**-tau (a flow: exp(-s*tau)), and A(z) + W*B(z) = 0 decides.

No finite list of conditions exists then. What is answered, and proved, is the pure delay z**T*(z - 1) + g (a flow:
s + g*exp(-s*tau)): its roots are followed from g = 0, where all are known, and the argument principle counts them: the
number outside changes only where a root meets the circle, which happens at known g, and always outwards. Every step is
checked by algebra. For the rest the answer is unknown, with the curve on which a pair of roots lies on the circle.
"""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy
from sympy import Expr, I, Integer, Poly, Rational, Symbol, cos, pi, sin

from ..core.rule import Flow, Method, Rule
from .algebra import LinearizeError
from .atoms import Atom, make, negation
from .claim import schur_cohn
from .generators import Generators
from .letters import Letters
from .linear import Linear, linearize
from .numbers import holds
from .reduce import Context, reduce
from .region import Region
from .schur import disk_conditions, half_plane_conditions
from .show import write
from .symbols import symbol

Z, THETA, T = Symbol("z"), Symbol("theta", positive=True), Symbol("T", positive=True)


@dataclass(frozen=True)
class PureDelay:
    """All roots of z**(tau + more)*(z - 1) + gain are in the disk (a flow: of s + gain*exp(-s*tau) left), and `rest` holds."""

    place: str
    gain: Expr
    tau: Symbol
    more: int
    rest: tuple[Atom, ...]

    def proof(self, region: Region) -> Any:
        """The certificate: each step as an identity that is computed, then counts for many delays on both sides of the edge."""
        from .proof import Proof
        right = _region(self, region.given, region.names)
        if not _same(region, right):
            return Proof("unknown", "the region is not the one that the certificate is for", "", self._apart(region))
        certificate = disk_certificate() if self.place == "disk" else half_plane_certificate()
        wrong = [name for name, holds_ in certificate if not holds_]
        if wrong:
            return Proof("unknown", f"the certificate does not hold: {wrong[0]}")
        tested = _tested() if self.place == "disk" else 0
        if tested is None:
            return Proof("unknown", "the certificate is contradicted by Schur-Cohn at a whole delay")
        checked = f"; {tested} points of 40 whole delays agree by Schur-Cohn, half of them near the rim" if tested else ""
        return Proof("proved", "argument principle: " + ", ".join(name for name, _ in certificate) + checked)


    def _apart(self, region: Region) -> dict[str, Fraction] | None:
        """A point where the region is wrong, by exact Schur-Cohn at a whole delay; None where none was found or for a flow."""
        rng = np.random.default_rng(0)
        own = self.gain.free_symbols.union(*(a.symbols for a in self.rest))
        names = sorted(map(str, region.free_symbols | own | {self.tau}))
        for _ in range(4000 if self.place == "disk" else 0):
            signs = {n: 1 if symbol(n).is_positive else int(rng.choice([-1, 1])) for n in names}
            point = {n: Fraction(signs[n]*int(rng.integers(1, 4000)), 1000) for n in names}
            point[str(self.tau)] = Fraction(int(rng.integers(0, 6)))
            values = {symbol(n): v for n, v in point.items()}
            gain = self.gain.subs({s: Rational(v.numerator, v.denominator) for s, v in values.items()})
            count = int(point[str(self.tau)]) + self.more
            tail = [Fraction(-1), *[Fraction(0)]*(count - 1)] if count else []
            last = Fraction(int(gain.p), int(gain.q))
            inside, _ = schur_cohn([Fraction(1), *tail, last] if count else [Fraction(1), last - 1])
            stable = bool(inside) and all(holds(a, values) for a in self.rest)
            if stable != region.contains(**{n: v for n, v in point.items() if not region.names or n in region.names}):
                return point
        return None


def disk_certificate() -> list[tuple[str, bool]]:
    """For p = z**T*(z - 1) + g: at g = 0 the roots are 0 and a simple 1 that moves inwards, later ones leave only."""
    p = Z**T*(Z - 1)
    inwards = sympy.diff(p, Z).subs(Z, 1)                                # dz/dg = -1/p'(1)
    on_circle = 2*I*sin(THETA/2)*sympy.exp(I*(2*T + 1)*THETA/2)
    same = (sympy.exp(I*T*THETA)*(sympy.exp(I*THETA) - 1) - on_circle).rewrite(sympy.exp).expand()
    z, bar = sympy.exp(I*THETA), sympy.exp(-I*THETA)                     # there conj(z)*dz/dg = (z - 1)/(g*((T + 1)*z - T))
    turn = (z - 1)*((T + 1)*bar - T) + (bar - 1)*((T + 1)*z - T)
    outwards = (turn - 2*(2*T + 1)*(1 - cos(THETA))).rewrite(sympy.exp).expand()
    return [("the root at 1 moves inwards with g", inwards.expand() == 1),
            ("roots meet the circle where cos((2*T + 1)*theta/2) = 0, first at g = 2*sin(pi/(2*(2*T + 1)))", same == 0),
            ("and leave it there for ever", outwards == 0),
            ("for g < 0 a real root lies beyond 1", p.subs(Z, 1) == 0)]


def half_plane_certificate() -> list[tuple[str, bool]]:
    """For p = s + g*exp(-s): at small g > 0 one root is near -g and all others are far left; later ones leave only."""
    s, w, g = Symbol("s"), Symbol("omega", positive=True), Symbol("g", positive=True)
    p = s + g*sympy.exp(-s)
    first = sympy.diff(p, s).subs(s, 0).subs(g, 0)
    on_axis = (p.subs(s, I*w).rewrite(cos) - (g*cos(w) + I*(w - g*sin(w)))).expand()
    speed = -sympy.exp(-s)/sympy.diff(p, s)                              # ds/dg
    there = sympy.cancel(speed.subs(sympy.exp(-s), -s/g).subs(s, I*w))
    outwards = sympy.cancel(sympy.re(sympy.expand_complex(there)) - w**2/(g*(1 + w**2)))
    return [("the root at 0 moves left with g", first == 1),
            ("roots meet the axis where cos(omega*tau) = 0, first at g*tau = pi/2", on_axis == 0),
            ("and leave it there for ever", outwards == 0),
            ("for g < 0 a real root is positive", p.subs(s, 0) == g)]


def _tested() -> int | None:
    """Whole delays 0..39, gains of all sizes and close to the edge, against Schur-Cohn; None where one disagrees."""
    rng, count = np.random.default_rng(0), 0
    for more in range(40):
        edge = 2*np.sin(np.pi/(2*(2*more + 1)))
        gains = np.concatenate([rng.uniform(-1, 3, 200), edge*(1 + rng.choice([-1, 1], 200)*10**rng.uniform(-6, -2, 200))])
        one, zero = np.ones(400), np.zeros(400)
        inside, sure = schur_cohn([one, -one, *[zero]*(more - 1), gains] if more else [one, gains - 1])
        if np.any(sure & (inside != ((gains > 0) & (gains < edge)))):
            return None
        count += int(sure.sum())
    return count


# -- from a rule to its region --------------------------------------------------------------------------------------

def symbolic_delay(rule: Rule) -> str | None:
    """The parameter that is the one delay of a rule, None where delays are numbers, or there are none."""
    if not isinstance(rule, Rule) or "past" not in rule.oracles:
        return None
    delays = {n.args[1] for n in rule.program.everything if n.op == "past"}
    names = {d.data for d in delays if d.op == "param"}
    return names.pop() if len(delays) == len(names) == 1 else None


def delayed_region(rule: Rule, name: str, facts: tuple, definitions: dict, mode: Any) -> Region:
    """The region of a rule whose delay is the parameter `name`: whole and not negative in a Method, any tau >= 0 in a Flow."""
    letter = next(n for n in ("W", "W_delay", "W_of_delay") if n not in rule.params)
    linear, w, tau = linearize(_shifted(rule, letter), mode=mode), symbol(letter), symbol(name)
    factors = [(f, Poly(sum(c*Z**(len(f) - 1 - k) for k, c in enumerate(f)), Z, w)) for f, _ in linear.factors]
    slow = [p for _, p in factors if p.degree(w) > 0]
    others = (definitions, linear.generators.meaning, linear.denominators, (*linear.needs, *linear.allowed), linear.neutral_factors)
    if len(slow) != 1 or any(others):
        raise LinearizeError(f"{rule.name}: the delay {name} is a parameter, and that is answered for a single pure delay only; "
                             f"give it a number with .subs({name}=2)")
    gain, more = _pure(slow[0], w, linear)
    names = tuple(n for n in dict.fromkeys([*linear.names, name]) if n != letter)
    if gain is None:
        return _beside(slow[0], w, tau, linear, facts, names, len(factors) == 1)
    conditions = disk_conditions if linear.kind == "method" else half_plane_conditions
    rest = tuple(a for f, p in factors if p.degree(w) < 1 for c in conditions(f) for a in make(c.expr, ">"))
    return _region(PureDelay("disk" if linear.kind == "method" else "half_plane", gain, tau, more, rest), facts, names)


def _beside(p: Poly, w: Symbol, tau: Symbol, linear: Linear, facts: tuple, names: tuple[str, ...], alone: bool) -> Region:
    """The region of a delay beside one more root that is not negative; for anything else the curve."""
    from .delay_edge import beside, region_of
    claim = beside(p, w, tau) if linear.kind == "method" and alone else None
    found = region_of(claim, facts, names) if claim is not None else None
    if found is None:
        hint = f"; with given=['{claim.root} >= 0'] there is a region" if claim is not None and not claim.root.is_number else ""
        raise LinearizeError(_curve(p, w, tau, linear, hint))
    return found


def _shifted(rule: Rule, letter: str) -> Rule:
    """The rule with W*x in place of past(x, tau)."""
    def function(*values: Any, **given: Any) -> Any:
        w = given.pop(letter)
        return rule(*values, **given, past=lambda state, delay: w*state)
    kind = Method if rule.kind == "method" else Flow
    return kind.build(rule.name, function, rule.state, (*rule.params, letter), clocks=rule.clocks,
                      oracles=[o for o in rule.oracles if o != "past"], scalars=rule.scalars,
                      defaults={n: v for n, v in rule.defaults.items() if n in rule.state})


def _pure(p: Poly, w: Symbol, linear: Linear) -> tuple[Expr | None, int]:
    """(g, k) where the factor is a*z**j*(z**k*(z - 1) + g*W), None where it is not."""
    rows = dict(p.terms())
    delayed = [(i, c) for (i, j), c in rows.items() if j == 1]
    prompt = sorted(((i, c) for (i, j), c in rows.items() if j == 0), reverse=True)
    if len(delayed) != 1 or any(j > 1 for _, j in rows):
        return None, 0
    (low, gain), pole = delayed[0], prompt[0][1]
    if linear.kind == "flow":
        return (gain/pole, 0) if prompt == [(1, pole)] and low == 0 else (None, 0)
    wanted = [(prompt[0][0], pole), (prompt[0][0] - 1, -pole)]
    more = prompt[0][0] - 1 - low
    return (gain/pole, more) if prompt == wanted and more >= 0 else (None, 0)


def _same(region: Region, right: Region) -> bool:
    """Each implies the other, both with the same symbol for the sine."""
    context = Context(right.facts)
    there = [context.impossible(*c, negation(("or", *(("and", *d) for d in right.union)))) for c in region.union]
    back = [context.impossible(*c, negation(("or", *(("and", *d) for d in region.union)))) for c in right.union]
    return all(there) and all(back) and bool(region.union) == bool(right.union)


def _region(claim: PureDelay, facts: tuple, names: tuple[str, ...]) -> Region:
    generators = Generators()
    if claim.place == "disk":
        edge = 2*sin(pi/(2*(2*(claim.tau + claim.more) + 1)))
        top, seen = generators.polynomial(edge), claim.gain
        known = [*make(claim.tau, ">="), *(a for g in generators.meaning for a in make(g, ">"))]
    else:
        top, seen = generators.polynomial(pi/2), claim.gain*claim.tau
        known = [*make(claim.tau, ">=")]
    facts = tuple(dict.fromkeys([*facts, *known, *generators.facts]))
    atoms = [*claim.rest, *make(claim.gain, ">"), *make(top - seen, ">")]
    context = Context(facts)
    found = reduce(atoms, context)
    kinds = {f: kind for e, kind in ((claim.gain, "fold"), (top - seen, "neimark_sacker" if claim.place == "disk" else "hopf"))
             for a in make(e, ">") for f in a.factors}
    told = _told(claim, found, context, generators.meaning)
    return Region(found, facts, generators.meaning, kinds, claim, told, names=names)            # type: ignore[arg-type]


def _told(claim: PureDelay, found: tuple, context: Context, meaning: dict) -> tuple[str, ...]:
    """Equation, where its roots meet the rim, result."""
    letters, tau = Letters("latex", meaning), sympy.latex(claim.tau + claim.more)
    gain = letters.product(claim.gain.expand()) if claim.gain.is_polynomial() else sympy.latex(claim.gain)
    disk = claim.place == "disk"
    equation = rf"z^{{{tau}}} (z - 1) + g = 0" if disk else rf"s + g e^{{-{tau} s}} = 0"
    rim = (rf"g = 2 \sin\tfrac{{\theta}}{{2}}, \quad (2 ({tau}) + 1)\,\theta = \pi, 5\pi, \ldots" if disk else
           rf"g\,{tau} = \tfrac{{\pi}}{{2}}, \tfrac{{5\pi}}{{2}}, \ldots")
    return (rf"{equation}, \quad g = {gain}", rf"\text{{roots on the rim, which leave it outwards: }} {rim}",
            rf"\text{{stable}} \iff {write(found, context, letters, dict())}")


def delay_curve(rule: Rule, *, mode: Any = "lam") -> dict[Expr, Expr]:
    """Where a pair of roots exp(+-i theta) (flows: +-i theta) lies on the rim, for a rule whose delay is a parameter.

    rule : Rule with one delay that is a parameter, as delayed(heavy_ball, "tau"). Returns two quantities, such as eta*lam and beta, as
    functions of theta and the delay; in the plane of the two the stable set ends on this curve or on a real root.
    Raises LinearizeError where no two quantities enter linearly.

    >>> from dynopt import delayed, evaluate, heavy_ball
    >>> curve = {str(k): v for k, v in delay_curve(delayed(heavy_ball, "tau")).items()}
    >>> [round(evaluate(v, theta=.5, tau=1), 4) for v in curve.values()]
    [0.2448, 0.7552]
    """
    name = symbolic_delay(rule)
    if name is None:
        raise LinearizeError(f"{rule.name}: no delay is a parameter, expected one; write delayed(method, 'tau')")
    letter = next(n for n in ("W", "W_delay", "W_of_delay") if n not in rule.params)
    linear, w = linearize(_shifted(rule, letter), mode=mode), symbol(letter)
    polynomials = [Poly(sum(c*Z**(len(f) - 1 - k) for k, c in enumerate(f)), Z, w) for f, _ in linear.factors]
    slow = [p for p in polynomials if p.degree(w) > 0]
    found = _solved(slow[0], w, symbol(name), linear) if len(slow) == 1 else None
    if found is None:
        raise LinearizeError(f"{rule.name}: no two quantities enter the equation of its roots linearly; give the delay a number")
    return found


def _curve(p: Poly, w: Symbol, tau: Symbol, linear: Linear, hint: str) -> str:
    """The curve in words."""
    edge = "e^(i*theta)" if linear.kind == "method" else "i*theta"
    reason = (f"the delay {tau} is a parameter, and only a pure delay has a closed region{hint}; give it a number with .subs({tau}=2), "
              f"or draw the curve where {edge} is a root")
    found = _solved(p, w, tau, linear)
    return reason if found is None else f"{reason}: {', '.join(f'{k} = {v}' for k, v in found.items())}"


def _solved(p: Poly, w: Symbol, tau: Symbol, linear: Linear) -> dict[Expr, Expr] | None:
    """Where a pair of roots lies on the circle (axis), solved for two quantities that enter linearly."""
    at = cos(THETA) + I*sin(THETA) if linear.kind == "method" else I*THETA
    delay = cos(tau*THETA) - I*sin(tau*THETA)
    value = sum((c*sympy.expand(at**i)*delay**j for (i, j), c in p.terms()), Integer(0)).expand()
    parts = [sympy.expand(f(value)) for f in (sympy.re, sympy.im)]
    gain = sympy.Dummy("g", real=True)
    for product in _products(p):
        for other in sorted((set().union(*(c.free_symbols for c in p.coeffs())) - product.free_symbols - {tau}), key=str):
            rows = [e.subs(product, gain) for e in parts]
            if all(e.is_polynomial(gain, other) and not e.has(*product.free_symbols) for e in rows):
                found = _linear(rows, gain, other)
                if found:
                    return {product: sympy.trigsimp(found[0]), other: sympy.trigsimp(found[1])}
    return None


def _products(p: Poly) -> list[Expr]:
    found = [sympy.Mul(*(s**e for s, e in zip(Poly(c).gens, powers)))
             for c in p.coeffs() if c.free_symbols for powers in Poly(c).monoms()]
    return sorted((m for m in dict.fromkeys(found) if m != 1), key=lambda m: -len(m.free_symbols))


def _linear(rows: list[Expr], x: Symbol, y: Symbol) -> tuple[Expr, Expr] | None:
    try:
        a = sympy.Matrix([[Poly(e, x, y).coeff_monomial(m) for m in (x, y, 1)] for e in rows])
    except sympy.PolynomialError:
        return None
    if any(Poly(e, x, y).total_degree() > 1 for e in rows):
        return None
    determinant = a[0, 0]*a[1, 1] - a[0, 1]*a[1, 0]
    if sympy.trigsimp(determinant) == 0:
        return None
    return ((a[0, 1]*a[1, 2] - a[1, 1]*a[0, 2])/determinant, (a[1, 0]*a[0, 2] - a[0, 0]*a[1, 2])/determinant)
