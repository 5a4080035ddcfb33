"""How a method answers a gradient: total effect, age and weights of past gradients, frequencies, lag behind a moving minimum."""
from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Dummy, Expr, I, Matrix, Poly, Symbol, acos, cancel, chebyshevt, cos, eye, factor, fraction, sin, sqrt

from ..core.errors import RuleError
from ..core.rule import Rule
from .exact import neat, solve
from .extremal import roots_of
from .mode import as_expression
from .realize import Realization, Z, realize
from .symbols import symbol


@dataclass(frozen=True, eq=False)
class Response:
    """A method seen as a filter: from a gradient g_k, the same for all calls of a step, to the step x_k - x_(k+1)."""

    realization: Realization
    reads: str = "x"

    @cached_property
    def step(self) -> Expr:
        """W(z) = sum over j of w_j z**-j: the step is the sum of w_j g_(k-j)."""
        r = self.realization
        row = r.row(self.reads)
        forward = r.transfer(row*(eye(r.A.rows) - r.A), -row*r.B)        # x_k - x_(k+1) = row (1 - A) state - row B g
        return _written(sum(forward))

    @cached_property
    def transfer(self) -> Expr:
        """From the gradient to the state that is read, as a rational function of z."""
        return _written(sum(self.realization.transfer(self.realization.row(self.reads))))

    @cached_property
    def gain(self) -> Expr:
        """Sum of the weights: the step under a constant unit gradient, the effective learning rate."""
        return self._at_one(self.step)

    @cached_property
    def lag(self) -> Expr:
        """Mean age of the gradients in a step, sum of j w_j over sum of w_j (the newest has age 0), in steps."""
        return neat(-self._at_one(cancel(self.step.diff(Z)))/self.gain)

    @staticmethod
    def _at_one(e: Expr) -> Expr:
        over, under = fraction(cancel(e))
        if cancel(under.subs(Z, 1)) == 0:
            raise RuleError("the step under a constant gradient grows without bound, so there is no gain")
        return neat(over.subs(Z, 1)/under.subs(Z, 1))

    def impulse(self, j: int) -> Expr:
        """The weight w_j of a gradient j steps old."""
        r, row = self.realization, self.realization.row(self.reads)
        ones = Matrix.ones(r.B.cols, 1)
        if j == 0:
            return neat((-row*r.B*ones)[0])
        return neat((row*(eye(r.A.rows) - r.A)*r.A**(j - 1)*r.B*ones)[0])

    def frequency(self, omega: Any = "omega") -> Expr:
        """W(e^(i omega)): amplitude and phase of the step for gradients that turn by omega radians a step."""
        w = as_expression(omega)
        return self.step.subs(Z, cos(w) + I*sin(w))

    def magnitude_squared(self, omega: Any = "omega") -> Expr:
        """|W(e^(i omega))|**2 as a function of cos(omega)."""
        c = Symbol("<cos>", real=True)
        out = []
        for part in fraction(cancel(self.step)):
            out.append(_square_on_circle(part, c))
        return neat(out[0]/out[1]).subs(c, cos(as_expression(omega)))

    def cutoff(self, level: Any = "1/2") -> Expr:
        """The frequency, in radians a step, at which |W|**2 has fallen to a part of its value at zero (half power)."""
        c = Dummy("c", real=True)
        over, under = (_square_on_circle(part, c) for part in fraction(cancel(self.step)))
        equation = over - as_expression(level)*self.gain**2*under
        found = [value.subs({g: sqrt(neat(i)) for g, i in roots.items()})
                 for value, roots in roots_of(fraction(cancel(equation))[0], c)]
        if len(found) != 1:
            raise RuleError(f"cutoff: the power is {level} of its value at zero where a polynomial in cos(omega) with {len(found)} roots "
                            "in closed form vanishes, expected one; solve magnitude_squared(omega) for numbers")
        return acos(neat(found[0]))

    def tracking(self, speed: Any = "c") -> Expr:
        """x_(k+1) - s_k in the steady state where the minimum s_k, as the gradient of the step saw it, moves by `speed` a step.

        On a mode of curvature lam, after the update; the error before the update is this minus `speed`.
        """
        r, c, lam = self.realization, as_expression(speed), symbol("lam")
        n, q = r.B.shape
        shift = solve((eye(n) - r.A).col_join(r.row(self.reads)), Matrix([0]*n + [1]))
        if shift is None:
            raise RuleError("the rule moves without gradients (weight decay?), so that no steady lag exists")
        system = (r.A - eye(n)).row_join(r.B).col_join(r.C.row_join(r.D - eye(q)/lam))
        found = solve(system, (c*shift).col_join(Matrix.zeros(q, 1)))
        if found is None:
            raise RuleError("the steady state behind a moving minimum is not unique")
        return neat((r.row(self.reads)*(found[:n, :] + c*shift))[0])

    def __repr__(self) -> str:
        return f"step = W(z) gradient, W = {self.step}, gain {self.gain}, lag {self.lag}"


def _written(e: Expr) -> Expr:
    """In z with a positive leading coefficient below."""
    over, under = fraction(neat(e))
    flip = -1 if under.has(Z) and Poly(under, Z).LC().could_extract_minus_sign() else 1
    return factor(flip*over)/factor(flip*under)


def _square_on_circle(p: Expr, c: Symbol) -> Expr:
    """p(z) p(1/z) for |z| = 1, with z**j + z**-j = 2 T_j(c)."""
    a = Poly(p, Z).all_coeffs()
    total = sum(e*e for e in a)
    for j in range(1, len(a)):
        total += 2*chebyshevt(j, c)*sum(a[i]*a[i + j] for i in range(len(a) - j))
    return total.expand()


def response(rule: Rule, reads: str = "x") -> Response:
    """A method as a filter of gradients: step_k = sum over j of w_j g_(k-j).

    rule : Method, linear in its states, with constant parameters; reads : the state whose step is meant.
    Returns a Response: `.gain`, `.lag`, `.impulse(j)`, `.step` and `.transfer` (in z), `.frequency(omega)`, `.cutoff()`, `.tracking(speed)`.

    >>> from dynopt import method
    >>> r = response(method.from_string("v = beta*v + eta*grad(x); x = x - v", state="x v"))
    >>> r.gain, r.lag, r.impulse(2)
    (eta/(1 - beta), beta/(1 - beta), beta**2*eta)
    """
    return Response(realize(rule), reads)
