"""The normal form of a traced rule: a straight line of oracle calls and updates."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from .expr import LEAVES, Node, constant, leaf, walk
from .show import fingerprint, text

NAMED = frozenset(("call", "implicit", "norm", "dot", "mean", "sum", "matmul"))


@dataclass(frozen=True, eq=False)
class Program:
    """What one step of a rule does: `outputs[i]` is the next value (the rate, for a flow) of `state[i]`."""

    kind: str                                   # "method", "flow" or "function"
    state: tuple[str, ...]
    outputs: tuple[Node, ...]
    scalars: frozenset[str] = frozenset()       # the states that are one number
    stride: Node | None = None                  # the time step of a method, t = t0 + k stride, where h is no longer a parameter

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, arguments before their users."""
        return tuple(walk(self.outputs))

    @cached_property
    def params(self) -> frozenset[str]:
        """Names of the parameters that the outputs really use, `k` and `t` among them."""
        own = self.everything if self.stride is None else (*self.everything, *walk([self.stride]))
        return frozenset(n.data for n in own if n.op == "param")

    @cached_property
    def everything(self) -> tuple[Node, ...]:
        """All nodes, those inside the residuals of `implicit` too."""
        found: dict[Node, None] = {}
        pending = list(self.nodes)
        while pending:
            node = pending.pop(0)
            if node not in found:
                found[node] = None
                if node.op == "implicit":
                    pending.extend(walk(node.data[1]))
        return tuple(found)

    @cached_property
    def oracles(self) -> tuple[str, ...]:
        """Names of the oracles called, in the order of their first call."""
        return tuple(dict.fromkeys(n.data[0] for n in self.everything if n.op == "call"))

    @cached_property
    def key(self) -> str:
        """Equal for equal programs, in any process."""
        roots = self.outputs if self.stride is None else (*self.outputs, self.stride)
        return f"{self.kind}|{','.join(self.state)}|{','.join(sorted(self.scalars))}|{fingerprint(roots)}"

    def __str__(self) -> str:
        uses = Counter(arg for node in self.nodes for arg in node.args)
        names: dict[Node, str] = {}
        lines = []
        for node in self.nodes:
            repeated = uses[node] > 1 and node.op not in LEAVES
            if node.op in NAMED or repeated:
                name = f"{'g' if node.op == 'call' else 'w'}{len(names)}"
                lines.append(f"{name} = {text(node, names)}")
                names[node] = name
        mark = "'" if self.kind == "flow" else "_next"
        lines += [f"{s}{mark} = {names.get(o) or text(o, names)}" for s, o in zip(self.state, self.outputs)]
        return "\n".join(lines)


def stride_of(program: Program) -> Node:
    """The time between two steps of a method: its h where it has one, else 1."""
    return program.stride if program.stride is not None else leaf("param", "h") if "h" in program.params else constant(1)
