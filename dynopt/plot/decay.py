"""What shrinks along a run, on a logarithmic scale, beside the slope that the theory derives."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

from dynopt.core.errors import ParameterError

from .labels import label_curve
from .paths import colours_of, is_flow, smooth
from .style import axes_of, each, palette


def plot_decay(trajectories: Any, ax: Axes | None = None, *, value: str | Callable[[Any], Any] = "f", floor: float = 0.0,
               step: float | None = None, rho: float | None = None, power: float = 2.0, labels: Sequence[str] | None = None,
               slope: str | None = None, ylabel: str | None = None, title: str | None = None) -> dict[str, Any]:
    r"""Draw how a quantity decays, with the line \propto rho^(power k) that the theory derives.

    The line stands just above the tails of all curves, so that the slopes can be compared.

    Parameters: trajectories, one or several; value, the name of an attribute of shape (..., n) or a function of a
    trajectory; floor, subtracted from it (f*); step, time per iteration, puts a flow on the axis of iterations; rho,
    contraction factor per step; power, 2 for values and energies, 1 for distances; slope, the text on the line.
    Returns a dict of artists: `curves`, `slope`, `labels`. Raises ParameterError where nothing positive is left to draw.
    """
    ax = axes_of(ax)
    runs = [smooth(run) for run in each(trajectories)]
    series = [_series(run, value, floor, step) for run in runs]
    ax.set_yscale("log")
    curves = [_curve(ax, run, x, y, colour) for run, (x, y), colour in zip(runs, series, colours_of(runs), strict=True)]
    texts = [label_curve(ax, np.column_stack([x, y]), text, color=curve.get_color())
             for (x, y), text, curve in zip(series, labels or (), curves, strict=False)]
    line = _slope(ax, series, rho, power, slope) if rho is not None else None
    _finish(ax, series, step is not None or not all(map(is_flow, runs)), ylabel or _name(value, floor))
    if title:
        ax.set_title(title)
    return {"curves": curves, "slope": line, "labels": texts}


def _series(run: Any, value: Any, floor: float, step: float | None) -> tuple[np.ndarray, np.ndarray]:
    y = np.asarray(value(run) if callable(value) else getattr(run, value), float) - floor
    x = np.asarray(run.t, float) / (step or 1.0) if is_flow(run) else np.asarray(run.k, float)
    y = y.reshape(-1, y.shape[-1]).mean(axis=0)  # an ensemble as its mean
    if not (y > 0).any():
        raise ParameterError("plot_decay: no value is positive, so a logarithmic axis shows nothing; found at most "
                             f"{np.nanmax(y):.3g} after subtracting floor={floor:.6g}: give the smallest value as floor=")
    return x, np.where(y > 0, y, np.nan)


def _curve(ax: Axes, run: Any, x: np.ndarray, y: np.ndarray, colour: str) -> Any:
    if is_flow(run):
        return ax.plot(x, y, color=colour, lw=1.7, zorder=3)[0]
    return ax.plot(x, y, "o", color=colour, ms=1.9, mew=0, zorder=4)[0]


def _slope(ax: Axes, series: list[tuple[np.ndarray, np.ndarray]], rho: float, power: float, text: str | None) -> Any:
    """The derived line over the last 45 % of the run, lifted above every curve by a thirtieth of their range."""
    ink, start, end = palette().ink, min(x[0] for x, _ in series), max(x[-1] for x, _ in series)
    x, y = (np.concatenate(parts) for parts in zip(*series, strict=True))
    ends = np.linspace(start + 0.55 * (end - start), end, 50)
    tail = (x >= ends[0]) & np.isfinite(y)
    if rho <= 0 or not tail.any():
        return None
    gradient = power * np.log10(rho)
    lift = np.max(np.log10(y[tail]) - gradient * x[tail]) + np.ptp(np.log10(y[np.isfinite(y)])) / 30
    line = ax.plot(ends, 10 ** (lift + gradient * ends), color=ink, lw=0.9, ls=(0, (4, 2)), zorder=3.5)[0]
    shown = text or rf"$\rho^{{{power:g}k}}$,  $\rho={rho:.4f}$ (derived)"
    label_curve(ax, line.get_xydata(), shown, color=ink)
    return line


def _name(value: Any, floor: float) -> str:
    if callable(value):
        return ""
    return {"f": r"$f(x_k)-f^\star$" if floor else "$f(x_k)$", "energy": "energy $H$"}.get(value, value)


def _finish(ax: Axes, series: list[tuple[np.ndarray, np.ndarray]], steps: bool, ylabel: str) -> None:
    ax.set_xlabel("iteration $k$" if steps else "time $t$")
    ax.set_ylabel(ylabel)
    ax.set_xlim(min(x[0] for x, _ in series), max(x[-1] for x, _ in series))
    low, high = np.log10(ax.get_ylim())
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(numticks=6, subs=(1.0,) if high - low > 2 else (1.0, 2.0, 5.0)))
    if high - low <= 2:
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
