"""Maps of the spectral radius: the theory's linearization at every point of a grid, by formula or bisection, never by eigvals."""
from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from ..core.rule import Rule, unknown_name
from ..emit.entries import Value, Values
from ..emit.point_map import radius_text
from ..theory.linear import Linear, linearize
from . import lanes, machine

KINDS = (*[machine.I64]*3, *[machine.POINTER]*3)
FUNCTIONS = {"exp": "exp", "log": "log", "sin": "sin", "cos": "cos", "tanh": "tanh", "Abs": "abs", "sign": "sign"}


def spectral_radius(rule: Rule | Linear, *, mode: Any = "lam", out: np.ndarray | None = None, **values: Any) -> np.ndarray:
    """Largest modulus of an eigenvalue of a method on one mode of a quadratic, over arrays of parameters.

    rho = max |z| over the roots of the characteristic polynomial, hidden ones among them, per step. Parameters: every parameter of the rule
    and the curvature `lam` by name, numbers or arrays that broadcast; `out` takes the result. Returns an array of the common
    shape. Raises ParameterError for unknown or missing names.

    >>> from dynopt import heavy_ball
    >>> spectral_radius(heavy_ball, eta=[.1, 1.], beta=.25, lam=1.).round(6).tolist()
    [0.858945, 0.5]
    """
    linear = rule if isinstance(rule, Linear) else _linear(rule, mode) if isinstance(mode, str) else linearize(rule, mode=mode)
    name = getattr(rule, "name", "spectral_radius")
    arrays = {n: np.asarray(v, dtype=float) for n, v in values.items()}
    shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    rows, cols = int(np.prod(shape[:-1], dtype=int)), shape[-1] if shape else 1
    width = machine.lanes_of_machine()*4               # bisection is a chain of operations: four registers keep the units busy
    wide = max(cols, width)                             # a row is at least one register
    along = frozenset(n for n, a in arrays.items() if a.ndim and a.shape[-1] > 1)
    text, params = map_text(linear, along, width)
    check_names(name, params, linear, arrays)
    tables = [_rows(arrays[p], shape, cols, wide, p in along) for p in params]
    result = out if out is not None and wide == cols else np.empty((rows, wide))
    _run(text, tables, rows, wide, result)
    if linear.period > 1:                               # the matrix makes a whole period
        result **= 1/linear.period
    found = result.reshape(rows, wide)[:, :cols].reshape(shape)
    if out is not None and out is not result:
        out[...] = found
        return out
    return found if out is None else out


@lru_cache(maxsize=64)
def _linear(rule: Rule, mode: str) -> Linear:
    return linearize(rule, mode=mode)


def check_names(name: str, params: tuple[str, ...], linear: Linear, arrays: dict[str, np.ndarray]) -> None:
    known = {str(s) for s in linear.matrix.free_symbols} | set(params)
    for given in arrays:
        if given not in known:
            raise ParameterError(unknown_name(name, given, sorted(known)))
    missing = [p for p in params if p not in arrays]
    if missing:
        raise ParameterError(f"{name}: no value for {', '.join(missing)}; add {', '.join(f'{m}=...' for m in missing)}")


@lru_cache(maxsize=64)
def map_text(linear: Linear, along: frozenset[str], width: int) -> tuple[str, tuple[str, ...]]:
    """The kernel of a linearization; `along` are the parameters that change along a row."""
    make = Values(along)
    meaning = linear.generators.meaning
    factors = []
    for coefficients, _ in linear.factors:
        values = [value_of(make, c.subs(meaning)) for c in coefficients]
        if len(values) > 1:
            factors.append(values)
    if not factors:                                     # every eigenvalue is zero
        factors = [[make.one, make.zero]]
    return radius_text(make, [_upright(make, f) for f in factors], width)


def _upright(make: Values, factor: list[Value]) -> list[Value]:
    """Leading coefficient 1 where it is -1."""
    return [make("neg", c) for c in factor] if factor[0].op == "const" and factor[0].data == -1 else factor


def value_of(make: Values, expression: Any) -> Value:
    """An expression of the theory as arithmetic, by its kind alone."""
    kind, args = expression.func.__name__, [value_of(make, a) for a in expression.args]
    if expression.is_Rational or expression.is_Float or kind == "Pi":
        from fractions import Fraction
        return make.const(Fraction(int(expression.p), int(expression.q)) if expression.is_Rational else float(expression))
    if expression.is_Symbol:
        return make("param", data=expression.name)
    if kind in ("Add", "Mul"):
        total = args[0]
        for a in args[1:]:
            total = make(kind.lower(), total, a)
        return total
    if kind == "Pow":
        return _power(make, args[0], args[1], expression.exp)
    if kind in FUNCTIONS:
        return make(FUNCTIONS[kind], *args)
    raise ParameterError(f"spectral_radius: {kind} in the linearization has no numbers here; evaluate rate(rule).at(...) instead")


def _power(make: Values, base: Value, exponent: Value, shown: Any) -> Value:
    if not shown.is_Rational or abs(shown.p) > 64 or shown.q > 2:
        return make("pow", base, exponent)
    base = make("sqrt", base) if shown.q == 2 else base
    found = make.one
    for _ in range(abs(int(shown.p))):
        found = base if found is make.one else make("mul", found, base)
    return found if shown.p > 0 else make("div", make.one, found)


def _rows(array: np.ndarray, shape: tuple[int, ...], cols: int, wide: int, along: bool) -> tuple[np.ndarray, int]:
    """The numbers of a parameter row by row, and how far apart rows are (0: all rows are the same)."""
    lead = array.shape[:-1] if array.ndim else ()
    if not along:
        whole = np.broadcast_to(array[..., 0] if array.ndim else array, shape[:-1] or ()).reshape(-1)
        return (np.ascontiguousarray(whole), 1) if lead and any(n > 1 for n in lead) else (np.array([float(array.flat[0])]), 0)
    if not any(n > 1 for n in lead):
        row = np.ascontiguousarray(array.reshape(-1))
        return (row if wide == cols else np.resize(row, wide)), 0
    whole = np.ascontiguousarray(np.broadcast_to(array, shape)).reshape(-1, cols)
    return (whole if wide == cols else np.ascontiguousarray(np.resize(whole.T, (wide, len(whole))).T)), wide


def _run(text: str, tables: list[tuple[np.ndarray, int]], rows: int, cols: int, out: np.ndarray) -> None:
    step = machine.function(text, "map", *KINDS)
    pointers = (ctypes.c_void_p*max(1, len(tables)))(*[a.ctypes.data for a, _ in tables])
    strides = (ctypes.c_int64*max(1, len(tables)))(*[s for _, s in tables])

    def part(lo: int, hi: int) -> None:
        step(lo, hi, cols, pointers, strides, out.ctypes.data)
    pieces = min(8*lanes.THREADS, rows) if lanes.THREADS > 1 and rows*cols > 100_000 else 1
    edges = [rows*i//pieces for i in range(pieces + 1)]
    if pieces == 1:
        part(0, rows)
        return
    with ThreadPoolExecutor(lanes.THREADS) as pool:
        for future in [pool.submit(part, a, b) for a, b in zip(edges, edges[1:])]:
            future.result()
