"""Three formulas of a well-known teaching article on momentum, derived again: what stands there, what is true, and where it shows."""
from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Matrix, Rational, sqrt

from ..core.rule import Method
from .linear import linearize
from .rates import rate
from .symbols import symbol


@dataclass(frozen=True)
class Refutation:
    """A printed formula, the derived one, and a point where they differ."""

    claim: str
    printed: Expr | Matrix
    derived: Expr | Matrix
    point: dict[str, Expr]

    @property
    def values(self) -> tuple:
        """Both formulas at the point: (printed, derived)."""
        table = {symbol(n): v for n, v in self.point.items()}
        return self.printed.subs(table), self.derived.subs(table)

    @property
    def refuted(self) -> bool:
        """Do they differ at the point?"""
        printed, derived = self.values
        return bool(printed != derived)

    def __repr__(self) -> str:
        at = ", ".join(f"{n} = {v}" for n, v in self.point.items())
        printed, derived = self.values
        return f"{self.claim}: printed {self.printed}, derived {self.derived}; at {at}: {printed} against {derived}"


def momentum_article() -> tuple[Refutation, ...]:
    """The three formulas of "Why Momentum Really Works" (Distill 2017) that a derivation does not confirm.

    The modulus of a complex pair, the residual matrix of the pair (velocity, position), and the error of the objective after k
    steps of gradient descent (here k = 1), for f = lam*x**2/2.

    Returns a tuple of Refutation, each with `.printed`, `.derived`, `.point` and `.values`.

    >>> [r.refuted for r in momentum_article()]
    [True, True, True]
    """
    momentum = Method.from_string("y = beta*y + grad(x); x = x - eta*y", state="y x", name="momentum")
    descent = Method.from_string("x = x - eta*grad(x)", state="x", name="gradient_descent")
    return _modulus(momentum), _residuals(momentum), _objective(descent)


def _modulus(momentum: Method) -> Refutation:
    [group] = rate(momentum).pieces
    derived = next(p.value for p in group if p.kind == "complex")
    point = {"beta": Rational(1, 4), "eta": Rational(1), "lam": Rational(1)}
    return Refutation("modulus where the eigenvalues are complex", 2*sqrt(symbol("beta")), derived, point)


def _residuals(momentum: Method) -> Refutation:
    derived = linearize(momentum).matrix
    swapped = derived.extract([1, 0], [1, 0])                            # the matrix of (x, y), applied to (y, x)
    point = {"beta": Rational(1, 2), "eta": Rational(1, 10), "lam": Rational(1)}
    return Refutation("matrix from (y, x) to the next (y, x)", swapped, derived, point)


def _objective(descent: Method) -> Refutation:
    factor, start, lam = linearize(descent).matrix[0], symbol("x0"), symbol("lam")
    derived = lam/2*(factor*start)**2
    point = {"eta": Rational(1, 2), "lam": Rational(1), "x0": Rational(1)}
    return Refutation("f(x_1) - f* after one step of gradient descent", lam*(factor*start)**2, derived, point)
