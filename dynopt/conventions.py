"""How torch, optax, Keras and the papers write the same method: translated by transfer functions, never by name."""
from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache
from typing import Any

from sympy import Expr

from .catalog.index import rules
from .catalog.schemes import symplectic_euler
from .core.rule import Rule
from .theory.algebra import LinearizeError
from .theory.equivalence import conditions, opened, parameter_map, state_map
from .theory.exact import neat
from .theory.letters import Letters
from .theory.rate_text import is_sum
from .theory.realize import Realization
from .theory.symbols import symbol
from .theory.wording import in_text

# family, who writes it, the rule of the catalogue, how it is called; {name} stands for a parameter
WAYS = (
    ("gradient_descent", "gradient descent", "gradient_descent", "x = x - {eta}*g"),
    ("gradient_descent", "PyTorch", "heavy_ball_torch", "torch.optim.SGD(params, lr={eta}, momentum={beta})"),
    ("gradient_descent", "optax", "heavy_ball_torch", "optax.sgd({eta}, momentum={beta})"),
    ("gradient_descent", "Keras", "heavy_ball_keras", "keras.optimizers.SGD({eta}, momentum={beta})"),
    ("heavy_ball", "Polyak 1964, classical", "heavy_ball", "v = {beta}*v + {eta}*g;  x = x - v"),
    ("heavy_ball", "PyTorch", "heavy_ball_torch", "torch.optim.SGD(params, lr={eta}, momentum={beta})"),
    ("heavy_ball", "optax", "heavy_ball_torch", "optax.sgd({eta}, momentum={beta})"),
    ("heavy_ball", "Keras", "heavy_ball_keras", "keras.optimizers.SGD({eta}, momentum={beta})"),
    ("heavy_ball", "moving average", "heavy_ball_ema", "v = {beta}*v + (1 - {beta})*g;  x = x - {eta}*v"),
    ("heavy_ball", "friction and time step", "damped_symplectic", "symplectic Euler of x'' + {gamma}*x' + grad f = 0, h = {h}"),
    ("heavy_ball", "quasi-hyperbolic", "qhm", "QHM(lr={eta}, momentum={beta}, nu={alpha})"),
    ("nesterov", "Sutskever 2013, look-ahead", "nesterov", "v = {beta}*v + {eta}*g(x - {beta}*v);  x = x - v"),
    ("nesterov", "Nesterov 2004, x and y", "nesterov_yx", "x = y - {eta}*g(y);  y = x + {beta}*(x - x_prev)"),
    ("nesterov", "PyTorch", "nesterov_torch", "torch.optim.SGD(params, lr={eta}, momentum={beta}, nesterov=True)"),
    ("nesterov", "optax", "nesterov_torch", "optax.sgd({eta}, momentum={beta}, nesterov=True)"),
    ("nesterov", "Keras", "nesterov_keras", "keras.optimizers.SGD({eta}, momentum={beta}, nesterov=True)"),
    ("nesterov", "quasi-hyperbolic", "qhm", "QHM(lr={eta}, momentum={beta}, nu={alpha})"),
    ("qhm", "quasi-hyperbolic", "qhm", "QHM(lr={eta}, momentum={beta}, nu={alpha})"),
)
HELD = "* while the parameters stay constant: one of the two buffers holds them, the other does not"
FAMILIES = tuple(dict.fromkeys(family for family, *_ in WAYS))
# rules that no transfer function describes: the same program, or nothing
CALLS = {
    "adam": "torch.optim.Adam(params, lr=eta, betas=(beta1, beta2), eps=eps);  optax.adam(eta, beta1, beta2, eps)",
    "adamw": "torch.optim.AdamW(params, lr=eta, betas=(beta1, beta2), eps=eps, weight_decay=wd)",
    "adagrad": "torch.optim.Adagrad(params, lr=eta, eps=eps)",
    "rmsprop": "torch.optim.RMSprop(params, lr=eta, alpha=beta, eps=eps)",
}


@dataclass(frozen=True)
class Way:
    """One way to write a method; `held` tells whether a state of it contains parameters, so that they must stay constant,
    `conditions` what its parameters ask for."""

    who: str
    written: str
    params: dict[str, Expr]
    held: bool = False
    conditions: tuple = ()

    @property
    def where(self) -> str:
        """The conditions in words, to stand behind the formula."""
        shown = ", ".join(f"{in_text(c.lhs)} {c.rel_op} {in_text(c.rhs)}" for c in self.conditions)
        return f"   ({shown})" if shown else ""


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
        lines = [f"{w.who:<{width}}   {w.written}{w.where}{'   *' if w.held else ''}" for w in self.ways]
        if any(w.held for w in self.ways):
            lines.append(HELD)
        return "\n".join([*lines, *([self.note] if self.note else [])])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(w.who)}</td><td><code>{html.escape(w.written)}</code>{html.escape(w.where)}{' *' if w.held else ''}"
                       "</td></tr>" for w in self.ways)
        rows += f'<tr><td colspan="2">{HELD}</td></tr>' if any(w.held for w in self.ways) else ""
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
        own = opened(rule)
    except LinearizeError as error:
        return Conventions(rule.name, (), f"no other convention is known for it ({str(error).partition(';')[0]})")
    family, params = next(((f, p) for f in FAMILIES for p in [_map(own, f)] if p is not None), ("", {}))
    ways = tuple(_way(own, params, *way) for way in WAYS if way[0] == family)
    own_noise = any(o.startswith(("noise", "uniform")) for o in rule.program.oracles)
    note = "none of the known conventions is this rule" if not ways else "without the noise that the rule adds" if own_noise else ""
    return Conventions(rule.name, ways, note)


@cache
def _target(name: str) -> Realization:
    """A rule of the catalogue with its gradients cut open."""
    return opened(symplectic_euler(rules["damped"]) if name == "damped_symplectic" else rules[name])


def _map(own: Realization, name: str) -> dict[str, Expr] | None:
    """Parameters of a rule of the catalogue at which it does the same."""
    target = _target(name)
    return parameter_map(own, target) if target.calls == own.calls and target.kind == own.kind else None


@cache
def _within(family: str, name: str) -> dict[str, Expr]:
    """The same between two rules of the catalogue, where the first is known to be a case of the second."""
    return _map(_target(family), name) or {}


def _way(own: Realization, params: dict[str, Expr], family: str, who: str, name: str, written: str) -> Way:
    """One line of the table: the map to the family, then the one within it."""
    table = {symbol(n): e for n, e in params.items()}
    there = params if name == family else {n: neat(e.subs(table, simultaneous=True)) for n, e in _within(family, name).items()}
    names = {symbol(n) for n in own.names}
    held = any(e.subs(own.roots).free_symbols & names for e in state_map(own, _target(name), there).values())
    shown = {n: e.subs(own.roots) for n, e in there.items()}
    return Way(who, written.format(**{n: _argument(e) for n, e in shown.items()}), shown, held, conditions(shown))


def _argument(e: Expr) -> str:
    """A parameter as it is typed in a call."""
    if not e.is_rational_function():                                     # roots of parameters: as sympy prints them
        return f"({in_text(e)})" if e.is_Add else in_text(e)
    over, under = e.as_numer_denom()
    shown = Letters().quotient(over.expand(), under.expand())
    return f"({shown})" if is_sum(shown) else shown
