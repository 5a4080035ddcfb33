"""What the page needs to know of a rule: its printed step, its parameters with ranges, how it starts, and what theory derived."""
from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from ..catalog.index import example
from ..core.errors import ParameterError, RuleError
from ..core.expr import walk
from ..core.rule import Flow, Method, Rule
from ..emit.js import js_step
from ..run.setup import matrix_names, prepare, split_parameters
from ..theory.linear import linearize
from ..theory.stability import stability
from ..theory.symbols import symbol
from ..theory.tuning import optimum
from . import flows
from .formulas import function, lines, tree, verdict
from .problems import Printed

STEPS = ("eta", "h", "lr", "alpha", "s")                       # names of the step size, the likeliest first
USUAL = {"gamma": 1.0, "h": .1, "m": 1.0, "sigma": .1, "r": 3.0, "eps": 1e-8, "nu": .7, "s": .05}
GUESSES = (.5, .1, .9, .02, .99, 1.0, .004)
TRIALS = 64
SPECTRUM = np.array([1.0, 10.0])
LETTERS = {symbol("lam"): r"\lambda", symbol("nu"): r"\nu"}


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


def parameters(rule: Method, given: dict[str, Any]) -> dict[str, Any]:
    """Values to begin with: those given, the example of the catalogue, defaults, else the first guesses that decay."""
    values = {n: v for n, v in rule.defaults.items() if n in rule.params}
    known = example.of.get(rule.name)
    if known is not None:
        values |= {n: v for n, v in known.params.items() if n in (*rule.params, *rule.signature.counts)}
    values |= given
    values |= {n: v for n, v in zip(("mu", "L"), SPECTRUM.tolist()) if n in rule.params and n not in values}
    missing = [n for n in rule.params if n not in values]
    return values | _guessed(rule, values, missing) if missing else values


def _guessed(rule: Method, values: dict[str, Any], missing: list[str]) -> dict[str, float]:
    """Usual values where they decay, else the plain numbers under which forty steps of the declaration do most."""
    best = (math.inf, {n: USUAL.get(n, .1) for n in missing})
    usual = {n: v for n, v in USUAL.items() if n in missing}
    values = values | usual
    missing = [n for n in missing if n not in usual]
    for choice in itertools.islice(itertools.product(GUESSES, repeat=len(missing)), TRIALS):
        trial = dict(zip(missing, choice))
        size = _decayed(rule, values | trial)
        if size < best[0]:
            best = (size, usual | trial)
    return best[1]


def _decayed(rule: Method, values: dict[str, Any]) -> float:
    from ..catalog.problems import quadratic
    from ..run.reference import plain_run
    try:
        with np.errstate(all="ignore"):
            run = plain_run(rule, quadratic(SPECTRUM), x0=[1.0, 1.0], steps=40, **values)
    except (ParameterError, RuleError, ArithmeticError, ValueError):
        return math.inf
    return float(np.abs(run.states[rule.state[0]][-1]).max()) if run.status == "success" else math.inf


def span(name: str, value: float) -> tuple[float, float] | None:
    """The range of a slider by the meaning of the name; None for a step size, whose range follows from the stability region."""
    if name in STEPS[:3]:
        return None
    if name.startswith(("beta", "alpha", "nu", "theta", "momentum", "dampening")):
        return -1.0, 1.0
    if value > 0:
        return 0.0, 4*value
    return (-2.0, 2.0) if value == 0 else (4*value, -4*value)


def describe(rule: Method, printed: Printed, problem: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The rule as data of the page; its printed step goes to `printed`."""
    wrong = [o for o in rule.oracles if o.partition("_")[2]]
    if wrong:
        raise RuleError(f"explore: {rule.name} asks for {', '.join(wrong)}, several fields, expected one gradient `grad(x)`; "
                        "draw it with plot_paths, or derive it with stability(rule, mode=...)")
    fixed, numbers, vectors, matrices = split_parameters(rule, parameters(rule, given))
    if any(v.ndim for v in numbers.values()):
        raise ParameterError(f"explore: {rule.name} was given an array of parameter values, expected one number each; write eta=0.1")
    source = js_step(fixed.program, vectors, matrix_names(fixed.program))
    arrays = {"constant": lambda n: source.constants[int(n)], "vector": lambda n: vectors[n], "matrix": lambda n: matrices[n]}
    values = {n: float(v) for n, v in numbers.items()}
    order = sorted(source.params, key=lambda n: (STEPS.index(n) if n in STEPS else len(STEPS), list(fixed.params).index(n)))
    return {"name": rule.name, "source": rule.source, "states": list(fixed.state), "scalars": [s in fixed.scalars for s in fixed.state],
            "code": printed.function(source.source), "arrays": [printed.array(arrays[k](n)) for k, n in source.arrays],
            "oracles": list(source.oracles), "formula": lines(fixed._repr_latex_()),
            "start": _starts(fixed, problem, numbers, vectors, matrices),
            "params": [{"name": n, "place": source.params.index(n), "value": values[n], "span": span(n, values[n]), "step": n in STEPS}
                       for n in order],
            "h": source.params.index("h") if "h" in source.params else -1, "t0": _first_time(fixed), "lags": _lags(fixed),
            "flows": [] if source.arrays else flows.describe(fixed, printed), "theory": theory(fixed, printed, bool(source.arrays))}


def _starts(rule: Method, problem: Any, numbers: dict, vectors: dict, matrices: dict) -> list[Any]:
    """For each state "x" where it starts at the start, else the number that all its entries start at."""
    known = example.of.get(rule.name)
    first = next(s for s in rule.state if s not in rule.scalars)
    probe = np.resize(np.array([1.7, -.9]), problem.dim or 2)
    named = {first: probe} | {n: np.full(probe.size, v) if n not in rule.scalars else v for n, v in (known.start if known else {}).items()}
    states = prepare(rule, problem, named, {n: float(v) for n, v in numbers.items() if n in rule.params}
                     | {n: v for n, v in (vectors | matrices).items() if n in rule.params and n not in rule.bound}).states
    return ["x" if v.shape[-1] == probe.size and np.array_equal(v[0], probe) else float(v[0, 0]) for v in (states[s] for s in rule.state)]


def _first_time(rule: Method) -> float:
    """Where the clock starts: 0, or 1 for a rule that divides by the time."""
    divided = [n.args[1] for n in rule.program.everything if n.op == "div"]
    return 1.0 if any(leaf.data == "t" for d in divided for leaf in walk([d]) if leaf.op == "param") else 0.0


def _lags(rule: Method) -> list[int]:
    """How far back each state is looked at; -1 where that is no literal."""
    found = [0]*len(rule.state)
    for n in rule.program.everything:
        if n.op == "past":
            j = rule.state.index(n.args[0].data)
            found[j] = max(found[j], int(n.args[1].data)) if n.args[1].op == "const" else -1
    return found


def theory(rule: Method, printed: Printed, mixes: bool) -> dict[str, Any]:
    """What was derived: the region with its proof, its boundaries, or why there is none; `mixes` says that arrays enter the step."""
    if mixes:
        return {"linear": False, "why": "arrays enter the step, so that coordinates follow different rules"}
    linear, region, proof, why = _derived(rule)
    if region is None:
        return {"linear": False, "why": why}
    names = [*rule.params, "lam"]
    found = {"linear": not rule.scalars and -1 not in _lags(rule), "settled": linear.settled, "names": names, "why": why}
    if proof is None:
        return found | {"status": "unknown"}
    found |= {"optimum": _optimum(rule, printed)}
    inside = verdict(region.conditions, names)
    shown = region._repr_latex_().strip("$ ").removeprefix(r"\displaystyle").split(r",\;")
    return found | {"status": proof.status, "method": proof.method, "region": [tree(part) for part in shown], "text": str(region),
                    "inside": None if inside is None else printed.function(inside), "boundaries": _boundaries(region, names, printed)}


@lru_cache(maxsize=64)
def _derived(rule: Method) -> tuple[Any, Any, Any, str]:
    """(linearization, region, proof, why something is missing); rules that do the same share one derivation."""
    try:
        linear = linearize(rule)
    except RuleError as error:
        return None, None, None, str(error)
    region = stability(rule)
    return linear, region, None if region.unknown else region.proof, region.unknown


def _optimum(rule: Method, printed: Printed) -> dict[str, Any] | None:
    """The best parameters over [mu, L] in closed form, where that was derived for rules of one or two parameters."""
    tuned = _tuned(rule) if 1 <= len(rule.params) <= 2 else None
    source = None if tuned is None else function([tuned.params[n] for n in rule.params], ["mu", "L"])
    if tuned is None or source is None:
        return None
    formulas = [sympy.Eq(symbol(n), e, evaluate=False) for n, e in (*tuned.params.items(), ("rho", tuned.rho))]
    return {"code": printed.function(source), "names": list(rule.params), "status": tuned.proof.status,
            "formula": [tree(sympy.latex(e)) for e in formulas]}


@lru_cache(maxsize=64)
def _tuned(rule: Method) -> Any:
    try:
        return optimum(rule)
    except RuleError:
        return None


def _boundaries(region: Any, names: list[str], printed: Printed) -> list[dict[str, Any]]:
    found = []
    for boundary in region.boundaries:
        source = function([boundary.curve], names)
        found.append({"kind": boundary.kind, "curve": None if source is None else printed.function(source),
                      "formula": tree(sympy.latex(sympy.Eq(boundary.curve, 0, evaluate=False), symbol_names=LETTERS))})
    return found
