"""Energies along flows: their rate of change, and a proof of its sign for every f of a class, in any dimension.

An energy is a combination of f(x) - f* and inner products of states and grad f(x), with coefficients in parameters and the time; the
minimizer is the origin and f* = 0. The class enters as inequalities, each with a multiplier that is never negative.
"""
from __future__ import annotations

import inspect
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Callable, Iterable

import numpy as np
import sympy
from sympy import Expr, Integer

from ..core.errors import RuleError
from ..core.expr import Node, as_node, evaluate, leaf, replace
from ..core.rule import Flow, Method, Rule
from ..core.strings import rule_from_string
from . import smt
from .atoms import Formula
from .linear import linearize
from .proof import Proof
from .relations import assumptions
from .symbols import symbol

G, HV, VALUE = "grad f", "hess f v", "f"
Vector = dict[str, Expr]
Scalar = dict[Any, Expr]                                # VALUE or a sorted pair of atoms -> coefficient
CLASSES = ("convex", "strongly convex", "smooth")


class NoEnergy(RuleError):
    """An energy or a flow beyond f(x), states, gradients at x and their inner products."""


@dataclass(frozen=True)
class Lyapunov:
    """`rate`: dE/dt (for a method: the increment on a mode) as {term: coefficient}; `proof` that it is never positive.

    `on_mode` is the same on f = lam x^2/2 in one dimension; `proof.counterexample` is a point there where the energy grows.
    """

    rate: dict[Any, Expr]
    on_mode: Expr
    proof: Proof
    assumed: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.proof.status == "proved"

    def __str__(self) -> str:
        terms = [f"({c})*{k if isinstance(k, str) else f'<{k[0]}, {k[1]}>'}" for k, c in self.rate.items()]
        return f"dE/dt = {' + '.join(terms) or '0'}; dE/dt <= 0 {self.proof}"


def lyapunov(rule: Rule, energy: Callable | str, given: Iterable[str] = ()) -> Lyapunov:
    """The rate of change of an energy along a flow and a proof that it is never positive; for a Method its increment on quadratics.

    `energy` is a function of the states by name, with t, f and parameters as keywords, or text: "t**2*f(x) + 2*norm(x + t/2*v)**2"
    (x stands for x - x*, f for f - f*); `given` holds the class of f ("convex", "strongly convex" with mu, "smooth" with L) and
    relations such as "gamma > 0"; a time in the energy is taken positive. Returns Lyapunov.
    Raises RuleError for an energy that is no such combination and for relations that exclude each other.

    >>> from dynopt import nesterov_flow
    >>> lyapunov(nesterov_flow.subs(r=3), "t**2*f(x) + 2*norm(x + t/2*v)**2", given=("convex", "t > 0")).proof.status
    'proved'
    """
    given = (given,) if isinstance(given, str) else tuple(given)
    classes = tuple(g.replace("_", " ") for g in given if g.replace("_", " ") in CLASSES)
    relations = tuple(g for g in given if g.replace("_", " ") not in CLASSES)
    _consistent(relations)
    node = read_energy(rule, energy)
    value = scalar_of(node, {s: {s: Integer(1)} for s in rule.state})
    if isinstance(rule, Flow):
        rate = rate_of(value, rule)
        on_mode = mode_of(rate, rule.state)
        proof = prove(rate, classes, relations, rule)
    elif isinstance(rule, Method):
        rate, on_mode = increment(value, rule)
        proof = prove_on_mode(rate, rule.state, classes, relations)
    else:
        raise RuleError(f"lyapunov: found {type(rule).__name__}, expected a Flow or a Method")
    return Lyapunov(rate, on_mode, refuted(proof, on_mode, classes, relations), (*classes, *relations))


def _consistent(relations: tuple[str, ...]) -> None:
    """Relations that exclude each other, or the positive time, would prove anything."""
    if not relations:
        return
    formulas, _ = assumptions([*relations, symbol("t") > 0])
    if smt.decide(formulas, ms=4000).verdict == "unsat":
        raise RuleError(f"lyapunov: given={relations!r} holds nowhere, since time is taken positive (t > 0); write relations that can "
                        "hold together")


def read_energy(rule: Rule, energy: Callable | str) -> Node:
    """The energy as an expression of states, parameters and the oracle f."""
    states = {s: leaf("state", s) for s in rule.state}
    if isinstance(energy, str):
        made = rule_from_string(Flow, f"energy_value = {energy}", "energy_value", name="energy")
        return replace(made.program.outputs, {leaf("param", s): v for s, v in states.items()})[0]
    oracles = {"f": lambda x: Node("call", x, data=("f", 0)), "grad": lambda x: Node("call", x, data=("grad", 0))}
    names = inspect.signature(energy).parameters
    values = {n: states.get(n) if n in states else oracles.get(n) or leaf("param", n) for n in names}
    keyword = {n: v for n, v in values.items() if names[n].kind is inspect.Parameter.KEYWORD_ONLY}
    return as_node(energy(*(v for n, v in values.items() if n not in keyword), **keyword))


# -- algebra of vectors and inner products --------------------------------------------------------------------------

def pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a <= b else (b, a)


def inner(a: Vector, b: Vector) -> Scalar:
    out: Scalar = {}
    for s, c in a.items():
        for t, d in b.items():
            out[pair(s, t)] = out.get(pair(s, t), Integer(0)) + c*d
    return out


def combined(a: dict, b: dict, sign: int = 1) -> dict:
    out = dict(a)
    for k, c in b.items():
        out[k] = out.get(k, Integer(0)) + sign*c
    return {k: v for k, c in out.items() if (v := sympy.cancel(sympy.together(c)) if c.is_rational_function() else sympy.expand(c)) != 0}


def scaled(c: Expr, a: dict) -> dict:
    return {k: c*v for k, v in a.items()}


def scalar_of(node: Node, states: dict[str, Vector]) -> Scalar:
    """An energy as {VALUE or pair of vectors: coefficient}."""
    [found] = walk_values([node], states)
    if found[0] == "scalar":
        return found[1]
    raise NoEnergy(f"energy: {node!r:.60} is a {found[0]}, expected one number: f(x), inner products, squared norms and their combinations")


def vectors_of(rule: Rule) -> dict[str, Vector]:
    """The rates of a flow as combinations of states and grad f(x)."""
    found = walk_values(rule.program.outputs, {s: {s: Integer(1)} for s in rule.state})
    if any(k != "vector" for k, _ in found):
        raise NoEnergy(f"{rule.name}: its rates are not combinations of states and gradients")
    return {s: v for s, (_, v) in zip(rule.state, found)}


def walk_values(roots: Iterable[Node], states: dict[str, Vector]) -> list[tuple[str, Any]]:
    first = next(iter(states))

    def value(n: Node) -> tuple[str, Any]:
        if n.op == "state":
            return "vector", states[n.data]
        if n.op == "param":
            return "number", symbol(n.data)
        return "number", sympy.pi if n.op == "pi" else sympy.Rational(n.data.numerator, n.data.denominator)

    def apply(n: Node, args: list) -> tuple[str, Any]:
        kinds, contents = [a[0] for a in args], [a[1] for a in args]
        if n.op == "call":
            return _call(n, contents, first, states)
        if all(k == "number" for k in kinds):
            from .trees import _number
            return "number", _number(n, contents)
        if n.op == "norm":
            return "norm", contents[0]
        if n.op in ("sum", "like") and kinds[0] == "scalar":
            return args[0]
        if n.op == "dot" or (n.op == "mul" and kinds in (["vector"]*2, ["norm"]*2) and (kinds[0] == "vector" or contents[0] == contents[1])):
            return "scalar", combined(inner(*contents), {})
        if n.op == "pow" and kinds[0] in ("norm", "vector") and contents[1] == 2:
            return "scalar", combined(inner(contents[0], contents[0]), {})
        if n.op in ("add", "sub") and kinds[0] == kinds[1]:
            return kinds[0], combined(contents[0], contents[1], 1 if n.op == "add" else -1)
        if n.op == "neg":
            return kinds[0], scaled(Integer(-1), contents[0])
        if n.op == "mul" and "number" in kinds and "norm" not in kinds:
            at = kinds.index("number")
            return kinds[1 - at], scaled(contents[at], contents[1 - at])
        if n.op == "div" and kinds[1] == "number" and kinds[0] != "norm":
            return kinds[0], scaled(1/contents[1], contents[0])
        raise NoEnergy(f"{n!r:.60} is no combination of f(x), states and gradients with inner products")
    return evaluate(roots, value, apply)


def _call(n: Node, contents: list, first: str, states: dict[str, Vector]) -> tuple[str, Any]:
    kind = n.data[0]
    if contents and contents[0] != {first: 1}:
        raise NoEnergy(f"{n!r:.60}: energies know f and its gradient at {first} only")
    if kind == "f":
        return "scalar", {VALUE: Integer(1)}
    if kind == "grad":
        return "vector", {G: Integer(1)}
    if kind == "hess" and list(contents[1]) == [list(states)[-1]] and len(states) == 2:
        return "vector", {HV: contents[1][list(states)[-1]]}
    raise NoEnergy(f"{kind}(...) is not known to energies, expected f(x), grad(x) or hess(x, v)")


def rate_of(value: Scalar, flow: Flow) -> Scalar:
    """dE/dt by the product rule."""
    rates = vectors_of(flow)
    x = flow.state[0]
    rates[G] = {HV: Integer(1)} if rates[x] == ({flow.state[-1]: 1} if len(flow.state) == 2 else None) else {}
    total: Scalar = {}
    for key, c in value.items():
        total = combined(total, {key: sympy.diff(c, symbol("t"))})
        if key == VALUE:
            total = combined(total, scaled(c, inner({G: Integer(1)}, rates[x])))
            continue
        for a, b in (key, key[::-1]):
            if a == G and not rates[G]:
                raise NoEnergy(f"{flow.name}: the energy holds grad f(x), whose rate needs x' = {flow.state[-1]}")
            if a == HV:
                raise NoEnergy(f"{flow.name}: the energy holds hess f, whose rate needs third derivatives")
            total = combined(total, scaled(c, inner(rates[a], {b: Integer(1)})))
    return total


# -- proofs ---------------------------------------------------------------------------------------------------------

def inequalities(classes: tuple[str, ...], x: str, v: str) -> list[Scalar]:
    """Combinations that are never negative for every f of the class, the strongest first."""
    mu, L = symbol("mu"), symbol("L")
    strong, smooth = "strongly convex" in classes, "smooth" in classes
    modulus = mu if strong else Integer(0)
    found: list[Scalar] = []
    if strong or "convex" in classes:
        found.append(combined({pair(G, x): Integer(1), VALUE: Integer(-1)}, {pair(x, x): -modulus/2}))
        if smooth:
            found.append({pair(G, x): Integer(1), VALUE: Integer(-1), pair(G, G): -1/(2*L)})
        found.append(combined({VALUE: Integer(1)}, {pair(x, x): -modulus/2}))
        found.append(combined({pair(HV, v): Integer(1)}, {pair(v, v): -modulus}))
        found.append(combined({pair(G, x): Integer(1)}, {pair(x, x): -modulus}))
    if smooth:
        found.append({VALUE: Integer(1), pair(G, G): -1/(2*L)})
    found.append({VALUE: Integer(1)})
    return found


def prove(rate: Scalar, classes: tuple[str, ...], relations: tuple[str, ...], flow: Flow) -> Proof:
    """-dE/dt = sum of multipliers times inequalities + a sum of squares, each part decided by z3."""
    rate = without_common_exponential(rate)
    x, v = flow.state[0], flow.state[-1]
    texts: list[str] = []
    known = inequalities(classes, x, v)
    bent = [(q, pair(HV, v)) for q in known if pair(HV, v) in q] if pair(HV, v) in rate else []
    monotone = [(q, pair(G, x)) for q in known if VALUE not in q and pair(G, x) in q]
    for choice in known if VALUE in rate else known[-1:]:
        for more in ([], monotone) if VALUE in choice else ():
            needs, rest = _multiplied(rate, [(choice, VALUE), *bent, *more])
            if rest is None:
                continue
            verdict, text = _holds([*needs, *psd(rest)], relations)
            texts.append(text)
            if verdict:
                shown = ", ".join(str(n) for n in needs if not n.is_positive) or "1"
                return Proof("proved", f"-dE/dt is a multiple (>= 0: {shown}) of an inequality of the class plus a sum of squares (z3)", text)
    return Proof("unknown", "no multiplier of one inequality of the class leaves a sum of squares", texts[-1] if texts else "")


def _multiplied(rate: Scalar, chosen: list[tuple[Scalar, Any]]) -> tuple[list[Expr], Scalar | None]:
    """Multipliers that cancel one term each, and what is left of -dE/dt."""
    left = scaled(Integer(-1), rate)
    needs: list[Expr] = []
    for inequality, key in chosen:
        if key in left:
            factor = left[key]/inequality[key]
            needs.append(sympy.cancel(factor))
            left = combined(left, scaled(factor, inequality), -1)
    return (needs, left) if VALUE not in left and not any(HV in k for k in left) else (needs, None)


def psd(form: Scalar) -> list[Expr]:
    """The principal minors of a quadratic form: all >= 0 means that it is a sum of squares."""
    names = sorted({n for k in form for n in k})
    matrix = sympy.Matrix(len(names), len(names), lambda i, j: form.get(pair(names[i], names[j]), Integer(0))/(1 if i == j else 2))
    return [sympy.cancel(matrix.extract(list(rows), list(rows)).det()) for r in range(1, len(names) + 1)
            for rows in combinations(range(len(names)), r)]


def without_common_exponential(rate: Scalar) -> Scalar:
    """A positive common factor such as exp(sqrt(mu)*t) does not change the sign."""
    shared = set.intersection(*(set(c.atoms(sympy.exp)) for c in rate.values())) if rate else set()
    for factor in shared:
        rate = {k: sympy.cancel(sympy.expand(c/factor)) for k, c in rate.items()}
    return rate


def _holds(claims: list[Expr], relations: Iterable[Any]) -> tuple[bool, str]:
    """Whether all expressions are >= 0 wherever the relations hold, each by its own question."""
    texts = []
    for claim in claims:
        top, bottom = sympy.fraction(sympy.together(claim))
        product = sympy.expand(top*bottom)
        if product.is_nonnegative:
            continue
        formulas: tuple[Formula, ...]
        formulas, _ = assumptions([*relations, *_times(product), product < 0]) if not product.is_number else ((), {})
        if product.is_number:
            return False, "\n".join(texts)
        texts.append(smt.text_of(formulas, f"{claim} < 0 has no solution"))
        if smt.decide(formulas, ms=4000).verdict != "unsat":
            return False, "\n".join(texts)
    return True, "\n".join(texts)


def _times(e: Expr) -> list[Any]:
    """The time of a flow with t in it is positive."""
    return [symbol("t") > 0] if e.has(symbol("t")) else []


# -- quadratics -----------------------------------------------------------------------------------------------------

def mode_of(rate: Scalar, state: tuple[str, ...]) -> Expr:
    """An expression on f = lam x^2/2 in one dimension."""
    lam, x, v = symbol("lam"), symbol(state[0]), symbol(state[-1])
    meaning = {G: lam*x, HV: lam*v}
    total = sum((c*(lam*x**2/2 if k == VALUE else meaning.get(k[0], symbol(k[0]))*meaning.get(k[1], symbol(k[1]))) for k, c in rate.items()),
                Integer(0))
    return sympy.factor(sympy.expand(total))


def increment(value: Scalar, method: Method) -> tuple[Scalar, Expr]:
    """E(next) - E on a mode of a quadratic, as a form in the states."""
    matrix = linearize(method).matrix
    before = mode_of(value, method.state)
    symbols = [symbol(s) for s in method.state]
    after = before.subs(dict(zip(symbols, matrix*sympy.Matrix(symbols))), simultaneous=True)
    gain = sympy.Poly(sympy.expand(after - before), *symbols)
    form = {pair(*[s for s, p in zip(method.state, powers) for _ in range(p)]): sympy.cancel(c) for powers, c in gain.terms()}
    return form, sympy.factor(gain.as_expr())


def prove_on_mode(form: Scalar, state: tuple[str, ...], classes: tuple[str, ...], relations: tuple[str, ...]) -> Proof:
    """The increment is never positive for any curvature of the class, on quadratics."""
    held, text = _holds(psd(scaled(Integer(-1), form)), [*relations, *_class_facts(classes)])
    if held:
        return Proof("proved", "minus the increment is a sum of squares on every mode (quadratic f; z3)", text)
    return Proof("unknown", "the increment on a mode is not shown to be negative (quadratic f)", text)


def refuted(proof: Proof, on_mode: Expr, classes: tuple[str, ...], relations: tuple[str, ...]) -> Proof:
    """The proof against random points of quadratics: one where the energy grows refutes it."""
    if on_mode == 0:
        return proof
    rng = np.random.default_rng(0)
    facts = [c for r in relations for c in _booleans(r)] + _class_facts(classes)
    names = sorted(set().union(on_mode.free_symbols, *(f.free_symbols for f in facts)), key=str)
    for _ in range(200 if proof.status == "proved" else 2000):
        point = {s: _drawn(s, rng) for s in names}
        values = {s: sympy.Rational(p.numerator, p.denominator) for s, p in point.items()}
        if all(f.subs(values) == sympy.true for f in facts) and on_mode.subs(values).evalf(30) > sympy.Rational(1, 10**12):
            return Proof("unknown", "refuted: on f = lam x^2/2 the energy grows at the counterexample", proof.smt2,
                         {str(s): p for s, p in point.items()})
    return proof


def _class_facts(classes: tuple[str, ...]) -> list[Any]:
    """Which curvatures a class allows."""
    lam = symbol("lam")
    return [*([lam >= symbol("mu")] if "strongly convex" in classes else []), *([lam <= symbol("L")] if "smooth" in classes else [])]


def _booleans(relation: str) -> list[Any]:
    from .relations import _booleans as read
    return read(relation)


def _drawn(s: sympy.Symbol, rng: np.random.Generator) -> Fraction:
    value = Fraction(int(rng.integers(1, 400)), 100)
    return value if s.is_positive or str(s) == "t" or rng.integers(2) else -value
