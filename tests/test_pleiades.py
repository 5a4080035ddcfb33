"""Seven bodies in the plane, close encounters included: Hairer, Norsett, Wanner 1993, section II.10; end state of the test set for IVP solvers."""
from __future__ import annotations

import numpy as np
import pytest

import dynopt
from dynopt import Problem, per_coordinate, solve, sqrt

MASS = np.arange(1.0, 8.0)
X0 = np.array([3, 3, -1, -3, 2, -2, 2, 3, -3, 2, 0, 0, -4, 4], dtype=float)
V0 = np.array([0, 0, 0, 0, 0, 1.75, -1.5, 0, 0, 0, -1.25, 1, 0, 0])
END = [.3706139143970502, 3.237284092057233, -3.222559032418324, .6597091455775310, .3425581707156584, 1.562172101400631, -.7003092922212495,
       -3.943437585517392, -3.271380973972550, 5.225081843456543, -2.590612434977470, 1.198213693392275, -.2429682344935824, 1.091449240428980]


def potential(q):
    return sum(-float(MASS[i]*MASS[j])/sqrt((q[i] - q[j])**2 + (q[7 + i] - q[7 + j])**2) for i in range(7) for j in range(i))


STARS = Problem(potential)


def last(x0, tol, method):
    run = solve(dynopt.damped_mass, STARS, x0={"x": x0, "v": V0}, until=3.0, m=per_coordinate(np.r_[MASS, MASS]), gamma=0.0, rtol=tol, atol=tol,
                method=method)
    assert run.success
    return run.x[-1]


@pytest.fixture(scope="module")
def growth():
    """What the flow makes of an error at the start."""
    end = last(X0, 1e-12, "dop853")
    return max(np.abs(last(X0 + 1e-7*e, 1e-12, "dop853") - end).max()/1e-7 for e in np.eye(14)[::4])


@pytest.mark.parametrize("method, tol", [("tsit5", 1e-6), ("tsit5", 1e-9), ("dop853", 1e-6), ("dop853", 1e-9), ("dop853", 1e-12), ("radau", 1e-6)])
def test_the_published_end_is_reached(method, tol, growth):
    assert 1 < growth < 1e4 and np.abs(last(X0, tol, method) - END).max() < 10*tol*growth
