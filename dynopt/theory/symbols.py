"""The one place where sympy symbols are made: equal names are equal symbols, whoever asks."""
from __future__ import annotations

import re
from functools import cache

from sympy import Symbol

POSITIVE = re.compile(r"(lam|lam_\d+|h|m|mu|L|nu)")


@cache
def symbol(name: str) -> Symbol:
    """The symbol of a parameter: positive for curvatures, time step and mass, real for everything else.

    >>> symbol("lam").is_positive, symbol("beta").is_positive
    (True, None)
    """
    return Symbol(name, positive=True) if POSITIVE.fullmatch(name) else Symbol(name, real=True)
