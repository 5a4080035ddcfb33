"""Linear systems in parameters with roots and exponentials, and results written so that they can be read."""
from __future__ import annotations

from sympy import Add, Expr, Matrix, Mul, Poly, PolynomialError, Rational, Symbol, cancel, factor_list, fraction

from .atoms import first_coefficient, negative
from .generators import Generators
from .lift import solve_linear


def solve(a: Matrix, b: Matrix) -> Matrix | None:
    """a x = b with roots and exponentials of parameters as symbols of their own."""
    generators = Generators()
    entries = generators.polynomials([*a, *b])
    found = solve_linear(Matrix(a.rows, a.cols, entries[:len(a)]), Matrix(b.rows, b.cols, entries[len(a):]))
    if found is None:
        return None
    return found.applyfunc(lambda e: neat(_reduced(cancel(e), generators)).subs(generators.meaning))


def _reduced(e: Expr, generators: Generators) -> Expr:
    """Even powers of a square root replaced by what is under it."""
    for g, value in list(generators.meaning.items()):
        if value.is_Pow and value.exp == Rational(1, 2) and e.has(g):
            base = generators.polynomial(value.base)
            over, under = (Poly(p, g) for p in fraction(e))
            e = cancel(_even(over, g, base)/_even(under, g, base))
    return e


def _even(p: Poly, g: Symbol, base: Expr) -> Expr:
    return Add(*(c*base**(k//2)*g**(k % 2) for (k,), c in p.terms()))


def neat(e: Expr) -> Expr:
    """The same expression in lowest terms, its factors with a positive low term: eta/(1 - beta), not -eta/(beta - 1)."""
    try:
        over, under = (_signed(part) for part in fraction(cancel(e)))
    except PolynomialError:
        return e
    return over[0]/under[0]*Mul(*over[1])/Mul(*under[1])


def _signed(e: Expr) -> tuple[Expr, list[Expr]]:
    """A number and the powers of the factors."""
    if not e.free_symbols:
        return e, []
    number, pairs = factor_list(e)
    out = []
    for f, power in pairs:
        if f.is_polynomial() and not f.is_Symbol and first_coefficient(f) < 0:
            f, number = negative(f), number*(-1)**power
        out.append(f**power)
    return number, out
