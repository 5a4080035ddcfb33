"""Intervals of curvatures where both ends decide because nothing fails between two stable curvatures: exact, against eigenvalues."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dynopt import damped, rk4, stability
from dynopt.theory.atoms import make
from dynopt.theory.plane import LAM, plane, without_gaps
from dynopt.theory.symbols import symbol

A = symbol("a")


def decided(*relations, from_zero=False):
    return without_gaps(plane(tuple(b for e in relations for b in make(e, ">")), (), frozenset()), from_zero)


@pytest.mark.parametrize("relation, gapless", [
    (10 - LAM**3 - A**2, True),
    ((LAM - 1)*(LAM - 2)*(LAM - 3) + A**2, False),                       # a gap where a is small
    ((LAM - 1)*(LAM - 2)*(LAM - 3) + 5 + A**2, True),                    # lifted out of reach
    ((LAM - 1)*(LAM - 2)*(LAM - 3) + 1 - A**2, False),                   # a gap where a is large
    ((LAM - 1)**4 + (A - 1)**2, False),                                  # one point only
    ((LAM - 1)**4 + LAM*(A - 1)**2 + 1, True)])
def test_a_gap_is_seen(relation, gapless):
    assert (decided(relation.expand()) is not None) == gapless


def test_a_lone_point_counts_only_where_all_else_holds():
    lone = ((LAM - 1)**2 + (A - 1)**2 + (LAM - 1)**2*(A - 1)**2 + (LAM - 1)**4).expand()
    assert decided(lone) is None
    assert decided(lone, (2 - LAM - A).expand()) is not None             # it passes through that point with a slope


def test_from_zero_the_beginning_is_looked_at():
    for zero in (A, A**2 - 2, A**2 + 2):                                 # where that is zero: from 0 down, then up; nowhere for the last
        up = (LAM**3 - LAM - zero**2).expand()
        assert decided(up) is not None
        assert (decided(up, from_zero=True) is None) == (zero != A**2 + 2)


def spread(gamma, lam):
    """Are both eigenvalues of the fourth-order step inside the disk? By numpy, one point after the other."""
    M = np.moveaxis(np.array([[np.zeros_like(lam), np.ones_like(lam)], [-lam, -gamma]]), -1, 0)
    step = np.eye(2) + M @ (np.eye(2) + M/2 @ (np.eye(2) + M/3 @ (np.eye(2) + M/4)))
    return np.abs(np.linalg.eigvals(step)).max(-1) < 1


def test_fourth_order_steps_of_a_damped_flow_for_every_curvature():
    found, rng = stability(rk4(damped), over=("mu", "L")), np.random.default_rng(1)
    assert not found.unknown
    gamma, mu = rng.uniform(-.2, 3.5, 3000), rng.uniform(0, 4, 3000)*rng.random(3000)
    L = mu + rng.uniform(0, 6, 3000)*rng.random(3000)
    told = found.contains(h=np.ones(3000), gamma=gamma, mu=mu, L=L)
    right = np.all([spread(gamma, mu + s*(L - mu)) for s in np.linspace(0, 1, 60)], axis=0)
    assert np.array_equal(told, right) and 200 < told.sum() < 2800


@pytest.mark.soak
def test_its_proof_and_a_wrong_one():
    found = stability(rk4(damped), over=("mu", "L"))
    assert found.proof.status == "proved" and "exact decomposition" in found.proof.method
    [conjunction] = found.union
    for i in range(len(conjunction)):
        wrong = dataclasses.replace(found, union=((*conjunction[:i], *conjunction[i + 1:]),))
        assert wrong.proof.status == "unknown"
