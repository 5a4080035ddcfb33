"""The four-panel figure: iterates over their flow, the exact region, energy with the derived slope, root locus."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .decay import plot_decay
from .paths import plot_paths
from .regions import plot_region
from .spectra import plot_spectrum
from .style import WIDTH, palette

_TITLES = ("Iterates shadow their flow", "The exact stability region",
           "Energy falls at the derived rate", "Where the roots leave")


def four_panels(*, iterates: Any, flow: Any, problem: Any, step: float, region: Any, region_options: Mapping[str, Any],
                roots: Any, parameter: Any, spectrum_options: Mapping[str, Any] | None = None,
                decay_options: Mapping[str, Any] | None = None, path_options: Mapping[str, Any] | None = None,
                labels: tuple[str, str] = ("iterates", "flow"), titles: Sequence[str] = _TITLES) -> Figure:
    """Compose the figure that shows one method whole, from data computed elsewhere.

    Parameters: iterates and flow, two trajectories from one start; problem, with f and minimizer; step, time per
    iteration; region with `region_options` for `plot_region` (at, rate, mark, outline, limits); roots (n, m) along
    parameter (n,); further options for the other panels; titles, four sentences that say what each panel shows.
    Returns the figure, 7.1 by 5.2 inches.
    """
    figure = plt.figure(figsize=(WIDTH, 0.73 * WIDTH), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=[1.2, 1], height_ratios=[1.15, 1])
    a, b, c, d = (figure.add_subplot(grid[i, j]) for i in (0, 1) for j in (0, 1))
    plot_paths([iterates, flow], a, problem=problem, labels=labels, **(path_options or {}))
    plot_region(region, b, **region_options)
    plot_decay([iterates, flow], c, step=step, labels=labels, **{"value": "energy", **(decay_options or {})})
    plot_spectrum(roots, d, parameter=parameter, **(spectrum_options or {}))
    for letter, ax, title in zip("abcd", (a, b, c, d), titles, strict=True):
        head(ax, letter, title)
    return figure


def head(ax: Axes, letter: str, title: str) -> None:
    """A panel's letter in bold, and its title as a sentence after it."""
    ax.set_title(rf"$\mathbf{{{letter}}}$   {title}", fontweight="normal", color=palette().ink)
