"""The registry: every published rule by its name, and parameters at which it runs.

`@example(...)` above a declaration is all that a new rule needs: tests, gallery, page and docs go through `rules`.
"""
from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from ..core.rule import Rule


class example:
    """Parameters at which a rule runs, stable on curvatures in [1, 10]: `@example(eta=.1, beta=.5)` above `@method`.

    on : "problem", "game" (two players, a bilinear game), "clients" (two functions of one x) or "" (no oracle of a problem).
    start : states that are neither at rest nor at their default, by name.
    """

    of: dict[str, "example"] = {}

    def __init__(self, *, on: str = "problem", start: dict[str, Any] | None = None, **params: Any):
        self.on, self.start, self.params = on, dict(start or {}), params

    def __call__(self, rule: Rule) -> Rule:
        self.of[rule.name] = self
        return rule

    def __repr__(self) -> str:
        return f"example({', '.join(f'{n}={v!r}' for n, v in self.params.items())})"


class Rules(Mapping):
    """The published rules by name: `rules["heavy_ball"]`, `list(rules)`, `rules.example("adam")`.

    >>> from dynopt import rules
    >>> rules["heavy_ball"].source
    'Polyak 1964, eq. (9)'
    """

    def __init__(self) -> None:
        self._found: dict[str, Rule] | None = None

    def _all(self) -> dict[str, Rule]:
        if self._found is None:
            package = __name__.rpartition(".")[0]
            modules = [f"{package}.{m.name}" for m in pkgutil.iter_modules(import_module(package).__path__)]
            things = [vars(import_module(m)).values() for m in modules if m != __name__]
            self._found = {rule.name: rule for values in things for rule in values if isinstance(rule, Rule)}
        return self._found

    def __getitem__(self, name: str) -> Rule:
        if name not in self._all():
            near = get_close_matches(name, self._all(), 3)
            meant = f"did you mean {' or '.join(near)}?" if near else "list(rules) names them all"
            raise KeyError(f"the catalogue has no rule {name!r}; {meant}")
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"rules: {', '.join(self)}"

    def example(self, name: str) -> example:
        """Parameters at which the rule runs, as declared above it."""
        rule = self[name]
        if rule.name not in example.of:
            raise KeyError(f"{name}: no example parameters; write @example(eta=.1) above @method in its file")
        return example.of[rule.name]


rules = Rules()
