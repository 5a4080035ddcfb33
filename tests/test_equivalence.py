"""Equivalences against runs on a nonlinear function, and the reasons why not; responses, fixed points and cycles on numbers."""
from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynopt import (
    RuleError,
    cycle,
    damped,
    equivalent,
    fixed_point,
    gradient_descent,
    heavy_ball,
    invariants,
    method,
    nesterov,
    response,
    rules,
    symplectic_euler,
)

PAIRS = [("heavy_ball", "heavy_ball_torch"), ("heavy_ball_torch", "heavy_ball_ema"), ("heavy_ball", "heavy_ball_keras"),
         ("nesterov", "nesterov_yx"), ("nesterov_torch", "qhm"), ("nesterov_torch", "nesterov_keras"),
         ("heavy_ball", "three_parameter"), ("heavy_ball_two_step", "heavy_ball")]


def run(rule, state, params, steps=12):
    """The points at which a rule asks for the gradient of a function that is no quadratic."""
    asked = []

    def grad(x):
        asked.append(float(x))
        return x + 0.3*np.sin(3*x)
    for _ in range(steps):
        state = rule(*state, grad=grad, **params)
        state = state if isinstance(state, tuple) else (state,)
    return np.array(asked)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_equivalent_rules_ask_at_the_same_points(one, other):
    a, b = rules[one], rules[other]
    found = equivalent(a, b)
    assert found and found.written == other
    values = {"eta": 0.2, "beta": 0.6}
    start = {"x": 1.0, "v": 0.3, "x_prev": 0.8, "y": 1.1}

    def number(e):
        table = {s: {**values, **start}[s.name] for s in sympy.S(e).free_symbols}
        return float(sympy.S(e).subs(table))
    params = {n: number(e) for n, e in found.params.items()}
    own = {n: values[n] for n in a.params}
    state = [start[s] for s in a.state]
    assert run(a, state, own) == pytest.approx(run(b, [number(found.states[s]) for s in b.state], params), abs=1e-12)


def test_heavy_ball_is_symplectic_euler_of_the_damped_flow():
    there, back = equivalent(symplectic_euler(damped), heavy_ball), equivalent(heavy_ball, symplectic_euler(damped))
    h, gamma = sympy.Symbol("h", positive=True), sympy.Symbol("gamma", real=True)
    assert there and there.params["eta"] == h**2 and sympy.expand(there.params["beta"] - (1 - gamma*h)) == 0
    assert back and back.mutual


def test_the_gradient_correction_form_is_nesterov_s_y_sequence():
    found = equivalent(rules["nesterov_yx"], rules["gradient_correction"])
    beta = sympy.Symbol("beta", real=True)
    assert found and found.params["delta"] == beta


@pytest.mark.parametrize(("a", "b", "why"), [
    (heavy_ball, nesterov, "no constant parameters"),
    (rules["extragradient"], gradient_descent, "2 gradients"),
    (rules["nag_c"], nesterov, "change with k"),
    (rules["damped"], heavy_ball, "is a flow"),
    (rules["adam"], heavy_ball, "not decided"),
], ids=str)
def test_what_is_not_equivalent_says_why(a, b, why):
    found = equivalent(a, b)
    assert not found and why in found.reason


def test_a_family_that_can_do_more_is_said_to():
    found = equivalent(rules["qhm"], rules["nesterov_torch"])
    assert found and not found.mutual and "can do more" in found.reason and found.written == "qhm"


def test_renamed_permuted_rescaled():
    other = method(lambda w, q, *, rate, decay, grad: (w*decay + 3*grad(q), q - rate*(w*decay + 3*grad(q))))
    found = equivalent(heavy_ball, other)
    eta, beta = sympy.Symbol("eta", real=True), sympy.Symbol("beta", real=True)
    assert found.mutual and found.params == {"rate": eta/3, "decay": beta}


def test_response_against_a_run():
    beta, eta = 0.7, 0.2
    found = response(heavy_ball)
    steps = [float(found.impulse(j).subs({s: {"eta": eta, "beta": beta}[s.name] for s in found.impulse(j).free_symbols})) for j in range(6)]
    x, v, moved = 0.0, 0.0, []
    for k in range(6):
        v = beta*v + eta*(1.0 if k == 0 else 0.0)
        x, old = x - v, x
        moved.append(old - x)
    assert steps == pytest.approx(moved)


def test_frequency_response():
    found, omega = response(heavy_ball), 0.8
    table = {"eta": 0.2, "beta": 0.7}
    squared = found.magnitude_squared(omega)
    value = complex(found.frequency(omega).subs({s: table[s.name] for s in found.frequency(omega).free_symbols}).evalf())
    assert float(squared.subs({s: table[s.name] for s in squared.free_symbols})) == pytest.approx(abs(value)**2)


def test_tracking_against_a_run():
    table = dict(eta=0.3, beta=0.5, lam=1.0, c=0.1)
    expected = response(nesterov).tracking("c")
    x, v, s = 0.0, 0.0, 0.0
    for _ in range(400):
        s += table["c"]
        v = table["beta"]*v + table["eta"]*table["lam"]*(x - table["beta"]*v - s)
        x -= v
    assert float(expected.subs({t: table[t.name] for t in expected.free_symbols})) == pytest.approx(x - s, abs=1e-12)


def test_fixed_points_and_their_multipliers():
    logistic_map = method(lambda x, *, r: r*x*(1 - x))
    orbit = fixed_point(logistic_map)
    r = sympy.Symbol("r", real=True)
    assert sympy.cancel(orbit["x"] - (1 - 1/r)) == 0 and sympy.expand(orbit.multipliers[0] - (2 - r)) == 0
    with pytest.raises(RuleError, match="no single fixed point"):
        fixed_point(method(lambda x, v, *, h: (x + h*v, v)))


def test_cycles_return_after_their_period():
    values = {"eta": 0.7, "beta": 0.4}
    for orbit in cycle(heavy_ball, "x**4/4"):
        first, second = ({s: float(e.subs({t: values[t.name] for t in e.free_symbols})) for s, e in p.items()} for p in orbit.points)
        state = heavy_ball(first["x"], first["v"], grad=lambda x: x**3, **values)
        assert state == pytest.approx((second["x"], second["v"]))
    logistic_map = method(lambda x, *, r: r*x*(1 - x))
    points = {float(p["x"].subs(dict.fromkeys(p["x"].free_symbols, 3.2))) for o in cycle(logistic_map) for p in o.points}
    assert len(points) == 2 and all(min(abs(3.2*x*(1 - x) - y) for y in points) < 1e-12 for x in points)


def test_a_shadow_energy_is_conserved():
    verlet = method.from_string("v = v - h/2*grad(x); x = x + h*v; v = v - h/2*grad(x)", state="x v")
    [energy] = invariants(verlet)
    value = sympy.lambdify(sorted(energy.free_symbols, key=str), energy)
    h, lam, x, v = 0.5, 1.3, 1.0, 0.2
    start = value(h, lam, v, x)
    for _ in range(50):
        x, v = verlet(x, v, h=h, grad=lambda x: lam*x)
    assert value(h, lam, v, x) == pytest.approx(start)
    assert invariants(heavy_ball) == ()


def test_what_a_reparametrization_asks_for_is_said():
    beta, eta = sympy.Symbol("beta", real=True), sympy.Symbol("eta", real=True)
    found = equivalent(heavy_ball, rules["heavy_ball_ema"])
    assert found.conditions == (sympy.Ne(beta, 1),) and found.reason.endswith("where beta != 1")
    assert equivalent(rules["heavy_ball_ema"], heavy_ball).conditions == ()
    assert set(equivalent(rules["three_parameter"], rules["qhm"]).conditions) == {sympy.Ne(beta, 1), sympy.Ne(beta, 0)}
    assert sympy.Gt(eta, 0) in equivalent(heavy_ball, symplectic_euler(damped)).conditions
