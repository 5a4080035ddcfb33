"""Workers without a barrier: counts, times, and the mean against heavy ball."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import (
    ParameterError,
    asynchronous,
    gradient_descent,
    heavy_ball,
    iterate,
    nesterov,
    noisy_gradient_descent,
    quadratic,
)


def test_one_worker_is_the_method_itself():
    found = asynchronous(heavy_ball, quadratic([1., 3.]), x0=[1., -2.], workers=1, updates=20, eta=.1, beta=.8)
    assert found.x[0] == pytest.approx(iterate(heavy_ball, quadratic([1., 3.]), x0=[1., -2.], steps=20, eta=.1, beta=.8).x, rel=1e-13)
    assert (found.staleness == 0).all()


def test_constant_durations_take_turns():
    found = asynchronous(gradient_descent, quadratic([1.]), x0=[1.], workers=3, updates=30, eta=.1,
                         duration=lambda rng, shape: np.ones(shape))
    assert (found.staleness[0, 3:] == 2).all()
    assert found.t[0, 1::3] == pytest.approx(np.arange(1, 11))


def test_memoryless_workers_are_stale_by_the_number_of_the_others():
    found = asynchronous(gradient_descent, quadratic([1.]), x0=[1.], workers=4, updates=600, paths=200, seed=1, eta=.01)
    assert found.staleness[:, 100:].mean() == pytest.approx(3, rel=.02)
    assert 600/found.t[:, -1].mean() == pytest.approx(4, rel=.02)
    share = (found.staleness[:, 100:] == 1).mean()
    assert share == pytest.approx(1/4*3/4, rel=.03)


def test_seeds_decide():
    def run(seed):
        return asynchronous(gradient_descent, quadratic([1.]), x0=[1.], workers=3, updates=9, seed=seed, eta=.1).t
    assert (run(1) == run(1)).all() and (run(1) != run(2)).any()


@pytest.mark.parametrize("changed, told", [({"workers": 0}, "workers"), ({"updates": 1.5}, "updates"), ({"paths": True}, "paths")])
def test_counts_are_whole_numbers(changed, told):
    given = {"workers": 2, "updates": 3, **changed}
    with pytest.raises(ParameterError, match=told):
        asynchronous(nesterov, quadratic([1.]), x0=[1.], eta=.1, beta=.5, **given)


def test_a_rule_with_draws_is_refused():
    with pytest.raises(ParameterError, match="grad alone"):
        asynchronous(noisy_gradient_descent, quadratic([1.]), x0=[1.], workers=2, updates=3, eta=.1, sigma=1.)
