"""What came out of a run."""
from __future__ import annotations

from typing import Any, Callable

import numpy as np

STATUS = ("success", "converged", "diverged", "nonfinite", "max_steps", "step_too_small", "interrupted", "failed")


class Trajectory:
    """States along a run: `.k` (steps) or `.t` (times), each state by its name, `.status`, `.message`.

    States have shape (n, d), or (..., n, d) for an ensemble; `.f` and `.energy` follow from the problem where it has values.
    """

    def __init__(self, states: dict[str, np.ndarray], *, k: np.ndarray | None = None, t: np.ndarray | None = None,
                 status: Any = "success",
                 message: str = "", rule: Any = None, problem: Any = None, params: dict | None = None,
                 dense: Callable | None = None,
                 events: dict | None = None, lengths: Any = None):
        self.states, self.status, self.message = states, status, message
        self.rule, self.problem, self.params = rule, problem, dict(params or {})
        self.events, self._dense, self.lengths = events or {}, dense, lengths
        if k is not None:
            self.k = k
        if t is not None:
            self.t = t

    def __getattr__(self, name: str) -> Any:
        states = self.__dict__.get("states", {})
        if name in states:
            return states[name]
        raise AttributeError(f"trajectory: no {name!r}, expected one of {', '.join(states)}, k or t, f, energy, status, message")

    def __getitem__(self, name: str) -> np.ndarray:
        return self.states[name]

    @property
    def success(self) -> bool:
        """Whether every path ended as asked."""
        return bool(np.all(np.isin(self.status, ("success", "converged"))))

    @property
    def f(self) -> np.ndarray:
        """Values f(x) along the run."""
        return self.problem.f(next(iter(self.states.values())))

    @property
    def energy(self) -> np.ndarray:
        """Mechanical energy |v|^2/2 + f(x) - f(x*) where the state has a velocity `v`, else f(x) - f(x*)."""
        least = self.problem.minimizer
        value = self.f - (self.problem.f(least) if least is not None else 0.0)
        return value + (self.states["v"]**2).sum(-1)/2 if "v" in self.states else value

    def at(self, t: Any) -> dict[str, np.ndarray]:
        """Dense output: the states at times t (for runs of a flow)."""
        if self._dense is None:
            raise AttributeError("trajectory: no dense output was kept; run solve(..., dense=True)")
        return self._dense(np.asarray(t, dtype=float))

    def to_xarray(self) -> Any:
        """The run as an xarray.Dataset."""
        try:
            import xarray
        except ImportError:
            raise ImportError("to_xarray needs xarray, which is not installed; run `pip install dynopt[sweep]`") from None
        clock, values = ("k", self.k) if "k" in self.__dict__ else ("t", self.t)
        lead = next(iter(self.states.values())).ndim - 2
        paths = tuple(f"path_{i}" for i in range(lead))
        data = {n: ((*paths, clock, f"{n}_entry"), v) for n, v in self.states.items()}
        return xarray.Dataset(data, coords={clock: values}, attrs={"rule": getattr(self.rule, "name", ""),
                                                                   "message": self.message})

    def plot(self, ax: Any = None, **options: Any) -> Any:
        from ..plot.paths import plot_paths
        return plot_paths(self, ax, **options)

    def __repr__(self) -> str:
        n = len(self.__dict__.get("k", self.__dict__.get("t", ())))
        ends = ", ".join(np.unique(self.status).tolist())
        return f"Trajectory of {getattr(self.rule, 'name', 'a rule')} ({', '.join(self.states)}): {n} points, {ends}"
