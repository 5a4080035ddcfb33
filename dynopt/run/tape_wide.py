"""Operations of a tape on values of many entries: row by row of the table, so that entries lie side by side and go through registers together.

No sum is regrouped: every entry gets the bits that it gets alone.
"""
from __future__ import annotations

from typing import Any, Callable

import numba as nb

from ..emit.tape import CODE

ADD, SUB, NEG, COPY, MUL, SCALE, DIV, DIVIDE = range(8)
assert [CODE[name] for name in ("add", "sub", "neg", "copy", "mul", "scale", "div", "divide")] == list(range(8))
WIDE = 12                                           # entries from which on a loop of its own is worth its start


def entrywise(name: str, f: Callable) -> Any:
    """run(o, x, y): o_i = f(o_i, x_i, y_i), where x or y may be one number for all; symbols of kept code meet by their names, so each has its own."""
    f = nb.njit(inline="always", error_model="numpy")(f)

    def run(o, x, y):
        n = o.shape[0]
        if x.shape[0] == y.shape[0]:
            for i in range(n):
                o[i] = f(o[i], x[i], y[i])
        elif x.shape[0] == 1:
            a = x[0]
            for i in range(n):
                o[i] = f(o[i], a, y[i])
        else:
            b = y[0]
            for i in range(n):
                o[i] = f(o[i], x[i], b)
    run.__name__ = run.__qualname__ = f"wide_{name}"
    return nb.njit(nogil=True, error_model="numpy")(run)


plus, minus = entrywise("plus", lambda o, x, y: x + y), entrywise("minus", lambda o, x, y: x - y)
times, over = entrywise("times", lambda o, x, y: x*y), entrywise("over", lambda o, x, y: x/y)
more, less = entrywise("more", lambda o, x, y: o + x*y), entrywise("less", lambda o, x, y: o - x*y)


@nb.njit(nogil=True, error_model="numpy")
def wide(code, width, out, a, sa, b, sb, J, k):
    """Coefficients k of a sum, a product or a quotient."""
    na, nb_ = 1 + (width - 1)*sa, 1 + (width - 1)*sb
    o, x, y = J[k, out:out + width], J[k, a:a + na], J[k, b:b + nb_]
    if code == ADD:
        plus(o, x, y)
    elif code == SUB:
        minus(o, x, y)
    elif code == NEG or code == COPY:
        for i in range(width):
            o[i] = -x[i*sa] if code == NEG else x[i*sa]
    elif code == MUL:
        o[:] = 0.0
        for j in range(k + 1):
            more(o, J[j, a:a + na], J[k - j, b:b + nb_])
    elif code == SCALE:
        times(o, J[0, a:a + na], y)
    elif code == DIVIDE:
        over(o, x, J[0, b:b + nb_])
    else:
        for i in range(width):
            o[i] = x[i*sa]
        for j in range(1, k + 1):
            less(o, J[j, b:b + nb_], J[k - j, out:out + width])
        over(o, o, J[0, b:b + nb_])


@nb.njit(nogil=True, error_model="numpy")
def product(o, x, columns):
    """A matrix, given by its columns one after another, times x."""
    n = o.shape[0]
    o[:] = 0.0
    for j in range(x.shape[0]):
        a, column = x[j], columns[j*n:(j + 1)*n]
        for i in range(n):
            o[i] += a*column[i]
