"""Noise: stationary covariances against the recursion run in floats, mean-square regions against eigenvalues."""
from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynopt import (
    ParameterError,
    Problem,
    RuleError,
    decay,
    dot,
    flow,
    gradient_descent,
    heavy_ball,
    method,
    moments,
    nesterov,
    particle_swarm,
    rules,
    schedule,
    stability,
)
from dynopt.theory.linear import LinearizeError


def stationary(m, point):
    """Covariance by iterating P -> A P A^T + sum (B P B^T + w w^T) in floats."""
    def numbers(matrix):
        return np.array(matrix.subs({s: point[s.name] for s in matrix.free_symbols}).tolist(), dtype=float)
    A, mean = numbers(m.driven.matrix), numbers(m.mean)
    parts = [(float(p.variance), numbers(p.matrix), numbers(p.affine)) for p in m.driven.parts]
    P = np.zeros_like(A)
    for _ in range(4000):
        P = A @ P @ A.T + sum(v*(B @ P @ B.T + (B @ mean + w) @ (B @ mean + w).T) for v, B, w in parts)
    return P


@pytest.mark.parametrize(("rule", "ways", "point"), [
    (gradient_descent, {}, dict(eta=0.3, lam=1.2, sigma=0.7)),
    (heavy_ball, {}, dict(eta=0.2, beta=0.7, lam=1.1, sigma=0.4)),
    (nesterov, {}, dict(eta=0.2, beta=0.6, lam=1.1, sigma=0.4)),
    (heavy_ball, {"multiplicative": "s"}, dict(eta=0.2, beta=0.5, lam=1.0, sigma=0.3, s=0.5)),
    (rules["aggmo"], {}, dict(eta=0.1, beta1=0.3, beta2=0.7, lam=1.0, sigma=1.0)),
    (particle_swarm, {"additive": None}, dict(w=0.6, c1=1.2, c2=1.1, p=0.5, g=-0.5)),
    (rules["sghmc"], {"additive": None}, dict(eta=0.05, alpha=0.2, lam=1.0)),
], ids=lambda v: getattr(v, "name", ""))
def test_the_stationary_covariance_is_where_the_recursion_ends(rule, ways, point):
    m = moments(rule, **ways)
    assert m.at(**point) == pytest.approx(stationary(m, point), abs=1e-9)


def test_one_sample_is_shared_by_the_calls_of_a_step():
    twice = method(lambda x, *, eta, grad: x - eta*grad(x) - eta*grad(x/2))
    shared, fresh = moments(twice), moments(method(lambda x, *, eta, grad: x - eta*grad(x) - eta*grad(x/2, fresh=True)))
    assert len(shared.driven.parts) == 1 and len(fresh.driven.parts) == 2
    assert shared.variance("x").subs({"sigma": 1}) != fresh.variance("x")
    point = dict(eta=0.2, lam=1.0, sigma=1.0)
    assert shared.at(**point)[0, 0] == pytest.approx(2*fresh.at(**point)[0, 0])


def test_a_long_run_agrees():
    rng = np.random.default_rng(5)
    eta, beta, lam, sigma, n = 0.3, 0.6, 1.0, 0.5, 400_000
    x, v = np.zeros(64), np.zeros(64)
    total, count = 0.0, 0
    for k in range(n//64):
        v = beta*v + eta*(lam*x + sigma*rng.standard_normal(64))
        x = x - v
        if k > 200:
            total, count = total + float(x @ x), count + 64
    exact = moments(heavy_ball).at(eta=eta, beta=beta, lam=lam, sigma=sigma)[0, 0]
    assert total/count == pytest.approx(exact, rel=0.05)                 # about 2e4 independent values: 1 % standard error


def test_mean_square_region_of_heavy_ball():
    m = moments(heavy_ball, multiplicative="s")
    region, rng = m.region, np.random.default_rng(4)
    names = sorted(m.lifted.free_symbols, key=str)
    lifted_at, inside = sympy.lambdify(names, m.lifted), 0
    for _ in range(300):
        point = dict(eta=rng.uniform(-0.2, 3), beta=rng.uniform(-1.2, 1.2), lam=rng.uniform(0.2, 1.5), s=rng.uniform(0, 1))
        radius = np.abs(np.linalg.eigvals(lifted_at(*(point[s.name] for s in names)))).max()
        if abs(radius - 1) > 1e-6:
            assert region.contains(**point) == (radius < 1), point
            inside += radius < 1
    assert inside > 30


def test_without_noise_on_the_curvature_the_region_is_that_of_the_mean():
    assert str(moments(heavy_ball).region) == str(stability(heavy_ball))
    assert moments(gradient_descent, multiplicative="s").region.proof.status == "proved"


def test_leading_terms():
    alpha, sigma, lam = sympy.Symbol("alpha", real=True), sympy.Symbol("sigma", real=True), sympy.Symbol("lam", positive=True)
    fixed_rate = moments(heavy_ball).leading("beta", to=1, where={"eta": "alpha*(1 - beta)"})
    assert sympy.cancel(fixed_rate - alpha*sigma**2/(2*lam)) == 0


def test_autocovariance_and_what_averaging_leaves():
    m = moments(heavy_ball)
    point = dict(eta=0.3, beta=0.5, lam=1.0, sigma=1.0)
    def number(e):
        return float(e.subs({s: point[s.name] for s in e.free_symbols}))
    A, P = np.array(m.driven.matrix.applyfunc(number).tolist(), dtype=float), m.at(**point)
    assert np.array(m.autocovariance(3).applyfunc(number).tolist(), dtype=float) == pytest.approx(np.linalg.matrix_power(A, 3) @ P)
    total = P[0, 0] + 2*sum((np.linalg.matrix_power(A, j) @ P)[0, 0] for j in range(1, 200))
    assert total == pytest.approx(number(m.long_run("x")), abs=1e-9)
    assert number(m.correlation_time("x")) == pytest.approx(total/P[0, 0], abs=1e-9)


def test_correlated_noise_is_a_state_of_the_rule():
    colored = method(lambda x, n, *, eta, sigma, r, grad, noise: (x - eta*(grad(x) + sigma*n), r*n + (1 - r**2)**0.5*noise()))
    m = moments(colored, additive=None)
    point = dict(eta=0.3, sigma=0.5, r=0.6, lam=1.0)
    assert m.at(**point) == pytest.approx(stationary(m, point), abs=1e-9)


def test_a_flow_with_white_noise():
    noisy = flow(lambda x, v, *, gamma, T, grad, noise: (v, -gamma*v - grad(x) + (2*gamma*T)**0.5*noise()))
    m = moments(noisy, additive=None)
    assert m.covariance_of("x", "v") == 0 and str(m.variance("x")) == "T/lam"


def test_shrinking_steps():
    one_over_k = decay(gradient_descent.subs(eta=schedule("c/(k + 1)")))
    assert str(one_over_k.exponent) == "-c*lam" and one_over_k.robbins_monro == (True, True)
    slow = decay(gradient_descent.subs(eta=schedule("c/(k + 1)**2")))
    assert slow.robbins_monro == (False, True)
    with pytest.raises(RuleError, match="does not depend on k"):
        decay(gradient_descent)


def test_what_has_no_second_moments_says_why():
    with pytest.raises(LinearizeError, match="fresh=True"):
        moments(rules["extragradient"], multiplicative="s")
    with pytest.raises(RuleError, match="additive=None"):
        moments(method(lambda x, *, eta, sigma, grad, noise: x - eta*(grad(x) + sigma*noise())))
    with pytest.raises(RuleError, match="no state"):
        moments(heavy_ball).variance("y")
    with pytest.raises(LinearizeError, match="draw enters"):
        moments(method(lambda x, *, eta, grad, noise: x - eta*grad(x)*abs(noise())), additive=None)


def test_the_noise_of_a_problem_s_own_data():
    rng = np.random.default_rng(0)
    X, eta = rng.standard_normal((50, 2)), 0.02
    y = X @ np.array([1.0, -2.0]) + 0.3*rng.standard_normal(50)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    problem = Problem(lambda x: dot(X @ x - y, X @ x - y)/100, minimizer=best, noise=lambda x: (X @ x - y)[:, None]*X)
    found = moments(gradient_descent, noise=problem)
    x, total, steps = np.tile(best, (200, 1)), np.zeros((2, 2)), 3000
    for k in range(steps):
        rows = rng.integers(0, 50, 200)
        x = x - eta*((X[rows]*x).sum(1) - y[rows])[:, None]*X[rows]
        if k >= 500:
            total += (x - best).T @ (x - best)/200
    measured = found.directions.T @ (total/(steps - 500)) @ found.directions
    assert np.diag(measured) == pytest.approx(found.variance("x", eta=eta), rel=0.06)     # 1 % sampling, 3 % curvature noise
    assert found.variance("x", eta=eta, batch=4) == pytest.approx(found.variance("x", eta=eta)/4)
    with pytest.raises(ParameterError, match="single samples"):
        moments(gradient_descent, noise=Problem(lambda x: dot(x, x)))
