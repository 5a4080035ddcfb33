"""The numbers behind a region: which values of one parameter it allows when the others are given."""
from __future__ import annotations

import math
from typing import Any

from sympy import Expr, oo

from ..core.errors import ParameterError
from .region import Region


def intervals(region: Region, name: str, **values: Any) -> tuple[tuple[float, float], ...]:
    """The open intervals of one parameter that lie in a region at given values of the others, in rising order.

    `region` : a Region; `name` : the parameter to solve for; `values` : a number for every other symbol of the region.
    Returns (lower, upper) pairs, which may be infinite; no pair where the region is empty there.
    Raises ParameterError where a value is missing.

    >>> from dynopt import heavy_ball, stability
    >>> intervals(stability(heavy_ball), "eta", beta=.9, lam=2.)
    ((0.0, 1.9),)
    """
    found = []
    for branch in region.solve(name):
        held = {str(s): values[str(s)] for s in branch.when.free_symbols if str(s) in values}
        if bool(branch.when.contains(**held)):
            low, high = (_value(e, values, name) for e in (branch.lower, branch.upper))
            if low < high:
                found.append((low, high))
    return tuple(sorted(set(found)))


def largest(region: Region, name: str, **values: Any) -> float:
    """The largest value of one parameter up to which a region holds at given values of the others (nan where it is empty).

    >>> from dynopt import nesterov, stability
    >>> largest(stability(nesterov), "eta", beta=.5, lam=3.)
    0.5
    """
    found = intervals(region, name, **values)
    return found[-1][1] if found else math.nan


def _value(e: Expr, values: dict[str, Any], name: str) -> float:
    if e in (oo, -oo):
        return math.inf if e == oo else -math.inf
    missing = sorted(str(s) for s in e.free_symbols if str(s) not in values)
    if missing:
        raise ParameterError(f"interval of {name}: found no value for {', '.join(missing)}, expected one for each symbol of the "
                             f"region; "
                             f"add {', '.join(f'{m}=...' for m in missing)}")
    return float(e.subs({s: values[str(s)] for s in e.free_symbols}).evalf(17))
