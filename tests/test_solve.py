"""solve: reference problems at three tolerances, dense output, events, breaks, singular starts, delays, statuses, refusals."""
from __future__ import annotations

import numpy as np
import pytest
from problem_data import by_kind, end_of, flow_of, scale_of, start_of, times_of
from scipy.integrate import solve_ivp
from scipy.special import jv

import dynopt
from dynopt import Event, Flow, Problem, cos, dot, flow, quadratic, rk4, solve, where
from dynopt.core.errors import ParameterError, ParameterTypeError
from dynopt.run.ode_tables import DOP853, TSIT5

ODES = by_kind("ode")
ids = [p["id"] for p in ODES]


def error_of(problem, tol, method="auto"):
    """(error relative to the largest state on the way, the run)."""
    t0, t1 = times_of(problem)
    run = solve(flow_of(problem), x0=start_of(problem), t0=t0, until=t1, rtol=tol, atol=tol, method=method)
    return np.abs(end_of(run) - np.array(problem["y_end_float"])).max()/scale_of(run), run


def bound(problem, tol):
    return max(10*tol, 100*2.2e-16)*max(1.0, problem.get("condition_number_y0") or 1.0)


@pytest.mark.parametrize("problem", ODES, ids=ids)
@pytest.mark.parametrize("tol", [1e-6, 1e-9, 1e-12])
def test_reference_problems(problem, tol):
    error, run = error_of(problem, tol)
    assert run.success and error <= bound(problem, tol), (error, bound(problem, tol), len(run.t))


DETEST = [p for p in ODES if p["family"][:8] in ("detest-A", "detest-B", "detest-C", "detest-D", "detest-E")]


@pytest.mark.parametrize("problem", DETEST, ids=[p["id"] for p in DETEST])
def test_pairs_are_as_good_as_scipys_of_the_same_order(problem):
    """Largest error on the way, at most twice that of scipy's pair of the same order (or of the tolerance)."""
    t0, t1 = times_of(problem)
    f, times = flow_of(problem), np.linspace(t0, t1, 101)
    truth = whole(solve(f, x0=start_of(problem), t0=t0, until=times, rtol=1e-13, atol=1e-14))

    def rates(t, y):
        out = f(*y, **({"t": t} if "t" in f.signature.clocks else {}))
        return np.array(out if isinstance(out, tuple) else (out,), dtype=float)
    for ours, theirs in (("dop853", "DOP853"), ("tsit5", "RK45")):
        for tol in (1e-4, 1e-6, 1e-8):
            run = whole(solve(f, x0=start_of(problem), t0=t0, until=times, rtol=tol, atol=tol, method=ours))
            other = solve_ivp(rates, (t0, t1), problem["y0_float"], method=theirs, rtol=tol, atol=tol, t_eval=times).y.T
            error, reference = np.abs(run - truth).max(), np.abs(other - truth).max()
            assert error <= 2*max(reference, tol/2), (ours, tol, error, reference)


def whole(run):
    return np.stack([run[n][:, 0] for n in run.rule.state], -1)


def test_tables_satisfy_their_own_conditions():
    for table in (TSIT5, DOP853):
        weights = table.A[table.last]
        c = table.c
        for order in range(1, 6 if table is TSIT5 else 9):
            assert abs(weights @ c**(order - 1) - 1/order) < 1e-14
        assert np.abs(table.A.sum(1) - c).max() < 1e-14
        assert np.abs(table.dense.sum(0) - weights).max() < 1e-12          # dense output ends where the step ends
        u = .37
        dense = (u**np.arange(1, len(table.dense) + 1)) @ table.dense
        for order in range(1, len(table.dense) + 1):
            assert abs(dense @ c**(order - 1) - u**order/order) < 1e-12


@pytest.mark.parametrize("method", ["taylor", "dop853", "tsit5", "radau"])
def test_dense_output_is_as_good_as_the_steps(method):
    tol = 1e-8
    run = solve(dynopt.kepler, x0={"q": [1, 0], "p": [0, 1]}, until=6.0, rtol=tol, atol=tol, method=method)
    t = np.linspace(0, 6, 601)
    dense = np.abs(run.at(t)["q"] - np.stack([np.cos(t), np.sin(t)], -1)).max()
    steps = np.abs(run.q - np.stack([np.cos(run.t), np.sin(run.t)], -1)).max()
    assert dense <= 10*max(steps, tol)


def test_times_wanted_are_the_times_given():
    t = [0.0, .25, 1.0, 3.0]
    run = solve(dynopt.gradient_flow, quadratic([1.0, 2.0]), x0=[1, 1], until=t, rtol=1e-10, atol=1e-12)
    assert run.t.tolist() == t and np.allclose(run.x, np.exp(-np.outer(t, [1, 2])), atol=1e-10)


def test_backward_in_time():
    run = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[1.0], t0=1.0, until=0.0, rtol=1e-10, atol=1e-12)
    assert run.x[-1, 0] == pytest.approx(np.e, rel=1e-9)


# ---- closed forms on modes --------------------------------------------------------------------------------------

@pytest.mark.parametrize("gamma", [.4, 2.0, 5.0], ids=["under", "critical", "over"])
def test_damped_modes(gamma):
    t = np.linspace(0, 8, 81)
    run = solve(dynopt.damped, quadratic([1.0]), x0=[1.0], until=t, gamma=gamma, rtol=1e-11, atol=1e-13)
    w = np.sqrt(complex(gamma**2/4 - 1))
    exact = np.exp(-gamma*t/2)*(1 + gamma*t/2 if w == 0 else np.cosh(w*t) + gamma/2*np.sinh(w*t)/w)
    assert np.abs(run.x[:, 0] - np.real(exact)).max() < 1e-10


@pytest.mark.parametrize("r", [2.0, 3.0, 5.0])
def test_vanishing_damping_is_a_bessel_function_from_time_zero(r):
    from scipy.special import gamma as Gamma
    t = np.linspace(0, 20, 101)
    run = solve(dynopt.nesterov_flow, quadratic([1.0]), x0=[1.0], until=t, r=r, rtol=1e-10, atol=1e-12)
    nu = (r - 1)/2
    s = np.where(t > 0, t, 1)
    exact = np.where(t > 0, Gamma(nu + 1)*(2/s)**nu*jv(nu, s), 1.0)
    assert np.abs(run.x[:, 0] - exact).max() < 1e-9


def test_singular_start_with_a_velocity_is_refused_with_the_cure():
    with pytest.raises(ParameterError, match="start at rest.*write t0="):
        solve(dynopt.nesterov_flow, quadratic([1.0]), x0={"x": [1.0], "v": [1.0]}, until=1.0)


# ---- events and breaks ------------------------------------------------------------------------------------------

def test_crossings_to_ten_tolerances():
    tol = 1e-9
    run = solve(dynopt.conservative, quadratic([1.0]), x0=[1.0], until=20.0, rtol=tol, atol=tol,
                events={"all": lambda x: x, "up": Event("x", direction=1), "late": Event(lambda x, t: x*(t > 10), direction=-1)})
    assert np.abs(run.events["all"]["t"] - (np.arange(6) + .5)*np.pi).max() < 10*tol
    assert np.allclose(run.events["up"]["t"], [1.5*np.pi, 3.5*np.pi, 5.5*np.pi], atol=10*tol)
    assert np.abs(run.events["up"]["x"]).max() < 10*tol and run.events["up"]["v"].shape == (3, 1)


def test_events_of_all_kinds_on_one_run():
    """None, an exact one at the start, triple roots, simultaneous ones, many within a step, backward in time."""
    well = dict(problem=quadratic([1.0]), x0=[1.0], rtol=1e-10, atol=1e-10)
    run = solve(dynopt.conservative, until=4.0, events={"never": "x - 2", "start": "v", "cube": "x**3"}, **well)
    assert run.events["never"]["t"].size == 0 and run.events["never"]["x"].shape == (0, 1)
    assert np.allclose(run.events["start"]["t"], [np.pi], atol=1e-9) and np.allclose(run.events["cube"]["t"], [np.pi/2], atol=1e-9)
    both = solve(dynopt.conservative, until=9.0, events={"a": Event("x", terminal=True), "b": Event("2*x", terminal=True)}, **well)
    assert both.t[-1] == pytest.approx(np.pi/2, abs=1e-9) and both.events["a"]["t"].size == both.events["b"]["t"].size == 1
    assert run.at([])["x"].shape == (0, 1)
    fast = solve(dynopt.gradient_flow, until=1.0, events=lambda x, t: dynopt.sin(200*t), **well)
    assert np.allclose(fast.events["event"]["t"], np.arange(1, 64)*np.pi/200, atol=1e-12)
    back = solve(dynopt.kepler, x0={"q": [1, 0], "p": [0, 1]}, until=-7.0, rtol=1e-10, atol=1e-10, events=Event(lambda q: q[..., 1], direction=1))
    assert np.allclose(back.events["event"]["t"], [-np.pi], atol=1e-9)


@pytest.mark.parametrize("until", [0.0, [0.0]])
def test_a_run_of_no_length(until):
    one = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[1.0], until=until, events="x")
    many = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[[1.0], [2.0]], until=until)
    assert one.success and one.t.tolist() == [0.0] and one.x.tolist() == [[1.0]] and one.events["event"]["t"].size == 0
    assert many.success and many.x.tolist() == [[[1.0]], [[2.0]]]


def test_terminal_event_ends_the_run():
    run = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[1.0], until=1e6, rtol=1e-9, atol=1e-12, events=Event("x - 1/2", terminal=True))
    assert run.success and run.t[-1] == pytest.approx(np.log(2), abs=1e-8) and "terminal" in run.message
    assert run.at(run.t[-1])["x"][0] == pytest.approx(.5, abs=1e-8)


def test_events_that_make_no_sense_are_refused():
    with pytest.raises(ParameterError, match="expected names among"):
        solve(dynopt.damped, quadratic([1.0]), x0=[1.0], until=1.0, gamma=1.0, events=lambda z: z)
    with pytest.raises(ParameterError, match="expected one"):
        solve(dynopt.damped, quadratic([1.0, 2.0]), x0=[1.0, 1.0], until=1.0, gamma=1.0, events=lambda x: x)


def test_steps_land_on_the_breaks_of_a_schedule():
    square = flow.from_string("y = where(t % 2 < 1, 1, -1)", state="y")
    run = solve(square, x0=[0.0], until=5.0)
    assert set(range(6)) <= set(run.t.tolist()) and run.y[-1, 0] == pytest.approx(1.0, abs=1e-12) and len(run.t) < 20


def test_time_dependent_damping_by_a_schedule():
    made = dynopt.damped.subs(gamma=dynopt.schedule("3/t"))
    a = solve(made, quadratic([1.0]), x0=[1.0], until=5.0, rtol=1e-10, atol=1e-12)
    assert a.x[-1, 0] == pytest.approx(2*jv(1, 5.0)/5.0, abs=1e-9)


# ---- delays -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("tol", [1e-6, 1e-9, 1e-12])
def test_delays_by_the_method_of_steps(tol):
    truth = {p["id"]: p["y_end_float"][0] for p in by_kind("dde")}
    minus = solve(dynopt.delayed_gradient_flow, quadratic([1.0]), x0=[1.0], until=10.0, tau=1.0, rtol=tol, atol=tol)
    plus = solve(flow.from_string("y = past(y, 1)", state="y"), x0=[1.0], until=5.0, rtol=tol, atol=tol)
    wright = solve(flow.from_string("y = -3/2*past(y, 1)*(1 + y)", state="y"), x0=[.1], until=12.0, rtol=tol, atol=tol)
    assert abs(minus.x[-1, 0] - truth["dde_neg_unit_delay"]) < max(10*tol, 1e-14)
    assert abs(plus.y[-1, 0] - truth["dde_pos_unit_delay"]) < max(10*tol, 1e-14)*20
    assert abs(wright.y[-1, 0] - truth["dde_wright_logistic"]) < max(10*tol, 1e-14)


def test_no_delay_is_no_delay():
    run = solve(dynopt.delayed_gradient_flow, quadratic([1.0]), x0=[1.0], until=2.0, tau=0.0, rtol=1e-10, atol=1e-12)
    assert run.x[-1, 0] == pytest.approx(np.exp(-2), abs=1e-9)


def test_delays_far_below_a_step():
    run = solve(dynopt.delayed_gradient_flow, quadratic([1.0]), x0=[1.0], until=1.0, tau=1e-3, rtol=1e-8, atol=1e-10)
    root = -1.0
    for _ in range(50):
        root = -np.exp(-root*1e-3)                         # z = -exp(-z tau), the slow root
    assert run.success and abs(run.x[-1, 0] - np.exp(root)) < 2e-6


# ---- ensembles, black boxes -------------------------------------------------------------------------------------

def test_ensembles_through_leading_axes_and_array_parameters():
    run = solve(dynopt.damped, quadratic([1.0, 4.0]), x0=np.ones((2, 3, 2)), until=3.0, gamma=np.array([.5, 1.0, 2.0]), rtol=1e-9, atol=1e-12)
    assert run.x.shape == (2, 3, 201, 2) and run.status.shape == (2, 3) and run.at(1.5)["x"].shape == (2, 3, 2)
    one = solve(dynopt.damped, quadratic([1.0, 4.0]), x0=[1.0, 1.0], until=3.0, gamma=1.0, rtol=1e-9, atol=1e-12)
    assert (run.x[0, 1, -1] == one.x[-1]).all()


def test_one_path_that_diverges_leaves_the_others_alone():
    run = solve(flow.from_string("y = y**2", state="y"), x0=[[-1.0], [1.0], [.1]], until=2.0)
    assert run.status.tolist() == ["success", "diverged", "success"] and "1 of 3" in run.message
    assert np.isfinite(run.y[[0, 2]]).all() and not np.isinf(run.y).any()


def test_compiled_black_box():
    problem = Problem(grad=lambda x: np.array([x[0], 2*x[1]]), name="black")
    run = solve(dynopt.damped, problem, x0=[1.0, 1.0], until=2.0, gamma=1.0, rtol=1e-9, atol=1e-12)
    same = solve(dynopt.damped, quadratic([1.0, 2.0]), x0=[1.0, 1.0], until=2.0, gamma=1.0, rtol=1e-9, atol=1e-12)
    assert problem.kind in ("compiled", "python") and np.allclose(run.x[-1], same.x[-1], atol=1e-8)


def test_plain_python_says_so_once():
    table = {"calls": 0}

    def grad(x):
        table["calls"] += 1
        return np.asarray(x)*1.0
    with pytest.warns(RuntimeWarning, match="plain Python"):
        run = solve(dynopt.gradient_flow, Problem(grad=grad, name="counted"), x0=[1.0], until=1.0, rtol=1e-9, atol=1e-12)
    assert table["calls"] > 5 and run.x[-1, 0] == pytest.approx(np.exp(-1), abs=1e-8)
    assert run.at(.5)["x"][0] == pytest.approx(np.exp(-.5), abs=1e-8)


def test_an_exception_in_the_gradient_reaches_the_caller():
    def grad(x):
        if float(x[0]) < .8:
            raise ValueError("boom")
        return np.asarray(x)*1.0
    with pytest.warns(RuntimeWarning), pytest.raises(ValueError, match="boom"):
        solve(dynopt.gradient_flow, Problem(grad=grad, name="boom"), x0=[1.0], until=1.0)


# ---- statuses and refusals --------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["auto", "taylor", "dop853", "tsit5", "radau"])
def test_blow_up_reports_the_time_and_returns_no_inf(method):
    run = solve(flow.from_string("y = y**2", state="y"), x0=[1.0], until=2.0, method=method)
    assert run.status in ("diverged", "step_too_small") and .999 <= run.t[-1] <= 1.001 and np.isfinite(run.y).all()
    assert f"{run.t[-1]:.6g}" in run.message


def test_leaving_the_domain_is_not_success():
    run = solve(flow.from_string("y = -1/sqrt(y)", state="y"), x0=[1.0], until=2.0)
    assert not run.success and np.isfinite(run.y).all() and run.t[-1] == pytest.approx(2/3, abs=1e-3)


@pytest.mark.parametrize("name", ["vdp_mu1000", "robertson_T40", "prothero_robinson_1e6"])
@pytest.mark.parametrize("method", ["auto", "radau"])
def test_stiff_problems(name, method):
    problem = next(p for p in ODES if p["id"] == name)
    error, run = error_of(problem, 1e-9, method)
    assert run.success and error <= bound(problem, 1e-9)


@pytest.mark.parametrize("method", ["dop853", "tsit5"])
def test_an_explicit_method_tells_where_a_problem_is_stiff(method):
    problem = next(p for p in ODES if p["id"] == "robertson_T40")
    _, run = error_of(problem, 1e-6, method)
    assert "stiff" in run.message and "radau" in run.message
    assert not solve(dynopt.kepler, x0={"q": [1, 0], "p": [0, 1]}, until=50.0, method=method).message


@pytest.mark.slow
def test_explicit_on_a_stiff_problem_is_honest():
    run = solve(dynopt.van_der_pol, x0={"x": [2.0], "v": [0.0]}, until=2000.0, c=1000.0, method="dop853", rtol=1e-6, atol=1e-9)
    assert run.status == "max_steps" and "radau" in run.message or abs(run.x[-1, 0] - 1.706167732170465) < 1e-5


@pytest.mark.parametrize("change, match", [
    (dict(until=float("nan")), "until"), (dict(until=[0, 2, 1]), "one way"), (dict(until="a"), "until"), (dict(rtol=0, atol=0), "rtol"),
    (dict(rtol=-1), "rtol"), (dict(atol=[1, 2, 3.0]), "wrong shape"), (dict(method="foo"), "method"), (dict(t0=float("inf")), "t0"),
    (dict(gamma=float("nan")), "gamma"), (dict(x0=None), "x0"), (dict(x0=[1.0, 2.0, 3.0]), "dimension"), (dict(speed=1), "speed")],
    ids=["until nan", "until order", "until text", "no tolerance", "negative", "atol shape", "method", "t0", "gamma", "x0", "x0 shape", "unknown"])
def test_bad_input_gives_one_clear_message(change, match):
    good = dict(x0=[1.0, 1.0], until=1.0, gamma=1.0)
    with pytest.raises(ParameterError, match=match) as caught:
        solve(dynopt.damped, quadratic([1.0, 2.0]), **(good | change))
    assert len(str(caught.value).splitlines()) <= 3


def test_methods_are_told_to_iterate():
    with pytest.raises(ParameterTypeError, match="iterate"):
        solve(dynopt.heavy_ball, quadratic([1.0]), x0=[1.0], until=1.0)


def test_a_start_is_never_changed():
    start = np.array([1.0, 2.0])
    start.flags.writeable = False
    solve(dynopt.gradient_flow, quadratic([1.0, 2.0]), x0=start, until=1.0)
    assert start.tolist() == [1.0, 2.0]
    whole = solve(dynopt.gradient_flow, quadratic([1.0, 2.0]), x0=np.array([1, 2]), until=1.0)
    same = solve(dynopt.gradient_flow, quadratic([1.0, 2.0]), x0=[1.0, 2.0], until=1.0)
    assert (whole.x == same.x).all()


# ---- the operations of the tape ---------------------------------------------------------------------------------

def every_operation(x, v, *, a, t):
    r = dynopt.sin(x)*cos(v) + dynopt.tanh(x*v)/(1 + x**2) - dynopt.exp(-x*x) + dynopt.log(2 + v*v) + dynopt.sqrt(1 + x*x)
    s = dynopt.maximum(x, v) - abs(v)*dynopt.sign(x + 10) + where(t % 3 < 10, x**a, v) + dynopt.mean(v) - dynopt.norm(x)/(1 + dot(v, v))
    return r/4 - x, -s/8 - v + dynopt.minimum(t, 1)


def test_every_operation_agrees_with_the_declaration():
    made = flow(every_operation)
    run = solve(made, x0={"x": [.5, 1.0, .7], "v": [.2, -.3, .4]}, until=2.0, a=1.5, rtol=1e-11, atol=1e-12)

    def rates(t, y):
        return np.concatenate(np.broadcast_arrays(*made(y[:3], y[3:], a=1.5, t=t)))
    truth = solve_ivp(rates, (0, 2), [.5, 1.0, .7, .2, -.3, .4], method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    assert np.abs(np.concatenate([run.x[-1], run.v[-1]]) - truth).max() < 1e-9


def test_matrices_and_per_coordinate_parameters():
    made = flow(lambda x, *, F, b, grad: -(F @ grad(x)) - b*x)
    F = np.array([[2.0, .5], [.5, 1.0]])
    run = solve(made, quadratic([1.0, 3.0]), x0=[1.0, -1.0], until=1.0, F=F, b=dynopt.per_coordinate([.1, .2]), rtol=1e-11, atol=1e-13)
    from scipy.linalg import expm
    assert np.allclose(run.x[-1], expm(-(F @ np.diag([1.0, 3.0]) + np.diag([.1, .2]))) @ [1.0, -1.0], atol=1e-10)


# ---- mutants ----------------------------------------------------------------------------------------------------

def test_a_shaken_coefficient_and_a_shrunk_estimate_are_caught(monkeypatch):
    """Error control keeps its promise only with the right coefficients: a mutant must break the figure that the others meet."""
    from dynopt.run import ode_path
    from dynopt.run.ode_tables import Table
    problem = next(p for p in ODES if p["id"] == "E2")
    fine, _ = error_of(problem, 1e-9, "dop853")
    shaken = DOP853.A.copy()
    shaken[9, 4] += 1e-3
    mutants = {"coefficient": DOP853._replace(A=shaken), "estimate": DOP853._replace(E=DOP853.E/1e6)}
    assert fine <= bound(problem, 1e-9) and isinstance(DOP853, Table)
    for name, table in mutants.items():
        monkeypatch.setitem(ode_path.PAIRS, "dop853", table)
        error, run = error_of(problem, 1e-9, "dop853")
        _, plain = error_of(problem, 1e-9, "taylor")
        assert error > bound(problem, 1e-9) or not run.success or len(run.t) > 5*len(plain.t), (name, error, len(run.t))


def test_rk4_by_solve_lands_on_the_end():
    run = solve(dynopt.kepler, x0={"q": [1, 0], "p": [0, 1]}, until=6.0, method=rk4, h=.01)
    assert run.t[-1] == 6.0 and np.abs(run.q[-1] - [np.cos(6), np.sin(6)]).max() < 1e-8


def test_flows_are_named_in_the_trajectory():
    run = solve(dynopt.gradient_flow, quadratic([1.0]), x0=[1.0], until=1.0)
    assert isinstance(run.rule, Flow) and run.f[-1] < run.f[0] and run.energy[-1] >= 0
