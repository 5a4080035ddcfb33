"""Stale gradients: query points kept in shift registers, or looked up in the past of a state."""
from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from ..core.errors import RuleError
from ..core.expr import Node, walk
from ..core.rule import Method
from ..core.signature import CLOCKS
from ..core.trace import Tracer
from .block_parts import check_counts_fixed, check_method, is_gradient, leaves, made


def gradient_calls(m: Method) -> list[tuple[str, tuple[Node, ...]]]:
    """Name and arguments of every gradient call of one step, in order of execution."""
    tracer = Tracer(m.name, m.signature)
    calls: list[tuple[str, tuple[Node, ...]]] = []

    def noted(name: str) -> Callable:
        call = tracer.oracle(name)

        @wraps(call)
        def oracle(*args: Any, **how: Any) -> Node:
            node = call(*args, **how)
            calls.append((name, node.args))
            return node
        return oracle if is_gradient(name) else call
    states, given = leaves(m)
    m(*states, **given, **{o: noted(o) for o in m.oracles})
    if any(n.op == "unknown" for _, args in calls for n in walk(args)):
        raise RuleError(f"delayed: {m.name} takes a gradient at the unknown of implicit(...), which has no past; "
                        "delay an explicit method")
    return calls


def delayed_by_registers(m: Method, tau: int) -> Method:
    """Each query point becomes a shift register of tau states; points that are the same expression share one."""
    check_method("delayed", m)
    check_counts_fixed("delayed", m)
    if tau == 0:
        return m
    calls = gradient_calls(m)
    points = list(dict.fromkeys(p for _, args in calls for p in args))
    place = {p: j for j, p in enumerate(points)}
    plan = [[place[p] for p in args] for _, args in calls]

    def step(inner: Callable, values: tuple, given: dict) -> tuple:
        own, kept = values[:len(m.state)], values[len(m.state):]
        registers = [kept[j*tau:(j + 1)*tau] for j in range(len(points))]
        newest: dict[int, Any] = {}
        turn = iter(plan)

        def asked(name: str) -> Callable:
            @wraps(given[name])
            def oracle(*args: Any, **how: Any) -> Any:
                wanted = next(turn)
                newest.update(zip(wanted, args))
                return given[name](*(registers[j][-1] for j in wanted), **how)
            return oracle
        out = inner(own, **{o: asked(o) for o in m.oracles if is_gradient(o)})
        return (*out, *(r for j, old in enumerate(registers) for r in (newest[j], *old[:-1])))
    return made(f"delayed({m.name}, {tau})", m, step, states=_names(m, points, tau))


def _names(m: Method, points: list[Node], tau: int) -> list[str]:
    """x_1, x_2, ... for a point that is a state, y_1, ... for one that is computed."""
    computed = {p: j for j, p in enumerate((p for p in points if p.op != "state"), 1)}
    stems = [str(p.data) if p.op == "state" else f"y{computed[p]}" if len(computed) > 1 else "y" for p in points]
    taken = {*m.state, *m.signature.params, *m.params}
    while clash := {s for s in stems for i in range(1, tau + 1) if f"{s}_{i}" in taken}:
        stems = [f"{s}_old" if s in clash else s for s in stems]
    return [f"{s}_{i}" for s in stems for i in range(1, tau + 1)]


def delayed_by_name(m: Method, tau: str) -> Method:
    """The delay is the parameter named tau: gradients at past(x, tau)."""
    check_method("delayed", m, [tau])
    check_counts_fixed("delayed", m)
    if not tau.isidentifier() or tau in CLOCKS:
        raise RuleError(f"delayed: tau = {tau!r:.40}, expected a whole number or the name of a parameter; "
                        f"write delayed({m.name}, 'tau')")
    points = [p for _, args in gradient_calls(m) for p in args if p.op != "state"]
    if points:
        raise RuleError(f"delayed: {m.name} takes a gradient at {points[0]!r:.40}, which is no state, and only states have a "
                        f"past of unknown length; give the number of steps, as in delayed({m.name}, 2)")

    def step(inner: Callable, values: tuple, given: dict) -> tuple:
        def asked(name: str) -> Callable:
            return wraps(given[name])(lambda *args, **how: given[name](*(given["past"](a, given[tau]) for a in args), **how))
        return inner(values, **{o: asked(o) for o in m.oracles if is_gradient(o)})
    return made(f"delayed({m.name}, {tau})", m, step, params=[tau], oracles=dict.fromkeys((*m.oracles, "past")))
