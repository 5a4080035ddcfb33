"""The public questions about one mode: where is it stable, bounded, oscillating, monotone?"""
from __future__ import annotations

from typing import Any, Iterable

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .bounded import bounded
from .curvature import every_curvature
from .linear import Linear, linearize
from .monotone import monotone
from .oscillation import oscillation
from .question import Question
from .region import Region
from .relations import assumptions

__all__ = ["bounded", "monotone", "oscillation", "stability"]


def stability(rule: Rule | Linear, *, over: tuple | None = None, given: Iterable[Any] = (), mode: Any = "lam",
              freeze: Iterable[str] = (), at: dict | None = None) -> Region:
    """Where every eigenvalue of a mode lies in the open unit disk (for a flow: in the open left half plane).

    `given` are relations taken for granted; `over=("mu", "L")` asks for every curvature in [mu, L] (mu = 0: in (0, L]);
    `mode`, `freeze` and `at` as in `linearize`. A rule that has no mode, or whose limit decides nothing, is `unknown`.

    >>> from dynopt.core.rule import method
    >>> print(stability(method(lambda x, *, eta, grad: x - eta*grad(x))))
    0 < eta*lam < 2
    """
    pool.warm()
    try:
        linear = rule if isinstance(rule, Linear) else linearize(rule, mode=mode, freeze=freeze, at=at)
        facts, definitions = assumptions(given)
        question = Question(linear, facts, definitions)
        return question.region() if over is None else every_curvature(question, over)
    except LinearizeError as error:
        return Region((), unknown=str(error))
    except (pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=f"the derivation was given up: {error}")
