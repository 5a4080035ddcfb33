"""Values that a user gives to parameters by name: numbers or arrays that fit each other."""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Mapping

import numpy as np

from ..core.errors import ParameterError


def floats(subject: str, name: str, value: Any) -> Any:
    """A float, or an array of floats."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(f"{subject}: {name} = {value!r:.40}; expected a number or an array of numbers") from None
    return array if array.ndim else np.float64(array)


def number(subject: str, name: str, value: Any) -> Any:
    """The same, a whole number or a fraction kept as it is."""
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return Fraction(value)
    if getattr(value, "is_Rational", False):
        return Fraction(int(value.p), int(value.q))
    return floats(subject, name, value)


def fitting(subject: str, values: Mapping[Any, Any]) -> None:
    """Raise where arrays cannot be broadcast against each other."""
    try:
        np.broadcast_shapes(*map(np.shape, values.values()))
    except ValueError:
        shapes = ", ".join(f"{n} of shape {np.shape(v)}" for n, v in values.items() if np.ndim(v))
        raise ParameterError(f"{subject}: found {shapes}, expected shapes that broadcast against each other; "
                             "write one of them as a column, as in eta[:, None]") from None
