"""Paths in the plane of positions, over the contours of what is minimized."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

from dynopt.core.errors import ParameterError
from dynopt.core.trajectory import Trajectory

from .labels import label_curve, label_point
from .style import axes_of, each, halo, palette, tex

Plane = tuple[np.ndarray, np.ndarray]  # an origin (d,) and two directions (2, d)
_GRID = 220  # nodes a side for contours: smooth at column width, small in an SVG


def plot_paths(trajectories: Any, ax: Axes | None = None, *, problem: Any = None, state: str = "x", plane: Plane | None = None,
               labels: Sequence[str] | None = None, xlim: tuple[float, float] | None = None,
               ylim: tuple[float, float] | None = None, title: str | None = None) -> dict[str, Any]:
    """Draw trajectories in the plane of two coordinates, over the contours of the problem.

    Iterates (`.k`) come as dots on a thin line, flows (`.t`) as a smooth line.

    Parameters: trajectories, one or several, states of shape (..., n, d); problem, for contours and minimizer; plane, an
    origin (d,) and two orthonormal directions (2, d), needed for d > 2 (see `plane_of`); labels, a text for each
    trajectory.
    Returns a dict of artists: `curves`, `contours`, `start`, `minimizer`, `labels`.
    Raises ParameterError for states that are not in a plane.

    >>> from types import SimpleNamespace
    >>> spiral = SimpleNamespace(k=np.arange(5), x=np.random.default_rng(0).normal(size=(5, 2)))
    >>> sorted(plot_paths(spiral))
    ['contours', 'curves', 'labels', 'minimizer', 'start']
    """
    ax = axes_of(ax)
    runs = [smooth(run) for run in each(trajectories)]
    points = [in_plane(getattr(run, state), plane) for run in runs]
    _frame(ax, points, xlim, ylim)
    drawn: dict[str, Any] = {"contours": _contours(ax, problem, plane) if problem is not None else None}
    drawn["curves"] = [_path(ax, run, path, colour) for run, path, colour in zip(runs, points, colours_of(runs), strict=True)]
    drawn["start"] = _start(ax, points, f"${tex(state)}_0$")
    drawn["minimizer"] = _minimizer(ax, problem, plane)
    drawn["labels"] = [label_curve(ax, _flat(path), text, color=curve.get_color(), path_effects=halo())
                       for path, text, curve in zip(points, labels or (), drawn["curves"], strict=False)]
    name = tex(state) if plane is None else "u"
    ax.set_xlabel(f"${name}_1$")
    ax.set_ylabel(f"${name}_2$", rotation=0, labelpad=8, va="center")
    if title:
        ax.set_title(title)
    return drawn


def plane_of(points: Any, origin: Any) -> Plane:
    """The plane through `origin` in which points (n, d) spread most: their first two principal directions."""
    origin = np.asarray(origin, float)
    directions = np.linalg.svd(np.asarray(points, float).reshape(-1, len(origin)) - origin, full_matrices=False)[2][:2]
    signs = np.sign(directions[np.arange(2), np.abs(directions).argmax(1)])
    return origin, directions * signs[:, None]


def in_plane(states: Any, plane: Plane | None) -> np.ndarray:
    """States (..., n, d) as coordinates (..., n, 2) in a plane; with no plane, d must be 2."""
    states = np.asarray(states, float)
    if plane is not None:
        return (states - plane[0]) @ np.asarray(plane[1]).T
    if states.ndim < 2 or states.shape[-1] != 2:
        raise ParameterError(f"plot_paths: the states have shape {states.shape}; expected (..., steps, 2): "
                             "give plane=plane_of(trajectory.x, problem.minimizer)")
    return states


def _frame(ax: Axes, points: list[np.ndarray], xlim: Any, ylim: Any) -> None:
    """Limits around every point, with air; a path that runs away does not push the others into a corner."""
    if not points:
        raise ParameterError("plot_paths: no trajectory was given, expected at least one; write plot_paths(run)")
    cloud = np.concatenate([_flat(path) for path in points])
    cloud = cloud[np.isfinite(cloud).all(1)]
    low, high = np.quantile(cloud, (0.0, 1.0), axis=0)
    pad = 0.12 * np.maximum(high - low, 1e-9 + 1e-9 * np.abs(high))
    ax.set(xlim=xlim or (low[0] - pad[0], high[0] + pad[0]), ylim=ylim or (low[1] - pad[1], high[1] + pad[1]))


def _flat(path: np.ndarray) -> np.ndarray:
    return path.reshape(-1, 2)


def _contours(ax: Axes, problem: Any, plane: Plane | None) -> Any:
    """Filled contours as pixels below, thin lines as vectors above."""
    grid = np.stack(np.meshgrid(np.linspace(*ax.get_xlim(), _GRID), np.linspace(*ax.get_ylim(), _GRID)), axis=-1)
    heights = _values(problem, grid if plane is None else plane[0] + grid @ plane[1])
    levels = contour_levels(heights)
    land = LinearSegmentedColormap.from_list("land", palette().land)
    fill = ax.contourf(grid[..., 0], grid[..., 1], heights, levels=levels, cmap=land, norm=BoundaryNorm(levels, land.N),
                       extend="min", zorder=0.5)
    fill.set_rasterized(True)
    ax.contour(grid[..., 0], grid[..., 1], heights, levels=levels, colors=palette().muted, linewidths=0.35, alpha=0.7, zorder=1)
    return fill


def _values(problem: Any, grid: np.ndarray) -> np.ndarray:
    """f on a grid (n, n, d): a row at once where f takes leading axes (a loss over data needs memory), else point by point."""
    try:
        first = np.asarray(problem.f(grid[0]), float)
        if first.shape == grid[0].shape[:-1] and np.isclose(first[-1], float(problem.f(grid[0, -1])), equal_nan=True):
            return np.array([problem.f(row) for row in grid], dtype=float)
    except (TypeError, ValueError, IndexError):
        pass  # a plain function of one vector: it need not know about leading axes
    return np.array([[float(problem.f(point)) for point in row] for row in grid])


def contour_levels(heights: np.ndarray, count: int = 15) -> np.ndarray:
    """Levels above the lowest value: geometric where the heights span decades, else as a parabola's even rings."""
    finite = heights[np.isfinite(heights)]
    base, top = float(finite.min()), float(finite.max())
    if top <= base:
        return base + np.array([-1.0, 1.0])
    low = float(np.quantile(finite, 0.005)) - base
    if top - base > 300 * low:
        return base + np.geomspace(max(low, 1e-6 * (top - base)), top - base, count)
    return base + (top - base) * (np.arange(1, count + 1) / count) ** 2


def _path(ax: Axes, run: Any, path: np.ndarray, colour: str) -> Any:
    lanes = by_time(path)
    if is_flow(run):
        return ax.plot(lanes[..., 0], lanes[..., 1], color=colour, lw=1.9, zorder=3, solid_capstyle="round")[0]
    ax.plot(lanes[..., 0], lanes[..., 1], color=colour, lw=0.55, alpha=0.7, zorder=4)
    return ax.plot(*_flat(path).T, "o", color=colour, ms=2.6, mew=0, zorder=5)[0]


def by_time(states: np.ndarray) -> np.ndarray:
    """States (..., n, d) of an ensemble as (n, paths, d)."""
    return np.moveaxis(states.reshape(-1, *states.shape[-2:]), 0, 1)


def colours_of(runs: Sequence[Any]) -> list[str]:
    """A colour for each trajectory: flows blue and iterates vermillion where both appear, and different among themselves."""
    colours, flows = palette(), [is_flow(run) for run in runs]
    pools = {True: [colours.flow, colours.iterates, *colours.more], False: [colours.iterates, colours.flow, *colours.more]}
    if len(set(flows)) == 2:  # each keeps its own first colour
        pools = {kind: [pool[0], *colours.more] for kind, pool in pools.items()}
    counts = [sum(flow == kind for flow in flows[:i]) for i, kind in enumerate(flows)]
    return [pools[kind][count % len(pools[kind])] for kind, count in zip(flows, counts, strict=True)]


def smooth(run: Any) -> Any:
    """A flow's trajectory at evenly spaced times from its dense output, for a curve without corners; anything else as it is."""
    if not is_flow(run) or getattr(run, "_dense", None) is None:
        return run
    t = np.linspace(run.t[0], run.t[-1], max(1500, 6 * len(run.t)))
    return Trajectory(run.at(t), t=t, status=run.status, rule=run.rule, problem=run.problem, params=run.params)


def is_flow(run: Any) -> bool:
    """Whether a trajectory is in continuous time."""
    return getattr(run, "t", None) is not None and getattr(run, "k", None) is None


def _start(ax: Axes, points: list[np.ndarray], name: str) -> Any:
    starts = np.concatenate([by_time(path)[0] for path in points])
    common = len(starts) > 0 and np.ptp(starts, axis=0).max() == 0
    if not common:
        return None
    colours = palette()
    label_point(ax, starts[0], name, color=colours.ink, fontsize=10, path_effects=halo())
    return ax.plot(*starts[0], "o", ms=6.5, color=colours.iterates, mec=colours.ground, mew=1.1, zorder=6)[0]


def _minimizer(ax: Axes, problem: Any, plane: Plane | None) -> Any:
    where = getattr(problem, "minimizer", None)
    if where is None:
        return None
    colours = palette()
    spot = in_plane(np.atleast_2d(np.asarray(where, float)), plane)[0]
    label_point(ax, spot, r"$x^\star$", color=colours.ink, fontsize=10, path_effects=halo())
    return ax.plot(*spot, marker="*", ms=10, color=colours.ink, mec=colours.ground, mew=0.7, zorder=6)[0]
