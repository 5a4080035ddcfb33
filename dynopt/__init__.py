"""dynopt: declare an optimizer once, as the paper writes it; its theory, its kernels and its figures follow.

Every public name can be imported from here. Nothing is loaded before it is used: `import dynopt` costs a few
milliseconds, whatever stands behind the names.
"""
from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

# module -> the public names it holds; a name enters this table when its module exists (a test imports them all).
# Flows and methods are not here: every published rule can be imported by its name, see `_published`.
_TABLE = {
    "core.errors": "RuleError ParameterError ParameterTypeError",
    "core.functions": "Scalar sqrt exp log sin cos tanh abs sign where minimum maximum clip norm dot mean pi",
    "core.rule": "Rule Method Flow method flow",
    "core.values": "per_coordinate schedule",
    "core.problem": "Problem Game",
    "core.trajectory": "Trajectory",
    "catalog.index": "rules",
    "catalog.problems": "quadratic rosenbrock himmelblau double_well least_squares logistic bilinear",
    "catalog.data": "dataset",
    "catalog.schemes": "explicit_euler implicit_euler symplectic_euler leapfrog conformal_leapfrog runge_kutta rk2 heun rk4 rkc "
                       "theta bdf2 splitting baoab euler_maruyama",
    "catalog.scheme_partitioned": "partitioned",
    "catalog.scheme_exponential": "exponential_euler exponential_rk2",
    "catalog.blocks": "delayed lookahead weight_decay averaged alternating accumulated multistep_local",
    "theory.linear": "linearize",
    "theory.stability": "stability",
    "theory.bounded": "bounded",
    "theory.oscillation": "oscillation",
    "theory.monotone": "monotone",
    "theory.region": "Region region",
    "theory.proof": "Proof",
    "theory.interval": "intervals largest",
    "theory.evaluate": "evaluate",
    "theory.solution": "solution late",
    "theory.modified": "ode_limit modified",
    "theory.energy": "lyapunov",
    "theory.order": "order_of",
    "theory.stable_interval": "stability_interval",
    "theory.complex_plane": "stability_region",
    "theory.rates": "rate Rate",
    "theory.moments": "moments Moments",
    "theory.tuning": "optimum Tuning",
    "theory.equivalence": "equivalent Equivalence",
    "theory.response": "response Response",
    "theory.cycles": "fixed_point cycle Orbit",
    "theory.contraction": "contraction",
    "theory.schedules": "decay Decay",
    "theory.delays": "delay_curve",
    "theory.annealed": "annealed Annealed",
    "theory.typical": "typical Typical",
    "theory.chain": "chain Chain",
    "theory.sampled": "sampled Sampled",
    "theory.invariants": "decaying invariants",
    "theory.shadow": "shadow",
    "theory.teaching": "momentum_article",
    "run.curvature": "curvature check_gradient",
    "run.iterate": "iterate",
    "run.sweep": "sweep",
    "run.asynchronous": "asynchronous Asynchronous",
    "run.solve": "solve",
    "run.events": "Event",
    "run.radius": "spectral_radius",
    "run.growth": "measured_radius",
    "plot": "style",
    "plot.paths": "plot_paths",
    "plot.decay": "plot_decay",
    "plot.regions": "plot_region",
    "plot.spectra": "plot_spectrum",
    "plot.phase": "plot_phase",
    "plot.cloud": "plot_cloud",
    "plot.animation": "animate save_animation",
    "conventions": "conventions",
    "describe": "describe",
    "report.compare": "compare",
    "explore.page": "explore",
}
_HOME = {name: module for module, names in _TABLE.items() for name in names.split()}



def __getattr__(name: str) -> Any:
    """Load a public name, or a published rule by its name, on first use and keep it; `__all__` lists them."""
    if name == "__all__":
        return sorted({"__version__", *_HOME, *import_module(f"{__name__}.catalog.index").rules})
    if name.startswith("__"):
        raise AttributeError(name)
    value = _public(name) if name in _HOME else _published(name)
    globals()[name] = value
    return value


def _public(name: str) -> Any:
    module = import_module(f"{__name__}.{_HOME[name]}")
    return getattr(module, name) if hasattr(module, name) else import_module(f"{module.__name__}.{name}")


def _published(name: str) -> Any:
    try:
        return import_module(f"{__name__}.catalog.index").rules[name]
    except KeyError:
        raise AttributeError(f"module 'dynopt' has no attribute {name!r}; dir(dynopt) lists what it has, "
                             "dynopt.rules the published rules") from None


def __dir__() -> list[str]:
    """The public names and the published rules: what completion offers, and nothing of the house behind them."""
    return __getattr__("__all__")


class _Face(ModuleType):
    """Where a module or a room has the name of a public function (describe.py, explore/), the name stays the function's."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
