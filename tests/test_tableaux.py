"""Mutants of every table: each coefficient off by 1e-3 is caught by a condition, a shrunk error estimate by the figures."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from test_solve import ODES, bound, error_of

from dynopt import heun, rk2, rk4, runge_kutta
from dynopt.run import ode_newton, ode_path, ode_radau
from dynopt.run.ode_tables import DOP853, TSIT5
from dynopt.theory.tableau_order import tableau_order

ORDERS = {"tsit5": 5, "dop853": 8}
TABLES = {"tsit5": TSIT5, "dop853": DOP853}
PARTS = ("A", "c", "E", "dense")


def holds(table, order):
    """Nodes are sums of rows, quadrature is of the order claimed, estimates vanish on constants, dense output ends where the step ends."""
    weights, c = table.A[table.last], table.c
    return bool(np.abs(table.A.sum(1) - c).max() < 1e-13 and all(abs(weights @ c**k - 1/(k + 1)) < 1e-13 for k in range(order))
                and np.abs(table.E.sum(1)).max() < 1e-13 and np.abs(table.dense.sum(0) - weights).max() < 1e-12)


@pytest.mark.parametrize("name", TABLES)
def test_every_coefficient_of_the_pairs_matters(name):
    table, count = TABLES[name], 0
    assert holds(table, ORDERS[name])
    for part in PARTS:
        values = getattr(table, part)
        for at in np.argwhere(values != 0):
            shaken = values.copy()
            shaken[tuple(at)] += 1e-3
            assert not holds(table._replace(**{part: shaken}), ORDERS[name]), (part, at)
            count += 1
    assert count > 50


@pytest.mark.parametrize("scheme, order", [(rk2, 2), (heun, 2), (rk4, 4)], ids=["rk2", "heun", "rk4"])
def test_every_coefficient_of_the_exact_tableaux_matters(scheme, order):
    """Order conditions of rooted trees, in rationals."""
    A, b = [list(map(str, row)) for row in scheme.A], list(map(str, scheme.b))
    assert tableau_order(runge_kutta((A, b)))[0] == order
    for i in range(len(b)):
        for j in range(i):
            shaken = [row[:] for row in A]
            shaken[i][j] = str(scheme.A[i][j] + Fraction(1, 1000))
            unused = scheme.b[i] == 0 and not any(row[i] for row in scheme.A)
            assert unused or tableau_order(runge_kutta((shaken, b)))[0] < order, (i, j)
        weights = [*b[:i], str(scheme.b[i] + Fraction(1, 1000)), *b[i + 1:]]
        assert tableau_order(runge_kutta((A, weights)))[0] < order, i


def test_every_constant_of_radau_matters():
    """T and its inverse bring the inverse of the collocation matrix to one real and one complex eigenvalue; the stages give the dense output."""
    c = ode_newton.C
    powers = c[:, None]**np.arange(3)
    A = (c[:, None]**np.arange(1, 4)/np.arange(1, 4)) @ np.linalg.inv(powers)
    real, both = ode_newton.REAL, ode_newton.COMPLEX
    wanted = np.array([[real, 0, 0], [0, both.real, -both.imag], [0, both.imag, both.real]])

    def fits(T, TI):
        return np.abs(TI @ np.linalg.inv(A) @ T - wanted).max() < 1e-10 and np.abs(T @ TI - np.eye(3)).max() < 1e-12
    assert fits(ode_newton.T, ode_newton.TI) and np.abs(A[-1] @ c**2 - 1/3) < 1e-14
    for at in np.ndindex(3, 3):
        shaken = np.zeros((3, 3))
        shaken[at] = 1e-3
        assert not fits(ode_newton.T + shaken, ode_newton.TI) and not fits(ode_newton.T, ode_newton.TI + shaken)
    assert np.abs((c[:, None]**np.arange(1, 4)) @ ode_radau.DENSE.T - np.eye(3)).max() < 1e-12


@pytest.mark.parametrize("name", TABLES)
def test_a_shrunk_estimate_is_caught(name, monkeypatch):
    problem = next(p for p in ODES if p["id"] == "E2")
    fine, run = error_of(problem, 1e-9, name)
    monkeypatch.setitem(ode_path.PAIRS, name, TABLES[name]._replace(E=TABLES[name].E/1e6))
    error, other = error_of(problem, 1e-9, name)
    assert fine <= bound(problem, 1e-9) < error and len(other.t) < len(run.t)
