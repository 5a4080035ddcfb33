"""Where a state starts that nobody named: at rest, the fixed point of its own update with the named states held."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arithmetic import plain
from ..core.errors import ParameterError
from ..core.expr import Node, evaluate
from ..core.rule import Rule
from ..core.values import plain_constant

COUNTER = 2.0                                   # a step past those that rules treat apart (k < 1)


def at_rest(rule: Rule, states: dict[str, np.ndarray], params: dict[str, Any]) -> list[np.ndarray]:
    """Next states (rates) with zero gradients and noise and prox the identity, per coordinate."""
    def value(node: Node) -> Any:
        if node.op == "state":
            return states[node.data]
        return params[node.data] if node.op == "param" else plain_constant(node, {})

    def apply(node: Node, args: list) -> Any:
        if node.op == "call":
            return args[0] if node.data[0].startswith("prox") else np.zeros_like(args[0]) if args else np.zeros(1)
        if node.op == "past":
            return args[0]
        if node.op == "implicit":
            return _root(node, args)
        return args[0][node.data] if node.op == "pick" else plain(node, args)

    def _root(node: Node, args: list) -> list:
        """Residuals are affine in the unknowns when gradients vanish, entry by entry: probe and solve."""
        unknowns, residuals = node.data
        shape = np.broadcast_shapes(*(np.shape(a) for a in args))

        def residual(guess: list) -> np.ndarray:
            known = dict(zip(node.args, args)) | dict(zip(unknowns, guess))
            return np.stack([np.broadcast_to(r, shape) for r in evaluate(residuals, value, apply, known=known)], -1)
        zero = [np.zeros(shape) for _ in unknowns]
        base = residual(zero)
        columns = [residual([z + (i == j) for j, z in enumerate(zero)]) - base for i in range(len(unknowns))]
        found = np.linalg.solve(np.stack(columns, -1), -base[..., None])[..., 0]
        return [found[..., i] for i in range(len(unknowns))]
    with np.errstate(all="ignore"):
        return evaluate(rule.program.outputs, value, apply)


def rest_states(rule: Rule, states: dict[str, np.ndarray], numbers: dict, vectors: dict, matrices: dict) -> dict[str, np.ndarray]:
    """The unnamed states at rest; raises where there is no such point or more than one."""
    unnamed = [s for s in rule.state if s not in states]
    if not unnamed:
        return {}
    named = [s for s in rule.state if s in states and s not in rule.scalars]
    if not named:
        raise ParameterError(f"{rule.name}: x0 names no vector state, expected at least {rule.state[0]!r}; write "
                             f"x0={{{rule.state[0]!r}: [1.0]}}")
    shape = _shape(rule, {s: states[s] for s in named}, unnamed, numbers)
    params = {n: v[..., None] if v.ndim else float(v) for n, v in numbers.items()}
    params |= vectors | matrices | {"k": COUNTER, "t": COUNTER}
    held = {s: np.broadcast_to(v, shape) if s not in rule.scalars else v for s, v in states.items()}
    vectors_only = [s for s in rule.state if s not in rule.scalars]
    for asked in (unnamed, vectors_only):      # each unnamed state's own update; where that leaves it free, all have to stay
        found = _fixed_point(rule, held, unnamed, asked, params, shape)
        if found is not None:
            return found
    raise ParameterError(f"{rule.name}: the start of {', '.join(unnamed)} is not given and has no unique rest (the fixed point "
                         f"of the update with {', '.join(named)} held and zero gradient); write "
                         f"x0={{{', '.join(f'{s!r}: ...' for s in rule.state)}}}")


def _shape(rule: Rule, named: dict[str, np.ndarray], unnamed: list[str], numbers: dict) -> tuple[int, ...]:
    """What the named states share; players of different length share nothing that a state without a name could start from."""
    try:
        return np.broadcast_shapes(*(v.shape for v in named.values()), *(v.shape + (1,) for v in numbers.values()))
    except ValueError:
        lengths = ", ".join(f"{s} has {v.shape[-1]}" for s, v in named.items())
        raise ParameterError(f"{rule.name}: {lengths} entries, and {', '.join(unnamed)} could be as long as any of them; expected a start "
                             f"for each, as in x0={{..., {unnamed[0]!r}: ...}}") from None


def _fixed_point(rule: Rule, held: dict, unnamed: list[str], asked: list[str], params: dict, shape: tuple) -> dict | None:
    """The unnamed states at which the asked ones stay; None where there is no such point or more than one.

    Updates are affine in what is unnamed once gradients vanish, so that probing with unit vectors is exact.
    """
    place = {s: i for i, s in enumerate(rule.state)}

    def drift(guess: np.ndarray) -> np.ndarray:
        states = held | {s: guess[..., j] for j, s in enumerate(unnamed)}
        out = at_rest(rule, states, params)
        still = [out[place[s]] - (states[s] if rule.kind == "method" else 0.0) for s in asked]
        return np.stack([np.broadcast_to(x, shape) for x in still], -1)
    zero = np.zeros((*shape, len(unnamed)))
    try:
        base = drift(zero)
        columns = np.stack([drift(zero + e) - base for e in np.eye(len(unnamed))], -1)
    except (np.linalg.LinAlgError, ValueError):
        return None
    if not (np.isfinite(columns).all() and np.isfinite(base).all()):
        return None
    inverse = _inverse(columns)
    if inverse is None:
        return None
    guess = np.stack([sum(-base[..., i]*inverse[..., j, i] for i in range(len(asked))) for j in range(len(unnamed))], -1)
    guess = np.where(np.abs(guess) < 1e-14*(1 + np.abs(base).max()), 0.0, guess)
    scale = 1.0 + max(float(np.abs(v).max()) for v in held.values())
    if np.abs(drift(guess)).max() > 1e-9*scale:
        return None
    return {s: _snap(guess[..., j], held) for j, s in enumerate(unnamed)}


def _inverse(columns: np.ndarray) -> np.ndarray | None:
    """Pseudo-inverses of the probed matrices, a single one where all paths and entries ask the same; None where one has no inverse."""
    flat = columns.reshape(-1, *columns.shape[-2:])
    columns = flat[0] if (flat == flat[:1]).all() else columns
    single = columns.shape[-2:] == (1, 1)               # a number: no need to ask LAPACK a hundred thousand times
    sizes = np.abs(columns[..., 0]) if single else np.linalg.svd(columns, compute_uv=False)
    if (sizes[..., -1] <= 1e-12*np.maximum(sizes[..., 0], 1e-12)).any():
        return None
    return 1/columns if single else np.linalg.pinv(columns)


def _snap(value: np.ndarray, held: dict[str, np.ndarray]) -> np.ndarray:
    """A rest that equals a held state up to rounding is that state, exactly (x_prev = x0)."""
    for state in held.values():
        if state.shape == value.shape and np.allclose(value, state, rtol=1e-12, atol=1e-300):
            return np.array(state)
    return value
