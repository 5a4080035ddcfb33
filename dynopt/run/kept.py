"""Kernels that do not depend on a user's rule are compiled once on a machine and kept on disk."""
from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numba as nb


def kept(signature: Any, function: Callable) -> Any:
    """The compiled function, from numba's cache where that can be read; a cache that is broken is thrown away, one that is
    read-only is done without."""
    for attempt in range(2):
        try:
            made = nb.njit(nogil=True, error_model="numpy", cache=True)(function)
            made.compile(signature)
            made.disable_compile()
            return made
        except Exception:                  # no place to write to, a truncated index, another version's pickle: whatever, compile
            if attempt == 0:
                _discard(function)
    return nb.njit(signature, nogil=True, error_model="numpy")(function)


def _discard(function: Callable) -> None:
    """Remove the files of one function from numba's cache."""
    try:
        from numba.core.caching import FunctionCache
        cache = FunctionCache(function)
        for path in Path(cache.cache_path).glob(f"{cache._impl.filename_base}*.nb?"):
            path.unlink()
    except Exception:                      # nothing there to remove, or no right to
        return
