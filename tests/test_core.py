"""Declarations: what is read, what is exact, what is refused and in which words."""
import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import dynopt
from dynopt import (
    Problem,
    RuleError,
    Scalar,
    flow,
    iterate,
    method,
    norm,
    per_coordinate,
    quadratic,
    rosenbrock,
    schedule,
    sqrt,
    where,
)
from dynopt.core.exact import simplest_fraction
from dynopt.core.parse import parse


@method(source="Polyak 1964, eq. (9)")
def heavy_ball(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v


# ---- literals and expressions ------------------------------------------------------------------------------------

@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300, deadline=None)
def test_a_literal_rounds_back_to_its_double(x):
    assert float(simplest_fraction(x)) == x


@given(st.integers(-999, 999), st.integers(1, 999))
@settings(max_examples=300, deadline=None)
def test_a_typed_fraction_is_found_again(p, q):
    assert simplest_fraction(p/q) == Fraction(p, q)


def test_literals_inside_a_rule_are_exact():
    @method
    def rule(x, *, grad):
        return x - 2/3*grad(x) + 0.1*x*math.pi
    text = str(rule.program)
    assert "2/3*g0" in text and "1/10" in text and "*pi" in text


def test_equal_declarations_are_equal_rules():
    @method
    def other_name(x, v, *, eta, beta, grad):
        u = eta*grad(x)
        v = beta*v + u
        return x - v, v
    assert other_name == heavy_ball and hash(other_name) == hash(heavy_ball)
    assert heavy_ball != heavy_ball.subs(beta=.5)


# ---- one declaration on every kind of number ------------------------------------------------------------------------

def test_it_runs_on_floats_arrays_and_symbols():
    x, v, eta, beta, lam = sp.symbols("x v eta beta lam")
    assert heavy_ball(1., 0., eta=.1, beta=.9, grad=lambda z: 2*z) == (.8, .2)
    xs, vs = heavy_ball(np.ones(3), np.zeros(3), eta=.1, beta=.9, grad=lambda z: 2*z)
    assert xs.tolist() == [.8]*3 and vs.tolist() == [.2]*3
    xs, vs = heavy_ball(x, v, eta=eta, beta=beta, grad=lambda z: lam*z)
    assert sp.expand(xs - (x - beta*v - eta*lam*x)) == 0


def test_states_are_read_only_on_arrays():
    @method
    def careless(x, *, eta, grad):
        x -= eta*grad(x)
        return x
    x = np.ones(2)
    with pytest.raises(ValueError, match="read-only"):
        careless(x, eta=.1, grad=lambda z: z)
    assert x.tolist() == [1., 1.]


def test_substitution_by_name():
    rule = heavy_ball.subs(eta="2/(L + mu)", beta=.5)
    assert rule.params == ("L", "mu")
    assert rule(1., 0., L=3., mu=1., grad=lambda z: z) == (.5, .5)
    assert rule.subs(L="4*mu").params == ("mu",)
    scheduled = heavy_ball.subs(beta=schedule("k/(k + 3)"))
    assert "k/(k + 3)" in str(scheduled.program) and scheduled.params == ("eta",)


def test_from_string_is_the_same_rule():
    read = method.from_string("v = beta*v + eta*grad(x); x = x - v", state="x v")
    assert read == heavy_ball
    assert read(1., 0., eta=.1, beta=.9, grad=lambda z: 2*z) == (.8, .2)


# ---- refusals: subject, found, expected, cure -----------------------------------------------------------------------

def told(body, *parts):
    with pytest.raises(RuleError) as error:
        str(method(body).program)
    message = str(error.value)
    assert len(message.splitlines()) <= 3 and "Traceback" not in message
    for part in parts:
        assert part in message, message


def test_wrong_number_of_states():
    def wrong(x, v, *, eta, grad):
        return x - eta*grad(x)
    told(wrong, "wrong", "takes the state (x, v)", "returns 1 value", "return x, v")


def test_returning_nothing():
    def silent(x, *, eta, grad):
        x - eta*grad(x)
    told(silent, "silent", "returns None", "return x")


def test_an_if_on_a_state():
    def branching(x, *, eta, grad):
        return x if x > 0 else x - eta*grad(x)
    told(branching, "branching", "`x > 0`", "where(condition, a, b)")


def test_a_numpy_function_on_a_symbol():
    def careless(x, *, eta, grad):
        return x - eta*np.sqrt(grad(x))
    told(careless, "careless", "np.sqrt", "from dynopt import sqrt")

    def careless_norm(x, *, eta, grad):
        return x/np.linalg.norm(grad(x))
    told(careless_norm, "careless_norm", "from dynopt")


def test_math_functions_loops_and_in_place_changes():
    def with_math(x, *, eta, grad):
        return x - math.sqrt(eta)*grad(x)
    told(with_math, "with_math", "math.sqrt", "from dynopt")

    def in_place(x, *, eta, grad):
        x -= eta*grad(x)
        return x
    told(in_place, "in_place", "read-only", "y = y - ...")

    def looping(x, *, K, grad):
        for _ in range(K):
            x = x - grad(x)
        return x
    told(looping, "looping", "n: int")


def test_an_exception_of_the_declaration_is_told():
    def broken(x, *, eta, grad):
        return x - eta*grad(x).undefined_thing
    told(broken, "broken", "AttributeError")


@pytest.mark.parametrize("text", ["__import__('os').system('touch pwned')", "().__class__.__base__.__subclasses__()",
                                  "x.func.__globals__",
                                  "x.__class__", "lambda: 1", "[1 for x in y]", "factorial(10**8)", "(x+1)**100000", "x + ", "",
                                  "x y", "2x",
                                  "x^2", "x=1", "é", "x\u200b", "("*10_000 + "1" + ")"*10_000, "f'{x}'", "x if y else z", "'a'*3",
                                  "_x",
                                  "exec('1')", "1e999999", "x and y", "grad"])
def test_hostile_text_is_refused_by_name(text):
    with pytest.raises(RuleError) as error:
        method.from_string("x = " + text if text else "", state="x")
    assert len(str(error.value)) < 600


def test_positions_and_cures_of_text():
    with pytest.raises(RuleError, match=r"\^.*\*\* for powers"):
        parse("x^2")
    with pytest.raises(RuleError, match="position 2"):
        parse("x$2")


def test_unknown_and_missing_parameters():
    with pytest.raises(ValueError, match="unknown parameter 'momentum', expected one of eta, beta"):
        iterate(heavy_ball, quadratic([1.]), x0=1., steps=3, eta=.1, momentum=.9)
    with pytest.raises(ValueError, match="without a value for beta"):
        iterate(heavy_ball, quadratic([1.]), x0=1., steps=3, eta=.1)
    with pytest.raises(ValueError, match="unknown parameter 'alpha'"):
        heavy_ball.subs(alpha=1)


def test_a_count_must_be_fixed():
    @method
    def inner(x, *, eta, K: int, grad):
        for _ in range(K):
            x = x - eta*grad(x)
        return x
    with pytest.raises(RuleError, match=r"inner.at\(K=5\)"):
        str(inner.program)
    assert len([n for n in inner.at(K=4).program.nodes if n.op == "call"]) == 4
    assert inner.params == ("eta", "K") or "K" in inner.signature.counts


@pytest.mark.parametrize("given, kind, words", [
    (dict(eta=-1), ValueError, "eta > 0"), (dict(eta=0.), ValueError, "eta > 0"), (dict(eta=float("nan")), ValueError, "finite"),
    (dict(eta="0.1"), TypeError, "number"), (dict(eta=True), TypeError, "bool"), (dict(eta=None), TypeError, "number"),
    (dict(eta=1j), TypeError, "complex"),
    (dict(x0=[1., float("nan")]), ValueError, "index 1"), (dict(x0=[1., 2., 3.]), ValueError, "dimension 2"),
    (dict(x0=["a", "b"]), TypeError, "dtype"),
    (dict(x0=np.array([True, False])), TypeError, "dtype"), (dict(x0=[]), ValueError, "x0"), (dict(x0={"y": [1., 2.]}),
                                                                                              ValueError, "'y'"),
    (dict(steps=-1), ValueError, "steps"), (dict(steps=2.5), TypeError, "whole number"), (dict(steps=10**12), ValueError,
                                                                                          "record="),
    (dict(seed=-1), ValueError, "seed"), (dict(seed=1.5), TypeError, "seed"), (dict(seed=2**70), ValueError, "seed"),
    (dict(record="some"), ValueError, "record"), (dict(beta=per_coordinate([1., 2., 3.])), ValueError, "per_coordinate"),
    (dict(eta=np.ones(3), x0=np.ones((2, 2))), ValueError, "broadcast"), (dict(k=3), ValueError, "'k'")])
def test_bad_values_are_refused_before_anything_runs(given, kind, words):
    arguments = dict(x0=[1., 2.], steps=5, eta=.1, beta=.5) | given
    with pytest.raises(kind, match=words) as error:
        iterate(heavy_ball, quadratic([1., 10.]), **arguments)
    assert isinstance(error.value, ValueError) and len(str(error.value).splitlines()) <= 3


def test_a_flow_is_not_iterated_and_the_cure_is_named():
    @flow
    def descent(x, *, grad):
        return -grad(x)
    with pytest.raises(TypeError, match="scheme"):
        iterate(descent, quadratic([1.]), x0=1., steps=3)


# ---- starts, statuses, ensembles --------------------------------------------------------------------------------------

def test_unnamed_states_start_at_rest():
    @method
    def two_step(x, x_prev, *, eta, beta, grad):
        return x + beta*(x - x_prev) - eta*grad(x), x
    run = iterate(two_step, quadratic([1., 4.]), x0=[1., 2.], steps=1, eta=.1, beta=.9)
    assert run.x_prev[0].tolist() == [1., 2.]
    assert iterate(heavy_ball, quadratic([1.]), x0=3., steps=1, eta=.1, beta=1.).v[0].tolist() == [0.]


def test_no_unique_rest_is_an_error():
    @method
    def drifting(x, c, *, eta, grad):
        return x - eta*grad(x) + 0*c, c
    with pytest.raises(ValueError, match="unique rest"):
        iterate(drifting, quadratic([1.]), x0=1., steps=1, eta=.1)


def test_a_default_start_and_a_scalar_state():
    @method
    def counted(x, theta: Scalar = 1, *, eta, grad):
        return x - eta*grad(x)/theta, theta + 1
    run = iterate(counted, quadratic([1., 1.]), x0=[1., 1.], steps=3, eta=.5)
    assert run.theta[:, 0].tolist() == [1., 2., 3., 4.] and run.theta.shape == (4, 1)


def test_statuses():
    problem = quadratic([1., 10.])
    assert iterate(heavy_ball, problem, x0=[1., 1.], steps=10, eta=.1, beta=.5).status == "success"
    run = iterate(heavy_ball, problem, x0=[1., 1.], steps=100_000, eta=.38*1.001, beta=.9)
    assert run.status == "diverged" and np.isfinite(run.x).all() and len(run.x) < 100_000 and "diverged" in run.message
    run = iterate(heavy_ball, problem, x0=[1., 1.], steps=10_000, eta=.1, beta=.5, stop=1e-10)
    assert run.status == "converged" and len(run.x) < 200
    assert len(iterate(heavy_ball, problem, x0=[0., 0.], steps=10, eta=.1, beta=.5, stop=1e-10).x) == 1
    assert iterate(heavy_ball, problem, x0=[1., 1.], steps=3, eta=.01, beta=.5, stop=1e-10).status == "max_steps"

    @method
    def rooted(x, *, eta, grad):
        return sqrt(x - eta*grad(x))
    assert iterate(rooted, quadratic([1.]), x0=-1., steps=5, eta=.1).status == "nonfinite"


def test_an_ensemble_is_its_paths():
    problem, eta = rosenbrock(), np.array([.001, .0005, .1])
    run = iterate(heavy_ball, problem, x0=[-1., 1.], steps=50, eta=eta, beta=.9)
    assert run.x.shape == (3, 51, 2) and run.status.tolist() == ["success", "success", "diverged"]
    for i in range(2):
        alone = iterate(heavy_ball, problem, x0=[[-1., 1.]], steps=50, eta=float(eta[i]), beta=.9)
        assert (alone.x[0] == run.x[i]).all()


def test_noise_is_keyed_by_seed_path_and_step():
    @method
    def noisy(x, *, eta, grad, noise):
        return x - eta*(grad(x) + noise())
    problem = quadratic([1., 2.])
    many = iterate(noisy, problem, x0=np.ones((200, 2)), steps=20, eta=.1, seed=5)
    few = iterate(noisy, problem, x0=np.ones((10, 2)), steps=20, eta=.1, seed=5)
    assert (many.x[:10] == few.x).all() and not (many.x[0] == many.x[1]).all()
    again = iterate(noisy, problem, x0=np.ones((10, 2)), steps=20, eta=.1, seed=6)
    assert not (again.x[:, 1:] == few.x[:, 1:]).any()


def test_start_values_of_any_real_dtype_give_the_same_run():
    problem = quadratic([1., 10.])
    want = iterate(heavy_ball, problem, x0=[1., 2.], steps=20, eta=.1, beta=.5).x
    for x0 in (np.array([1, 2]), np.array([1., 2.], dtype=">f8"), np.array([1., 2.], dtype=np.float32), (1, 2)):
        assert (iterate(heavy_ball, problem, x0=x0, steps=20, eta=.1, beta=.5).x == want).all()
    frozen = np.array([1., 2.])
    frozen.flags.writeable = False
    assert (iterate(heavy_ball, problem, x0=frozen, steps=20, eta=sp.Rational(1, 10), beta=.5).x == want).all()


# ---- problems -------------------------------------------------------------------------------------------------------

def test_gradients_follow_from_values():
    def f(x):
        return where(x[0] > 0, x[0]**3, x[0]**2) + norm(x)*dynopt.mean(x) + dynopt.exp(-dynopt.dot(x, x)) + x[1]*dynopt.tanh(x[0])
    problem = Problem(f)
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, v, h = rng.normal(size=3), rng.normal(size=3), 1e-6
        for i, g in enumerate(problem.grad(x)):
            e = h*np.eye(3)[i]
            assert abs((problem.f(x + e) - problem.f(x - e))/(2*h) - g) < 1e-8*max(1, abs(g))
        turned = (problem.grad(x + h*v) - problem.grad(x - h*v))/(2*h)
        assert np.allclose(problem.hess(x, v), turned, rtol=1e-6, atol=1e-7)
    assert problem.kind == "symbolic" and problem.f(rng.normal(size=(4, 3))).shape == (4,)


def test_a_black_box_gradient_is_compiled_or_run_as_python():
    def compilable(x):
        out = np.empty_like(x)
        for i in range(x.size):
            out[i] = x[i]*(i + 1)
        return out
    got = iterate(heavy_ball, Problem(grad=compilable, name="loops"), x0=[1., 1.], steps=20, eta=.1, beta=.5).x
    assert np.allclose(got, iterate(heavy_ball, quadratic([1., 2.]), x0=[1., 1.], steps=20, eta=.1, beta=.5).x, rtol=1e-15,
                       atol=1e-16)
    table = {"a": 1.0}

    def not_compilable(x):
        return np.array([table["a"]*z for z in x.tolist()])*np.array([1., 2.])
    with pytest.warns(RuntimeWarning, match="plain Python"):
        slow = iterate(heavy_ball, Problem(grad=not_compilable, name="dictionary"), x0=[1., 1.], steps=20, eta=.1, beta=.5)
    assert np.allclose(slow.x, got, rtol=1e-15, atol=1e-16)


def test_an_oracle_that_is_missing_is_named():
    @method
    def game_rule(x, y, *, eta, grad_1, grad_2):
        return x - eta*grad_1(x, y), y - eta*grad_2(x, y)
    with pytest.raises(ValueError, match="grad_1.*Game"):
        iterate(game_rule, quadratic([1.]), x0={"x": 1., "y": 1.}, steps=2, eta=.1)


def test_small_literals_are_set_as_powers_of_ten():
    shown = method(lambda x, *, eta, grad: x - eta*grad(x)/(sqrt(x) + 1e-8) - .001*x + x/4)._repr_latex_()
    assert "10^{-8}" in shown and "10^{-3}" in shown and r"\frac{x}{4}" in shown and "00" not in shown
