"""Where a worst rate can be smallest: systems of equations, one for each way in which roots at the two ends hold each other.

At a minimum of the worst rate rho over [mu, L] the ends are stuck on simple, double or complex roots of size rho. Each
combination is a polynomial system in the parameters and rho; its lexicographic basis is triangular and small.
"""
from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Iterator

from sympy import QQ, Dummy, Expr, Integer, Poly, Symbol, cancel, factor_list, groebner, sqrt
from sympy.polys.polyerrors import PolynomialError

from .schur import Coefficients, disk_conditions

# roots of size rho at one end: a simple one at +rho or -rho, both, a double one at either, a complex pair
CLINGING = {"": 0, "+": 1, "-": 1, "c": 1, "+-": 2, "++": 2, "--": 2}
FLOW = {"": 0, "+": 1, "c": 1, "++": 2}
LIKELY = ("++|-", "++|--", "+|-", "++|", "+|c", "c|-", "|++", "+|--", "++|c", "c|--")


@dataclass(frozen=True)
class Candidate:
    """Parameters and rate as expressions; `roots` says what the square roots in them stand for."""

    params: dict[Symbol, Expr]
    rho: Expr
    roots: dict[Symbol, Expr]
    clinging: str


def stationary(p: Coefficients, parameter: Symbol, rho: Symbol, sign: int) -> list[Expr]:
    """A simple root at sign*rho that does not move to first order with the one parameter that is chosen."""
    z, n = Dummy("z"), len(p) - 1
    value = sum(c*z**(n - i) for i, c in enumerate(p)).subs(z, sign*rho)
    return [value.expand(), value.diff(parameter).expand()]


def combinations(unknowns: int, ends: int, flow: bool) -> list[str]:
    """The combinations with as many equations as unknowns, the likely ones first."""
    table = FLOW if flow else CLINGING
    found = ["|".join(kinds) for kinds in product(table, repeat=ends) if sum(table[k] for k in kinds) == unknowns]
    return sorted(found, key=lambda c: LIKELY.index(c) if c in LIKELY else len(LIKELY))


def equations(p: Coefficients, kind: str, rho: Symbol, flow: bool) -> list[Expr]:
    """What one end asks for: p has the roots named by `kind`."""
    z, n = Dummy("z"), len(p) - 1
    value = sum(c*z**(n - i) for i, c in enumerate(p))
    found = []
    if kind == "c":
        return [_pair(p, rho, flow)] if n > 1 else [value.subs(z, 0) + 1]
    for i, sign in enumerate(kind):
        e = value if kind[:i].count(sign) == 0 else value.diff(z)
        found.append(e.subs(z, rho if sign == "+" else -rho))
    return [e.expand() for e in found]


def _pair(p: Coefficients, rho: Symbol, flow: bool) -> Expr:
    """Zero where two roots have the product rho**2 (flows: the sum 2*rho)."""
    if len(p) == 3:
        return (p[1] + 2*rho*p[0] if flow else p[2] - rho**2*p[0]).expand()
    scaled = tuple((c*rho**(len(p) - 1 - i)).expand() for i, c in enumerate(p))
    return disk_conditions(scaled)[-1].expr if not flow else p[0]


def candidates(system: list[Expr], unknowns: list[Symbol], rho: Symbol, clinging: str) -> Iterator[Candidate]:
    """Solutions of a system whose unknowns follow from rho, and rho from an equation of degree one or two."""
    known = sorted(set().union(*(e.free_symbols for e in system)) - {*unknowns, rho}, key=str)
    domain = QQ.frac_field(*known) if known else QQ
    try:
        basis = groebner(system, *unknowns, rho, order="lex", domain=domain).exprs
    except (PolynomialError, ValueError):
        return
    last = [e for e in basis if not e.has(*unknowns)] if unknowns else basis
    if len(last) != 1:
        return
    for value, roots in roots_of(last[0], rho):
        if value != 0:
            yield from _back(basis[:-1][::-1], unknowns[::-1], {rho: value}, roots, rho, clinging)


def _back(basis: list[Expr], unknowns: list[Symbol], found: dict, roots: dict, rho: Symbol, clinging: str) -> Iterator[Candidate]:
    if not unknowns:
        yield Candidate({s: e for s, e in found.items() if s != rho}, found[rho], roots, clinging)
        return
    unknown = unknowns[0]
    own = [e for e in basis if e.has(unknown) and not any(e.has(other) for other in unknowns[1:])]
    if not own:
        return
    e = min(own, key=lambda e: Poly(e, unknown).degree())
    for value, more in roots_of(cancel(_plain(e.subs(found), roots)), unknown):
        yield from _back(basis, unknowns[1:], {**found, unknown: _plain(value, roots)}, {**roots, **more}, rho, clinging)


def roots_of(e: Expr, x: Symbol) -> list[tuple[Expr, dict[Symbol, Expr]]]:
    """Roots of the factors of degree one and two, square roots as symbols of their own."""
    found: list[tuple[Expr, dict]] = []
    for f, _ in factor_list(cancel(e).as_numer_denom()[0])[1]:
        if not f.has(x):
            continue
        p = Poly(f, x)
        if p.degree() == 1:
            found.append((cancel(-p.nth(0)/p.nth(1)), {}))
        elif p.degree() == 2:
            outside, inside = square_part(cancel(p.nth(1)**2 - 4*p.nth(2)*p.nth(0)))
            g = Symbol(f"<{sqrt(inside)}>", positive=True)
            table = {} if inside == 1 else {g: inside}
            root = outside*(g if table else 1)
            found += [(cancel((-p.nth(1) + s*root)/(2*p.nth(2))), table) for s in (1, -1)]
    return found


def square_part(e: Expr) -> tuple[Expr, Expr]:
    """(a, b) with a**2*b = e and b without square factors."""
    content, pairs = factor_list(e)
    a, b = (sqrt(content), Integer(1)) if sqrt(content).is_Rational else (Integer(1), content)
    for f, power in pairs:
        a, b = a*f**(power//2), b*f**(power % 2)
    return a, b


def _plain(e: Expr, roots: dict[Symbol, Expr]) -> Expr:
    """Square roots squared become what they stand for."""
    for g, inside in roots.items():
        if e.has(g):
            over, under = (Poly(part, g) for part in cancel(e).as_numer_denom())
            a, b = (sum(c*inside**(k//2)*g**(k % 2) for (k,), c in p.terms()) for p in (over, under))
            e = cancel(a/b)
    return cancel(e)
