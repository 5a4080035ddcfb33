"""The order of a Runge-Kutta tableau by rooted trees, in exact arithmetic."""
from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement
from math import prod
from typing import Any, Iterable

from .trees import Tree, canonical, size


def density(tree: Tree) -> int:
    """gamma(t) of a rooted tree (Hairer, Norsett, Wanner 1993, definition II.2.10)."""
    return size(tree)*prod(map(density, tree))


def elementary_weight(A: Any, b: Any, tree: Tree) -> Fraction:
    """Phi(t) of a tableau, in exact arithmetic."""
    def stages(t: Tree) -> list[Fraction]:
        values = [Fraction(1)]*len(b)
        for child in t:
            inner = stages(child)
            values = [v*sum((a*w for a, w in zip(row, inner)), Fraction(0)) for v, row in zip(values, A)]
        return values
    return sum((w*v for w, v in zip(b, stages(tree))), Fraction(0))


def tableau_order(scheme: Any, highest: int = 8) -> tuple[int, dict[Tree, Fraction]]:
    """The order of a Runge-Kutta scheme by rooted trees, and by how much each tree of the next size misses: Phi(t) - 1/gamma(t)."""
    for n in range(1, highest + 1):
        missed = {t: elementary_weight(scheme.A, scheme.b, t) - Fraction(1, density(t)) for t in all_trees(n)}
        if any(missed.values()):
            return n - 1, {t: m for t, m in missed.items() if m}
    return highest, {}


def all_trees(count: int) -> list[Tree]:
    """Rooted trees with so many vertices."""
    if count == 1:
        return [()]
    found = set()

    def forests(left: int, largest: int) -> Iterable[list[Tree]]:
        if left == 0:
            yield []
            return
        for n in range(min(left, largest), 0, -1):
            for tree_count in range(left//n, 0, -1):
                for chosen in combinations_with_replacement(all_trees(n), tree_count):
                    for rest in forests(left - n*tree_count, n - 1):
                        yield [*chosen, *rest]
    for forest in forests(count - 1, count - 1):
        found.add(canonical(forest))
    return sorted(found, key=repr)
