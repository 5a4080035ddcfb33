"""Real roots of a polynomial with parameters in it: an expression that is evaluated where the parameters have numbers."""
from __future__ import annotations

from typing import Any, Mapping

import numpy as np
from sympy import Expr, Integer, Poly, Symbol, fraction, rootof, sqrt, together
from sympy.printing.latex import LatexPrinter

REAL = 1e-7                                                              # imaginary part, relative, up to which a root counts as real


class Root(Expr):
    """The real root number `index` (from 0, rising, a double root counts twice) of a polynomial in `z`.

    Without parameters it becomes sympy's CRootOf, so that every digit can be had. `.at(**values)` evaluates it: nan where
    there are not that many real roots.

    >>> from sympy import symbols
    >>> z, a = symbols("z a", real=True)
    >>> Root(z**3 - a, z, 0).at(a=[8., 27.]).round(12).tolist()
    [2.0, 3.0]
    """

    is_commutative = True
    is_extended_real = True

    def __new__(cls, polynomial: Expr, z: Symbol, index: int) -> Expr:
        polynomial = fraction(together(polynomial))[0].expand()
        if polynomial.free_symbols == {z} and polynomial.is_polynomial(z):
            found = Poly(polynomial, z).real_roots()
            if index < len(found):
                return found[index]
        if polynomial.is_polynomial():
            polynomial = Poly(polynomial).primitive()[1].as_expr()
        return super().__new__(cls, polynomial, z, Integer(index))

    @property
    def polynomial(self) -> Expr:
        return self.args[0]

    @property
    def variable(self) -> Symbol:
        return self.args[1]

    @property
    def index(self) -> int:
        return int(self.args[2])

    @property
    def free_symbols(self) -> set:
        return self.polynomial.free_symbols - {self.variable}

    @property
    def bound_symbols(self) -> list:
        return [self.variable]

    def _eval_subs(self, old: Any, new: Any) -> Any:
        return self if old == self.variable else Root(self.polynomial._subs(old, new), self.variable, self.index)

    def _sympystr(self, printer: Any) -> str:
        return f"RootOf({printer.doprint(self.polynomial)}, {self.variable}, {self.index})"

    def _latex(self, printer: LatexPrinter) -> str:
        return (rf"\operatorname{{root}}_{{{self.index + 1}}}\left({printer.doprint(self.variable)} : "
                rf"{printer.doprint(self.polynomial)} = 0\right)")

    def at(self, **values: Any) -> Any:
        """The root where the parameters have these values: numbers or arrays, broadcast; nan where it does not exist."""
        return root_on(self, {s: np.asarray(values[str(s)], dtype=float) for s in self.free_symbols})


def root_on(root: Root, values: Mapping[Symbol, Any]) -> Any:
    """The value of a Root on arrays, by the companion matrix."""
    from .numbers import expression
    coefficients = [np.asarray(expression(c, values), dtype=float) for c in Poly(root.polynomial, root.variable).all_coeffs()]
    rows = np.stack(np.broadcast_arrays(*coefficients), axis=-1)
    found = np.array([_real_root(row, root.index) for row in rows.reshape(-1, rows.shape[-1])]).reshape(rows.shape[:-1])
    return found if found.ndim else float(found)


def _real_root(coefficients: np.ndarray, index: int) -> float:
    if not np.isfinite(coefficients).all():
        return np.nan
    found = np.roots(coefficients)
    real = np.sort(found.real[np.abs(found.imag) <= REAL*np.maximum(np.abs(found), 1e-300)])
    return float(real[index]) if index < len(real) else np.nan


def root(polynomial: Expr, z: Symbol, index: int, rising: int = 0, finite: bool = False) -> Expr:
    """The shortest expression of a real root; `rising` is the sign of the leading coefficient, where it is known.

    finite : the expression is to hold where the leading coefficient vanishes, too.
    """
    p = Poly(polynomial, z)
    c = p.all_coeffs()
    if len(c) == 2:
        return -c[1]/c[0]
    if len(c) == 3 and rising:
        w = sqrt((c[1]**2 - 4*c[0]*c[2]).factor())*(1 if (index == 1) == (rising > 0) else -1)
        return 2*c[2]/(-c[1] - w) if finite else (-c[1] + w)/(2*c[0])
    if not (p.free_symbols - {z}):
        return rootof(p.as_expr(), index, radicals=False) if p.count_roots() == p.degree() else p.real_roots()[index]
    return Root(p.as_expr(), z, index)
