"""Partitioned Runge-Kutta schemes: known ones among them, orders by trees and by running, energies."""
from __future__ import annotations

import numpy as np
import pytest

import dynopt
from dynopt import conservative, damped, equivalent, heavy_ball, iterate, leapfrog, order_of, partitioned, shadow, solve
from dynopt.core.errors import RuleError

LOBATTO2 = ([[0, 0], ["1/2", "1/2"]], ["1/2", "1/2"], [["1/2", 0], ["1/2", 0]], ["1/2", "1/2"])
LOBATTO3 = ([[0, 0, 0], ["5/24", "1/3", "-1/24"], ["1/6", "2/3", "1/6"]], ["1/6", "2/3", "1/6"],
            [["1/6", "-1/6", 0], ["1/6", "1/3", 0], ["1/6", "5/6", 0]], ["1/6", "2/3", "1/6"])
RUTH = ([[0, 0, 0], ["2/3", 0, 0], ["2/3", "-2/3", 0]], ["2/3", "-2/3", 1],
        [["7/24", 0, 0], ["7/24", "3/4", 0], ["7/24", "3/4", "-1/24"]], ["7/24", "3/4", "-1/24"])
VALLEY = dynopt.double_well()


def ends(scheme, flow, steps, **params):
    run = iterate(scheme(flow), VALLEY, x0={"x": [.4], "v": [.3]}, steps=steps, h=2/steps, **params)
    return np.array([run.x[-1, 0], run.v[-1, 0]])


@pytest.mark.parametrize("tableaux, flow, order", [(LOBATTO2, conservative, 2), (RUTH, conservative, 3), (LOBATTO3, damped, 4)])
def test_orders_as_run(tableaux, flow, order):
    params = {"gamma": .5} if flow is damped else {}
    truth = solve(flow, VALLEY, x0={"x": [.4], "v": [.3]}, until=2.0, rtol=1e-13, atol=1e-14, **params)
    errors = [np.abs(ends(partitioned(*tableaux), flow, n, **params) - [truth.x[-1, 0], truth.v[-1, 0]]).max() for n in (20, 40)]
    assert np.log2(errors[0]/errors[1]) == pytest.approx(order, abs=.25)


@pytest.mark.parametrize("tableaux, flow, order", [(LOBATTO2, conservative, 2), (LOBATTO2, damped, 2), (RUTH, conservative, 3)])
def test_orders_by_trees(tableaux, flow, order):
    assert order_of(partitioned(*tableaux)(flow), flow).order == order
    shaken = [*tableaux[:3], [*tableaux[3][:-1], "1/3"]]
    assert order_of(partitioned(*shaken)(flow), flow).order == 0


def test_the_smallest_lobatto_pair_is_leapfrog():
    assert np.abs(ends(partitioned(*LOBATTO2), conservative, 50) - ends(leapfrog, conservative, 50)).max() < 1e-14
    assert "implicit" not in partitioned(*LOBATTO2)(conservative).oracles and "implicit" in partitioned(*LOBATTO3)(conservative).oracles
    assert str(shadow(partitioned(*LOBATTO2)(conservative), 2)) == str(shadow(leapfrog(conservative), 2))
    assert equivalent(partitioned([[1]], [1], [[0]], [1])(conservative), heavy_ball)


def test_energy_of_the_fourth_order_pair_stays():
    run = iterate(partitioned(*LOBATTO3)(damped), VALLEY, x0={"x": [.4], "v": [.3]}, steps=2000, h=.1, gamma=0)
    energy = run.f + run.v[:, 0]**2/2
    assert np.ptp(energy) < 1e-4 and abs(energy[-200:].mean() - energy[:200].mean()) < 1e-6


def test_tableaux_that_do_not_fit_are_refused():
    with pytest.raises(RuleError, match="as many of each"):
        partitioned([[0]], [1], [[0, 0], [0, 0]], [1, 0])
    with pytest.raises(RuleError, match="square"):
        partitioned([[0, 1]], [1], [[0]], [1])
