"""What the page needs to know of a rule: its printed step, its parameters with ranges, how it starts, and what theory derived."""
from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from ..catalog.index import example
from ..core.errors import ParameterError, RuleError
from ..core.expr import walk
from ..core.rule import Flow, Method, Rule
from ..emit.js import js_step
from ..run.setup import matrix_names, prepare, split_parameters
from . import flows
from .derived import lags, theory
from .formulas import lines
from .printed import Printed

CERTAIN = ("eta", "h", "lr", "learning_rate", "step_size", "step", "dt")
STEPS = (*CERTAIN, "alpha", "s")                               # names of the step size, the likeliest first
USUAL = {"gamma": 1.0, "h": .1, "m": 1.0, "sigma": .1, "r": 3.0, "eps": 1e-8, "nu": .7, "s": .05}
GUESSES = (.5, .1, .9, .02, .99, 1.0, .004)
TRIALS = 64
SPECTRUM = np.array([1.0, 10.0])


def as_method(rule: Rule, given: dict[str, Any] | None = None) -> Method:
    """A method with its counts fixed, as given or as in its example; a flow by the scheme that fits its state."""
    if isinstance(rule, Method):
        values = (example.of[rule.name].params if rule.name in example.of else {}) | (given or {})
        counts = {n: values[n] for n in rule.signature.counts if n in values and n not in rule.counts}
        return rule.at(**counts) if counts else rule
    if not isinstance(rule, Flow):
        raise ParameterError(f"explore: found {type(rule).__name__} {rule!r:.40}, expected a rule; write explore(heavy_ball, rosenbrock())")
    from ..catalog.schemes import rk4, symplectic_euler
    try:
        return symplectic_euler(rule)
    except RuleError:
        return rk4(rule)


def parameters(rule: Method, given: dict[str, Any], tried: Any = None) -> dict[str, Any]:
    """Values to begin with: those given, the example of the catalogue, defaults, else the guesses that decay most on `tried`,
    a problem with its description.
    """
    values = {n: v for n, v in rule.defaults.items() if n in rule.params}
    known = example.of.get(rule.name)
    if known is not None:
        values |= {n: v for n, v in known.params.items() if n in (*rule.params, *rule.signature.counts)}
    values |= given
    values |= {n: v for n, v in zip(("mu", "L"), SPECTRUM.tolist()) if n in rule.params and n not in values}
    missing = [n for n in rule.params if n not in values]
    return values | _guessed(rule, values, missing, tried) if missing else values


def _guessed(rule: Method, values: dict[str, Any], missing: list[str], tried: Any) -> dict[str, float]:
    """Usual values where they decay, else the plain numbers under which forty steps of the declaration do most."""
    best = (math.inf, {n: USUAL.get(n, .1) for n in missing})
    usual = {n: v for n, v in USUAL.items() if n in missing}
    values = values | usual
    missing = [n for n in missing if n not in usual]
    for choice in itertools.islice(itertools.product(GUESSES, repeat=len(missing)), TRIALS):
        trial = dict(zip(missing, choice))
        size = _decayed(rule, values | trial, tried)
        if size < best[0]:
            best = (size, usual | trial)
    return best[1]


def _decayed(rule: Method, values: dict[str, Any], tried: Any) -> float:
    """How far from rest the last of forty steps end."""
    from ..run.reference import plain_run
    problem, there = tried
    starts, ends = (_players(rule, there, np.array(there[key])) for key in ("start", "minimizer"))
    try:
        with np.errstate(all="ignore"):
            run = plain_run(rule, problem, x0=starts, steps=40, **values)
    except (ParameterError, RuleError, ArithmeticError, ValueError):
        return math.inf
    name = next(iter(ends))
    return float(np.abs(run.states[name][-5:] - ends[name]).max()) if run.status == "success" else math.inf


def span(name: str, value: float) -> tuple[float, float] | None:
    """The range of a slider by the meaning of the name; None for a step size, whose range follows from the stability region."""
    if name in CERTAIN:
        return None
    if name.startswith(("beta", "alpha", "nu", "theta", "momentum", "dampening")):
        return -1.0, 1.0
    if value > 0:
        return 0.0, 4*value
    return (-2.0, 2.0) if value == 0 else (4*value, -4*value)


def describe(rule: Method, printed: Printed, problem: Any, there: dict[str, Any], given: dict[str, Any],
             named: dict[str, Any] | None = None) -> dict[str, Any]:
    """The rule as data of the page; its printed step goes to `printed`. `there` is the problem as data of the page."""
    game = (problem, there) if "players" in there else None
    fixed, numbers, vectors, matrices = split_parameters(rule, parameters(rule, given, (problem, there)))
    if any(v.ndim for v in numbers.values()):
        raise ParameterError(f"explore: {rule.name} was given an array of parameter values, expected one number each; write eta=0.1")
    source = js_step(fixed.program, vectors, matrix_names(fixed.program))
    arrays = {"constant": lambda n: source.constants[int(n)], "vector": lambda n: vectors[n], "matrix": lambda n: matrices[n]}
    values = {n: float(v) for n, v in numbers.items()}
    order = sorted(source.params, key=lambda n: (STEPS.index(n) if n in STEPS else len(STEPS), list(fixed.params).index(n)))
    return {"name": rule.name, "source": rule.source, "states": list(fixed.state), "scalars": [s in fixed.scalars for s in fixed.state],
            "code": printed.function(source.source), "arrays": [printed.array(arrays[k](n)) for k, n in source.arrays],
            "oracles": list(source.oracles), "formula": lines(fixed._repr_latex_()),
            **_starts(fixed, problem, there, named or {}, numbers, vectors, matrices),
            "params": [{"name": n, "place": source.params.index(n), "value": values[n], "span": span(n, values[n]), "step": n in STEPS}
                       for n in order],
            "h": source.params.index("h") if "h" in source.params else -1, "t0": _first_time(fixed), "lags": lags(fixed),
            "flows": [] if source.arrays or game else flows.describe(fixed, printed), "theory": theory(fixed, printed, bool(source.arrays), there)}


def _players(rule: Method, there: dict[str, Any], z: np.ndarray) -> dict[str, np.ndarray]:
    """A point of the problem as the first states of a rule, one for each player."""
    sizes = there.get("players", [there["dim"]])
    return dict(zip([s for s in rule.state if s not in rule.scalars], np.split(z, np.cumsum(sizes)[:-1])))


def _starts(rule: Method, problem: Any, there: dict[str, Any], given: dict, numbers: dict, vectors: dict,
            matrices: dict) -> dict[str, Any]:
    """For each state "x" or "y" where it starts at the start of that player, else its entries; and whose coordinates it has."""
    known = example.of.get(rule.name)
    probes = _players(rule, there, np.resize(np.array([1.7, -.9, 1.3]), there["dim"]))
    first = next(iter(probes.values()))
    named = probes | {n: np.full(first.size, v) if n not in rule.scalars else v for n, v in (known.start if known else {}).items()}
    named |= {n: np.broadcast_to(np.asarray(v, dtype=float), (1 if n in rule.scalars else first.size,)) for n, v in given.items()}
    states = prepare(rule, problem, named, {n: float(v) for n, v in numbers.items() if n in rule.params}
                     | {n: v for n, v in (vectors | matrices).items() if n in rule.params and n not in rule.bound}).states
    letters = [(letter, p) for letter, p in zip("xy", probes.values())]
    start = [next((letter for letter, p in letters if np.array_equal(v[0], p)), _entries(v[0])) for v in (states[s] for s in rule.state)]
    sizes = [p.size for p in probes.values()]
    owner = [sizes.index(states[s].shape[-1]) if states[s].shape[-1] in sizes else 0 for s in rule.state]
    return {"start": start, "owner": [letters.index(next(q for q in letters if q[0] == s)) if s in ("x", "y") else n
                                      for s, n in zip(start, owner)]}


def _entries(v: np.ndarray) -> float | list[float]:
    """One number where all entries are equal, which then serves problems of any dimension."""
    return float(v[0]) if np.all(v == v[0]) else v.tolist()


def _first_time(rule: Method) -> float:
    """Where the clock starts: 0, or 1 for a rule that divides by the time."""
    divided = [n.args[1] for n in rule.program.everything if n.op == "div"]
    return 1.0 if any(leaf.data == "t" for d in divided for leaf in walk([d]) if leaf.op == "param") else 0.0
