"""How many real roots a polynomial has, told by the signs of polynomials in its coefficients."""
from __future__ import annotations

from itertools import product

from sympy import Expr, Integer, Matrix, Poly, cancel

from .atoms import Atom, make

Sign = int | None                                                        # None: either


def counts(p: Poly) -> list[tuple[tuple[Atom, ...], int]]:
    """(conditions, number of real roots): the principal minors of Hermite's form have these signs (Hermite 1856; Jacobi's rule).

    A double root counts twice, and up to degree three nothing is left out; beyond, places with a vanishing minor are.
    """
    n = p.degree()
    if n < 2:
        return [((), n)]
    minors = hermite_minors(p)
    if n < 4:
        return [(make(minors[-1], ">="), n), (make(-minors[-1], ">"), n - 2)]
    found: list[tuple[tuple[Atom, ...], int]] = []
    for vector, number in _table(n):
        found.append((tuple(a for s, d in zip(vector, minors) if s is not None for a in make(s*d, ">")), number))
    return found


def hermite_minors(p: Poly) -> list[Expr]:
    """The leading principal minors of size 2 to n of Hermite's form, times even powers of the leading coefficient."""
    n, c = p.degree(), p.all_coeffs()
    sums: list[Expr] = [Integer(n)]                                      # power sums times lead**k, by Newton
    for k in range(1, 2*n - 1):
        total = k*c[k]*c[0]**(k - 1) if k <= n else Integer(0)
        total += sum(c[i]*c[0]**(i - 1)*sums[k - i] for i in range(1, min(k - 1, n) + 1))
        sums.append(-total.expand())
    return [_without_lead(Matrix(k, k, lambda i, j: sums[i + j]).det(method="berkowitz").expand(), c[0], k) for k in range(2, n + 1)]


def _without_lead(minor: Expr, lead: Expr, k: int) -> Expr:
    """Without an even power of the leading coefficient, as far as it divides."""
    for _ in range(k*(k - 1)//2):
        smaller = cancel(minor/lead**2)
        if not smaller.is_polynomial():
            break
        minor = smaller.expand()
    return minor


def _table(n: int) -> list[tuple[tuple[Sign, ...], int]]:
    """Sign vectors of the minors with the number of roots that each means; signs that do not matter are None."""
    meaning = {v: n - 2*_changes((1, 1, *v)) for v in product((1, -1), repeat=n - 1)}
    found: list[tuple[tuple[Sign, ...], int]] = []
    for number in range(n % 2, n + 1, 2):
        left: set[tuple[Sign, ...]] = {v for v, m in meaning.items() if m == number}
        free = {v for v, m in meaning.items() if m < 0}
        found += [(v, number) for v in _merged(left, free)]
    return found


def _changes(signs: tuple[int, ...]) -> int:
    return sum(a != b for a, b in zip(signs, signs[1:]))


def _merged(wanted: set[tuple[Sign, ...]], free: set[tuple[Sign, ...]]) -> list[tuple[Sign, ...]]:
    """Disjoint boxes that hold all wanted sign vectors and none but them and the free ones (which never occur)."""
    left, out = set(wanted), []
    while left:
        box = list(sorted(left)[-1])                                     # type: ignore[type-var]
        for i in range(len(box)):
            wider = [*box[:i], None, *box[i + 1:]]
            if _inside(wider) <= left | free:
                box = wider
        out.append(tuple(box))
        left -= _inside(box)
    return out


def _inside(box: list) -> set:
    return set(product(*((1, -1) if s is None else (s,) for s in box)))
