"""The waist holds for hard rules: thirty rules chosen to break a naive design are traced, printed, run, and compared.

Methods: the compiled kernel beside the plain declaration on numpy arrays, 200 steps. Flows: the compiled right-hand side beside
the declaration at random states, and a run through `solve`.
"""
import importlib.util
import pathlib

import numpy as np
import pytest

from dynopt import Flow, Game, Method, bilinear, iterate, per_coordinate, quadratic, solve
from dynopt.run.reference import plain_run

DATA = pathlib.Path(__file__).parent/"data"/"hard_rules.py"
SPEC = importlib.util.spec_from_file_location("hard_rules", DATA)
HARD = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(HARD)
NAMES = sorted(HARD.VALUES)
METHODS = [n for n in NAMES if isinstance(getattr(HARD, n), Method)]
FLOWS = [n for n in NAMES if isinstance(getattr(HARD, n), Flow)]
SPECTRUM = np.array([1., 2., 5., 10.])
X0 = np.array([1., -2., .5, 1.5])
# plain arithmetic agrees to rounding; a Newton solve, a power or a reduction in another order to a few ulp of the largest entry
LOOSE = {"implicit_damped": 2e-14, "bdf2_descent": 2e-14}
FEW_ULP = 4e-15


def case(name):
    """Rule, problem, start and parameters of one hard rule."""
    rule, values = getattr(HARD, name), dict(HARD.VALUES[name])
    if name == "per_block_momentum":
        values["beta"] = per_coordinate(values["beta"])
    if name == "alternating_descent":
        return rule, bilinear([[1.]]), {"x": [1.], "y": [.5]}, values
    if name == "fed_avg":
        return rule, Game([lambda x: SPECTRUM*x, lambda x: SPECTRUM[::-1].copy()*(x - 1)]), X0, values
    return rule, quadratic(SPECTRUM), HARD.START.get(name, X0), values


def test_there_are_thirty():
    assert len(NAMES) == 30 and len(METHODS) + len(FLOWS) == 30


@pytest.mark.parametrize("name", NAMES)
def test_it_is_traced_and_printed(name):
    rule, _, _, values = case(name)
    fixed = rule.at(**{c: values[c] for c in rule.signature.counts})
    listing = str(fixed.program)
    mark = "'" if isinstance(rule, Flow) else "_next"
    assert all(f"{s}{mark} = " in listing for s in rule.state)
    assert rule.source and rule.source in repr(rule)
    assert fixed._repr_latex_().startswith("$$")
    assert fixed.program.key == type(fixed)(rule.function, rule.signature, "again", counts=fixed.counts).program.key


@pytest.mark.parametrize("name", METHODS)
def test_a_compiled_method_agrees_with_its_declaration(name):
    rule, problem, x0, values = case(name)
    run = iterate(rule, problem, x0=x0, steps=200, seed=7, **values)
    plain = plain_run(rule, problem, x0=x0, steps=200, seed=7, **values)
    assert run.status == plain.status == "success"
    for state in rule.state:
        size = np.abs(plain[state]).max()
        assert np.abs(run[state] - plain[state]).max() <= LOOSE.get(name, FEW_ULP)*size, state
    moved = np.abs(run[rule.state[0]][-1] - run[rule.state[0]][0]).max()
    assert moved > 1e-3, "a run that does not move compares nothing"


@pytest.mark.parametrize("name", METHODS)
def test_the_run_stays_bounded(name):
    """Every hard method is stable (or bounded) at its values, so that an agreement is no accident of a blow-up."""
    rule, problem, x0, values = case(name)
    run = iterate(rule, problem, x0=x0, steps=400, seed=3, **values)
    assert np.abs(run[rule.state[0]][-100:]).max() < 10


@pytest.mark.parametrize("name", FLOWS)
def test_a_flow_is_solved(name):
    rule, problem, x0, values = case(name)
    problem = problem if rule.oracles else None
    start = {"x": X0} if name != "lorenz" and name != "kepler" else x0
    extra = {"method": "euler_maruyama", "seed": 1} if name == "langevin" else {}
    run = solve(rule, problem, x0=start, until=2., **extra, **values)
    assert run.success and run.t[-1] == 2.
    first = run[rule.state[0]]
    assert np.isfinite(first).all() and np.abs(first[-1] - first[0]).max() > 1e-3
