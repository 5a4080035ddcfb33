"""Points to test a region on: random ones, ones close to its rim, exact rational ones. Found without knowing the derivation."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from .numbers import Grid
from .symbols import symbol

if TYPE_CHECKING:
    from .region import Region

POINTS, RATIONAL = 100_000, 1_000
NEAR = 1e-6, 1e-2                                                        # distances from the rim, relative to the point's size
DENOMINATOR = 2**24


@dataclass(frozen=True)
class Sample:
    """How many points agreed, and one that did not."""

    points: int
    rational: int
    counterexample: dict[str, Fraction] | None = None


def check(region: "Region", seed: int = 0, points: int = POINTS, rational: int = RATIONAL) -> Sample:
    """Compare the region with what it claims, on random points half of which lie close to its rim."""
    count = points
    rng = np.random.default_rng(seed)
    names = sorted(str(s) for s in (region.claim.symbols | region.free_symbols) if s not in region.definitions)
    names = sorted(set(names) | {str(s) for g in region.definitions.values() for s in g.free_symbols})
    if not names:
        return Sample(0, 0)
    positive = {n for n in names if symbol(n).is_positive}
    far = {n: _draw(rng, count//2, n in positive) for n in names}
    close = _near_rim(region, far, rng)
    both = {n: np.concatenate([far[n], close[n]]) for n in names}
    wrong = _disagreement(region, both)
    chosen = np.concatenate([np.flatnonzero(wrong)[:50], rng.choice(len(wrong), min(rational, len(wrong)), replace=False)])
    tested, found = exact(region, {n: _numerators(v[chosen], n in positive) for n, v in both.items()})
    return Sample(len(wrong), tested, found)


def _draw(rng: np.random.Generator, n: int, positive: bool) -> np.ndarray:
    """Sizes around one, with a heavy tail."""
    sizes = np.exp(rng.normal(0.0, 1.0, n))
    return sizes if positive else np.where(rng.random(n) < 0.5, rng.uniform(-2.0, 2.0, n), sizes*rng.choice([-1.0, 1.0], n))


def _near_rim(region: "Region", points: dict[str, np.ndarray], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Between a point inside and one outside lies the rim: bisect, then step away from it by 1e-6 .. 1e-2."""
    inside = _contains(region, points)
    a, b = np.flatnonzero(inside), np.flatnonzero(~inside)
    if not len(a) or not len(b):
        return {n: v[:0] for n, v in points.items()}
    count = len(inside)
    a, b = rng.choice(a, count), rng.choice(b, count)
    near, far = {n: v[a] for n, v in points.items()}, {n: v[b] for n, v in points.items()}
    low, high = np.zeros(count), np.ones(count)
    for _ in range(24):
        middle = (low + high)/2
        hit = _contains(region, {n: near[n] + middle*(far[n] - near[n]) for n in points})
        low, high = np.where(hit, middle, low), np.where(hit, high, middle)
    span = np.sqrt(sum((far[n] - near[n])**2 for n in points))
    away = 10**rng.uniform(np.log10(NEAR[0]), np.log10(NEAR[1]), count)*rng.choice([-1.0, 1.0], count)/np.maximum(span, 1e-9)
    place = (low + high)/2 + away
    return {n: near[n] + place*(far[n] - near[n]) for n in points}


def _environment(region: "Region", points: dict[str, Any]) -> dict:
    return region._environment({n: v for n, v in points.items() if not region.names or n in region.names or n in _needed(region)})


def _needed(region: "Region") -> set[str]:
    return {str(s) for s in region.free_symbols}


def _contains(region: "Region", points: dict[str, np.ndarray]) -> np.ndarray:
    """Membership, without demanding that every parameter matters."""
    env = _environment(region, points)
    inside: Any = False
    for c in region.union:
        inside = inside | region._all(c, env)
    return np.broadcast_to(np.asarray(inside, dtype=bool), np.shape(next(iter(points.values()))))


def _disagreement(region: "Region", points: dict[str, np.ndarray]) -> np.ndarray:
    env = _environment(region, points)
    with np.errstate(all="ignore"):
        truth, sure = region.claim.holds(env)
    assumed = region._all(region.given, env)
    for s, value in env.items():
        assumed = assumed & ((value > 0) if s.is_positive else (value == value))
    return np.asarray((truth != _contains(region, points)) & sure & assumed)


def _numerators(values: np.ndarray, positive: bool) -> np.ndarray:
    numbers = [int(v) for v in np.rint(values*DENOMINATOR)]
    return np.array([max(v, 1) for v in numbers] if positive else numbers, dtype=object)


def exact(region: "Region", numerators: dict[str, np.ndarray]) -> tuple[int, dict[str, Fraction] | None]:
    """Exact Schur-Cohn on points with a common denominator: how many were tested, and one where the region is wrong.

    Where a root or an exponential stands in the region, no point is exact and none is tested.
    """
    if region.definitions:
        return 0, None
    grid = Grid({symbol(n): v for n, v in numerators.items()}, DENOMINATOR)
    truth, sure = region.claim.holds(grid)
    use = sure & region._all(region.given, grid)
    inside: Any = False
    for c in region.union:
        inside = inside | region._all(c, grid)
    count = len(next(iter(numerators.values())))
    use, wrong = (np.broadcast_to(np.asarray(a, dtype=bool), count) for a in (use, (truth != inside) & use))
    bad = np.flatnonzero(wrong)
    point = {n: Fraction(int(v[bad[0]]), DENOMINATOR) for n, v in numerators.items()} if len(bad) else None
    return int(use.sum()) if region.claim.exact else 0, point
