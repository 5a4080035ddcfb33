"""When are two methods the same? From the gradients they are given to the points where they ask, for every function."""
from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Dummy, Expr, Gt, Integer, Matrix, Ne, Pow, cancel, factor, factor_list, fraction, sqrt, together
from sympy.core.relational import Relational

from ..core.rule import Rule, as_rule
from . import pool
from .algebra import LinearizeError
from .atoms import first_coefficient, sign
from .exact import neat, solve
from .extremal import candidates, roots_of
from .realize import Realization, Z, fresh, is_root, merged, numerators, realize, rooted
from .symbols import symbol
from .wording import in_latex, in_text

SECONDS = 20.0


@dataclass(frozen=True)
class Equivalence:
    """True where one method can stand in for the other at every parameter.

    `params` are the parameters of `written` (the second method where that is possible) in terms of those of the other one,
    `states` its states in the same terms, `conditions` what these terms ask for; `mutual` tells whether each can stand in for the
    other. `reason` says it in words.
    """

    holds: bool
    reason: str
    params: dict[str, Expr] = field(default_factory=dict)
    states: dict[str, Expr] = field(default_factory=dict)
    written: str = ""
    mutual: bool = False
    conditions: tuple[Relational, ...] = ()

    def __bool__(self) -> bool:
        return self.holds

    def __repr__(self) -> str:
        return self.reason

    def _repr_latex_(self) -> str:
        if not self.holds:
            return rf"$\text{{not equivalent: {self.reason}}}$"
        shown = [rf"{in_latex(symbol(n))} = {in_latex(e)}" for n, e in self.params.items()] + [in_latex(c) for c in self.conditions]
        return "$" + r",\quad ".join(shown) + "$"


def equivalent(a: Rule, b: Rule) -> Equivalence:
    """Whether two methods ask for gradients at the same points, on every function, after a change of parameters and states.

    G_a(z; params of a) = G_b(z; params of b) for all z, where G is the transfer function from gradient values to query points,
    C (z - A)^-1 B + D. The parameters are constant and the map between them is free of curvatures.

    a, b : Methods that call `grad` on one state vector and are linear in their states otherwise.
    Returns an Equivalence, true or false; `.params`, `.states`, `.reason`.

    >>> from dynopt import method
    >>> classical = method.from_string("v = beta*v + eta*grad(x); x = x - v", state="x v", name="classical")
    >>> average = method.from_string("v = beta*v + (1 - beta)*grad(x); x = x - eta*v", state="x v", name="average")
    >>> equivalent(classical, average)
    classical is average with eta = eta/(1 - beta), beta = beta, where beta != 1
    """
    try:
        first, second = opened(a), opened(b)
    except LinearizeError as error:
        return Equivalence(False, f"not decided by transfer functions: {error}")
    if first.kind != second.kind:
        return Equivalence(False, f"{a.name} is a {first.kind} and {b.name} a {second.kind}")
    if first.calls != second.calls:
        return Equivalence(False, f"{a.name} asks for {_calls(first)} in a step and {b.name} for {_calls(second)}, "
                                  "so that no change of parameters makes them equal")
    forth, back = parameter_map(first, second), parameter_map(second, first)
    if forth is not None:
        return _found(a.name, b.name, first, second, forth, back is not None)
    if back is not None:
        return _found(b.name, a.name, second, first, back, False)
    return Equivalence(False, _difference(a.name, b.name, first, second))


def opened(rule: Rule) -> Realization:
    """The rule as two rules are compared: gradients cut open, none asked for twice, roots of parameters as symbols."""
    return rooted(merged(realize(as_rule(rule))))


def _calls(r: Realization) -> str:
    return f"{len(r.calls)} gradient{'s' if len(r.calls) != 1 else ''}"


def _found(name: str, other: str, a: Realization, b: Realization, params: dict[str, Expr], mutual: bool) -> Equivalence:
    states = {s: e.subs(a.roots) for s, e in state_map(a, b, params).items()}
    params = {n: e.subs(a.roots) for n, e in params.items()}
    asked = conditions(params)
    shown = ", ".join(f"{n} = {in_text(e)}" for n, e in params.items())
    reason = f"{name} is {other} with {shown}" if params else f"{name} is {other}"
    reason += f", where {' and '.join(f'{in_text(c.lhs)} {c.rel_op} {in_text(c.rhs)}' for c in asked)}" if asked else ""
    reason += "" if mutual else f"; {other} can do more"
    return Equivalence(True, reason, params, states, other, mutual, asked)


def conditions(params: dict[str, Expr]) -> tuple[Relational, ...]:
    """What expressions ask of the symbols in them: no zero under a fraction line, nothing negative under a root."""
    found: list[Relational] = []
    for e in params.values():
        for root in sorted(e.atoms(Pow), key=str):
            if root.exp.is_Rational and root.exp.q == 2 and root.base.is_positive is not True and not root.base.is_number:
                found += [_solved(f, ">") for f in _factors(root.base)] if root.base.is_polynomial() else [Gt(root.base, 0)]
        under = fraction(together(e))[1]
        found += [_solved(f, "!=") for f in _factors(under) if not sign(f)] if under.is_polynomial() else []
    return tuple(dict.fromkeys(found))


def _factors(e: Expr) -> list[Expr]:
    return [f for f, _ in factor_list(e)[1]] if e.free_symbols else []


def _solved(f: Expr, op: str) -> Relational:
    """beta != 1 and 1 - beta > 0, not beta - 1 != 0."""
    f = f if first_coefficient(f) > 0 else -f
    symbols = list(f.free_symbols)
    if op == "!=" and len(symbols) == 1 and f.is_polynomial():
        roots = roots_of(f, symbols[0])
        if len(roots) == 1 and not roots[0][1]:
            return Ne(symbols[0], roots[0][0])
    return Ne(f, 0) if op == "!=" else Gt(f, 0)


def parameter_map(a: Realization, b: Realization) -> dict[str, Expr] | None:
    """Parameters of b at which it does what a does, or None where there are none (or none were found in time)."""
    try:
        return pool.limited(a.A.rows + b.A.rows, "equivalence", "solve_for", a, b, seconds=SECONDS)
    except (pool.OutOfTime, pool.WorkFailed):
        return None


def solve_for(a: Realization, b: Realization) -> dict[str, Expr] | None:
    """The same, in this process; no parameter is looked for inside an exponential or the root of a sum."""
    if not all(map(is_root, b.roots.values())):
        return None
    own = fresh(b.names)
    table = {symbol(n): s for n, s in own.items()}
    under = {e.base.name: g for g, e in b.roots.items()}                 # the unknown is then the root
    table |= {g: Dummy(n, positive=True) for n, g in under.items()}
    own |= {n: table[g] for n, g in under.items()}
    target = b.queries.subs(table, simultaneous=True)
    system = [e for x, y in zip(a.queries, target) for e in numerators(x - y, Z)]
    free = [s for s in own.values() if not any(e.has(s) for e in system)]
    unknowns = [s for s in own.values() if s not in free]
    found = _solution(system, unknowns)
    if found is None:
        return None
    found |= {s: Integer(1) for s in free}
    return {n: found[s]**2 if n in under else found[s] for n, s in own.items()}


def _solution(system: list[Expr], unknowns: list) -> dict | None:
    """A real solution of a polynomial system, positive where its symbol is; what stays free becomes 1 or 0."""
    if not unknowns:
        return {} if not system else None
    for solution in _triangular(system, unknowns):
        if all(s.is_positive is not True or e.is_positive is not False for s, e in solution.items()):
            return solution
    for i, s in enumerate(unknowns):
        for value in (Integer(1), Integer(0)):
            if s.is_positive and value == 0:
                continue
            rest = unknowns[:i] + unknowns[i + 1:]
            reduced = [e for e in (f.subs(s, value).expand() for f in system) if e != 0]
            if len(unknowns) > 1 and all(e.has(*rest) for e in reduced):
                for solution in _triangular(reduced, rest):
                    return {**solution, s: value}
    return None


def _triangular(system: list[Expr], unknowns: list):
    """Solutions where each unknown follows from the last one, rational ones first."""
    if not system:
        return []
    last = unknowns[-1]
    found = []
    for c in candidates(system, unknowns[:-1], last, ""):
        roots = {g: sqrt(factor(inside)) for g, inside in c.roots.items()}
        values = {**c.params, last: c.rho}
        found.append({s: neat(e).subs(roots) for s, e in values.items()})
    def price(solution: dict) -> tuple:
        return not all(e.is_rational_function() for e in solution.values()), sum(e.count_ops() for e in solution.values())
    return sorted(found, key=price)


def state_map(a: Realization, b: Realization, params: dict[str, Expr]) -> dict[str, Expr]:
    """The states of b in terms of those of a, T with T A_a = A_b T, T B_a = B_b; empty where gradients do not reach them all."""
    table = {symbol(n): e for n, e in params.items()}
    table |= {g: sqrt(params[e.base.name]) for g, e in b.roots.items()}
    A, B = (m.subs(table, simultaneous=True) for m in (b.A, b.B))
    reach_a, n = _reach(a.A, a.B), a.A.rows
    columns = reach_a.rref()[1] if n <= 6 else ()
    if len(columns) < n:
        return {}
    square_a, square_b = reach_a[:, list(columns)], _reach(A, B, n)[:, list(columns)]
    found = solve(square_a.T, square_b.T)
    if found is None:
        return {}
    T = found.T
    if any(cancel(e) != 0 for e in [*(T*a.A - A*T), *(T*a.B - B)]):
        return {}
    own = Matrix([symbol(s) for s in a.states])
    return {s: neat(e) for s, e in zip(b.states, T*own)}


def _reach(A: Matrix, B: Matrix, steps: int | None = None) -> Matrix:
    """[B, A B, A^2 B, ...]."""
    blocks = [B]
    for _ in range((steps or A.rows) - 1):
        blocks.append((A*blocks[-1]).applyfunc(cancel))
    return Matrix.hstack(*blocks)


def _difference(first: str, second: str, a: Realization, b: Realization) -> str:
    """The first weights of a past gradient that no parameters make equal, in words."""
    own = sorted({str(s) for e in a.queries for s in e.free_symbols} & set(a.names))
    general = f" for general {', '.join(own)}" if own else ""
    return (f"no constant parameters make {first} and {second} ask at the same points{general}: from gradients to query points "
            f"{first} is {_shown(a)} and {second} is {_shown(b)}")


def _shown(r: Realization) -> str:
    entries = [str(factor(e)) for e in r.queries]
    return entries[0] if len(entries) == 1 else f"[{', '.join(entries)}]"


