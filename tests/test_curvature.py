"""Curvature bounds, minimizers and the check of gradients."""
import numpy as np
import pytest

from dynopt import Problem, check_gradient, curvature, himmelblau, logistic, quadratic, rosenbrock
from dynopt.run.curvature import hessian, minimize_newton

RNG = np.random.default_rng(3)


def test_curvature_of_known_problems():
    assert curvature(quadratic([3., 1., 7.])) == (1., 7.)
    mu, L = curvature(rosenbrock())                                   # eigenvalues of [[802, -400], [-400, 200]]
    assert np.allclose([mu, L], np.linalg.eigvalsh([[802., -400.], [-400., 200.]]), rtol=1e-12)


def test_lanczos_agrees_with_dense():
    spectrum = np.linspace(.5, 30, 60)
    assert np.allclose(curvature(quadratic(spectrum), method="lanczos"), (.5, 30), rtol=1e-8)


def test_curvature_from_gradients_alone():
    lam = np.array([1., 2., 9.])
    black_box = Problem(grad=lambda x: lam*np.asarray(x.tolist()), minimizer=np.zeros(3))
    assert np.allclose(curvature(black_box), (1., 9.), rtol=1e-8)


def test_the_logistic_loss_and_its_minimizer():
    X, y = RNG.normal(size=(80, 5)), RNG.integers(0, 2, 80)
    problem = logistic(X, y, l2=.1)
    best = minimize_newton(problem, np.zeros(5))
    assert np.linalg.norm(problem.grad(best)) < 1e-14
    signed = (2*y - 1)[:, None]*X
    s = 1/(1 + np.exp(-signed @ best))
    want = X.T @ ((s*(1 - s))[:, None]*X)/80 + .1*np.eye(5)
    assert np.allclose(hessian(problem, best), want, rtol=1e-12)
    assert np.isclose(problem.f(best), np.log1p(np.exp(-signed @ best)).mean() + .05*best @ best, rtol=1e-14)


def test_logistic_far_out_is_finite():
    problem = logistic([[1.], [-1.]], [1, 0], l2=0.)
    assert np.isfinite(problem.f([1e4])) and problem.f([-1e4]) == 1e4 and np.isfinite(problem.grad([-1e4])).all()


def test_check_gradient():
    x = RNG.normal(size=10)
    spectrum = np.arange(1., 11.)
    assert check_gradient(quadratic(spectrum), x).ok is True and check_gradient(himmelblau(), [.3, .7])

    def wrong(x):
        return spectrum*x + np.eye(10)[7]*.1
    report = check_gradient(Problem(lambda x: (x*spectrum*x).sum()/2, grad=wrong), x)
    assert report.ok is False and report.component == 7 and "entry 7" in report.message
    assert check_gradient(Problem(lambda x: (x*spectrum*x).sum()/2, grad=lambda x: 1.01*spectrum*x), x).ok is False
    from dynopt import abs
    assert check_gradient(Problem(lambda x: abs(x).sum()), [0., 1.]).ok is None


def test_a_missing_point_is_named():
    with pytest.raises(ValueError, match="no known minimizer"):
        curvature(Problem(lambda x: (x*x).sum()))
