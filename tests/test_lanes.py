"""Ensembles in lanes: the same bits at any width and on any number of threads, every path as if it were alone."""
import importlib.util
import pathlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynopt import Game, Method, cos, exp, heavy_ball, iterate, log, method, nesterov, norm, pi, quadratic, rosenbrock, where
from dynopt.catalog.methods_adaptive import adam
from dynopt.core.expr import leaf
from dynopt.core.program import Program
from dynopt.emit.entries import Unrolled, Unsuited, Value, order, persists
from dynopt.emit.regroup import Regrouped
from dynopt.run import lanes, noise
from dynopt.run.iterate import Run
from dynopt.run.reference import plain_run
from dynopt.run.setup import prepare

SPEC = importlib.util.spec_from_file_location("hard_rules_of_lanes", pathlib.Path(__file__).parent/"data"/"hard_rules.py")
HARD = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(HARD)
SPECTRUM = np.array([1., 2., 5., 10.])
SKIPPED = {"alternating_descent", "per_block_momentum"}     # other starts and vectors of parameters
METHODS = [n for n in sorted(HARD.VALUES) if isinstance(getattr(HARD, n), Method) and n not in SKIPPED]


@method
def noisy(x, v, *, eta, beta, grad, noise):
    v = beta*v + eta*(grad(x) + noise())
    return x - v, v


def run_with(setup_of, steps, width, threads, monkeypatch, *, seed=3, every=7):
    """Statuses, ends and rows of a run at a forced width and number of threads."""
    monkeypatch.setattr(lanes, "THREADS", threads)
    monkeypatch.setattr(lanes, "over_blocks", over_few)
    run = Run(setup_of(), setup_of.problem, steps, every, 0.0, seed, None)
    run._drive(lanes.lane_advance(run, run.memory, width))
    return run._collect(False), run.memory


def over_few(part, padded, work, true=lanes.over_blocks):
    true(part, padded, 1 << 30)                              # threads even where there is little to do


@pytest.mark.parametrize("rule, params", [(heavy_ball, {}), (noisy, {})])
def test_bits_depend_on_neither_width_nor_threads(rule, params, monkeypatch):
    eta, beta = np.linspace(1e-4, 6e-3, 333), np.linspace(0, .99, 333)

    def setup():
        return prepare(rule, setup.problem, np.array([-1.2, 1.]), {"eta": eta, "beta": beta})
    setup.problem = rosenbrock()
    first, memory = run_with(setup, 200, 8, 1, monkeypatch)
    assert len(set(first.status.tolist())) == 2, "some paths diverge, so that both ways through a piece are compared"
    for width, threads in ((1, 1), (8, 2), (16, 1), (32, 2), (32, 4), (64, 3)):
        other, again = run_with(setup, 200, width, threads, monkeypatch)
        assert (first.status == other.status).all() and (memory.taken == again.taken).all()
        for name in rule.state:
            assert np.array_equal(first[name], other[name], equal_nan=True), (name, width, threads)
            assert (memory.S == again.S).all()


@method
def breathing(x, *, a, k):
    return x*exp(a*cos(pi*k/16))


def test_a_path_is_not_judged_by_the_lot_of_its_neighbours(monkeypatch):
    """Most paths are beyond the limit within a piece and back at its end; one is lost there for good."""
    a = np.full(100, 20.)
    a[70] = 300.

    def setup():
        return prepare(breathing, None, np.array([1.]), {"a": a})
    setup.problem = None
    found = {w: run_with(setup, 64, w, 1, monkeypatch, every=64)[0] for w in (1, 8, 32, 64)}
    for width, run in found.items():
        assert (run.status[a == 20] == "success").all() and run.status[70] != "success", width
        assert np.array_equal(run.x, found[1].x, equal_nan=True)


@pytest.mark.parametrize("name", METHODS)
def test_each_path_of_an_ensemble_is_the_run_alone(name):
    """To rounding, amplified by 60 steps of a stable method; noise, delays and residuals included."""
    rule, values = getattr(HARD, name), dict(HARD.VALUES[name])
    problem = Game([lambda x: SPECTRUM*x, lambda x: SPECTRUM[::-1].copy()*(x - 1)]) if name == "fed_avg" else quadratic(SPECTRUM)
    scale = np.linspace(.5, 1.5, 5)[:, None]
    given = HARD.START.get(name, np.array([1., -2., .5, 1.5]))
    x0 = {k: scale*np.asarray(v, dtype=float) if np.ndim(v) else np.asarray(v, dtype=float) + 0*scale[:, 0]
          for k, v in (given if isinstance(given, dict) else {rule.state[0]: given}).items()}
    many = iterate(rule, problem, x0=x0, steps=60, seed=4, **values)
    assert (many.status == "success").all()
    alone = plain_run(rule, problem, x0={k: v[0] for k, v in x0.items()}, steps=60, seed=4, **values)
    for state in rule.state:
        assert np.abs(many[state][0] - alone[state]).max() <= 1e-12*max(1.0, np.abs(alone[state]).max()), state


def test_an_ensemble_of_one_has_the_bits_of_an_ensemble():
    eta = np.array([1e-3, 5e-4])
    many = iterate(heavy_ball, rosenbrock(), x0=[-1., 1.], steps=500, eta=eta, beta=.9)
    for i in range(2):
        alone = iterate(heavy_ball, rosenbrock(), x0=[[-1., 1.]], steps=500, eta=eta[i], beta=.9)
        assert (alone.x[0] == many.x[i]).all()


@pytest.mark.parametrize("rule, params", [(heavy_ball, dict(eta=1e-3, beta=.9)), (nesterov, dict(eta=1e-3, beta=.9)),
                                          (adam, dict(eta=1e-2, beta1=.9, beta2=.999, eps=.5))])
def test_one_path_in_haste_agrees_with_one_as_written(rule, params):
    """Regrouped for speed, also through the steps where beta^k underflows; and the time a run is split at changes no bit."""
    exact, quick = (iterate(rule, rosenbrock(), x0=[-1.2, 1.], steps=9000, exact=e, **params) for e in (True, False))
    assert np.abs(exact.x - quick.x).max() < 1e-11
    assert (quick.x != exact.x).any()
    seen = []
    halves = iterate(rule, rosenbrock(), x0=[-1.2, 1.], steps=9000, exact=False, record=100, stop=lambda k, s: seen.append(k), **params)
    assert len(seen) == 90 and (halves.x[-1] == quick.x[-1]).all()


# -- ends --------------------------------------------------------------------------------------------------------------
def test_a_diverged_path_leaves_the_others_alone():
    eta = np.full(1000, 1e-3)
    fine = iterate(heavy_ball, rosenbrock(), x0=[-1., 1.], steps=400, eta=eta, beta=.9)
    eta[437] = .5
    run = iterate(heavy_ball, rosenbrock(), x0=[-1., 1.], steps=400, eta=eta, beta=.9)
    assert run.status[437] == "diverged" and (np.delete(run.status, 437) == "success").all() and not run.success
    assert (np.delete(run.x, 437, axis=0) == np.delete(fine.x, 437, axis=0)).all()
    alone = iterate(heavy_ball, rosenbrock(), x0=[-1., 1.], steps=400, eta=.5, beta=.9)
    count = int(run.lengths[437])
    assert count == alone.lengths and np.isfinite(run.x[437, :count]).all() and np.isnan(run.x[437, count:]).all()
    assert np.allclose(run.x[437, :count], alone.x[:count], rtol=1e-9) and "1 of 1000 paths" in run.message


def test_ends_are_those_of_paths_alone():
    @method
    def into_the_logarithm(x, *, eta):
        return x - eta*log(x)

    @method
    def forgetful(x, *, eta, grad):
        return where(norm(x) < 1e6, x - eta*grad(x), 0*x)          # comes back from anything: every step has to be watched
    cases = [(into_the_logarithm, {"eta": np.array([.1, 3., .5, 20.])}, quadratic([1.]), np.array([2.])),
             (forgetful, {"eta": np.array([.1, 3., 50.])}, quadratic([1., 3.]), np.array([2., 1.])),
             (heavy_ball, {"eta": np.array([.1, .7, 9., 1e40]), "beta": .5}, quadratic([1., 3.]), np.array([2., 1.]))]
    seen = set()
    for rule, params, problem, x0 in cases:
        run = iterate(rule, problem, x0=x0, steps=300, record="last", **params)
        for i, eta in enumerate(params["eta"]):
            alone = iterate(rule, problem, x0=x0, steps=300, record="last", **{**params, "eta": eta})
            assert run.status[i] == alone.status and run.lengths[i] == alone.lengths
            seen.add(alone.status)
    assert seen == {"success", "diverged", "nonfinite"}


def test_every_path_stops_by_its_own_gradient():
    x0 = np.stack([np.zeros(2), np.ones(2), [1e3, -1e3]])
    run = iterate(heavy_ball, quadratic([1., 3.]), x0=x0, steps=500, stop=1e-6, eta=.3, beta=.3)
    assert (run.status == "converged").all() and run.lengths[0] == 1
    for i in range(3):
        alone = iterate(heavy_ball, quadratic([1., 3.]), x0=x0[i], steps=500, stop=1e-6, eta=.3, beta=.3)
        assert alone.lengths == run.lengths[i]
        assert np.linalg.norm([1., 3.]*run.x[i, run.lengths[i] - 1]) <= 1e-6


def test_rows_and_memory_are_reused():
    start = dict(x0=np.ones((70, 2)), steps=50, record=10, eta=np.linspace(.01, .1, 70), beta=.5)
    first = iterate(heavy_ball, quadratic([1., 3.]), **start)
    want = {n: v.copy() for n, v in first.states.items()}
    again = iterate(heavy_ball, quadratic([1., 3.]), **start, out=first.states)
    assert all(np.shares_memory(again[n], first[n]) and (again[n] == want[n]).all() for n in want)
    mine = {n: np.empty_like(v, order="C") for n, v in want.items()}
    filled = iterate(heavy_ball, quadratic([1., 3.]), **start, out=mine)
    assert all((mine[n] == want[n]).all() and np.shares_memory(filled[n], mine[n]) for n in want)
    with pytest.raises(ValueError, match=r"out\['x'\].*expected a writeable array of doubles of shape \(70, 6, 2\)"):
        iterate(heavy_ball, quadratic([1., 3.]), **start, out={"x": np.empty(3), "v": np.empty(3)})


# -- draws -------------------------------------------------------------------------------------------------------------
def test_draws_are_those_of_the_reference():
    @method
    def drawn(x, y, *, noise, uniform):
        return noise() + 0*x, uniform() + 0*y
    run = iterate(drawn, quadratic([1., 2., 3.]), x0={"x": np.ones((40, 3)), "y": np.ones((40, 3))}, steps=20, seed=2**63 + 5)
    for path in (0, 17, 39):
        for k in (0, 11, 19):
            z, u = (noise.draws(kind, np.uint64(2**63 + 5), path, k, call, 3) for kind, call in ((True, 0), (False, 1)))
            assert np.abs(run.x[path, k + 1] - z).max() <= 4e-15 and (run.y[path, k + 1] == u).all()


def test_normals_of_lanes_have_the_moments_of_normals():
    @method
    def drawn(x, *, noise):
        return noise() + 0*x
    z = iterate(drawn, quadratic([1., 2.]), x0=np.ones((2000, 2)), steps=100).x[:, 1:].ravel()
    n = z.size
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - mean) < 5*np.sqrt(variance/n), power


def test_the_exponential_of_lanes():
    @method
    def grown(x, *, eta):
        from dynopt import exp
        return exp(x) + 0*eta
    ends = [0., -0., 1., -1., 709.7, 709.79, 1e4, -708., -740., -745.1, -745.3, -1e4, np.log(2)/2, -np.log(2)/2, 1e-300]
    x = np.concatenate([ends, np.random.default_rng(0).uniform(-50, 50, 5000)])
    run = Run(prepare(grown, None, x[:, None], {"eta": 1.}), None, 1, 1, 0.0, 0, None)
    run._drive(run._advance())
    with np.errstate(all="ignore"):
        want = np.exp(x)
    got, fine = run.memory.S[0, :x.size], np.abs(want) <= 1e50
    assert (np.abs(got - want)[fine] <= 4e-16*want[fine] + 5e-324).all()
    assert run.status[~fine].all() and not run.status[fine].any()


# -- rewriting ---------------------------------------------------------------------------------------------------------
def regrouped(source, state="x y z"):
    rule = method.from_string(source, state=state)
    unrolled = Unrolled(rule.program, {}, 1)
    return order(Regrouped(unrolled.make, unrolled.roots).roots(unrolled.roots)), unrolled


def test_a_gradient_step_costs_what_a_hand_would_write():
    rule = method.from_string("x = x - eta*grad(x)", state="x")
    unrolled = Unrolled(rule.program, rosenbrock().fields, 2)
    new = order(Regrouped(unrolled.make, unrolled.roots).roots(unrolled.roots))
    work = [v.op for v in new if v.step and v.args and v.op != "neg"]
    # u = y - x x; a = 1 - x; t = x u; x' = x + 400 eta t + 2 eta a; y' = y - 200 eta u
    assert sorted(work) == ["fma"]*4 + ["mul", "sub"]


def test_a_difference_is_neither_multiplied_out_nor_reordered():
    new, _ = regrouped("z = y + ((x + z) - x); x = x + beta*(x - y); y = y")
    differences = [v for v in new if v.op == "sub" and all(a.op in ("state", "add") for a in v.args)]
    assert len(differences) == 2, "x - y and (x + z) - x are computed as such"


@given(st.integers(0, 10**9))
def test_rewriting_keeps_values(seed):
    """Random straight lines of sums, products and quotients: the rewritten line agrees to rounding, by exact evaluation of both."""
    random = np.random.default_rng(seed)
    a, b, x, y = (leaf(kind, name) for kind, name in (("param", "a"), ("param", "b"), ("state", "x"), ("state", "y")))
    pool = [a, b, x, y, x*0 + 2, x*0 + 3]
    for _ in range(12):
        p, q = (pool[i] for i in random.integers(0, len(pool), 2))
        pool.append([p + q, p - q, p*q, -p, p/(2 + q*q), p*3, p - 2*q, p**3][random.integers(0, 8)])
    unrolled = Unrolled(Program("method", ("x", "y"), (pool[-1], pool[-2]), frozenset(("x", "y"))), {}, 1)
    new = Regrouped(unrolled.make, unrolled.roots).roots(unrolled.roots)
    from fractions import Fraction
    known = {("state", (0, 0)): Fraction(3, 7), ("state", (1, 0)): Fraction(-5, 3), ("param", "a"): Fraction(2, 9), ("param", "b"): Fraction(7, 5)}
    for old, rewritten in zip(unrolled.roots, new):
        want, got = (exactly(v, known) for v in (old, rewritten))
        assert abs(got - want) <= Fraction(1, 10**10)*max(1, *(abs(exactly(v, known)) for v in order([old]))) ** 3


def exactly(root: Value, known):
    """The value of a line in rationals; coefficients that were rounded once are all that differs."""
    values = {}
    for v in order([root]):
        args = [values[a] for a in v.args]
        values[v] = {"const": lambda v=v: v.data, "state": lambda v=v: known[v.op, v.data], "param": lambda v=v: known[v.op, v.data],
                     "add": lambda a=args: a[0] + a[1], "sub": lambda a=args: a[0] - a[1], "mul": lambda a=args: a[0]*a[1],
                     "div": lambda a=args: a[0]/a[1], "neg": lambda a=args: -a[0], "fma": lambda a=args: a[0]*a[1] + a[2],
                     "pow": lambda a=args: a[0]**int(a[1])}[v.op]()
    return values[root]


def test_what_is_known_to_stay_not_finite():
    states = dict(state="x")
    for text, lasting in (("x = x - eta*x*x", True), ("x = 2*sqrt(x)", True), ("x = x/(1 + x*x)", True), ("x = 1/x", False),
                          ("x = exp(x)", False), ("x = where(x > 0, x, 1)", False), ("x = minimum(x, 1)", False), ("x = tanh(x)", False)):
        unrolled = Unrolled(method.from_string(text, **states).program, {}, 1)
        assert persists(unrolled.roots[0], unrolled.make("state", data=(0, 0))) is lasting, text


def test_what_is_too_large_runs_by_loops():
    rule = method.from_string("x = x - eta*grad(x)", state="x")
    setup = prepare(rule, quadratic(np.ones(4000)), np.ones(4000), {"eta": .1})
    with pytest.raises(Unsuited):
        lanes.unrolled_kernel(setup, quadratic(np.ones(4000)), stopping=False, exact=True)
    run = iterate(rule, quadratic(np.ones(4000)), x0=np.ones(4000), steps=3, eta=.5)
    assert (run.x[-1] == .125).all()
