"""Losses written with numpy, as they are found in other programs: traced where they can be, differenced where they cannot."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import Problem, RuleError, Scalar, heavy_ball, iterate, method, stability

X = np.array([0.7, -0.4, 1.3])
A = np.array([[2., .3, 0.], [.3, 1., .1], [0., .1, 3.]])
TRACED = {
    "cosines": (lambda x: np.sum(1 - np.cos(x)), lambda x: np.sin(x)),
    "logistic": (lambda x: np.log(1 + np.exp(-x[0])) + np.square(x[1]), lambda x: np.array([-1/(1 + np.exp(x[0])), 2*x[1], 0.])),
    "norm": (lambda x: np.linalg.norm(x)**3, lambda x: 3*np.linalg.norm(x)*x),
    "mean": (lambda x: np.mean(x**2) + np.dot(x, A @ x), lambda x: 2*x/3 + 2*A @ x),
    "huber": (lambda x: np.sum(np.where(np.abs(x) < 1, x**2/2, np.abs(x) - .5)), lambda x: np.clip(x, -1, 1)),
    "ratio": (lambda x: np.sum(np.tan(x/4)/np.sqrt(1 + np.square(x))),
              lambda x: .25/np.cos(x/4)**2/np.sqrt(1 + x**2) - x*np.tan(x/4)/(1 + x**2)**1.5),
}
OPAQUE = {
    "slices": (lambda x: np.sum((x[1:] - x[:-1]**2)**2),
               lambda x: np.array([-4*x[0]*(x[1] - x[0]**2), 2*(x[1] - x[0]**2) - 4*x[1]*(x[2] - x[1]**2), 2*(x[2] - x[1]**2)])),
    "branch": (lambda x: x[0]**2 + x[1]**2 if x[0] > 0 else x[0]**4, lambda x: np.array([2*x[0], 2*x[1], 0.])),
}


@pytest.mark.parametrize("name", TRACED)
def test_numpy_is_spoken_in_a_loss(name):
    f, grad = TRACED[name]
    problem = Problem(f)
    assert problem.kind == "symbolic"
    assert problem.f(X) == pytest.approx(f(X), rel=1e-14)
    assert problem.grad(X) == pytest.approx(grad(X), rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("name", OPAQUE)
def test_a_gradient_by_differences_comes_with_a_warning_and_twelve_digits(name):
    f, grad = OPAQUE[name]
    with pytest.warns(RuntimeWarning, match="by differences of f"):
        problem = Problem(f)
        assert problem.grad(X) == pytest.approx(grad(X), rel=1e-10, abs=1e-11)
        run = iterate(heavy_ball, problem, x0=X, steps=20, eta=.01, beta=.5)
    given = iterate(heavy_ball, Problem(f, grad=grad), x0=X, steps=20, eta=.01, beta=.5)
    assert problem.kind == "compiled"
    assert run.x == pytest.approx(given.x, abs=1e-11)


def test_in_a_rule_numpy_is_still_refused_with_the_cure():
    @method
    def spoken(x, *, eta, grad):
        return x - eta*np.tanh(grad(x))

    with pytest.raises(RuleError, match="from dynopt import tanh"):
        stability(spoken)


def test_numpy_is_not_spoken_after_a_problem_was_traced():
    assert Problem(lambda x: np.sum(np.exp(x))).kind == "symbolic"
    test_in_a_rule_numpy_is_still_refused_with_the_cure()


def test_a_rule_of_numbers_only_runs():
    @method
    def decay(a: Scalar, b: Scalar = 1):
        return a/2 + b/10, 9*b/10

    run = iterate(decay, x0={"a": 1., "b": 2.}, steps=3)
    assert run.a[:, 0] == pytest.approx([1, .7, .53, .427])
    assert iterate(decay, x0=1., steps=1).a[:, 0] == pytest.approx([1, .6])
