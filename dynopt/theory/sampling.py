"""Points to test a region on: random ones, ones close to its rim, exact rational ones. Found without knowing the derivation."""
from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .region import Region

POINTS, RATIONAL = 100_000, 1_000
NEAR = 1e-6, 1e-2                                                        # distances from the rim, relative to the point's size
DENOMINATOR = 10**7


@dataclass(frozen=True)
class Sample:
    """How many points agreed, and one that did not."""

    points: int
    rational: int
    counterexample: dict[str, Fraction] | None = None


def check(region: "Region", seed: int = 0) -> Sample:
    """Compare the region with what it claims, on random points half of which lie close to its rim."""
    rng = np.random.default_rng(seed)
    names = sorted(str(s) for s in (region.claim.symbols | region.free_symbols) if s not in region.definitions)
    names = sorted(set(names) | {str(s) for g in region.definitions.values() for s in g.free_symbols})
    if not names:
        return _exact(region, [{}])
    positive = {str(s) for s in _symbols(region, names) if s.is_positive}
    far = {n: _draw(rng, POINTS//2, n in positive) for n in names}
    close = _near_rim(region, far, rng)
    points = {n: np.concatenate([far[n], close[n]]) for n in names}
    wrong = _disagreement(region, points)
    few = _few(points, rng)
    candidates = [{n: float(points[n][i]) for n in names} for i in np.flatnonzero(wrong)[:50]]
    sample = _exact(region, [{n: _rational(v) for n, v in p.items()} for p in candidates + few])
    return Sample(len(points[names[0]]), sample.rational, sample.counterexample)


def _symbols(region: "Region", names: list[str]) -> list:
    from .symbols import symbol
    return [symbol(n) for n in names]


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
    assumed = region._all(region.facts, env)
    for s, value in env.items():
        assumed = assumed & ((value > 0) if s.is_positive else (value == value))
    return np.asarray((truth != _contains(region, points)) & sure & assumed)


def _few(points: dict[str, np.ndarray], rng: np.random.Generator) -> list[dict[str, float]]:
    total = len(next(iter(points.values())))
    chosen = rng.choice(total, min(RATIONAL, total), replace=False)
    return [{n: float(v[i]) for n, v in points.items()} for i in chosen]


def _rational(value: float) -> Fraction:
    return Fraction(value).limit_denominator(DENOMINATOR)


def _exact(region: "Region", points: list[dict[str, Fraction]]) -> Sample:
    """Exact Schur-Cohn on rational points; points where a root or exponential is irrational do not count."""
    tested = 0
    for point in points:
        if region.definitions:
            break
        env = {s: v for s, v in _environment(region, point).items()}
        if any(s.is_positive and v <= 0 for s, v in env.items()) or not region._all(region.facts, env):
            continue
        truth, sure = region.claim.holds(env)
        if not sure:
            continue
        inside = any(bool(region._all(c, env)) for c in region.union)
        tested += 1
        if bool(truth) != inside:
            return Sample(0, tested, point)
    return Sample(0, tested)
