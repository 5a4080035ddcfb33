"""A stationary cloud of iterates beside the covariance that the theory derives."""
from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from dynopt.core.errors import ParameterError

from .labels import label_curve
from .style import axes_of, halo, palette


def plot_cloud(samples: Any, ax: Axes | None = None, *, covariance: Any = None, mean: Any = (0.0, 0.0),
               shares: tuple[float, ...] = (0.5, 0.95), xlabel: str = "$x_1$", ylabel: str = "$x_2$",
               title: str | None = None) -> dict[str, Any]:
    """Draw samples and the ellipses that a derived covariance says hold given shares of them.

    Formula: an ellipse of share p is {u : (u - mean)' C^-1 (u - mean) = -2 log(1 - p)}, for a normal law.

    Parameters: samples (n, 2); covariance (2, 2), positive definite; mean (2,); shares in (0, 1).
    Returns a dict of artists: `samples`, `ellipses`, `labels`. Raises ParameterError for a matrix that is no covariance.
    """
    ax, colours, samples = axes_of(ax), palette(), np.asarray(samples, float).reshape(-1, 2)
    dots = ax.plot(*samples.T, "o", color=colours.iterates, ms=1.3, mew=0, alpha=0.45, zorder=1.5, rasterized=True)[0]
    rings = [ellipse(covariance, mean, share) for share in shares] if covariance is not None else []
    lines = [ax.plot(*ring.T, color=colours.flow, lw=1.5, zorder=3)[0] for ring in rings]
    texts = [label_curve(ax, ring, f"{share:.0%}", color=colours.flow, path_effects=halo())
             for ring, share in zip(rings, shares, strict=False)]
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.yaxis.label.set(rotation=0, va="center")
    if title:
        ax.set_title(title)
    return {"samples": dots, "ellipses": lines, "labels": texts}


def share_inside(samples: Any, covariance: Any, share: float, mean: Any = (0.0, 0.0)) -> float:
    """The share of samples (n, 2) that the ellipse of a given share really holds."""
    return float(np.mean(_distance(np.asarray(samples, float) - np.asarray(mean), covariance) <= -2 * np.log1p(-share)))


def ellipse(covariance: Any, mean: Any, share: float, points: int = 241) -> np.ndarray:
    """The border (points, 2) of the set that holds a share of a normal law."""
    matrix = np.asarray(covariance, float)
    if matrix.shape != (2, 2) or not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() <= 0:
        raise ParameterError(f"plot_cloud: found covariance {matrix.tolist()}; expected a symmetric positive definite "
                             "matrix (2, 2): covariance=[[vx, c], [c, vy]] with vx*vy > c*c")
    angle = np.linspace(0, 2 * np.pi, points)
    circle = np.sqrt(-2 * np.log1p(-share)) * np.column_stack([np.cos(angle), np.sin(angle)])
    return np.asarray(mean, float) + circle @ np.linalg.cholesky(matrix).T


def _distance(offsets: np.ndarray, covariance: Any) -> np.ndarray:
    return np.einsum("ni,ni->n", offsets, np.linalg.solve(np.asarray(covariance, float), offsets.T).T)
