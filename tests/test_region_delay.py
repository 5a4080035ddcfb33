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


BESIDE = delayed(heavy_ball, "tau")


def test_a_delay_beside_momentum_for_every_delay():
    found = stability(BESIDE, given=["beta >= 0"])
    assert str(found) == "|beta| < 1, 0 < eta*lam < delay_edge(beta, tau - 1)" and r"\operatorname{edge}" in found.latex
    assert found.proof.status == "proved" and "Gauss-Lucas" in found.proof.method
    assert "given=['beta >= 0']" in stability(BESIDE).unknown
    averaged_gradient = stability(delayed(rules["heavy_ball_ema"], "tau"), given=["beta >= 0"])
    assert "eta*lam*(1 - beta) < delay_edge(beta, tau - 1)" in str(averaged_gradient)


@pytest.mark.parametrize("tau", [0, 1, 2, 3, 6, 11, 25])
def test_every_whole_delay_of_momentum_by_eigenvalues(tau):
    found, rng = stability(BESIDE, given=["beta >= 0"]), np.random.default_rng(tau)
    beta, gain = rng.uniform(0, 1.2, 400), rng.uniform(-.2, 4, 400)*rng.random(400)**2
    radius = np.array([_radius(tau, b, g) for b, g in zip(beta, gain)])
    told = found.contains(eta=gain, lam=1., beta=beta, tau=tau)
    assert np.array_equal(told, radius < 1) and 5 < told.sum() < 395
    if tau < 4:                                                          # and the region that Jury's conditions give
        assert np.array_equal(stability(delayed(heavy_ball, tau)).contains(eta=gain, lam=1., beta=beta), told)


def _radius(tau, beta, gain):
    """Of x - x_prev as the buffer: the matrix of one step, written out."""
    M = np.diag(np.ones(tau + 1), -1)
    M[0, 0], M[0, 1] = 1 + beta, M[0, 1] - beta
    M[0, tau] -= gain
    return np.abs(np.linalg.eigvals(M)).max()


def test_at_the_edge_a_pair_lies_on_the_circle():
    from dynopt.theory.delay_edge import edge
    for beta, tau in ((0., 2), (.3, 0), (.5, 1), (.9, 4), (.99, 12)):
        assert abs(_radius(tau, beta, float(edge(beta, tau - 1))) - 1) < 1e-9


def test_wrong_regions_of_a_delay_beside_momentum_are_not_proved():
    right = stability(BESIDE, given=["beta >= 0"])
    [conjunction] = right.union
    for i, a in enumerate(conjunction):
        rest = (*conjunction[:i], *conjunction[i + 1:])
        assert dataclasses.replace(right, union=(rest,)).proof.status == "unknown"
        if len(a.symbols) > 2:
            assert dataclasses.replace(right, union=((*rest, *_scaled(a, 1.001)),)).proof.status == "unknown"


def test_the_certificate_of_a_delay_beside_a_root_is_made_of_identities():
    from dynopt.theory.delay_edge import certificate
    assert all(holds for _, holds in certificate())
