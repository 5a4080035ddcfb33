"""Finished tiles of a sweep on disk, so that it can be interrupted and taken up again."""
from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ParameterError
from .sweep_tiles import Job


class Store:
    """A folder of finished tiles and a file that says what they belong to; a tile is there whole or not at all."""

    def __init__(self, folder: Any, job: Job, size: int, resume: bool):
        self.folder, self.size = Path(folder), size
        self.folder.mkdir(parents=True, exist_ok=True)
        description, place = describe(job, size), self.folder/"sweep.json"
        if resume and place.exists() and json.loads(place.read_text(encoding="utf-8")) != description:
            raise ParameterError(f"sweep: {self.folder} holds the tiles of another sweep (rule, problem, grid, start or steps differ); "
                                 "give another store, or resume=False to begin anew")
        if not resume:
            for old in self.folder.glob("tile-*.npz"):
                old.unlink()
        write(place, json.dumps(description, indent=1).encode())

    def load(self, lo: int) -> dict[str, np.ndarray] | None:
        place = self.folder/f"tile-{lo}.npz"
        if not place.exists():
            return None
        try:
            with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as found:
                return dict(found)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
            return None                             # cut short: it is run again

    def save(self, lo: int, found: dict[str, np.ndarray]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, **found)
        write(self.folder/f"tile-{lo}.npz", buffer.getvalue())


def write(place: Path, content: bytes) -> None:
    """A file that is whole as soon as it has its name."""
    handle, name = tempfile.mkstemp(prefix="new-", dir=place.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.replace(name, place)


def describe(job: Job, size: int) -> dict[str, Any]:
    """What a sweep is, in words and hashes: equal only for equal results."""
    from ..core.show import fingerprint
    fields = getattr(job.problem, "fields", {})
    shown = {n: fingerprint([f.node]) if f.node is not None else repr(f.function) for n, f in fields.items()}
    arrays = [n.data.values for f in fields.values() if f.node is not None for n in _nodes(f.node) if n.op == "array"]
    arrays += [n.data.values for n in job.rule.program.everything if n.op == "array"]
    digest = hashlib.sha256()
    for a in (*arrays, *job.axes.values(), *job.states.values()):
        digest.update(str(np.shape(a)).encode() + np.ascontiguousarray(a).tobytes())
    for text in (job.rule.key, json.dumps(shown, sort_keys=True), repr(sorted(job.params.items(), key=lambda i: i[0])), repr(job.options)):
        digest.update(text.encode())
    return {"rule": job.rule.name, "axes": {n: a.size for n, a in job.axes.items()}, "steps": job.steps, "until": job.until, "seed": job.seed,
            "tile": size, "hash": digest.hexdigest()}


def _nodes(node: Any) -> list:
    from ..core.expr import walk
    return walk([node])
