"""Blocks: what they return is a method like any other, on floats, arrays and symbols, alone and composed."""
from __future__ import annotations

import numpy as np
import pytest
import sympy

from dynopt import (
    Game,
    Method,
    Problem,
    accumulated,
    alternating,
    averaged,
    delayed,
    flow,
    iterate,
    lookahead,
    method,
    multistep_local,
    per_coordinate,
    quadratic,
    rules,
    schedule,
    stability,
    symplectic_euler,
    weight_decay,
)
from dynopt.catalog.block_parts import rest_of
from dynopt.core.errors import ParameterError, RuleError
from dynopt.core.expr import Node
from dynopt.run.reference import plain_run
from dynopt.theory.region import region

LAM = [1., 3., 10.]
X0 = np.array([1., -.7, .4])
VALUES = dict(eta=.03, beta=.5, alpha=.6, wd=.2, ema=.8, beta1=.8, beta2=.95, eps=1e-8, tau=2)
gd, heavy_ball, nesterov, adam = (rules[n] for n in ("gradient_descent", "heavy_ball", "nesterov", "adam"))
BLOCKS = {
    "delayed": lambda m: delayed(m, 2), "lookahead": lambda m: lookahead(m, inner=3), "coupled": weight_decay,
    "decoupled": lambda m: weight_decay(m, decoupled=True), "averaged": averaged, "alternating": alternating,
    "accumulated": lambda m: accumulated(m, 2), "local": lambda m: multistep_local(m, 2)}
BASES = {"gradient_descent": gd, "nesterov": nesterov, "adam": adam, "extragradient": rules["extragradient"],
         "scheduled": heavy_ball.subs(beta=schedule("k/(k + 3)")), "per_entry": heavy_ball.subs(beta=per_coordinate([.2, .5, .8])),
         "fista": rules["fista"], "noisy": rules["noisy_heavy_ball"].subs(sigma="1/10"), "counted": rules["server_momentum"].at(K=2).subs(alpha=1)}


def values(m):
    return {p: VALUES[p] for p in m.params if p in VALUES and p not in m.bound}


def both(m, problem=None, x0=X0, steps=50, **given):
    """The compiled run and the declaration on arrays."""
    problem, params = problem or quadratic(LAM), given or values(m)
    run, plain = (f(m, problem, x0=x0, steps=steps, seed=5, **params) for f in (iterate, plain_run))
    assert run.status == plain.status == "success"
    for s in m.state:
        assert np.abs(run[s] - plain[s]).max() <= 4e-15*max(np.abs(plain[s]).max(), 1), s
    return run


def on_symbols(m, **more):
    """One step on sympy symbols with gradient lam*x, and the same step on floats: they agree."""
    names = (*m.state, *m.params, *m.clocks, "lam")
    table = {n: sympy.Symbol(n, real=True) for n in names}
    numbers = dict(zip(names, np.random.default_rng(2).uniform(.1, .9, len(names)))) | dict.fromkeys(m.clocks, 2.0) | more

    def step(t):
        oracles = {o: (lambda x, **_: t["lam"]*x) for o in m.oracles if o == "grad"} | {"prox": lambda u, s: u/(1 + s)}
        out = m(*(t[s] for s in m.state), **{n: t[n] for n in (*m.params, *m.clocks)}, **{o: oracles[o] for o in m.oracles})
        return out if isinstance(out, tuple) else (out,)
    found, expected = step(table), step({n: float(v) for n, v in numbers.items()})
    for symbolic, number in zip(found, expected, strict=True):
        assert float(symbolic.subs({table[n]: numbers[n] for n in names})) == pytest.approx(float(number), rel=1e-12)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("base", BASES)
def test_a_block_of_a_method_is_a_method_that_runs(block, base):
    m = BLOCKS[block](BASES[base])
    assert isinstance(m, Method) and m.origin[1].name == BASES[base].name and m.source == BASES[base].source
    assert BASES[base].name in m.name and str(m.program)
    plain = plain_run(m, quadratic(LAM), x0=X0, steps=20, seed=5, **values(m))
    assert plain.status == "success" and np.abs(plain.x[-1] - X0).max() > 1e-3
    if not {"noise"} & set(m.oracles) and base != "per_entry":
        on_symbols(m)


@pytest.mark.parametrize("m", [
    delayed(nesterov, 2), lookahead(adam, inner=3), weight_decay(BASES["per_entry"]), averaged(BASES["scheduled"]),
    accumulated(BASES["noisy"], 3), multistep_local(rules["fista"], 2), delayed(gd, "tau"),
    averaged(lookahead(delayed(weight_decay(heavy_ball), 1), inner=2)), weight_decay(delayed(lookahead(nesterov, 2), 1), decoupled=True),
    lookahead(symplectic_euler(flow(lambda x, v, *, beta, grad: (v, -beta*v - grad(x)))).subs(h="1/10"), 2)],
    ids=lambda m: m.name)
def test_compiled_blocks_agree_with_their_declaration(m):
    both(m)


# ---- each block is what it says ---------------------------------------------------------------------------------------

def test_delayed_descent_uses_the_point_tau_steps_ago():
    run = both(delayed(gd, 3), eta=.03)
    x, lam = [X0]*4, np.array(LAM)                                       # history starts at the first state
    for _ in range(50):
        x.append(x[-1] - .03*lam*x[-4])
    assert run.x == pytest.approx(np.array(x[3:]), abs=1e-14)
    assert iterate(delayed(gd, "tau"), quadratic(LAM), x0=X0, steps=50, eta=.03, tau=3).x == pytest.approx(run.x, abs=0)
    assert delayed(gd, 0) is gd


def test_delays_share_registers_of_one_point_and_keep_others_apart():
    assert delayed(heavy_ball, 2).state == ("x", "v", "x_1", "x_2")
    assert delayed(nesterov, 1).state == ("x", "v", "y_1")
    assert delayed(rules["extragradient"], 1).state == ("x", "x_1", "y_1")
    assert delayed(rules["optimistic"], 1).state == ("x", "x_prev", "x_1", "x_prev_1")
    assert delayed(delayed(gd, 1), 1).state == ("x", "x_1", "x_1_1") and delayed(rules["stale_heavy_ball"], 1).state[-1] == "x2_1"
    assert delayed(rules["simultaneous_descent"], 1).state == ("x", "y", "x_1", "y_1")
    run = iterate(delayed(delayed(gd, 1), 1), quadratic(LAM), x0=X0, steps=40, eta=.03)
    assert run.x == pytest.approx(iterate(delayed(gd, 2), quadratic(LAM), x0=X0, steps=40, eta=.03).x, abs=0)


def test_a_stale_published_method_is_the_delayed_one():
    stale = iterate(rules["stale_heavy_ball"], quadratic(LAM), x0=X0, steps=40, eta=.03, beta=.5)
    assert iterate(delayed(heavy_ball, 2), quadratic(LAM), x0=X0, steps=40, eta=.03, beta=.5).x == pytest.approx(stale.x, abs=0)


def test_lookahead_is_the_published_one_and_its_counter_runs_on():
    one = iterate(lookahead(gd, inner=4), quadratic(LAM), x0=X0, steps=20, eta=.05, alpha=.5)
    assert iterate(rules["lookahead_descent"], quadratic(LAM), x0=X0, steps=20, eta=.05, alpha=.5, K=4).x == pytest.approx(one.x, abs=0)
    for m in (adam, nesterov, BASES["scheduled"]):                       # alpha = 1 changes nothing but the counting
        whole = iterate(m, quadratic(LAM), x0=X0, steps=30, **values(m))
        part = iterate(lookahead(m, inner=3), quadratic(LAM), x0=X0, steps=10, **(values(m) | {"alpha": 1.}))
        for s in m.state:
            assert part[s] == pytest.approx(whole[s][::3], rel=1e-12, abs=1e-14)
        local = iterate(multistep_local(m, 3), quadratic(LAM), x0=X0, steps=10, **values(m))
        assert local.x == pytest.approx(whole.x[::3], abs=0)


def test_a_block_of_the_same_block_needs_another_name():
    twice = lookahead(lookahead(gd, 2).subs(alpha="alpha_1"), 3)
    assert twice.params == ("eta", "alpha_1", "alpha") and len(twice.program.nodes) > 10
    whole = iterate(gd, quadratic(LAM), x0=X0, steps=12, eta=.03).x
    assert iterate(twice, quadratic(LAM), x0=X0, steps=2, eta=.03, alpha=1., alpha_1=1.).x == pytest.approx(whole[::6], rel=1e-13)


def test_coupled_decay_is_a_term_of_the_loss():
    shifted = quadratic([lam + .2 for lam in LAM])
    for m in (heavy_ball, nesterov, adam, rules["nesterov_yx"], rules["optimistic"], rules["heavy_ball_two_step"]):
        assert iterate(weight_decay(m), quadratic(LAM), x0=X0, steps=40, wd=.2, **values(m)).x == pytest.approx(
            iterate(m, shifted, x0=X0, steps=40, **values(m)).x, rel=1e-11, abs=1e-12)


def test_decay_does_not_set_a_method_in_motion():
    """Buffers start where m alone would rest; what is undecided stays so."""
    at = {n: rest_of(rules[n]) for n in ("heavy_ball", "pid", "nesterov_yx", "schedule_free", "fista", "linear_coupling", "stale_heavy_ball")}
    assert at == {"heavy_ball": {"v": 0}, "pid": {"v": 0, "w": 0, "x_prev": "x"}, "nesterov_yx": {"y": "x"}, "schedule_free": {"z": "x"},
                  "fista": {"y": "x"}, "linear_coupling": {"z": "y"}, "stale_heavy_ball": {"x1": "x", "x2": "x", "v": 0}}
    assert rest_of(rules["simultaneous_descent"]) == {} == rest_of(rules["bdf2_descent"])


def test_decoupled_decay_is_adamw_and_has_its_own_fixed_point():
    decayed = iterate(weight_decay(adam, decoupled=True), quadratic(LAM), x0=X0, steps=40, wd=.2, **values(adam)).x
    assert decayed == pytest.approx(iterate(rules["adamw"], quadratic(LAM), x0=X0, steps=40, wd=.2, **values(adam)).x, abs=1e-14)
    away = Problem(lambda x: ((x - 1)**2).sum(), grad=lambda x: 2*(x - 1), dim=3)           # lam = 2, minimizer 1
    torch = iterate(weight_decay(rules["heavy_ball_torch"], decoupled=True), away, x0=X0, steps=3000, eta=.05, beta=.6, wd=.3).x[-1]
    assert torch == pytest.approx(np.full(3, 2/(2 + (1 - .6)*.3)), abs=1e-12)               # it depends on beta
    coupled = iterate(weight_decay(rules["heavy_ball_torch"]), away, x0=X0, steps=3000, eta=.05, beta=.6, wd=.3).x[-1]
    assert coupled == pytest.approx(np.full(3, 2/2.3), abs=1e-12)


def test_the_average_follows_and_does_not_act():
    run = iterate(averaged(nesterov), quadratic(LAM), x0=X0, steps=30, ema=.8, **values(nesterov))
    assert run.x == pytest.approx(iterate(nesterov, quadratic(LAM), x0=X0, steps=30, **values(nesterov)).x, abs=0)
    mean = [X0]
    for x in run.x[1:]:
        mean.append(.8*mean[-1] + .2*x)
    assert run.x_avg == pytest.approx(np.array(mean), abs=1e-14)


def test_alternating_play_sees_the_new_state():
    game = Game([lambda x, y: y, lambda x, y: -x])
    start = {"x": [1.], "y": [.5]}
    block = iterate(alternating(rules["simultaneous_descent"]), game, x0=start, steps=50, eta=.3)
    own = iterate(rules["alternating_descent"], game, x0=start, steps=50, eta=.3)
    assert block.x == pytest.approx(own.x, abs=0) and block.y == pytest.approx(own.y, abs=0)
    radius = block.x**2 + block.y**2 - .3*block.x*block.y                # conserved: neutral, it does not converge
    assert radius == pytest.approx(np.full((51, 1), radius[0]), abs=1e-12)


def test_blocks_of_states_move_together():
    @method
    def play(x, y, v, w, *, eta, beta, grad_1, grad_2):
        v, w = beta*v + eta*grad_1(x, y), beta*w + eta*grad_2(x, y)
        return x - v, y - w, v, w
    m = alternating(play, "x v", "y w")
    x, y, v, w = m(1., 2., .1, .2, eta=.5, beta=.5, grad_1=lambda x, y: y, grad_2=lambda x, y: -x)
    assert (v, x) == (.5*.1 + .5*2., 1. - 1.05) and (w, y) == (pytest.approx(.1 - .5*x), pytest.approx(2. - .1 + .5*x))
    with pytest.raises(RuleError, match="do not hold each state"):
        alternating(play, "x v", "y")


def test_local_steps_of_two_clients_are_fed_avg():
    game = Game([lambda x: 2*(x - 1), lambda x: 5*(x + .5)])
    block = iterate(multistep_local(gd, 4, clients=2), game, x0=X0, steps=50, eta=.05)
    assert block.x == pytest.approx(iterate(rules["fed_avg"], game, x0=X0, steps=50, eta=.05, K=4).x, abs=0)
    a, c, factor = np.array([2., 5.]), np.array([1., -.5]), 1 - (1 - .05*np.array([2., 5.]))**4
    assert a @ (block.x[-1, 0] - c) != pytest.approx(0, abs=1e-2)        # drift: no minimizer of the mean
    assert block.x[-1] == pytest.approx(np.full(3, factor @ c/factor.sum()), abs=1e-12)


def test_accumulation_asks_for_fresh_samples_and_divides_the_variance():
    calls = [n for n in accumulated(nesterov, 4).program.nodes if n.op == "call"]
    assert len(calls) == 4 and len({n.data for n in calls}) == 4
    nested = delayed(weight_decay(accumulated(gd, 3)), 1)                # the wish goes through other blocks
    assert len({n.data for n in nested.program.nodes if n.op == "call"}) == 3
    rng = np.random.default_rng(0)
    samples = [accumulated(gd, 4)(1., eta=1., grad=lambda x, fresh=False: rng.normal()) for _ in range(4000)]
    assert np.var(samples) == pytest.approx(1/4, rel=.1)


# ---- and the theory takes them as methods: closed forms of the literature ------------------------------------------------

@pytest.mark.parametrize("m, closed", [
    (delayed(gd, 1), ["0 < eta*lam", "eta*lam < 1"]),                                       # Levin, May 1976
    (weight_decay(rules["heavy_ball_torch"]), ["beta < 1", "beta > -1", "0 < eta*(lam + wd)", "eta*(lam + wd) < 2*(1 + beta)"]),
    (averaged(gd), ["ema < 1", "ema > -1", "0 < eta*lam", "eta*lam < 2"]),
    (multistep_local(gd, 3), ["0 < eta*lam", "eta*lam < 2"]),
    (accumulated(gd, 3), ["0 < eta*lam", "eta*lam < 2"]),
    (lookahead(gd, 2), ["0 < alpha*(1 - (1 - eta*lam)**2)", "alpha*(1 - (1 - eta*lam)**2) < 2"])],  # Zhang et al. 2019
    ids=lambda value: value.name if isinstance(value, Method) else "")
def test_the_region_of_a_block_is_the_closed_form(m, closed):
    assert stability(m).equals(region(*closed)) is True


@pytest.mark.parametrize("tau", [2, 3])
def test_the_delayed_bound_is_the_known_sine(tau):
    """eta*lam < 2 sin(pi/(2(2 tau + 1))) (Levin, May 1976)."""
    z = np.concatenate([np.linspace(.001, 2, 400), 2*np.sin(np.pi/(4*tau + 2))*np.array([1 - 1e-6, 1 + 1e-6])])
    assert np.array_equal(stability(delayed(gd, tau)).contains(eta=z, lam=1.), z < 2*np.sin(np.pi/(4*tau + 2)))


# ---- wrong use: one message each ----------------------------------------------------------------------------------------

@flow
def damped(x, v, *, gamma, grad):
    return v, -gamma*v - grad(x)


@method
def timed(x, *, eta, t, grad):
    return x - eta*t*grad(x)


@pytest.mark.parametrize("make, told", [
    (lambda: delayed(damped, 2), "expected a Method"), (lambda: delayed(gd, 2.5), "whole number; write tau=2"),
    (lambda: delayed(gd, -1), "expected tau >= 0"), (lambda: delayed(gd, True), "whole number"),
    (lambda: delayed(nesterov, "tau"), "no state"), (lambda: delayed(gd, "2 tau"), "name of a parameter"),
    (lambda: delayed(rules["proximal_point"], 1), "unknown of implicit"), (lambda: delayed(gd, "eta"), "already uses the name 'eta'"),
    (lambda: delayed(rules["lookahead_descent"], 1), "write delayed\\(lookahead_descent.at\\(K=5\\)"),
    (lambda: lookahead(gd, inner=0), "expected inner >= 1"), (lambda: lookahead(rules["qhm"], 2), "already uses the name 'alpha'"),
    (lambda: lookahead(timed, 2), "asks for the time t"), (lambda: multistep_local(timed, 2), "asks for the time t"),
    (lambda: weight_decay(rules["adamw"]), "already uses the name 'wd'"),
    (lambda: weight_decay(rules["chebyshev"], decoupled=True), "no parameter eta"),
    (lambda: weight_decay(gd.subs(eta=.1), decoupled=True), "fixed already"),
    (lambda: multistep_local(rules["fed_avg"].at(K=2), 2, clients=2), "expected one `grad`"),
    (lambda: averaged(3), "expected a Method"), (lambda: accumulated(gd, 0), "expected n >= 1")])
def test_wrong_use_is_one_message(make, told):
    with pytest.raises((RuleError, ParameterError), match=told) as caught:
        make()
    assert str(caught.value).count("\n") <= 2


def test_registers_never_take_a_name_that_is_there():
    @method
    def twice(x, x_1, *, eta, grad):
        return x - eta*grad(x), x
    m = delayed(twice, 2)
    assert m.state == ("x", "x_1", "x_old_1", "x_old_2") and len(set(m.state)) == len(m.state)
    assert all(isinstance(out, Node) for out in m.program.outputs)
