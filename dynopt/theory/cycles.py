"""Where a rule stays, and where it goes round: fixed points and periodic orbits with their multipliers."""
from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from sympy import Abs, Expr, Matrix, Max, Min, Piecewise, Symbol, cancel, eye, sign, sqrt
from sympy.polys.polyerrors import CoercionFailed

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule
from .algebra import LinearizeError
from .exact import neat, solve
from .extremal import roots_of
from .forms import Form, Runner
from .lift import cleared, integral_charpoly
from .limits import settle
from .linear import _state_value, _with_registers
from .mode import as_expression, gradient_of, index
from .nonlinear import branches, curve_of, solutions, step_of, unknowns
from .numbers import expression
from .symbols import symbol

Z = Symbol("z")


@dataclass(frozen=True)
class Orbit:
    """States that follow each other and return, with the multipliers of one round; `when` is what the pieces of the rule ask for.

    A fixed point is an orbit of one point. For a flow the multipliers are the eigenvalues of the linearization.
    """

    points: tuple[dict[str, Expr], ...]
    multipliers: tuple[Expr, ...] = ()
    when: tuple = ()

    def __getitem__(self, state: str) -> Expr:
        return self.points[0][state]

    def __repr__(self) -> str:
        shown = " -> ".join("(" + ", ".join(f"{s} = {e}" for s, e in p.items()) + ")" for p in self.points)
        tail = f", multipliers {', '.join(map(str, self.multipliers))}" if self.multipliers else ""
        return shown + tail + (f", where {', '.join(map(str, self.when))}" if self.when else "")


def fixed_point(rule: Rule, *, minimizer: Any = "x_star", f: Any = None) -> Orbit:
    """Where a rule stays: state = rule(state), for a flow rates zero.

    On a mode the gradients are lam*(x - x_star); with several fields each has its own lam_i and minimizer x_star_i.

    rule : Rule; minimizer : name or value of the minimizer, or a dict from oracle to it; f : a function of one variable instead
    of a mode, as text such as "x**4/4". A rule without gradients needs neither.
    Returns an Orbit of one point: `orbit["x"]`, `.multipliers`. Raises RuleError where there is no single fixed point; for a
    nonlinear rule it is the first one that is not zero.

    >>> from dynopt import method
    >>> fixed_point(method(lambda x, *, eta, wd, grad: x - eta*(grad(x) + wd*x)), minimizer="a")["x"]
    a*lam/(lam + wd)
    """
    if f is None:
        try:
            return _linear(rule, minimizer)
        except LinearizeError:
            if rule.program.oracles:
                raise
    found = _nonlinear(rule, f, period=1)
    if not found:
        raise RuleError(f"{rule.name}: no fixed point in closed form was found")
    return min(found, key=lambda o: sum(e.could_extract_minus_sign() for e in o.points[0].values()))


def _linear(rule: Rule, minimizer: Any) -> Orbit:
    program = rule.program
    size, exact, _ = gradient_of("lam", program, rule)

    def shifted(name: str, args: list) -> tuple:
        forms = exact(name, args)
        if not name.startswith("grad"):
            return forms
        at = minimizer[name] if isinstance(minimizer, dict) else minimizer
        at = symbol(at + index(name)) if isinstance(at, str) and at.isidentifier() and at is minimizer else as_expression(at)
        return tuple(form + Form(-symbol("lam" + index(name))*at) for form in forms)
    runner = Runner(size, {n: symbol(n) for n in program.params}, shifted, nonlinear=False)
    known = {node: _state_value(node.data, size, {}, {}) for node in program.everything if node.op == "state"}
    runner.outer = known
    keys, rows = _with_registers(list(program.state), runner.run(program.outputs, known), runner)
    matrix = Matrix([[r.row.get(k, 0) for k in keys] for r in rows])
    matrix, shift, _, _ = settle(matrix, Matrix([r.const for r in rows]))
    found = solve((eye(matrix.rows) - matrix) if program.kind == "method" else -matrix, shift)
    if found is None:
        raise RuleError(f"{rule.name}: no single fixed point exists (a direction is left where it is)")
    return Orbit(({s: e for (s, _), e in zip(keys, found)},), _eigenvalues(matrix))


def _eigenvalues(matrix: Matrix) -> tuple[Expr, ...]:
    """Eigenvalues in closed form as far as the factors have degree one or two."""
    scale = reduce(lambda a, b: a*b, cleared(matrix)[1])
    try:
        coefficients = integral_charpoly((matrix*scale).applyfunc(lambda e: cancel(e).expand()))
    except CoercionFailed:                                               # roots or exponentials of parameters: no closed form
        return ()
    p = sum(c*(Z*scale)**(matrix.rows - i) for i, c in enumerate(coefficients))
    return tuple(neat(value).subs({g: sqrt(neat(i)) for g, i in roots.items()}) for value, roots in roots_of(p, Z))


def cycle(rule: Rule, f: Any = None, period: int = 2) -> tuple[Orbit, ...]:
    """Periodic orbits of a method on a function of one variable, with the multipliers of one round.

    Orbits of period 2 that turn the state over, x -> -x -> x, are found for any number of states, for rules with |.|, sign,
    clip too; others for smooth rules with one state, as far as an equation of degree one or two gives them. Where f is quadratic
    in pieces, as in "where(x < 1, 25*x**2/2, x**2/2 + 24*x - 12)", all orbits of every linear method are found.

    rule : Method; f : text such as "x**4/4" or "lam*x**2/2", a sympy expression in x, or a plain function; period : >= 1.
    Returns a tuple of Orbits, empty where none was found in closed form.

    >>> from dynopt import method
    >>> cycle(method(lambda x, *, eta, grad: x - eta*grad(x)), "x**4/4")[0]
    (x = sqrt(2)/sqrt(eta)) -> (x = -sqrt(2)/sqrt(eta)), multipliers 25
    """
    if rule.kind != "method":
        raise RuleError(f"{rule.name} is a flow; cycle looks for orbits of a method, as in cycle(symplectic_euler(flow), ...)")
    if not isinstance(period, int) or isinstance(period, bool) or period < 1:
        raise ParameterError(f"cycle: period = {period!r}, expected a whole number >= 1")
    if period == 1:
        return tuple(_nonlinear(rule, f, 1))
    in_pieces = _in_pieces(rule, f, period) if f is not None else None
    if in_pieces is not None:
        return in_pieces
    found = _turning(rule, f) if period == 2 else []
    return tuple(found or (_nonlinear(rule, f, period) if len(rule.state) == 1 else []))


def _in_pieces(rule: Rule, f: Any, period: int) -> tuple[Orbit, ...] | None:
    """Orbits on a function that is quadratic in pieces; None where function or method is of another kind."""
    from .piecewise import orbits
    found = orbits(rule, curve_of(f), period)
    return None if found is None else tuple(Orbit(tuple(points), _eigenvalues(matrix), when) for points, matrix, when in found)


def _turning(rule: Rule, f: Any) -> list[Orbit]:
    """Orbits of period two with F(z) = -z."""
    states = unknowns(rule, positive=True)
    values = step_of(rule, states, None if f is None else curve_of(f))
    if not _odd(rule, f):
        return []
    found = []
    for smooth, relations in branches(values):
        wanted = list(states.values())
        for point in solutions([a + b for a, b in zip(smooth, wanted)], wanted):
            if _possible(point, states) and all(r.subs(point) != False for r in relations):  # noqa: E712
                jacobian = Matrix(smooth).jacobian(wanted).subs(point)
                there = {s: point[x] for s, x in states.items()}
                back = {s: -e for s, e in there.items()}
                when = tuple(r.subs(point) for r in relations if r.subs(point) != True)  # noqa: E712
                found.append(Orbit((there, back), _eigenvalues((jacobian*jacobian).applyfunc(neat)), when))
    return found


def _odd(rule: Rule, f: Any) -> bool:
    """Does the rule turn over with the state? Checked at points, in exact arithmetic where it is rational."""
    states = unknowns(rule, positive=False)
    curve = None if f is None else curve_of(f)
    sums = [a + b for a, b in zip(step_of(rule, states, curve), step_of(rule, {s: -e for s, e in states.items()}, curve))]
    symbols = sorted(set().union(*(e.free_symbols for e in sums)), key=str)
    rng = np.random.default_rng(0)
    for _ in range(20):
        env = {s: np.float64(rng.uniform(0.1, 2) * (1 if s not in states.values() else rng.choice([-1, 1]))) for s in symbols}
        if any(abs(expression(e, env)) > 1e-9 for e in sums):
            return False
    return True


def _possible(point: dict[Symbol, Expr], states: dict[str, Symbol]) -> bool:
    first = point[next(iter(states.values()))]
    return first != 0 and first.is_negative is not True and not first.could_extract_minus_sign()


def _nonlinear(rule: Rule, f: Any, period: int) -> list[Orbit]:
    """Orbits of a rule as the roots of F(F(...)) - z, those of smaller period divided out."""
    states = unknowns(rule, positive=False)
    wanted, curve = list(states.values()), None if f is None else curve_of(f)
    rounds = [dict(states)]
    flow = rule.kind == "flow"
    for _ in range(period):
        rounds.append(dict(zip(rule.state, step_of(rule, rounds[-1], curve))))
    last = list(rounds[-1].values())
    if period > 1 and any(e.has(Abs, sign, Min, Max, Piecewise) for e in last):
        return []
    found = []
    for smooth, relations in branches(last):
        system = smooth if flow else [cancel(a - b) for a, b in zip(smooth, wanted)]
        if period > 1:
            system = [cancel(system[0]/cancel(rounds[1][rule.state[0]] - wanted[0]))]
        for point in solutions(system, wanted):
            if any(e != 0 for e in point.values()):
                jacobian = Matrix(smooth).jacobian(wanted).subs(point).applyfunc(neat)
                orbit = tuple({s: neat(e.subs(point)) for s, e in r.items()} for r in rounds[:-1])
                found.append(Orbit(orbit, _eigenvalues(jacobian), tuple(r.subs(point) for r in relations)))
    return found
