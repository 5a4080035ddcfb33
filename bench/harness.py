"""Timing in pairs: candidates take turns, each round is a pair, the ratio is the median over rounds of CPU time.

CPU time (all threads of the process) is what counts: on a busy machine wall time says nothing.
"""
from __future__ import annotations

import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import numpy as np

HERE = Path(__file__).parent


@dataclass
class Row:
    """One line of the table: seconds of dynopt, peers with their ratios, and the figure asked for."""

    workload: str
    seconds: float = 0.0
    unit: str = ""
    ratios: dict[str, float] = field(default_factory=dict)
    wanted: str = ""
    note: str = ""
    measured: str = ""


def race(workload: str, ours: Callable, peers: dict[str, Callable], *, per: float = 1.0, unit: str = "", work: dict[str, float] | None = None,
         rounds: int = 5, wanted: str = "", note: str = "") -> Row:
    """Run all in turns; `work` says what part of the work a slow peer did."""
    share = {"dynopt": 1.0, **dict.fromkeys(peers, 1.0), **(work or {})}
    everyone = {"dynopt": ours, **peers}
    repeats = {name: repeats_of(run) for name, run in everyone.items()}
    times: dict[str, list[float]] = {n: [] for n in everyone}
    for _ in range(rounds):
        for name, run in everyone.items():
            start = time.process_time()
            for _ in range(repeats[name]):
                run()
            times[name].append((time.process_time() - start)/share[name]/repeats[name])
    ratios = {n: statistics.median(t/u for t, u in zip(times[n], times["dynopt"])) for n in peers}
    row = Row(workload, statistics.median(times["dynopt"])/per, unit, ratios, wanted, note)
    print(f"{workload:58s} {row.seconds:10.3g} {unit:12s}", "  ".join(f"{n} {r:.3g}x" for n, r in ratios.items()), note, flush=True)
    return row


def repeats_of(run: Callable) -> int:
    """How often a run is repeated within a round, so that a round takes a hundredth of a second."""
    run()
    start = time.process_time()
    run()
    return max(1, int(.01/max(time.process_time() - start, 1e-6)))


def equal(name: str, a: Any, b: Any, rtol: float) -> None:
    """Refuse to compare times of different results."""
    a, b = np.asarray(a), np.asarray(b)
    worst = float(np.max(np.abs(a - b)/(np.abs(b) + 1.0)))
    if not worst <= rtol:
        raise AssertionError(f"{name}: results differ by {worst:.2g}, expected at most {rtol:g}")


def cpp(name: str = "kernels") -> ctypes.CDLL | None:
    """The comparison kernels in C++, hand-written or Boost's, where a compiler (and the headers) are there."""
    library = Path(tempfile.gettempdir())/f"dynopt-bench-{os.getuid()}"/f"{name}.so"
    library.parent.mkdir(exist_ok=True)
    made = subprocess.run(["g++", "-O3", "-march=native", "-ffp-contract=fast", "-mprefer-vector-width=512", "-shared", "-fPIC", "-std=c++17",
                           str(HERE/f"{name}.cpp"), "-o", str(library)], capture_output=True, text=True) if _there("g++") else None
    if made is None or made.returncode:
        print(f"no {name}:", made.stderr[:300] if made else "g++ not found", file=sys.stderr)
        return None
    return ctypes.CDLL(str(library))


def _there(program: str) -> bool:
    from shutil import which
    return which(program) is not None


def pointer(a: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(a.ctypes.data)


def cdouble(x: float) -> ctypes.c_double:
    return ctypes.c_double(x)


def clong(x: int) -> ctypes.c_long:
    return ctypes.c_long(x)


def fma_work() -> tuple[Callable, int]:
    """Chains of vector fma that nothing waits for, and how many fma on single lanes they are."""
    from dynopt.run.machine import I64, POINTER, function, lanes_of_machine
    width, chains = lanes_of_machine(), 12
    kind = f"<{width} x double>"
    lines = [f"declare {kind} @llvm.fma.v{width}f64({kind}, {kind}, {kind})", "define void @run(i64 %n, ptr %out) #0 {", "entry:",
             "  br label %loop", "loop:", "  %i = phi i64 [ 0, %entry ], [ %next, %loop ]"]
    lines += [f"  %x{c} = phi {kind} [ splat (double {1 + c/16}), %entry ], [ %y{c}, %loop ]" for c in range(chains)]
    others = f"{kind} splat (double 0.5), {kind} splat (double 1.0)"
    lines += [f"  %y{c} = call {kind} @llvm.fma.v{width}f64({kind} %x{c}, {others})" for c in range(chains)]
    lines += ["  %next = add i64 %i, 1", "  %more = icmp slt i64 %next, %n", "  br i1 %more, label %loop, label %exit", "exit:"]
    lines += [f"  %p{c} = getelementptr double, ptr %out, i64 {c*width}\n  store {kind} %y{c}, ptr %p{c}, align 8" for c in range(chains)]
    lines += ["  ret void", "}", 'attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }', ""]
    run, out, n = function("\n".join(lines), "run", I64, POINTER), np.zeros(width*chains), 2_000_000
    return lambda: run(n, out.ctypes.data), n*chains*width


def fma_peak() -> float:
    """Seconds of one fma on one lane of one core, the best of five."""
    run, count = fma_work()
    best = np.inf
    for _ in range(5):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best/count


def write_bandwidth() -> float:
    """Bytes per CPU second of filling an array that is there already."""
    a = np.zeros(1 << 24)
    best = np.inf
    for _ in range(5):
        start = time.process_time()
        a.fill(1.0)
        best = min(best, time.process_time() - start)
    return a.nbytes/best


def process_seconds(code: str, env: dict[str, str]) -> tuple[float, float]:
    """(CPU, wall) seconds of a fresh interpreter that runs some code."""
    import resource
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **env}, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall
