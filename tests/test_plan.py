"""The short way through `solve`: what is kept of a call is never taken for another, and nothing but time tells it from the long way."""
import copy
import gc
import threading

import numpy as np
import pytest

from dynopt import Problem, Scalar, damped, flow, lorenz, nesterov_flow, per_coordinate, quadratic, rosenbrock, solve, van_der_pol
from dynopt.core.errors import ParameterTypeError
from dynopt.core.functions import dot
from dynopt.run import plan
from dynopt.run import solve as front

VALLEY, BOWL = rosenbrock(), quadratic([1., 30.])


@flow
def theta(x, s: Scalar, *, c):
    return -c*x, c


CALLS = {"damped": (damped, VALLEY, dict(x0={"x": [-1.2, 1.], "v": [0., 0.]}, until=10., gamma=1.)),
         "at rest": (damped, VALLEY, dict(x0=[-1.2, 1.], until=5., gamma=1, rtol=1e-9)),
         "a start at a time": (nesterov_flow, BOWL, dict(x0={"v": (0, 0), "x": np.array([1, 1])}, t0=.1, until=8., rtol=1e-10, atol=0)),
         "a singular start": (nesterov_flow, BOWL, dict(x0=[1., 1.], until=8.)),
         "defaults": (lorenz, None, dict(x0={"x": 1., "y": 1., "z": 1.}, until=4., rtol=1e-9)),
         "one default": (lorenz, None, dict(x0={"x": 1., "y": 1., "z": 1.}, until=4., rho=20.)),
         "backwards": (damped, BOWL, dict(x0={"x": [1., 1.], "v": [0., 0.]}, t0=3, until=0, gamma=.3)),
         "many steps": (damped, BOWL, dict(x0={"x": [1., 1.], "v": [0., 0.]}, until=900., gamma=.0, rtol=1e-11, method="taylor")),
         "stiff": (van_der_pol, None, dict(x0={"x": [2.], "v": [0.]}, until=1500., c=1000.)),
         "blows up": (flow(lambda x: x*x), None, dict(x0=[1.], until=4.)),
         "grows": (flow(lambda x: x*1.), None, dict(x0=3., until=400.)),
         "no series": (flow(lambda x, *, past: -past(x, .5)), None, dict(x0=[1.], until=2.)),
         "a vector": (damped, BOWL, dict(x0={"x": [1., 1.], "v": [0., 0.]}, until=3., gamma=per_coordinate([.1, .2]))),
         "an ensemble": (damped, BOWL, dict(x0={"x": [[1., 1.], [2., 1.]], "v": [0., 0.]}, until=3., gamma=.1)),
         "bare numbers": (theta, None, dict(x0={"x": [1., 2.], "s": 0.}, until=3., c=.5))}


def call(name, **options):
    rule, problem, given = CALLS[name]
    return solve(rule, problem, **given, **options)


def same(one, other):
    assert all(np.array_equal(getattr(one, n), getattr(other, n)) for n in ("status", "message", "lengths"))
    assert np.array_equal(one.t, other.t) and one.states.keys() == other.states.keys()
    assert all(np.array_equal(one[s], other[s]) and one[s].dtype == other[s].dtype for s in one.states)
    assert one.params.keys() == other.params.keys() and all(np.array_equal(v, other.params[n]) for n, v in one.params.items())


@pytest.mark.parametrize("name", CALLS)
def test_first_again_after_another_and_the_long_way_have_the_same_bits(name, monkeypatch):
    plan._plans.clear()
    first, again = call(name), call(name)
    call("one default")
    after, ends = call(name), call(name, dense=False)
    monkeypatch.setattr(front, "solve_shortly", lambda *a: None)
    long = call(name)
    for run in (again, after, ends, long):
        same(first, run)
    middle = np.linspace(long.t[0], np.ravel(long.t)[-1], 33)
    for s, values in long.at(middle).items():
        assert np.array_equal(first.at(middle)[s], values, equal_nan=True)
        assert np.array_equal(first.at(middle[5])[s], values[..., 5, :], equal_nan=True)
    with pytest.raises(AttributeError, match="dense"):
        ends.at(1.)


def test_which_calls_go_the_short_way():
    plan._plans.clear()
    for name in CALLS:
        call(name)
    made = {key[0].name for key, found in plan._plans.items() if found is not None}
    assert {"damped", "nesterov_flow", "lorenz", "theta"} <= made


def test_a_problem_or_a_flow_made_anew_is_never_taken_for_an_old_one():
    for lam in (1., 4., 9., 16., 25.)*3:
        problem = quadratic([lam])
        run = solve(damped, problem, x0={"x": [1.], "v": [0.]}, until=1., gamma=0., rtol=1e-10, atol=1e-10)
        assert abs(run.x[-1, 0] - np.cos(np.sqrt(lam))) < 1e-8
        one = solve(decay(lam), x0=[1.], until=.5, rtol=1e-10, atol=1e-10)
        assert abs(one.x[-1, 0] - np.exp(-lam/2)) < 1e-8
        del problem, run, one
        gc.collect()


def decay(lam):
    return flow(lambda x: -lam*x)


def test_every_kind_of_number_is_looked_at_anew():
    def end(**given):
        return solve(damped, BOWL, **{"x0": {"x": [1., 1.], "v": [0., 0.]}, "until": 2., "gamma": .5} | given)
    known = end().x[-1]
    for given in ({"gamma": np.float64(.5)}, {"gamma": np.float32(.5)}, {"gamma": np.array(.5)}, {"x0": {"x": (1, 1), "v": np.zeros(2)}}):
        assert np.array_equal(end(**given).x[-1], known)
    assert not np.array_equal(end(gamma=1).x[-1], known) and np.array_equal(end(gamma=1).x[-1], end(gamma=1.).x[-1])
    assert end(gamma=np.array([.5, 1.])).x.shape[:1] == (2,) and np.allclose(end(gamma=per_coordinate([.5, .5])).x[-1], known, atol=1e-6)
    assert end(x0={"x": [1., 1.]}).x[-1].tolist() == known.tolist()
    with pytest.raises(ValueError, match="dimension 2"):
        end(x0={"x": [1.], "v": [0.]})


def test_an_oracle_put_in_anothers_place_is_seen():
    problem = Problem(lambda x: x[0]**2/2)
    args = dict(x0={"x": [1.], "v": [0.]}, until=1., gamma=0., rtol=1e-10, atol=1e-10)
    assert abs(solve(damped, problem, **args).x[-1, 0] - np.cos(1)) < 1e-8
    problem.fields["grad"] = quadratic([4.]).fields["grad"]
    assert abs(solve(damped, problem, **args).x[-1, 0] - np.cos(2)) < 1e-8


BAD = [dict(gamma=True), dict(gamma=np.nan), dict(gamma="1"), dict(gamma=1j), dict(gamma=None), dict(delta=1.), dict(gamma=10**400),
       dict(x0=None), dict(x0=[]), dict(x0=[True, False]), dict(x0=["1", "2"]), dict(x0=[1., np.inf]), dict(x0=[1., 2., 3.]), dict(x0=[10**400, 1]),
       dict(x0={"y": [1., 1.]}), dict(x0={"x": [1., 1.], "v": [0., 0., 0.]}), dict(x0={"x": [[1.], [1., 2.]]}),
       dict(until=np.inf), dict(until=None), dict(until=True), dict(until=10**400), dict(t0=np.nan), dict(t0="0"),
       dict(rtol=-1.), dict(rtol=0., atol=0.), dict(rtol=np.nan), dict(atol=-1e-9), dict(atol=np.inf), dict(rtol=1e-16, atol=0.),
       dict(method="rk9"), dict(problem=3), dict(problem=quadratic([1., 2., 3.]))]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_what_is_refused_is_refused_in_the_same_words(bad, monkeypatch):
    def told():
        given = {"problem": BOWL, "x0": [1., 1.], "until": 2., "gamma": .5} | bad
        with pytest.raises(Exception) as met:
            solve(damped, **given)
        return type(met.value), str(met.value)
    solve(damped, BOWL, x0=[1., 1.], until=2., gamma=.5)
    short = told()
    monkeypatch.setattr(front, "solve_shortly", lambda *a: None)
    assert short == told()


def test_two_threads_at_once():
    names = ("damped", "defaults", "backwards", "many steps")
    want = {n: call(n) for n in names}
    found: list = []

    def work(first):
        for i in range(12):
            name = names[(first + i) % len(names)]
            found.append((name, call(name)))
    plan._plans.clear()
    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 36
    for name, run in found:
        same(want[name], run)


def test_an_interrupted_run_keeps_what_it_has(monkeypatch):
    whole = call("many steps")
    kind = next(p for p in plan._plans.values() if p and p.rule is damped and p.problem is BOWL and p.rows > 1000)
    step, order, numbers = kind.kernels[1e-11, True]
    calls = []

    def once(*args):
        if calls:
            raise KeyboardInterrupt
        calls.append(step(*args))
    monkeypatch.setitem(kind.kernels, (1e-11, True), (once, order, numbers))
    run = call("many steps")
    assert run.status == "interrupted" and run.message == f"interrupted at t = {run.t[-1]:.6g}" and len(run.t) == 1025
    assert np.array_equal(run.x, whole.x[:1025]) and np.array_equal(run.t, whole.t[:1025])
    assert np.array_equal(run.at(run.t[7])["v"], whole.v[7])
    none = call("many steps")
    assert none.status == "interrupted" and none.t.tolist() == [0.] and none.x.tolist() == [[1., 1.]] and np.isnan(none.at(1.)["x"]).all()


@pytest.mark.parametrize("lead", [(), (3,), (20,)])
def test_rows_are_written_into_the_arrays_given(lead):
    """One path and few and many side by side; one that ends early leaves the rest of its rows without numbers."""
    times, start = np.linspace(0, 2, 9)[1:], np.broadcast_to([1., 1.], (*lead, 2))
    out = {s: np.full((*lead, 8, 2), 7.) for s in ("x", "v")}
    given = dict(x0={"x": start, "v": 0*start}, until=times, gamma=.1)
    run, other = solve(damped, BOWL, out=out, **given), solve(damped, BOWL, **given)
    for s in out:
        assert np.shares_memory(run[s], out[s]) and np.array_equal(out[s], other[s]) and np.array_equal(run.at(times)[s], other.at(times)[s])
    if lead:
        grown = {s: np.empty((*lead, 201, 2)) for s in out}
        whole = solve(damped, BOWL, **given | {"until": 2.}, out=grown)
        assert whole.x.base is not None and np.array_equal(grown["x"][..., -1, :], out["x"][..., -1, :])
    bursts = {"x": np.full((*lead, 8, 2), 7.)}
    burst = solve(flow(lambda x: x*x), x0=start, until=times, out=bursts)
    assert not burst.success and np.isnan(bursts["x"][..., -1, :]).all() and np.isfinite(bursts["x"][..., 0, :]).all()


def test_arrays_that_do_not_fit_are_refused():
    given = dict(x0=[1., 1.], until=[1., 2.], gamma=.1)
    for out, told in (({"x": np.empty((2, 2))}, "one array for each state"), ({s: np.empty((3, 2)) for s in ("x", "v")}, r"shape \(2, 2\)"),
                      ({s: np.empty((2, 2), dtype=np.float32) for s in ("x", "v")}, "doubles"), (np.empty((2, 2)), "one array for each state")):
        with pytest.raises(ValueError, match=told):
            solve(damped, BOWL, out=out, **given)
    right = {s: np.empty((2, 2)) for s in ("x", "v")}
    with pytest.raises(ValueError, match="until=np.linspace"):
        solve(damped, BOWL, out=right, **given | {"until": 2.})
    with pytest.raises(ValueError, match="iterate"):
        solve(damped, BOWL, out=right, method="rk4", h=.1, **given)


def test_an_array_in_a_loss_is_the_problem_s_own():
    own = np.array([[1., 0.], [0., 2.]])
    given = own[:]
    problem = Problem(lambda x: dot(x, given @ x)/2)
    call = dict(until=1., gamma=0., rtol=1e-10, atol=1e-10)
    first = solve(damped, problem, x0=[1., 1.], **call).x[-1]
    own *= 4                                                        # the caller's array stays his own
    for more in (dict(), dict(method="dop853")):
        assert np.abs(solve(damped, problem, x0={"x": [1., 1.], "v": [0., 0.]}, **call, **more).x[-1] - first).max() < 1e-8


def test_a_run_is_copied_with_its_dense_output_and_keeps_its_own_times():
    run = solve(damped, quadratic([1., 30.]), x0=[1., 1.], until=2., gamma=.5)
    twin, before = copy.deepcopy(run), run.at(.7)["x"].copy()
    run.t[:] = 0
    assert (twin.at(.7)["x"] == before).all() and (run.at(.7)["x"] == before).all()


@pytest.mark.parametrize("x0", [[2**70, 1], [10**400, -10**400], [1e300, 10**400]])
def test_whole_numbers_that_no_word_holds_are_refused_before_and_after_a_good_call(x0):
    problem = quadratic([1., 30.])
    for _ in range(2):
        with pytest.raises(ParameterTypeError, match="dtype object"):
            solve(damped, problem, x0={"x": x0, "v": [0., 0.]}, until=1., gamma=.1)
        assert solve(damped, problem, x0={"x": [1., 1.], "v": [0., 0.]}, until=1., gamma=.1).success
    assert any(key[1] is problem and plan_ is not None for key, plan_ in plan._plans.items()), "a wrong call spoils no later one"
