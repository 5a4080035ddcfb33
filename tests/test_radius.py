"""Spectral radii of maps agree with the eigenvalues of the linearization, point by point."""
import numpy as np
import pytest

from dynopt import (
    ParameterError,
    delayed,
    gradient_descent,
    heavy_ball,
    linearize,
    measured_radius,
    method,
    nesterov,
    spectral_radius,
)
from dynopt.emit.entries import Values
from dynopt.emit.point_map import radius_text
from dynopt.run import lanes
from dynopt.run.radius import _run


def by_eigenvalues(rule, values):
    """The slow way: the matrix at every point, its eigenvalues."""
    linear = linearize(rule)
    shape = np.broadcast_shapes(*map(np.shape, values.values()))
    wide = {n: np.broadcast_to(v, shape) for n, v in values.items()}
    found = np.empty(shape)
    for at in np.ndindex(shape):
        numbers = {s: float(wide[s.name][at]) for s in linear.matrix.free_symbols}
        found[at] = np.abs(np.linalg.eigvals(np.array(linear.matrix.subs(numbers), dtype=float))).max()
    return found


@pytest.mark.parametrize("rule, double", [(gradient_descent, 1e-13), (heavy_ball, 3e-8), (nesterov, 3e-8), (delayed(heavy_ball, 1), 3e-8),
                                          (delayed(heavy_ball, 2), 2e-6), (delayed(gradient_descent, 3), 2e-6)])
def test_radii_are_those_of_eigenvalues(rule, double):
    """Where roots meet, eigenvalues of a matrix are known to a root of the rounding only; everywhere else both agree."""
    random = np.random.default_rng(1)
    values = {"eta": random.uniform(.01, 3, (1, 7)), "lam": random.uniform(.1, 2, (5, 1))}
    if "beta" in rule.params:
        values["beta"] = random.uniform(-.9, .99, (5, 7))
    found = spectral_radius(rule, **values)
    want = by_eigenvalues(rule, values)
    assert found.shape == (5, 7) and np.abs(found/want - 1).max() < double
    assert np.median(np.abs(found/want - 1)) < 1e-13


def test_edges_are_sharp():
    """Gradient descent at eta lam = 2, heavy ball on its fold and its flip: the radius is one."""
    assert spectral_radius(gradient_descent, eta=2., lam=1.) == 1 and spectral_radius(gradient_descent, eta=1., lam=1.) == 0
    eta = np.array([2*(1 + .5), 1e-300])
    assert np.allclose(spectral_radius(heavy_ball, eta=eta, beta=.5, lam=1.), 1, atol=1e-15)
    assert spectral_radius(heavy_ball, eta=.5, beta=.81, lam=1.) == np.sqrt(.81)


def test_roots_by_bisection():
    """Polynomials with chosen roots: simple, double, small, zero, in three widths with the same bits."""
    cases = [[.5, -.9, .3], [.2, .2, .2], [1e-3, 1e-4, 1e-5], [0, 0, .7], [.6 + .7j, .6 - .7j, .1], [30., 2., 1.], [0, 0, 0]]
    rows = np.array([np.real(np.poly(roots))[1:] for roots in cases]).T
    wide = np.ascontiguousarray(np.resize(rows.T, (64, 3)).T)
    want = np.array([np.abs(r).max() for r in cases])
    results = []
    for width in (8, 16, 64):
        make = Values("abc")
        text, params = radius_text(make, [[make.one, *(make("param", data=n) for n in "abc")]], width)
        out = np.empty((1, 64))
        _run(text, [(wide["abc".index(p)].copy(), 0) for p in params], 1, 64, out)
        results.append(out[0])
    assert all((r == results[0]).all() for r in results)
    found = results[0][:len(cases)]
    simple = [0, 2, 3, 4, 5]
    assert np.abs(found[simple]/want[simple] - 1).max() < 1e-12
    assert abs(found[1] - .2) < 20*np.finfo(float).eps**(1/3) and found[6] < 1e-12      # a triple root is known to the third root of eps


def test_threads_and_the_array_given():
    eta, beta = np.linspace(.01, 3, 1000), np.linspace(-.9, .99, 203)[:, None]
    want, out = spectral_radius(heavy_ball, eta=eta, beta=beta, lam=1.), np.zeros((203, 1000))
    assert spectral_radius(heavy_ball, eta=eta, beta=beta, lam=1., out=out) is out and (out == want).all()
    assert (spectral_radius(heavy_ball, eta=eta[:5], beta=beta, lam=1., out=np.zeros((203, 5))) == want[:, :5]).all()
    for i, j in ((0, 0), (77, 500), (202, 999)):
        assert spectral_radius(heavy_ball, eta=eta[j], beta=beta[i, 0], lam=1.) == want[i, j]
    before = lanes.THREADS
    try:
        lanes.THREADS = 4
        assert (spectral_radius(heavy_ball, eta=eta, beta=beta, lam=1.) == want).all()
    finally:
        lanes.THREADS = before


def test_parameters_inside_functions_and_what_is_not_finite():
    @method
    def exponential(x, v, *, h, gamma, grad):
        from dynopt import exp
        v = exp(-gamma*h)*v - h*grad(x)
        return x + h*v, v
    values = {"h": np.linspace(.1, 1.9, 5), "gamma": .3, "lam": 1.}
    assert np.abs(spectral_radius(exponential, **values)/by_eigenvalues(exponential, values) - 1).max() < 1e-13
    assert np.isnan(spectral_radius(heavy_ball, eta=[np.nan, .1], beta=.5, lam=1.)).tolist() == [True, False]
    assert np.isnan(spectral_radius(delayed(heavy_ball, 2), eta=[np.nan, .1], beta=.5, lam=1.)).tolist() == [True, False]


def test_refusals():
    with pytest.raises(ParameterError, match="no value for beta"):
        spectral_radius(heavy_ball, eta=.1, lam=1.)
    with pytest.raises(ParameterError, match="unknown parameter 'lr'"):
        spectral_radius(heavy_ball, eta=.1, beta=.1, lr=.1, lam=1.)


# -- by brute force ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rule", [gradient_descent, heavy_ball, nesterov, delayed(heavy_ball, 2)])
def test_what_a_run_does_is_what_the_map_says(rule):
    values = {"eta": np.linspace(.05, 6, 23)} | ({"beta": np.linspace(-.8, .95, 17)[:, None]} if "beta" in rule.params else {})
    exact, measured = spectral_radius(rule, lam=1.3, **values), measured_radius(rule, lam=1.3, steps=4000, **values)
    clear = (exact > .15) & (np.abs(exact - 1) > 5e-3)
    assert measured.shape == exact.shape and clear.sum() > .8*exact.size
    assert np.abs(measured/exact - 1)[clear].max() < .02 and ((measured < 1) == (exact < 1))[clear].all()
    assert np.abs(measured/exact - 1)[(exact > .2) & (exact < 10)].mean() < 2e-3


def test_measured_where_it_vanishes_or_explodes_at_once():
    found = measured_radius(gradient_descent, eta=[1., 1e20, 1.5])
    assert found[0] == 0 and found[1] > 1e10 and abs(found[2] - .5) < 1e-3
    with pytest.raises(ParameterError, match="steps"):
        measured_radius(gradient_descent, eta=1., steps=3)
