"""The main job: what it measures against linear maps whose answer is known, and the whole of it on real data."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt.report.measure import growth, multiplier, settled_growth, threshold


def linear_run(matrix):
    """Distances of the first coordinate's block under a linear map, from (1e-6, 0)."""
    def run(steps):
        z, out = np.array([1e-6, 0.0]), []
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(steps + 1):
                out.append(abs(z[0]))
                z = matrix @ z
        return np.array(out)
    return run


def heavy_ball(eta, beta, lam=1.0):
    return np.array([[1 - eta*lam, -beta], [eta*lam, beta]])


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.999, 0.99999, 1.00001, 1.001, 1.5])
@pytest.mark.parametrize("angle", [0.0, 0.03, 1.0, 2.4, np.pi])
def test_growth_of_a_turning_spiral_is_its_modulus(factor, angle):
    turn = factor*np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = settled_growth(linear_run(turn))
    assert found.shrinks == (factor < 1)
    if found.steps > 900:                                   # a factor far from one is seen at once, and only roughly
        assert found.factor == pytest.approx(factor, abs=1e-5)


@pytest.mark.parametrize("beta", [0.3, 0.8, 0.99])
@pytest.mark.parametrize("eta", [0.001, 0.05, 1.0])
def test_multiplier_of_heavy_ball_is_its_spectral_radius(beta, eta):
    matrix, signal, z = heavy_ball(eta, beta), [], np.array([1e-6, 0.0])
    for _ in range(2000):
        signal.append(z[0])
        z = matrix @ z
    exact = np.max(np.abs(np.linalg.eigvals(matrix)))
    assert multiplier(np.array(signal), 2) == pytest.approx(exact, rel=1e-9)


def test_growth_that_leaves_at_once_is_called_by_its_direction():
    assert growth(np.array([1e-6, 1.0, np.inf, np.nan])).factor == np.inf
    assert growth(np.array([1e-6, np.nan])).factor == np.inf
    assert growth(np.array([1e-6, 1e-13, 0.0])).factor == 0


def test_a_cycle_of_finite_size_counts_as_growth():
    distances = np.minimum(1e-6*1.05**np.arange(1001), 0.3)
    assert growth(distances).factor == pytest.approx(1.05, rel=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_threshold_of_heavy_ball_is_its_flip(beta):
    low, high = threshold(lambda eta, n: linear_run(heavy_ball(eta, beta))(n), 0.01)
    assert low < 2*(1 + beta)*(1 + 1e-6) and high > 2*(1 + beta)*(1 - 1e-6)
    assert high - low <= 1e-4*high


def test_threshold_on_the_circle_is_found_though_roots_turn():
    def euler(h, gamma=1.0, lam=4.0):                       # |z|^2 = 1 - gamma*h + lam*h^2
        return np.array([[1, h], [-h*lam, 1 - gamma*h]])
    low, high = threshold(lambda h, n: linear_run(euler(h))(n), 0.01)
    assert low < 0.25*(1 + 1e-5) and high > 0.25*(1 - 1e-5)


def test_threshold_refuses_an_unstable_start():
    with pytest.raises(ValueError, match="does not shrink"):
        threshold(lambda eta, n: linear_run(heavy_ball(eta, 0.5))(n), 4.0)
