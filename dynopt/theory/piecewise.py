"""Periodic orbits on functions whose gradient is affine in pieces: one linear system for each order of pieces, solved exactly."""
from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from sympy import And, Expr, Matrix, Not, Piecewise, Poly, PolynomialError, diag, eye, false, piecewise_fold, true

from ..core.errors import RuleError
from ..core.rule import Rule
from .algebra import LinearizeError
from .exact import neat, solve
from .nonlinear import Curve
from .realize import Realization, realize
from .symbols import symbol

X = symbol("x")
MOST = 20_000                                            # words of pieces that are tried
Piece = tuple[Expr, Expr, Any]                           # slope, offset, where it holds


def pieces_of(curve: Curve) -> list[Piece] | None:
    """The gradient as affine pieces, each with the relation in x under which it is the one; None where it is none of that kind."""
    gradient = piecewise_fold(curve.at("grad", X).rewrite(Piecewise))
    cases = gradient.args if isinstance(gradient, Piecewise) else ((gradient, true),)
    found: list[Piece] = []
    before = true
    for value, condition in cases:
        try:
            p = Poly(value, X)
        except PolynomialError:
            return None
        if p.degree() > 1:
            return None
        found.append((p.coeff_monomial(X), p.coeff_monomial(1), And(before, condition)))
        before = And(before, Not(condition))
    return found


def orbits(rule: Rule, curve: Curve, period: int) -> list[tuple[list[dict[str, Expr]], Matrix, tuple]] | None:
    """Points, the matrix of one round, and relations that numbers have yet to decide, of every orbit of exactly this period.

    None where the gradient has one piece only or none that is affine, or where the method is not linear in states and gradients.
    """
    pieces = pieces_of(curve)
    if pieces is None or len(pieces) < 2:
        return None
    try:
        r = realize(rule)
    except LinearizeError:
        return None
    length = len(r.calls)*period
    if len(pieces)**length > MOST:
        raise RuleError(f"{rule.name}: {len(pieces)} pieces in {length} gradients are {len(pieces)**length} orders to try, expected at most "
                        f"{MOST}; ask for a shorter period")
    closed = (_closed(r, [[pieces[i] for i in step] for step in steps]) for steps in necklaces(len(pieces), len(r.calls), period))
    return [found for found in closed if found is not None]


def necklaces(letters: int, calls: int, period: int) -> Iterator[list[tuple[int, ...]]]:
    """The orders in which pieces can be met in one round, but for where it begins; none that goes round a shorter one."""
    for word in product(range(letters), repeat=calls*period):
        steps = [word[j:j + calls] for j in range(0, calls*period, calls)]
        turned = [steps[j:] + steps[:j] for j in range(1, period)]
        if steps not in turned and all(steps < t for t in turned):
            yield steps


def _closed(r: Realization, steps: list[list[Piece]]) -> tuple[list[dict[str, Expr]], Matrix, tuple] | None:
    """The orbit that takes these pieces in turn, if its query points lie in them."""
    maps = [_affine(r, step) for step in steps]
    n = r.A.rows
    whole, constant = eye(n), Matrix.zeros(n, 1)
    for matrix, shift, _, _ in maps:
        whole, constant = matrix*whole, matrix*constant + shift
    z = solve(eye(n) - whole, constant)
    if z is None:
        return None
    points, when = [], []
    for step, (matrix, shift, query, offset) in zip(steps, maps):
        points.append({s: neat(e) for (s, _), e in zip(r.keys, z)})
        for (_, _, condition), q in zip(step, query*z + offset):
            holds = condition.subs(X, neat(q)) if condition not in (true, false) else condition
            if holds == false:
                return None
            when += [holds] if holds != true else []
        z = matrix*z + shift
    return points, whole, tuple(dict.fromkeys(when))


def _affine(r: Realization, step: list[Piece]) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    """State -> matrix state + shift and query points = query state + offset, for the pieces of one step."""
    slopes, offsets = diag(*(a for a, _, _ in step)), Matrix([b for _, b, _ in step])
    inside = (eye(len(step)) - r.D*slopes).inv()         # q = C z + D g, g = slopes q + offsets
    query, offset = inside*r.C, inside*r.D*offsets
    return r.A + r.B*slopes*query, r.B*(slopes*offset + offsets), query, offset
