"""Sources become machine code: kernels and oracles, each compiled once in a process."""
from __future__ import annotations

import math
import warnings
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any, Callable

import numba as nb
import numpy as np
from numba.extending import overload

from ..core.errors import ParameterError, ParameterTypeError
from ..core.problem import Field, by_differences
from ..core.show import fingerprint
from ..emit.functions import oracle_source
from . import noise
from .cache import KeptOverloads, key_of

_oracles: dict[tuple, Any] = {}


@nb.njit(inline="always", error_model="numpy")
def min_(a, b):
    """numpy's minimum: NaN where either is."""
    return a if a < b or a != a else b


@nb.njit(inline="always", error_model="numpy")
def max_(a, b):
    """numpy's maximum: NaN where either is."""
    return a if a > b or a != a else b


def at_(s, i):
    """The entry of a vector, or the number itself."""


@overload(at_)
def _at(s, i):
    return (lambda s, i: s[i]) if isinstance(s, nb.types.Array) else (lambda s, i: s)


@nb.njit(error_model="numpy")
def back_(J, r):
    """Back substitution in place."""
    finite = True
    for c in range(r.shape[0] - 1, -1, -1):
        for j in range(c + 1, r.shape[0]):
            r[c] -= J[c, j]*r[j]
        r[c] /= J[c, c]
        finite = finite and abs(r[c]) < np.inf
    return finite


@nb.njit(error_model="numpy")
def correction_(J, r):
    """Solve J x = r in place by elimination with pivots, x in r; False where J is singular or not finite.

    LAPACK would do, but it takes four seconds to compile into each kernel, and a singular matrix is an exception there.
    """
    n = r.shape[0]
    for c in range(n):
        p = c
        for i in range(c + 1, n):
            if abs(J[i, c]) > abs(J[p, c]):
                p = i
        if not (abs(J[p, c]) > 0.0 and abs(J[p, c]) < np.inf):
            return False
        r[c], r[p] = r[p], r[c]
        for j in range(n):
            J[c, j], J[p, j] = J[p, j], J[c, j]
        for i in range(c + 1, n):
            factor = J[i, c]/J[c, c]
            r[i] -= factor*r[c]
            for j in range(c + 1, n):
                J[i, j] -= factor*J[c, j]
    return back_(J, r)


BASE = {"np": np, "at_": at_, "correction_": correction_, "math": math, "min_": min_, "max_": max_, "key_": noise.key_,
        "noise_": noise.noise_, "uniform_": noise.uniform_,
        "noise_scalar_": noise.noise_, "uniform_scalar_": noise.uniform_}


@cache
def _helpers() -> str:
    """The text of what every kernel may call, as part of a kernel's name on disk."""
    return "".join(Path(module).read_text(encoding="utf-8") for module in (__file__, noise.__file__, noise.drawn.__file__))


def build(source: str, scope: dict[str, Any]) -> dict[str, Any]:
    """The functions of a generated source, compiled when first called or taken from disk; names in it are the emitter's own."""
    space = BASE | scope | {"__name__": __name__}
    exec(compile(source, "<dynopt kernel>", "exec"), space)
    whole = _whole(source, scope)
    for name, value in list(space.items()):
        if isinstance(value, FunctionType) and value.__code__.co_filename == "<dynopt kernel>":
            space[name] = _jitted(name, value, whole)
    return space


def _whole(source: str, scope: dict[str, Any]) -> str:
    """Everything that the functions of a source are made from; empty where a black box is among it, whose text is not known."""
    parts = [source, *(f"{n}: {getattr(v, 'made_from', '')}" for n, v in sorted(scope.items()))]
    return "" if any(not getattr(v, "made_from", "") for v in scope.values()) else "\n".join([*parts, _helpers()])


def _jitted(name: str, function: FunctionType, whole: str) -> Any:
    """A dispatcher with a place on disk; its name holds the hash of its text, so that symbols of two kernels never meet."""
    if whole:
        function.__name__ = function.__qualname__ = f"{name}{key_of(name, whole)[:16]}"
    made = nb.njit(nogil=True, error_model="numpy")(function)
    if whole:
        made._cache = KeptOverloads(f"{name}\n{whole}")
        made.made_from = whole
    return made


def compiled_field(name: str, field: Field, black_box: Callable[[str, Field], Any]) -> tuple[Any, tuple]:
    """The compiled oracle `name(x, out, data)` of a field and its data; `black_box` compiles what could not be traced."""
    if field.node is None:
        return black_box(name, field), ()
    key = (name, field.args, field.value, fingerprint([field.node]))
    source, data = oracle_source(f"{name}_", field.args, field.node, field.value)
    if key not in _oracles:
        _oracles[key] = build(source, {})[f"{name}_"]
    return _oracles[key], tuple(data)


class NotCompilable(Exception):
    """A black box that numba cannot compile; the run falls back to Python."""


def check_black_box(name: str, field: Field, dimension: int) -> None:
    """What a user's function returns has the shape of its argument; asked once, before anything is compiled."""
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = field.function(*(np.zeros(dimension) for _ in field.args))
    except Exception:                                # zero may lie outside its domain: the run will tell
        return
    if found is None:
        raise ParameterTypeError(f"{name}: the function returns None, expected an array of shape ({dimension},); end it with return")
    wanted = () if field.value else (dimension,)
    if np.shape(found) != wanted and not (field.value and np.size(found) == 1):
        raise ParameterError(f"{name}: the function returns shape {np.shape(found)} for x of shape ({dimension},), expected {wanted}")


def _compiled_by_numba(function: Callable) -> Any:
    """A plain function as numba compiles it; a gradient by differences is compiled around its f."""
    if isinstance(function, nb.core.registry.CPUDispatcher):
        return function
    of = getattr(function, "differentiates", None)
    return nb.njit(by_differences(_compiled_by_numba(of)) if of else function)


def compile_black_box(name: str, field: Field, dimension: int) -> Any:
    """A user's own gradient as an in-place oracle, where numba can compile it; it is handed copies, which it may change."""
    key = (name, field.function, dimension)
    if key not in _oracles and len(field.args) == 1:
        check_black_box(name, field, dimension)
    try:
        if key in _oracles:
            return _oracles[key]
        inner = _compiled_by_numba(field.function)
        if field.value:
            def oracle(x, data):
                return inner(x.copy())
        else:
            def oracle(x, out, data):
                out[:] = inner(x.copy())
        jitted = nb.njit(nogil=True, error_model="numpy")(oracle)
        probe = np.zeros(dimension)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            jitted(probe, ()) if field.value else jitted(probe, np.empty(dimension), ())
    except Exception as error:                       # whatever numba says, the reason is told by the caller's warning
        raise NotCompilable(str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__) from None
    _oracles[key] = jitted
    return jitted


@lru_cache(maxsize=256)
def compiled_kernel(source: str, oracles: tuple[tuple[str, Any], ...]) -> Any:
    """The compiled `run` of a kernel source with its oracles."""
    return build(source, {f"{n}_": o for n, o in oracles})["run"]


def identity_prox(u, s, out, data):
    out[:] = u


def missing_oracle(rule: str, oracle: str, problem: Any) -> ParameterError:
    has = ", ".join(problem.fields) if problem is not None else "none, since no problem was given"
    return ParameterError(f"{rule}: needs the oracle {oracle!r}, and {problem or 'the run'} has {has}; give the problem that "
                          f"function, "
                          f"as in Problem(f, {oracle.partition('_')[0]}=...)" + (" or a Game" if oracle.partition("_")[2]
                                                                                 else ""))
