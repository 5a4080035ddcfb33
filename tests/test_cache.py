"""Machine code on disk: a second process starts from it, and nothing that happens to it can change an answer."""
import os
import subprocess
import sys

import numba as nb
import numpy as np
import pytest

from dynopt.run import cache, compiled, kept

RUN = """
import json, sys, numpy as np
from dynopt import heavy_ball, iterate, method, rosenbrock
run = iterate(heavy_ball, rosenbrock(), x0=[-1.2, 1.], steps=300, eta=1e-3, beta=.9)
print(json.dumps({"x": run.x[-1].tolist(), "numba": "numba" in sys.modules}))
"""
SOLVE = """
from dynopt import damped, himmelblau, solve
print([solve(damped, himmelblau(), x0=[-1, -2.5], until=5.0, gamma=1.0, method=m).x[-1].tolist() for m in ("dop853", "taylor")])
"""
SOURCE = "def double_(x, out):\n    for i in range(x.shape[0]):\n        out[i] = x[i] + x[i]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DYNOPT_CACHE_DIR", str(tmp_path/"kept"))
    cache._usable.cache_clear()
    yield tmp_path/"kept"
    cache._usable.cache_clear()


def start(folder, program=RUN):
    env = {**os.environ, "DYNOPT_CACHE_DIR": str(folder)}
    return subprocess.Popen([sys.executable, "-W", "error", "-c", program], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answer(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_bytes_come_back(folder):
    assert cache.load("a") is None and cache.save("a", b"some bytes") and cache.load("a") == b"some bytes"
    assert [p.name for p in folder.iterdir()] == ["a"]


@pytest.mark.parametrize("left", [0, 5, 32, 40])
def test_a_truncated_entry_is_removed_and_made_again(folder, left):
    cache.save("a", b"0123456789")
    whole = (folder/"a").read_bytes()
    (folder/"a").write_bytes(whole[:left])
    assert cache.load("a") is None and not (folder/"a").exists()
    assert cache.save("a", b"0123456789") and cache.load("a") == b"0123456789"


def test_a_changed_entry_is_no_entry(folder):
    cache.save("a", b"0123456789")
    whole = bytearray((folder/"a").read_bytes())
    whole[-1] ^= 1
    (folder/"a").write_bytes(bytes(whole))
    assert cache.load("a") is None


def test_nothing_is_kept_where_nothing_can_be(tmp_path, monkeypatch):
    (tmp_path/"file").write_text("in the way")
    shared = tmp_path/"shared"
    shared.mkdir()
    shared.chmod(0o777)                                     # others could put code there
    for place in (tmp_path/"file"/"below", shared, ""):
        monkeypatch.setenv("DYNOPT_CACHE_DIR", str(place))
        cache._usable.cache_clear()
        assert cache.save("a", b"bytes") is False and cache.load("a") is None
    cache._usable.cache_clear()


def test_old_entries_go(folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_ENTRIES", 10)
    for i in range(25):
        cache.save(str(i), b"bytes")
    assert len(list(folder.iterdir())) <= 11 and cache.load("24") == b"bytes"


def attempts(folder):
    """A kernel is made, loaded, made again from entries that were cut short, loaded."""
    for attempt in ("made", "loaded", "cut", "loaded"):
        if attempt == "cut":
            for entry in folder.iterdir():
                entry.write_bytes(entry.read_bytes()[:100])
        yield attempt


def test_numba_code_is_taken_from_disk_and_mended(folder):
    for attempt in attempts(folder):
        double, out = compiled.build(SOURCE, {})["double_"], np.zeros(3)
        double(np.arange(3.), out)
        assert out.tolist() == [0, 2, 4]
        hits = sum(double.stats.cache_hits.values())
        assert hits == (attempt == "loaded"), attempt


def test_kernels_of_integrators_are_kept_and_mended(folder):
    for attempt in attempts(folder):
        def twice(x):
            return x + x
        made = kept.kept(nb.float64(nb.float64), twice)
        assert made(1.5) == 3.0 and sum(made.stats.cache_hits.values()) == (attempt == "loaded"), attempt


def test_kernels_of_integrators_work_where_nothing_can_be_kept(tmp_path, monkeypatch):
    (tmp_path/"file").write_text("")
    monkeypatch.setenv("DYNOPT_CACHE_DIR", str(tmp_path/"file"/"below"))
    cache._usable.cache_clear()
    for _ in range(2):
        made = kept.kept(nb.float64(nb.float64), lambda x: x + x)
        assert made(1.5) == 3.0 and not sum(made.stats.cache_hits.values())
    cache._usable.cache_clear()


@pytest.mark.soak
def test_processes_share_the_kernels_of_integrators(tmp_path):
    """Two at once on an empty folder, then broken entries, then no folder: one answer."""
    folder = tmp_path/"kept"
    both = [start(folder, SOLVE), start(folder, SOLVE)]
    want = answer(both[0])
    assert answer(both[1]) == want
    for entry in folder.iterdir():
        entry.write_bytes(entry.read_bytes()[:-7])
    assert answer(start(folder, SOLVE)) == want == answer(start(folder, SOLVE))
    (tmp_path/"file").write_text("")
    assert answer(start(tmp_path/"file"/"no", SOLVE)) == want


def test_a_kernel_over_a_black_box_is_not_kept():
    assert compiled._whole(SOURCE, {"grad_": compiled.nb.njit(lambda x, out, data: None)}) == ""


def test_processes_share_entries_and_survive_broken_ones(tmp_path):
    folder = tmp_path/"kept"
    both = [start(folder), start(folder)]                   # two at once, nothing there yet
    want = answer(both[0])
    assert answer(both[1]) == want and '"numba": false' in want
    entries = list(folder.iterdir())
    assert entries and all(len(e.name) == 64 for e in entries)
    for entry in entries:
        entry.write_bytes(b"")
    assert answer(start(folder)) == want
    assert all(e.stat().st_size > 0 for e in folder.iterdir())
    assert answer(start(folder)) == want
    (tmp_path/"file").write_text("")
    assert answer(start(tmp_path/"file"/"no")) == want      # no place to write to
