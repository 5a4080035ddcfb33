"""A rule with its gradients cut open: state -> A state + B g, query points = C state + D g, one g for each call in a step."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Dummy, Expr, Integer, Matrix, Poly, Rational, Symbol, cancel, eye

from ..core.errors import RuleError
from ..core.expr import Node
from ..core.rule import Rule
from .algebra import LinearizeError
from .exact import solve
from .forms import Form, Runner, Value
from .generators import Generators
from .linear import _state_value, _tidy, _with_registers
from .mode import check_names
from .symbols import symbol

Z = Symbol("z")


@dataclass(frozen=True, eq=False)
class Realization:
    """What a method does to the gradients that it is given; `calls` names the oracle of each query."""

    A: Matrix
    B: Matrix
    C: Matrix
    D: Matrix
    keys: tuple[tuple[str, int], ...]
    calls: tuple[str, ...]
    kind: str
    names: tuple[str, ...]
    roots: dict[Symbol, Expr] = field(default_factory=dict)              # symbols that stand for square roots of parameters

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(s for s, _ in self.keys)

    def transfer(self, row: Matrix, through: Matrix | None = None) -> Matrix:
        """row (z - A)^-1 B + through, as rational functions of z."""
        n, q = self.B.shape
        if n == 0 or q == 0:
            return through if through is not None else Matrix.zeros(row.rows, q)
        found = solve(Z*eye(n) - self.A, self.B)
        total = row*found + (through if through is not None else Matrix.zeros(row.rows, q))
        return total.applyfunc(cancel)

    @cached_property
    def queries(self) -> Matrix:
        """From gradients to query points."""
        return self.transfer(self.C, self.D)

    def row(self, state: str) -> Matrix:
        """The row vector that reads one state."""
        if state not in self.states:
            raise RuleError(f"{state!r} is no state of the rule, expected one of {', '.join(self.states)}")
        i = self.states.index(state)
        return Matrix([[int(i == j) for j in range(len(self.keys))]])


class OpenRunner(Runner):
    """Runs a program with the value of every gradient as an input of its own; p = prox(u, s) is p = u - s g with g at p."""

    def __init__(self, values: dict[str, Expr]):
        super().__init__(1, values, self._forbidden, nonlinear=False)
        self.inputs: dict[Node, tuple[str, int]] = {}
        self.queries: list[Form] = []

    @staticmethod
    def _forbidden(name: str, args: list[Value]) -> Value:
        raise LinearizeError(f"{name}(...) is no gradient of one point")

    def _call(self, node: Node, args: list[Value]) -> Value:
        name = node.data[0]
        if not name.startswith(("grad", "prox")):
            if name.startswith("hess"):
                raise LinearizeError(f"{name}(...) is no gradient, so it has no transfer function")
            return super()._call(node, args)
        if len(args) != 1 and name.startswith("grad"):
            raise LinearizeError("the gradient takes several players; a transfer function needs one state vector")
        new = node not in self.inputs
        key = self.inputs.setdefault(node, ("<g>", len(self.inputs)))
        value = Form(Integer(0), {key: Integer(1)})
        if name.startswith("prox"):
            value = args[0][0] - value*args[1][0].const
        if new:
            self.queries.append(value if name.startswith("prox") else args[0][0])
        return (value,)

    def _implicit(self, node: Node) -> Value:
        """Queries inside the residual are made at the unknowns: their solution is written in."""
        asked = len(self.queries)
        found = super()._implicit(node)
        unknown = {(u.data, i): found[j*self.size + i] for j, u in enumerate(node.data[0]) for i in range(self.size)}
        self.queries[asked:] = [_with_solution(q, unknown) for q in self.queries[asked:]]
        return found


def _with_solution(query: Form, unknown: dict[tuple[str, int], Form]) -> Form:
    total = Form(query.const, {k: c for k, c in query.row.items() if k not in unknown})
    for key, c in query.row.items():
        total = total + unknown[key]*c if key in unknown else total
    return total


def realize(rule: Rule) -> Realization:
    """The rule with its gradients cut open; its parameters are constant."""
    program = rule.program
    check_names(rule, program.oracles)
    if {"k", "t"} & set(program.params):
        clock = "k" if "k" in program.params else "t"
        raise LinearizeError(f"{rule.name}: its parameters change with {clock}, so it has no transfer function")
    return opened_program(rule, {})


def opened_program(rule: Rule, clocks: dict[str, Expr]) -> Realization:
    """The same where parameters may change with a clock, which stands for the expression given."""
    program = rule.program
    runner = OpenRunner({name: clocks.get(name, symbol(name)) for name in program.params})
    known = {node: _state_value(node.data, 1, {}, {}) for node in program.everything if node.op == "state"}
    runner.outer = known
    keys, rows = _with_registers(list(program.state), runner.run(program.outputs, known), runner)
    inputs = list(runner.inputs.values())

    def block(forms: list[Form], columns: list) -> Matrix:
        return Matrix(len(forms), len(columns), [f.row.get(c, Integer(0)) for f in forms for c in columns]).applyfunc(_tidy)
    calls = tuple(node.data[0] for node in runner.inputs)
    if not any(c.startswith("grad") for c in calls):                     # prox alone: the one function of the rule is that of prox
        calls = tuple(c.replace("prox", "grad", 1) for c in calls)
    return Realization(block(rows, keys), block(rows, inputs), block(runner.queries, keys), block(runner.queries, inputs),
                       tuple(keys), calls, program.kind, tuple(rule.params))


def merged(r: Realization) -> Realization:
    """The same with a gradient that was asked for in the step before kept in a register, not asked for again."""
    for j in range(len(r.calls)):
        for i in range(len(r.calls)):
            ahead = (r.C[j, :]*r.A - r.C[i, :]).row_join(r.C[j, :]*r.B - r.D[i, :])
            same = r.calls[i] == r.calls[j] and i != j and all(e == 0 for e in r.D[j, :])
            if same and all(cancel(e) == 0 for e in ahead):
                return merged(_kept(r, i, j))
    return r


def _kept(r: Realization, i: int, j: int) -> Realization:
    """Gradient j of a step is gradient i of the step before: a new state holds it."""
    n, rest = r.A.rows, [c for c in range(len(r.calls)) if c != j]
    A = Matrix.vstack(r.A.row_join(r.B[:, j]), Matrix.zeros(1, n + 1))
    B = Matrix.vstack(r.B[:, rest], Matrix([[int(c == i) for c in rest]]))
    C = r.C[rest, :].row_join(r.D[rest, j])
    calls = tuple(r.calls[c] for c in rest)
    keys = (*r.keys, ("gradient of the step before", 0))
    return replace(r, A=A, B=B, C=C, D=r.D[rest, rest], keys=keys, calls=calls)


def rooted(r: Realization) -> Realization:
    """The same with roots and exponentials of parameters as symbols; a parameter under a square root is the square of its symbol."""
    generators = Generators()
    blocks = [m.applyfunc(generators.polynomial) for m in (r.A, r.B, r.C, r.D)]
    if not generators.meaning:
        return r
    squares = {e.base: g**2 for g, e in generators.meaning.items() if is_root(e)}
    A, B, C, D = (m.subs(squares).applyfunc(cancel) for m in blocks)
    return replace(r, A=A, B=B, C=C, D=D, roots=dict(generators.meaning))


def is_root(meaning: Expr) -> bool:
    """The square root of a parameter: solving for the root solves for the parameter."""
    return bool(meaning.is_Pow and meaning.exp == Rational(1, 2) and meaning.base.is_Symbol)


def numerators(e: Expr, variable: Symbol) -> list[Expr]:
    """Coefficients, in a variable, of the numerator of a rational expression: all are zero where the expression is."""
    over = cancel(e).as_numer_denom()[0]
    return [c for c in Poly(over, variable).coeffs() if c != 0] if over != 0 else []


def fresh(names: tuple[str, ...]) -> dict[str, Dummy]:
    """Symbols that no rule has, positive where the parameter is."""
    return {n: Dummy(n, positive=True) if symbol(n).is_positive else Dummy(n, real=True) for n in names}


