"""The reference iterations: every step within 1e-13 of exact rational arithmetic, relative to the largest state."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from problem_data import PROBLEMS

from dynopt import iterate, method, quadratic, rosenbrock

MAPS = {p["id"]: p for p in PROBLEMS if p["kind"] == "map"}
STEPS = {"gd_quad": 200, "heavyball_quad": 100, "nag_quad": 100, "heavyball_unstable": 500, "nag_rosenbrock": 300}


@method
def heavy(x, before, *, eta, beta, grad):
    return x - eta*grad(x) + beta*(x - before), x


@method
def lookahead(x, before, *, eta, beta, grad):
    y = x + beta*(x - before)
    return y - eta*grad(y), x


def rational(rule, p, steps):
    """All states in exact arithmetic."""
    eta, beta = (Fraction(p["params"][n]) for n in ("eta", "beta"))
    rows = [tuple(map(Fraction, p["y0"]))]
    for _ in range(steps):
        x1, x2, b1, b2 = rows[-1]
        y1, y2 = (x1, x2) if rule is heavy else (x1 + beta*(x1 - b1), x2 + beta*(x2 - b2))
        kick = (beta*(x1 - b1), beta*(x2 - b2)) if rule is heavy else (0, 0)
        rows.append((y1 - eta*y1 + kick[0], y2 - eta*y2/100 + kick[1], x1, x2))
    return np.array([[float(v) for v in r[:2]] for r in rows])


@pytest.mark.parametrize("name, rule", [("gd_quad", heavy), ("heavyball_quad", heavy), ("nag_quad", lookahead), ("heavyball_unstable", heavy)])
def test_iterations_on_a_quadratic(name, rule):
    p = MAPS[name]
    run = iterate(rule, quadratic([1.0, .01]), x0={"x": [1.0, 1.0], "before": [1.0, 1.0]}, steps=STEPS[name],
                  **{n: float(Fraction(v)) for n, v in p["params"].items()})
    exact = rational(rule, p, len(run.k) - 1)
    largest = np.maximum.accumulate(np.abs(exact), axis=0)
    assert (np.abs(run.x - exact) <= 1e-13*largest).all()
    assert run.status == ("diverged" if name == "heavyball_unstable" else "success")
    if run.success:
        assert np.abs(run.x[-1] - p["y_end_float"][:2]).max() <= 1e-13


def test_iterations_on_rosenbrock():
    p = MAPS["nag_rosenbrock"]
    run = iterate(lookahead, rosenbrock(), x0={"x": [-1.2, 1.0], "before": [-1.2, 1.0]}, steps=300, eta=.0005, beta=.9)
    assert np.abs(run.x[-1] - p["y_end_float"][:2]).max() <= 1e-13
