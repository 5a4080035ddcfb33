"""One picture from a function of axes, written to files and forgotten."""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

from . import style


def write_picture(draw: Callable[[Any], Any], *paths: str | Path, size: tuple[float, float] = (5.2, 3.6), name: str = "paper") -> tuple[Path, ...]:
    """Call draw(ax) on fresh axes in a style and write the figure; nothing stays open.

    Parameters: paths, file names whose endings choose the formats; size, inches; name, the style. Returns the paths.
    """
    with style.use(name):
        figure, ax = plt.subplots(figsize=size)
        try:
            draw(ax)
            return style.save(figure, *paths)
        finally:
            plt.close(figure)
