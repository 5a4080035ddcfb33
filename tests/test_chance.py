"""Rules that choose by chance: their mean, their second moments, where these stay finite."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt import RuleError, evaluate, iterate, largest, linearize, method, moments, stability, where


@method
def dropped(x, *, eta, a, q, b, uniform):
    m = where(uniform() < q, 1, 0)
    return x - eta*m/q*a*(m/q*a*x - b)


@method
def dropped_whole(x, *, eta, a, q, b, uniform):
    return x - eta*where(uniform() >= 1 - q, a/q*(a/q*x - b), 0)


@pytest.mark.parametrize("rule", [dropped, dropped_whole])
def test_both_ways_to_write_a_mask_have_the_same_law(rule):
    law = moments(rule, additive=None)
    q, a, eta = .3, 1.2, .02
    assert evaluate(law.driven.matrix, eta=eta, q=q, a=a).item() == pytest.approx(1 - eta*a**2/q)
    assert evaluate(law.mean, q=q, a=a, b=2., eta=eta).item() == pytest.approx(q*2/a)
    second = q*(1 - eta*a**2/q**2)**2 + 1 - q
    assert evaluate(law.lifted, eta=eta, q=q, a=a).item() == pytest.approx(second)
    assert largest(law.region, "eta", q=q, a=a) == pytest.approx(2*q**2/a**2)
    assert not law.region.contains(eta=.01, q=1.2, a=1.)


def test_the_variance_is_that_of_a_run():
    found = evaluate(moments(dropped, additive=None).variance("x"), eta=.1, q=.5, a=1., b=1.)
    run = iterate(dropped, x0=np.full((4000, 1), .5), steps=600, record=20, seed=3, eta=.1, q=.5, a=1., b=1.)
    assert run.x[:, 10:, 0].var() == pytest.approx(found, rel=.02)


def test_powers_of_a_choice_are_exact():
    @method
    def cubed(x, *, p, uniform):
        m = where(uniform() < p, 2, -1)
        return m*m*m + 0*x
    law = moments(cubed, additive=None)
    p = .3
    assert evaluate(law.mean, p=p).item() == pytest.approx(8*p - (1 - p))
    assert evaluate(law.variance("x"), p=p) == pytest.approx(81*p*(1 - p))


def test_a_fixed_probability_needs_nothing():
    @method
    def halved(x, *, eta, grad, uniform):
        return x - eta*where(uniform() < 1/2, 2*grad(x), 0)
    assert largest(moments(halved, additive=None).region, "eta", lam=1.) == pytest.approx(1.)


@pytest.mark.parametrize("body, told", [
    (lambda x, u: x*where(u < .2, 1, where(u < .6, 2, 0)), "two values"),
    (lambda x, u: x*where(u < .2, 1, 0)/2 + u, "draw twice"),
    (lambda x, u: x*where(u < 2, 1, 0)/2, "always on one side"),
    (lambda x, u: x*where(u*u < .2, 1, 0)/2, "through a function")])
def test_what_has_no_such_law_is_refused(body, told):
    rule = method(lambda x, *, uniform: body(x, uniform()))
    with pytest.raises(RuleError, match=told):
        moments(rule, additive=None).variance("x")


@pytest.mark.parametrize("rule", [dropped, dropped_whole])
@pytest.mark.parametrize("q", [.3, .7])
def test_the_mean_of_a_choice_is_no_choice_of_the_mean(rule, q):
    assert largest(stability(rule), "eta", q=q, a=1.) == pytest.approx(2*q)
    assert largest(stability(rule.subs(q=q)), "eta", a=1.) == pytest.approx(2*q)


def test_powers_of_draws_have_their_means():
    @method
    def bent(x, *, eta, grad, noise, uniform):
        u, xi = uniform(), noise()
        return x - eta*(u*u + xi**4)*grad(x)
    assert evaluate(linearize(bent).matrix, eta=.1, lam=2.).item() == pytest.approx(1 - .2*(1/3 + 3))


def test_a_draw_inside_a_function_has_no_mean_here():
    @method
    def curved(x, *, eta, grad, noise):
        return x - eta*abs(noise())*grad(x)
    region = stability(curved)
    assert region.unknown and "through a function" in region.unknown
