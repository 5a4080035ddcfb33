"""Rules in the counter k: the matrix they settle to, or the product over a period."""
from __future__ import annotations

from math import lcm

import sympy
from sympy import Expr, Matrix, Mod, Piecewise, Poly, Pow, Symbol

from .algebra import LinearizeError
from .symbols import symbol

K = symbol("k")
LONGEST = 64                                                             # steps of a period that are multiplied out


def settle(matrix: Matrix, affine: Matrix) -> tuple[Matrix, Matrix, list[Expr], list[str]]:
    """Matrix and constant after the limit k -> oo, relations e > 0 that the limit needs, and what was done in words."""
    if not (matrix.has(K) or affine.has(K)):
        return matrix, affine, [], []
    period = period_of(matrix, affine)
    needs: list[Expr] = []
    steps = [_settled(matrix, affine, j, needs) for j in range(period)]
    whole, constant = steps[0]
    for m, a in steps[1:]:
        whole, constant = m*whole, m*constant + a
    words = ["k \\to \\infty"] + ([f"\\text{{product over a period of {period} steps}}"] if period > 1 else [])
    return whole, constant, list(dict.fromkeys(needs)), words


def in_steps(e: Expr, stride: Expr) -> Expr:
    """An expression in t = k*stride by k: where it is counted in rounds the stride matters, for limits it does not."""
    t = symbol("t")
    return e.xreplace({m: m.subs(t, K*stride) for m in e.atoms(Mod)}).subs(t, K)


def goes_on(matrix: Matrix, affine: Matrix) -> bool:
    """Does a limit in k have to be taken? Not where k is only counted in rounds, k % n."""
    def outside(e: Expr) -> bool:
        return e.xreplace({m: sympy.Dummy() for m in e.atoms(Mod)}).has(K)
    return any(map(outside, (*matrix, *affine)))


def period_of(matrix: Matrix, affine: Matrix) -> int:
    """After how many steps a rule that counts by k % n repeats itself; 1 for all others."""
    rounds = {m for m in (*matrix.atoms(Mod), *affine.atoms(Mod)) if m.has(K)}
    period = lcm(*map(_period, rounds))
    if period > LONGEST:
        raise LinearizeError(f"it repeats itself after {period} steps, expected at most {LONGEST}; fix k % n with .at(...)")
    return period


def _period(m: Mod) -> int:
    """The period of a(k) % n. With a = p/q + c, p a polynomial with whole coefficients, q n is one; the shortest divides it."""
    count, n = m.args
    if not (n.is_Integer and 0 < n <= LONGEST):
        raise LinearizeError(f"k % ({n}): the period is no fixed number up to {LONGEST}; fix it with .at(...)")
    moving = sympy.expand(count - count.subs(K, 0))
    poly = Poly(moving, K) if moving.is_polynomial(K) and moving.free_symbols <= {K} else None
    if poly is None or not all(c.is_Rational for c in poly.coeffs()):
        raise LinearizeError(f"({count}) % {n}: expected a polynomial in k with rational coefficients before the %; "
                             "give the parameters in it numbers with .subs, such as h=\"1/2\"")
    longest = lcm(*(int(c.q) for c in poly.coeffs()))*int(n)
    if longest > LONGEST**2:
        raise LinearizeError(f"({count}) % {n} repeats itself after {longest} steps at most, which is too many to look at")
    values = [poly(j) % n for j in range(longest)]
    return next(d for d in sympy.divisors(longest) if values == values[d:] + values[:d])


def _settled(matrix: Matrix, affine: Matrix, j: int, needs: list[Expr]) -> tuple[Matrix, Matrix]:
    def one(e: Expr) -> Expr:
        return limit(_in_phase(e, j), K, needs)
    return matrix.applyfunc(one), affine.applyfunc(one)


def _in_phase(e: Expr, j: int) -> Expr:
    """With k % n replaced for steps of phase j."""
    table = {m: Mod(m.args[0].subs(K, j), m.args[1]) for m in e.atoms(Mod) if m.has(K)}
    return e.xreplace(table) if table else e


def limit(e: Expr, variable: Symbol, needs: list[Expr]) -> Expr:
    """The limit for a large variable; powers of it die out where their base is below one, which is noted in `needs`."""
    if not e.has(variable):
        return e
    e = e.replace(lambda p: isinstance(p, Piecewise), lambda p: _branch(p, variable))
    table = {p: _dying(p, variable, needs) for p in e.atoms(Pow) if p.exp.has(variable)}
    e = e.xreplace(table) if table else e
    if not e.has(variable):
        return e
    over, under = sympy.fraction(sympy.cancel(sympy.together(e)))
    try:
        a, b = Poly(over, variable), Poly(under, variable)
    except sympy.PolynomialError:
        raise LinearizeError(f"`{e}` is no rational function of {variable}, so its limit is not known here; "
                             "replace the schedule by its last value with .subs") from None
    if a.degree() > b.degree():
        raise LinearizeError(f"`{e}` grows without bound as {variable} -> oo, so there is no limit to linearize")
    return a.LC()/b.LC() if a.degree() == b.degree() else sympy.Integer(0)


def _branch(p: Piecewise, variable: Symbol) -> Expr:
    """The branch that holds for large values of the variable."""
    for value, condition in p.args:
        if condition == sympy.true:
            return value
        if not condition.has(variable):
            raise LinearizeError(f"where({condition}, ...) depends on parameters; give them numbers with .subs")
        slope = Poly(condition.lhs - condition.rhs, variable)
        late = slope.LC() if slope.degree() == 1 else None
        if late is None or not late.is_number:
            raise LinearizeError(f"where({condition}, ...) cannot be decided for large {variable}")
        holds = {">": late > 0, ">=": late > 0, "<": late < 0, "<=": late < 0, "==": False, "!=": True}[condition.rel_op]
        if holds:
            return value
    raise LinearizeError(f"where(...) has no branch for large {variable}")


def _dying(p: Pow, variable: Symbol, needs: list[Expr]) -> Expr:
    base, rate = p.base, sympy.expand(p.exp).coeff(variable, 1)
    growth = sympy.expand(p.exp - rate*variable)
    if rate.is_negative:                                                # 2**(-k) is (1/2)**k
        base, rate = 1/base, -rate
    if growth.has(variable) or not rate.is_positive or base.has(variable):
        raise LinearizeError(f"`{p}` is no geometric sequence, so its limit is not known here")
    if base.is_number:
        if abs(base) < 1:
            return sympy.Integer(0)
        raise LinearizeError(f"`{p}` does not settle as {variable} -> oo")
    needs += [1 - base, 1 + base]
    return sympy.Integer(0)
