"""What is minimized: values, gradients and Hessian-vector products of plain functions, traced like rules where they can be."""
from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable, Sequence

import numpy as np

from .arithmetic import plain
from .autodiff import derivative, gradient
from .errors import ParameterError, RuleError
from .expr import Node, as_node, evaluate, leaf
from .numpy_words import numpy_spoken
from .values import plain_constant


@dataclass(frozen=True, eq=False)
class Field:
    """One oracle of a problem: a traced expression of its arguments, or a black box."""

    args: tuple[str, ...]
    node: Node | None                                               # None: only the function is known
    function: Callable                                              # on arrays, leading axes are an ensemble where it is traced
    value: bool = False                                             # one number instead of a vector
    reason: str = ""                                                # why the function could not be traced

    def __call__(self, *points: Any) -> Any:
        if self.node is None:
            found = self.function(*points)
            return found.item() if self.value and isinstance(found, np.ndarray) and found.size == 1 else found
        points = tuple(np.asarray(p, dtype=float) for p in points)
        table = dict(zip(self.args, points))
        [out] = evaluate([self.node], lambda n: table[n.data] if n.op == "state" else plain_constant(n, {}), plain)
        if self.value:
            out = np.asarray(out)
            return out[..., 0] if out.ndim and out.ndim >= points[0].ndim else np.broadcast_to(out, points[0].shape[:-1])[()]
        return np.broadcast_to(out, points[0].shape) if len(self.args) == 1 else np.asarray(out)


def traced(function: Callable, args: Sequence[str]) -> tuple[Node | None, str]:
    """The expression of a plain function of vectors, or None where it is not one, and the reason."""
    try:
        with numpy_spoken():
            return as_node(function(*(leaf("state", a) for a in args))), ""
    except (NameError, ArithmeticError) as error:                        # on numbers it would raise the same
        raise RuleError(f"problem: the function of {', '.join(args)} raised {type(error).__name__}: {error}; expected a value; mend "
                        "the function") from error
    except Exception as error:       # whatever it needs that symbols do not have: it stays a black box, which `Problem.kind` says
        told = str(error).partition("; ")[0] if isinstance(error, RuleError) else f"it raised {type(error).__name__}: {error}"
        return None, told


def _arguments(function: Callable, name: str) -> tuple[str, ...]:
    if not callable(function):
        raise ParameterError(f"problem: {name} is {type(function).__name__} {function!r:.40}, expected a function of x; write "
                             f"Problem(lambda x: ...)")
    try:
        found = [p.name for p in inspect.signature(function).parameters.values() if p.default is inspect.Parameter.empty
                 and p.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        return ("x",)
    return tuple(f"x{i}" for i in range(len(found))) if len(found) > 1 else ("x",)


def by_differences(f: Callable) -> Callable:
    """The gradient of f by central differences of fourth order, (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h)))/12h in every entry.

    The error is about 1e-12 of f's size. Plain loops: numba compiles them where it compiles f, which `differentiates` names.
    """
    def gradient_of_f(x):
        y, out = x.copy(), np.empty(x.size)
        for i in range(x.size):
            h = 1e-3*max(1.0, abs(x[i]))
            y[i] = x[i] + h
            near = f(y)
            y[i] = x[i] - h
            near = near - f(y)
            y[i] = x[i] + 2*h
            far = f(y)
            y[i] = x[i] - 2*h
            far = far - f(y)
            y[i] = x[i]
            out[i] = (8*near - far)/(12*h)
        return out
    gradient_of_f.differentiates = f                                       # type: ignore[attr-defined]
    return gradient_of_f


class Problem:
    """A function f(x) to be minimized, with what is known about it.

    f, grad: plain functions of x, shape (d,) -> number and (d,); hess: (x, v) -> H(x) v; minimizer: shape (d,).
    A missing gradient follows from f: by differentiation where f can be traced, else by differences, with a warning.
    `kind` says "symbolic", "compiled" or "python".
    """

    def __init__(self, f: Callable | None = None, grad: Callable | None = None, hess: Callable | None = None,
                 minimizer: Any = None, *, name: str = "problem", prox: Callable | None = None, dim: int | None = None,
                 bounds: tuple[float, float] | None = None, noise: Any = None):
        if f is None and grad is None:
            raise ParameterError(f"{name}: found neither f nor grad, expected at least one; write Problem(f) or Problem(grad=g)")
        self.name, self.bounds, self.noise = name, bounds, noise
        self.minimizer = None if minimizer is None else np.array(minimizer, dtype=float)
        self.dim = dim if dim is not None else None if self.minimizer is None else self.minimizer.size
        self._given = {n: g for n, g in (("f", f), ("grad", grad), ("hess", hess), ("prox", prox)) if g is not None}

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The oracles by name: those given, and those that follow by differentiation."""
        fields = {}
        for name, function in self._given.items():
            args = {"hess": ("x", "v"), "prox": ("u", "s")}.get(name) or ("x",)
            node, reason = traced(function, args)
            fields[name] = Field(args, node, function, value=name == "f", reason=reason)
        x = leaf("state", "x")
        if "grad" not in fields:
            fields["grad"] = self._derived(fields["f"], x)
        if "hess" not in fields and fields["grad"].node is not None:
            fields["hess"] = _hessian(fields["grad"].node, x)
        return fields

    def _derived(self, f: Field, x: Node) -> Field:
        if f.node is None:
            warnings.warn(f"{self.name}: f cannot be traced on symbols ({f.reason:.200}) and no gradient was given, so the gradient is "
                          "taken by differences of f, to about twelve digits; for an exact one write f with whole vectors, or give "
                          "Problem(f, grad=...)", RuntimeWarning, stacklevel=4)
            return Field(("x",), None, by_differences(f.function), reason=f.reason)
        return Field(("x",), gradient(f.node, x), lambda *_: None)

    @property
    def kind(self) -> str:
        """"symbolic" where the gradient is a traced expression; "compiled" or "python" for black boxes, as the run found."""
        return "symbolic" if self.fields["grad"].node is not None else getattr(self, "_kind", "python")

    def f(self, x: Any) -> Any:
        """Value at x, shape (..., d) -> (...)."""
        if "f" not in self.fields:
            raise ParameterError(f"{self.name}: no value is known, only a gradient; write Problem(f, grad=...)")
        return self.fields["f"](x)

    def grad(self, x: Any) -> Any:
        """Gradient at x, shape (..., d) -> (..., d)."""
        return self.fields["grad"](x)

    def hess(self, x: Any, v: Any) -> Any:
        """Hessian-vector product H(x) v, shapes (..., d) -> (..., d)."""
        if "hess" not in self.fields:
            raise ParameterError(f"{self.name}: no Hessian-vector product is known; write Problem(f, grad=..., hess=lambda x, "
                                 f"v: ...)")
        return self.fields["hess"](x, v)

    def __repr__(self) -> str:
        return f"Problem {self.name}" + (f" (d = {self.dim})" if self.dim else "")


def _hessian(gradient_node: Node, x: Node) -> Field | None:
    v = leaf("state", "v")
    [node] = derivative([gradient_node], {x: v})
    return Field(("x", "v"), node, lambda *_: None)


class Game:
    """Several fields, one for each player (or client): fields[i] is `grad_{i+1}`, a plain function of all players' states."""

    kind = "symbolic"

    def __init__(self, fields: Sequence[Callable], *, name: str = "game", minimizer: Any = None, prox: Callable | None = None):
        fields = list(fields)
        if not fields or not all(map(callable, fields)):
            raise ParameterError(f"{name}: found {fields!r:.60}, expected one function for each player; write Game([lambda x, "
                                 f"y: y, lambda x, y: -x])")
        self.name, self.minimizer, self.dim, self.noise, self.bounds = name, minimizer, None, None, None
        self.fields = {}
        for i, function in enumerate(fields, 1):
            args = _arguments(function, f"field {i}")
            node, reason = traced(function, args)
            self.fields[f"grad_{i}"] = Field(args, node, function, reason=reason)
        if any(f.node is None for f in self.fields.values()):
            self.kind = "python"

    def __repr__(self) -> str:
        return f"Game {self.name} ({len(self.fields)} fields)"
