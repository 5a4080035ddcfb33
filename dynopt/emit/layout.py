"""Which values of a program are numbers and which are vectors, and which vectors share a dimension."""
from __future__ import annotations

from typing import Iterable

from ..core.autodiff import SCALAR_OPS
from ..core.errors import RuleError
from ..core.expr import Node, walk
from ..core.show import text


def deep_walk(roots: Iterable[Node]) -> list[Node]:
    """All nodes, those inside the residuals of `implicit` before the node itself."""
    order: dict[Node, None] = {}
    for node in walk(roots):
        if node.op == "implicit":
            order.update((inner, None) for inner in deep_walk(node.data[1]))
        order[node] = None
    return list(order)


class Layout:
    """`scalar[node]` says number or vector; `group(node)` is shared by vectors of one length.

    `vectors` and `matrices` name the leaves that are no numbers (arrays aside); unknowns of `implicit` are vectors.
    """

    def __init__(self, roots: Iterable[Node], vectors: Iterable[Node], matrices: Iterable[Node] = ()):
        self.vectors, self.matrices = set(vectors), set(matrices)
        self.order = deep_walk(roots)
        self.scalar: dict[Node, bool] = {}
        self._parent: dict[Node, Node] = {}
        for node in self.order:
            self.scalar[node] = self._is_scalar(node)
            self._join(node)

    def _is_scalar(self, node: Node) -> bool:
        if node.op in ("state", "param"):
            return node not in self.vectors and node not in self.matrices
        if node.op in SCALAR_OPS:
            return True
        if node.op == "call":
            return node.data[0].endswith("_scalar") or node.data[0].partition("_")[0] == "f"
        if node.op == "past":
            return self.scalar[node.args[0]]
        if node.op in ("array", "unknown", "implicit", "pick", "matmul", "unit", "like"):
            return False
        return all(self.scalar[a] for a in node.args)

    def group(self, node: Node) -> Node:
        """The representative of the vectors that share this node's length."""
        while node in self._parent:
            node = self._parent[node]
        return node

    def _unite(self, a: Node, b: Node) -> None:
        a, b = self.group(a), self.group(b)
        if a is not b:
            self._parent[b] = a

    def _join(self, node: Node) -> None:
        if node.op == "implicit":
            for unknown, residual in zip(*node.data):
                if self.scalar[residual]:
                    raise RuleError(f"{text(node)}: a residual is one number, expected one that depends on its unknown or on a "
                                    f"state")
                self._unite(unknown, residual)
        if self.scalar[node] or node.op == "matmul":
            if node.op == "matmul" and self.scalar[node.args[1]]:
                raise RuleError(f"{text(node)}: the product with a matrix needs a vector on its right, as in F @ grad(x)")
            return
        if node.op == "pick":
            self._unite(node.args[0].data[0][node.data], node)
        elif node.op == "call":
            self._join_call(node)
        elif node.op != "implicit":
            for arg in node.args:
                if not self.scalar[arg]:
                    self._unite(arg, node)

    def _join_call(self, node: Node) -> None:
        kind, _, player = node.data[0].partition("_")
        if kind in ("noise", "uniform"):
            return
        if any(self.scalar[a] for a in node.args[:2 if kind == "hess" else 1]):
            raise RuleError(f"{text(node)}: an oracle was called on a number, expected a vector such as a state")
        owner = int(player) - 1 if player.isdigit() and len(node.args) > 1 and kind == "grad" else 0
        for arg in (node.args[:2] if kind in ("hess", "prox") else node.args[owner:owner + 1]):
            if not self.scalar[arg]:
                self._unite(arg, node)
