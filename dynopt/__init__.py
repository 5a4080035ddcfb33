"""dynopt: declare an optimizer once, as the paper writes it; its theory, its kernels and its figures follow.

Every public name can be imported from here. Nothing is loaded before it is used: `import dynopt` costs a few
milliseconds, whatever stands behind the names.
"""
from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# module -> the public names it holds; a name enters this table when its module exists (a test imports them all)
_TABLE = {
    "core.errors": "RuleError ParameterError ParameterTypeError",
    "core.functions": "Scalar sqrt exp log sin cos tanh abs sign where minimum maximum clip norm dot mean pi",
    "core.rule": "Rule Method Flow method flow",
    "core.values": "per_coordinate schedule",
    "core.problem": "Problem Game",
    "core.trajectory": "Trajectory",
    "catalog.problems": "quadratic rosenbrock himmelblau double_well logistic least_squares bilinear",
    "catalog.index": "rules",
    "run.iterate": "iterate",
}
_HOME = {name: module for module, names in _TABLE.items() for name in names.split()}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Load a public name on first use and keep it; the rules of the catalogue are public by their own names."""
    if name not in _HOME:
        if not name.startswith("_") and name in (rules := import_module(f"{__name__}.catalog.index").rules):
            return rules[name]
        raise AttributeError(f"module 'dynopt' has no attribute {name!r}; dir(dynopt) lists what it has")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_HOME))
