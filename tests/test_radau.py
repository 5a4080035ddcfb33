"""Radau IIA: what a wrong coefficient and a shrunk estimate would do, seen on its own text run as Python."""
from __future__ import annotations

import numpy as np
import pytest

import dynopt
from dynopt import solve
from dynopt.run import ode_newton, ode_radau

TOL = 1e-6
RUN = dict(x0={"x": 2.0, "v": 0.0}, until=6.0, c=5.0, method="radau", rtol=TOL, atol=TOL)
TIMES = np.linspace(0, 6, 301)


def error(run):
    truth = solve(dynopt.van_der_pol, **RUN | dict(method="taylor", rtol=1e-12, atol=1e-13))
    return np.abs(run.at(TIMES)["x"] - truth.at(TIMES)["x"]).max()


@pytest.fixture
def as_python(monkeypatch):
    """The kernel's functions uncompiled, so that what they read can be changed."""
    monkeypatch.setattr(ode_radau, "kernel", lambda: ode_radau.radau_steps)
    for module, names in ((ode_radau, ("rates_at", "newton", "estimate", "jacobian")), (ode_newton, ("rates_at",))):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name).py_func)
    return monkeypatch


def test_python_and_machine_code_agree(as_python):
    plain = solve(dynopt.van_der_pol, **RUN)
    as_python.undo()
    compiled = solve(dynopt.van_der_pol, **RUN)
    assert len(plain.t) == len(compiled.t) and np.abs(plain.x - compiled.x).max() < 1e-10 and error(compiled) < TOL


def test_a_shrunk_estimate_is_caught(as_python):
    honest = ode_radau.estimate
    as_python.setattr(ode_radau, "estimate", lambda *given: honest(*given)/1e6)
    assert error(solve(dynopt.van_der_pol, **RUN)) > 100*TOL


def test_a_shaken_coefficient_is_caught(as_python):
    shaken = ode_newton.T.copy()
    shaken[2, 1] += 1e-3
    as_python.setattr(ode_newton, "T", shaken)
    assert error(solve(dynopt.van_der_pol, **RUN)) > 1000*TOL
