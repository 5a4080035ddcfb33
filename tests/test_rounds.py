"""Rules that count in rounds, k % n: a round of the region is a round of the rule itself, whatever stands before the %."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import explicit_euler, flow, method, stability
from dynopt.theory.numbers import Grid, polynomials
from dynopt.theory.symbols import symbol

ROUNDS = {"half steps": (lambda k: (k/2) % 3, 6), "a tooth": (lambda k: (k/2) % 1, 2), "squares": (lambda k: (k*k) % 4, 2),
          "back": (lambda k: (-k) % 3, 3), "late": (lambda k: (k + 1/2) % 2, 2), "two": (lambda k: k % 2 + (k/3) % 1, 6),
          "plain": (lambda k: k % 5, 5)}


@pytest.mark.parametrize("name", ROUNDS)
def test_a_round_is_as_long_as_the_rule_takes_to_repeat_itself(name):
    count, length = ROUNDS[name]

    @method
    def counted(x, *, eta, k, grad):
        return x - eta*(1 + count(k))*grad(x)
    found = stability(counted)
    assert found.proof.status == "proved"
    eta = np.random.default_rng(0).uniform(-1, 3, 400)
    factors = np.prod([[1 - e*(1 + float(count(k))) for k in range(length)] for e in eta], axis=1)
    twice = np.prod([[1 - e*(1 + float(count(k))) for k in range(2*length)] for e in eta], axis=1)
    assert np.allclose(twice, factors**2) and (found.contains(eta=eta, lam=1.0) == (abs(factors) < 1)).all()


def test_rounds_of_the_time_count_its_steps():
    @flow
    def swinging(x, *, t, grad):
        return -(1 + t % 2)*grad(x)
    rule = explicit_euler(swinging)
    assert "h" in stability(rule).unknown, "how many steps a round has is not known for a free h"
    found = stability(rule.subs(h="1/2"))
    lam = np.random.default_rng(0).uniform(0, 3, 400)
    once = np.prod([1 - lam/2*(1 + t) for t in (0, .5, 1, 1.5)], axis=0)
    assert found.proof.status == "proved" and (found.contains(lam=lam) == (abs(once) < 1)).all() and not found.contains(lam=2.9)


def test_rounds_of_a_parameter_are_unknown():
    @method
    def counted(x, *, eta, a, k, grad):
        return x - eta*(1 + (a*k) % 2)*grad(x)
    assert "rational coefficients" in stability(counted).unknown


def test_constants_on_exact_points_are_exact():
    a = symbol("a")
    one, other = polynomials([symbol("b")*0 + 1, a**3 - a/3], Grid({a: np.array([2**60 + 1], dtype=object)}, 2**24))
    assert isinstance(one, int) and one == 2**72 and other[0]*3 == 3*(2**60 + 1)**3 - (2**60 + 1)*2**48
