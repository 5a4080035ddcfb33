"""Dense output: a run as polynomials, one for each step."""
from __future__ import annotations

from typing import Any

import numpy as np


class Pieces:
    """y(t) = sum_k c[i, k] u^k on [t_i, t_{i+1}], u from 0 to 1; steps go forward or backward in time.

    `last` is the state at the end, to the last bit, where it is known.
    """

    def __init__(self, t: np.ndarray, c: np.ndarray, start: np.ndarray, last: np.ndarray | None = None):
        self.t, self.c, self.start, self.last = t, c, start, last

    def __call__(self, times: Any) -> np.ndarray:
        """States at times of any shape: shape (..., n); beyond the run it is NaN."""
        times = np.asarray(times, dtype=float)
        flat = times.reshape(-1)
        if len(self.t) < 2:
            out = np.where((flat == self.t[0])[:, None], self.start, np.nan)
            return out.reshape(*times.shape, out.shape[-1])
        direction = 1.0 if self.t[-1] >= self.t[0] else -1.0
        at = np.clip(np.searchsorted(direction*self.t, direction*flat, side="right") - 1, 0, len(self.t) - 2)
        u = (flat - self.t[at])/(self.t[at + 1] - self.t[at])
        value = np.zeros((flat.size, self.c.shape[2]))
        for k in range(self.c.shape[1] - 1, -1, -1):
            value = value*u[:, None] + self.c[at, k]
        if self.last is not None:
            value[flat == self.t[-1]] = self.last
        rim = 1e-12*max(abs(self.t[-1]), abs(self.t[0]), 1e-300)
        value[((flat - self.t[0])*direction < -rim) | ((flat - self.t[-1])*direction > rim)] = np.nan
        return value.reshape(*times.shape, value.shape[-1])

    @property
    def nodes(self) -> np.ndarray:
        """States where the steps begin and where the last one ends."""
        if len(self.t) < 2:
            return np.array(self.start)[None]
        last = self(self.t[-1:]) if self.last is None else self.last[None]
        return np.concatenate([self.c[:, 0], last])

    def cut(self, t: float) -> "Pieces":
        """The run up to time t, which lies within it."""
        direction = 1.0 if self.t[-1] >= self.t[0] else -1.0
        keep = int(np.searchsorted(direction*self.t, direction*t, side="left"))
        if keep == 0:
            return Pieces(self.t[:1], self.c[:0], self.start)
        times, c = self.t[:keep + 1].copy(), self.c[:keep].copy()
        share = (t - times[-2])/(times[-1] - times[-2])
        c[-1] *= share**np.arange(c.shape[1])[:, None]
        times[-1] = t
        return Pieces(times, c, self.start)
