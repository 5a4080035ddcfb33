"""The rows of all paths of a solve at common times, as a trajectory."""
from __future__ import annotations

from typing import Any, Callable

import numpy as np

from ..core.trajectory import Trajectory
from .dense import Pieces

GRID = 201                                              # rows of an ensemble, whose paths take steps of their own


def values_at(runs: list[Pieces], lead: tuple[int, ...]) -> Callable[[Any], np.ndarray]:
    """States (*lead, *times, n) at times of any shape."""
    def at(t: Any) -> np.ndarray:
        found = np.stack([run(t) for run in runs])
        return found.reshape(*lead, *np.shape(t), found.shape[-1])
    return at


def grid_of(times: np.ndarray | None, t0: float, end: float) -> np.ndarray:
    """The times of the rows of an ensemble: those asked for, or an even grid."""
    return np.linspace(t0, end, GRID if end != t0 else 1) if times is None else times


def gather(task: Any, ends: list[tuple[str, str, float, dict]], times: np.ndarray | None, dense: bool, *, at: Callable[[Any], np.ndarray],
           steps: Pieces | None = None, values: np.ndarray | None = None) -> Trajectory:
    """States at common times: those asked for; for one path its own steps, for an ensemble an even grid.

    `ends` says of every path how it ended, with what message, when, and what was seen; `values` are the rows where they are known.
    """
    system, setup = task.system, task.system.setup
    lead, status = setup.lead, np.array([e[0] for e in ends])
    reached = np.array([e[2] for e in ends])
    if times is None and steps is not None:
        times, values = steps.t.copy(), steps.nodes
    elif lead:
        times = grid_of(times, task.t0, task.end)
    else:
        rim = 1e-12*max(abs(task.t0), abs(task.end))
        times = times[np.abs(times - task.t0) <= abs(reached[0] - task.t0) + rim]            # type: ignore[index]
    values = at(times) if values is None else values.reshape(*lead, len(times), -1)          # type: ignore[arg-type]
    states = told_in(task.out, system.split(values))
    parameters = {**setup.numbers, **setup.vectors, **setup.matrices}
    seen = ends[0][3] if not lead else {n: [e[3][n] for e in ends] for n in ends[0][3]}
    return Trajectory(states, t=times, status=status.reshape(lead) if lead else str(status[0]),
                      message=_message(status, [e[1] for e in ends], reached),
                      rule=setup.rule, problem=system.problem, params=parameters, dense=(lambda t: system.split(at(t))) if dense else None,
                      events=seen, lengths=(times[None, :] <= reached[:, None]).sum(1).reshape(lead) if lead else len(times))  # type: ignore


def told_in(out: dict[str, np.ndarray] | None, states: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows in memory of their own, or in the arrays given; rows that a path did not reach are NaN there."""
    if out is None:
        return {s: v.copy() for s, v in states.items()}
    for s, v in states.items():
        out[s][..., :v.shape[-2], :], out[s][..., v.shape[-2]:, :] = v, np.nan
    return {s: out[s][..., :v.shape[-2], :] for s, v in states.items()}


def _message(status: np.ndarray, messages: list[str], ends: np.ndarray) -> str:
    bad = status != "success"
    if len(status) == 1 or not bad.any():
        return messages[0] if len(status) == 1 else ""
    first = int(np.argmax(bad))
    return f"{int(bad.sum())} of {len(status)} paths did not reach the end; path {first}: {messages[first]}"
