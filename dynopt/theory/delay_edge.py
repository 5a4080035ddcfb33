"""A delay beside one more root: z**T*(z - 1)*(z - r) + g with r in [0, 1), as momentum with a delayed gradient has it.

At g = 0 the roots are 0, r and a simple 1 that moves inwards. On the circle each root moves outwards as g grows, so that the
rule is stable up to the first g at which one is there; its angle is the only one at which the argument of the equation is pi.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Function, I, Poly, Symbol, cancel, exp

from .atoms import Formula, make
from .claim import schur_cohn
from .generators import Generators
from .numbers import FUNCTIONS
from .reduce import Context, reduce
from .region import Region

Z, THETA, T, R, C = Symbol("z"), Symbol("theta", real=True), *sympy.symbols("T r c", real=True)
HALVINGS = 60
LABELS = ("the root at 1 moves inwards with g", "roots that meet the circle leave it there for ever",
          "of all angles the first has the least g", "for r >= 1 a root of the derivative is not inside (Gauss-Lucas)",
          "for g <= 0 a real root is not below 1")


class delay_edge(Function):
    """delay_edge(r, T): 2*sin(theta/2)*|exp(i*theta) - r| where (T + 1/2)*theta + arg(exp(i*theta) - r) = pi/2, 0 < theta <= pi."""

    nargs = 2

    def _latex(self, printer: Any) -> str:
        return rf"\operatorname{{edge}}\left({printer._print(self.args[0])}, {printer._print(self.args[1])}\right)"


def edge(r: Any, delay: Any) -> Any:
    """Its value; the left side of the equation grows with theta."""
    r, delay = np.broadcast_arrays(np.asarray(r, dtype=float), np.asarray(delay, dtype=float))
    low, high = np.zeros(r.shape), np.full(r.shape, np.pi)
    for _ in range(HALVINGS):
        theta = (low + high)/2
        early = (delay + .5)*theta + np.arctan2(np.sin(theta), np.cos(theta) - r) < np.pi/2
        low, high = np.where(early, theta, low), np.where(early, high, theta)
    return 2*np.sin(low/2)*np.abs(np.exp(1j*low) - r)


FUNCTIONS["delay_edge"] = edge


@dataclass(frozen=True)
class Beside:
    """All roots of z**(tau + more)*(z - 1)*(z - root) + gain are in the disk, root not negative."""

    gain: Expr
    root: Expr
    tau: Symbol
    more: int

    def proof(self, region: Region) -> Any:
        from .delays import _same
        from .proof import Proof
        if not _same(region, region_of(self, region.facts, region.names)):
            return Proof("unknown", "the region is not the one that the certificate is for")
        wrong = [label for label, holds in certificate() if not holds]
        if wrong:
            return Proof("unknown", f"the certificate does not hold: {wrong[0]}")
        count = _tested()
        if count is None:
            return Proof("unknown", "the certificate is contradicted by Schur-Cohn at a whole delay")
        return Proof("proved", f"argument principle: {', '.join(LABELS)}; {count} points of 20 whole delays agree by Schur-Cohn, "
                               "half of them near the rim")


def certificate() -> list[tuple[str, bool]]:
    """Each step as an identity that is computed."""
    A = (Z - 1)*(Z - R)
    z, bar = exp(I*THETA), exp(-I*THETA)                                 # a root r adds Re z/(z - r) to the speed, those at 0 add T
    share, size = z*(bar - R) + bar*(z - R), (z - R)*(bar - R)           # it is share/(2*size) = 1/2 + (1 - r**2)/(2*size)
    slope = (2 - 2*C)*(1 + R**2 - 2*R*C)                                 # |A|**2 with C = cos(theta)
    falls = slope.diff(C) + 2*((1 - R)**2 + 4*R*(1 - C))
    lucas = (T*A + Z*A.diff(Z)).subs(Z, 1)                               # not positive for r >= 1; for T = -1 the roots' product is r
    identities = A.diff(Z).subs(Z, 1) - (1 - R), share - size - (1 - R**2), falls, lucas - (1 - R), A.subs(Z, 1)
    return [(label, e.expand() == 0) for label, e in zip(LABELS, identities)]


def _tested() -> int | None:
    """Whole delays, roots and gains of all sizes and close to the edge, against Schur-Cohn; None where one disagrees."""
    rng, count = np.random.default_rng(0), 0
    for delay in range(-1, 19):
        r = rng.uniform(0, 1.3, 600)
        top = edge(r, delay)
        gains = np.where(rng.random(600) < .5, rng.uniform(-.5, 3, 600), top*(1 + rng.choice([-1, 1], 600)*10**rng.uniform(-6, -2, 600)))
        one, zero = np.ones(600), np.zeros(600)
        row = [one, -1 - r, r, *[zero]*delay] if delay >= 0 else [one, -1 - r + gains, r]
        row = [*row[:-1], row[-1] + gains] if delay >= 0 else row
        inside, sure = schur_cohn(row)
        if np.any(sure & (inside != ((gains > 0) & (gains < top) & (r < 1)))):
            return None
        count += int(sure.sum())
    return count


# -- from an equation to its region ---------------------------------------------------------------------------------

def beside(p: Poly, w: Symbol, tau: Symbol) -> Beside | None:
    """The equation as one delay beside roots at 1 and r, None where it is another."""
    rows = dict(p.terms())
    delayed = [(i, c) for (i, j), c in rows.items() if j == 1]
    prompt = {i: c for (i, j), c in rows.items() if j == 0}
    if len(delayed) != 1 or any(j > 1 for _, j in rows) or not prompt:
        return None
    low, top = min(prompt), max(prompt)
    lead = prompt[top]
    root = cancel(prompt[low]/lead)
    fits = top == low + 2 and cancel(prompt.get(low + 1, 0)/lead + 1 + root) == 0
    more = low - delayed[0][0]
    return Beside(cancel(delayed[0][1]/lead), root, tau, more) if fits and more >= -1 else None


def region_of(claim: Beside, facts: tuple[Formula, ...], names: tuple[str, ...]) -> Region | None:
    """Its region; None where the facts do not say that the root is not negative."""
    generators = Generators()
    top = generators.polynomial(delay_edge(claim.root, claim.tau + claim.more))
    known = tuple(dict.fromkeys([*facts, *make(claim.tau, ">="), *generators.facts]))
    context = Context(known)
    if not all(context.implies((), a) for a in make(claim.root, ">=")):
        return None
    atoms = [*make(1 - claim.root, ">"), *make(claim.gain, ">"), *make(top - claim.gain, ">")]
    found = reduce(atoms, context)
    kinds = {f: kind for e, kind in ((claim.gain, "fold"), (top - claim.gain, "neimark_sacker")) for a in make(e, ">") for f in a.factors}
    told = (rf"z^{{{sympy.latex(claim.tau + claim.more)}}} (z - 1)(z - r) + g = 0,\quad r = {sympy.latex(claim.root)}",
            r"g = 2 \sin\tfrac{\theta}{2}\,|e^{i\theta} - r|,\quad (T + \tfrac12)\,\theta + \arg(e^{i\theta} - r) = \tfrac{\pi}{2}")
    return Region(found, known, generators.meaning, kinds, claim, told, names=names)                # type: ignore[arg-type]
