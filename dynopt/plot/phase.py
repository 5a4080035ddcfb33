"""Trajectories in the plane of two states, over the direction field that drives them."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dynopt.core.errors import ParameterError

from .labels import label_curve
from .paths import by_time, colours_of, is_flow, smooth
from .style import axes_of, each, halo, palette, tex

Field = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
_ARROWS = 22  # along the longer side


def plot_phase(trajectories: Any, ax: Axes | None = None, *, x: str = "x", y: str = "v", entry: int | tuple[int, int] = 0,
               field: Field | None = None, labels: Sequence[str] | None = None, xlim: tuple[float, float] | None = None,
               ylim: tuple[float, float] | None = None, title: str | None = None) -> dict[str, Any]:
    """Draw trajectories in the plane of two states, over a field of arrows.

    Parameters: trajectories, one or several; x and y, names of two states; entry, which entry of the vectors (one number,
    or one for each axis); field, function of two arrays that returns the two rates, such as `lambda x, v: (v, -x)`;
    labels, a text for each trajectory. Returns a dict of artists: `curves`, `field`, `labels`.
    Raises ParameterError for a state that a trajectory does not have.
    """
    ax = axes_of(ax)
    runs = [smooth(run) for run in each(trajectories)]
    entries = entry if isinstance(entry, tuple) else (entry, entry)
    series = [(_lanes(run, x, entries[0]), _lanes(run, y, entries[1])) for run in runs]
    curves = [_curve(ax, run, *xy, colour) for run, xy, colour in zip(runs, series, colours_of(runs), strict=True)]
    ax.margins(0.08)
    ax.autoscale_view()
    ax.set(xlim=xlim or ax.get_xlim(), ylim=ylim or ax.get_ylim())
    drawn = {"curves": curves, "field": _arrows(ax, field) if field else None}
    drawn["labels"] = [label_curve(ax, np.column_stack([u[:, 0], v[:, 0]]), text, color=curve.get_color(), path_effects=halo())
                       for (u, v), text, curve in zip(series, labels or (), curves, strict=False)]
    ax.set_xlabel(f"${tex(x)}$")
    ax.set_ylabel(f"${tex(y)}$", rotation=0, labelpad=8, va="center")
    if title:
        ax.set_title(title)
    return drawn


def _lanes(run: Any, name: str, entry: int) -> np.ndarray:
    """One entry of a state over time, (n, paths); a Scalar state has the one entry 0."""
    states = getattr(run, name, None)
    if states is None:
        raise ParameterError(f"plot_phase: the trajectory of {getattr(run, 'rule', 'this rule')} has no state {name!r}; "
                             "expected two of its states: plot_phase(trajectory, x='x', y='v')")
    lanes = by_time(np.atleast_2d(np.asarray(states, float)))
    return lanes[..., min(entry, lanes.shape[-1] - 1)]


def _curve(ax: Axes, run: Any, u: np.ndarray, v: np.ndarray, colour: str) -> Any:
    if is_flow(run):
        return ax.plot(u, v, color=colour, lw=1.7, zorder=3)[0]
    ax.plot(u, v, color=colour, lw=0.5, alpha=0.7, zorder=4)
    return ax.plot(u.ravel(), v.ravel(), "o", color=colour, ms=2.4, mew=0, zorder=5)[0]


def _arrows(ax: Axes, field: Field) -> Any:
    """Arrows of equal length on screen, darker where the field is stronger."""
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    u, v = np.meshgrid(*(low + (high - low) * (np.arange(_ARROWS) + 0.5) / _ARROWS for low, high in ((x0, x1), (y0, y1))))
    du, dv = (np.broadcast_to(part, u.shape) for part in field(u, v))
    across, up = du / (x1 - x0), dv / (y1 - y0)
    length = np.hypot(across, up)
    safe = np.where(length > 0, length, 1.0)
    strength = 0.25 + 0.55 * np.sqrt(length / max(float(length.max()), 1e-300))
    return ax.quiver(u, v, across / safe, up / safe, color=palette().muted, alpha=strength, angles="uv", pivot="mid", scale=30,
                     width=0.0022, headwidth=4, headlength=4.5, headaxislength=4, zorder=1)
