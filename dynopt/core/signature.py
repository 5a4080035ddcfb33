"""What a declaration's signature says: states, parameters, counts, oracles."""
from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from .errors import RuleError
from .functions import Scalar

ORACLE = re.compile(r"(grad|hess|prox|f)(_\d+)?|noise|uniform|implicit|past")
CLOCKS = ("k", "t")
P = inspect.Parameter


@dataclass(frozen=True)
class Signature:
    """States in order, parameters in order, and what is known of them before anything runs."""

    state: tuple[str, ...]
    params: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()                                    # which of k, t are asked for
    oracles: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()                                    # annotated int: plain numbers while tracing
    scalars: frozenset[str] = frozenset()
    defaults: dict[str, Any] = field(default_factory=dict)         # of states and parameters

    def with_params(self, params: tuple[str, ...], **changes: Any) -> "Signature":
        return replace(self, params=params, **changes)


def _is(annotation: Any, kind: type) -> bool:
    return annotation is kind or (isinstance(annotation, str) and annotation.rpartition(".")[2] == kind.__name__)


def read_signature(function: Callable, name: str) -> Signature:
    """The signature of a declaration: positional states, keyword-only parameters, oracles by name."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise RuleError(f"{name}: found {type(function).__name__}, expected a plain Python function; "
                        "write `def rule(x, *, eta, grad): ...`") from None
    starred = [p.name for p in parameters if p.kind in (P.VAR_POSITIONAL, P.VAR_KEYWORD)]
    if starred:
        raise RuleError(f"{name}: found *{starred[0]} in the signature, expected every state and parameter by name; "
                        "write `def rule(x, v, *, eta, beta, grad)`")
    states = [p for p in parameters if p.kind in (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)]
    others = [p for p in parameters if p.kind is P.KEYWORD_ONLY]
    wrong = [p.name for p in states if ORACLE.fullmatch(p.name) or p.name in CLOCKS]
    if wrong:
        raise RuleError(f"{name}: {wrong[0]!r} stands among the states, expected it after the star, by name; "
                        f"write `def {name}(x, *, ..., {wrong[0]})`")
    if not states:
        raise RuleError(f"{name}: found no state, expected at least one positional argument; write `def {name}(x, *, eta, grad)`")
    free = [p for p in others if not ORACLE.fullmatch(p.name) and p.name not in CLOCKS]
    return Signature(
        state=tuple(p.name for p in states),
        params=tuple(p.name for p in free),
        clocks=tuple(p.name for p in others if p.name in CLOCKS),
        oracles=tuple(p.name for p in others if ORACLE.fullmatch(p.name)),
        counts=tuple(p.name for p in free if _is(p.annotation, int)),
        scalars=frozenset(p.name for p in states if _is(p.annotation, Scalar)),
        defaults={p.name: p.default for p in (*states, *free) if p.default is not P.empty})
