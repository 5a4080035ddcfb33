"""Blocks: a Method becomes a Method. They compose, and everything that works on methods works on what they return.

To add one: a function here that calls `made` with the step; its docstring says what is added and in which order things happen.
"""
from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from ..core.errors import RuleError
from ..core.rule import Method
from .block_delay import delayed_by_name, delayed_by_registers
from .block_parts import check_count, check_method, is_gradient, made, rest_of, takes_fresh


def delayed(m: Method, tau: int | str) -> Method:
    """Gradients taken where m would have taken them tau steps ago: x_{k+1} = x_k - eta*grad(x_{k-tau}) for gradient descent.

    tau : whole number of steps >= 0 (each query point becomes a shift register of tau states, which start at the first state), or
    the name of a parameter, for methods that take gradients at a state (then past(x, tau) is used).
    Source: Levin, May 1976 (gradient descent); Giladi et al. 2020 (momentum).

    >>> from dynopt import gradient_descent
    >>> delayed(gradient_descent, 2).state
    ('x', 'x_1', 'x_2')
    """
    if isinstance(tau, str):
        return delayed_by_name(m, tau)
    return delayed_by_registers(m, check_count("delayed", "tau", tau, 0))


def lookahead(m: Method, inner: int = 5) -> Method:
    """`inner` steps of m, then the first state goes part of the way: x_{k+1} = x_k + alpha*(x_inner - x_k).

    The other states are kept as they are after the inner steps, and m's k runs on.
    inner : whole number of steps >= 1; the parameter `alpha` (no unit, 1 gives m itself) is added.
    Source: Zhang, Lucas, Hinton, Ba 2019, algorithm 1.

    >>> from dynopt import gradient_descent
    >>> lookahead(gradient_descent, inner=3)(1., eta=.5, alpha=.5, grad=lambda x: x)
    0.5625
    """
    inner = check_count("lookahead", "inner", inner, 1)
    check_method("lookahead", m, ["alpha"])
    _needs_no_time("lookahead", m)

    def step(one: Callable, values: tuple, given: dict) -> tuple:
        out = _run_on(one, values, given, inner)
        return values[0] + given["alpha"]*(out[0] - values[0]), *out[1:]
    return made(f"lookahead({m.name}, inner={inner})", m, step, params=["alpha"])


def _needs_no_time(block: str, m: Method) -> None:
    if "t" in m.clocks:
        raise RuleError(f"{block}: {m.name} asks for the time t, which does not say how many steps were taken inside; "
                        "write its schedule in k")


def _run_on(one: Callable, values: tuple, given: dict, count: int) -> tuple:
    """count steps of m, whose counter continues where the step before left off."""
    for j in range(count):
        values = one(values, **({"k": count*given["k"] + j if j else count*given["k"]} if "k" in given else {}))
    return values


def weight_decay(m: Method, decoupled: bool = False) -> Method:
    """Weights shrink: coupled, every gradient becomes grad(y) + wd*y; decoupled, the first state loses eta*wd*x besides m's step.

    The order when decoupled: gradient and m's whole step at the old x, then x_{k+1} = m(x_k) - eta*wd*x_k, as in AdamW. The
    parameter `wd` (unit of curvature) is added; decoupled decay needs a method with a parameter `eta`.
    Source: Loshchilov, Hutter 2019, algorithms 1-2 (their lambda).

    >>> from dynopt import heavy_ball_torch
    >>> weight_decay(heavy_ball_torch)(1., 0., eta=.1, beta=.9, wd=.5, grad=lambda x: x)
    (0.85, 1.5)
    """
    check_method("weight_decay", m, ["wd"])
    if decoupled and "eta" not in m.signature.params:
        raise RuleError(f"weight_decay: {m.name} has no parameter eta, which decoupled decay is multiplied by; "
                        f"write weight_decay({m.name})")
    if decoupled and "eta" in m.bound:
        raise RuleError(f"weight_decay: eta of {m.name} is fixed already; decay first, fix then, as in "
                        f"weight_decay({m.name}, decoupled=True).subs(eta=...)")

    def coupled_step(inner: Callable, values: tuple, given: dict) -> tuple:
        def with_decay(name: str) -> Callable:
            return wraps(given[name])(lambda *args, **how: given[name](*args, **how) + given["wd"]*args[_player(name, args)])
        return inner(values, **{o: with_decay(o) for o in m.oracles if is_gradient(o)})

    def decoupled_step(inner: Callable, values: tuple, given: dict) -> tuple:
        x, *others = inner(values)
        return x - given["eta"]*given["wd"]*values[0], *others
    name = f"weight_decay({m.name}{', decoupled=True' if decoupled else ''})"
    return made(name, m, decoupled_step if decoupled else coupled_step, params=["wd"], starts={} if decoupled else rest_of(m))


def _player(name: str, args: tuple) -> int:
    """Which argument belongs to the field: grad_2(x, y) is the gradient in y."""
    number = name.partition("_")[2]
    return int(number) - 1 if number and len(args) > 1 else 0


def averaged(m: Method) -> Method:
    """An exponential average of the iterates beside them: x_avg = ema*x_avg + (1 - ema)*x, of the new x; m does not see it.

    The state `x_avg` (named after the first state) and the parameter `ema` (no unit, in [0, 1)) are added.
    Source: Polyak, Juditsky 1992; Izmailov et al. 2018 (with a constant weight).

    >>> from dynopt import gradient_descent
    >>> averaged(gradient_descent)(1., 1., eta=.5, ema=.5, grad=lambda x: x)
    (0.5, 0.75)
    """
    name = f"{m.state[0]}_avg" if isinstance(m, Method) else "x_avg"
    check_method("averaged", m, ["ema"], [name])

    def step(inner: Callable, values: tuple, given: dict) -> tuple:
        *own, mean = values
        out = inner(own)
        return *out, given["ema"]*mean + (1 - given["ema"])*out[0]
    return made(f"averaged({m.name})", m, step, params=["ema"], states=[name])


def alternating(m: Method, *blocks: str) -> Method:
    """The states, or the blocks of states in alternating(m, "x v", "y w"), move one after another, each seeing the new ones.

    Each block moves by m's own step from the states as they are then: what Gauss-Seidel is to Jacobi.
    Source: Gidel et al. 2019, section 4 (alternating play).

    >>> from dynopt import simultaneous_descent
    >>> alternating(simultaneous_descent)(1., 1., eta=.5, grad_1=lambda x, y: y, grad_2=lambda x, y: -x)
    (0.5, 1.25)
    """
    check_method("alternating", m)
    groups = [b.split() for b in blocks] or [[s] for s in m.state]
    if sorted(s for g in groups for s in g) != sorted(m.state):
        raise RuleError(f"alternating: the blocks {blocks} do not hold each state of {m.name} ({', '.join(m.state)}) once; "
                        f"write alternating({m.name}, {', '.join(repr(s) for s in m.state)})")

    def step(inner: Callable, values: tuple, given: dict) -> tuple:
        now = dict(zip(m.state, values))
        for group in groups:
            moved = dict(zip(m.state, inner(now.values())))
            now |= {s: moved[s] for s in group}
        return tuple(now.values())
    name = ", ".join([m.name, *map(repr, blocks)])
    return made(f"alternating({name})", m, step)


def accumulated(m: Method, n: int) -> Method:
    """Each gradient is the mean of n fresh samples at the same point: the variance of its noise is divided by n.

    n : whole number of samples >= 1. On gradients without noise the method is m.
    Source: Goyal et al. 2017, section 3 (accumulated mini-batches).

    >>> from dynopt import gradient_descent
    >>> accumulated(gradient_descent, 4)(1., eta=.5, grad=lambda x: x)
    0.5
    """
    n = check_count("accumulated", "n", n, 1)
    check_method("accumulated", m)

    def step(inner: Callable, values: tuple, given: dict) -> tuple:
        def summed(name: str) -> Callable:
            how = {"fresh": True} if takes_fresh(given[name]) else {}

            @wraps(given[name])
            def oracle(*args: Any, **_: Any) -> Any:
                total = given[name](*args, **how)
                for _i in range(n - 1):
                    total = total + given[name](*args, **how)
                return total/n
            return oracle
        return inner(values, **{o: summed(o) for o in m.oracles if is_gradient(o)})
    return made(f"accumulated({m.name}, {n})", m, step)


def multistep_local(m: Method, K: int, clients: int = 1) -> Method:
    """K steps of m between two meetings; with several clients each steps on its own grad_i, then all states are averaged.

    K, clients : whole numbers >= 1; with clients > 1 the oracle `grad` of m becomes grad_1, grad_2, ...; m's k runs on.
    Source: McMahan et al. 2017, algorithm 1; Stich 2019, algorithm 1.

    >>> from dynopt import gradient_descent
    >>> multistep_local(gradient_descent, 2, clients=2)(1., eta=.5, grad_1=lambda x: x, grad_2=lambda x: 2*x)
    0.125
    """
    K, clients = check_count("multistep_local", "K", K, 1), check_count("multistep_local", "clients", clients, 1)
    check_method("multistep_local", m)
    _needs_no_time("multistep_local", m)
    if clients > 1 and [o for o in m.oracles if is_gradient(o)] != ["grad"]:
        raise RuleError(f"multistep_local: {m.name} has the oracles {', '.join(m.oracles)}, expected one `grad`, of which every "
                        f"client has its own; write multistep_local({m.name}, {K})")
    fields = [f"grad_{i + 1}" for i in range(clients)] if clients > 1 else ["grad"]

    def step(one: Callable, values: tuple, given: dict) -> tuple:
        if clients == 1:
            return _run_on(one, values, given, K)
        ends = [_run_on(partial(one, grad=given[field]), values, given, K) for field in fields]
        return tuple(sum(s[1:], s[0])/clients for s in zip(*ends))
    oracles = [name for o in m.oracles for name in (fields if o == "grad" else [o])]
    count = f", clients={clients}" if clients > 1 else ""
    return made(f"multistep_local({m.name}, {K}{count})", m, step, oracles=oracles)
