"""Linearizing at a point beside the corners of min, max and clip, and at them."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import RuleError, clip, evaluate, linearize, maximum, method, rate


@method
def clipped_play(x, y, *, eta):
    return x - eta*y, clip(y + eta*x, -1, 1)


@method
def held(x, *, c, eta):
    return maximum(x - eta*x, c)


def test_inside_a_clip_nothing_is_clipped():
    found = evaluate(linearize(clipped_play, at={"x": 0, "y": 0}).matrix, eta=.5)
    assert found.tolist() == [[1, -.5], [.5, 1]]
    assert rate(clipped_play, at={"x": 0, "y": 0}).at(eta=.1) == pytest.approx(np.sqrt(1.01))


def test_beyond_a_clip_nothing_moves():
    assert rate(clipped_play, at={"x": 0, "y": 3}).at(eta=.1) == pytest.approx(1.0)


@pytest.mark.parametrize("y", [1, -1])
def test_at_the_corner_it_says_so(y):
    with pytest.raises(RuleError, match="not differentiable"):
        linearize(clipped_play, at={"x": 0, "y": y})


def test_a_corner_that_depends_on_a_parameter_is_not_decided():
    with pytest.raises(RuleError, match="not differentiable"):
        linearize(held, at={"x": 1})
