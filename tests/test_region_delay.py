"""A delay that is a parameter: the region for every delay, proved by the argument principle, against every whole delay."""
from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from dynopt import averaged, delayed, gradient_descent, heavy_ball, rules, stability
from dynopt.core.rule import method
from dynopt.theory.atoms import make
from dynopt.theory.delays import disk_certificate, half_plane_certificate
from dynopt.theory.proof import prove

ANY = delayed(gradient_descent, "tau")


def test_delayed_descent_for_every_delay():
    found = stability(ANY)
    assert str(found) == "0 < eta*lam < 2*sin(pi/(4*tau + 2))"
    assert found.proof.status == "proved" and "argument principle" in found.proof.method
    assert [b.kind for b in found.boundaries] == ["fold", "neimark_sacker"]
    assert any(r"z^{\tau}" in step for step in found.steps)


@pytest.mark.parametrize("tau", range(9))
def test_every_whole_delay_by_jury_and_by_eigenvalues(tau):
    found, rng = stability(ANY), np.random.default_rng(tau)
    edge = 2*np.sin(np.pi/(4*tau + 2))
    gains = np.concatenate([rng.uniform(-1, 3, 60), edge*(1 + rng.uniform(-1e-3, 1e-3, 20))])
    told = found.contains(eta=gains, lam=1., tau=tau)
    roots = np.array([np.abs(np.roots([1, -1, *[0]*(tau - 1), g] if tau else [1, g - 1])).max() < 1 for g in gains])
    assert np.array_equal(told, roots)
    if tau < 7:
        assert np.array_equal(stability(delayed(gradient_descent, tau)).contains(eta=gains, lam=1.), roots)


def test_a_delayed_flow():
    found = stability(rules["delayed_gradient_flow"])
    assert str(found) == "2*tau*lam < pi" and found.proof.status == "proved"
    assert found.contains(tau=0., lam=5.) and found.contains(tau=1., lam=1.57) and not found.contains(tau=1., lam=1.58)


def test_other_factors_are_asked_for_too():
    found = stability(averaged(ANY))
    assert found.proof.status == "proved"
    assert found.contains(eta=.5, lam=1., tau=2, ema=.5) and not found.contains(eta=.5, lam=1., tau=2, ema=1.5)


def test_one_more_step_of_delay():
    @method
    def older(x, x_old, *, eta, tau, grad, past):
        return x - eta*grad(past(x_old, tau)), x
    found = stability(older)
    assert str(found) == "0 < eta*lam < 2*sin(pi/(4*tau + 6))" and found.proof.status == "proved"
    assert found.contains(eta=.999, lam=1., tau=0) and not found.contains(eta=1.001, lam=1., tau=0)


def test_what_is_no_pure_delay_is_unknown_with_its_curve():
    """On the curve that the answer gives, a pair of roots of z**tau*(z - 1)*(z - beta) + eta*lam*z lies on the circle."""
    said = stability(delayed(heavy_ball, "tau")).unknown
    assert "eta*lam = " in said and "beta = " in said
    curve = said.partition("is a root: ")[2]
    gain, beta = (part.partition(" = ")[2] for part in curve.split(", "))
    names = {"sin": np.sin, "cos": np.cos, "theta": .4, "tau": 3}
    g, b = (_value(text, names) for text in (gain, beta))
    z = np.exp(.4j)
    assert abs(z**3*(z - 1)*(z - b) + g*z) < 1e-12


def _value(text, names):
    from dynopt.core.parse import parse
    from dynopt.theory.algebra import expression
    return float(expression(parse(text)).subs({s: names[str(s)] for s in expression(parse(text)).free_symbols}))


def test_wrong_regions_of_a_delay_are_refuted():
    right = stability(ANY)
    [(up, top)] = right.union
    other = top if len(top.symbols) == 3 else up
    for factor in (1.001, .999, -1.):
        changed = _scaled(other, factor)
        wrong = dataclasses.replace(right, union=((*(a for a in (up, top) if a is not other), *changed),))
        proof = prove(wrong)
        assert proof.status == "unknown"
    dropped = dataclasses.replace(right, union=((other,),))
    proof = prove(dropped)
    assert proof.status == "unknown" and proof.counterexample is not None
    assert dropped.contains(**proof.counterexample) != right.contains(**proof.counterexample)


def _scaled(atom, factor):
    from sympy import Rational

    from dynopt.theory.symbols import symbol
    return make(atom.expr.subs(symbol("eta"), Rational(str(factor))*symbol("eta")), atom.op)


def test_the_certificates_are_identities():
    assert all(holds for _, holds in (*disk_certificate(), *half_plane_certificate()))
