"""What the page needs to know of a problem: its printed oracles, a minimizer, the curvatures there, a window and a start."""
from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from ..catalog.problems import double_well, himmelblau, logistic, quadratic, rosenbrock
from ..core.errors import ParameterError
from ..core.expr import Node, walk
from ..core.problem import Game, Problem
from . import games
from .printed import Printed, oracle

# (start, half-width of the window) of problems with a shape of their own
VIEWS = {"quadratic": ([-1.8, 1.05], 2.2), "rosenbrock": ([-1.4, 1.0], 2.0), "himmelblau": ([-.4, -.8], 5.2), "double_well": ([.15, 1.1], 1.9)}


def standard() -> list[Problem]:
    """The problems of the chooser: a long valley, a banana, four minima, two wells, and data."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 2)) @ np.array([[2.4, .6], [0., .8]])
    y = np.where(X @ np.array([1., -1.]) + rng.normal(size=40) > 0, 1., -1.)
    return [quadratic([1, 10]), rosenbrock(1, 5), himmelblau(), double_well(), logistic(X, y, l2=.05)]


def minimum(problem: Problem, start: np.ndarray) -> np.ndarray:
    """A minimizer: the given one, or what BFGS finds from the start."""
    if problem.minimizer is not None:
        return problem.minimizer
    found = minimize(lambda x: float(problem.f(x)), start, jac=problem.grad, method="BFGS", options={"gtol": 1e-10})
    return found.x


def hessian(problem: Problem, x: np.ndarray) -> np.ndarray:
    """The dense Hessian at a point, from Hessian-vector products (or central differences of the gradient)."""
    eye = np.eye(x.size)
    try:
        columns = [problem.hess(x, e) for e in eye]
    except (ParameterError, KeyError, AttributeError):
        step = 6e-6*max(1.0, np.abs(x).max())
        columns = [(problem.grad(x + step*e) - problem.grad(x - step*e))/(2*step) for e in eye]
    H = np.array(columns, dtype=float)
    return (H + H.T)/2


def _entries_named(f: Node) -> int:
    """The dimension of a loss that takes x entry by entry, as in x[0]**2 + x[1]**4; 0 where whole vectors are used."""
    uses = [n for n in walk([f]) if any(a.op == "state" for a in n.args)]
    return max((n.data + 1 for n in uses), default=0) if all(n.op == "item" and n.data >= 0 for n in uses) else 0


def describe(problem: Problem, printed: Printed, x0: Any = None) -> dict[str, Any]:
    """The problem as data of the page; its oracles go to `printed`."""
    if isinstance(problem, Game):
        return games.describe(problem, printed, x0)
    if not isinstance(problem, Problem):
        raise ParameterError(f"explore: found {type(problem).__name__}, expected a Problem or a Game; write explore(rule, quadratic([1, 10]))")
    fields = problem.fields
    if fields["grad"].node is None or fields.get("f") is None or fields["f"].node is None:
        reason = next((f.reason for f in (fields["grad"], fields.get("f")) if f is not None and f.reason), "no f was given")
        raise ParameterError(f"explore: {problem.name} cannot be traced ({reason}), so the page cannot run it; write f with arithmetic "
                             "and the functions of dynopt, as in Problem(lambda x: dot(x, x))")
    d = problem.dim or (np.size(x0) if x0 is not None else _entries_named(fields["f"].node) or 2)
    if x0 is not None and np.size(x0) not in (1, d):
        raise ParameterError(f"explore: x0 has {np.size(x0)} coordinates, and {problem.name} has {d}, expected as many; "
                             f"write x0={[1.0]*min(d, 3)}")
    view = VIEWS.get(problem.name, ([-1.5, 1.0], 2.0))
    start = np.resize(np.asarray(view[0] if x0 is None else x0, dtype=float), d)
    least = np.asarray(minimum(problem, start), dtype=float)
    if x0 is None and problem.name not in VIEWS:
        start = start + least
    H = hessian(problem, least)
    curvatures, axes = np.linalg.eigh(H)
    window = _window(least, start, view[1]) if d > 1 else _line(problem, least, start, view[1])
    return {"name": problem.name, "dim": d, "start": start.tolist(), "minimizer": least.tolist(), "floor": float(problem.f(least)),
            "curvatures": curvatures.tolist(), "axes": axes.T.ravel().tolist(), "window": window,
            "quadratic": bool(np.allclose(H, hessian(problem, start + .37))),
            "oracles": {n: oracle(f, printed) for n, f in fields.items() if f is not None and f.node is not None}}


def _window(least: np.ndarray, start: np.ndarray, half: float) -> list[float]:
    """(left, right, bottom, top) around minimizer and start, of the shape 4 : 3."""
    if np.abs(least[:2]).max() < half and np.abs(start[:2]).max() < half:
        middle = np.array([0.0, (least[1] + start[1])/2 if abs(least[1]) > 1e-9 else 0.0])
    else:
        middle = (least[:2] + start[:2])/2
        half = max(half, 1.25*float(np.abs(start[:2] - least[:2]).max()))
    x, y = map(float, middle)
    return [x - half, x + half, y - .75*half, y + .75*half]


def _line(problem: Problem, least: np.ndarray, start: np.ndarray, half: float) -> list[float]:
    """(left, right, bottom, top) of the graph of a loss of one coordinate."""
    half = max(half, 1.3*float(abs(start[0] - least[0])))
    x = least[0] + half*np.linspace(-1, 1, 81)
    with np.errstate(all="ignore"):
        f = np.array([float(problem.f(np.array([v]))) for v in x])
    f = f[np.isfinite(f)]
    low, far = float(f.min()), float(problem.f(start))
    high = min(float(f.max()), low + 2.5*(far - low)) if far > low else float(f.max())      # walls hide what happens on the ground
    high = max(high, low + 1e-9)
    return [float(x[0]), float(x[-1]), low - .08*(high - low), high]
