"""Kernels that do not depend on a user's rule are compiled once on a machine and kept on disk."""
from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Callable

import numba as nb

from .cache import KeptOverloads, key_of


@cache
def _text() -> str:
    """Everything that such kernels are made from: a change in any of it makes them all anew."""
    here = Path(__file__).parent
    return "".join(p.read_text(encoding="utf-8") for p in [*sorted(here.glob("ode_*.py")), *sorted(here.glob("tape*.py"))])


def kept(signature: Any, function: Callable) -> Any:
    """The compiled function, taken from disk where it is there whole; where nothing can be kept it is compiled and not kept."""
    name = function.__name__
    function.__qualname__ = f"{name}{key_of(name, _text())[:16]}"            # symbols of two versions never meet
    return settled(nb.njit(nogil=True, error_model="numpy")(function), signature, f"{name}\n{_text()}")


def settled(made: Any, signature: Any, source: str = "") -> Any:
    """A dispatcher compiled for one signature, as other kernels take it; `source` says where on disk it is looked for."""
    if source:
        made._cache = KeptOverloads(source)
    made.compile(signature)
    made.disable_compile()
    return made
