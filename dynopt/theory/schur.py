"""Where the roots of a polynomial lie, as polynomial conditions on its coefficients.

A polynomial is a tuple of sympy polynomials in the parameters, leading coefficient first. Everything is fraction-free.
Unit disk: z = (1 + s)/(1 - s) sends it to the left half plane; left half plane: Lienard, Chipart 1914
(all coefficients and every other Hurwitz determinant positive).
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import reduce as fold_over
from math import comb, gcd
from math import lcm as integer_lcm

from sympy import ZZ, Dummy, Expr, Integer, Matrix, Poly, cancel, factor_list, fraction, lcm, together
from sympy.polys.matrices import DomainMatrix
from sympy.polys.rings import PolyElement, ring

from .atoms import sign

Coefficients = tuple[Expr, ...]
Z = Dummy("z")


@dataclass(frozen=True)
class Spectrum:
    """A characteristic polynomial, what must not vanish for it to exist, and its irreducible factors with multiplicities."""

    coefficients: Coefficients
    denominators: tuple[Expr, ...]
    factors: tuple[tuple[Coefficients, int], ...]


@dataclass(frozen=True)
class Condition:
    """`expr > 0`, needed for stability; `kind` names the boundary expr = 0 when a root sits there."""

    expr: Expr
    kind: str | None
    name: str


def characteristic(matrix: Matrix) -> tuple[Coefficients, tuple[Expr, ...]]:
    """det(z*I - M) with cleared denominators and content, and the denominators of M (the rule is undefined where one is zero)."""
    entries = [fraction(together(e)) for e in matrix]
    denominators = tuple(dict.fromkeys(d for _, d in entries if d.free_symbols))
    common = fold_over(lcm, [d for _, d in entries], Integer(1))
    scaled = [[cancel(matrix[i, j]*common) for j in range(matrix.cols)] for i in range(matrix.rows)]
    symbols = sorted(set().union(common.free_symbols, *(e.free_symbols for row in scaled for e in row)), key=str)
    domain = ZZ[symbols] if symbols else ZZ
    n = matrix.rows
    content = integer_lcm(*(int(c.q) for e in (common, *(e for row in scaled for e in row)) for c in _numbers(e, symbols)))
    integral = DomainMatrix([[domain.from_sympy((e*content).expand()) for e in row] for row in scaled], (n, n), domain)
    base = domain.from_sympy((common*content).expand())
    coefficients = [c*base**(n - k) for k, c in enumerate(integral.charpoly())]
    return primitive(tuple(domain.to_sympy(c) for c in coefficients)), denominators


def spectrum(matrix: Matrix) -> Spectrum:
    """The characteristic polynomial of a matrix of rational functions, factored."""
    coefficients, denominators = characteristic(matrix)
    return Spectrum(coefficients, denominators, tuple(irreducible(coefficients)))


def _numbers(e: Expr, symbols: list) -> list:
    return [e] if e.is_Rational else Poly(e, *symbols).coeffs()


def as_poly(coefficients: Coefficients, z: Expr = Z) -> Poly:
    """The polynomial in z."""
    symbols = sorted(set().union(*(c.free_symbols for c in coefficients)), key=str)
    return Poly({(len(coefficients) - 1 - k,): c for k, c in enumerate(coefficients)}, z, domain=ZZ[symbols] if symbols else ZZ)


def primitive(coefficients: Coefficients) -> Coefficients:
    """Without the common factor of all coefficients."""
    return tuple(c.as_expr() for c in as_poly(coefficients).primitive()[1].all_coeffs())


def irreducible(coefficients: Coefficients) -> list[tuple[Coefficients, int]]:
    """Factors in z with multiplicities; roots at zero are left out."""
    _, factors = factor_list(as_poly(coefficients).as_expr())
    return [(tuple(Poly(f, Z).all_coeffs()), power) for f, power in factors if f.has(Z) and f != Z]


def in_powers(coefficients: Coefficients) -> Coefficients:
    """A polynomial in z**k as one in z: its roots are the k-th powers, inside the disk (never: the half plane) together."""
    p = as_poly(coefficients)
    step = fold_over(gcd, [powers[0] for powers in p.monoms()])
    return coefficients if step <= 1 else tuple(Poly({(k[0]//step,): c for k, c in p.terms()}, Z).all_coeffs())


def _elements(coefficients: Coefficients) -> list[PolyElement]:
    symbols = sorted(set().union(*(c.free_symbols for c in coefficients)), key=str)
    base = ring(symbols, ZZ)[0] if symbols else ring("one", ZZ)[0]
    return [base.from_expr(c.expand()) for c in coefficients]


def moebius(coefficients: Coefficients) -> Coefficients:
    """Coefficients of (1 - s)**n p((1 + s)/(1 - s)), leading first."""
    a = _elements(coefficients)[::-1]
    n = len(a) - 1
    result = [a[0].ring.zero]*(n + 1)
    for i, c in enumerate(a):
        for k, weight in enumerate(_binomial_product(i, n - i)):
            result[k] += weight*c
    return tuple(c.as_expr() for c in result[::-1])


def _binomial_product(up: int, down: int) -> list[int]:
    """(1 + s)**up (1 - s)**down, constant term first."""
    out = [0]*(up + down + 1)
    for i in range(up + 1):
        for j in range(down + 1):
            out[i + j] += comb(up, i)*comb(down, j)*(-1)**j
    return out


def with_positive_lead(coefficients: Coefficients) -> Coefficients:
    """The same roots with a leading coefficient that is positive wherever it is not zero."""
    lead = sign(coefficients[0])
    factor = Integer(lead) if lead else coefficients[0]
    return tuple((factor*c).expand() for c in coefficients) if factor != 1 else coefficients


def disk_conditions(coefficients: Coefficients) -> list[Condition]:
    """All roots in the open unit disk (wherever the leading coefficient is not zero)."""
    return _conditions(moebius(with_positive_lead(coefficients)), "q", "flip", "fold", "neimark_sacker")


def half_plane_conditions(coefficients: Coefficients) -> list[Condition]:
    """All roots in the open left half plane (wherever the leading coefficient is not zero)."""
    return _conditions(with_positive_lead(coefficients), "a", None, "fold", "hopf")


def _conditions(c: Coefficients, letter: str, first: str | None, last: str, circle: str) -> list[Condition]:
    n = len(c) - 1
    kinds = {0: first, n: last, **({1: circle} if n == 2 else {})}
    found = [Condition(c[k], kinds.get(k), f"{letter}_{n - k}") for k in range(n + 1)]
    for k in range(n - 1, 1, -2):
        found.append(Condition(hurwitz(c, k), circle if k == n - 1 else None, rf"\Delta_{k}"))
    return found


def enough(conditions: list[Condition], degree: int) -> tuple[list[Condition], list[Condition]]:
    """Two selections of the conditions on one polynomial each of which decides alone (Lienard, Chipart 1914).

    Beside the first and last coefficients and the determinants they keep the coefficients of one parity.
    """
    coefficients, determinants = conditions[:degree + 1], conditions[degree + 1:]
    always = {0, degree, *((1,) if degree % 2 == 0 else ())}             # Delta_1 is the coefficient 1
    even, odd = ([c for k, c in enumerate(coefficients) if k in always or k % 2 == parity] for parity in (0, 1))
    return even + determinants, odd + determinants


def hurwitz(coefficients: Coefficients, k: int) -> Expr:
    """The k-th Hurwitz determinant, by division-free elimination."""
    c = _elements(coefficients)
    base, n = c[0].ring, len(c) - 1
    rows = [[c[2*j - i + 1] if 0 <= 2*j - i + 1 <= n else base.zero for j in range(k)] for i in range(k)]
    domain = base.to_domain()
    determinant = DomainMatrix([[domain.convert(e) for e in row] for row in rows], (k, k), domain).charpoly()[-1]
    return ((-1)**k*domain.to_sympy(determinant)).expand()
