"""Running a declaration once on symbols: what comes back is its program."""
from __future__ import annotations

import inspect
from typing import Any, Callable

from .errors import RuleError
from .expr import Node, as_node, leaf, make_implicit, walk
from .functions import Scalar
from .program import Program
from .signature import Signature

DRAWS = ("noise", "uniform")


class Tracer:
    """The oracles of one tracing run; they number what must not be shared: draws, fresh samples, unknowns."""

    def __init__(self, name: str, signature: Signature):
        self.name, self.signature = name, signature
        self.draws = self.fresh = self.roots = 0

    def oracle(self, name: str) -> Callable:
        kind = name.partition("_")[0]
        special = {"noise": self._noise, "uniform": self._uniform, "implicit": self._implicit, "past": self._past}
        return special.get(kind) or (lambda *args, fresh=False: self._call(name, kind, args, fresh))

    def _call(self, name: str, kind: str, args: tuple, fresh: bool) -> Node:
        least = 2 if kind in ("hess", "prox") else 1
        if len(args) < least:
            raise RuleError(f"{self.name}: {name} was called with {len(args)} argument(s), expected "
                            f"{ {'hess': 'hess(x, v)', 'prox': 'prox(u, s)'}.get(kind, f'{name}(x)')}")
        self.fresh += bool(fresh)
        return Node("call", *map(as_node, args), data=(name, self.fresh if fresh else 0))

    def _draw(self, kind: str, like: Any) -> Node:
        if like is not None and like is not Scalar:
            raise RuleError(f"{self.name}: {kind}({like!r:.30}) was called, expected {kind}() for one draw per entry or "
                            f"{kind}(Scalar) for one number")
        self.draws += 1
        return Node("call", data=(kind + ("_scalar" if like is Scalar else ""), self.draws - 1))

    def _noise(self, like: Any = None) -> Node:
        return self._draw("noise", like)

    def _uniform(self, like: Any = None) -> Node:
        return self._draw("uniform", like)

    def _past(self, x: Any, tau: Any) -> Node:
        if not (isinstance(x, Node) and x.op == "state"):
            raise RuleError(f"{self.name}: past({x!r:.40}, ...) was called, expected a state of the rule, as in past(x, tau)")
        return Node("past", x, as_node(tau))

    def _implicit(self, residual: Callable) -> Any:
        if not callable(residual):
            raise RuleError(f"{self.name}: implicit({residual!r:.40}) was called, expected implicit(lambda y: residual)")
        names = list(inspect.signature(residual).parameters)
        self.roots += 1
        draws = self.draws
        unknowns = tuple(Node("unknown", data=f"{n}" if self.roots == 1 else f"{n}{self.roots}") for n in names)
        found = residual(*unknowns)
        found = tuple(map(as_node, found if isinstance(found, (tuple, list)) else (found,)))
        if len(found) != len(unknowns):
            raise RuleError(f"{self.name}: implicit has {len(unknowns)} unknown(s) ({', '.join(names)}) but {len(found)} "
                            f"residual(s); "
                            "return one residual for each unknown")
        if self.draws != draws:
            raise RuleError(f"{self.name}: a draw inside implicit(...); draw before it, as in `xi = noise()`, since the "
                            f"residual is "
                            "evaluated as often as Newton's method needs")
        root = make_implicit(unknowns, found)
        picks = tuple(Node("pick", root, data=i) for i in range(len(unknowns)))
        return picks if len(picks) > 1 else picks[0]


def trace(function: Callable, signature: Signature, name: str, kind: str, structural: dict[str, int]) -> Program:
    """The program of a declaration; raises RuleError where the declaration is not one straight line."""
    missing = [c for c in signature.counts if c not in structural]
    if missing:
        raise RuleError(f"{name}: the count {missing[0]!r} is not fixed, and a rule is traced with plain numbers for its counts; "
                        f"write {name}.at({missing[0]}=5)")
    tracer = Tracer(name, signature)
    states = [leaf("state", s) for s in signature.state]
    keywords: dict[str, Any] = {p: structural[p] if p in signature.counts else leaf("param", p) for p in signature.params}
    keywords |= {c: leaf("param", c) for c in signature.clocks}
    keywords |= {o: tracer.oracle(o) for o in signature.oracles}
    try:
        out = function(*states, **keywords)
    except RuleError as error:
        raise RuleError(str(error) if str(error).startswith(name) else f"{name}: {error}") from None
    except Exception as error:  # whatever a user's function raises becomes one clear message
        raise RuleError(f"{name}: the declaration raised {type(error).__name__}: {error}; expected a function that runs on "
                        f"symbols, "
                        "built from arithmetic and the functions of dynopt") from error
    return Program(kind, signature.state, _outputs(out, signature, name, kind), signature.scalars)


def _outputs(out: Any, signature: Signature, name: str, kind: str) -> tuple[Node, ...]:
    what = "rates of change" if kind == "flow" else "next states"
    states = ", ".join(signature.state)
    values = tuple(out) if isinstance(out, (tuple, list)) else (out,)
    if len(values) != len(signature.state):
        raise RuleError(f"{name}: the rule takes the state ({states}) but returns {len(values)} value(s); "
                        f"return {len(signature.state)} {what}, in that order: `return {states}`")
    if any(v is None for v in values):
        raise RuleError(f"{name}: the rule returns None, expected the {what} of ({states}); end it with `return {states}`")
    try:
        nodes = tuple(map(as_node, values))
    except RuleError as error:
        raise RuleError(f"{name}: {error}") from None
    if any(n.op == "item" for n in walk(nodes)):
        raise RuleError(f"{name}: one entry of a state was taken, as in x[0], expected entry-by-entry operations on whole "
                        f"states; "
                        "give each entry a state of its own, or a per-coordinate parameter")
    return nodes
