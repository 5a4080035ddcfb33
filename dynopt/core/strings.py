"""Rules from text and from expressions: no function of the user is ever made or run."""
from __future__ import annotations

import ast
from typing import Any, Iterable

from .arithmetic import plain
from .errors import RuleError
from .expr import Node, evaluate, leaf, walk
from .parse import FUNCTIONS, Reader, read, refuse
from .signature import CLOCKS, ORACLE, Signature
from .trace import Tracer
from .values import plain_constant


def rule_from_nodes(cls: type, name: str, state: Iterable[str], outputs: Iterable[Node], *, scalars: Iterable[str] = (),
                    source: str = "", params: Iterable[str] | None = None, origin: Any = None) -> Any:
    """A rule whose next states (rates) are given as expressions of state and param leaves."""
    state, outputs = tuple(state), tuple(outputs)
    found = {n.data: None for n in walk(outputs) if n.op == "param"}
    oracles = {n.data[0].removesuffix("_scalar"): None for n in walk(outputs) if n.op == "call"}

    def function(*values: Any, **given: Any) -> Any:
        out = run_nodes(outputs, dict(zip(state, values)), given)
        return tuple(out) if len(out) > 1 else out[0]
    signature = Signature(state, tuple(params) if params is not None else tuple(n for n in found if n not in CLOCKS),
                          tuple(n for n in found if n in CLOCKS), tuple(oracles), scalars=frozenset(scalars))
    return cls(function, signature, name, source, origin=origin)


def run_nodes(outputs: Iterable[Node], states: dict[str, Any], given: dict[str, Any]) -> list[Any]:
    """The outputs on any values, oracles called by name."""
    if any(isinstance(v, Node) for v in (*states.values(), *given.values())):
        given = given | {"": leaf("pi", None)}                         # tells constants that they meet nodes

    def value(node: Node) -> Any:
        if node.op in ("state", "param"):
            return (states if node.op == "state" else given)[node.data]
        return plain_constant(node, states | given)

    def apply(node: Node, args: list) -> Any:
        if node.op == "call":
            return given[node.data[0]](*args)
        if any(isinstance(a, Node) for a in args):
            return Node(node.op, *args, data=node.data)
        return plain(node, args)
    return evaluate(outputs, value, apply)


def rule_from_string(cls: type, text: str, state: str, *, name: str = "rule", source: str = "") -> Any:
    """Assignments separated by ; or new lines, run in order; the values of the state names at the end are the next states."""
    states = tuple(state.replace(",", " ").split()) if isinstance(state, str) else tuple(state)
    tree = read(text, "exec")
    names: dict[str, Node] = {s: leaf("state", s) for s in states}
    tracer = Tracer(name, Signature(states))
    if not states or any(not s.isidentifier() or s.startswith("_") for s in states):
        raise RuleError(f"{name}: state={state!r:.60}, expected names separated by spaces, as in state=\"x v\"")

    def look_up(found: str, at: ast.AST) -> Node:
        if found.startswith("_") or found in FUNCTIONS or ORACLE.fullmatch(found):
            raise refuse(text, at, f"the name {found!r}", "a value is expected here: a state, a parameter or a number")
        return names.setdefault(found, leaf("param", found))

    def call(found: str, args: list, at: ast.AST) -> Any:
        if not ORACLE.fullmatch(found) or found == "implicit":
            raise refuse(text, at, f"the function {found!r}", f"expected an oracle (grad, hess, prox, noise, ...) or one of "
                                                              f"{', '.join(sorted(FUNCTIONS))}")
        return tracer.oracle(found)(*args)
    reader = Reader(text, look_up, call)
    statements = tree.body                                                             # type: ignore[attr-defined]
    if not statements:
        raise refuse(text, None, "no assignment", "write such as 'v = beta*v + eta*grad(x); x = x - v'")
    assigned = set()
    for statement in statements:
        if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name)):
            raise refuse(text, statement, f"{type(statement).__name__} where an assignment is expected", "write assignments "
                                                                                                         "such as 'x = x - "
                                                                                                         "eta*grad(x)', "
                                                                                                         "separated by ;")
        target = statement.targets[0].id
        if target.startswith("_") or target in FUNCTIONS or ORACLE.fullmatch(target) or target in CLOCKS:
            raise refuse(text, statement, f"an assignment to {target!r}", "that name has a meaning of its own; choose another")
        names[target] = reader(statement.value)
        assigned.add(target)
    unset = [s for s in states if s not in assigned]
    if unset:
        raise RuleError(f"{name}: the state {unset[0]!r} is never assigned; add '{unset[0]} = ...' or leave it out of state=")
    return rule_from_nodes(cls, name, states, [names[s] for s in states], source=source)
