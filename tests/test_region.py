"""Regions as objects: printing, membership, set operations, boundaries by kind, solving for a parameter, derivation."""
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
import theory_rules as T
from hypothesis import given, settings
from hypothesis import strategies as st

from dynopt.core.errors import ParameterError, RuleError
from dynopt.core.functions import exp
from dynopt.core.rule import flow, method
from dynopt.theory.algebra import LinearizeError
from dynopt.theory.linear import linearize
from dynopt.theory.region import region
from dynopt.theory.stability import bounded, monotone, oscillation, stability
from dynopt.theory.symbols import symbol

PRINTED = [
    (T.gradient_descent, "0 < eta*lam < 2"),
    (T.heavy_ball, "|beta| < 1, 0 < eta*lam < 2*(1 + beta)"),
    (T.heavy_ball_torch, "|beta| < 1, 0 < eta*lam < 2*(1 + beta)"),
    (T.heavy_ball_ema, "|beta| < 1, 0 < eta*lam*(1 - beta) < 2*(1 + beta)"),
    (T.nesterov, "eta > 0, eta*lam*(1 + 2*beta) < 2*(1 + beta), |beta*(1 - eta*lam)| < 1"),
    (T.optimistic, "0 < eta*lam < 2/3"),
    (T.implicit_euler, "eta > 0  or  eta*lam < -2"),
    (T.symplectic_euler_damped, "gamma > 0, h*(2*gamma + h*lam) < 4*m"),
    (T.damped, "gamma > 0"),
]


@pytest.mark.parametrize("rule, text", PRINTED, ids=lambda v: getattr(v, "name", None))
def test_a_region_prints_as_an_author_would_write_it(rule, text):
    assert str(stability(rule)) == text


def test_the_matrix_in_latex_has_greek_letters():
    assert r"\lambda" in linearize(T.heavy_ball)._repr_latex_() and "lam" not in linearize(T.heavy_ball)._repr_latex_().replace("lambda", "")


def test_latex_says_the_same_as_text():
    assert stability(T.heavy_ball)._repr_latex_() == (r"$\displaystyle \left|\beta\right| < 1,\; "
                                                      r"0 < \eta \lambda < 2\left(1 + \beta\right)$")


LINEAR = [T.heavy_ball, T.nesterov, T.heavy_ball_ema, T.optimistic, T.aggmo, T.verlet_damped]


@pytest.mark.parametrize("rule", LINEAR, ids=lambda r: r.name)
def test_membership_agrees_with_eigenvalues(rule):
    """The step matrix is built here from the declaration itself, run on unit vectors."""
    rng = np.random.default_rng(0)
    found, n = stability(rule), len(rule.state)
    for _ in range(300):
        values = {p: float(rng.uniform(0.05, 2) if symbol(p).is_positive else rng.uniform(-1.5, 2.5)) for p in rule.params}
        lam = float(rng.uniform(0.05, 3))
        columns = [rule(*np.eye(n)[j], grad=lambda y, lam=lam: lam*y, **values) for j in range(n)]
        radius = np.max(np.abs(np.linalg.eigvals(np.array(columns).T)))
        if abs(radius - 1) > 1e-9:
            assert found.contains(lam=lam, **values) == (radius < 1), (values, lam, radius)


def test_membership_broadcasts_and_keeps_numbers_exact():
    found = stability(T.heavy_ball)
    inside = found.contains(eta=np.array([[0.1], [5.0]]), beta=np.array([0.0, 0.5, 1.5]), lam=1.0)
    assert inside.tolist() == [[True, True, False], [False, False, False]]
    assert found.contains(eta=Fraction(10**20 - 1, 10**20), beta=Fraction(-1, 2), lam=1) is True
    assert found.contains(eta=Fraction(1), beta=Fraction(-1, 2), lam=1) is False
    assert not found.contains(eta=np.nan, beta=0.5, lam=1.0)
    assert not found.contains(eta=0.1, beta=0.5, lam=-1.0)


def test_membership_asks_for_the_parameters_by_name():
    with pytest.raises(ParameterError, match="missing beta"):
        stability(T.heavy_ball).contains(eta=0.1, lam=1.0)
    with pytest.raises(ParameterError, match="unknown bete"):
        stability(T.heavy_ball).contains(eta=0.1, beta=0.5, bete=0.5, lam=1.0)


def test_conditions_are_sympy_relations_of_reduced_polynomials():
    [conjunction] = stability(T.heavy_ball).conditions
    eta, beta, lam = symbol("eta"), symbol("beta"), symbol("lam")
    assert set(conjunction) == {eta > 0, 1 - beta > 0, 2*beta - eta*lam + 2 > 0}


def test_sets_combine():
    one, two = stability(T.gradient_descent), stability(T.optimistic)
    assert two.implies(one) is True
    assert one.implies(two) is False
    assert (one & two).equals(two) is True
    assert (one | two).equals(one) is True
    assert (one & ~one).is_empty is True
    assert (one | ~one).is_everything is True
    assert one.is_empty is False
    assert one.is_everything is False
    assert str(one & ~one) == "no parameters"
    assert str(one | ~one) == "all parameters"


def test_the_empty_and_the_whole_space_are_answers():
    assert stability(T.leapfrog).is_empty is True
    assert stability(flow(lambda x, *, grad: -grad(x))).is_everything is True


def test_boundaries_by_kind():
    fold, flip, circle = stability(T.heavy_ball).boundaries
    eta, beta, lam = symbol("eta"), symbol("beta"), symbol("lam")
    assert (fold.kind, fold.curve) == ("fold", eta)
    assert (flip.kind, sympy.expand(flip.curve)) == ("flip", 2 + 2*beta - eta*lam)
    assert (circle.kind, circle.curve) == ("neimark_sacker", 1 - beta)
    assert fold.semisimple and flip.semisimple and circle.semisimple
    [hopf] = stability(T.damped).boundaries
    assert (hopf.kind, hopf.curve) == ("hopf", symbol("gamma"))
    [rim] = bounded(T.leapfrog, given=["w > 0"]).boundaries
    assert rim.kind == "flip" and rim.semisimple is False


def test_nesterov_has_its_four_branches():
    branches = stability(T.nesterov).solve("eta")
    assert {str(b.when) for b in branches} == {"beta <= -1", "-1 <= beta <= -1/3", "-1/3 <= beta <= 1", "beta >= 1"}
    beta, lam = symbol("beta"), symbol("lam")
    upper = {str(b.when): b.upper for b in branches}
    assert sympy.cancel(upper["-1/3 <= beta <= 1"] - 2*(1 + beta)/((1 + 2*beta)*lam)) == 0
    assert sympy.cancel(upper["-1 <= beta <= -1/3"] - (beta - 1)/(beta*lam)) == 0


SOLVED = [(T.heavy_ball, "eta"), (T.heavy_ball, "beta"), (T.nesterov, "eta"), (T.nesterov, "beta"), (T.nesterov, "lam"),
          (T.symplectic_euler_damped, "h"), (T.symplectic_euler_damped, "gamma"), (T.explicit_euler_damped, "lam"),
          (T.implicit_euler, "eta"), (T.heavy_ball_ema, "beta"), (T.sam_plain, "rho_"), (T.weight_decay, "wd"),
          (T.two_rates, "e1"), (T.game_extragradient, "eta"), (T.explicit_euler_damped, "h")]


@pytest.mark.parametrize("rule, name", SOLVED, ids=lambda v: getattr(v, "name", v))
def test_branches_are_the_region(rule, name):
    found = stability(rule, mode=[["0", "b"], ["-b", "0"]]) if rule.name.startswith("game") else stability(rule)
    rng = np.random.default_rng(3)
    names = sorted({str(s) for s in found.free_symbols} | {name})
    points = {n: rng.uniform(0.01, 3, 3000) if symbol(n).is_positive else rng.uniform(-3, 4, 3000) for n in names}
    covered = np.zeros(3000, dtype=bool)
    for branch in found.solve(name):
        free = {str(s): points[str(s)] for s in branch.when.free_symbols}
        when = branch.when.contains(**free) if free else True
        with np.errstate(invalid="ignore", divide="ignore"):
            ends = [sympy.lambdify([symbol(n) for n in names], e)(*points.values()) for e in (branch.lower, branch.upper)]
            covered |= when & (ends[0] < points[name]) & (points[name] < ends[1])
    assert (covered == found.contains(**points)).all()


def test_the_derivation_is_told_step_by_step():
    steps = stability(T.heavy_ball).steps
    assert any("det" in s and r"z^{2} - \left(1 + \beta - \eta \lambda\right) z + \beta" in s for s in steps)
    assert r"2 + 2 \beta - \eta \lambda" in " ".join(steps)
    for told in (stability(T.heavy_ball, over=("mu", "L")), bounded(T.heavy_ball), oscillation(T.heavy_ball), monotone(T.gradient_descent)):
        assert len(told.steps) >= 3 and r"\iff" in told.steps[-1]
    assert any("implied" in s for s in stability(T.aggmo, given=["0 <= b1 < 1", "0 <= b2 < 1"]).steps)


def test_assumptions_shorten_the_answer():
    assert str(stability(T.aggmo, given=["0 <= b1 < 1", "0 <= b2 < 1"])) == "0 < eta*lam*(2 + b1 + b2) < 4*(1 + b1)*(1 + b2)"


def test_every_curvature_of_an_interval():
    assert str(stability(T.gradient_descent, over=("mu", "L"))) == "0 < eta*L < 2"
    assert str(stability(T.heavy_ball, over=("mu", "L"))) == "|beta| < 1, 0 < eta*L < 2*(1 + beta)"
    numeric = stability(T.heavy_ball, over=(0.5, 10))
    assert numeric.equals(region("abs(beta) < 1", "0 < 10*eta", "10*eta < 2*(1 + beta)")) is True
    assert stability(T.gradient_descent, over=(0, "L")).equals(stability(T.gradient_descent, over=("mu", "L"))) is True
    for bad in ((2, 1), (-1, 2), ("mu",), 3):
        with pytest.raises(RuleError, match="over="):
            stability(T.heavy_ball, over=bad)


def test_every_curvature_is_proved_and_solved_without_twins():
    found = stability(T.nesterov, over=("mu", "L"), given=["0 <= beta", "beta < 1"])
    assert str(found) == "0 < eta*L*(1 + 2*beta) < 2*(1 + beta)"
    assert found.proof.status == "proved"
    assert len(found.solve("eta")) == 1
    assert stability(T.nesterov, over=(0, "L")).proof.status == "proved"
    assert stability(T.two_rates, over=("mu", "L")).proof.status == "proved"
    tuned = T.nesterov.subs(beta="(sqrt(L) - sqrt(mu))/(sqrt(L) + sqrt(mu))")
    assert str(stability(tuned, over=("mu", "L"))) == "0 < eta*L*(3*sqrt(L) - sqrt(mu)) < 4*sqrt(L)"


def test_every_curvature_where_the_ends_are_not_enough():
    """Two gradient steps of different length: stable at both ends does not give stable between."""
    found = stability(T.two_rates, over=("mu", "L"), given=["e1 > 0", "e2 > 0"])
    rng = np.random.default_rng(5)
    for _ in range(400):
        e1, e2, mu = rng.uniform(0.01, 3, 3)
        top = mu + rng.uniform(0, 3)
        lam = np.linspace(mu, top, 400)
        factor = np.max(np.abs((1 - e1*lam)*(1 - e2*lam)))
        if abs(factor - 1) > 1e-3:
            assert found.contains(e1=e1, e2=e2, mu=mu, L=top) == (factor < 1)


def test_complex_curvature_and_two_players():
    found = stability(T.gradient_descent, mode="complex")
    assert found.equals(region("eta*(2*lam_re - eta*(lam_re**2 + lam_im**2)) > 0")) is True
    play = stability(T.game_descent, mode=[["a", "b"], ["-b", "a"]], given=["eta > 0"])
    assert play.equals(region("eta*(a**2 + b**2) < 2*a", given=["eta > 0"])) is True


def test_hidden_eigenvalues_are_still_required_inside():
    @method
    def with_counter(x, s, *, eta, c, grad):
        return x - eta*grad(x), c*s
    linear = linearize(with_counter)
    assert [p.as_expr() for p in linear.hidden] == [sympy.Symbol("z") - symbol("c")]
    assert linear.charpoly.degree() == 1
    assert stability(with_counter).equals(region("0 < eta*lam", "eta*lam < 2", "abs(c) < 1")) is True


def test_what_rest_never_excites_is_neutral():
    @method
    def with_drift(x, s, *, eta, grad):
        return x - eta*grad(x), -s
    linear = linearize(with_drift)
    assert [p.as_expr() for p in linear.neutral] == [sympy.Symbol("z") + 1]
    assert stability(with_drift).equals(stability(T.gradient_descent)) is True


def test_bounded_oscillating_monotone():
    assert str(bounded(T.leapfrog, given=["w > 0"])) == "h*w < 2"
    assert bounded(T.heavy_ball).contains(eta=np.array([0.0, 4.0, 3.999, 0.0]), beta=np.array([0.5, 1.0, 1.0, 1.0]),
                                          lam=1.0).tolist() == [True, False, True, False]
    assert str(oscillation(T.damped)) == "gamma**2 < 4*m*lam"
    assert oscillation(T.gradient_descent).is_empty is True
    assert str(monotone(T.gradient_descent)) == "eta*lam <= 1"


def test_degree_four_oscillation_by_hermite():
    @method
    def two_oscillators(x, v, y, w, *, a, b):
        return -v, x*a, -w, y*b
    found = oscillation(two_oscillators)
    rng = np.random.default_rng(2)
    for a, b in rng.uniform(-2, 2, (100, 2)):
        eigenvalues = np.linalg.eigvals(np.array([[0, -1, 0, 0], [a, 0, 0, 0], [0, 0, 0, -1], [0, 0, b, 0]]))
        assert found.contains(a=a, b=b) == bool(np.max(np.abs(eigenvalues.imag)) > 1e-9)


@pytest.mark.parametrize("rule, words", [
    (method(lambda x, *, eta, grad: x - eta*np.sign(1)*abs(grad(x))), "no derivative"),
    (method(lambda x, *, eta, grad: x - eta*grad(x)**2), "not linear"),
    (flow(lambda x, v, *, r, t, grad: (v, -r/t*v - grad(x))), "depends on the time"),
], ids=["abs", "square", "time"])
def test_what_has_no_mode_says_so(rule, words):
    found = stability(rule)
    assert found.unknown and words in str(found)
    assert found.proof.status == "unknown"
    with pytest.raises(RuleError, match="unknown"):
        found.contains(eta=1.0, lam=1.0)
    with pytest.raises(LinearizeError, match=words):
        linearize(rule)


def test_a_rule_in_k_is_judged_by_its_limit():
    nag_c = method(lambda x, y, *, eta, k, grad: (y - eta*grad(y), (1 + k/(k + 3))*(y - eta*grad(y)) - k/(k + 3)*x))
    assert str(stability(nag_c)) == "0 < eta*lam < 4/3"
    averaging = method(lambda x, z, *, eta, k, grad: (x + (z - x)/(k + 2), z - eta*grad(z)))
    assert "limit" in stability(averaging).unknown


def test_a_rule_with_a_period_is_judged_by_the_product():
    cyclic = method(lambda x, *, e, k, grad: x - (1 + k % 2)*e*grad(x))
    assert stability(cyclic).equals(stability(T.two_rates.subs(e1="e", e2="2*e"))) is True


def test_frozen_preconditioner_gives_adams_edge():
    @method
    def rms(x, m, v, *, eta, b1, b2, eps, k, grad):
        from dynopt.core.functions import sqrt
        g = grad(x)
        m, v = b1*m + (1 - b1)*g, b2*v + (1 - b2)*g**2
        return x - eta*m/(1 - b1**(k + 1))/(sqrt(v/(1 - b2**(k + 1))) + eps), m, v
    found = stability(rms, freeze=("v",))
    assert found.equals(region("abs(b1) < 1", "abs(b2) < 1", "eta > 0", "eta*lam*(1 - b1) < 2*(1 + b1)")) is True


SMALL = st.integers(-3, 3)


@pytest.mark.slow
@settings(max_examples=15)
@given(st.lists(SMALL, min_size=5, max_size=5), st.integers(1, 4))
def test_rename_permute_rescale(c, scale):
    """Renaming parameters, permuting states and rescaling a buffer leave the region as it is."""
    @method
    def plain(x, v, *, eta, beta, grad):
        g = grad(x + c[0]*v)
        v = beta*v + (c[1]*eta + c[2])*g + c[3]*x/8
        return x - eta*v + c[4]*g/4, v

    @method
    def other(w, x, *, step, keep, grad):
        v = w/scale
        g = grad(x + c[0]*v)
        v = keep*v + (c[1]*step + c[2])*g + c[3]*x/8
        return scale*v, x - step*v + c[4]*g/4
    one, two = stability(plain), stability(other.subs(step="eta", keep="beta"))
    rng = np.random.default_rng(0)
    points = {"eta": rng.uniform(-2, 3, 200), "beta": rng.uniform(-2, 2, 200), "lam": rng.uniform(0.01, 3, 200)}
    assert (np.broadcast_to(one.contains(**points), 200) == np.broadcast_to(two.contains(**points), 200)).all()
    matrix = [np.array(plain(*row, eta=0.7, beta=0.4, grad=lambda y: 1.3*y)) for row in np.eye(2)]
    radius = np.max(np.abs(np.linalg.eigvals(np.array(matrix, dtype=float))))
    assert abs(radius - 1) < 1e-9 or one.contains(eta=0.7, beta=0.4, lam=1.3) == (radius < 1)


def test_a_polynomial_in_squares_is_not_mistaken_for_one_in_z():
    """s**2 + lam has its roots on the axis although s + lam has not; z**2 + lam may be judged by z + lam."""
    conservative = flow(lambda x, v, *, grad: (v, -grad(x)))
    assert stability(conservative).is_empty is True
    assert bounded(conservative).is_everything is True
    assert oscillation(conservative).is_everything is True
    turned = method(lambda x, v, *, c: (-v, c*x))
    assert str(stability(turned)) == "|c| < 1"
    assert linearize(turned).charpoly.degree() == 2


def test_lorenz_at_its_points_of_rest():
    from data.hard_rules import lorenz
    origin = stability(lorenz, at={"x": 0, "y": 0, "z": 0}, given=["sigma > 0", "beta > 0"])
    assert str(origin) == "rho < 1"
    wing = {"x": "sqrt(beta*(rho - 1))", "y": "sqrt(beta*(rho - 1))", "z": "rho - 1"}
    away = stability(lorenz.subs(sigma=10, beta="8/3"), at={**wing, "x": "sqrt(8/3*(rho - 1))", "y": "sqrt(8/3*(rho - 1))"})
    assert away.contains(rho=np.array([0.5, 2.0, 24.7, 24.8])).tolist() == [False, True, True, False]
    assert "hopf" in {b.kind for b in away.boundaries}


def test_a_delay_in_a_flow_is_no_shift_register():
    late = flow(lambda x, *, tau, grad, past: -grad(past(x, tau)))
    assert "delay" in stability(late.subs(tau=2)).unknown or "past" in stability(late.subs(tau=2)).unknown


def test_a_delay_in_a_method_is_one():
    assert str(stability(T.stale.at(tau=1))) == "0 < eta*lam < 1"


def test_adam_at_the_minimum_itself_is_momentum_with_step_eta_over_eps():
    from dynopt.catalog.index import rules
    found = stability(rules["adam"], at={"x": 0, "m": 0, "v": 0}, given=["eps > 0"])
    momentum = ["abs(beta1) < 1", "abs(beta2) < 1", "eta > 0", "eta*lam*(1 - beta1) < 2*eps*(1 + beta1)"]
    assert found.equals(region(*momentum, given=["eps > 0"])) is True


def test_scalars_that_drive_themselves_have_a_proved_limit():
    from dynopt.catalog.index import rules
    assert stability(rules["fista"], given=["eta > 0"]).equals(region("3*eta*lam < 4 + eta*nu", given=["eta > 0"])) is True
    assert str(stability(rules["chebyshev"])) == "lam < L + mu"


def test_exponentials_of_one_exponent_are_powers_of_one_variable():
    @method
    def kicked(x, v, *, gamma, h, grad):
        v = exp(-gamma*h)*v - h*grad(x)
        return x + h*exp(-2*gamma*h)*v, v

    @method
    def split(x, v, *, gamma, h, grad):
        v = exp(-gamma*h/2)*v - h*grad(x)
        return x + h*exp(-gamma*h - h)*v, exp(-gamma*h/2 - h)*v
    found = stability(kicked)
    assert str(found) == "gamma > 0, exp(-2*gamma*h)*h**2*lam < 2*(1 + exp(-gamma*h))" and len(found.definitions) == 1
    assert found.proof.status == "proved"
    assert str(stability(split)).startswith("gamma > -1, ") and len(stability(split).definitions) == 2
    rng, regions = np.random.default_rng(0), {rule.name: stability(rule) for rule in (kicked, split)}
    for gamma, h, lam in rng.uniform([-1.5, .01, .01], [2, 3, 4], (300, 3)):
        for rule in (kicked, split):
            step = np.array(rule(*np.eye(2), gamma=gamma, h=h, grad=lambda x, lam=lam: lam*x))
            radius = max(abs(np.linalg.eigvals(step)))
            assert regions[rule.name].contains(gamma=gamma, h=h, lam=lam) == (radius < 1) or abs(radius - 1) < 1e-9


def test_what_is_implied_in_one_case_only_is_not_told_as_implied():
    @method
    def averaged(x, v, *, eta, beta, grad):
        v = beta*v + (1 - beta)*grad(x - eta*v)
        return x - eta*v, v
    region = stability(averaged)
    assert region.contains(eta=.5, beta=.9, lam=1.), "eta > 0 inside"
    assert not any(s.startswith(r"\text{implied: } -") for s in region.steps), "beta > 1 with eta < 0 is another case"
