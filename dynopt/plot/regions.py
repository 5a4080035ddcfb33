"""Exact stability regions in the plane of two parameters, with their boundaries by kind."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm, to_rgb
from matplotlib.ticker import FuncFormatter

from dynopt.core.errors import ParameterError

from .curves import bounding_pieces, coverage, evaluate, extent, pixel_centres, runs, zero_set
from .labels import label_area, label_curve, label_point
from .style import Palette, axes_of, halo, palette, tex

KINDS = {"fold": "fold (+1)", "flip": "flip (\N{MINUS SIGN}1)", "neimark_sacker": "Neimark\N{EN DASH}Sacker", "hopf": "Hopf"}
_DASHES = {"fold": (0, (1.2, 1.0)), "flip": "-", "neimark_sacker": (0, (5, 1.6)), "hopf": (0, (5, 1.6))}
_CURVATURES = ("lam", "nu", "mu", "L")
_SIZE = 360  # pixels a side of the field


def plot_region(region: Any, ax: Axes | None = None, *, x: str | None = None, y: str | None = None,
                at: Mapping[str, float] | None = None, rate: Callable[..., Any] | None = None,
                mark: Sequence[tuple[Any, ...]] = (), outline: Sequence[tuple[Any, ...]] = (),
                labels: bool | Mapping[str, str] = True, outside: str | None = "unstable",
                xlim: tuple[float, float] | None = None, ylim: tuple[float, float] | None = None,
                xlabel: str | None = None, colorbar: bool = True, digits: float | None = None,
                color: str | None = None, label: str | None = None, title: str | None = None) -> dict[str, Any]:
    """Draw a region in the plane of two parameters: its inside, its boundary curves by kind, marked points.

    Parameters: region, what `stability` and its like return; x and y, names (the first two parameters that are not in
    `at`); at, values of the others; xlim and ylim, by default what shows the region whole; rate, contraction factor as a
    function of the same values, coloured as decimal digits per step; digits, where that scale ends, to give several plots
    one scale; mark, items (text, values) or (text, values, marker); outline, further regions (region, text) or (region,
    text, values) as dashed lines inside; labels, False or a text for each kind; outside, the word beyond the boundary;
    color and label, one flat colour and a name instead of the field, to lay several regions over each other.
    Returns a dict of artists: `field`, `boundaries`, `outlines`, `marks`, `colorbar`, `labels`.
    Raises ParameterError for names the region does not have.
    """
    ax, colours = axes_of(ax), palette()
    x, y = _names(region, x, y, at or {})
    inside = _membership(region, x, y, at or {})
    if xlim is None or ylim is None:
        found = extent(inside, (1.25 if x == "beta" else 4.0, 1.25 if y == "beta" else 4.0))
        xlim, ylim = xlim or found[0], ylim or found[1]
    ax.set(xlim=xlim, ylim=ylim)
    if color is None:
        ax.set_facecolor(colours.outside)
    field, top = _field(ax, inside, _on_axes(rate, x, y, at or {}) if rate else None, color, colours, digits)
    drawn: dict[str, Any] = {"field": field, "colorbar": _bar(ax, field, top) if rate and colorbar else None}
    drawn["boundaries"], drawn["labels"] = _boundaries(ax, region, inside, x, y, at or {}, labels, color, label, rate is not None)
    drawn["outlines"] = [line for item in outline for line in _outline(ax, inside, item, x, y, at or {}, colours)]
    drawn["marks"] = [_mark(ax, inside, item, x, y, colours, rate is not None) for item in mark]
    if outside and color is None:
        drawn["labels"].append(label_area(ax, lambda u, v: ~inside(u, v), outside, color=colours.muted, style="italic"))
    ax.set_xlabel(xlabel or f"${tex(x)}$")
    ax.set_ylabel(f"${tex(y)}$", rotation=0, labelpad=8, va="center")
    if title:
        ax.set_title(title)
    return drawn


def _names(region: Any, x: str | None, y: str | None, at: Mapping[str, float]) -> tuple[str, str]:
    """The two axes; every parameter must be an axis or fixed."""
    params = parameters(region)
    free = [name for name in params if name not in at and name not in (x, y)]
    wanted = [x or (free.pop(0) if free else None), y or (free.pop(0) if free else None)]
    if None in wanted or free:
        example = ", ".join(f"'{name}': 1.0" for name in free) or "..."
        raise ParameterError(f"plot_region: the region has parameters {', '.join(params)}; found axes {wanted[0]}, {wanted[1]} "
                             f"and values for {', '.join(at) or 'none'}; expected two axes and a value for each other: "
                             f"x='eta', y='beta', at={{{example}}}")
    return str(wanted[0]), str(wanted[1])


def parameters(region: Any) -> list[str]:
    """The parameters that a region depends on, in the order of its rule's signature, curvatures last."""
    used = {str(symbol) for symbol in region.free_symbols}
    names = [name for name in region.names if name in used] + sorted(used - set(region.names))
    return sorted(names, key=lambda name: name.split("_")[0] in _CURVATURES)


def _membership(region: Any, x: str, y: str, at: Mapping[str, float]) -> Any:
    """A region's `contains` as a function of the two axes; parameters it does not know do not matter to it."""
    known = set(parameters(region))
    def ask(**values: Any) -> Any:
        return region.contains(**{name: value for name, value in values.items() if name in known})
    return _on_axes(ask, x, y, at)


def _on_axes(ask: Callable[..., Any], x: str, y: str, at: Mapping[str, float]) -> Any:
    """A function of named values as a function of the two axes, of their common shape."""
    def answer(u: Any, v: Any) -> np.ndarray:
        u, v = np.asarray(u, float), np.asarray(v, float)
        return np.broadcast_to(ask(**{**at, x: u, y: v}), np.broadcast_shapes(u.shape, v.shape))
    return answer


def _field(ax: Axes, inside: Any, rate: Any, color: str | None, colours: Palette,
           end: float | None) -> tuple[Any, float]:
    """The inside as pixels whose opacity is the share of them that the region covers."""
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    share = coverage(inside, xlim, ylim, _SIZE)
    extent = (*xlim, *ylim)
    if rate is None:
        flat = color or colours.flow
        image = np.dstack([np.broadcast_to(to_rgb(flat), (*share.shape, 3)), (0.16 if color else 0.28) * share])
        return ax.imshow(image, origin="lower", extent=extent, aspect="auto", zorder=0.5, interpolation="nearest"), 0.0
    with np.errstate(all="ignore"):
        rho = rate(pixel_centres(*xlim, _SIZE)[None], pixel_centres(*ylim, _SIZE)[:, None])
        gained = np.nan_to_num(-np.log10(np.clip(np.broadcast_to(rho, share.shape), 1e-16, 1.0)))
    # one deadbeat point would swallow the whole scale, so it ends where all but a hundredth of the region lies
    top = end or (float(np.quantile(gained[share > 0.5], 0.995)) if (share > 0.5).any() else 1.0)
    field = ax.imshow(gained, origin="lower", extent=extent, aspect="auto", zorder=0.5, alpha=share, cmap=colours.ramp,
                      norm=PowerNorm(0.6, 0.0, top or 1.0, clip=True), interpolation="nearest")
    return field, top


def _bar(ax: Axes, field: Any, top: float) -> Any:
    plain = mpl.cm.ScalarMappable(field.norm, field.cmap)  # the field's opacity does not belong on its scale
    bar = ax.figure.colorbar(plain, cax=side(ax))
    bar.set_label("digits per step")
    bar.outline.set_visible(False)
    ticks = [float(f"{top * part:.1g}") for part in (0.0, 0.15, 0.45, 0.9)]
    bar.set_ticks(sorted({tick for tick in ticks if tick <= top}))
    bar.minorticks_off()
    bar.formatter = FuncFormatter(lambda value, _: f"{value:g}")
    bar.update_ticks()
    return bar


def side(ax: Axes) -> Any:
    """A slim pair of axes on the right that keeps the height of `ax` whatever its aspect."""
    return ax.inset_axes((1.025, 0.0, 0.035, 1.0))


def _boundaries(ax: Axes, region: Any, inside: Any, x: str, y: str, at: Mapping[str, float], labels: Any, color: str | None,
                label: str | None, on_map: bool) -> tuple[list[Any], list[Any]]:
    """Each curve where it bounds the region, in the colour and dash of its kind, named once (never on top of a map)."""
    shades = boundary_colours()
    names = {**KINDS, **(labels if isinstance(labels, Mapping) else {})}
    lines: list[Any] = []
    texts: list[Any] = []
    longest: dict[str, Any] = {}
    for boundary in region.boundaries:
        def curve(u: Any, v: Any, boundary: Any = boundary) -> Any:
            return evaluate(boundary.curve, {**at, x: u, y: v})
        for piece in bounding_pieces(curve, inside, *_limits(ax)):
            style: dict[str, Any] = {"color": color or shades[boundary.kind], "ls": "-" if color else _DASHES[boundary.kind]}
            lines.append(ax.plot(*piece.T, lw=1.7, zorder=3, clip_on=False, solid_capstyle="butt", **style)[0])
            if len(piece) > len(longest.get(boundary.kind, ())):
                longest[boundary.kind] = piece
    if not lines:  # a set known by membership alone still has an edge
        lines = [ax.plot(*piece.T, color=color or palette().ink, lw=1.2, zorder=3)[0] for piece in zero_set(inside, *_limits(ax))]
        longest = {"edge": max([line.get_xydata() for line in lines], key=len)} if lines and label else {}
    if label and longest:
        texts.append(label_curve(ax, max(longest.values(), key=len), label, color=color))
    elif labels and not color:
        texts += [label_curve(ax, piece, names[kind], inside=lambda u, v: ~inside(u, v), must=on_map, color=shades[kind])
                  for kind, piece in longest.items() if names[kind]]
    return lines, texts


def _limits(ax: Axes) -> tuple[tuple[float, float], tuple[float, float]]:
    return ax.get_xlim(), ax.get_ylim()


def boundary_colours() -> dict[str, str]:
    """A colour for each kind of boundary in the style in use."""
    colours = palette()
    return {"fold": colours.flow, "flip": colours.iterates, "neimark_sacker": colours.more[0], "hopf": colours.more[0]}


def _outline(ax: Axes, inside: Any, item: tuple[Any, ...], x: str, y: str, at: Mapping[str, float],
             colours: Palette) -> list[Any]:
    """The edge of another region, where it lies inside the first one, as a dashed line."""
    region, text, own = (*item, {})[:3]
    edges = zero_set(_membership(region, x, y, {**at, **own}), *_limits(ax))
    pieces = [piece for edge in edges for piece in runs(edge, inside(*edge.T)) if len(piece) > 1]
    lines = [ax.plot(*piece.T, color=colours.on_map, lw=0.9, ls=(0, (3, 2)), zorder=2.5)[0] for piece in pieces]
    if text and pieces:
        label_curve(ax, max(pieces, key=len), text, color=colours.on_map, path_effects=_shadow())
    return lines


def _shadow() -> list[Any]:
    return halo(1.4, "#10151b", 0.55)


def _mark(ax: Axes, inside: Any, item: tuple[Any, ...], x: str, y: str, colours: Palette, on_map: bool) -> Any:
    text, values, marker = (*item, "o")[:3]
    spot = float(values[x]), float(values[y])
    dark = on_map and bool(inside(*spot))
    style = {"color": colours.on_map, "path_effects": _shadow(), "inside": inside} if dark else {"color": colours.ink}
    label_point(ax, spot, text, **style)
    if marker == "*":
        return ax.plot(*spot, "*", ms=11, color=colours.on_map, mec="#10151b", mew=0.7, zorder=6, clip_on=False)[0]
    return ax.plot(*spot, marker, ms=6, color=colours.iterates, mec=colours.on_map, mew=1.0, zorder=6, clip_on=False)[0]
