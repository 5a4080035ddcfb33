"""The smooth motion behind a method with any number of states, as series in h whose terms are trees.

The states are linear in earlier ones and in gradients, so that x alone obeys a difference equation: x_{k+m} is a combination of
x_k, ..., x_{k+m-1} and of gradients at points that are such combinations too. With x_{k+i} = exp(i h d/dt) x(t) it becomes an equation
for x'' (or x'), solved order by order. Source: Hairer, Lubich, Wanner 2006, section XV.1, the principal part of a multistep method.
"""
from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import sympy
from sympy import Expr, Integer, Matrix

from ..core.rule import Method
from .algebra import LinearizeError
from .realize import Realization, opened_program
from .trees import Algebra, Element, H, NoTrees, T, expanded

Row = dict[int, Expr]
Sum = tuple[Row, dict[tuple[int, int], Expr]]               # of x_{k+i} by i, and of the gradients g_l of step k + j by (j, l)
SWEEPS = 40
LATE = {T: 10**9, H: 1}


@dataclass(frozen=True)
class Recurrence:
    """x_{k+span} = `next`; gradient l of step k + j is asked for at (j, sum) = `queries`[l]."""

    span: int
    next: Sum
    queries: tuple[tuple[int, Sum], ...]

    @cached_property
    def moments(self) -> tuple[Expr, Expr, Expr]:
        """sum of p_i, i p_i, i^2 p_i, where the equation reads sum p_i x_{k+i} = gradients."""
        weights = {self.span: Integer(1), **{i: -c for i, c in self.next[0].items()}}
        total = [sympy.cancel(sum((c*i**n for i, c in weights.items()), Integer(0))) for n in range(3)]
        return total[0], total[1], total[2]

    @cached_property
    def loss(self) -> int:
        """How many powers of h the coefficients can take away, positions and gradients one after the other."""
        sums = [self.next, *(s for _, s in self.queries)]
        powers = [[_leading(c)[0] for s in sums for c in s[which].values() if c != 0] for which in (0, 1)]
        return sum(max(0, -min(found, default=0)) for found in powers)

    def transients(self) -> list[Expr]:
        """The factors per step of everything but the smooth motion, as h -> 0."""
        z = sympy.Dummy("z")
        p = z**self.span - sum((sympy.limit(c, H, 0)*z**i for i, c in self.next[0].items()), Integer(0))
        found = sympy.roots(sympy.Poly(p, z))
        return [r for r, n in found.items() for _ in range(n) if r != 1] if sum(found.values()) == self.span else []


def recurrence(method: Method) -> Recurrence:
    """The difference equation of the first state, by eliminating the others. Raises NoTrees where there is none."""
    try:
        found = opened_program(method, {"k": T/H, "t": T})
    except LinearizeError as error:
        raise NoTrees(f"{method.name}: {error}; modified equations need linear combinations of states and gradients") from None
    if any(e.has(sympy.Mod) for n in "ABCD" for e in getattr(found, n)):
        raise NoTrees(f"{method.name}: it counts its steps in rounds (k % n), so that no smooth motion passes through all of them; "
                      "write one whole round as a rule, or give the coefficient a name of its own")
    found = replace(found, **{n: getattr(found, n).applyfunc(_underway) for n in "ABCD"})
    row, gone = Matrix([[int(i == 0) for i in range(found.A.rows)]]), dict[tuple[int, int], Expr]()
    forced, basis = [gone], list[tuple[int, Matrix, Row]]()
    while (made := _reduced(row, {len(forced) - 1: Integer(1)}, basis)) is not None:
        basis.append(made)
        row, gone = _later(row, gone, found)
        forced.append(gone)
    combination = _combination(row, basis) or {}
    queries = tuple(_query(found, i, basis, forced, method.name) for i in range(len(found.calls)))
    return Recurrence(len(forced) - 1, _sum(combination, gone, forced), queries)


def _underway(e: Expr) -> Expr:
    """A coefficient that differs in the first steps, where(k < 1, ...), as it is at a fixed time: k = t/h is large."""
    return e.replace(sympy.Piecewise, lambda *cases: next(v for v, when in cases if when.subs(LATE) == sympy.true)) if e.has(T) else e


def _query(found: Realization, i: int, basis: list, forced: list, name: str) -> tuple[int, Sum]:
    """Where gradient i is asked for, so many steps later: a register such as x_prev is gone by then."""
    row, gone = found.C[i, :], {(0, c): e for c, e in enumerate(found.D[i, :]) if e != 0}
    for ahead in range(found.A.rows + 1):
        combination = _combination(row, basis)
        if combination is not None:
            return ahead, _sum(combination, gone, forced)
        row, gone = _later(row, gone, found)
    raise NoTrees(f"{name}: a gradient is asked for at a point that {found.states[0]} alone does not show, so no equation in "
                  f"{found.states[0]} describes the method")


def _later(row: Matrix, gone: dict, found: Realization) -> tuple[Matrix, dict]:
    """A combination of states one step later, as one of the states now and of gradients."""
    row = row.applyfunc(_shift)
    fresh = {(0, c): e for c, e in enumerate((row*found.B).applyfunc(sympy.cancel)) if e != 0}
    return (row*found.A).applyfunc(sympy.cancel), {**fresh, **{(j + 1, c): _shift(e) for (j, c), e in gone.items()}}


def _sum(combination: Row, own: dict, forced: list[dict]) -> Sum:
    """sum c_i (row i) state + own gradients, where (row i) state = x_{k+i} - its gradients."""
    gradients = dict(own)
    for i, c in combination.items():
        for key, e in forced[i].items():
            gradients[key] = sympy.cancel(gradients.get(key, Integer(0)) - c*e)
    return combination, {key: e for key, e in gradients.items() if e != 0}


def _shift(e: Expr) -> Expr:
    """A coefficient one step later."""
    return e.subs(T, T + H) if e.has(T) else e


def _eliminated(row: Matrix, combo: Row, basis: list) -> tuple[Matrix, Row]:
    for pivot, other, parts in basis:
        factor = row[pivot]
        if factor != 0:
            row = (row - factor*other).applyfunc(sympy.cancel)
            combo = {i: combo.get(i, Integer(0)) - factor*parts.get(i, Integer(0)) for i in {**combo, **parts}}
    return row, combo


def _reduced(row: Matrix, combo: Row, basis: list) -> tuple[int, Matrix, Row] | None:
    """The row with the basis taken out and a pivot of one; None where nothing is left."""
    row, combo = _eliminated(row, combo, basis)
    pivot = next((j for j, e in enumerate(row) if e != 0), None)
    if pivot is None:
        return None
    return pivot, (row/row[pivot]).applyfunc(sympy.cancel), {i: sympy.cancel(c/row[pivot]) for i, c in combo.items()}


def _combination(row: Matrix, basis: list) -> Row | None:
    """The row as a combination of the rows behind the basis."""
    left, combo = _eliminated(row, {}, basis)
    return {i: v for i, c in combo.items() if (v := sympy.cancel(-c)) != 0} if all(e == 0 for e in left) else None


def _leading(c: Expr) -> tuple[int, Expr]:
    """The lowest power of h in a coefficient and what stands at it."""
    if c == 0:
        return 99, Integer(0)
    for order in (2, 6, 12):
        found = expanded(sympy.cancel(c), order)
        if found:
            return min(found), found[min(found)]
    return 99, Integer(0)


class Smooth:
    """The equation of the smooth motion up to h^order: `field` by state, of x alone or of x and v = x'."""

    def __init__(self, method: Method, algebra: Algebra):
        self.name, self.found, self.x, self.order = method.name, recurrence(method), method.state[0], algebra.order
        none, first, second = (_leading(m) for m in self.found.moments)
        self.degree = 1 if first[0] == 0 else 2
        if (first if self.degree == 1 else second)[0] != 0 or min(first[0], second[0]) < 0:
            raise NoTrees(f"{method.name}: {self.x} obeys an equation of more than second order as h -> 0 in this scaling; write another where=")
        if none[0] < self.degree:
            raise NoTrees(f"{method.name}: a step does not tend to the identity as h -> 0; give the scaling, as in where={{\"eta\": \"h\"}}")
        self.algebra = algebra.of_order(self.order + self.degree + self.found.loss)
        self.field = self._solved()

    @property
    def states(self) -> tuple[str, ...]:
        return (self.x,) if self.degree == 1 else (self.x, "v")

    @property
    def note(self) -> str:
        """What is said of the motions that are not smooth."""
        factors = dict.fromkeys(str(f) for f in self.found.transients() if f != 0)
        return f", on the slow manifold (transients of factor {', '.join(factors)} per step have died out)" if factors else ""

    def _solved(self) -> dict[str, Element]:
        """Sweeps, each right to one more order of h."""
        top, rate, gradients = self.algebra.order, Element(), None
        for sweep in range(SWEEPS):
            A = self.algebra.of_order(min(top, top - self.order + sweep))
            gradients = gradients or [A.gradient(A.state(self.x)) for _ in self.found.queries]
            field = {self.x: rate} if self.degree == 1 else {self.x: A.state("v"), "v": rate}
            path = A.taylor(A.state(self.x), field)
            moved = [A.shifted(path, i) for i in range(self.found.span + 1)]
            gradients = self._gradients(A, moved, field, gradients)
            left = A.add(moved[-1], self._value(A, self.found.next, moved, field, gradients), -1)
            step = A.shift_power(A.scale(Integer(self.degree)/self.found.moments[self.degree], left), -self.degree)
            if any(p < 0 for p, _ in step):
                raise NoTrees(f"{self.name}: the motion grows without bound as h -> 0 in this scaling; write another where=")
            step = {k: c for k, c in step.items() if k[0] <= min(sweep, self.order)}
            if any(p + self.found.loss + 1 < sweep for p, _ in step):
                raise NoTrees(f"{self.name}: differences of gradients enter as strongly as the motion itself in this scaling, so that it is "
                              "no series in derivatives of f; let the factor of the difference vanish with h")
            if not step and sweep >= self.order:
                return {s: {k: c for k, c in e.items() if k[0] <= self.order} for s, e in field.items()}
            rate = A.add(rate, step, -1)
        raise NoTrees(f"{self.name}: the series of its motion did not settle")

    def _gradients(self, A: Algebra, moved: list[Element], field: dict[str, Element], known: list[Element]) -> list[Element]:
        """g_l at time t: each query point holds other gradients, a power of h behind."""
        for _ in range(A.order + 2):
            fresh = [A.gradient(self._value(A, q, moved, field, known)) for _, q in self.found.queries]
            fresh = [A.shifted(A.taylor(g, field), -ahead) if ahead else g for g, (ahead, _) in zip(fresh, self.found.queries)]
            if fresh == known:
                break
            known = fresh
        return known

    def _value(self, A: Algebra, total: Sum, moved: list[Element], field: dict[str, Element], gradients: list[Element]) -> Element:
        out: Element = {}
        for i, c in total[0].items():
            out = A.add(out, A.scale(c, moved[i]))
        paths = {which: A.taylor(gradients[which], field) for which in {which for j, which in total[1] if j}}
        for (j, which), c in total[1].items():
            out = A.add(out, A.scale(c, A.shifted(paths[which], j) if j else gradients[which]))
        return out
