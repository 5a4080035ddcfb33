"""The flow that a method follows exactly on a quadratic: the logarithm of its matrix over h."""
from __future__ import annotations

import sympy
from sympy import Integer, Matrix

from ..core.errors import RuleError
from ..core.rule import Method
from .linear import Linear, linearize
from .symbols import symbol


def exact_on_mode(method: Method, where: dict[str, str] | None = None) -> Linear:
    """The linear flow z' = A z on a mode with exp(h A) = M, the matrix of the method, at any step size; t = k h (k where no h is known).

    A = log(M)/h, of one or two states; it is real where no eigenvalue of M lies on (-oo, 0], which `needs` and `notes` state.
    Raises RuleError for more states, or where M is never invertible.
    """
    rule = method.subs(**where) if where else method
    linear = linearize(rule)
    M, h = linear.matrix, symbol("h") if "h" in rule.params else Integer(1)
    if M.rows > 2:
        raise RuleError(f"{method.name}: its matrix has {M.rows} rows, expected one or two for a logarithm in closed form")
    determinant = sympy.factor(M.det())
    if determinant == 0:
        raise RuleError(f"{method.name}: its matrix is singular at every step, so no flow reaches what it does in one step")
    if M.rows == 1:
        log, needs, note = Matrix([[sympy.log(M[0])]]), (M[0],), f"exact where {M[0]} > 0: beyond it the iterates alternate, as no flow does"
    else:
        log, needs, note = _two(M), (determinant,), _note(M, determinant)
    return Linear(log/h, sympy.zeros(M.rows, 1), linear.keys, "flow", linear.curvatures, (*linear.needs, *needs), (*linear.notes, note), linear.names,
                  allowed=linear.allowed)


def _two(M: Matrix) -> Matrix:
    """log M = (log a - log b)/(a - b) M + (a log b - b log a)/(a - b), a and b the eigenvalues."""
    trace, root = sympy.expand(M.trace()), sympy.sqrt(sympy.factor(sympy.expand(M.trace()**2 - 4*M.det())))
    a, b = (trace + root)/2, (trace - root)/2
    return ((sympy.log(a) - sympy.log(b))/root)*M + ((a*sympy.log(b) - b*sympy.log(a))/root)*sympy.eye(2)


def _note(M: Matrix, determinant: sympy.Expr) -> str:
    trace = sympy.factor(M.trace())
    spread = sympy.factor(sympy.expand(M.trace()**2 - 4*M.det()))
    return f"exact where no eigenvalue lies on (-oo, 0]: {determinant} > 0 and ({spread} < 0 or {trace} > 0)"
