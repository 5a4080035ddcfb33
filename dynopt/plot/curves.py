"""The drawn form of an exact region: how much of each pixel it covers, and the parts of its curves that bound it."""
from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from contourpy import contour_generator

from dynopt.core.errors import ParameterError

Inside = Callable[[np.ndarray, np.ndarray], np.ndarray]
Limits = tuple[float, float]

_GRID = 420  # nodes a side on which a curve is traced
_MARGIN = 0.02  # of the axes: curves that run along an edge are traced from just outside it
_PROBE = 2e-3  # of the axes: how far to either side of a curve membership is asked

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Abs": np.abs, "exp": np.exp, "log": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "sinh": np.sinh,
    "cosh": np.cosh, "sign": np.sign, "acos": np.arccos, "asin": np.arcsin, "atan": np.arctan, "Pow": np.power,
    "Max": lambda *args: np.maximum.reduce(np.broadcast_arrays(*args)),
    "Min": lambda *args: np.minimum.reduce(np.broadcast_arrays(*args)),
}


def evaluate(expr: Any, values: Mapping[str, Any]) -> Any:
    """The value of a sympy expression on arrays, by walking it: names stay data and never become code."""
    if expr.is_Symbol:
        if expr.name not in values:
            raise ParameterError(f"the boundary curve needs a value for {expr.name!r}; found {', '.join(values)}: "
                                 f"at={{'{expr.name}': 1.0}}")
        return values[expr.name]
    if expr.is_number:
        return float(expr)
    args = [evaluate(arg, values) for arg in expr.args]
    if expr.is_Add:
        return sum(args[1:], args[0])
    if expr.is_Mul:
        return math.prod(args)
    kind = type(expr).__name__
    if kind not in _FUNCTIONS:
        raise ParameterError(f"the boundary curve {expr} holds {kind}, which cannot be evaluated; expected only "
                             f"{', '.join(sorted(_FUNCTIONS))}: draw it by membership, outline=[(region, '')]")
    return _FUNCTIONS[kind](*(np.asarray(arg, float) for arg in args))


def coverage(inside: Inside, xlim: Limits, ylim: Limits, size: int, fine: int = 3) -> np.ndarray:
    """The share (size, size) of each pixel that lies inside, from fine x fine samples, so that edges come out smooth."""
    x, y = (pixel_centres(*limits, size * fine) for limits in (xlim, ylim))
    held = np.broadcast_to(inside(x[None], y[:, None]), (size * fine, size * fine))
    return held.reshape(size, fine, size, fine).mean(axis=(1, 3))


def extent(inside: Inside, endless: tuple[float, float]) -> tuple[Limits, Limits]:
    """Limits that show a set whole, with air; an axis along which it does not end is shown up to +-`endless`."""
    scale = np.geomspace(1e-4, 1e3, 106)
    coarse = np.r_[-scale[::-1], 0.0, scale]
    rough = [_span(coarse, hit, end) for hit, end in zip(_hits(inside, coarse, coarse), endless, strict=True)]
    fine = [np.linspace(low - 0.1 * (high - low), high + 0.1 * (high - low), 301) for low, high in rough]
    sharp = [_span(grid, hit, np.inf) for grid, hit in zip(fine, _hits(inside, *fine), strict=True)]
    (x0, x1), (y0, y1) = ((low - 0.08 * (high - low), high + 0.08 * (high - low)) for low, high in sharp)
    return (x0, x1), (y0, y1)


def _hits(inside: Inside, x: np.ndarray, y: np.ndarray) -> tuple[Any, Any]:
    """The columns and the rows of a grid that meet the set."""
    held = np.broadcast_to(inside(x[None], y[:, None]), (len(y), len(x)))
    return held.any(axis=0), held.any(axis=1)


def _span(values: np.ndarray, hit: np.ndarray, endless: float) -> Limits:
    """From one value beside the first hit to one beside the last; +-endless where the hits reach the end or there are none."""
    found = np.flatnonzero(hit)
    if not len(found):
        return -min(endless, 1.0), min(endless, 1.0)
    low = values[found[0] - 1] if found[0] > 0 else max(values[0], -endless)
    high = values[found[-1] + 1] if found[-1] < len(values) - 1 else min(values[-1], endless)
    return float(low), float(high)


def pixel_centres(low: float, high: float, size: int) -> np.ndarray:
    """The centres of `size` equal pixels between low and high."""
    return low + (high - low) * (np.arange(size) + 0.5) / size


def bounding_pieces(curve: Callable[..., Any], inside: Inside, xlim: Limits, ylim: Limits) -> list[np.ndarray]:
    """The parts (n, 2) of the zero set of a curve across which membership changes."""
    x, y = (np.linspace(low - _MARGIN * (high - low), high + _MARGIN * (high - low), _GRID) for low, high in (xlim, ylim))
    with np.errstate(all="ignore"):
        height = np.broadcast_to(np.asarray(curve(x[None], y[:, None]), float), (_GRID, _GRID))
    lines: Any = contour_generator(x, y, np.ma.masked_invalid(height)).lines(0.0)
    span = np.array([xlim[1] - xlim[0], ylim[1] - ylim[0]])
    pieces = [piece for line in lines for piece in runs(line, _separates(line, inside, span))]
    return [part for piece in pieces if len(piece) > 1 for part in _cut(piece, xlim, ylim)]


def _cut(piece: np.ndarray, xlim: Limits, ylim: Limits) -> list[np.ndarray]:
    """The parts of a polyline within the axes, where it is made dense first so that it ends on the frame."""
    places = np.linspace(0, len(piece) - 1, 8 * (len(piece) - 1) + 1)
    dense = np.column_stack([np.interp(places, np.arange(len(piece)), piece[:, i]) for i in (0, 1)])
    air = 1e-9 * np.array([xlim[1] - xlim[0], ylim[1] - ylim[0]])
    within = ((dense >= (xlim[0], ylim[0]) - air) & (dense <= (xlim[1], ylim[1]) + air)).all(axis=1)
    return [part for part in runs(dense, within) if len(part) > 1]


def zero_set(inside: Inside, xlim: Limits, ylim: Limits) -> list[np.ndarray]:
    """The edge of a set that is known only by membership, as polylines (n, 2)."""
    x, y = (np.linspace(*limits, 3 * _GRID) for limits in (xlim, ylim))
    held = np.broadcast_to(inside(x[None], y[:, None]), (len(y), len(x))).astype(float)
    lines: Any = contour_generator(x, y, held).lines(0.5)
    return list(lines)


def _separates(line: np.ndarray, inside: Inside, span: np.ndarray) -> np.ndarray:
    """Whether membership differs between the two sides of each vertex."""
    tangent = np.gradient(line / span, axis=0)
    length = np.hypot(*tangent.T)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]]) / np.where(length > 0, length, 1.0)[:, None]
    left, right = line + _PROBE * normal * span, line - _PROBE * normal * span
    return np.asarray(inside(*left.T)) != np.asarray(inside(*right.T))


def runs(line: np.ndarray, keep: np.ndarray) -> list[np.ndarray]:
    """Consecutive kept vertices."""
    edges = np.flatnonzero(np.diff(np.r_[False, keep, False].astype(int)))
    return [line[start:stop] for start, stop in zip(edges[::2], edges[1::2], strict=True)]
