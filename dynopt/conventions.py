"""How torch, optax, Keras and the papers write the same method: translated by transfer functions, never by name."""
from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from sympy import Expr

from .catalog.index import rules
from .catalog.schemes import symplectic_euler
from .core.rule import Rule
from .theory.algebra import LinearizeError
from .theory.equivalence import parameter_map, state_map
from .theory.letters import Letters
from .theory.rate_text import is_sum
from .theory.realize import merged, realize
from .theory.symbols import symbol

# who writes it, the rule of the catalogue, how it is called; {name} stands for a parameter
WAYS = (
    ("gradient descent", "gradient_descent", "x = x - {eta}*g"),
    ("Polyak 1964, classical", "heavy_ball", "v = {beta}*v + {eta}*g;  x = x - v"),
    ("PyTorch", "heavy_ball_torch", "torch.optim.SGD(params, lr={eta}, momentum={beta})"),
    ("optax", "heavy_ball_torch", "optax.sgd({eta}, momentum={beta})"),
    ("Keras", "heavy_ball_keras", "keras.optimizers.SGD({eta}, momentum={beta})"),
    ("moving average", "heavy_ball_ema", "v = {beta}*v + (1 - {beta})*g;  x = x - {eta}*v"),
    ("friction and time step", "damped_symplectic", "symplectic Euler of x'' + {gamma}*x' + grad f = 0, h = {h}"),
    ("Sutskever 2013, look-ahead", "nesterov", "v = {beta}*v + {eta}*g(x - {beta}*v);  x = x - v"),
    ("Nesterov 2004, x and y", "nesterov_yx", "x = y - {eta}*g(y);  y = x + {beta}*(x - x_prev)"),
    ("PyTorch", "nesterov_torch", "torch.optim.SGD(params, lr={eta}, momentum={beta}, nesterov=True)"),
    ("optax", "nesterov_torch", "optax.sgd({eta}, momentum={beta}, nesterov=True)"),
    ("Keras", "nesterov_keras", "keras.optimizers.SGD({eta}, momentum={beta}, nesterov=True)"),
    ("quasi-hyperbolic", "qhm", "QHM(lr={eta}, momentum={beta}, nu={alpha})"),
)
# rules that no transfer function describes: the same program, or nothing
CALLS = {
    "adam": "torch.optim.Adam(params, lr=eta, betas=(beta1, beta2), eps=eps);  optax.adam(eta, beta1, beta2, eps)",
    "adamw": "torch.optim.AdamW(params, lr=eta, betas=(beta1, beta2), eps=eps, weight_decay=wd)",
    "adagrad": "torch.optim.Adagrad(params, lr=eta, eps=eps)",
    "rmsprop": "torch.optim.RMSprop(params, lr=eta, alpha=beta, eps=eps)",
}


@dataclass(frozen=True)
class Way:
    """One way to write a method; `held` tells whether a state of it contains parameters, so that they must stay constant."""

    who: str
    written: str
    params: dict[str, Expr]
    held: bool = False


@dataclass(frozen=True)
class Conventions:
    """All ways that were found to write one method."""

    name: str
    ways: tuple[Way, ...]
    note: str = ""

    def __iter__(self) -> Any:
        return iter(self.ways)

    def __repr__(self) -> str:
        if not self.ways:
            return f"{self.name}: {self.note}"
        width = max(len(w.who) for w in self.ways)
        lines = [f"{w.who:<{width}}   {w.written}{'   *' if w.held else ''}" for w in self.ways]
        if any(w.held for w in self.ways):
            lines.append("* while the parameters stay constant: one of the two buffers holds them, the other does not")
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(w.who)}</td><td><code>{html.escape(w.written)}</code></td></tr>" for w in self.ways)
        return f"<table>{rows}</table>" + (f"<p>{html.escape(self.note)}</p>" if self.note else "")


def conventions(rule: Rule) -> Conventions:
    """How papers, torch, optax and Keras write a method, each with its parameters in terms of those of the rule.

    Two ways are the same where they ask for gradients at the same points on every function (see `equivalent`).

    rule : Method. Returns a Conventions: prints as a table, iterates over its `Way`s; empty, with a note, where none was found.

    >>> from dynopt import method
    >>> print(conventions(method(lambda x, *, eta, grad: x - 2*eta*grad(x))).ways[0].written)
    x = x - 2*eta*g
    """
    for name, call in CALLS.items():
        if rules.get(name) == rule:
            return Conventions(rule.name, (Way("libraries", call, {}),))
    try:
        own = merged(realize(rule))
    except LinearizeError as error:
        return Conventions(rule.name, (), f"no other convention is known for it ({error})")
    known: dict[str, Any] = {}
    ways = []
    for who, name, written in WAYS:
        if name not in known:
            known[name] = _as(own, name)
        if known[name] is not None:
            params, held = known[name]
            ways.append(Way(who, written.format(**{n: _argument(e) for n, e in params.items()}), params, held))
    plain = any(w.who == "gradient descent" for w in ways)              # then momentum 0 in a library is all there is to say
    libraries = ("gradient descent", "PyTorch", "optax", "Keras")
    shown = [w for w in ways if w.who in libraries and "nesterov" not in w.written] if plain else ways
    return Conventions(rule.name, tuple(shown), "" if shown else "none of the known conventions is this rule")


def _as(own: Any, name: str) -> tuple[dict[str, Expr], bool] | None:
    """Parameters of a rule of the catalogue at which it does the same, and whether its states then contain parameters."""
    other = symplectic_euler(rules["damped"]) if name == "damped_symplectic" else rules[name]
    target = merged(realize(other))
    if target.calls != own.calls or target.kind != own.kind:
        return None
    params = parameter_map(own, target)
    if params is None:
        return None
    names = {symbol(n) for n in own.names}
    return params, any(e.free_symbols & names for e in state_map(own, target, params).values())


def _argument(e: Expr) -> str:
    """A parameter as it is typed in a call."""
    if not e.is_rational_function():                                     # roots of parameters: as sympy prints them
        return str(e)
    over, under = e.as_numer_denom()
    shown = Letters().quotient(over.expand(), under.expand())
    return f"({shown})" if is_sum(shown) else shown
