"""Rules: a Method maps a state to the next state, a Flow maps it to its rate of change. Declared as plain functions."""
from __future__ import annotations

import functools
from functools import cached_property
from typing import Any, Callable, Iterable

import numpy as np

from .errors import ParameterError, RuleError
from .expr import Node, leaf, replace, walk
from .program import Program
from .signature import CLOCKS, Signature, read_signature
from .trace import trace
from .values import as_parameter, compute


class Rule:
    """A declared rule. Calling it runs the plain function on floats, arrays, sympy expressions or anything with arithmetic."""

    kind = "rule"

    def __init__(self, function: Callable, signature: Signature, name: str, source: str = "", *, doc: str = "",
                 counts: dict[str, int] | None = None, bound: dict[str, Any] | None = None, origin: Any = None):
        self.function, self.signature, self.name, self.source = function, signature, name, source
        self.counts, self.bound, self.origin = dict(counts or {}), dict(bound or {}), origin
        self.words = doc or function.__doc__ or ""
        self.__name__, self.__doc__ = name, self._help()

    def _help(self) -> str:
        """What `help` shows of a rule: how it is called, its own words, its source, where to read on."""
        named = (*self.params, *self.clocks, *self.oracles)
        call = f"{self.name}({', '.join((*self.state, *(('*', *named) if named else ())))})"
        what = "one step of a method: returns the next" if self.kind == "method" else "a flow: returns the rate of change of"
        parts = (f"{call}\n{what} {', '.join(self.state)}", self.words.strip(), f"Source: {self.source}" if self.source else "",
                 f"describe({self.name}) puts what is known of it on one page.")
        return "\n\n".join(filter(None, parts))

    @property
    def state(self) -> tuple[str, ...]:
        """Names of the states, in order."""
        return self.signature.state

    @cached_property
    def params(self) -> tuple[str, ...]:
        """Names of the free parameters: those of the signature, with the ones a substitution put in their place."""
        names: dict[str, None] = {}
        for p in self.signature.params:
            if p in self.bound:
                names.update((n, None) for n in _free(self.bound[p]) if n not in CLOCKS)
            elif p not in self.counts:
                names[p] = None
        return tuple(names)

    @property
    def clocks(self) -> tuple[str, ...]:
        """Which of k and t a step needs: those of the signature, and those that a bound schedule brings in."""
        inside = [n for v in self.bound.values() for n in _free(v) if n in CLOCKS]
        return tuple(dict.fromkeys((*self.signature.clocks, *inside)))

    @property
    def scalars(self) -> frozenset[str]:
        """Names of the states that are one number."""
        return self.signature.scalars

    @property
    def leading(self) -> str:
        """The first state that is a vector, whose dimension is the problem's; the first of all where every state is a number."""
        return next((s for s in self.state if s not in self.scalars), self.state[0])

    @property
    def defaults(self) -> dict[str, Any]:
        """Values that states and parameters take when nothing else is said."""
        return {n: v for n, v in self.signature.defaults.items() if n not in self.bound and n not in self.counts}

    @property
    def oracles(self) -> tuple[str, ...]:
        """Names of the oracles in the signature."""
        return self.signature.oracles

    @cached_property
    def program(self) -> Program:
        """The straight-line normal form, traced at first use."""
        traced = trace(self.function, self.signature, self.name, self.kind, self._structural())
        table = {leaf("param", p): _node(p, v) for p, v in self.bound.items()}
        if not table:
            return traced
        outputs = tuple(replace(traced.outputs, table))
        return Program(traced.kind, traced.state, outputs, traced.scalars, self._stride(table, outputs))

    def _stride(self, table: dict[Node, Node], outputs: tuple[Node, ...]) -> Node | None:
        """What was written in for the time step h of a method that asks for the time t = t0 + k h."""
        stride = table.get(leaf("param", "h"))
        if self.kind == "flow" or stride is None or not any(n.op == "param" and n.data == "t" for n in walk(outputs)):
            return None
        if any(n in CLOCKS for n in _free(stride)):
            raise RuleError(f"{self.name}: h changes from step to step and the rule asks for the time, which is t0 + k*h for an h that stays; "
                            "give the time as a state of its own, as in t_next = t + h")
        return stride

    def _structural(self) -> dict[str, int]:
        defaults = {c: self.signature.defaults[c] for c in self.signature.counts if c in self.signature.defaults}
        return defaults | self.counts

    def __call__(self, *state: Any, **given: Any) -> Any:
        """One step (the rates, for a flow) on any values that know arithmetic; oracles are passed by name."""
        if len(state) != len(self.state):
            raise ParameterError(f"{self.name}: called with {len(state)} state(s), expected {len(self.state)} "
                                 f"({', '.join(self.state)})")
        asked = (*self.params, *self.signature.counts, *self.clocks, *self.signature.oracles)
        unknown = [n for n in given if n not in asked]
        if unknown:
            raise ParameterError(unknown_name(self.name, unknown[0], asked))
        values = {n: v for n, v in self.defaults.items() if n not in self.state} | self._structural() | given
        keywords = {p: compute(self.bound[p], values, self.name) if p in self.bound else values[p]
                    for p in (*self.signature.params, *self.signature.clocks, *self.signature.oracles)
                    if p in self.bound or p in values}
        missing = [p for p in (*self.signature.params, *self.signature.clocks, *self.signature.oracles) if p not in keywords]
        if missing:
            raise ParameterError(f"{self.name}: called without {', '.join(missing)}; "
                                 f"write {self.name}({', '.join(self.state)}, {', '.join(f'{m}=...' for m in missing)})")
        return self.function(*map(_read_only, state), **keywords)

    def subs(self, **values: Any) -> "Rule":
        """The rule with parameters replaced by numbers, text ("2/(L + mu)"), schedules, per-coordinate values or matrices."""
        bound, counts = dict(self.bound), dict(self.counts)
        for name in values:
            if name not in self.params and name not in self.signature.counts:
                raise ParameterError(unknown_name(self.name, name, (*self.params, *self.signature.counts)))
        new = {n: as_parameter(v, n, self.name) for n, v in values.items() if n not in self.signature.counts}
        counts |= {n: _count(v, n, self.name) for n, v in values.items() if n in self.signature.counts}
        table = {leaf("param", n): v for n, v in new.items() if isinstance(v, Node)}
        bound = {p: replace([v], table)[0] if isinstance(v, Node) else v for p, v in bound.items()}
        bound |= {n: v for n, v in new.items() if n in self.signature.params}
        return self._with(counts=counts, bound=bound)

    def at(self, **counts: int) -> "Rule":
        """The rule with counts (parameters annotated int) fixed: lookahead.at(K=5)."""
        wrong = [n for n in counts if n not in self.signature.counts]
        if wrong:
            raise ParameterError(f"{self.name}: {wrong[0]!r} is no count of this rule, expected one of "
                                 f"{', '.join(self.signature.counts) or 'none'}; parameters are given by .subs")
        return self.subs(**counts)

    def _with(self, **changes: Any) -> "Rule":
        keep = dict(doc=self.words, counts=self.counts, bound=self.bound, origin=self.origin)
        return type(self)(self.function, self.signature, self.name, self.source, **(keep | changes))

    def renamed(self, name: str) -> "Rule":
        """The same rule under another name."""
        return type(self)(self.function, self.signature, name, self.source, doc=self.words, counts=self.counts,
                          bound=self.bound, origin=self.origin)

    @classmethod
    def build(cls, name: str, function: Callable, state: Iterable[str], params: Iterable[str] = (), *, clocks: Iterable[str] = (),
              oracles: Iterable[str] = (), counts: Iterable[str] = (), scalars: Iterable[str] = (), defaults: dict | None = None,
              source: str = "", origin: Any = None) -> "Rule":
        """A rule from a function whose signature is given in words: how schemes and blocks make new rules from old."""
        signature = Signature(tuple(state), tuple(params), tuple(clocks), tuple(oracles), tuple(counts), frozenset(scalars),
                              dict(defaults or {}))
        return cls(function, signature, name, source, origin=origin)

    @classmethod
    def from_string(cls, text: str, state: str, *, name: str = "rule", source: str = "") -> "Rule":
        """The rule that a text such as "v = beta*v + eta*grad(x); x = x - v" declares, read through a whitelist."""
        from .strings import rule_from_string
        return rule_from_string(cls, text, state, name=name, source=source)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.key == other.key                              # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> str:
        """Equal for rules that do the same, whatever they are called."""
        return self.program.key

    def __repr__(self) -> str:
        extra = "; ".join(filter(None, (", ".join(self.params), self.source)))
        return f"{type(self).__name__} {self.name}({', '.join(self.state)}{'; ' + extra if extra else ''})"

    def _repr_latex_(self) -> str:
        from .latex import rule_latex
        return f"$${rule_latex(self)}$$"


class Method(Rule):
    """A rule that maps the state to the next state."""

    kind = "method"


class Flow(Rule):
    """A rule that maps the state to its rate of change."""

    kind = "flow"


def as_rule(found: Any) -> Rule:
    """The rule itself, or the advice to declare it."""
    if not isinstance(found, Rule):
        cure = "write @method above its def" if callable(found) else "write @method above a plain function, or take one from dynopt.rules"
        raise RuleError(f"found {type(found).__name__} {found!r:.40}, expected a declared rule (a Method or a Flow); {cure}")
    return found


def unknown_name(rule: str, name: str, expected: Iterable[str]) -> str:
    """The message for a parameter that the rule does not have."""
    expected = tuple(expected)
    reserved = " (k and t are kept by the run itself)" if name in CLOCKS else ""
    return (f"{rule}: unknown parameter {name!r}{reserved}, expected "
            f"{'one of ' + ', '.join(expected) if expected else 'no parameter'}")


def _free(value: Any) -> list[str]:
    from .expr import walk
    return [n.data for n in walk([value]) if n.op == "param"] if isinstance(value, Node) else []


def _node(name: str, value: Any) -> Node:
    """What stands in the program for a bound parameter: its expression, or its name where it is an array."""
    return value if isinstance(value, Node) else leaf("param", name)


def _count(value: Any, name: str, rule: str) -> int:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)) or value < 0:
        raise ParameterError(f"{rule}: {name} = {value!r:.40} is a count, expected a whole number; write {name}=5")
    return int(value)


def _read_only(value: Any) -> Any:
    """States come read-only, so that `y -= ...` cannot overwrite the caller's array."""
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view


_DECLARING = {"method": """Declares a Method: a plain function from the state to the next state.

States come first, by position; parameters after the star, by name; then oracles such as `grad`, by their reserved names. The
function returns the next states in the order of the signature. It is run once, on symbols, at first use.

source : where the rule was published. name : what to call it, by default the function's name. Returns a Method.
Raises RuleError for a signature that cannot be read.

>>> @method(source="Polyak 1964, eq. (9)")
... def heavy_ball(x, v, *, eta, beta, grad):
...     v = beta*v + eta*grad(x)
...     return x - v, v
""", "flow": """Declares a Flow: a plain function from the state to its rate of change.

States come first, by position; parameters after the star, by name; then oracles such as `grad`, by their reserved names. The
function returns the rates in the order of the signature. It is run once, on symbols, at first use.

source : where the flow was published. name : what to call it, by default the function's name. Returns a Flow.
Raises RuleError for a signature that cannot be read.

>>> @flow
... def damped(x, v, *, gamma, grad):
...     return v, -gamma*v - grad(x)
"""}


def _decorator(cls: type[Rule]) -> Callable:
    def decorate(function: Callable | None = None, *, source: str = "", name: str | None = None) -> Any:
        if function is None:
            return functools.partial(decorate, source=source, name=name)
        if not callable(function):
            raise RuleError(f"@{cls.kind}: found {function!r:.40}, expected a function; write @{cls.kind} or "
                            f"@{cls.kind}(source='...')")
        called = name or getattr(function, "__name__", cls.kind)
        return cls(function, read_signature(function, called), called, source)
    decorate.__name__, decorate.__doc__ = cls.kind, _DECLARING[cls.kind]
    decorate.from_string = cls.from_string                                                  # type: ignore[attr-defined]
    return decorate


method = _decorator(Method)
flow = _decorator(Flow)
