"""Games of two players and clients with fields of their own: where they rest, and the modes into which their fields part."""
from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy.optimize import root

from ..catalog.index import example
from ..catalog.problems import bilinear
from ..core.errors import ParameterError
from ..core.problem import Game
from ..core.rule import Rule
from .printed import Printed, oracle

LARGEST = 8                                                    # dimensions tried for a player of whom no start is given
STEP = 6e-6
ANTISYMMETRIC = (("", "b"), ("-b", ""))
PATTERNS = (ANTISYMMETRIC, (("a", "b"), ("-b", "a")), (("a", "b"), ("-b", "c")), (("a", "b"), ("c", "d")))


def players(rule: Rule) -> int:
    """How many players' states the fields of a rule take; 0 for a rule of one gradient."""
    calls = [n for n in rule.program.everything if n.op == "call" and n.data[0].startswith("grad")]
    return max(len(n.args) for n in calls) if any("_" in n.data[0] for n in calls) else 0


def standard(rule: Rule) -> Game:
    """The game or the two clients that a rule of several fields is tried on."""
    if players(rule) == 2:
        return bilinear([[1.0]])
    first = np.array([1.0, 6.0])
    return Game([lambda x: first*(x + .5), lambda x: first[::-1].copy()*(x - .5)], name="two clients")


def beside(rule: Rule) -> list[str]:
    """Methods of the catalogue for the same fields."""
    on = "game" if players(rule) == 2 else "clients"
    return [n for n, found in example.of.items() if found.on == on]


def describe(game: Game, printed: Printed, x0: Any = None) -> dict[str, Any]:
    """The game as data of the page; its fields go to `printed`."""
    fields = list(game.fields.values())
    black = next((n for n, f in game.fields.items() if f.node is None), None)
    if black is not None:
        raise ParameterError(f"explore: {black} of {game.name} cannot be traced ({game.fields[black].reason}), so the page cannot run "
                             "it; write it with arithmetic and the functions of dynopt, as in Game([lambda x, y: y, lambda x, y: -x])")
    arity = len(fields[0].args)
    if arity > 2 or (arity == 2 and len(fields) != 2):
        raise ParameterError(f"explore: {game.name} has {len(fields)} fields of {arity} players, expected two players, or clients that "
                             "share one x; draw it with plot_paths")
    sizes = _sizes(game, arity, x0)
    least = _rest(game, sizes)
    start = _start(sizes, x0, least)
    reach = max(1.6, 1.25*float(np.abs(start - least).max()))
    u, v = least[0], least[sizes[0] if arity == 2 else 1]
    return {"name": game.name, "dim": sum(sizes), "players": sizes, "start": start.tolist(), "minimizer": least.tolist(), "floor": 0.0,
            "curvatures": [], "axes": [], "window": [u - 4/3*reach, u + 4/3*reach, v - reach, v + reach], **_modes(game, sizes, least),
            "oracles": {n: oracle(f, printed) for n, f in game.fields.items()}}


def _sizes(game: Game, arity: int, x0: Any) -> list[int]:
    """The dimension of each player: that of the start, else the first that the fields accept."""
    if x0 is not None:
        found = [np.size(v) for v in x0.values()] if isinstance(x0, dict) else [np.size(x0)]*arity
        candidates: Any = [tuple(found)] if len(found) == arity else []
    else:
        candidates = sorted(itertools.product(range(1 if arity == 2 else 2, LARGEST + 1), repeat=arity), key=sum)
    for sizes in candidates:
        try:
            found = [np.shape(f(*map(np.ones, sizes))) for f in game.fields.values()]
        except (ValueError, IndexError):
            continue
        if found == [(n,) for n in sizes] or (arity == 1 and set(found) == {tuple(sizes)} and sizes[0] > 1):
            return list(sizes)
    expected = 'x0={"x": [1.0], "y": [0.5]}' if arity == 2 else "x0=[1.0, 0.5], two coordinates or more"
    raise ParameterError(f"explore: no start fits the fields of {game.name}, expected one number for each coordinate of each player; "
                         f"write {expected}")


def _joint(game: Game, sizes: list[int], z: np.ndarray) -> np.ndarray:
    """The field of all players at once; of clients the mean."""
    parts = np.split(z, np.cumsum(sizes)[:-1])
    found = [np.asarray(f(*parts), dtype=float) for f in game.fields.values()]
    return np.concatenate(found) if len(sizes) == 2 else np.mean(found, axis=0)


def _rest(game: Game, sizes: list[int]) -> np.ndarray:
    """Where the joint field vanishes: the given point, or what a root search from zero finds."""
    if game.minimizer is not None:
        return np.asarray(game.minimizer, dtype=float).ravel()
    found = root(lambda z: _joint(game, sizes, z), np.full(sum(sizes), 1e-3), tol=1e-13)
    return np.where(np.abs(found.x) < 1e-12, 0.0, found.x)


def _start(sizes: list[int], x0: Any, least: np.ndarray) -> np.ndarray:
    if x0 is None:
        return least + np.resize([1.0, -.6], sum(sizes))
    values = list(x0.values()) if isinstance(x0, dict) else [x0]*len(sizes)
    return np.concatenate([np.ravel(np.asarray(v, dtype=float)) for v in values])


def _modes(game: Game, sizes: list[int], least: np.ndarray) -> dict[str, Any]:
    """The modes as numbers, the names of these numbers, and how a field on a mode is made of them; or why there are none."""
    if len(sizes) == 1:
        return _shared(game, sizes[0], least)
    J = np.column_stack([(_joint(game, sizes, least + STEP*e) - _joint(game, sizes, least - STEP*e))/(2*STEP) for e in np.eye(sum(sizes))])
    J = np.round(J, 8)
    if sizes == [1, 1]:
        pattern = next(p for p in PATTERNS if _fits(p, J))
        entries = sorted({e.strip("-") for row in pattern for e in row} - {""})
        return _mode(pattern, entries, [[_entry(pattern, J, e) for e in entries]])
    m = sizes[0]
    if not J[:m, :m].any() and not J[m:, m:].any() and np.allclose(J[:m, m:], -J[m:, :m].T):
        values = np.linalg.svd(J[:m, m:], compute_uv=False)
        return _mode(ANTISYMMETRIC, ["b"], [[float(s)] for s in sorted(values) if s > 1e-9])
    return {"modes": [], "why": "the fields of the two players do not part into pairs of coordinates"}


def _mode(pattern: Any, entries: list[str], modes: list[list[float]]) -> dict[str, Any]:
    return {"modes": modes, "entries": entries, "table": [[e or "0" for e in row] for row in pattern],
            "pattern": [[[entries.index(e.strip("-")), -1 if e.startswith("-") else 1] if e else [0, 0] for e in row] for row in pattern]}


def _fits(pattern: Any, J: np.ndarray) -> bool:
    names = {e.strip("-") for row in pattern for e in row} - {""}
    values = {e: _entry(pattern, J, e) for e in names}
    built = [[(-1 if e.startswith("-") else 1)*values[e.strip("-")] if e else 0.0 for e in row] for row in pattern]
    return bool(np.allclose(built, J))


def _entry(pattern: Any, J: np.ndarray, name: str) -> float:
    """The number that a name stands for, read where it stands first."""
    return next(float(J[r, c]) for r, row in enumerate(pattern) for c, e in enumerate(row) if e == name)


def _shared(game: Game, d: int, least: np.ndarray) -> dict[str, Any]:
    """Clients whose Hessians share their eigenvectors: one curvature of each client for every eigenvector."""
    eye = np.eye(d)
    H = [np.column_stack([(f(least + STEP*e) - f(least - STEP*e))/(2*STEP) for e in eye]) for f in game.fields.values()]
    scale = max(1.0, *(np.abs(h).max() for h in H))
    if any(np.abs(h - h.T).max() > 1e-6*scale for h in H) or any(np.abs(a @ b - b @ a).max() > 1e-6*scale**2 for a in H for b in H):
        return {"modes": [], "why": "the clients' Hessians share no eigenvectors, so that no single mode describes them"}
    axes = np.linalg.eigh(sum(h*(1 + .618*n) for n, h in enumerate(H)))[1]
    modes = [[float(np.round(v @ h @ v, 8)) for h in H] for v in axes.T]
    entries = [n.replace("grad", "lam") for n in game.fields]
    return {"modes": modes, "entries": entries, "table": None, "pattern": [[[n, 1]] for n in range(len(H))]}
