"""Eigenvalues in the complex plane as a parameter moves, with the circle or the axis that decides stability."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from scipy.optimize import linear_sum_assignment

from dynopt.core.errors import ParameterError

from .curves import evaluate
from .labels import label_point
from .regions import side
from .style import axes_of, palette


def plot_spectrum(roots: Any, ax: Axes | None = None, *, parameter: Any = None, name: str = r"\eta\lambda", flow: bool = False,
                  mark: Sequence[tuple[str, Any]] = (), exits: str | None = None, colorbar: bool = True,
                  title: str | None = None) -> dict[str, Any]:
    """Draw a root locus: eigenvalues in the complex plane, coloured by the parameter that moves them.

    Parameters: roots, complex array (n, m), a row for each value of the parameter, in any order within a row, or (m,) for
    one; parameter, array (n,), with its LaTeX `name`; flow, the stable half plane instead of the unit disk; mark, items
    (text, roots) to single out; exits, the text where the first root leaves ("" for its value alone).
    Returns a dict of artists: `locus`, `marks`, `exit`, `colorbar`. Raises ParameterError where lengths do not fit.
    """
    ax, roots = axes_of(ax), np.atleast_2d(np.asarray(roots, complex))
    values = np.arange(len(roots)) if parameter is None else np.asarray(parameter, float)
    if len(values) != len(roots):
        raise ParameterError(f"plot_spectrum: the parameter has {len(values)} values and roots has shape {roots.shape}; "
                             f"expected one row of roots for each value: roots of shape ({len(values)}, m)")
    _stable_set(ax, roots, flow)
    drawn: dict[str, Any] = {"locus": _locus(ax, follow(roots), values)}
    drawn["marks"] = [_mark(ax, text, spots, index) for index, (text, spots) in enumerate(mark)]
    drawn["exit"] = _exit(ax, roots, values, flow, exits, name) if exits is not None else None
    drawn["colorbar"] = _bar(ax, drawn["locus"], name) if colorbar and parameter is not None else None
    ax.set_xlabel(r"$\mathrm{Re}\,s$" if flow else r"$\mathrm{Re}\,z$")
    ax.set_ylabel(r"$\mathrm{Im}\,s$" if flow else r"$\mathrm{Im}\,z$")
    if title:
        ax.set_title(title)
    return drawn


def sample_roots(polynomial: Any, **values: Any) -> np.ndarray:
    """The roots (n, m) of a characteristic polynomial at numbers or arrays (n,) by name.

    Parameters: polynomial, a sympy Poly in one unknown, such as `linearize(rule).charpoly`; values, its parameters.
    """
    arrays = {name: np.atleast_1d(np.asarray(value, float)) for name, value in values.items()}
    coefficients = [np.asarray(evaluate(c, arrays), float) for c in polynomial.all_coeffs()]
    return np.array([np.roots(row) for row in np.column_stack(np.broadcast_arrays(*map(np.atleast_1d, coefficients)))])


def follow(roots: np.ndarray) -> np.ndarray:
    """The same roots with each column one continuous branch: every row is matched to the one before by least distance."""
    branches = roots.copy()
    for i in range(1, len(roots)):
        distance = np.abs(branches[i - 1][:, None] - roots[i][None])
        branches[i] = roots[i][linear_sum_assignment(distance)[1]]
    return branches


def _stable_set(ax: Axes, roots: np.ndarray, flow: bool) -> None:
    colours = palette()
    ax.axhline(0, color=colours.muted, lw=0.3, zorder=0.8)
    ax.axvline(0, color=colours.muted, lw=0.9 if flow else 0.3, zorder=0.8)
    finite = roots[np.isfinite(roots)]
    if flow:
        reach = 1.1 * max(1e-12, float(np.abs(finite).max()))
        ax.axvspan(-2 * reach, 0, color=colours.outside, zorder=0.5, lw=0)
        tall = max(0.3 * reach, 1.25 * float(np.abs(finite.imag).max()))
        ax.set(xlim=(-reach, max(0.25 * reach, 1.2 * float(finite.real.max()))), ylim=(-tall, tall))
        return
    circle = np.exp(2j * np.pi * np.linspace(0, 1, 361))
    ax.fill(circle.real, circle.imag, color=colours.outside, zorder=0.5, lw=0)
    ax.plot(circle.real, circle.imag, color=colours.muted, lw=0.9, zorder=2)
    low, high = min(-1.15, float(finite.real.min()) - 0.1), max(1.15, float(finite.real.max()) + 0.1)
    tall = max(1.15, float(np.abs(finite.imag).max()) + 0.1)
    ax.set(xlim=(max(low, -1.6), min(high, 1.6)), ylim=(-min(tall, 1.6), min(tall, 1.6)))
    ax.set_aspect("equal", "box")


def _locus(ax: Axes, branches: np.ndarray, values: np.ndarray) -> Any:
    """Short segments, each in the colour of its parameter; pixels, since there are thousands."""
    points = np.stack([branches.real, branches.imag], axis=-1).transpose(1, 0, 2)
    segments: Any = np.stack([points[:, :-1], points[:, 1:]], axis=2).reshape(-1, 2, 2)
    shades = np.tile((values[:-1] + values[1:]) / 2, len(points))
    lines = LineCollection(segments, array=shades, cmap=palette().ramp, linewidths=2.4, zorder=3, capstyle="round")
    lines.set_rasterized(True)
    ax.add_collection(lines, autolim=False)
    return lines


def _mark(ax: Axes, text: str, spots: Any, index: int) -> Any:
    """A set of roots as dots, named at its uppermost."""
    colours = palette()
    spots = np.atleast_1d(np.asarray(spots, complex))
    shade = (colours.flow, colours.more[0], *colours.more[1:])[index % 4]
    top = spots[np.lexsort((spots.real, spots.imag.round(9)))[-1]]
    label_point(ax, (top.real, top.imag), text, color=shade, fontsize=9.5)
    return ax.plot(spots.real, spots.imag, "o", ms=5.5, color=shade, mec=colours.ground, mew=1.0, zorder=5)[0]


def _exit(ax: Axes, roots: np.ndarray, values: np.ndarray, flow: bool, text: str | None, name: str) -> Any:
    """Where the first root crosses the border, found between two rows of the data."""
    size = (roots.real if flow else np.abs(roots) - 1).max(axis=1)
    crossing = np.flatnonzero((size[:-1] < 0) & (size[1:] >= 0))
    if not len(crossing):
        return None
    i = int(crossing[0])
    part = -size[i] / (size[i + 1] - size[i])
    where = roots[i + 1][np.argmax(roots[i + 1].real if flow else np.abs(roots[i + 1]))]
    shown = text or f"leaves at ${name}={values[i] + part * (values[i + 1] - values[i]):.4g}$"
    spot = 1j * where.imag if flow else where / abs(where)
    colours = palette()
    label_point(ax, (spot.real, spot.imag), shown, color=colours.ink)
    return ax.plot(spot.real, spot.imag, "D", ms=5, color=colours.iterates, mec=colours.ground, mew=0.9, zorder=6)[0]


def _bar(ax: Axes, locus: Any, name: str) -> Any:
    bar = ax.figure.colorbar(locus, cax=side(ax))
    bar.set_label(f"${name}$")
    bar.outline.set_visible(False)
    return bar
