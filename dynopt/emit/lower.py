"""Programs in levels: what can be computed in one loop over the entries, between calls that need whole vectors.

Level 0 is what follows from the leaves alone; a call, a reduction or a product with a matrix ("barrier") lifts its users to
the next level. Entry-by-entry work of one level is one loop; only values that later levels need are stored in arrays.
"""
from __future__ import annotations

from typing import Iterable

from ..core.expr import LEAVES, Node
from .layout import Layout

BARRIERS = frozenset(("call", "implicit", "norm", "dot", "mean", "sum", "item", "matmul"))
DRAWS = ("noise", "uniform")


def is_draw(node: Node) -> bool:
    return node.op == "call" and node.data[0].partition("_")[0] in DRAWS


def is_barrier(node: Node) -> bool:
    return node.op in BARRIERS and not is_draw(node)


def is_leaf(node: Node) -> bool:
    """Values that are there before the step begins."""
    return node.op in LEAVES or node.op in ("past", "pick")


class Lowered:
    """`levels`: for each level the numbers, the loops {group: nodes} and the barriers; `stored`: vectors kept in arrays."""

    def __init__(self, roots: Iterable[Node], layout: Layout, order: Iterable[Node]):
        self.roots, self.layout = tuple(roots), layout
        self.order = [n for n in order if n.op != "const"]
        self.level: dict[Node, int] = {}
        for node in self.order:
            below = max((self.level.get(a, 0) for a in node.args), default=0)
            self.level[node] = below + is_barrier(node)
        self.count = 1 + max(self.level.values(), default=0)
        self._as_late_as_possible()
        self.stored = self._stored()

    def _as_late_as_possible(self) -> None:
        """Entry-by-entry work moves to the level where it is first needed, so that fewer vectors have to be kept."""
        need = dict.fromkeys(self.roots, self.count - 1)
        for node in reversed(self.order):
            if self._loops(node):
                self.level[node] = max(self.level[node], need.get(node, self.level[node]))
            for arg in node.args:
                if arg in self.level:
                    need[arg] = min(need.get(arg, self.count), self.level[node] - is_barrier(node))

    def _loops(self, node: Node) -> bool:
        """Whether a value is made inside a loop over entries."""
        return not (self.layout.scalar[node] or is_barrier(node) or is_leaf(node) or node in self.layout.matrices)

    def _stored(self) -> set[Node]:
        kept = {r for r in self.roots if self._is_kept(r)}
        for node in self.order:
            for arg in node.args:
                later = self.level.get(node, 0) > self.level.get(arg, 0)
                if self._is_kept(arg) and (is_barrier(node) or later):
                    kept.add(arg)
        return kept

    def _is_kept(self, node: Node) -> bool:
        return node in self.level and self._loops(node)

    def numbers(self, level: int) -> list[Node]:
        """Numbers to compute at the start of a level, in order."""
        return [n for n in self.order if self.level[n] == level and self.layout.scalar[n] and not is_barrier(n)
                and not is_leaf(n)]

    def loops(self, level: int) -> dict[Node, list[Node]]:
        """Entry-by-entry work of a level, by group."""
        found: dict[Node, list[Node]] = {}
        for node in self.order:
            if self.level[node] == level and self._loops(node):
                found.setdefault(self.layout.group(node), []).append(node)
        return found

    def barriers(self, level: int) -> list[Node]:
        """Calls and reductions that follow the loops of a level."""
        return [n for n in self.order if is_barrier(n) and self.level[n] == level + 1]

    def depends(self, node: Node) -> bool:
        return node in self.level
