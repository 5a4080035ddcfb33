"""A rule on one mode with its noise kept: state -> (A + sum of xi_S B_S) state + c + sum of xi_S w_S.

The xi_S are products of independent draws, each with mean zero, so that any two of them are uncorrelated; `variance` is that of
xi_S. A uniform draw that decides between two branches counts as one (chance.py). Other draws that appear squared, or inside a
function, have no such form and are refused.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Integer, Matrix, Poly, PolynomialError, Rational, Symbol

from ..core.errors import RuleError
from ..core.expr import Node
from ..core.rule import Rule
from ..core.signature import CLOCKS
from .algebra import LinearizeError
from .chance import bounds_of, chance, moment, squared_away
from .forms import Form, Runner, Value
from .limits import K, settle
from .linear import _state_value, _tidy, _with_registers
from .mode import check_names, gradient_of
from .symbols import symbol

UNIFORM = Rational(1, 12)                                                # variance of a draw from [0, 1)


@dataclass(frozen=True)
class Part:
    """One source of noise: its variance, how it multiplies the state, what it adds."""

    variance: Expr
    matrix: Matrix
    affine: Matrix


@dataclass(frozen=True, eq=False)
class Driven:
    """Mean map and the sources of noise of a rule on one mode."""

    matrix: Matrix
    affine: Matrix
    parts: tuple[Part, ...]
    keys: tuple[tuple[str, int], ...]
    kind: str
    names: tuple[str, ...]
    needs: tuple[Expr, ...] = ()                        # positive, for the limit that was taken
    allowed: tuple[Expr, ...] = ()                      # not negative, for chances to be chances

    def row(self, state: str) -> int:
        """Where a state stands."""
        states = [s for s, _ in self.keys]
        if state not in states:
            raise RuleError(f"{state!r} is no state of the rule, expected one of {', '.join(dict.fromkeys(states))}")
        return states.index(state)


class NoisyRunner(Runner):
    """Runs a program with every draw as a symbol of its own; gradients of one step share a sample unless they are fresh."""

    def __init__(self, *args: Any, additive: Expr | None = None, multiplicative: Expr | None = None, flow: bool = False):
        super().__init__(*args, nonlinear=False, flow=flow)
        self.additive, self.multiplicative = additive, multiplicative
        self.draws: dict[tuple, Symbol] = {}
        self.variances: dict[Symbol, Expr] = {}
        self.uniforms: dict[Symbol, tuple[Symbol, Expr] | None] = {}         # draw -> the choice that it decides, if it does
        self.chances: dict[Symbol, Expr] = {}

    def expected(self, matrix: Matrix) -> Matrix:
        """The mean over the draws, exactly: powers of normal, uniform and two-valued draws have theirs."""
        return matrix.applyfunc(self._mean)

    def _mean(self, e: Expr) -> Expr:
        used = [xi for xi in self.variances if e.has(xi)]
        if not used:
            return e
        self._no_double_use(used)
        total = Integer(0)
        for powers, c in squared_away(_terms(e, used), [self.chances.get(xi) for xi in used]):
            if self.flow and sum(powers) > 1:
                raise LinearizeError("a product of two white noises enters the flow, which has no meaning")
            for xi, power in zip(used, powers):
                c = c*(Integer(power == 0) if xi in self.chances else moment(power, uniform=xi in self.uniforms))
            total += c
        return _tidy(total)

    def _no_double_use(self, used: Any) -> None:
        if any(self.uniforms.get(xi) for xi in used):
            raise LinearizeError("a uniform() decides between two branches and enters as a number too; draw twice")

    def bounds(self) -> list[Expr]:
        return [e for p in self.chances.values() for e in bounds_of(p)]

    def draw(self, *key: Any, variance: Expr = Integer(1)) -> Symbol:
        if key not in self.draws:
            self.draws[key] = xi = Symbol(f"xi{len(self.draws)}", real=True)
            self.variances[xi] = variance
            if key[0].startswith("uniform"):
                self.uniforms[xi] = None
        return self.draws[key]

    def _entry(self, node: Node, args: list[Form]) -> Form:
        decided = chance(args[0].const, self.uniforms) if node.op == "where" and not args[0].linear else None
        if decided is None:
            return super()._entry(node, args)
        first = self._choice(*decided)
        return args[1]*first + args[2]*(1 - first)

    def _choice(self, xi: Symbol, p: Expr) -> Expr:
        """1 with probability p, else 0, decided by a uniform draw."""
        kept = self.uniforms[xi]
        if kept is None:
            kept = self.uniforms[xi] = self.draw("choice", xi, variance=(p*(1 - p)).expand()), p
            self.chances[kept[0]] = p
        zeta, first = kept
        if (p - first).expand() != 0 and (p + first - 1).expand() != 0:
            raise LinearizeError("one uniform() is compared with two values, which makes a choice between three branches; "
                                 "write it as two choices, each by a draw of its own")
        return p + (zeta if (p - first).expand() == 0 else -zeta)

    def _call(self, node: Node, args: list[Value]) -> Value:
        name, number = node.data
        kind = name.partition("_")[0]
        if kind in ("noise", "uniform"):
            shared = name.endswith("_scalar")
            mean, variance = (Integer(0), Integer(1)) if kind == "noise" else (Rational(1, 2), UNIFORM)
            return tuple(Form(mean + self.draw(name, number, 0 if shared else i, variance=variance)) for i in range(self.size))
        if kind not in ("grad", "hess"):
            return super()._call(node, args)
        exact = super()._call(node, args)
        of = args[0] if kind == "grad" else args[1]
        return tuple(self._noisy(f, x, kind, name, number, i) for i, (f, x) in enumerate(zip(exact, of)))

    def _noisy(self, exact: Form, x: Form, kind: str, name: str, number: int, entry: int) -> Form:
        sample = (name.partition("_")[2], number, entry)
        if self.multiplicative is not None:
            exact = exact + x*(self.multiplicative*self.draw("curvature", *sample))
        if self.additive is not None and kind == "grad":
            exact = exact + Form(self.additive*self.draw("gradient", *sample))
        return exact


def drive(rule: Rule, *, additive: str | None, multiplicative: str | None, mode: Any = "lam",
          settled: bool = True) -> Driven:
    """The mean map of a rule on one mode and its sources of noise; a rule in k in the limit k -> oo unless `settled` is False."""
    program = rule.program
    check_names(rule, program.oracles)
    size, gradient, curvatures = gradient_of(mode, program, rule)
    values = {name: symbol(name) for name in program.params}
    taken = {*rule.params, *map(str, curvatures), *CLOCKS}
    strengths = [None if n is None else symbol(_free_name(rule, n, taken)) for n in (additive, multiplicative)]
    if additive is not None and additive == multiplicative:
        raise RuleError(f"{rule.name}: both noises have the strength {additive!r}, expected two names; write multiplicative='s'")
    runner = NoisyRunner(size, values, gradient, additive=strengths[0], multiplicative=strengths[1])
    known = {node: _state_value(node.data, size, {}, {}) for node in program.everything if node.op == "state"}
    runner.outer = known
    keys, rows = _with_registers(list(program.state), runner.run(program.outputs, known), runner)
    matrix = Matrix([[r.row.get(k, Integer(0)) for k in keys] for r in rows])
    shift = Matrix([r.const for r in rows])
    needs: list = []
    if settled and (matrix.has(K) or shift.has(K)):
        _check_clock(program, matrix.row_join(shift))
        matrix, shift, needs, _ = settle(matrix, shift)
    used = [*map(str, curvatures), *rule.params, *(str(s) for s in strengths if s is not None)]
    return _sorted(matrix, shift, runner, tuple(keys), program.kind, tuple(dict.fromkeys(used)), tuple(needs))


def _free_name(rule: Rule, name: str, taken: set[str]) -> str:
    if not (isinstance(name, str) and name.isidentifier()):
        raise RuleError(f"{rule.name}: the noise strength is {name!r:.40}, expected the name of a parameter, as in additive='sigma'")
    if name in taken:
        what = "a parameter of the rule" if name in rule.params else "the clock" if name in CLOCKS else "the curvature"
        raise RuleError(f"{rule.name}: the noise strength {name!r} has the name of {what}; write additive=None "
                        f"for the rule's own noise() alone, or another name, as in additive='{name}_g'")
    return name


def _check_clock(program: Any, both: Matrix) -> None:
    from sympy import Mod
    if program.kind == "flow" or both.atoms(Mod):
        raise LinearizeError("a rule that is periodic in k, or a flow in t, has no stationary law of one step; "
                             "write out one period as a rule")


def _sorted(matrix: Matrix, shift: Matrix, runner: NoisyRunner, keys: tuple, kind: str, names: tuple, needs: tuple) -> Driven:
    """The coefficients of each product of draws."""
    draws = list(runner.variances)
    n = matrix.rows
    table: dict[tuple[Symbol, ...], list[Expr]] = {}
    for position, e in enumerate(matrix.row_join(shift)):
        for product, c in _products(e, draws, runner.chances):
            table.setdefault(product, [Integer(0)]*(n*(n + 1)))[position] += c
    runner._no_double_use({xi for product in table for xi in product})
    blocks = {p: Matrix(n, n + 1, entries).applyfunc(_tidy) for p, entries in table.items()}
    mean = blocks.pop((), Matrix.zeros(n, n + 1))
    parts = []
    for product, block in blocks.items():
        if kind == "flow" and len(product) > 1:
            raise LinearizeError("a product of two white noises enters the flow, which has no meaning")
        variance = Integer(1)
        for xi in product:
            variance *= runner.variances[xi]
        parts.append(Part(variance, block[:, :n], block[:, n]))
    return Driven(mean[:, :n], mean[:, n], tuple(parts), keys, kind, names, needs, tuple(runner.bounds()))


def _products(e: Expr, draws: list[Symbol], chances: dict[Symbol, Expr]) -> list[tuple[tuple[Symbol, ...], Expr]]:
    used = [xi for xi in draws if e.has(xi)]
    if not used:
        return [((), e)] if e != 0 else []
    terms = squared_away(_terms(e, used), [chances.get(xi) for xi in used])
    if any(power > 1 for powers, _ in terms for power in powers):
        raise LinearizeError("one sample of the noise enters a step twice, so that its higher moments matter; "
                             "write grad(..., fresh=True) where a new sample is drawn")
    return [(tuple(xi for xi, power in zip(used, powers) if power), c) for powers, c in terms]


def _terms(e: Expr, used: list[Symbol]) -> list[tuple[tuple[int, ...], Expr]]:
    try:
        return Poly(e, *used).terms()
    except PolynomialError:
        raise LinearizeError(f"`{e}`: a draw enters through a function, expected it to enter linearly; "
                             "the moments of such a rule have no closed recursion") from None
