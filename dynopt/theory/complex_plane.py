"""Where a scheme is stable in the complex plane: the factors per step of x' = z x, h = 1, lie inside the unit circle."""
from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any, Callable, Mapping

import numpy as np
import sympy
from sympy import Expr, Symbol

from ..core.errors import RuleError
from ..core.expr import Node, evaluate, leaf
from ..core.rule import Flow, Method
from ..core.strings import rule_from_nodes
from .atoms import Atom, Formula, make
from .claim import SURE, Obligation, Stable
from .linear import linearize
from .numbers import polynomials
from .question import Question
from .reduce import Context, reduce
from .region import Region, checked
from .symbols import symbol

Z_RE, Z_IM = symbol("z_re"), symbol("z_im")


def stability_region(scheme: Callable[[Flow], Method], **params: Any) -> Region:
    """The z = z_re + i z_im at which every solution of x' = z x dies under a scheme of step one.

    |R(z)| < 1 for a one-step scheme, R = P/Q its stability function; the root condition with every root inside for a multistep one.

    scheme : Flow -> Method, such as rk4 or rkc(5). params : values of its own parameters, such as theta="1/2"; else they stay free.
    Returns a Region in z_re and z_im with its proof; `.plot(x="z_re", y="z_im")` draws it.
    Source: Hairer, Wanner 1996, sections IV.2 and V.1.

    >>> from dynopt import explicit_euler
    >>> print(stability_region(explicit_euler))
    2*z_re + z_im**2 + z_re**2 < 0
    """
    made = scheme_on_test(scheme)
    made = made.subs(**params) if params else made
    zeta = sympy.Dummy("zeta")
    p = factors_of(made, zeta)
    names = ("z_re", "z_im", *(n for n in made.params if n != "a"))
    return _one_step(p, names) if p.degree() == 1 else _multistep(scheme, params, names)


def scheme_on_test(scheme: Callable[[Flow], Method]) -> Method:
    """The scheme on x' = a x with h = 1."""
    test = rule_from_nodes(Flow, "test", ("x",), [leaf("param", "a")*leaf("state", "x")])
    return scheme(test).subs(h=1)                                                            # type: ignore[return-value]


def factors_of(made: Method, zeta: Symbol) -> sympy.Poly:
    """The polynomial in zeta whose roots are the factors per step, roots at zero left out; its coefficients are polynomials in a."""
    quotient = _quotient(made)
    if quotient is not None:
        return sympy.Poly(quotient.denom.as_expr()*zeta - quotient.numer.as_expr(), zeta)
    matrix = linearize(made).matrix
    determinant = (zeta*sympy.eye(matrix.rows) - matrix).det(method="berkowitz")
    top, _ = sympy.fraction(sympy.cancel(sympy.together(determinant)))
    p = sympy.Poly(sympy.expand(top), zeta)
    while p.degree() > 1 and p.TC() == 0:
        p = sympy.Poly(sympy.quo(p.as_expr(), zeta, zeta), zeta)
    return p


def _quotient(made: Method) -> Any:
    """The stability function of an explicit scheme, run on quotients of polynomials: quick for many stages. None for other schemes."""
    if len(made.state) > 1 or "implicit" in made.oracles:
        return None
    field: Any = sympy.field([symbol(n) for n in sorted(made.params)], sympy.QQ)[0]
    plain: dict[str, Callable] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv, "neg": operator.neg}

    def value(node: Node) -> Any:
        if node.op == "const":
            return field(sympy.QQ(node.data.numerator, node.data.denominator))
        return field(1) if node.op == "state" else field.from_expr(symbol(node.data))
    try:
        return evaluate(made.program.outputs, value, lambda node, args: plain[node.op](*args))[0]
    except (KeyError, ValueError):
        return None


def parts(c: Expr) -> tuple[Expr, Expr]:
    """Real and imaginary part of a polynomial in a at a = z_re + i z_im; other parameters are real."""
    real, imaginary = sympy.Integer(0), sympy.Integer(0)
    power = (sympy.Integer(1), sympy.Integer(0))
    for coefficient in sympy.Poly(c, symbol("a")).all_coeffs()[::-1]:
        real, imaginary = real + coefficient*power[0], imaginary + coefficient*power[1]
        power = sympy.expand(power[0]*Z_RE - power[1]*Z_IM), sympy.expand(power[0]*Z_IM + power[1]*Z_RE)
    return sympy.expand(real), sympy.expand(imaginary)


def size_of(pair: tuple[Expr, Expr]) -> Expr:
    return sympy.expand(pair[0]**2 + pair[1]**2)


@dataclass(frozen=True)
class Quotient(Stable):
    """The one factor per step -over/under lies in the open unit disk: |over|^2 < |under|^2, which is what |R| < 1 says."""

    under: tuple[Expr, Expr] = (sympy.Integer(1), sympy.Integer(0))
    over: tuple[Expr, Expr] = (sympy.Integer(0), sympy.Integer(0))

    @property
    def margin(self) -> Expr:
        return sympy.expand(size_of(self.under) - size_of(self.over))

    @property
    def symbols(self) -> frozenset[Symbol]:
        return frozenset().union(*(e.free_symbols for e in (*self.under, *self.over)))

    def holds(self, values: Mapping[Symbol, Any]) -> tuple[Any, Any]:
        """|over| < |under| on numbers, without the expanded difference that the region is made of."""
        a, b, c, d = polynomials((*self.under, *self.over), values)
        large, small = a*a + b*b, c*c + d*d
        exact = getattr(getattr(large, "dtype", None), "hasobject", False)
        return small < large, exact or np.abs(large - small) > SURE*(large + small)

    def violated(self) -> list[Obligation]:
        return [("the factor lies outside", (("and", *(a.negated for a in make(self.margin, ">"))),))]

    def fulfilled(self) -> list[tuple[Formula, ...]]:
        return [make(self.margin, ">")]


def _one_step(p: sympy.Poly, names: tuple[str, ...]) -> Region:
    claim = Quotient("disk", (), under=parts(p.all_coeffs()[0]), over=parts(p.all_coeffs()[1]))
    conditions: tuple[Atom, ...] = make(claim.margin, ">")
    context = Context(())
    kinds = {f: "neimark_sacker" for a in conditions for f in a.factors}
    steps = (rf"R(z) = {sympy.latex(sympy.factor(-p.all_coeffs()[1]/p.all_coeffs()[0]).subs(symbol('a'), sympy.Symbol('z')))}",)
    try:
        return checked(Region(reduce(conditions, context), context.facts, {}, kinds, claim, steps, names=names))
    except OverflowError:
        return Region((), unknown="its coefficients are whole numbers beyond double precision, so no point can be tested")


def _multistep(scheme: Callable[[Flow], Method], params: dict, names: tuple[str, ...]) -> Region:
    """Through the real polynomial whose roots are the factors and their conjugates."""
    flow = rule_from_nodes(Flow, "test", ("x",), [-_gradient()])
    made = scheme(flow).subs(h=1, **params)
    linear = linearize(made, mode="complex")
    turned = {symbol("lam_re"): -Z_RE, symbol("lam_im"): -Z_IM}
    if not linear.matrix.free_symbols & set(turned):
        raise RuleError(f"{made.name}: its steps do not depend on the flow, so it has no stability region")
    return Question(replace(linear, matrix=linear.matrix.subs(turned, simultaneous=True), curvatures=(), names=names)).region()


def _gradient() -> Any:
    return Node("call", leaf("state", "x"), data=("grad", 0))
