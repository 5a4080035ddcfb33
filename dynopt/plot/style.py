"""How pictures look: `style.use("paper")` or `style.use("dark")` from here on, `with style.use("dark"):` for a while.

Two palettes (blue and vermilion, told apart by every eye and in grey), one font, and `style.save(figure, "picture.svg")`, which
writes files that come out the same to the byte.

>>> from dynopt import style
>>> with style.use("dark"):
...     style.palette().name
'dark'
"""
from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.patheffects as patheffects
import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from dynopt.core.errors import ParameterError

# cividis without its darkest fifth, which a dark page swallows: a root locus would begin unseen
NIGHT = "cividis_night"
if NIGHT not in mpl.colormaps:
    mpl.colormaps.register(ListedColormap(mpl.colormaps["cividis"](np.linspace(0.2, 1.0, 256)), name=NIGHT))

WIDTH = 7.1  # inches: the text width of a two-column journal page


@dataclass(frozen=True)
class Palette:
    """The colours of one style, by what they mean.

    Blue against vermillion stay apart for every kind of colour vision; `more` is for further methods and relies on
    direct labels and dashes, because no set of five colours stays apart for everyone.
    """

    name: str
    ground: str  # the page
    ink: str  # text, reference lines
    muted: str  # axes, contours
    outside: str  # where a region does not hold
    flow: str
    iterates: str
    more: tuple[str, ...]
    land: tuple[str, ...]  # contour fill, low to high
    on_map: str = "#ffffff"  # marks and text on the dark half of `ramp`
    ramp: str = "cividis"

    def series(self, index: int) -> str:
        """The colour of the index-th method of several."""
        colours = (self.iterates, self.flow, *self.more)
        return colours[index % len(colours)]


PALETTES = {
    "paper": Palette("paper", "#ffffff", "#1c2733", "#5d6b7a", "#eceff3", "#0072B2", "#D55E00",
                     ("#8B4789", "#00795A", "#8A6D00"), ("#c9d6e2", "#e3eaf1", "#fafbfc")),
    "dark": Palette("dark", "#10151b", "#e8edf2", "#9aa7b4", "#1d242c", "#6cc0ff", "#ff9a4d",
                    ("#f08bc3", "#4cd3a5", "#e6cf5c"), ("#18202a", "#243140", "#34475a"), ramp=NIGHT),
}

_current = PALETTES["paper"]

# STIX is the one text face that matplotlib ships together with its mathematics, so words and formulas match.
_BASE = {
    "font.family": ["STIXGeneral"], "mathtext.fontset": "stix", "axes.unicode_minus": True, "font.size": 9.5,
    "axes.titlesize": 10.5, "axes.titlelocation": "left", "axes.titlepad": 6.0,
    "axes.labelsize": 9.5, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5, "legend.fontsize": 8.5, "legend.frameon": False,
    "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.6, "lines.linewidth": 1.4,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4, "ytick.minor.width": 0.4, "xtick.minor.size": 1.5, "ytick.minor.size": 1.5,
    "figure.figsize": (0.62 * WIDTH, 0.46 * WIDTH), "figure.dpi": 120, "savefig.dpi": 200, "image.cmap": "cividis",
    "figure.constrained_layout.use": True, "figure.constrained_layout.w_pad": 0.05, "figure.constrained_layout.h_pad": 0.05,
}

# What makes a file a function of the picture alone: no clock, no random identifiers, real glyphs in the PDF, and
# outlines in the SVG (a reader's machine rarely has STIX).
_FILES: Any = {"svg.hashsalt": "dynopt", "svg.fonttype": "path", "pdf.fonttype": 42, "path.simplify_threshold": 0.2}
_METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": "dynopt"}, ".pdf": {"CreationDate": None, "Creator": "dynopt", "Producer": None},
    ".png": {"Software": None},
}


def palette() -> Palette:
    """The palette of the style in use."""
    return _current


class use:
    """Draw everything from here on in a style; as a context manager, only what stands inside.

    Parameters: name, `"paper"` or `"dark"`. Raises ParameterError for another name.

    >>> with use("dark"):
    ...     palette().name
    'dark'
    """

    def __init__(self, name: str = "paper") -> None:
        global _current
        if name not in PALETTES:
            raise ParameterError(f"style: found {name!r}; expected one of {', '.join(PALETTES)}: style.use('paper')")
        settings = _rc(PALETTES[name])
        self._before: tuple[Palette, Any] = (_current, {key: mpl.rcParams[key] for key in settings})
        _current = PALETTES[name]
        mpl.rcParams.update(settings)

    def __enter__(self) -> Palette:
        return _current

    def __exit__(self, *_: object) -> None:
        global _current
        _current, settings = self._before
        mpl.rcParams.update(settings)


def _rc(colours: Palette) -> Any:
    ink, ground, muted = colours.ink, colours.ground, colours.muted
    own = dict.fromkeys(("text.color", "axes.labelcolor", "axes.titlecolor", "xtick.labelcolor", "ytick.labelcolor"), ink)
    own |= dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), ground)
    own |= dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), muted)
    cycle = cycler(color=[colours.series(i) for i in range(2 + len(colours.more))])
    return {**_BASE, **_FILES, **own, "axes.prop_cycle": cycle}


def axes_of(ax: Axes | None) -> Axes:
    """The axes given, or those of a new figure in the style in use.

    Only the settings of the style are put back, not all of them: the first figure of a notebook switches the interactive mode on,
    and a notebook shows no further figure where that is undone.
    """
    if ax is not None:
        return ax
    with use(_current.name):
        return plt.subplots()[1]


def halo(width: float = 2.5, colour: str | None = None, alpha: float = 0.85) -> list[Any]:
    """A soft edge in the colour of the page that keeps text readable on top of contours and fields."""
    return [patheffects.Stroke(linewidth=width, foreground=colour or _current.ground, alpha=alpha), patheffects.Normal()]


def save(figure: Figure, *paths: str | Path, dpi: float = 160) -> tuple[Path, ...]:
    """Write a figure so that the same picture gives the same bytes, in any of SVG, PDF and PNG.

    Parameters: paths, file names whose endings choose the formats; dpi, resolution of PNG and of rasterised fields.
    Returns the paths written. Raises ParameterError for another ending.
    """
    written = tuple(Path(path) for path in paths)
    for path in written:
        if path.suffix not in _METADATA:
            expected = ", ".join(_METADATA)
            raise ParameterError(f"figure: cannot write {path.name!r}; expected one of {expected}: save(figure, 'hero.svg')")
        extra: dict[str, Any] = {"pil_kwargs": {"optimize": True}} if path.suffix == ".png" else {}
        with mpl.rc_context(_FILES):
            figure.savefig(path, dpi=dpi, metadata=_METADATA[path.suffix], **extra)
        if path.suffix == ".svg":
            path.write_text(_shorter(path.read_text(encoding="utf-8")), encoding="utf-8")
    return written


def _shorter(svg: str) -> str:
    """Coordinates to a hundredth of a point: half the size, and nothing that can be seen."""
    def cut(match: re.Match[str]) -> str:
        return re.sub(r"(\.\d\d)\d+", r"\1", match[0])
    return re.sub(r' (?:d|x|y)="[^"]*"', cut, svg)


_GREEK = set("alpha beta gamma delta epsilon eta theta kappa lambda mu nu xi rho sigma tau phi omega zeta".split())


def tex(name: str) -> str:
    r"""A parameter's or state's name as LaTeX, without the dollars.

    >>> tex("lam_max"), tex("eta"), tex("x1")
    ('\\lambda_{\\mathrm{max}}', '\\eta', 'x_{1}')
    """
    head, _, tail = name.partition("_")
    if not tail and head[:1].isalpha() and head[1:].isdigit():
        head, tail = head[0], head[1:]
    head = "lambda" if head == "lam" else head
    symbol = "\\" + head if head in _GREEK else head if len(head) == 1 else rf"\mathrm{{{_plain(head)}}}"
    if not tail:
        return symbol
    inner = tail if len(tail) == 1 or tail.isdigit() else rf"\mathrm{{{_plain(tail)}}}"
    return f"{symbol}_{{{inner}}}"


def _plain(word: str) -> str:
    return word.replace("_", r"\_")


def each(value: Any) -> Iterator[Any]:
    """The items of a list or tuple; anything else alone."""
    yield from value if isinstance(value, list | tuple) else (value,)
