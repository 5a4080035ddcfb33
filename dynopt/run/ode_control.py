"""What all integrators share: how a run of steps can end, the first step, and where the limits lie."""
from __future__ import annotations

import math

import numpy as np

ALL_DONE, FULL, TOO_SMALL, NONFINITE, DIVERGED, STIFF = range(6)
LIMIT = 1e50                        # beyond it a path has diverged
MOST_STEPS = 2_000_000              # of one path


def first_step(rates, t: float, y: np.ndarray, w: np.ndarray, end: float, order: float, rtol: float, atol: np.ndarray) -> float:
    """A first step whose error is near the tolerance (Hairer, Norsett, Wanner 1993, section II.4)."""
    scale = atol + rtol*np.abs(y)
    span, direction = abs(end - t), 1.0 if end >= t else -1.0
    with np.errstate(all="ignore"):
        slope, other = np.empty_like(y), np.empty_like(y)
        rates(t, y, slope, w)
        d0, d1 = _norm(y/scale), _norm(slope/scale)
        h0 = min(1e-6 if d0 < 1e-5 or d1 < 1e-5 else 0.01*d0/d1, span)
        rates(t + direction*h0, y + direction*h0*slope, other, w)
        d2 = _norm((other - slope)/scale)/h0 if h0 else 0.0
        most = max(d1, d2)
        h1 = max(1e-6, h0*1e-3) if not most > 1e-15 else (0.01/most)**(1/(order + 1))
    step = min(100*h0, h1, span)
    return step if math.isfinite(step) and step > 0 else min(1e-6, span)


def _norm(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values*values))) if values.size else 0.0
