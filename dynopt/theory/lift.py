"""What a matrix does to products of two coordinates (its symmetric square), and exact linear algebra over polynomials."""
from __future__ import annotations

from typing import Iterable

from sympy import ZZ, Expr, Integer, Matrix, Poly, cancel, fraction, lcm, together
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError


def pairs(n: int) -> list[tuple[int, int]]:
    """The products z_i z_j with i <= j, in the order of the lifted vector."""
    return [(i, j) for i in range(n) for j in range(i, n)]


def symmetric_square(a: Matrix) -> Matrix:
    """The matrix S with S s = s' where s lists the entries i <= j of a symmetric X and s' those of a X a^T."""
    return Matrix([[a[i, k]*a[j, m] + (a[i, m]*a[j, k] if k != m else 0) for k, m in pairs(a.rows)] for i, j in pairs(a.rows)])


def symmetric_sum(a: Matrix) -> Matrix:
    """The same for a X + X a^T, what a flow does to second moments."""
    def entry(i: int, j: int, k: int, m: int) -> Expr:
        total = a[i, k]*int(m == j) + a[j, m]*int(k == i)
        return total + (a[i, m]*int(k == j) + a[j, k]*int(m == i) if k != m else 0)
    return Matrix([[entry(i, j, k, m) for k, m in pairs(a.rows)] for i, j in pairs(a.rows)])


def domain_of(entries: Iterable[Expr]):
    """ZZ[parameters] for polynomial entries."""
    symbols = sorted(set().union(*(e.free_symbols for e in entries)), key=str)
    return ZZ[symbols] if symbols else ZZ


def integral_charpoly(a: Matrix) -> list[Expr]:
    """Coefficients of det(z - a), leading first, for polynomial entries with integer coefficients."""
    domain = domain_of(a)
    exact = DomainMatrix([[domain.from_sympy(e.expand()) for e in a.row(i)] for i in range(a.rows)], a.shape, domain)
    return [domain.to_sympy(c) for c in exact.charpoly()]


def cleared(a: Matrix) -> tuple[list[Matrix], list[Expr]]:
    """The rows of a rational matrix with their denominators (numbers too) multiplied away, and these denominators."""
    rows, scales = [], []
    for i in range(a.rows):
        parts = [fraction(together(e)) for e in a.row(i)]
        common: Expr = Integer(1)
        for _, under in parts:
            common = lcm(common, under)
        row = [cancel(over*(common/under)).expand() for over, under in parts]
        numbers = [c.q for e in row if e != 0 for c in (Poly(e, *e.free_symbols).coeffs() if e.free_symbols else [e])]
        content = Integer(1)
        for q in numbers:
            content = lcm(content, Integer(q))
        rows.append(Matrix([[(e*content).expand() for e in row]]))
        scales.append(common*content)
    return rows, scales


def solve_linear(a: Matrix, b: Matrix) -> Matrix | None:
    """The solution of a x = b over rational functions, fraction-free; None where a is singular for all parameters."""
    rows, _ = cleared(a.row_join(b))
    system = Matrix.vstack(*rows)
    domain = domain_of(system)
    n = a.cols
    exact = DomainMatrix([[domain.from_sympy(e) for e in system.row(i)] for i in range(a.rows)], system.shape, domain)
    try:
        over, under = exact[:, :n].solve_den(exact[:, n:])
    except DMNonInvertibleMatrixError:
        return None
    return (over.to_field()/under).to_Matrix()
