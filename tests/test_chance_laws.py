"""Typical paths, cycles of falling steps, lattice chains, means of correlated values, exact sampling: each against numbers of its own."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.special import gamma

from dynopt import (
    ParameterError,
    RuleError,
    annealed,
    chain,
    decay,
    evaluate,
    gradient_descent,
    heavy_ball,
    heavy_ball_ema,
    iterate,
    least_squares,
    method,
    moments,
    quadratic,
    response,
    sampled,
    schedule,
    sqrt,
    typical,
    where,
)


@method
def jittered(x, *, eta, s, grad, noise):
    return x - eta*(grad(x) + s*noise()*x)


def test_the_exponent_is_that_of_long_runs():
    law = typical(jittered)
    run = iterate(jittered, quadratic([1.]), x0=np.ones((20000, 1)), steps=100, record="last", seed=2, eta=1.5, s=1.)
    grown = np.log(np.abs(run.x[:, -1, 0])).mean()/100
    assert law.exponent(eta=1.5, s=1., lam=1.) == pytest.approx(grown, abs=3e-3)
    assert law.exponent(eta=1.5, s=0., lam=1.) == pytest.approx(np.log(.5))
    assert law.edge("eta", .5, 3., s=1., lam=1.) == pytest.approx(1.7309, abs=1e-4)


def test_a_uniform_draw_has_its_own_density():
    law = typical(method(lambda x, *, a, uniform: a*uniform()*x))
    assert law.exponent(a=2.) == pytest.approx(np.log(2) - 1)


@pytest.mark.parametrize("rule, told", [(heavy_ball, "one of each"), (gradient_descent, "one of each"),
                                        (method(lambda x, *, eta, noise: x - eta*noise()), "does not shrink")])
def test_what_has_no_typical_factor_is_refused(rule, told):
    with pytest.raises(RuleError, match=told):
        typical(rule)


def test_an_edge_needs_both_signs():
    with pytest.raises(ParameterError, match="different signs"):
        typical(jittered).edge("eta", .1, .2, s=1., lam=1.)


@pytest.mark.parametrize("text, power", [("eta_max*(1 + cos(pi*k/T))/2", 2), ("eta_max*(1 - k/T)", 1), ("eta_max*(1 - k/T)**3", 3)])
def test_troughs_of_long_cycles_follow_their_law(text, power):
    law = annealed(gradient_descent.subs(eta=schedule(text)))
    assert float(law.order) == pytest.approx(-power/(power + 1))
    given = dict(eta_max=.5, lam=1., sigma=1.)
    exact = [law.trough(T=T, **given)/evaluate(law.leading, T=T, **given) for T in (1000, 30000)]
    assert abs(exact[1] - 1) < .05 and abs(exact[1] - 1) < abs(exact[0] - 1)


def test_the_cosine_has_the_constant_of_the_integral():
    law = annealed(gradient_descent.subs(eta=schedule("eta_max*(1 + cos(pi*k/T))/2")))
    wanted = (.5*np.pi**2/4)**(1/3)*gamma(5/3)/3*(3/2)**(5/3)
    assert evaluate(law.leading, T=1., eta_max=.5, lam=1., sigma=1.) == pytest.approx(wanted)


def test_the_periodic_solution_returns():
    path = annealed(gradient_descent.subs(eta=schedule("eta_max*(1 - k/T)"))).variance(T=7, eta_max=.5, lam=1., sigma=1.)
    assert len(path) == 8 and path[0] == pytest.approx(path[-1])


def test_a_step_that_does_not_fall_has_no_trough_law():
    with pytest.raises(RuleError, match="does not fall"):
        annealed(gradient_descent.subs(eta=schedule("eta_max*(2 - k/T)"))).leading  # noqa: B018


@method
def rounded(x, *, eta, D, grad, uniform):
    g = grad(x)
    p = g % D
    return x - eta*(g - p + where(uniform() < p/D, D, 0))


@pytest.mark.parametrize("x0", ["93/100", "1/3", "-7/10"])
def test_rounding_ends_on_two_points(x0):
    law = chain(rounded, x0=x0, eta="1/10", D=2)
    a = Fraction(x0) % Fraction(1, 5)
    assert set(law.law()) == {a, a - Fraction(1, 5)}
    assert law.mean("x", 2) == pytest.approx(float(a*(Fraction(1, 5) - a)))
    assert law.mean("x") == pytest.approx(0, abs=1e-12)


def test_a_chain_with_a_period_is_averaged_and_three_branches_have_their_shares():
    turn = method(lambda x, *, uniform: 1 - x)
    assert chain(turn, x0=0).law() == {0: .5, 1: .5}
    three = method(lambda x, *, uniform: split(uniform()))
    assert chain(three, x0=0).law() == pytest.approx({1: .2, 2: .5, 3: .3})


def split(u):
    return where(u < .2, 1, where(u < .7, 2, 3))


def test_a_walk_without_end_is_refused():
    with pytest.raises(RuleError, match="more than"):
        chain(method(lambda x, *, uniform: x + where(uniform() < .5, 1, -1)), x0=0)


@method
def coloured(x, n, *, eta, rho, grad, noise):
    n = rho*n + sqrt(1 - rho**2)*noise()
    return x - eta*(grad(x) + n), n


def test_the_mean_of_correlated_values():
    law = moments(coloured, additive=None)
    rho, n = .9, 32
    wanted = (n*(1 + rho)/(1 - rho) - 2*rho*(1 - rho**n)/(1 - rho)**2)/n**2
    assert evaluate(law.mean_of(32, "n"), rho=rho, eta=.1, lam=1.) == pytest.approx(wanted)
    assert evaluate(law.mean_of(1, "x"), rho=rho, eta=.1, lam=1.) == pytest.approx(evaluate(law.variance("x"), rho=rho, eta=.1, lam=1.))


def test_half_power_of_an_average():
    b = .9
    found = evaluate(response(heavy_ball_ema).cutoff(), beta=b, eta=1.)
    assert found == pytest.approx(np.arccos(2 - (b + 1/b)/2))


@pytest.mark.parametrize("c, power", [(.25, -.5), (2., -1.)])
def test_slow_decay_is_left_by_the_start(c, power):
    law = decay(gradient_descent.subs(eta=schedule("c/(k + 1)")))
    assert evaluate(law.mean_square_exponent, c=c, lam=1.) == power


def test_exact_sampling_against_all_batches():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(5, 2)), rng.normal(size=5)
    problem, eta, beta = least_squares(X, y), .2, .6
    law = sampled(heavy_ball, problem)
    S = law.covariance(batch=2, eta=eta, beta=beta)
    from itertools import combinations
    total, at = np.zeros_like(S), problem.minimizer
    root = np.linalg.cholesky(S)
    batches = list(combinations(range(5), 2))
    for rows in map(list, batches):
        H, r = X[rows].T @ X[rows]/2, X[rows].T @ (X[rows] @ at - y[rows])/2
        M = np.block([[np.eye(2) - eta*H, -beta*np.eye(2)], [eta*H, beta*np.eye(2)]])
        push = np.concatenate([-eta*r, eta*r])
        total += (M @ root @ root.T @ M.T + np.outer(push, push))/len(batches)
    assert total == pytest.approx(S, rel=1e-9, abs=1e-12)


def test_the_whole_batch_has_no_noise():
    rng = np.random.default_rng(1)
    problem = least_squares(rng.normal(size=(6, 2)), rng.normal(size=6))
    law = sampled(gradient_descent, problem)
    assert law.excess(batch=6, eta=.1) == pytest.approx(0, abs=1e-15)
    assert law.radius(batch=6, eta=.1) == pytest.approx(max(abs(1 - .1*law.curvatures))**2)
