"""What the theory says about each method of the report: region, proof, largest stable step, contraction."""
from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynopt.core.errors import RuleError
from dynopt.core.rule import Rule
from dynopt.plot.curves import evaluate
from dynopt.theory.linear import linearize
from dynopt.theory.rates import rate

from .data import Landscape


@dataclass(frozen=True)
class Entry:
    """One line of the report: a rule, the parameter that is its step, and the parameters that are held."""

    label: str
    make: Callable[[], Rule]
    step: str
    held: tuple[str, ...] = ()


def _published(name: str) -> Callable[[], Rule]:
    def make() -> Rule:
        from dynopt.catalog.index import rules
        return rules[name]
    return make


def _scheme(name: str) -> Callable[[], Rule]:
    def make() -> Rule:
        from dynopt.catalog import schemes
        from dynopt.catalog.index import rules
        return getattr(schemes, name)(rules["damped"])
    return make


ENTRIES = (
    Entry("Gradient descent", _published("gradient_descent"), "eta"),
    Entry("Heavy ball, classical", _published("heavy_ball"), "eta", ("beta",)),
    Entry("Heavy ball, PyTorch", _published("heavy_ball_torch"), "eta", ("beta",)),
    Entry("Heavy ball, EMA", _published("heavy_ball_ema"), "eta", ("beta",)),
    Entry("Nesterov", _published("nesterov"), "eta", ("beta",)),
    Entry("Explicit Euler of the damped flow", _scheme("explicit_euler"), "h", ("gamma",)),
    Entry("Symplectic Euler of the damped flow", _scheme("symplectic_euler"), "h", ("gamma",)),
    Entry("Leapfrog of the damped flow", _scheme("leapfrog"), "h", ("gamma",)),
)


@dataclass(frozen=True)
class Derived:
    """What follows from the declaration of one entry, put at the curvatures of a landscape."""

    entry: Entry
    rule: Rule
    values: dict[str, float]                # the held parameters
    region: Any                             # in the curvature of one mode
    over: Any                               # for every curvature in [mu, L]
    bound: float                            # the largest stable step
    critical: float                         # the curvature at which stability is lost there
    linear: Any
    rate: Any

    @property
    def status(self) -> str:
        """Proved where both regions are."""
        return "proved" if {self.region.proof.status, self.over.proof.status} == {"proved"} else "unknown"

    def roots(self, **values: Any) -> np.ndarray:
        """Eigenvalues of the derived iteration matrix, shape (..., n), at arrays of parameters by name."""
        known = {name: np.asarray(value, dtype=float) for name, value in (self.values | values).items()}
        shape = np.broadcast_shapes(*(value.shape for value in known.values()))
        entries = [np.broadcast_to(evaluate(entry, known), shape) for entry in self.linear.matrix]
        return np.linalg.eigvals(np.stack(entries, axis=-1).reshape(*shape, *self.linear.matrix.shape))

    def radius(self, **values: Any) -> np.ndarray:
        """The derived contraction per step at arrays of parameters by name."""
        return self.rate.at(**(self.values | values))

    def slowest(self, step: float, curvatures: np.ndarray) -> tuple[float, float]:
        """The contraction per step over all curvatures, and the curvature that decays last."""
        radii = self.radius(**{self.entry.step: step, "lam": curvatures})
        return float(radii.max()), float(curvatures[int(np.argmax(radii))])


def derive(entry: Entry, landscape: Landscape, settings: Mapping[str, float]) -> Derived:
    """Region, proof and largest stable step of one entry.

    settings : values of the held parameters by name. Raises RuleError where the region has no largest step there.
    """
    from dynopt.theory.stability import stability
    rule = entry.make()
    values = {name: float(settings[name]) for name in entry.held}
    region, over = stability(rule), stability(rule, over=("mu", "L"))
    bound = largest_step(over, entry.step, values | {"mu": landscape.mu, "L": landscape.L})
    inside = {c: bool(region.contains(**values, **{entry.step: bound*(1 + 1e-9), "lam": c})) for c in (landscape.L, landscape.mu)}
    critical = next((curvature for curvature, stable in inside.items() if not stable), None)
    if critical is None:
        raise RuleError(f"{rule.name}: at {entry.step} = {bound:.6g} neither end of [mu, L] loses stability")
    return Derived(entry, rule, values, region, over, bound, critical, linearize(rule), rate(rule))


def largest_step(region: Any, step: str, values: Mapping[str, float]) -> float:
    """The end of the region in one parameter: found by halving on exact membership, down to neighbouring floats.

    Raises RuleError where the region is unknown, holds nothing near zero, or has no end at these values.
    """
    def inside(size: float) -> bool:
        return bool(region.contains(**{**values, step: size}))

    low = 1e-6
    if not inside(low):
        raise RuleError(f"{step}: steps near zero lie outside the region at {dict(values)}")
    high = low
    while inside(high):
        low, high = high, 2*high
        if high > 1e12:
            raise RuleError(f"{step}: the region has no largest step at {dict(values)}")
    while np.nextafter(low, high) < high:
        middle = (low + high)/2
        low, high = (middle, high) if inside(middle) else (low, middle)
    return low


def declaration(rule: Rule) -> str:
    """The source of a rule as it stands in its file, without decorators; of a scheme its flow, and the step that was traced."""
    if isinstance(rule.origin, tuple) and isinstance(rule.origin[1], Rule):
        return f"{_source(rule.origin[1])}\n\n# {rule.name}, one step:\n{rule.program}"
    return _source(rule)


def _source(rule: Rule) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(rule.function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    tree.decorator_list = []
    if ast.get_docstring(tree):
        tree.body = tree.body[1:]
    lines = textwrap.dedent(inspect.getsource(rule.function)).splitlines()
    return "\n".join([lines[tree.lineno - 1], *lines[tree.body[0].lineno - 1:]])
