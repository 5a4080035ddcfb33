"""A rule on one mode of a quadratic: its matrix, its characteristic polynomial, what cancels in it."""
from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Callable, Iterable

import sympy
from sympy import Expr, Integer, Matrix, Poly, Symbol

from ..core.program import stride_of
from ..core.rule import Rule
from .algebra import LinearizeError, check_size, expression
from .atoms import first_coefficient
from .forms import Form, Runner, Value
from .generators import Generators
from .letters import Letters
from .limits import goes_on, in_steps, period_of, settle
from .mode import check_names, gradient_of, names_in, point_of
from .pool import limited
from .schur import Coefficients, Spectrum, as_poly
from .symbols import symbol

Z = Symbol("z")


@dataclass(frozen=True, eq=False)
class Linear:
    """x -> matrix x + affine on one mode (for a flow: the rate of change).

    `charpoly` is the polynomial of the eigenvalues that a gradient sees, in z; `hidden` are the factors that cancel between
    gradient and query point, `neutral` those of them that stay on the circle and that a start from rest never excites.
    """

    matrix: Matrix
    affine: Matrix
    keys: tuple[tuple[str, int], ...]                   # (state, component) of each row
    kind: str
    curvatures: tuple[Symbol, ...]
    needs: tuple[Expr, ...] = ()                        # e > 0 is needed for the limit that was taken
    notes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    settled: bool = False                               # True where a limit in k was taken
    period: int = field(default=1, repr=False)          # steps of the rule that the matrix makes
    allowed: tuple[Expr, ...] = field(default=(), repr=False)       # e >= 0, else a chance is none

    @cached_property
    def generators(self) -> Generators:
        found = Generators()
        found.polynomials(self.matrix)
        return found

    @cached_property
    def polynomial_matrix(self) -> Matrix:
        """The matrix with roots and exponentials of parameters as symbols of their own."""
        return self.matrix.applyfunc(self.generators.polynomial)

    @cached_property
    def _spectrum(self) -> Spectrum:
        return limited(self.matrix.rows, "schur", "spectrum", self.polynomial_matrix)

    @property
    def coefficients(self) -> Coefficients:
        """The whole characteristic polynomial with cleared denominators, leading coefficient first."""
        return self._spectrum.coefficients

    @property
    def denominators(self) -> tuple[Expr, ...]:
        """The rule is undefined where one of these is zero."""
        return self._spectrum.denominators

    @property
    def factors(self) -> tuple[tuple[Coefficients, int], ...]:
        """Irreducible factors of the whole polynomial with multiplicities; a Method's roots at zero are left out."""
        zeros = next(k for k, c in enumerate(reversed(self.coefficients)) if c != 0)
        still = (((Integer(1), Integer(0)), zeros),) if zeros and self.kind == "flow" else ()
        return self._spectrum.factors + still

    def _sees(self, coefficients: Coefficients) -> bool:
        symbols = set(self.curvatures)
        return not symbols or any(c.free_symbols & symbols for c in coefficients)

    @property
    def charpoly(self) -> Poly:
        """Minimal characteristic polynomial in z."""
        seen = [f for f, _ in self.factors if self._sees(f)]
        product = sympy.prod([as_poly(f, Z).as_expr() for f in seen]) if seen else Integer(1)
        return Poly(product.subs(self.generators.meaning), Z)

    @property
    def hidden(self) -> tuple[Poly, ...]:
        """Factors without the curvature: their eigenvalues cancel between gradient and query point."""
        return tuple(_upright(f) for f, _ in self.factors if not self._sees(f))

    @cached_property
    def rest(self) -> Matrix | None:
        """The start x = 1, every other state at its own fixed point without gradients; None where there is none or several."""
        if "x" not in {s for s, _ in self.keys} or len({i for _, i in self.keys}) > 1:
            return None
        idle = self.polynomial_matrix.subs(dict.fromkeys(self.curvatures, 0))
        x = [s for s, _ in self.keys].index("x")
        others = [i for i in range(idle.rows) if i != x]
        if not others:
            return Matrix([1])
        own = idle.extract(others, others)
        system = (sympy.eye(len(others)) - own) if self.kind == "method" else -own
        determinant = sympy.cancel(system.det(method="berkowitz"))
        if determinant == 0:
            return None
        found = (system.adjugate()/determinant*idle.extract(others, [x])).applyfunc(sympy.cancel)
        start = [Integer(1)]*idle.rows
        for i, value in zip(others, found):
            start[i] = value
        return Matrix(start)

    @property
    def neutral(self) -> tuple[Poly, ...]:
        """Hidden factors with semisimple roots on the circle (flows: on the axis) that rest does not excite."""
        return tuple(map(_upright, self.neutral_factors))

    @cached_property
    def neutral_factors(self) -> tuple[Coefficients, ...]:
        """The same as coefficients."""
        edge = {("flow", 0)} if self.kind == "flow" else {("method", 1), ("method", -1)}
        found = []
        for f, power in self.factors:
            if not self._sees(f) and power == 1 and len(f) == 2 and (self.kind, -f[1]/f[0]) in edge and self.rest is not None:
                others = sympy.prod([as_poly(g, Z).as_expr()**p for g, p in self.factors if g != f])
                if not _excites(self.polynomial_matrix, Poly(others, Z), self.rest):
                    found.append(f)
        return tuple(found)

    def _repr_latex_(self) -> str:
        letters = Letters("latex")
        return f"$\\displaystyle {sympy.latex(self.matrix, symbol_names={s: letters.symbol(s) for s in self.matrix.free_symbols})}$"


def _upright(f: Coefficients) -> Poly:
    """In z, with a leading coefficient that starts with a plus."""
    return as_poly(f if first_coefficient(f[0]) > 0 else tuple(-c for c in f), Z)


def _excites(matrix: Matrix, others: Poly, start: Matrix) -> bool:
    total, power = sympy.zeros(matrix.rows, 1), start
    for c in reversed(others.all_coeffs()):
        total += c*power
        power = matrix*power
    return any(sympy.cancel(e) != 0 for e in total)


def linearize(rule: Rule, *, at: dict[str, Any] | None = None, mode: Any = "lam", freeze: Iterable[str] = ()) -> Linear:
    """The matrix of a rule on one mode of curvature lam, where grad(x) = lam*x, hess(x, v) = lam*v, prox(u, s) = u/(1 + s*nu).

    `at={"x": 1, "z": "r - 1"}` linearizes a nonlinear rule at a point; `mode="complex"` uses lam_re + i*lam_im,
    `mode=[["a", "b"], ["-b", "c"]]` a game of two players; `freeze=("v",)` holds states fixed, lam is then the
    preconditioned curvature. Raises LinearizeError where one mode does not describe the rule, and says why.

    >>> from dynopt.core.rule import method
    >>> linearize(method(lambda x, *, eta, grad: x - eta*grad(x))).matrix
    Matrix([[-eta*lam + 1]])
    """
    from .freezing import frozen
    program, frozen_states = frozen(rule, names_in(freeze, "freeze"))
    check_names(rule, program.oracles)
    try:
        return _linearized(rule, program, frozen_states, at, mode, [])
    except LinearizeError:
        from .scalars import driven
        scalars = driven(rule, program)                                 # a scalar that drives itself may be all that is in the way
        if not scalars:
            raise
        return _linearized(rule, program, frozen_states, at, mode, scalars)


def _linearized(rule: Rule, program: Any, frozen_states: dict, at: dict | None, mode: Any, scalars: list) -> Linear:
    given = {} if at is None else point_of(at, list(program.state), rule)
    frozen_states = {s: given.pop(s, own) for s, own in frozen_states.items()}
    held = {**frozen_states, **{d.name: d.symbol for d in scalars}}
    size, gradient, curvatures = gradient_of(mode, program, rule)
    values: dict[str, Expr] = {name: symbol(name) for name in program.params}
    runner = _runner(program, size, values, gradient, nonlinear=at is not None)
    moving = [s for s in program.state if s not in held]
    point = point_of(given, moving, rule)
    known = {node: _state_value(node.data, size, point, held) for node in program.everything if node.op == "state"}
    runner.outer = known
    outputs = runner.run(program.outputs, known)
    keys, rows = _with_registers(moving, [o for s, o in zip(program.state, outputs) if s in moving], runner)
    matrix = Matrix([[r.row.get(k, Integer(0)) for k in keys] for r in rows]).applyfunc(check_size).applyfunc(_tidy)
    here = point if program.kind == "method" else {}
    if matrix.has(sympy.oo, -sympy.oo, sympy.zoo, sympy.nan):
        raise LinearizeError(f"{rule.name}: it has no derivative at the point; choose another `at=`")
    shift = Matrix([r.const - here.get(k[0], 0) for k, r in zip(keys, rows)]).applyfunc(_tidy)
    matrix, shift = runner.expected(matrix), runner.expected(shift)
    found = _finished(rule, program, matrix, shift, tuple(keys), curvatures, frozen_states, scalars)
    return replace(found, allowed=tuple(runner.bounds()))


def _runner(program: Any, size: int, values: dict[str, Expr], gradient: Callable, nonlinear: bool) -> Runner:
    """Draws are kept as symbols where a mean is taken at the end, since a choice or a product of draws has its own; at a point
    (`at=`) they are held at their means."""
    draws = any(n.op == "call" and n.data[0].startswith(("noise", "uniform")) for n in program.everything)
    flow = program.kind == "flow"
    if not draws or nonlinear:
        return Runner(size, values, gradient, nonlinear=nonlinear, flow=flow)
    from .driven import NoisyRunner
    return NoisyRunner(size, values, gradient, flow=flow)


def _finished(rule: Rule, program: Any, matrix: Matrix, shift: Matrix, keys: tuple, curvatures: tuple,
              frozen_states: dict, scalars: list) -> Linear:
    from .freezing import preconditioned
    needs: list[Expr] = []
    notes: list[str] = []
    if program.kind == "flow" and (matrix.has(symbol("t")) or matrix.has(symbol("k"))):
        what = "time t" if matrix.has(symbol("t")) else "counter k, which a Method has and a Flow has not"
        raise LinearizeError(f"{rule.name}: its rate depends on the {what}, so no eigenvalue decides stability; "
                             "solve it on a mode, or freeze the coefficient by giving it a name of its own, such as k_0 or c")
    if matrix.has(symbol("t")) or shift.has(symbol("t")):               # t = t0 + k*h goes to infinity as k does
        if matrix.has(symbol("k")) or shift.has(symbol("k")):
            raise LinearizeError(f"{rule.name}: it depends on both k and t; write one of them through the other")
        matrix, shift = (m.applyfunc(lambda e: in_steps(e, expression(stride_of(program)))) for m in (matrix, shift))
    settled = goes_on(matrix, shift)
    period = period_of(matrix, shift)
    matrix, shift, needs, notes = settle(matrix, shift)
    if scalars:
        from .scalars import settled as after
        matrix, shift, settled = after(matrix, scalars), after(shift, scalars), True
        notes = [*notes, *(rf"\text{{{d.name}}} \to {sympy.latex(d.limit)}" for d in scalars)]
    if frozen_states:
        matrix, more = preconditioned(matrix, frozen_states, curvatures)
        notes += more
    used = tuple(dict.fromkeys([*map(str, curvatures), *rule.params]))
    present = tuple(c for c in curvatures if matrix.has(c))
    return Linear(matrix.applyfunc(_tidy), shift, keys, program.kind, present, tuple(needs), tuple(notes), used, settled, period)


def _tidy(e: Expr) -> Expr:
    return e if e.is_Symbol or e.is_Rational else sympy.factor_terms(sympy.cancel(e)) if e.is_rational_function() else e


def _state_value(name: str, size: int, point: dict[str, Expr], frozen_states: dict[str, Symbol]) -> Value:
    if name in frozen_states:
        return (Form(frozen_states[name]),)*size
    return tuple(Form(point.get(name, Integer(0)), {(name, i): Integer(1)}) for i in range(size))


def _with_registers(states: list[str], outputs: list[Value], runner: Runner) -> tuple[list, list[Form]]:
    keys = [(s, i) for s in states for i in range(runner.size)]
    rows = [f for value in outputs for f in value]
    for s, depth in runner.registers.items():
        for j in range(1, depth + 1):
            for i in range(runner.size):
                keys.append((f"{s}[-{j}]", i))
                rows.append(Form(Integer(0), {(s if j == 1 else f"{s}[-{j - 1}]", i): Integer(1)}))
    return keys, rows
