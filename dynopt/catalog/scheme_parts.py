"""Flows in parts: positions and velocities, force and friction and noise; implicit stages."""
from __future__ import annotations

import inspect
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, Callable

from ..core.autodiff import derivative
from ..core.errors import RuleError
from ..core.expr import COMPARISONS, Node, constant, evaluate, leaf, replace, walk
from ..core.functions import Scalar, exp, sqrt
from ..core.rule import Flow
from ..core.strings import run_nodes
from .scheme_step import Step, exact

ZERO, ONE = constant(0), constant(1)


class Residual:
    """A function of a fixed number of unknowns, for `implicit`, which reads that number from the signature."""

    def __init__(self, count: int, function: Callable):
        kind = inspect.Parameter.POSITIONAL_ONLY
        names = [f"y{i}" for i in range(count)] if count > 1 else ["y"]
        self.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])
        self.__code__ = SimpleNamespace(co_argcount=count)
        self.function = function

    def __call__(self, *unknowns: Any) -> Any:
        out = self.function(*unknowns)
        return out if len(out) > 1 else out[0]


def implicit_of(step: Step, count: int, residual: Callable) -> tuple:
    """The root of `count` residuals, as a tuple."""
    found = step.given["implicit"](Residual(count, residual))
    return found if count > 1 else (found,)


def implicit_step(step: Step, x: tuple, moved: Callable[[tuple], tuple]) -> tuple:
    """The solution y of y = moved(y), where the search begins at x."""
    step.rates(x)                                                  # draws are made before the residual, which cannot draw
    return implicit_of(step, len(x), lambda *y: tuple(a - b for a, b in zip(y, moved(y))))


def fold(roots: list[Node]) -> list[Node]:
    """The same values without the sums and products that a part set to zero leaves behind."""
    def rebuilt(n: Node, args: list[Node]) -> Node:
        a, b = (*args, None, None)[:2]
        if n.op == "neg" and a is ZERO or n.op in ("mul", "div") and a is ZERO or n.op == "mul" and b is ZERO:
            return ZERO
        if n.op in ("add", "sub") and b is ZERO or n.op in ("mul", "div", "pow") and b is ONE:
            return a                                                                               # type: ignore[return-value]
        if n.op in ("add", "mul") and a is (ZERO if n.op == "add" else ONE):
            return b                                                                               # type: ignore[return-value]
        if n.op == "sub" and a is ZERO:
            return -b                                                                              # type: ignore[operator]
        if n.op == "where" and args[1] is args[2]:
            return args[1]
        return Node(n.op, *args, data=n.data)
    return evaluate(roots, lambda n: n, rebuilt)


def depends(roots: list[Node], on: set[Node]) -> bool:
    return any(n in on for n in walk(roots))


class Parts:
    """A flow whose states are positions, then their velocities: x' = g(v), v' = F(x) + c v + noise, checked in the trace."""

    def __init__(self, flow: Any, scheme: str, *, linear_friction: bool = False):
        if not isinstance(flow, Flow):
            from .scheme_step import check_flow
            check_flow(scheme, flow, ())
        self.flow, self.scheme, self.half = flow, scheme, len(flow.state)//2
        self.outputs = list(flow.program.outputs)
        self.positions = [leaf("state", s) for s in flow.state[:self.half]]
        self.velocities = [leaf("state", s) for s in flow.state[self.half:]]
        if len(flow.state) % 2 or depends(self.outputs[:self.half], set(self.positions)):
            raise RuleError(f"{scheme}: {flow.name} has the states ({', '.join(flow.state)}), expected positions, then as many velocities, "
                            "with position rates that depend on velocities alone; use explicit_euler, rk4 or implicit_euler")
        self.draws = [n for n in walk(self.outputs) if n.op == "call" and n.data[0].startswith("noise")]
        self.force = self.outputs[self.half:]
        self.affine = self._find_friction()
        if linear_friction:
            self._require_linear(scheme)

    def halves(self, state: tuple) -> tuple[tuple, tuple]:
        return tuple(state[:self.half]), tuple(state[self.half:])

    def position(self, rates: tuple) -> tuple:
        return rates[:self.half]

    def velocity(self, rates: tuple) -> tuple:
        return rates[self.half:]

    def _slope(self, wrt: list[Node]) -> list[Node] | None:
        """d force_i / d wrt_i where each force depends on no other of `wrt` and the slope acts entry by entry; else None."""
        slopes = []
        for i, force in enumerate(self.force):
            others = {w for j, w in enumerate(wrt) if j != i}
            inside = set(wrt)
            for n in walk([force]):
                if any(a in inside for a in n.args):
                    inside.add(n)
                    if n.op not in ("add", "sub", "mul", "div", "neg", "pow", "where") or n.op in COMPARISONS:
                        return None
            [slope] = fold(derivative([force], {wrt[i]: ONE})) if depends([force], {wrt[i]}) else [ZERO]
            if depends([force], others) or depends([slope], set(wrt)):
                return None
            slopes.append(slope)
        return slopes

    def _find_friction(self) -> bool:
        """Where the force is affine in the velocity, entry by entry: its slope `friction` and its value at rest, `still`."""
        slopes = self._slope(self.velocities)
        if slopes is None:
            return False
        self.friction = slopes
        rest = dict.fromkeys(self.velocities, ZERO)
        self.still = fold(replace(self.force, rest))
        return True

    def _require_linear(self, scheme: str) -> None:
        """Friction c v and noise s xi with c, s free of the state."""
        states = {*self.positions, *self.velocities}
        if not self.affine or depends(self.friction, {*states, *self.draws}):
            raise RuleError(f"{scheme}: the force of {self.flow.name} is not friction times velocity plus a function of the position, which its "
                            "exact parts need; use leapfrog, rk4 or euler_maruyama")
        self.loudness = [[fold(derivative([f], {d: ONE}))[0] if depends([f], {d}) else ZERO for d in self.draws] for f in self.force]
        if depends([s for row in self.loudness for s in row], {*states, *self.draws}):
            raise RuleError(f"{scheme}: the noise of {self.flow.name} depends on the state, expected additive noise; use euler_maruyama")
        self.still = fold(replace(self.still, dict.fromkeys(self.draws, ZERO)))

    def run(self, nodes: list[Node], step: Step, state: tuple, fraction: Any) -> list[Any]:
        """Nodes of the flow's program on the values of a stage."""
        values = self.flow.defaults | self.flow._structural() | step.given | {"t": step.time(fraction)}
        return run_nodes(nodes, dict(zip(self.flow.state, state)), values)


def leapfrog_step(parts: Parts, step: Step, state: tuple) -> tuple:
    """Implicit half kick, drift, explicit half kick."""
    x, v = parts.halves(state)
    half = exact(Fraction(1, 2), step.h)*step.h
    if parts.affine:
        slopes = parts.run(parts.friction, step, state, 0)
        kick = parts.velocity(step.rates(state))
        v = tuple(a + half*k/(1 - half*c) if s is not ZERO else a + half*k for a, k, c, s in zip(v, kick, slopes, parts.friction))
    else:
        v = implicit_of(step, parts.half, lambda *w: tuple(
            a - b - half*r for a, b, r in zip(w, v, parts.velocity(step.rates((*x, *w))))))
    x = step.along(x, parts.position(step.rates((*x, *v), Fraction(1, 2))))
    return (*x, *step.along(v, parts.velocity(step.rates((*x, *v), 1)), Fraction(1, 2)))


def split_step(parts: Parts, step: Step, state: tuple, word: str) -> tuple:
    """The letters in turn; the time moves with the drift, friction is taken at the middle of the step."""
    x, v = parts.halves(state)
    at = Fraction(0)
    for letter in word:
        share = Fraction(1, word.count(letter))
        if letter == "A":
            x = step.along(x, parts.run(parts.outputs[:parts.half], step, (*x, *v), at + share/2), share)
            at += share
        elif letter == "B":
            v = step.along(v, parts.run(parts.still, step, (*x, *v), at), share)
        else:
            v = _friction(parts, step, (*x, *v), share)
    return (*x, *v)


def _friction(parts: Parts, step: Step, state: tuple, share: Fraction) -> tuple:
    """v' = c v + s xi, exact over a share of the step: v exp(c h) + s sqrt((exp(2 c h) - 1)/(2 c)) xi."""
    middle = Fraction(1, 2)
    reach = step.h if share == 1 else exact(share, step.h)*step.h
    slopes = parts.run(parts.friction, step, state, middle)
    draws = [step.given["noise"](Scalar) if d.data[0].endswith("scalar") else step.given["noise"]() for d in parts.draws]
    out = []
    for v, c, slope, row in zip(parts.halves(state)[1], slopes, parts.friction, parts.loudness):
        if slope is not ZERO:
            v = exp(c*reach)*v
        for s, xi, node in zip(parts.run(row, step, state, middle), draws, row):
            if node is not ZERO:
                v = v + s*(sqrt((exp(2*c*reach) - 1)/(2*c)) if slope is not ZERO else sqrt(reach))*xi
        out.append(v)
    return tuple(out)
