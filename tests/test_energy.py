"""Energies: published Lyapunov functions with their exact rates, refutations with a point, increments on quadratics."""
from __future__ import annotations

import pytest
import sympy

import dynopt
from dynopt import lyapunov
from dynopt.core.errors import RuleError
from dynopt.theory import smt
from dynopt.theory.symbols import symbol

lam, mu, t, gamma = (symbol(n) for n in ("lam", "mu", "t", "gamma"))
x, v = symbol("x"), symbol("v")
SU = "t**2*f(x) + 2*norm(x + t/2*v)**2"
STRONG = "exp(sqrt(mu)*t)*(f(x) + norm(sqrt(mu)*x + v)**2/2)"


def test_su_boyd_candes():
    found = lyapunov(dynopt.nesterov_flow.subs(r=3), SU, given=("convex", "t > 0"))
    assert found and found.proof.status == "proved"
    assert sympy.expand(found.on_mode + t*lam*x**2) == 0                                    # G23
    assert found.rate == {"f": 2*t, ("grad f", "x"): -2*t}


def test_general_r_needs_three():
    energy = "t**2/(r - 1)*f(x) + (r - 1)/2*norm(x + t/(r - 1)*v)**2"
    assert lyapunov(dynopt.nesterov_flow, energy, given=("convex", "t > 0", "r >= 3"))
    assert not lyapunov(dynopt.nesterov_flow, energy, given=("convex", "t > 0", "r > 1"))


def test_strongly_convex_flow():
    found = lyapunov(dynopt.strongly_convex_flow, STRONG, given="strongly convex")
    expected = -sympy.exp(sympy.sqrt(mu)*t)*sympy.sqrt(mu)/2*((lam - mu)*x**2 + v**2)       # G25
    assert found and sympy.expand(found.on_mode - expected) == 0


def test_weaker_class_is_refuted_with_a_point():
    found = lyapunov(dynopt.strongly_convex_flow, STRONG, given="convex")
    assert not found and found.proof.counterexample is not None
    point = {symbol(n): sympy.Rational(q.numerator, q.denominator) for n, q in found.proof.counterexample.items()}
    assert found.on_mode.subs(point).evalf() > 0


def test_mechanical_energy_falls_by_the_friction():
    found = lyapunov(dynopt.damped, "f(x) + norm(v)**2/2", given="gamma > 0")
    assert found and found.rate == {("v", "v"): -gamma} and "smt2" not in found.proof.method


def test_negative_friction_is_refuted():
    found = lyapunov(dynopt.damped, "f(x) + norm(v)**2/2")
    assert not found and found.proof.counterexample["gamma"] < 0


def test_every_question_of_a_proof_is_unsat_again():
    found = lyapunov(dynopt.hessian_damping, "f(x) + norm(v + beta*grad(x))**2/2", given=("convex", "gamma > 0", "beta > 0", "beta*gamma < 4"))
    assert found
    questions = found.proof.smt2.split("(check-sat)\n")[:-1]
    assert questions and all(smt.decide_text(q + "(check-sat)\n").verdict == "unsat" for q in questions)


def test_a_bound_that_is_slightly_wrong_is_not_proved():
    energy = "f(x) + norm(v + beta*grad(x))**2/2"
    assert not lyapunov(dynopt.hessian_damping, energy, given=("convex", "gamma > 0", "beta > 0", "beta*gamma < 401/100"))


@pytest.mark.parametrize("bound, holds", [("eta*L < 2", True), ("eta*L < 201/100", False)])
def test_increment_of_gradient_descent_on_quadratics(bound, holds):
    found = lyapunov(dynopt.gradient_descent, "f(x)", given=("smooth", "eta > 0", bound))
    assert bool(found) is holds


def test_energies_as_functions():
    a = lyapunov(dynopt.gradient_flow, lambda x, *, t, f: t*f(x) + dynopt.norm(x)**2/2, given="convex")
    assert a and sympy.expand(a.on_mode + lam*x**2*(2*lam*t + 1)/2) == 0


@pytest.mark.parametrize("energy", ["norm(x)", "f(x + v)", "x*f(x)"])
def test_energies_beyond_the_language_are_refused(energy):
    with pytest.raises(RuleError):
        lyapunov(dynopt.damped, energy)


@pytest.mark.parametrize("rule, energy", [(dynopt.gradient_descent, "t*f(x)"), (dynopt.nag_c, "f(x)")])
def test_a_clock_in_a_step_is_refused(rule, energy):
    """t f(x) grows along slow steps; k/(k + 3) is no constant: one matrix said "proved" of both."""
    with pytest.raises(RuleError, match="depends on"):
        lyapunov(rule, energy, given=("convex", "smooth", "eta > 0", "eta*L < 1"))


def test_energies_that_grow_come_with_a_point():
    shaken = lyapunov(dynopt.leapfrog(dynopt.conservative), "f(x)/2 + mu*norm(v)**2",
                      given=("strongly convex", "smooth", "L >= mu", "h**2*L < 1", "gamma**2 <= mu", "beta > 0", "beta < 1"))
    at = {n: float(c) for n, c in shaken.proof.counterexample.items()}
    assert at["mu"] <= at["lam"] <= at["L"] and at["h"]**2*at["L"] < 1
    assert shaken.proof.status == "unknown" and dynopt.evaluate(shaken.on_mode, **at) > 0


def test_an_energy_that_stays_exactly_is_proved():
    """x - y of two variables that move alike, and nothing at all: an increment of no terms."""
    both = dynopt.method.from_string("v = v - eta*grad(x); x = x - eta*grad(x)", state="x v", name="both")
    assert lyapunov(both, "norm(x - v)**2").on_mode == 0 and lyapunov(both, "norm(x - v)**2").proof.status == "proved"
    assert lyapunov(dynopt.gradient_descent, "0*f(x)").proof.status == "proved"
