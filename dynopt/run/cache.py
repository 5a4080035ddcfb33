"""Machine code that outlives a process: bytes on disk under the hash of what they were made from.

An entry is written under another name and moved into place, and begins with the hash of its own bytes: a reader sees a whole entry
or none, and one that was cut short is removed and made again. Where nothing can be written, nothing is kept, and all works as before.
"""
from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

MOST_ENTRIES = 2000
DIGEST = 32


def directory() -> Path | None:
    """Where entries are kept: DYNOPT_CACHE_DIR (empty: nowhere), else the user's cache directory."""
    asked = os.environ.get("DYNOPT_CACHE_DIR")
    if asked is not None:
        return Path(asked).expanduser() if asked else None
    home = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else "")
    with contextlib.suppress(RuntimeError):                         # a user without a home has no cache
        return Path(home)/"dynopt" if home else Path.home()/".cache"/"dynopt"
    return None


@lru_cache(maxsize=16)
def _usable(folder: Path) -> bool:
    """Whether the folder is there (made now if need be) and nobody else can write into it: what it holds is run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError:
        return False
    return os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o022)


def key_of(*parts: str) -> str:
    """The name of what is made from these texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load(key: str) -> bytes | None:
    """The bytes kept under a key; None where there are none, or no whole ones."""
    folder = directory()
    if folder is None or not _usable(folder):
        return None
    try:
        whole = (folder/key).read_bytes()
    except OSError:
        return None
    if len(whole) > DIGEST and hashlib.sha256(whole[DIGEST:]).digest() == whole[:DIGEST]:
        return whole[DIGEST:]
    with contextlib.suppress(OSError):
        (folder/key).unlink()
    return None


def save(key: str, content: bytes) -> bool:
    """Keep bytes under a key; says whether that was possible."""
    folder = directory()
    if folder is None or not _usable(folder):
        return False
    try:
        handle, name = tempfile.mkstemp(prefix="new-", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.replace(name, folder/key)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError:
        return False
    _prune(folder)
    return True


def _prune(folder: Path) -> None:
    """Beyond MOST_ENTRIES the older half goes."""
    with contextlib.suppress(OSError):
        entries = [e for e in os.scandir(folder) if e.is_file()]
        if len(entries) > MOST_ENTRIES:
            for entry in sorted(entries, key=lambda e: e.stat().st_mtime)[:MOST_ENTRIES//2]:
                os.unlink(entry.path)


class KeptOverloads:
    """What numba asks of a dispatcher's cache, over the store above; `source` is everything the function is made from."""

    cache_path = ""

    def __init__(self, source: str):
        self.source = source

    def _key(self, signature: Any, target: Any) -> str:
        import llvmlite
        import numba
        import numpy
        codegen = target.codegen()
        versions = (numba.__version__, llvmlite.__version__, numpy.__version__)
        return key_of("numba", self.source, str(signature), repr(codegen.magic_tuple()), *versions)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The compiled function for a signature, or None."""
        from numba.core.compiler import CompileResult
        target.refresh()
        key = self._key(signature, target)
        content = load(key)
        if content is None:
            return None
        try:
            return CompileResult._rebuild(target, *pickle.loads(content))
        except Exception:       # an entry of a numba that lays its results out differently is no entry
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep a compiled function, where it can be kept."""
        from numba.core import serialize
        if result.objectmode or result.lifted or result.library.has_dynamic_globals:
            return
        save(self._key(signature, result.target_context), serialize.dumps(result._reduce()))

    def enable(self) -> None: ...

    def disable(self) -> None: ...

    def flush(self) -> None: ...
