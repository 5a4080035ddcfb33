"""Labels that stand beside what they name: every candidate place is measured when the figure is drawn.

A label belongs to a curve, a point or an area. At draw time, when the layout is final, each one tries many places near
its owner, in pixels: it must stay inside the axes and off the other labels, it should cover no curve and stand nearer to
its owner than to anything else. So resizing, another style or another file format moves the labels along.
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib.artist as martist
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform
from scipy.spatial import cKDTree

Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]

BACKGROUND = 2.0  # artists below this zorder (contours, fields, grids) may be written over
_STEP = 3.0  # points between the samples of a curve
_GAPS = (3.0, 6.0, 11.0, 18.0)  # points between a label and its anchor, near ones first
_LEADER = 10.0  # points: from this distance on a point's label gets a thin line to it
_SIDES = np.array([(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)], dtype=float)


@dataclass
class Label:
    """One text and the places it may refer to, in data coordinates."""

    text: Text
    anchors: np.ndarray
    inside: Inside | None = None  # where the text should stand; with `must`, or without anchors (an area), nowhere else
    must: bool = False
    own: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))  # the owner in pixels

    @property
    def rank(self) -> int:
        """Points have the least choice and go first, areas the most."""
        return {0: 2, 1: 0}.get(len(self.anchors), 1)


class DirectLabels(martist.Artist):
    """All direct labels of one axes; they are placed together each time the figure is drawn."""

    def __init__(self, ax: Axes) -> None:
        super().__init__()
        self.home = ax
        self.labels: list[Label] = []
        self.set_zorder(20)
        self.set_in_layout(False)
        ax.add_artist(self)

    def add(self, label: Label) -> Text:
        label.text.set_figure(self.home.figure)
        label.text.set_transform(IdentityTransform())
        self.labels.append(label)
        return label.text

    def draw(self, renderer: Any) -> None:
        place(self.home, self.labels, renderer)
        for label in self.labels:
            if label.text.get_visible():
                label.text.draw(renderer)


def labels_of(ax: Axes) -> DirectLabels:
    """The direct labels of these axes, made at the first call."""
    found = [artist for artist in ax.artists if isinstance(artist, DirectLabels)]
    return found[0] if found else DirectLabels(ax)


def label_curve(ax: Axes, points: Any, text: str, inside: Inside | None = None, must: bool = False,
                **style: Any) -> Text:
    """Write text beside a curve through points (n, 2), in data coordinates, where `inside` holds if it can (or `must`)."""
    return labels_of(ax).add(Label(_text(text, style), np.asarray(points, float), inside=inside, must=must))


def label_point(ax: Axes, point: Any, text: str, inside: Inside | None = None, **style: Any) -> Text:
    """Write text beside a point (2,), where `inside` holds if it can, with a thin line where it must stand further off."""
    return labels_of(ax).add(Label(_text(text, style), np.array([point], dtype=float), inside=inside))


def label_area(ax: Axes, inside: Inside, text: str, **style: Any) -> Text:
    """Write text where `inside(x, y)` holds all around it, as far from every curve as can be."""
    return labels_of(ax).add(Label(_text(text, style), np.empty((0, 2)), inside=inside))


def _text(text: str, style: dict[str, Any]) -> Text:
    return Text(0, 0, text, **{"fontsize": 8.5, "va": "bottom", "ha": "left", **style})


def place(ax: Axes, labels: Sequence[Label], renderer: Any) -> None:
    """Give each label the best free place; the ones with least choice (points) first."""
    scale = renderer.points_to_pixels(1.0)
    for label in labels:
        label.own = _visible(ax, ax.transData.transform(label.anchors), scale)
    obstacles = _obstacles(ax, scale)
    taken = [_box(text.get_window_extent(renderer)) for text in ax.texts if text.get_visible() and text.get_text()]
    for label in sorted(labels, key=lambda item: item.rank):
        others = [other.own for other in labels if other is not label and len(other.own)]
        _place_one(ax, label, obstacles, taken, others, renderer, scale)


def _place_one(ax: Axes, label: Label, obstacles: np.ndarray, taken: list[np.ndarray], others: list[np.ndarray],
               renderer: Any, scale: float) -> None:
    label.text.set(position=(0, 0), visible=True)  # a hidden text would measure zero
    drawn = label.text.get_window_extent(renderer)
    size = np.array([drawn.width, drawn.height])
    area = label.rank == 2
    corners, anchors, cost = _area_candidates(ax, size) if area else _near_candidates(label, size, scale)
    frame = _box(ax.get_window_extent(renderer))
    fits = _fits(corners, size, frame, taken, 2 * scale)
    if label.inside:
        held = _held(ax, label.inside, corners, size)
        fits, cost = (fits & held, cost) if area or label.must else (fits, cost + np.where(held, 0, 50))
    label.text.set_visible(bool(fits.any()))
    if not fits.any():
        return
    corners, anchors, cost = corners[fits], anchors[fits], cost[fits]
    cost = cost + _covered(corners, size, obstacles, 1.5 * scale)
    if area:
        cost = cost + _roominess(corners, size, obstacles, frame, scale)
    else:
        cost = cost + _ambiguity(corners, size, label, others, scale)
    best = int(np.argmin(cost))
    label.text.set_position(corners[best] - (drawn.x0, drawn.y0))
    taken.append(np.r_[corners[best], corners[best] + size])
    if label.rank == 0:
        _draw_leader(label, anchors[best], taken[-1], renderer, scale)


def _near_candidates(label: Label, size: np.ndarray, scale: float) -> tuple[Any, Any, Any]:
    """Lower-left corners around anchors spread over the owner; going further off costs."""
    anchors = label.own[np.unique(np.linspace(0, len(label.own) - 1, 60).astype(int))] if len(label.own) else label.own
    gaps = np.repeat(np.array(_GAPS) * scale, len(_SIDES))
    sides = np.tile(_SIDES, (len(_GAPS), 1))
    reach = np.where(np.abs(sides).sum(1) == 2, 0.7, 1.0)[:, None]  # a diagonal step is as long as a straight one
    offsets = sides * gaps[:, None] * reach + (sides - 1) / 2 * size
    corners = (anchors[:, None] + offsets).reshape(-1, 2)
    cost = np.tile(gaps / scale * 0.3, len(anchors))
    return corners, np.repeat(anchors, len(offsets), axis=0), cost


def _area_candidates(ax: Axes, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower-left corners on a grid over the axes."""
    frame = ax.get_window_extent()
    gx, gy = np.meshgrid(np.linspace(frame.x0, frame.x1, 41), np.linspace(frame.y0, frame.y1, 41))
    corners = np.column_stack([gx.ravel(), gy.ravel()]) - size / 2
    return corners, corners, np.zeros(len(corners))


def _held(ax: Axes, inside: Inside, corners: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether the whole text, and a little air, stands inside an area."""
    probes = np.stack([corners + size * (i, j) for i in (-0.1, 0.5, 1.1) for j in (-0.2, 0.5, 1.2)])
    data = ax.transData.inverted().transform(probes.reshape(-1, 2)).reshape(probes.shape)
    held: np.ndarray = np.broadcast_to(inside(data[..., 0], data[..., 1]), probes.shape[:2])
    return np.logical_and.reduce(held, axis=0)


def _fits(corners: np.ndarray, size: np.ndarray, frame: np.ndarray, taken: Sequence[np.ndarray], pad: float) -> Any:
    low, high = corners - pad, corners + size + pad
    fits = (low >= frame[:2]).all(1) & (high <= frame[2:]).all(1)
    for box in taken:
        fits &= ~((low < box[2:]) & (high > box[:2])).all(1)
    return fits


def _covered(corners: np.ndarray, size: np.ndarray, obstacles: np.ndarray, pad: float) -> np.ndarray:
    """How much of the curves a label would hide: samples inside its box, times ten."""
    if not len(obstacles):
        return np.zeros(len(corners))
    low, high = corners[:, None] - pad, corners[:, None] + size + pad
    return 10.0 * ((obstacles > low) & (obstacles < high)).all(2).sum(1)


def _ambiguity(corners: np.ndarray, size: np.ndarray, label: Label, others: Sequence[np.ndarray], scale: float) -> np.ndarray:
    """The cost of standing nearer to another label's owner than to the own."""
    if not others:
        return np.zeros(len(corners))
    centre = corners + size / 2
    mine = cKDTree(label.own).query(centre)[0]
    theirs = cKDTree(np.concatenate(list(others))).query(centre)[0]
    return np.clip((1.5 * mine - theirs) / scale, 0, None)


def _roominess(corners: np.ndarray, size: np.ndarray, obstacles: np.ndarray, frame: np.ndarray, scale: float) -> np.ndarray:
    """The cost of standing close to curves or to the frame."""
    centre = corners + size / 2
    room = np.minimum(centre - frame[:2], frame[2:] - centre).min(1)
    if len(obstacles):
        room = np.minimum(room, cKDTree(obstacles).query(centre)[0])
    return -room / scale


def _obstacles(ax: Axes, scale: float) -> np.ndarray:
    """Samples, in pixels, of everything in the foreground."""
    found = [np.empty((0, 2))]
    for artist in [*ax.lines, *ax.collections]:
        if artist.get_visible() and artist.get_zorder() >= BACKGROUND:
            found.append(_samples(ax, artist, scale))
    return np.concatenate(found)


def _samples(ax: Axes, artist: Any, scale: float) -> np.ndarray:
    if isinstance(artist, PathCollection):
        return _visible(ax, artist.get_offset_transform().transform(np.asarray(artist.get_offsets())))
    if isinstance(artist, LineCollection):
        return _visible(ax, artist.get_transform().transform(_along(artist.get_segments())))
    if isinstance(artist, Line2D):
        points = artist.get_transform().transform(artist.get_xydata())
        return _visible(ax, points, 0.0 if artist.get_linestyle() == "None" else scale)
    return np.empty((0, 2))


def _along(segments: Sequence[np.ndarray]) -> np.ndarray:
    """Points on short segments by the thousand: each from corner to corner in quarters."""
    starts = np.concatenate([np.empty((0, 2)), *(segment[:-1] for segment in segments)])
    ends = np.concatenate([np.empty((0, 2)), *(segment[1:] for segment in segments)])
    return np.concatenate([starts + part * (ends - starts) for part in (0.0, 0.25, 0.5, 0.75, 1.0)])


def _visible(ax: Axes, points: np.ndarray, scale: float = 0.0) -> np.ndarray:
    """Points in pixels without what lies outside the axes; for scale > 0 a polyline, resampled at an even step."""
    frame = ax.get_window_extent()
    if scale:
        breaks = np.flatnonzero(~np.isfinite(points).all(1))
        pieces = [_even(piece, frame, scale) for piece in np.split(points, breaks)]
        points = np.concatenate(pieces)
    points = points[np.isfinite(points).all(1)]
    return points[((points >= frame.min) & (points <= frame.max)).all(1)]


def _even(points: np.ndarray, frame: Bbox, scale: float) -> np.ndarray:
    points = points[np.isfinite(points).all(1)]
    if len(points) < 2:
        return points
    far = 2 * max(frame.width, frame.height)
    points = np.clip(points, np.subtract(frame.min, far), np.add(frame.max, far))
    length = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    even = np.linspace(0, length[-1], max(2, min(4000, int(length[-1] / (_STEP * scale)))))
    return np.column_stack([np.interp(even, length, points[:, i]) for i in (0, 1)])


def _draw_leader(label: Label, anchor: np.ndarray, box: np.ndarray, renderer: Any, scale: float) -> None:
    near = np.clip(anchor, box[:2], box[2:])
    gap = near - anchor
    distance = float(np.hypot(*gap))
    if distance < _LEADER * scale:
        return
    start = anchor + gap / distance * 4 * scale  # off the marker
    line = Line2D([start[0], near[0]], [start[1], near[1]], lw=0.6, color=label.text.get_color(), transform=IdentityTransform())
    line.set_figure(label.text.figure)
    line.draw(renderer)


def _box(box: Bbox) -> np.ndarray:
    return np.array([box.x0, box.y0, box.x1, box.y1])
