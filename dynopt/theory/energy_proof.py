"""Why an energy never grows: minus its rate is a multiple of an inequality of the class of f plus a sum of squares."""
from __future__ import annotations

from itertools import combinations
from typing import Any, Iterable

import sympy
from sympy import Expr, Integer

from ..core.rule import Flow
from . import smt
from .atoms import Formula
from .energy_terms import HV, VALUE, G, Scalar, combined, pair, scaled
from .proof import Proof
from .relations import assumptions
from .symbols import symbol


def inequalities(classes: tuple[str, ...], x: str, v: str) -> list[Scalar]:
    """Combinations that are never negative for every f of the class, the strongest first."""
    mu, L = symbol("mu"), symbol("L")
    strong, smooth = "strongly convex" in classes, "smooth" in classes
    modulus = mu if strong else Integer(0)
    found: list[Scalar] = []
    if strong or "convex" in classes:
        found.append(combined({pair(G, x): Integer(1), VALUE: Integer(-1)}, {pair(x, x): -modulus/2}))
        if smooth:
            found.append({pair(G, x): Integer(1), VALUE: Integer(-1), pair(G, G): -1/(2*L)})
        found.append(combined({VALUE: Integer(1)}, {pair(x, x): -modulus/2}))
        found.append(combined({pair(HV, v): Integer(1)}, {pair(v, v): -modulus}))
        found.append(combined({pair(G, x): Integer(1)}, {pair(x, x): -modulus}))
    if smooth:
        found.append({VALUE: Integer(1), pair(G, G): -1/(2*L)})
    found.append({VALUE: Integer(1)})
    return found


def prove(rate: Scalar, classes: tuple[str, ...], relations: tuple[str, ...], flow: Flow) -> Proof:
    """-dE/dt = sum of multipliers times inequalities + a sum of squares, each part decided by z3."""
    rate = without_common_exponential(rate)
    x, v = flow.state[0], flow.state[-1]
    texts: list[str] = []
    known = inequalities(classes, x, v)
    bent = [(q, pair(HV, v)) for q in known if pair(HV, v) in q] if pair(HV, v) in rate else []
    monotone = [(q, pair(G, x)) for q in known if VALUE not in q and pair(G, x) in q]
    for choice in known if VALUE in rate else known[-1:]:
        for more in ([], monotone) if VALUE in choice else ():
            needs, rest = _multiplied(rate, [(choice, VALUE), *bent, *more])
            if rest is None:
                continue
            verdict, text = holds([*needs, *psd(rest)], relations)
            texts.append(text)
            if verdict:
                shown = ", ".join(str(n) for n in needs if not n.is_positive) or "1"
                return Proof("proved", f"-dE/dt is a multiple (>= 0: {shown}) of an inequality of the class plus a sum of squares (z3)", text)
    return Proof("unknown", "no multiplier of one inequality of the class leaves a sum of squares", texts[-1] if texts else "")


def _multiplied(rate: Scalar, chosen: list[tuple[Scalar, Any]]) -> tuple[list[Expr], Scalar | None]:
    """Multipliers that cancel one term each, and what is left of -dE/dt."""
    left = scaled(Integer(-1), rate)
    needs: list[Expr] = []
    for inequality, key in chosen:
        if key in left:
            factor = left[key]/inequality[key]
            needs.append(sympy.cancel(factor))
            left = combined(left, scaled(factor, inequality), -1)
    return (needs, left) if VALUE not in left and not any(HV in k for k in left) else (needs, None)


def psd(form: Scalar) -> list[Expr]:
    """The principal minors of a quadratic form: all >= 0 means that it is a sum of squares."""
    names = sorted({n for k in form for n in k})
    matrix = sympy.Matrix(len(names), len(names), lambda i, j: form.get(pair(names[i], names[j]), Integer(0))/(1 if i == j else 2))
    return [sympy.cancel(matrix.extract(list(rows), list(rows)).det()) for r in range(1, len(names) + 1)
            for rows in combinations(range(len(names)), r)]


def without_common_exponential(rate: Scalar) -> Scalar:
    """A positive common factor such as exp(sqrt(mu)*t) does not change the sign."""
    shared = set.intersection(*(set(c.atoms(sympy.exp)) for c in rate.values())) if rate else set()
    for factor in shared:
        rate = {k: sympy.cancel(sympy.expand(c/factor)) for k, c in rate.items()}
    return rate


def holds(claims: list[Expr], relations: Iterable[Any]) -> tuple[bool, str]:
    """Whether all expressions are >= 0 wherever the relations hold, each by its own question."""
    texts = []
    for claim in claims:
        top, bottom = sympy.fraction(sympy.together(claim))
        product = sympy.expand(top*bottom)
        if product.is_nonnegative:
            continue
        formulas: tuple[Formula, ...]
        formulas, _ = assumptions([*relations, *_times(product), product < 0]) if not product.is_number else ((), {})
        if product.is_number:
            return False, "\n".join(texts)
        texts.append(smt.text_of(formulas, f"{claim} < 0 has no solution"))
        if smt.decide(formulas, ms=4000).verdict != "unsat":
            return False, "\n".join(texts)
    return True, "\n".join(texts)


def _times(e: Expr) -> list[Any]:
    """The time of a flow with t in it is positive."""
    return [symbol("t") > 0] if e.has(symbol("t")) else []
