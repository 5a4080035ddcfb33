"""The worst rate over an interval of curvatures in floats, at thousands of parameters at once: for searches, never for answers."""
from __future__ import annotations

from typing import Any, Sequence

import numpy as np
from sympy import Symbol

from .atoms import terms
from .numbers import expression
from .rates import Rate
from .spectrum import Factor, abscissa, radius

INSIDE = 31                                                              # curvatures between the ends, where they may matter


class Worst:
    """A function of points, shape (..., number of parameters): the largest rate at the ends and at curvatures between them.

    The unit of curvature is `high`: where every coefficient keeps its form under lam -> s*lam, a parameter is measured in its
    power of `high`, so that a search always sees curvatures up to one.
    """

    def __init__(self, found: Rate, chosen: Sequence[Symbol], low: float, high: float, held: dict[Symbol, float] | None = None,
                 ends_decide: bool = False):
        self.found, self.chosen, self.held = found, tuple(chosen), dict(held or {})
        [self.lam] = found.curvatures
        self.powers = _powers(found, self.lam, self.chosen) if not self.held else np.zeros(len(self.chosen))
        self.unit = float(high) if self.powers is not None and not self.held else 1.0
        self.powers = self.powers if self.powers is not None else np.zeros(len(self.chosen))
        self.low, self.high = float(low)/self.unit, float(high)/self.unit
        count = 2 if ends_decide else INSIDE + 2
        self.nodes = self.low + (self.high - self.low)*(1 - np.cos(np.pi*np.arange(count)/(count - 1)))/2
        if self.low == self.high:
            self.nodes = self.nodes[:1]
        self.positive = np.array([bool(s.is_positive) for s in self.chosen])

    def __call__(self, points: np.ndarray, every: int = 1) -> np.ndarray:
        """The rates at points, read off at every so many of the curvatures."""
        points = np.where(self.positive, np.abs(points), points)
        nodes = self.nodes[::every]
        env: dict[Symbol, Any] = {s: points[..., i, None] for i, s in enumerate(self.chosen)}
        env |= {s: np.float64(v) for s, v in self.held.items()}
        env[self.lam] = nodes
        with np.errstate(all="ignore"):
            for generator, meaning in self.found.definitions.items():
                env[generator] = expression(meaning, env)
            sizes = [self._sizes(f, env, (*np.shape(points)[:-1], nodes.size)) for f in self.found.factors]
        worst = np.max(sizes, axis=(0, -1))
        return np.where(np.isfinite(worst), worst, np.inf)

    def _sizes(self, f: Factor, env: dict[Symbol, Any], shape: tuple) -> np.ndarray:
        values = [np.asarray(expression(c, env), dtype=float) for c in f.coefficients]
        values = [np.broadcast_to(v, shape) for v in values]
        if f.degree > 2:
            return _by_eigenvalues(values, self.found.flow)**(1/f.step)
        return abscissa(values) if self.found.flow else radius(values)**(1/f.step)

    def named(self, point: np.ndarray) -> dict[str, float]:
        """A point of the search as parameters by name, in their own units."""
        point = np.where(self.positive, np.abs(point), point)*self.unit**self.powers
        return {str(s): float(v) for s, v in zip(self.chosen, point)}


def _by_eigenvalues(values: list[np.ndarray], flow: bool) -> np.ndarray:
    """Sizes of roots by companion matrices: quick for many at once, good to about half the digits at multiple roots."""
    n = len(values) - 1
    matrix = np.zeros((*values[0].shape, n, n))
    for i, v in enumerate(values[1:]):
        matrix[..., 0, i] = -v/values[0]
    for i in range(n - 1):
        matrix[..., i + 1, i] = 1
    good = np.isfinite(matrix).all(axis=(-1, -2)) & (np.abs(matrix).max(axis=(-1, -2)) < 1e100)
    roots = np.linalg.eigvals(np.where(good[..., None, None], matrix, 0))
    size = roots.real.max(axis=-1) if flow else np.abs(roots).max(axis=-1)
    return np.where(good, size, np.inf)


def _powers(found: Rate, lam: Symbol, chosen: tuple[Symbol, ...]) -> np.ndarray | None:
    """p = q*unit**power keeps every coefficient's form when lam = unit*(lam/unit); None where no such powers exist."""
    if found.flow or found.definitions:
        return None
    rows, right = [], []
    for f in found.factors:
        monomials = [dict(powers) for c in f.coefficients if c != 0 for powers, _ in terms(c.expand())]
        for m in monomials[1:]:
            rows.append([m.get(s, 0) - monomials[0].get(s, 0) for s in chosen])
            right.append(monomials[0].get(lam, 0) - m.get(lam, 0))
    if not rows:
        return None
    powers, *_ = np.linalg.lstsq(np.array(rows, float), np.array(right, float), rcond=None)
    return np.round(powers, 12) if np.allclose(np.array(rows) @ powers, right, atol=1e-9) else None
