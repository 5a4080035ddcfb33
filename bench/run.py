"""`make bench`: dynopt beside its peers, same work, results checked equal, written to bench/results.md."""
from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable

import catalogue
import rows_fixed
import rows_one
import rows_solve
from harness import HERE, Row, cpp, fma_peak, process_seconds, write_bandwidth
from table import table

FIRST = ("from dynopt import heavy_ball, iterate, rosenbrock\n"
         "iterate(heavy_ball, rosenbrock(), x0=[-1.2, 1.], steps=1000, eta=1e-4, beta=.9)")


def starts() -> list[Row]:
    """The first result in a fresh process, from an empty cache and from a full one."""
    rows, times = [], {"cold": [], "cached": []}
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            for name in times:
                times[name].append(process_seconds(FIRST, {"DYNOPT_CACHE_DIR": f"{folder}/kept"}))
    for name, wanted in (("cached", "1 s"), ("cold", "2.5 s CPU")):
        cpu, wall = (sorted(t[i] for t in times[name])[1] for i in (0, 1))
        rows.append(Row(f"first result of heavy ball, {name}, imports included", cpu, "s CPU", {}, wanted, f"{wall:.2f} s wall on this busy machine"))
        print(rows[-1], flush=True)
    return rows


def optional(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as reason:                     # not installed, or broken: the table says so
        print(f"no {name}: {reason}", file=sys.stderr)
        return None


def processor() -> str:
    """What LLVM compiles for, which says more than the name of a virtual processor."""
    from llvmlite import binding
    return f"{platform.machine()} ({binding.get_host_cpu_name()})"


def versions() -> list[str]:
    found = []
    for name in ("numpy", "scipy", "numba", "llvmlite", "jax", "optax", "heyoka", "diffrax", "torch", "numbalsoda", "xarray"):
        module = sys.modules.get(name) or optional(name)
        found.append(f"{name} {getattr(module, '__version__', '')}" if module else f"{name} (not there)")
    return found


def facts(peak: float, bandwidth: float) -> list[str]:
    return [f"machine: {processor()}, {os.cpu_count()} cores, {platform.system()}; shared, so wall times mean little",
            f"FMA peak of one core: {2/peak/1e9:.1f} Gflop/s; writing {bandwidth/1e9:.1f} GB/s", ", ".join(versions())]


def version() -> str:
    """When a row was measured, on which commit, and how busy the machine was meanwhile."""
    found = subprocess.run(["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return ", ".join([time.strftime("%Y-%m-%d %H:%M", time.gmtime()), *([found.stdout.strip()] if not found.returncode else []),
                      f"load {os.getloadavg()[0]:.0f}"])


def main(wanted: list[str]) -> None:
    """All groups, or those named ("table": none, it is only written); rows measured earlier on this machine stay in the table."""
    library, boost, jax, heyoka, torch = cpp(), cpp("odeint"), optional("peers_jax"), optional("heyoka"), optional("peers_torch")
    peak, bandwidth = fma_peak(), write_bandwidth()
    print(f"FMA peak {2/peak/1e9:.1f} Gflop/s, writing {bandwidth/1e9:.1f} GB/s", flush=True)
    groups: dict[str, Callable[[], list[Row]]] = {
        "starts": starts, "ensembles": lambda: rows_fixed.ensembles(library, jax), "sweeps": lambda: rows_fixed.sweeps(library),
        "long": lambda: rows_one.long_runs(library, jax, torch), "radii": rows_one.radii, "noise": lambda: rows_fixed.noise(library),
        "single": lambda: rows_solve.single(heyoka, jax, boost), "many": lambda: rows_solve.many(heyoka),
        "large": rows_solve.large_quadratic, "catalogue": catalogue.rows}
    place = Path(tempfile.gettempdir())/f"dynopt-bench-{os.getuid()}"/"rows.json"
    if not wanted:
        place.unlink(missing_ok=True)
    for name in [n for n in wanted or groups if n != "table"]:
        try:
            found = [asdict(row) | {"measured": version()} for row in groups[name]()]
        except Exception:
            traceback.print_exc()
            found = [asdict(Row(f"the rows of {name}", note=f"failed: {traceback.format_exc().splitlines()[-1]}"))]
        place.write_text(json.dumps(kept(place) | {name: found}))           # read again: others may have measured meanwhile
    known = kept(place)
    rows = [Row(**row) for name in groups for row in known.get(name, [])]
    (HERE/"results.md").write_text(table(rows, facts(peak, bandwidth)), encoding="utf-8")


def kept(place: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows measured so far, by group."""
    return json.loads(place.read_text()) if place.exists() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
