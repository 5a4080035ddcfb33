"""What blocks are made of: a method called from inside another, and the oracles it is given there."""
from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError, RuleError
from ..core.expr import Node, leaf
from ..core.rule import Method

GRADIENTS = "grad"


def is_gradient(oracle: str) -> bool:
    return oracle.partition("_")[0] == GRADIENTS


def check_method(block: str, m: Any, params: Iterable[str] = (), states: Iterable[str] = ()) -> None:
    """A block takes a Method that does not already use the names it brings."""
    if not isinstance(m, Method):
        raise ParameterTypeError(f"{block}: found {type(m).__name__} {m!r:.40}, expected a Method; write {block}(heavy_ball); "
                                 "a flow becomes a method by a scheme, as in symplectic_euler(damped)")
    arrays = [n for n, v in m.bound.items() if not isinstance(v, Node)]
    taken = [n for n in (*params, *states) if n in (*m.params, *arrays, *m.state)]
    if taken:
        raise RuleError(f"{block}: {m.name} already uses the name {taken[0]!r}, which the block needs; give it another, "
                        f"as in {block}({m.name}.subs({taken[0]}='{taken[0]}_1'), ...)")


def check_count(block: str, name: str, value: Any, least: int) -> int:
    """A whole number that is known when the block is applied."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise ParameterTypeError(f"{block}: {name} = {value!r:.40}, expected a whole number; write {name}={max(least, 2)}")
    if value < least:
        raise ParameterError(f"{block}: {name} = {value}, expected {name} >= {least}; write {name}={max(least, 2)}")
    return int(value)


def check_counts_fixed(block: str, m: Method) -> None:
    free = [c for c in m.signature.counts if c not in m._structural()]
    if free:
        raise RuleError(f"{block}: the count {free[0]!r} of {m.name} is free, and the block has to know how often oracles are "
                        f"called; write {block}({m.name}.at({free[0]}=5), ...)")


def made(name: str, m: Method, step: Callable[[Callable, tuple, dict], Any], *, params: Iterable[str] = (),
         states: Sequence[str] = (), oracles: Iterable[str] | None = None, starts: dict[str, Any] | None = None) -> Method:
    """The method whose step is `step(inner, states, given)`; inner(states, **changed) is a step of m with oracles or k exchanged.

    params, states : what the block adds; oracles : those of the new method, where they are not those of m; starts : where states
    begin that would begin at rest.
    """
    arrays = {n: v for n, v in m.bound.items() if not isinstance(v, Node)}          # stay parameters, and print by name
    m = m._with(bound={n: v for n, v in m.bound.items() if n not in arrays})        # type: ignore[assignment]
    asked = (*m.params, *m.clocks, *m.oracles)

    def function(*values: Any, **given: Any) -> Any:
        def inner(states: Iterable[Any], **changed: Any) -> tuple:
            known = given | changed
            out = m(*states, **{n: known[n] for n in asked if n in known})
            return tuple(out) if isinstance(out, (tuple, list)) else (out,)
        out = tuple(step(inner, values, given))
        return out if len(out) > 1 else out[0]
    whole = Method.build(name, function, (*m.state, *states), (*m.params, *params), clocks=m.clocks,
                         oracles=m.oracles if oracles is None else oracles, scalars=m.scalars, defaults=(starts or {}) | m.defaults,
                         counts=[c for c in m.signature.counts if c in m.params], source=m.source,
                         origin=(name.partition("(")[0], m))
    return whole.subs(**arrays) if arrays else whole                                # type: ignore[return-value]


def leaves(m: Method) -> tuple[list[Node], dict[str, Node]]:
    """States and parameters of m as symbols of a trace; counts aside, which are numbers."""
    names = [n for n in (*m.params, *m.clocks) if n not in m.signature.counts]
    return [leaf("state", s) for s in m.state], {n: leaf("param", n) for n in names}


STILL: dict[str, Callable] = {"grad": lambda x, *_, **__: 0*x, "hess": lambda x, v: 0*v, "f": lambda *_: 0.0, "prox": lambda u, s: u,
                              "noise": lambda *_: 0.0, "uniform": lambda *_: .5}


def rest_of(m: Method) -> dict[str, Any]:
    """Where the states of m rest while gradients vanish: at zero, or at the first state; found by trying, on numbers.

    A block that adds to the gradient starts its method there: what it adds is no reason to start in motion. States that could rest
    at both are left to the run, which asks for them.
    """
    names = [n for n in (*m.params, *m.clocks) if n not in m.defaults and n not in m._structural()]
    values = {n: 2 if n in (*m.signature.counts, *m.clocks) else .2 + .6*i/len(names) for i, n in enumerate(names)}
    others = [s for s in m.state[1:] if s not in m.defaults]
    still: list[tuple[bool, dict]] = []
    try:
        oracles = {o: STILL[o.partition("_")[0]] for o in m.oracles}
        with np.errstate(all="ignore"):
            for choice in itertools.product((0.0, 1.25), repeat=len(others)):
                states = {m.state[0]: 1.25} | {s: m.defaults[s] for s in m.state if s in m.defaults} | dict(zip(others, choice))
                out = m(*(states[s] for s in m.state), **values, **oracles)
                moved = {s: np.max(np.abs(o - states[s])) > 1e-12 for s, o in zip(m.state, out if isinstance(out, tuple) else (out,))}
                if not any(moved[s] for s in others):
                    still.append((bool(moved[m.state[0]]), {s: m.state[0] if v else 0 for s, v in zip(others, choice)}))
    except (KeyError, ArithmeticError, ValueError, TypeError):          # implicit, past, matrices: the run finds the rest itself
        return {}
    found = still if len(still) == 1 else [s for s in still if not s[0]]
    return found[0][1] if len(found) == 1 else {}


def takes_fresh(oracle: Callable) -> bool:
    """Whether an oracle can be asked for a sample of its own."""
    try:
        return "fresh" in inspect.signature(oracle).parameters
    except (TypeError, ValueError):
        return False
