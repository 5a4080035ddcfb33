"""Taylor's method by code of a flow's own: the same solution, steps and statuses as the interpreter of tapes, at a fraction of the cost."""
import numpy as np
import pytest

from dynopt import cos, damped, double_well, exp, flow, log, per_coordinate, quadratic, rosenbrock, sin, solve, sqrt, tanh, where
from dynopt.core.errors import ParameterError
from dynopt.run import series
from dynopt.run.ode_taylor import order_for


@flow
def lorenz(x, y, z, *, sigma, rho):
    return sigma*(y - x), x*(rho - z) - y, x*y - 8/3*z


@flow
def all_operations(x, v, *, a, p, t):
    force = exp(-x*x)*sin(a*t) + sqrt(1 + x*x)/(2 + cos(x)) - tanh(v)*log(3 + x*x) + (2 + x*x)**p - (1 + x*x)**-2 + x**3/7
    return v, -x - v**5/9 + force/3 + where(a > 1, cos(t), x)*abs(a - 3) + (2 + sin(x))**cos(v)


@flow
def with_arrays(x, v, *, c):
    return v, -c*x - np.array([[2., -1., 0.], [-1., 2., -1.], [0., -1., 2.]]) @ x - np.array([.1, .2, .3])*v


CASES = {"lorenz": (lorenz, None, dict(x=[1.], y=[1.], z=[1.]), dict(sigma=10., rho=28.), 5.),
         "all": (all_operations, None, dict(x=[.3], v=[-.2]), dict(a=1.3, p=.7), 4.),
         "arrays": (with_arrays, None, dict(x=[1., 2., 3.], v=[0., 0., 1.]), dict(c=per_coordinate([1., 2., 3.])), 6.),
         "rosenbrock": (damped, rosenbrock(), [-1.2, 1.], dict(gamma=1.), 10.),
         "quadratic": (damped, quadratic([1., 30.]), [1., 1.], dict(gamma=.3), 9.),
         "double well": (damped, double_well(), [.4, .3], dict(gamma=.1), 20.)}


def ran(name, **options):
    rule, problem, x0, params, end = CASES[name]
    return solve(rule, problem, x0=x0, until=end, **{"method": "taylor", **options}, **params)


def last(run):
    return np.concatenate([v[-1] for v in run.states.values()])


@pytest.mark.parametrize("tol", [1e-5, 1e-9, 1e-12])
@pytest.mark.parametrize("name", CASES)
def test_the_interpreter_takes_the_same_steps(name, tol, monkeypatch):
    """At the same order, to the three digits of the size of a step; the solutions differ by what the tolerance allows."""
    monkeypatch.setattr(series, "cheapest", lambda products, tol: order_for(tol, np.zeros(1), np.zeros(1)))
    own = ran(name, rtol=tol, atol=tol)
    monkeypatch.setattr(series, "MOST_ENTRIES", 0)
    series._made.clear()
    tape = ran(name, rtol=tol, atol=tol)
    series._made.clear()
    assert abs(len(own.t) - len(tape.t)) <= 1 + .03*len(tape.t) and own.status == tape.status == "success"
    middle = np.linspace(0, CASES[name][-1], 57)
    for state, values in own.at(middle).items():
        assert np.abs(values - tape.at(middle)[state]).max() <= 300*tol*max(1, np.abs(values).max()), state


@pytest.mark.parametrize("name", CASES)
def test_the_error_is_the_tolerance(name):
    truth = last(ran(name, rtol=1e-13, atol=1e-13, method="dop853"))
    for tol in (1e-6, 1e-9):
        assert np.abs(last(ran(name, rtol=tol, atol=tol)) - truth).max() <= 200*tol*max(1, np.abs(truth).max())


def test_backwards_and_there_again():
    rule, problem, x0, params, _ = CASES["double well"]
    there = solve(rule, problem, x0=x0, until=5., rtol=1e-12, atol=1e-12, **params)
    back = solve(rule, problem, x0={s: v[-1] for s, v in there.states.items()}, t0=5., until=0., rtol=1e-12, atol=1e-12, **params)
    assert np.abs(back.x[-1] - x0).max() < 1e-10 and back.t[0] == 5. and back.t[-1] == 0.


def test_the_same_call_has_the_same_bits_and_data_are_not_part_of_the_code():
    first, again = ran("rosenbrock"), ran("rosenbrock")
    assert (first.t == again.t).all() and (first.x == again.x).all()
    texts = []
    for spectrum in ([1., 30.], [2., 7.]):
        run = solve(damped, quadratic(spectrum), x0=[1., 1.], until=3., gamma=.3, rtol=1e-9, atol=1e-12)
        texts.append([made[0][0].text for made in series._made.values() if isinstance(made[0], tuple)][-1])
        lam, g = np.array(spectrum), .15
        w = np.sqrt(lam - g*g)
        assert np.abs(run.x[-1] - np.exp(-g*3)*(np.cos(3*w) + g/w*np.sin(3*w))).max() < 1e-8
    assert texts[0] == texts[1]


@pytest.mark.parametrize("rates, start, status", [(lambda x: x*x, 1., "diverged"), (lambda x: sqrt(1 - x), 0., "success"),
                                                  (lambda x: -1/x, 1., "step_too_small"), (lambda x: log(x), .5, "nonfinite")])
def test_ends_are_told_as_the_interpreter_tells_them(rates, start, status, monkeypatch):
    rule = flow(lambda x: rates(x))
    runs = [solve(rule, x0=[start], until=4. if status != "success" else 1., method="taylor")]
    monkeypatch.setattr(series, "MOST_ENTRIES", 0)
    series._made.clear()
    runs.append(solve(rule, x0=[start], until=4. if status != "success" else 1., method="taylor"))
    series._made.clear()
    assert runs[0].status == runs[1].status
    assert abs(runs[0].t[-1] - runs[1].t[-1]) <= 1e-6 and np.isfinite(last(runs[0])).all()


def test_tolerances_that_are_zero():
    """A state at zero without an absolute tolerance: no error is allowed where there is none; entries that stay there do not count."""
    run = solve(damped, quadratic([1., 4.]), x0={"x": [1., 0.], "v": [0., 0.]}, until=2., gamma=0., rtol=1e-9, atol=np.array([0., 0., 1e-9, 0.]))
    assert run.success and abs(run.x[-1, 0] - np.cos(2)) < 1e-8 and (run.x[:, 1] == 0).all()
    many = solve(damped, quadratic([1., 4.]), x0={"x": [[1., 0.]]*20, "v": [[0., 0.]]*20}, until=2., gamma=0., rtol=1e-9,
                 atol=np.array([0., 0., 1e-9, 0.]))
    assert many.success and (many.x[:, -1] == run.x[-1]).all()
    loose = solve(damped, quadratic([1., 4.]), x0=[1., 1.], until=2., gamma=0., rtol=0., atol=1e-9)
    assert loose.success and np.abs(loose.x[-1] - np.cos([2., 4.])).max() < 1e-8


def test_many_steps_and_events():
    run = solve(damped, double_well(), x0=[.4, .3], until=2000., gamma=0., rtol=1e-10, atol=1e-10, events={"left": lambda v: v[0]})
    assert len(run.t) > 2048 and run.success
    assert np.abs(run.energy - run.energy[0]).max() < 1e-5
    assert len(run.events["left"]["t"]) > 100 and np.abs(run.events["left"]["v"][:, 0]).max() < 1e-8


def test_a_flow_that_cannot_be_traced_is_told_about_as_before():
    with pytest.raises(ParameterError, match="taylor"):
        solve(flow(lambda x, *, past: -past(x, 1.)), x0=[1.], until=2., method="taylor")
