"""Every published method on every loss: the compiled kernel beside the plain declaration on numpy arrays, over 200 steps.

New methods join by themselves. A pair that diverges, or disagrees because its own run magnifies the smallest disturbance, is left
out; the last test counts these.
"""
from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from losses import METHODS, PROBLEMS, runs, soft_threshold

from dynopt import Problem, iterate, rules
from dynopt.run import compiled
from dynopt.run.reference import plain_run

STEPS = 200
PLAIN = 4e-16                                       # plain arithmetic: two roundings of the largest entry at most
FEW_ULP = 4e-15                                     # sums in another order, exp and log, Newton's method
LOOSE_OPS = {"implicit", "exp", "log", "sin", "cos", "tanh", "mean", "norm", "dot", "sum", "matmul"}
LEFT_OUT: list[str] = []
UNCHANGED = compiled.compiled_field


def distance(a, b, states) -> float:
    """Largest difference of two runs, relative to the largest entry on the path."""
    size = max(np.abs(a[s]).max() for s in states)
    return max(np.abs(a[s] - b[s]).max() for s in states)/size


@cache
def plain(name: str, where: str, nudge: float = 0.0):
    """The declaration on arrays; `nudge` disturbs the start and every gradient by about that much."""
    [(problem, start, params)] = [r[1:] for r in runs(name) if r[0] == where]
    start = {s: np.array(v)*(1 + nudge) for s, v in start.items()}
    with np.errstate(over="ignore", invalid="ignore"):
        return plain_run(rules[name], tilted(problem, nudge), x0=start, steps=STEPS, seed=7, **params)


def tilted(problem, nudge: float):
    """The loss with a constant added to its gradient."""
    if not nudge or not isinstance(problem, Problem):
        return problem
    return Problem(lambda x: problem.fields["f"].function(x) + nudge*x.sum(), dim=2, prox=soft_threshold)


def stable(name: str, where: str) -> bool:
    """Whether a run does not magnify disturbances tenfold: what its own declaration says of it, without the kernel."""
    run, near = plain(name, where), plain(name, where, 1e-12)
    return near.status == "success" and distance(run, near, rules[name].state) < 1e-11


@pytest.fixture(scope="module")
def one_oracle():
    """The five losses behind one compiled oracle that is told which of them is meant, so that a method is compiled once, not five
    times. The oracle of each loss is the one that `iterate` compiles."""
    dispatchers: dict[str, tuple] = {}

    def dispatcher(name: str) -> tuple:
        parts = [UNCHANGED(name, problem.fields[name], None) for problem, _ in PROBLEMS.values()]
        out = "" if name == "f" else "out, "
        args = "u, s, " if name == "prox" else "x, v, " if name == "hess" else "x, "
        lines, data = [f"def {name}_({args}{out}data):"], []
        for i, (_, arrays) in enumerate(parts):
            own = "".join(f"data[{1 + len(data) + j}], " for j in range(len(arrays)))
            lines += [f"    if data[0] == {i}:", f"        {'return ' if name == 'f' else ''}part{i}_({args}{out}({own}))"]
            data += arrays
        lines += ["    return 0.0"] if name == "f" else []
        return compiled.build("\n".join(lines), {f"part{i}_": o for i, (o, _) in enumerate(parts)})[f"{name}_"], tuple(data)

    def compiled_field(name, field, black_box):
        owners = [i for i, (problem, _) in enumerate(PROBLEMS.values()) if problem.fields.get(name) is field]
        if not owners:
            return UNCHANGED(name, field, black_box)
        if name not in dispatchers:
            dispatchers[name] = dispatcher(name)
        oracle, data = dispatchers[name]
        return oracle, (owners[0], *data)
    compiled.compiled_field = compiled_field
    yield
    compiled.compiled_field = UNCHANGED


@pytest.mark.parametrize("name", METHODS)
def test_the_kernel_agrees_with_the_declaration(name, one_oracle):
    rule, left_out = rules[name], []
    fixed = rule.at(**{c: v for c, v in rules.example(name).params.items() if c in rule.signature.counts})
    loose = LOOSE_OPS & {n.op for n in fixed.program.everything}
    for where, problem, start, params in runs(name):
        run, declared = iterate(rule, problem, x0=start, steps=STEPS, seed=7, **params), plain(name, where)
        assert run.status == declared.status, where
        limit = FEW_ULP if loose or where == "logistic" else PLAIN
        if run.status != "success" or (distance(declared, run, rule.state) > limit and not stable(name, where)):
            left_out.append(f"{name} on {where}")
            continue
        assert distance(declared, run, rule.state) <= limit, where
        moved = np.abs(run[rule.state[0]] - run[rule.state[0]][0]).max()
        assert moved > 1e-3, f"{where}: a run that does not move compares nothing"
    LEFT_OUT.extend(left_out)
    assert len(left_out) <= 1, f"example parameters of {name} are stable on too few losses: {left_out}"


@pytest.mark.parametrize("name", ["heavy_ball", "adam", "clipped_gradient_descent"])
def test_the_usual_path_agrees_too(name):
    """Without the shared oracle, on the losses themselves."""
    for where, problem, start, params in runs(name):
        run = iterate(rules[name], problem, x0=start, steps=STEPS, seed=7, **params)
        assert distance(plain(name, where), run, rules[name].state) <= FEW_ULP, where


def test_what_was_left_out_is_counted(capsys):
    """Of the pairs that this process has compared."""
    pairs = sum(len(list(runs(name))) for name in METHODS)
    with capsys.disabled():
        print(f"\nagreement: {pairs} pairs of a method and a loss; {len(LEFT_OUT)} unstable, left out: {', '.join(LEFT_OUT)}")
    assert len(LEFT_OUT) <= .03*pairs
    assert not [pair for pair in LEFT_OUT if pair.endswith("on quadratic")], "examples are stable on curvatures in [1, 10]"
