"""The public questions about one mode: where is it stable, bounded, oscillating, monotone?"""
from __future__ import annotations

from typing import Any, Iterable

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .bounded import bounded
from .curvature import every_curvature
from .delays import delayed_region, symbolic_delay
from .linear import Linear, linearize
from .monotone import monotone
from .oscillation import oscillation
from .question import Question
from .region import Region
from .relations import assumptions

__all__ = ["bounded", "monotone", "oscillation", "stability"]


def stability(rule: Rule | Linear, *, over: tuple | None = None, given: Iterable[Any] = (), mode: Any = "lam",
              freeze: Iterable[str] = (), at: dict | None = None) -> Region:
    """Where a rule is stable: every eigenvalue of a mode in the open unit disk (a flow: in the open left half plane).

    max |z| < 1 over det(z*I - M) = 0, where M is the matrix of one step on f = lam*x**2/2 (see `linearize`).

    rule : a Method or a Flow, or a `Linear`. over : (mu, L), names or numbers, 0 <= mu <= L: stable for every curvature in
    [mu, L] (mu = 0: in (0, L]). given : relations taken for granted, such as ["0 < beta", "beta < 1"].
    mode : "lam", "complex" or a game's matrix. freeze : states held fixed. at : the point to linearize at.
    Returns a Region of real parameters (curvatures, time step and mass positive) with its proof; what has no mode, or a
    limit in k that decides nothing, is `unknown` and says why. Raises RuleError for an interval or a relation that is none.
    Source: Schur 1918, Cohn 1922; Lienard, Chipart 1914.

    >>> from dynopt.core.rule import method
    >>> print(stability(method(lambda x, *, eta, grad: x - eta*grad(x))))
    0 < eta*lam < 2
    """
    pool.warm()
    try:
        delay = None if over or freeze or at else symbolic_delay(rule)
        if delay:
            return delayed_region(rule, delay, *assumptions(given), mode)
        linear = rule if isinstance(rule, Linear) else linearize(rule, mode=mode, freeze=freeze, at=at)
        facts, definitions = assumptions(given, linear)
        question = Question(linear, facts, definitions)
        return question.region() if over is None else every_curvature(question, over)
    except LinearizeError as error:
        return Region((), unknown=str(error))
    except (pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=f"the derivation was given up: {error}")
