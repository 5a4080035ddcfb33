"""What a study is: a claim, what the theory says, what the experiment shows, and whether the two agree."""
from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from html import escape
from importlib import import_module
from typing import Any

import numpy as np

FAMILIES = {"quad": "quadratic modes and look-ahead forms", "flow": "continuous flows, damping, energies",
            "stoch": "noise, filters and schedules", "dist": "delay and distribution", "games": "games and complex modes"}
_registry: dict[str, "Entry"] = {}


@dataclass(frozen=True, repr=False)
class Study:
    """The outcome of a study.

    `theory` and `measured` hold the same names: numbers (compared within `tolerance`), or True/False for what can only hold or
    fail. `tolerance`: one number or one for each name; relative where `relative` says so, else absolute.
    `derivation`: lines of text or formulas, as the engine printed them.
    """

    id: str
    family: str
    title: str
    claim: str
    verdict: str
    theory: Mapping[str, Any]
    measured: Mapping[str, Any]
    tolerance: float | Mapping[str, float]
    relative: bool = True
    derivation: tuple[str, ...] = ()
    draw: Callable[[Any], Any] | None = field(default=None, compare=False, repr=False)
    seconds: float = 0.0

    def tolerance_of(self, name: str) -> float:
        """The absolute tolerance of one quantity."""
        given = self.tolerance[name] if isinstance(self.tolerance, Mapping) else self.tolerance
        size = float(np.max(np.abs(np.asarray(self.theory[name], dtype=float)))) if self.relative else 1.0
        return given*size if size else given

    def agrees(self, name: str) -> bool:
        """Whether one quantity was measured as the theory says; a value that is not finite never agrees."""
        said, found = self.theory[name], self.measured[name]
        if isinstance(said, (bool, np.bool_)) or isinstance(found, (bool, np.bool_)):
            return bool(said) is bool(found) and isinstance(said, (bool, np.bool_)) and isinstance(found, (bool, np.bool_))
        said, found = np.asarray(said, dtype=float), np.asarray(found, dtype=float)
        return said.shape == found.shape and bool((np.abs(said - found) <= self.tolerance_of(name)).all())

    @property
    def agree(self) -> bool:
        """Whether theory and experiment agree in everything, and there is something to agree in."""
        return bool(self.theory) and set(self.theory) == set(self.measured) and all(map(self.agrees, self.theory))

    def __repr__(self) -> str:
        return f"Study {self.id}, {self.title}: {'agrees' if self.agree else 'DISAGREES'}"

    def rows(self) -> Iterator[tuple[str, str, str, bool]]:
        """Of each quantity its name, what theory says and what was measured, shortened, and whether the two agree."""
        for name, value in self.theory.items():
            yield name, _short(value), _short(self.measured[name]), self.agrees(name)

    def _repr_html_(self) -> str:
        """The study in a notebook: claim, derivation, numbers side by side, verdict."""
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{said}</td><td>{found}</td><td>{'agrees' if same else '<b>disagrees</b>'}</td></tr>"
                       for name, said, found, same in self.rows())
        lines = "".join(f"<li><code>{escape(line)}</code></li>" for line in self.derivation)
        return (f"<section><h3>{escape(self.id)}. {escape(self.title)}</h3><p><i>{escape(self.claim)}</i></p><ul>{lines}</ul>"
                f"<table><tr><th></th><th>theory</th><th>measured</th><th></th></tr>{rows}</table><p>{escape(self.verdict)}</p></section>")

    def with_theory(self, **changed: Any) -> "Study":
        """The same study under another theory: how a test sees that a wrong one would be found out."""
        return replace(self, theory={**self.theory, **changed})

    def as_dict(self) -> dict[str, Any]:
        """What machines read; tolerances are absolute, one for each number (what holds or fails has none)."""
        tolerance = {n: 0.0 if isinstance(v, (bool, np.bool_)) else self.tolerance_of(n) for n, v in self.theory.items()}
        plain = {"theory": _plain(self.theory), "measured": _plain(self.measured), "tolerance": tolerance}
        return {"id": self.id, "family": self.family, "title": self.title, "claim": self.claim, "verdict": self.verdict, **plain,
                "agree": self.agree, "seconds": round(self.seconds, 3)}


def _short(value: Any) -> str:
    """A number to six digits, an array by its ends."""
    array = np.asarray(value)
    if array.ndim == 0:
        return str(bool(array)) if array.dtype == bool else f"{float(array):.6g}"
    flat = [f"{float(entry):.6g}" for entry in array.ravel()]
    return f"[{', '.join(flat if len(flat) < 5 else [*flat[:2], '...', flat[-1]])}]"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    found = np.asarray(value, dtype=float)
    return float(found) if found.ndim == 0 else found.tolist()


@dataclass(frozen=True)
class Entry:
    """A study before it has run."""

    id: str
    family: str
    title: str
    claim: str
    function: Callable[[], dict[str, Any]]

    def run(self) -> Study:
        """Derive, measure, compare."""
        began = time.perf_counter()
        outcome = self.function()
        return Study(self.id, self.family, self.title, self.claim, **outcome, seconds=time.perf_counter() - began)


def study(id: str, title: str, claim: str) -> Callable:
    """Registers a function that returns the outcome of a study: verdict, theory, measured, tolerance, derivation, draw.

    The family is the module's name.
    """
    def register(function: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        if id in _registry and _registry[id].function.__qualname__ != function.__qualname__:
            raise ValueError(f"study {id}: found twice, expected one function for each id; choose another id")
        _registry[id] = Entry(id, function.__module__.rpartition(".")[2].partition("_")[0], title, claim, function)
        return function
    return register


def studies(*families: str) -> Iterator[Entry]:
    """All studies, or those of some families, in the order of their ids."""
    import pkgutil
    package = import_module(__package__)
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.partition("_")[0] in FAMILIES:
            import_module(f"{__package__}.{module.name}")
    wanted = families or tuple(FAMILIES)
    return iter(sorted((e for e in _registry.values() if e.family in wanted), key=lambda e: (list(FAMILIES).index(e.family),
                                                                                             e.id)))


def find(id: str) -> Entry:
    """The study of an id, such as Q03."""
    for entry in studies():
        if entry.id == id.upper():
            return entry
    raise KeyError(f"study {id!r}: not found, expected one of {', '.join(e.id for e in studies())}")
