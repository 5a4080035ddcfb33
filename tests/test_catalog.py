"""The catalogue: what a published rule must bring, and that each is the rule its paper means."""
from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import sympy
from losses import METHODS, runs

import dynopt
from dynopt import Flow, Rule, iterate, quadratic, rules
from dynopt.catalog.index import example

SPECTRUM = [1., 2.5, 10.]
X0 = np.array([1., -.7, .4])


def source_lines(rule) -> list[str]:
    """The declaration without decorators and empty lines."""
    text = inspect.getsource(rule.function).splitlines()
    start = next(i for i, line in enumerate(text) if line.startswith("def "))
    return [line for line in text[start + 1:] if line.strip()]


def test_there_are_at_least_45_methods_with_different_programs():
    fixed = [rules[n].at(**{c: v for c, v in rules.example(n).params.items() if c in rules[n].signature.counts}) for n in METHODS]
    assert len(METHODS) >= 45 and len({r.key for r in fixed}) >= 45


@pytest.mark.parametrize("name", list(rules))
def test_a_rule_is_short_and_says_where_it_is_from(name):
    rule = rules[name]
    assert rule.name == name and getattr(dynopt, name) is rule
    assert any(c.isalpha() for c in rule.source.partition(" ")[0]) and len(rule.source) > 8
    if rule.function.__module__.startswith("dynopt.catalog") and not rule.origin:
        assert len(source_lines(rule)) <= 8


@pytest.mark.parametrize("name", METHODS)
def test_an_example_gives_every_parameter(name):
    rule, given = rules[name], rules.example(name).params
    assert set(given) == {*rule.params, *rule.signature.counts} - set(rule.defaults)
    assert not {"lam", "nu"} & {*rule.params}, "lam is the curvature, nu that of prox: no parameters of a method"
    assert set(rules.example(name).start) <= set(rule.state)


@pytest.mark.parametrize("name", METHODS)
def test_an_example_is_stable_on_curvatures_from_1_to_10(name):
    """Bounded for a thousand steps on the interval's ends; the plain descent methods settle at the minimizer."""
    rule = rules[name]
    for where, problem, start, params in runs(name):
        if where in ("quadratic", "game", "clients", "no oracle"):
            run = iterate(rule, problem, x0=start, steps=1000, seed=3, record=10, **params)
            bound = 1e3 if name == "simultaneous_descent" else 30
            assert run.status == "success" and np.abs(run[rule.state[0]]).max() < bound


def test_no_two_rules_share_a_name():
    package = importlib.import_module("dynopt.catalog")
    modules = [importlib.import_module(f"dynopt.catalog.{m.name}") for m in pkgutil.iter_modules(package.__path__)]
    found = {id(v): v for m in modules for v in vars(m).values() if isinstance(v, Rule)}
    assert sorted(r.name for r in found.values()) == sorted(rules)


def test_the_registry_names_what_is_near():
    with pytest.raises(KeyError, match="did you mean heavy_ball"):
        rules["heavy_bal"]
    with pytest.raises(AttributeError, match="heavy_bal"):
        _ = dynopt.heavy_bal
    assert "heavy_ball" in rules and "heavy_bal" not in rules and len(rules) == len(list(rules))
    assert "gradient_descent" in repr(rules) and "eta=" in repr(rules.example("heavy_ball"))


def test_a_rule_without_example_says_how_to_give_one():
    kept = example.of.pop("heavy_ball")
    try:
        with pytest.raises(KeyError, match="write @example"):
            rules.example("heavy_ball")
    finally:
        example.of["heavy_ball"] = kept


@pytest.mark.parametrize("name", [n for n in rules if not {"implicit", "past"} & set(rules[n].oracles)])
def test_a_rule_runs_on_symbols_and_on_floats(name):
    """The same plain function: what it gives on symbols, evaluated, is what it gives on floats."""
    rule = rules[name]
    counts = dict.fromkeys(rule.signature.counts, 3)
    rng = np.random.default_rng(1)
    names = [*rule.state, *(p for p in rule.params if p not in counts), *rule.signature.clocks]
    if "natural_gradient" == name:
        return                                                          # a matrix acts on vectors only
    values = {n: float(v) for n, v in zip(names, rng.uniform(.2, .8, len(names)))} | dict.fromkeys(rule.signature.clocks, 3.0)
    symbols = {n: sympy.Symbol(n, real=True) for n in names}

    def called(table):
        draws = iter(range(1, 100))
        oracles = {"grad": lambda *z, **_: z[0] + .1*z[0]**3, "hess": lambda x, v: v*(1 + x**2), "prox": lambda u, s: u/(1 + s),
                   "f": lambda z: z**2, "noise": lambda *_: next(draws), "uniform": lambda *_: .5}
        given = {o: oracles[o.partition("_")[0]] for o in rule.oracles}
        out = rule(*(table[s] for s in rule.state), **{n: table[n] for n in names if n not in rule.state}, **counts, **given)
        return out if isinstance(out, tuple) else (out,)
    numbers, expressions = called(values), called(symbols)
    norms = {sympy.Function("norm"): sympy.Abs, sympy.Function("dot"): lambda a, b: a*b}
    for number, expression in zip(numbers, expressions, strict=True):
        for function, meaning in norms.items():
            expression = (sympy.S.Zero + expression).replace(function, meaning)
        assert float(expression.subs({symbols[n]: v for n, v in values.items()})) == pytest.approx(float(number), rel=1e-12)


# ---- each convention is what its package or paper does: the same path under the known change of parameters -------------

def path(name, steps=40, x0=X0, **params):
    return iterate(rules[name], quadratic(SPECTRUM), x0=x0, steps=steps, **params).x


@pytest.mark.parametrize("name, params", [
    ("heavy_ball_torch", dict(eta=.1, beta=.6)), ("heavy_ball_keras", dict(eta=.1, beta=.6)),
    ("heavy_ball_two_step", dict(eta=.1, beta=.6)),
    ("heavy_ball_ema", dict(eta=.25, beta=.6)), ("heavy_ball_dampened", dict(eta=.2, beta=.6, dampening=.5)),
    ("qhm", dict(eta=.25, beta=.6, alpha=1)), ("three_parameter", dict(eta=.1, beta=.6, delta=0)),
    ("gradient_correction", dict(eta=.1, beta=.6, delta=0)), ("pid", dict(eta=.1, beta=.6, kd=0)),
    ("aggmo", dict(eta=.1, beta1=.6, beta2=.6)), ("negative_momentum", dict(eta=.1, beta=.6))])
def test_conventions_of_momentum_give_one_path(name, params):
    assert path(name, **params) == pytest.approx(path("heavy_ball", eta=.1, beta=.6), abs=1e-14)


def test_conventions_of_nesterov_give_one_path():
    """The look-ahead form's query point x - beta*v is the position of the packages' form and the y of the y/x form."""
    eta, beta = .08, .6
    form = iterate(rules["nesterov"], quadratic(SPECTRUM), x0=X0, steps=40, eta=eta, beta=beta)
    query = form.x - beta*form.v
    assert path("nesterov_torch", eta=eta, beta=beta) == pytest.approx(query, abs=1e-14)
    assert path("nesterov_keras", eta=eta, beta=beta) == pytest.approx(query, abs=1e-14)
    assert path("qhm", eta=eta/(1 - beta), beta=beta, alpha=beta) == pytest.approx(query, abs=1e-14)
    assert path("three_parameter", eta=eta, beta=beta, delta=beta) == pytest.approx(form.x, abs=1e-14)
    yx = iterate(rules["nesterov_yx"], quadratic(SPECTRUM), x0=X0, steps=40, eta=eta, beta=beta)
    assert yx.x == pytest.approx(form.x, abs=1e-14) and yx.y == pytest.approx(query, abs=1e-14)
    sc = path("nag_sc", eta=eta, mu=1.)
    assert sc == pytest.approx(path("nesterov_torch", eta=eta, beta=(1 - eta**.5)/(1 + eta**.5)), abs=1e-14)


def test_fista_without_prox_is_nesterov_with_its_own_schedule():
    theta, momenta = 1., []
    for _ in range(40):
        theta, last = (1 + (1 + 4*theta**2)**.5)/2, theta
        momenta.append((last - 1)/theta)
    x = y = X0
    lam = np.array(SPECTRUM)
    for k in range(40):
        x, last = y - .1*lam*y, x
        y = x + momenta[k]*(x - last)
    assert path("fista", eta=.1)[-1] == pytest.approx(x, abs=1e-14)
    assert path("ista", eta=.1) == pytest.approx(path("gradient_descent", eta=.1), abs=0)


def factor(name, lam, steps=400, **params):
    """Contraction per step, measured late on one mode."""
    x = np.abs(iterate(rules[name], quadratic([lam]), x0=[1.], steps=steps, **params).x[:, 0])
    late = np.maximum.accumulate(x[::-1])[::-1]
    return (late[steps]/late[steps//2])**(2/steps)


def test_published_rates_are_met_at_the_ends_of_the_interval():
    """On [1, 100]: gradient descent 99/101, heavy ball 9/11, triple momentum 9/10, NAG-SC 9/10, robust momentum its rho."""
    ends = dict(mu=1., L=100.)
    assert max(factor("gradient_descent", lam, eta=2/101) for lam in (1, 100)) == pytest.approx(99/101, abs=1e-9)
    assert max(factor("heavy_ball_tuned", lam, **ends) for lam in (1, 100)) == pytest.approx(9/11, rel=6e-3)       # k*rho^k
    assert max(factor("triple_momentum", lam, **ends) for lam in (1, 10, 100)) <= .9 + 6e-3
    assert factor("nag_sc", 1., eta=.01, mu=1.) == pytest.approx(.9, rel=6e-3)
    assert max(factor("robust_momentum", lam, rho=.95, **ends) for lam in (1, 30, 100)) == pytest.approx(.95, rel=6e-3)


def test_chebyshev_is_the_best_polynomial():
    """After n steps from rest the error on [mu, L] is at most 1/|T_n((L + mu)/(L - mu))|, reached at mu and L."""
    lam = np.linspace(1, 10, 61)
    bound = 1/np.cosh(8*np.arccosh(11/9))
    three_term = iterate(rules["chebyshev"], quadratic(lam), x0=np.ones(61), steps=8, mu=1., L=10.).x[-1]
    roots = iterate(rules["chebyshev_roots"], quadratic(lam), x0=np.ones(61), steps=8, mu=1., L=10., n=8).x[-1]
    assert np.abs(three_term).max() == pytest.approx(bound, rel=1e-9)
    assert roots == pytest.approx(three_term, abs=1e-13)


def test_adaptive_methods_take_the_steps_of_their_papers():
    """Written out for one number, in place, as the packages do it."""
    eta, b1, b2, eps, wd = .05, .9, .99, 1e-8, .1
    x = dict.fromkeys(("adam", "adamw", "lion", "rmsprop", "adagrad", "signum"), 1.0)
    m, v = dict.fromkeys(x, 0.), dict.fromkeys(x, 0.)
    for k in range(1, 31):
        g = {n: 3*z for n, z in x.items()}
        for n in x:
            m[n] = b1*m[n] + (1 - b1)*g[n] if n != "lion" else m[n]
            v[n] = v[n] + g[n]**2 if n == "adagrad" else b2*v[n] + (1 - b2)*g[n]**2
        x["adamw"] *= 1 - eta*wd
        for n in ("adam", "adamw"):
            x[n] -= eta*(m[n]/(1 - b1**k))/((v[n]/(1 - b2**k))**.5 + eps)
        x["rmsprop"] -= eta*g["rmsprop"]/(v["rmsprop"]**.5 + eps)
        x["adagrad"] -= eta*g["adagrad"]/(v["adagrad"]**.5 + eps)
        x["signum"] -= eta*np.sign(m["signum"])
        x["lion"] -= eta*(np.sign(b1*m["lion"] + (1 - b1)*g["lion"]) + wd*x["lion"])
        m["lion"] = b2*m["lion"] + (1 - b2)*g["lion"]
    given = dict(eta=eta, beta1=b1, beta2=b2, eps=eps, wd=wd)
    for n, end in x.items():
        rule = rules[n]
        params = {p: v for p, v in (given | {"beta": b1 if n == "signum" else b2}).items() if p in rule.params}
        assert iterate(rule, quadratic([3.]), x0=[1.], steps=30, **params).x[-1, 0] == pytest.approx(end, rel=1e-12), n


@pytest.mark.parametrize("name, polynomial", [
    ("rk2_descent", lambda z: 1 - z + z**2/2), ("rk4_descent", lambda z: 1 - z + z**2/2 - z**3/6 + z**4/24),
    ("extragradient", lambda z: 1 - z + z**2), ("proximal_point", lambda z: 1/(1 + z))])
def test_one_step_multiplier(name, polynomial):
    rule = rules[name]
    step = {"h" if "h" in rule.params else "eta": .3}
    assert iterate(rule, quadratic([2.]), x0=[1.], steps=1, **step).x[-1, 0] == pytest.approx(polynomial(.6), rel=1e-13)


def test_rkc_without_damping_is_the_chebyshev_polynomial():
    z = np.linspace(.5, 50, 23)                                          # beta_R = 2 s^2 = 50 at s = 5
    steps = iterate(rules["rkc_descent"], quadratic(z), x0=np.ones(23), steps=1, h=1., eps=0., s=5).x[-1]
    assert steps == pytest.approx(np.cos(5*np.arccos(1 - z/25)), abs=1e-12)


@pytest.mark.parametrize("name, scheme", [("rk4_descent", "rk4"), ("theta_descent", "theta"), ("bdf2_descent", "bdf2")])
def test_schemes_written_out_are_the_schemes(name, scheme):
    method, params = getattr(dynopt, scheme)(rules["gradient_flow"]), rules.example(name).params | {"h": .1}
    ours = iterate(rules[name], quadratic(SPECTRUM), x0=X0, steps=30, **params).x
    theirs = iterate(method, quadratic(SPECTRUM), x0=X0, steps=30, **{n: params[n] for n in method.params}).x
    assert ours == pytest.approx(theirs, abs=1e-12)


def test_flows_are_rules_of_the_catalogue_too():
    assert len([n for n in rules if isinstance(rules[n], Flow)]) >= 5 and rules["damped"].params == ("gamma",)
