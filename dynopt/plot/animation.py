"""Trajectories that move, written to GIF or WebP by Pillow, and to MP4 where ffmpeg is present."""
from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from dynopt.core.errors import ParameterError

from .paths import by_time, in_plane, is_flow, plot_paths, smooth
from .style import axes_of, each, palette


class Moving(FuncAnimation):
    """An animation that remembers what moves, so that saving redraws nothing else."""

    def __init__(self, figure: Any, show: Any, frames: int, fps: float) -> None:
        self.show, self.frames = show, frames
        super().__init__(figure, show, frames=frames, interval=1000 / fps, blit=True)

    def images(self, dpi: float) -> Iterator[Image.Image]:
        """Every frame: the still picture drawn once, and the moving artists on top of it."""
        figure: Any = self._fig  # type: ignore[attr-defined]
        canvas, before = FigureCanvasAgg(figure), figure.dpi
        figure.set_dpi(dpi)
        canvas.draw()
        still = canvas.copy_from_bbox(figure.bbox)
        for frame in range(self.frames):
            canvas.restore_region(still)
            for artist in self.show(frame):
                artist.axes.draw_artist(artist)
            yield Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB")
        self._draw_was_started = True  # it has been: no warning that nobody looked
        figure.set_dpi(before)


def animate(trajectories: Any, ax: Axes | None = None, *, problem: Any = None, state: str = "x", step: float | None = None,
            frames: int = 120, fps: int = 25, tail: float = 0.15, **options: Any) -> Moving:
    """Let trajectories run over the contours of a problem, all on one clock.

    Parameters: as for `plot_paths`; step, time per iteration, puts iterates on the clock of a flow; frames, how many;
    fps, frames a second; tail, the share of the clock that stays drawn strongly behind each point, in [0, 1].
    Returns the animation; `save_animation` writes it.
    Raises ParameterError for a tail outside [0, 1] or fewer than two frames.
    """
    if not 0 <= tail <= 1 or frames < 2:
        raise ParameterError(f"animate: found tail={tail:g}, frames={frames}; expected tail in [0, 1] and at least two frames: "
                             "animate(trajectory, tail=0.15, frames=120)")
    ax = axes_of(ax)
    runs = [smooth(run) for run in each(trajectories)]
    drawn = plot_paths(runs, ax, problem=problem, state=state, **options)
    for line in ax.lines:
        line.set_alpha(1.0 if line in (drawn["start"], drawn["minimizer"]) else 0.22)
    clocks = [_clock(run, step) for run in runs]
    paths = [by_time(in_plane(getattr(run, state), options.get("plane"))) for run in runs]
    movers = [_mover(ax, run, curve.get_color()) for run, curve in zip(runs, drawn["curves"], strict=True)]
    figure: Any = ax.figure
    end = max(clock[-1] for clock in clocks)

    def show(frame: int) -> list[Any]:
        now = end * frame / (frames - 1)
        for (line, head), clock, path in zip(movers, clocks, paths, strict=True):
            _show(line, head, clock, path, now, tail * end)
        return [artist for pair in movers for artist in pair]

    return Moving(figure, show, frames, fps)


def _clock(run: Any, step: float | None) -> np.ndarray:
    return np.asarray(run.t, float) if is_flow(run) else np.asarray(run.k, float) * (step or 1.0)


def _mover(ax: Axes, run: Any, colour: Any) -> tuple[Any, Any]:
    style = {"lw": 2.0} if is_flow(run) else {"lw": 0.9, "marker": "o", "ms": 3.2, "mew": 0}
    line = ax.plot([], [], color=colour, zorder=7, animated=True, **style)[0]
    head = ax.plot([], [], "o", color=colour, ms=6.5, mec=palette().ground, mew=1.0, zorder=8, animated=True)[0]
    return line, head


def _show(line: Any, head: Any, clock: np.ndarray, path: np.ndarray, now: float, tail: float) -> None:
    """The part of a path between now - tail and now; an ensemble as its lanes, split by gaps."""
    last = int(np.searchsorted(clock, now, side="right")) - 1
    first = int(np.searchsorted(clock, now - tail))
    part = path[first:last + 1]
    lanes = np.concatenate([part, np.full((1, *part.shape[1:]), np.nan)]).transpose(1, 0, 2).reshape(-1, 2)
    line.set_data(*lanes.T)
    head.set_data(*path[max(last, 0)].T)


def save_animation(animation: Moving, path: str | Path, fps: int = 25, dpi: float = 110) -> Path:
    """Write an animation to .gif, .webp or .mp4, by the ending of the path.

    Raises ParameterError for another ending, or for .mp4 where ffmpeg is not installed.
    """
    path = Path(path)
    if path.suffix not in (".gif", ".webp", ".mp4"):
        raise ParameterError(f"animation: cannot write {path.name!r}; expected an ending .gif, .webp or .mp4: "
                             "save_animation(a, 'run.gif')")
    if path.suffix == ".mp4" and not shutil.which("ffmpeg"):
        raise ParameterError(f"animation: {path.name!r} needs ffmpeg, which was not found; "
                             f"write {path.with_suffix('.webp').name!r} instead")
    if path.suffix == ".mp4":
        animation.save(path, writer=FFMpegWriter(fps=fps), dpi=dpi)
        return path
    first, *rest = animation.images(dpi)
    first.save(path, save_all=True, append_images=rest, duration=round(1000 / fps), loop=0)
    return path
