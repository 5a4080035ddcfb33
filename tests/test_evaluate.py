"""Derived formulas at numbers: floats, arrays, matrices, special functions, complex values."""
from __future__ import annotations

import numpy as np
import pytest
import sympy
from scipy.special import jv

from dynopt import ParameterError, evaluate, heavy_ball, linearize, moments
from dynopt.theory.symbols import symbol


def test_arrays_broadcast():
    eta, beta = np.array([[.1], [.2]]), np.array([0., .5, .9])
    found = evaluate(moments(heavy_ball).variance("x"), eta=eta, beta=beta, lam=1., sigma=2.)
    assert found.shape == (2, 3)
    assert found == pytest.approx(4*eta*(1 + beta)/((1 - beta)*(2*(1 + beta) - eta)))


def test_a_matrix_keeps_its_shape_behind_the_points():
    found = evaluate(linearize(heavy_ball).matrix, eta=np.array([.1, .2, .3]), beta=.5, lam=2.)
    assert found.shape == (3, 2, 2)
    assert found[1] == pytest.approx(np.array([[.6, -.5], [.4, .5]]))


def test_functions_that_numpy_lacks_and_complex_values():
    x = symbol("lam")
    assert evaluate(sympy.besselj(1, sympy.sqrt(x)), lam=[1., 4.]) == pytest.approx(jv(1, [1., 2.]))
    assert evaluate(sympy.exp(sympy.I*x), lam=1.) == pytest.approx(np.exp(1j))


def test_text_and_numbers():
    assert evaluate("2*sqrt(lam)", lam=9.) == 6 and evaluate(3) == 3


def test_a_fraction_is_a_number():
    assert evaluate("9/8") == 1.125 and evaluate("-2/3") == pytest.approx(-2/3)


def test_a_missing_value_is_named():
    with pytest.raises(ParameterError, match="missing beta"):
        evaluate(linearize(heavy_ball).matrix, eta=.1, lam=1.)
