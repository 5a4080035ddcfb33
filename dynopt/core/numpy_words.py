"""numpy's own functions on traced values: spoken where a problem's f or gradient is traced, refused with advice in a rule.

A rule has to run untouched on floats, arrays and symbols, so it is written with dynopt's functions. A problem is often there
already, written with numpy for other tools: its f need not be written anew.
"""
from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable, Iterator

import numpy as np

from . import functions as words

_spoken: ContextVar[bool] = ContextVar("numpy_spoken", default=False)

UFUNCS: dict[str, Callable] = {
    "sqrt": words.sqrt, "exp": words.exp, "log": words.log, "sin": words.sin, "cos": words.cos, "tanh": words.tanh,
    "absolute": words.abs, "fabs": words.abs, "sign": words.sign, "minimum": words.minimum, "maximum": words.maximum,
    "negative": lambda x: -x, "positive": lambda x: x, "square": lambda x: x**2, "reciprocal": lambda x: 1/x,
    "tan": lambda x: words.sin(x)/words.cos(x), "less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
}


def _norm(x: Any, ord: Any = None, **options: Any) -> Any:
    if ord not in (None, 2) or options:
        raise NotImplementedError("only the Euclidean norm of a vector is traced")
    return words.norm(x)


def _reduced(how: str) -> Callable:
    def function(x: Any, axis: Any = None, **options: Any) -> Any:
        if axis not in (None, -1, 0) or options:
            raise NotImplementedError(f"np.{how} of a whole vector is traced, without options")
        return getattr(x, how)()
    return function


FUNCTIONS: dict[Any, Callable] = {np.sum: _reduced("sum"), np.mean: _reduced("mean"), np.dot: lambda a, b: a @ b,
                                  np.inner: lambda a, b: a @ b, np.vdot: lambda a, b: a @ b, np.where: words.where,
                                  np.clip: words.clip, np.linalg.norm: _norm}


@contextmanager
def numpy_spoken() -> Iterator[None]:
    """While it lasts, numpy's functions act on traced values."""
    token = _spoken.set(True)
    try:
        yield
    finally:
        _spoken.reset(token)


def spoken(function: Any) -> Callable | None:
    """What a numpy function means on traced values here and now; None where it is not spoken."""
    return (UFUNCS.get(function.__name__) if isinstance(function, np.ufunc) else FUNCTIONS.get(function)) if _spoken.get() else None
