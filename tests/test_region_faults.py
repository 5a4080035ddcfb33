"""Fault injection: twenty wrong regions for each published rule, and every one is refuted by a point that exact arithmetic confirms.

The point is checked against the declaration itself: one step on unit vectors in rational numbers, and Schur-Cohn on the exact
characteristic polynomial of that matrix.
"""
from __future__ import annotations

import dataclasses
from fractions import Fraction
from itertools import chain

import pytest
import sympy
from sympy import Integer, Rational

from dynopt import rules, stability
from dynopt.theory.atoms import Atom, flipped, make
from dynopt.theory.claim import schur_cohn, to_disk
from dynopt.theory.proof import prove

USUAL = ["gradient_descent", "heavy_ball", "heavy_ball_ema", "nesterov", "qhm", "three_parameter", "stale_heavy_ball", "optimistic",
         "extragradient", "damped"]
PLAIN = {"grad", "grad_1", "grad_2", "hess", "prox", "noise", "uniform"}
OTHERS = [name for name in rules if name not in USUAL and set(rules[name].oracles) <= PLAIN and not rules[name].clocks
          and not rules[name].scalars]
FACTORS = Rational(1001, 1000), Rational(999, 1000), Rational(11, 10), Integer(-1)
SHIFTS = Rational(1, 1000), -Rational(1, 1000), Rational(1, 10)


def mutants(right):
    """Bounds off by 0.1 %, dropped relations, flipped signs, one at a time."""
    for j, conjunction in enumerate(right.union):
        for i, a in enumerate(conjunction):
            rest = (*conjunction[:i], *conjunction[i + 1:])
            changed = [rest, (*rest, Atom(flipped(a.factors), a.op))]
            changed += [(*rest, *make(a.expr.subs(s, f*s), a.op)) for s in sorted(a.symbols, key=str) for f in FACTORS]
            changed += [(*rest, *make(a.expr + shift, a.op)) for shift in SHIFTS]
            changed += [(*rest, *make(a.expr + shift*s, a.op)) for s in sorted(a.symbols, key=str) for shift in SHIFTS[:2]]
            for c in changed:
                yield dataclasses.replace(right, union=(*right.union[:j], c, *right.union[j + 1:]))
    if len(right.union) > 1:
        yield from (dataclasses.replace(right, union=(c,)) for c in right.union)


def wrong_regions(right, count=20):
    """The first inequivalent ones."""
    seen, found = set(), []
    for candidate in mutants(right):
        if candidate.union not in seen and candidate.equals(right) is False:
            found.append(candidate)
        seen.add(candidate.union)
        if len(found) == count:
            break
    return found


def counted(rule):
    missing = {c: 2 for c in rule.signature.counts if c not in rule.counts and c not in rule.signature.defaults}
    return rule.at(**missing) if missing else rule


def is_stable(rule, point):
    """Exactly, from one step of the declaration in rational numbers."""
    p = {n: Rational(v.numerator, v.denominator) for n, v in point.items()}
    lam = [p.get(n, p.get("lam", Integer(1))) for n in ("lam", "lam_1", "lam_2")]
    oracles = {"grad": lambda y, *a, **k: lam[0]*y, "grad_1": lambda y, *a, **k: lam[1]*y, "grad_2": lambda y, *a, **k: lam[2]*y,
               "hess": lambda x, v: lam[0]*v, "noise": lambda *a: 0, "uniform": lambda *a: Rational(1, 2),
               "prox": lambda u, s: u/(1 + s*p["nu"])}
    given = {o: oracles[o] for o in rule.oracles} | {n: p.get(n, Integer(1)) for n in rule.params}
    n = len(rule.state)

    def step(row):
        out = rule(*row, **given)
        return sympy.Matrix(out if isinstance(out, tuple) else (out,))
    zero = step([Integer(0)]*n)
    columns = [step([Integer(int(i == j)) for i in range(n)]) - zero for j in range(n)]
    matrix = sympy.Matrix.hstack(*columns).applyfunc(lambda e: sympy.nsimplify(e, rational=True))          # 1.5 in a declaration is 3/2
    coefficients = [Fraction(int(c.p), int(c.q)) for c in matrix.charpoly().all_coeffs()]
    return bool(schur_cohn(to_disk(coefficients) if rule.kind == "flow" else coefficients)[0])


def assert_refuted(name, least):
    rule = counted(rules[name])
    right = stability(rule)
    if right.unknown or right.definitions or not right.union or right.union == ((),):
        pytest.skip("no answer, nothing that could be changed, or a root in it")
    wrong = wrong_regions(right)
    assert len(wrong) >= least
    for candidate in wrong:
        proof = prove(candidate)
        assert proof.status == "unknown", f"{candidate} was called proved"
        assert proof.counterexample is not None, f"{candidate}: {proof}"
        point = {n: v for n, v in proof.counterexample.items() if n in {*right.names, *map(str, right.free_symbols)}}
        own = {n: v for n, v in point.items() if not candidate.names or n in {*candidate.names, *map(str, candidate.free_symbols)}}
        assert isinstance(next(iter(chain(point.values()))), Fraction)
        assert candidate.contains(**own) != is_stable(rule, proof.counterexample), f"{candidate} at {point}"


@pytest.mark.parametrize("name", USUAL)
def test_wrong_regions_are_refuted_with_a_rational_point(name):
    assert_refuted(name, least={"gradient_descent": 12, "damped": 5, "extragradient": 12, "optimistic": 12}.get(name, 20))


@pytest.mark.soak
@pytest.mark.parametrize("name", OTHERS)
def test_wrong_regions_of_every_other_rule_are_refuted(name):
    assert_refuted(name, least=3)
