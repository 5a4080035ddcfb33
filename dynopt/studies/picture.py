"""How the pictures of the studies are labelled: names at their curves, in the colour of the curve."""
from __future__ import annotations

from typing import Any

BLUE, VERMILION, GREY, GREEN, PURPLE = "#0072B2", "#D55E00", "0.45", "#00795A", "#8B4789"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, GREY)


def note(ax: Any, x: float, y: float, text: str, colour: str = GREY, *, dx: float = 4, dy: float = 0, **options: Any) -> None:
    """A word beside a point of the picture, moved by (dx, dy) typographic points."""
    ground = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "alpha": .75, "pad": .6}
    options = {"fontsize": 7.5, "va": "center", "color": colour, "annotation_clip": False, "bbox": ground} | options
    ax.annotate(text, (x, y), xytext=(dx, dy), textcoords="offset points", **options)
