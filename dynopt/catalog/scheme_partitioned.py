"""Partitioned Runge-Kutta schemes: one tableau for the positions, another for their velocities."""
from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..core.errors import RuleError
from ..core.rule import Flow, Method
from .scheme_parts import Parts, depends, implicit_of
from .scheme_step import Step, exact, method_of
from .scheme_tableau import RungeKutta


def partitioned(A: Any, b: Any, A2: Any, b2: Any, name: str = "partitioned") -> "Partitioned":
    """The scheme X_i = x + h sum_j A_ij X'_j, V_i = v + h sum_j A2_ij V'_j; x and v move by h sum b_i X'_i and h sum b2_i V'_i.

    A, A2 : s rows of s entries; b, b2 : s weights; whole numbers, fractions, "1/3" or floats, kept exact. Stage i stands at
    t + c_i h, c = A 1. Stages that need nobody but those before run one after the other, others are solved by `implicit`.
    Returns a scheme: a function of a Flow of positions, then their velocities. Raises RuleError for shapes that do not fit.
    Source: Hairer, Lubich, Wanner 2006, definition II.2.1 and section II.2.2 (Lobatto IIIA-IIIB).

    >>> from dynopt import conservative, equivalent, heavy_ball
    >>> stoermer = partitioned([[0, 0], ["1/2", "1/2"]], ["1/2", "1/2"], [["1/2", 0], ["1/2", 0]], ["1/2", "1/2"])
    >>> equivalent(stoermer(conservative), heavy_ball)
    partitioned(conservative) is heavy_ball with eta = h**2, beta = 1; heavy_ball can do more
    """
    first, second = RungeKutta.read((A, b), name), RungeKutta.read((A2, b2), name)
    if first.stages != second.stages:
        raise RuleError(f"{name}: the positions have {first.stages} stages and the velocities {second.stages}, expected as many of each")
    return Partitioned(first, second, name)


class Partitioned:
    """The scheme of two tableaux: call it on a flow."""

    def __init__(self, positions: RungeKutta, velocities: RungeKutta, name: str):
        self.positions, self.velocities, self.name, self.stages = positions, velocities, name, positions.stages
        self.__name__ = name

    def __call__(self, flow: Flow) -> Method:
        parts = Parts(flow, self.name)
        order = self.order(depends(parts.force, set(parts.velocities)))
        oracles = ("implicit",) if order is None else ()

        def body(step: Step, state: tuple) -> tuple:
            return self._implicit(parts, step, state) if order is None else self._explicit(parts, step, state, order)
        return method_of(self.name, flow, body, oracles=oracles, source="Hairer, Lubich, Wanner 2006, definition II.2.1")

    def order(self, friction: bool) -> list[tuple[str, int]] | None:
        """The order in which rates ("x", i) and ("v", i) can be computed; None where they need each other."""
        needs: dict[tuple[str, int], set[tuple[str, int]]] = {}
        for i in range(self.stages):
            velocity = {("v", j) for j, a in enumerate(self.velocities.A[i]) if a}
            needs["x", i] = velocity
            needs["v", i] = {("x", j) for j, a in enumerate(self.positions.A[i]) if a} | (velocity if friction else set())
        try:
            return list(TopologicalSorter(needs).static_order())
        except CycleError:
            return None

    def _explicit(self, parts: Parts, step: Step, state: tuple, order: list[tuple[str, int]]) -> tuple:
        x, v = parts.halves(state)
        known: dict[tuple[str, int], tuple] = {}
        for which, i in order:
            ahead = _moved(step, v, "v", self.velocities.A[i], known)
            place = _moved(step, x, "x", self.positions.A[i], known) if which == "v" else x
            rates = step.rates((*place, *ahead), self.positions.c[i])
            known[which, i] = parts.position(rates) if which == "x" else parts.velocity(rates)
        return (*_moved(step, x, "x", self.positions.b, known), *_moved(step, v, "v", self.velocities.b, known))

    def _implicit(self, parts: Parts, step: Step, state: tuple) -> tuple:
        x, v = parts.halves(state)
        n = len(state)

        def rates(flat: tuple) -> dict[tuple[str, int], tuple]:
            known: dict[tuple[str, int], tuple] = {}
            for i, c in enumerate(self.positions.c):
                found = step.rates(flat[i*n:(i + 1)*n], c)
                known["x", i], known["v", i] = parts.position(found), parts.velocity(found)
            return known

        def residual(*flat: Any) -> tuple:
            known = rates(flat)
            stages = [s for i in range(self.stages) for s in (*_moved(step, x, "x", self.positions.A[i], known),
                                                              *_moved(step, v, "v", self.velocities.A[i], known))]
            return tuple(a - s for a, s in zip(flat, stages))
        step.rates(state)                                          # draws are made before the residual, which cannot draw
        known = rates(implicit_of(step, n*self.stages, residual))
        return (*_moved(step, x, "x", self.positions.b, known), *_moved(step, v, "v", self.velocities.b, known))

    def __repr__(self) -> str:
        return f"Partitioned {self.name} ({self.stages} stage(s))"


def _moved(step: Step, start: tuple, which: str, weights: tuple, known: dict[tuple[str, int], tuple]) -> tuple:
    """start + h sum of weights times the rates known; what is not known yet is not needed."""
    used = [(w, known[which, j]) for j, w in enumerate(weights) if w and (which, j) in known]
    out = []
    for i, s in enumerate(start):
        terms = [r[i] if w == 1 else exact(w, step.h)*r[i] for w, r in used]
        out.append(s + step.h*sum(terms[1:], terms[0]) if terms else s)
    return tuple(out)
