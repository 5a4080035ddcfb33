"""The public questions about one mode: where is it stable, bounded, oscillating, monotone?"""
from __future__ import annotations

from typing import Any, Iterable

from sympy import Expr

from ..core.rule import Rule
from . import pool
from .algebra import LinearizeError
from .atoms import Atom, make
from .claim import Stable
from .linear import Linear, linearize
from .reduce import Conjunction, Context, reduce
from .region import Region
from .relations import assumptions
from .schur import Coefficients, Condition
from .steps import derivation

PLACE = {"method": "disk", "flow": "half_plane"}


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
        problem = Problem(linear, facts, definitions)
        return problem.region() if over is None else _over(problem, over)
    except LinearizeError as error:
        return Region((), unknown=str(error))
    except (pool.OutOfTime, pool.WorkFailed) as error:
        return Region((), unknown=f"the derivation was given up: {error}")


def _over(problem: "Problem", over: tuple) -> Region:
    from .curvature import every_curvature
    return every_curvature(problem, over)


class Problem:
    """One stability question: the linear system, the conditions on its roots, what is assumed."""

    def __init__(self, linear: Linear, facts: tuple = (), definitions: dict | None = None):
        self.linear, self.place = linear, PLACE[linear.kind]
        self.facts = tuple(dict.fromkeys([*facts, *linear.generators.facts]))
        self.definitions = {**(definitions or {}), **linear.generators.meaning}
        neutral = [tuple(p.all_coeffs()) for p in linear.neutral]
        self.polynomials: tuple[Coefficients, ...] = tuple(f for f, _ in linear.factors if f not in neutral)

    @property
    def claim(self) -> Stable:
        generators = self.linear.generators
        return Stable(self.place, self.polynomials, self.linear.denominators, tuple(generators.polynomial(e) for e in self.linear.needs))

    def conditions(self) -> list[tuple[Coefficients, list[Condition]]]:
        """For each polynomial what its roots ask for."""
        function = "disk_conditions" if self.place == "disk" else "half_plane_conditions"
        return [(p, pool.limited(len(p) - 1, "schur", function, p)) for p in self.polynomials]

    def region(self) -> Region:
        found = self.conditions()
        if self.linear.settled and any(c.expr == 0 for _, rows in found for c in rows):
            raise LinearizeError("the limit k -> oo has an eigenvalue on the circle, so the limit decides nothing; "
                                 "rates along k are a question for `rate` or for iterate")
        atoms: list[Atom] = list(self.claim.conditions)
        kinds: dict[Expr, str] = {}
        for _, rows in found:
            for c in rows:
                new = make(c.expr, ">")
                atoms += new
                for f in (f for a in new for f in a.factors if c.kind):
                    kinds.setdefault(f, c.kind or "")
        context = Context(self.facts)
        union = reduce(atoms, context)
        return self.finished(union, context, kinds, derivation(self.linear, found, context, union, self.definitions))

    def finished(self, union: tuple[Conjunction, ...], context: Context, kinds: dict, steps: tuple[str, ...]) -> Region:
        return Region(union, context.facts, self.definitions, kinds, self.claim, steps, names=self.linear.names)


