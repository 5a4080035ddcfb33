"""`solve` for an ensemble in lanes: paths side by side, those that lanes cannot end taken one by one."""
from __future__ import annotations

from typing import Any, Callable

import numpy as np

from ..core.trajectory import Trajectory
from .ensemble import Ended, Task
from .gather import gather, grid_of
from .series_ensemble import Ensemble
from .steppers import MANY


def solve_lanes(task: Task, times: np.ndarray | None, dense: bool) -> Trajectory:
    """All paths of a task; dense output takes the steps once more, since they are not kept."""
    grid = grid_of(times, task.t0, task.end)
    ensemble, alone = ran(task, grid)
    for p, ended in alone.items():
        ensemble.rows[p] = ended.run(grid)
    ends: list[tuple[str, str, float, dict]] = [("success", "", task.end, {})]*ensemble.t.size
    for p in ensemble.left.tolist():
        found = alone.get(p)
        t = float(ensemble.t[p])
        ends[p] = ("interrupted", f"interrupted at t = {t:.6g}", t, {}) if found is None else \
            (found.status, found.message, float(found.run.t[-1]), found.seen)
    return gather(task, ends, times, dense, at=dense_output(task, alone), values=ensemble.rows)


def ran(task: Task, grid: np.ndarray, alone: dict[int, Ended] | None = None) -> tuple[Ensemble, dict[int, Ended]]:
    """The ensemble with its rows at `grid`, and the paths that were taken one by one (given: they are known already)."""
    ensemble = Ensemble(task.system, task.t0, task.end, grid, task.rtol, task.weights)
    found = dict(alone or {})
    try:
        ensemble.onward(not task.method.startswith("auto:"), MANY)
        for p in ensemble.left.tolist() if alone is None else ():
            found[p] = task.path(p)
            if found[p].status == "interrupted":
                break
    except KeyboardInterrupt:
        if alone is not None:
            raise
    return ensemble, found


def dense_output(task: Task, alone: dict[int, Ended]) -> Callable[[Any], np.ndarray]:
    """States (*lead, *times, n) at times of any shape; beyond the run of a path they are NaN."""
    def at(t: Any) -> np.ndarray:
        asked = np.asarray(t, dtype=float)
        low, high = sorted((task.t0, task.end))
        rim = 1e-12*max(abs(low), abs(high), 1e-300)
        inside = np.where((asked >= low - rim) & (asked <= high + rim), np.clip(asked, low, high), np.nan)
        grid = np.unique(inside[~np.isnan(inside)])[::1 if task.end >= task.t0 else -1]
        ensemble, _ = ran(task, grid, alone)
        for p, ended in alone.items():
            ensemble.rows[p] = ended.run(grid)
        place = np.searchsorted(grid if task.end >= task.t0 else -grid, np.nan_to_num(inside if task.end >= task.t0 else -inside, nan=0.0))
        values = ensemble.rows[:, np.minimum(place, max(len(grid) - 1, 0))] if len(grid) else np.full((len(ensemble.rows), *asked.shape, 1), np.nan)
        values = np.where(np.isnan(inside)[..., None], np.nan, values)
        return values.reshape(*task.system.setup.lead, *asked.shape, -1)
    return at
