"""The figures of docs/accuracy.md that are quick to measure: orders of stochastic schemes, rescaled energy, partitioned schemes."""
from __future__ import annotations

import accuracy_noise
import accuracy_steps
import pytest


@pytest.mark.parametrize("measure, room", [(accuracy_noise.strong_orders, .15), (accuracy_noise.weak_orders, .2)], ids=["strong", "weak"])
def test_orders_of_stochastic_schemes(measure, room):
    found = list(measure())
    assert len(found) == 3
    for name, order, slope, width in found:
        assert abs(slope - order) <= room and width < .2, (name, order, slope, width)


def test_the_rescaled_energy_of_conformal_leapfrog_does_not_drift():
    swing, drift = accuracy_steps.rescaled_energy()
    assert swing < 1e-3 and drift < 1e-3


@pytest.mark.slow
def test_partitioned_schemes_on_twelve_problems():
    for name, order, found in accuracy_steps.on_partitioned():
        assert len(found) == 12 and min(found) >= order - .1, (name, found)


@pytest.mark.soak
def test_orders_of_one_step_on_twelve_problems():
    for name, order, found, local in accuracy_steps.on_twelve():
        assert min(found) >= order - .1 and min(local, default=9) >= order + .9, (name, found, local)
