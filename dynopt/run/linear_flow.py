"""Linear flows with constant coefficients in closed form: entries that do not see each other apart, each group by its modes.

x' = A x + b has x(t) = x0 + int_0^t exp(A s) ds (A x0 + b). Groups of one and two entries by formula, which double eigenvalues do not
disturb; larger ones by eigenvectors where these are well conditioned, else by the exponential of a matrix.
"""
from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..core.arithmetic import plain
from ..core.autodiff import derivative
from ..core.expr import evaluate, leaf, walk
from ..core.values import plain_constant
from ..emit.tape import inlined
from .ode_control import LIMIT
from .series import kept, key_of

WELL = 1e4                                          # condition of eigenvectors up to which they are trusted
ROWS, TURNS = 201, 16                               # rows of a run; rows for a turn of the fastest mode
MOST_ROWS, MOST_ENTRIES = 20_000, 2000


def linear_form(system: Any) -> tuple[list, list] | None:
    """Rates and their derivatives in a direction; None where these depend on the state or the time, by what is written."""
    def made() -> tuple[list, list] | None:
        outputs = None if system.pasts or system.edges[-1] > MOST_ENTRIES else inlined(system.program, system.fields)
        if outputs is None:
            return None
        states = {leaf("state", s): leaf("state", f"{s}'") for s in system.setup.rule.state}
        slopes = derivative(outputs, states)
        unsteady = any(m.op == "call" or m.op == "param" and m.data == "t" for m in walk([*slopes, *outputs]))
        return None if unsteady or any(m in states for m in walk(slopes)) else (outputs, slopes)
    return kept(key_of(system, "linear"), system, made)


def linear_part(system: Any, p: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(A, b) of x' = A x + b on path p; None where the rates are not of that form."""
    form = linear_form(system)
    if form is None:
        return None
    known = system.__dict__.setdefault("linear", {})
    if p not in known:
        known[p] = _parts(system, *form, p)
    return known[p]


def _parts(system: Any, outputs: list, slopes: list, p: int) -> tuple[np.ndarray, np.ndarray] | None:
    n, names = int(system.edges[-1]), system.setup.rule.state
    at_zero = {s: np.zeros((1, d)) for s, d in zip(names, system.dims)}
    units = {f"{s}'": np.eye(n)[:, a:b] for s, a, b in zip(names, system.edges, system.edges[1:])}
    with np.errstate(all="ignore"):
        A, b = _values(system, slopes, at_zero | units, p, n).T, _values(system, outputs, at_zero, p, 1)[0]
    return (np.ascontiguousarray(A), b) if np.isfinite(A).all() and np.isfinite(b).all() else None


def in_closed_form(system: Any) -> bool:
    """Whether a system is linear and its entries go alone or in pairs, so that formulas say all there is."""
    found = linear_part(system, 0)
    return found is not None and max(map(len, groups(found[0]))) <= 2


def _values(system: Any, nodes: list, states: dict[str, np.ndarray], p: int, rows: int) -> np.ndarray:
    """Rates, all states one after another, for several rows of states at once."""
    def value(node: Any) -> Any:
        if node.op == "state":
            return states[node.data]
        if node.op == "param":
            return 0.0 if node.data == "k" else system._parameter(node.data, p)
        return plain_constant(node, {})
    found = evaluate(nodes, value, plain)
    return np.concatenate([np.broadcast_to(f, (rows, d)) for f, d in zip(found, system.dims)], axis=1)


def groups(A: np.ndarray) -> list[np.ndarray]:
    """Entries that see each other."""
    return _groups((A != 0).tobytes(), len(A))


@lru_cache(maxsize=64)
def _groups(pattern: bytes, n: int) -> list[np.ndarray]:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components
    count, label = connected_components(csr_array(np.frombuffer(pattern, dtype=bool).reshape(n, n)), directed=False)
    order = np.argsort(label, kind="stable")
    return np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])


def grown(A: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(even, odd) with exp(A t) = even + odd (A - s), s half the trace, for matrices (m, 2, 2) and times (T,): shapes (T, m).

    With q^2 = s^2 - det A these are e^(s t) cosh(q t) and e^(s t) sinh(q t)/q, trigonometric where q^2 < 0.
    """
    s = (A[:, 0, 0] + A[:, 1, 1])/2
    square = ((A[:, 0, 0] - A[:, 1, 1])/2)**2 + A[:, 0, 1]*A[:, 1, 0]
    even, odd = np.empty((2, t.size, len(A)))
    for waves in (True, False):
        some = (square <= 0) == waves
        if some.any():
            even[:, some], odd[:, some] = (_waves if waves else _apart)(s[some], np.sqrt(np.abs(square[some])), t[:, None])
    return even, odd


def _waves(s: np.ndarray, q: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    turn, size = q*t, np.exp(s*t)
    small = np.abs(turn) < 1e-4
    return size*np.cos(turn), size*t*np.where(small, 1 - turn*turn/6, np.sin(turn)/np.where(small, 1.0, turn))


def _apart(s: np.ndarray, q: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    far = np.abs(q*t)
    slow, fast = np.exp(s*t - far), np.exp(s*t + far)
    near = np.exp(s*t)*t*(1 + far*far/6)
    return (slow + fast)/2, np.where(far < 1e-4, near, np.sign(t)*fast*-np.expm1(-2*far)/(2*q))


class Modes:
    """The solution of x' = A x + b through y0 at t0, at any time."""

    def __init__(self, A: np.ndarray, b: np.ndarray, t0: float, y0: np.ndarray):
        self.t0, self.y0, self.A = t0, y0, A
        self.slope = A @ y0 + b
        self.groups, self.b, self.constant = groups(A), b, (b != 0).tolist()
        self.shift = np.zeros_like(y0)
        paired = [len(g) == 2 and self._shifted(g) for g in self.groups]
        self.pairs = np.array([g for g, two in zip(self.groups, paired) if two], dtype=int).reshape(-1, 2)
        self.ones = np.array([g[0] for g in self.groups if len(g) == 1], dtype=int)
        self.large = [(g, _Block(A[np.ix_(g, g)], self.slope[g])) for g, two in zip(self.groups, paired) if len(g) > 1 and not two]
        self.blocks = A[self.pairs[:, :, None], self.pairs[:, None, :]]

    def _shifted(self, g: np.ndarray) -> bool:
        """Whether a pair has no constant part, or one that a shift of the origin takes away."""
        if not self.constant[g[0]] and not self.constant[g[1]]:
            return True
        block = self.A[np.ix_(g, g)]
        if abs(np.linalg.det(block)) < 1e-6*np.abs(block).max()**2:
            return False
        self.shift[g] = -np.linalg.solve(block, self.b[g])
        return True

    @property
    def fastest(self) -> float:
        """The largest frequency, as the formulas and eigenvalues know it."""
        inner = ((self.blocks[:, 0, 0] - self.blocks[:, 1, 1])/2)**2 + self.blocks[:, 0, 1]*self.blocks[:, 1, 0]
        return max([0.0, *np.sqrt(np.maximum(-inner, 0)), *(block.fastest for _, block in self.large)])

    def __call__(self, times: Any) -> np.ndarray:
        """States (..., n)."""
        times = np.asarray(times, dtype=float)
        t = times.reshape(-1) - self.t0
        out = np.empty((t.size, self.y0.size))
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            a = np.diagonal(self.A)[self.ones]
            z = a*t[:, None]
            grown_by = np.where(np.abs(z) < 1e-8, 1 + z/2, np.expm1(z)/np.where(z == 0, 1.0, z))*t[:, None]
            out[:, self.ones] = self.y0[self.ones] + grown_by*self.slope[self.ones]
            if len(self.pairs):
                start = (self.y0 - self.shift)[self.pairs]
                even, odd = grown(self.blocks, t)
                middle = (self.blocks[:, 0, 0] + self.blocks[:, 1, 1])/2
                moved = (self.blocks @ start[..., None])[..., 0] - middle[:, None]*start
                out[:, self.pairs] = self.shift[self.pairs] + even[..., None]*start + odd[..., None]*moved
            for g, block in self.large:
                out[:, g] = self.y0[g] + block(t)
        out[t == 0.0] = self.y0
        return out.reshape(*times.shape, out.shape[-1])


class _Block:
    """int_0^t exp(A s) ds r for a matrix whose entries see each other."""

    def __init__(self, A: np.ndarray, r: np.ndarray):
        self.A, self.r = A, r
        symmetric = np.array_equal(A, A.T)
        self.w, V = np.linalg.eigh(A) if symmetric else np.linalg.eig(A)
        self.good = symmetric or bool(np.linalg.cond(V) < WELL)
        self.fastest = float(np.abs(self.w.imag).max())
        if self.good:
            self.V, self.c = V, np.linalg.solve(V, r.astype(V.dtype))

    def __call__(self, t: np.ndarray) -> np.ndarray:
        if self.good:
            z = self.w*t[:, None]
            share = np.where(np.abs(z) < 1e-8, 1 + z/2, np.expm1(z)/np.where(z == 0, 1.0, z))*t[:, None]
            return ((share*self.c) @ self.V.T).real
        from scipy.linalg import expm
        n = len(self.r)
        whole = np.zeros((n + 1, n + 1))
        whole[:n, :n], whole[:n, n] = self.A, self.r
        return np.array([expm(whole*float(s))[:n, n] for s in t])


class Exact:
    """A run of `Modes` with rows at even times, as events, dense output and trajectories ask for one."""

    def __init__(self, modes: Modes, t: np.ndarray, nodes: np.ndarray):
        self.modes, self.t, self.start, self.nodes = modes, t, modes.y0, nodes

    def __call__(self, times: Any) -> np.ndarray:
        times = np.asarray(times, dtype=float)
        low, high = sorted((self.t[0], self.t[-1]))
        rim = 1e-12*max(abs(low), abs(high), 1e-300)
        found = self.modes(np.clip(times, low, high))
        found[(times < low - rim) | (times > high + rim)] = np.nan
        return found

    def cut(self, t: float) -> "Exact":
        """The run up to time t."""
        before = self.t < t if self.t[-1] >= self.t[0] else self.t > t
        return Exact(self.modes, np.append(self.t[before], t), np.concatenate([self.nodes[before], self.modes(np.array([t]))]))


def exact_run(A: np.ndarray, b: np.ndarray, t0: float, end: float, y0: np.ndarray) -> tuple[Exact, bool]:
    """The run to `end`, or to where the state passes every bound (then False)."""
    modes = Modes(A, b, t0, y0)
    rows = int(min(max(ROWS, TURNS*abs(end - t0)*modes.fastest/(2*np.pi)), MOST_ROWS)) if end != t0 else 1
    grid = np.linspace(t0, end, rows)
    values = modes(grid)
    fine = _bounded(values)
    if fine.all():
        return Exact(modes, grid, values), True
    last = max(int(np.argmin(fine)) - 1, 0)
    a, z = grid[last], grid[min(last + 1, rows - 1)]
    for _ in range(60):
        middle = (a + z)/2
        a, z = (middle, z) if _bounded(modes(np.array([middle]))).all() else (a, middle)
    return Exact(modes, grid[:last + 1], values[:last + 1]).cut(a), False


def _bounded(values: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (np.abs(values) <= LIMIT).all(axis=-1)
