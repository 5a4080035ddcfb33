"""Tapes: values of many entries are played in loops of their own, and every entry gets the bits that it gets alone."""
import numpy as np
import pytest

from dynopt import damped, exp, flow, quadratic, sin, solve, where
from dynopt.run import tape
from dynopt.run.setup import prepare
from dynopt.run.system import System


@flow
def odd(x, v, *, gamma, a):
    return v/(1 + x*x) - gamma*x + 2, -a*x*v - x/(2 + a) + where(x > 0, sin(x), exp(-v)*x)/(2 + v) - (-v)*x


def coefficients(x, v, **params):
    system = System(prepare(odd, None, {"x": x, "v": v}, params), None)
    J = tape.table(system.work(0), 9)
    J[0, :2*x.size] = np.concatenate([x, v])
    tape.series(0.0, J, system.work(0), 8)
    return J[:, :x.size], J[:, x.size:2*x.size]


def test_entries_side_by_side_get_the_bits_that_they_get_alone():
    x, v, params = np.linspace(-1, 1, 40), np.linspace(0, 1, 40), dict(gamma=.3, a=1.1)
    many = coefficients(x, v, **params)
    for part in (slice(0, 3), slice(17, 25), slice(38, 40)):
        for wide, alone in zip(many, coefficients(x[part], v[part], **params)):
            assert (wide[:, part] == alone).all()


@pytest.mark.parametrize("d", [3, 40])
def test_products_with_matrices(d):
    @flow
    def pulled(x, *, A):
        return -(A @ x)
    A, x = np.random.default_rng(0).normal(size=(d, d)), np.linspace(-1, 1, d)
    system = System(prepare(pulled, None, x, {"A": A}), None)
    out = np.empty(d)
    system.rates(0.0, x, out, system.work(0))
    assert np.abs(out + A @ x).max() <= 1e-14*d


def test_many_entries_follow_the_closed_form():
    lam = np.geomspace(1, 100, 100)
    at = dict(x0={"x": np.ones(100), "v": np.zeros(100)}, until=10., gamma=1., rtol=1e-8, atol=1e-8)
    want = solve(damped, quadratic(lam), method="exact", **at).x[-1]
    for method in ("taylor", "dop853"):
        run = solve(damped, quadratic(lam), method=method, **at)
        assert run.t.size < 150 and np.abs(run.x[-1] - want).max() < 1e-6
