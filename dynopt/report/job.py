"""The main job: survey the landscape, derive every bound, measure every bound, compare with the flow, write it down."""
from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dynopt
from dynopt.core.errors import ParameterError

from .bounds import ENTRIES, Derived, Entry, declaration, derive
from .data import Landscape, survey
from .measure import multiplier, threshold
from .page import page

START = 1e-6                              # size of the perturbation: small against curvature's change, large against rounding
TOLERANCE = 1e-4                          # relative width of the last bracket
FILES = ("report.html", "report.json", "report.svg", "report.png")
Tick = Callable[[str, bool], None]


def _silent(message: str, done: bool) -> None:
    """Who does not ask is not told."""


def run(data: str = "breast_cancer", *, l2: float = 1e-2, beta: float = 0.9, gamma: float = 0.2,
        tick: Tick = _silent) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Derive and measure every bound on the logistic loss of a data set.

    l2 > 0; 0 <= beta < 1, momentum; gamma > 0, friction of the flow; tick(message, done) is told what begins or has ended.
    Returns the report, as plain numbers and text, and the four files by name. Raises ParameterError out of range.
    """
    _check(beta, gamma)
    began = time.perf_counter()
    tick("finding the minimizer", False)
    landscape = survey(data, dynopt.logistic, l2=l2)
    tick("finding the minimizer", True)
    settings = {"beta": beta, "gamma": gamma}
    with Measuring(landscape, tick) as measuring:
        derived = [measuring.add(_derived(entry, landscape, settings, tick)) for entry in ENTRIES]
        tick("iterates and their flow", False)
        flow = beside_flow(landscape, gamma)
        tick("iterates and their flow", True)
        tick("drawing", False)
        shown, pictures = _drawn(landscape, derived)
        tick("drawing", True)
        methods = [_entry(found, measured, landscape) for found, measured in zip(derived, measuring.results(), strict=True)]
    report = {"dynopt": dynopt.__version__, "data": _data(landscape, l2),
              "settings": settings | {"start": START, "tolerance": TOLERANCE}, "methods": methods, "flow": flow,
              "caption": shown["caption"], "best": shown["best"], "seconds": round(time.perf_counter() - began, 1)}
    return report, pictures


def _derived(entry: Entry, landscape: Landscape, settings: Mapping[str, float], tick: Tick) -> Derived:
    tick(f"deriving {entry.label}", False)
    found = derive(entry, landscape, settings)
    tick(f"deriving {entry.label}", True)
    return found


def _drawn(landscape: Landscape, derived: list[Derived]) -> tuple[dict[str, Any], dict[str, bytes]]:
    from .picture import METHOD, draw, view
    shown = view(landscape, next(found for found in derived if found.rule.name == METHOD))
    light, dark = draw(shown, "paper", ".svg", ".png"), draw(shown, "dark", ".svg")
    return shown, {"report.svg": light[".svg"], "report.png": light[".png"], "dark.svg": dark[".svg"]}


class Measuring:
    """Measures what has been derived on a second thread, while the first derives and draws; kernels run outside the lock."""

    def __init__(self, landscape: Landscape, tick: Tick):
        self.landscape, self.tick = landscape, tick
        self.pool, self.futures, self.ended = ThreadPoolExecutor(1), [], threading.Event()

    def __enter__(self) -> Measuring:
        return self

    def __exit__(self, *_: object) -> None:
        """However it ends, the run in progress is the last one: an interrupt must not wait for the rest."""
        self.ended.set()
        self.pool.shutdown(cancel_futures=True)

    def add(self, found: Derived) -> Derived:
        self.futures.append(self.pool.submit(measure, found, self.landscape, self._tick))
        return found

    def results(self) -> list[Measured]:
        return [future.result() for future in self.futures]

    def _tick(self, message: str, done: bool) -> None:
        if self.ended.is_set():
            raise CancelledError
        self.tick(message, done)


@dataclass(frozen=True)
class Measured:
    """What running one method showed."""

    low: float                           # here the perturbation shrinks,
    high: float                          # and here it does not
    step: float                          # where the rate was measured
    rate: float


def measure(found: Derived, landscape: Landscape, tick: Tick) -> Measured:
    """The largest stable step and the rate of one method, by running it."""
    step, message = found.entry.step, f"measuring {found.entry.label}"
    small = 0.01/(landscape.L if step == "eta" else np.sqrt(landscape.L))      # in the unit of the step
    low, high = threshold(lambda size, n: distances(found, landscape, found.critical, size, n), small, tolerance=TOLERANCE,
                          tick=lambda: tick(message, False))
    signal = signed(found, landscape, found.slowest(found.bound/2, landscape.curvatures)[1], found.bound/2, 4000)
    tick(message, True)
    return Measured(low, high, found.bound/2, multiplier(signal, len(found.rule.state)))


def _check(beta: float, gamma: float) -> None:
    if not 0 <= beta < 1:
        raise ParameterError(f"--beta {beta}: expected 0 <= beta < 1; write --beta 0.9")
    if not 0 < gamma < np.inf:
        raise ParameterError(f"--gamma {gamma}: expected a positive friction; write --gamma 0.2")


def _data(landscape: Landscape, l2: float) -> dict[str, Any]:
    return {"name": landscape.name, "samples": landscape.samples, "dimension": landscape.minimizer.size, "l2": l2,
            "gradient_norm": landscape.gradient_norm, "mu": landscape.mu, "L": landscape.L,
            "kappa": landscape.L/landscape.mu, "mu_lanczos": landscape.lanczos[0], "L_lanczos": landscape.lanczos[1]}


def _entry(found: Derived, measured: Measured, landscape: Landscape) -> dict[str, Any]:
    rule, size = found.rule, (measured.low + measured.high)/2
    rate, slowest = found.slowest(measured.step, landscape.curvatures)
    return {"label": found.entry.label, "rule": rule.name, "source": rule.source, "declaration": declaration(rule),
            "step": found.entry.step, "held": found.values, "region": str(found.region),
            "region_latex": found.region._repr_latex_(), "over": str(found.over), "over_latex": found.over._repr_latex_(),
            "boundaries": sorted({boundary.kind for boundary in found.region.boundaries}), "critical": found.critical,
            "proof": {"status": found.status, "method": found.region.proof.method, "over": found.over.proof.method},
            "derived": found.bound, "measured": size, "bracket": [measured.low, measured.high], "ratio": size/found.bound,
            "rate": {"step": measured.step, "derived": rate, "measured": measured.rate, "ratio": measured.rate/rate,
                     "curvature": slowest}}


def signed(found: Derived, landscape: Landscape, curvature: float, step: float, steps: int) -> np.ndarray:
    """Signed distance from the minimizer along one eigenvector, over a run started START away along it."""
    return _run(found, landscape, curvature, step, steps) @ landscape.direction(curvature)


def distances(found: Derived, landscape: Landscape, curvature: float, step: float, steps: int) -> np.ndarray:
    """Distance from the minimizer, over a run started START away along an eigenvector."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.linalg.norm(_run(found, landscape, curvature, step, steps), axis=-1)


def _run(found: Derived, landscape: Landscape, curvature: float, step: float, steps: int) -> np.ndarray:
    start = landscape.minimizer + START*landscape.direction(curvature)
    values: dict[str, Any] = {**found.values, found.entry.step: float(step)}
    return dynopt.iterate(found.rule, landscape.problem, x0=start, steps=steps, **values).x - landscape.minimizer


def beside_flow(landscape: Landscape, gamma: float) -> dict[str, Any]:
    """Symplectic Euler beside the damped flow from one start, on the real loss, with three steps."""
    h = float(0.1/np.sqrt(landscape.L))
    symplectic = dynopt.symplectic_euler(dynopt.damped)
    found = dynopt.compare(symplectic, dynopt.damped, landscape.problem, x0=np.zeros(landscape.minimizer.size), until=300*h,
                           h=(h, h/2, h/4), gamma=gamma, solver="dop853")
    rows = [{"h": step, "steps": len(run.k) - 1, "distance": distance}
            for step, run, distance in zip(found.h, found.iterates, found.distances, strict=True)]
    return {"label": "Symplectic Euler", "until": 300*h, "gamma": gamma, "rows": rows, "order": found.order,
            "factor": found.distances[-2]/found.distances[-1]}


# ---- files -------------------------------------------------------------------------------------------------------

def check_folder(folder: Path, force: bool) -> None:
    """Refuse early, before a minute of work: a folder that cannot be written to, or files that would be lost."""
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(17, "this is a file, expected a folder; write --out figures", str(folder))
    there = [name for name in FILES if (folder/name).exists()]
    if there and not force:
        raise FileExistsError(17, f"already holds {', '.join(there)}; write --force to replace them", str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder/".report") as probe:
        probe.write_text("")
    (folder/".report").unlink()


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A file that appears complete or not at all."""
    part = path.with_name(f".part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write(report: dict[str, Any], pictures: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write the figure, the page and the numbers; returns the paths."""
    styles = {"paper": pictures["report.svg"].decode(), "dark": pictures["dark.svg"].decode()}
    contents = {"report.html": page(report, styles).encode(), "report.json": (json.dumps(report, indent=1) + "\n").encode(),
                "report.svg": pictures["report.svg"], "report.png": pictures["report.png"]}
    for name, content in contents.items():
        with whole(folder/name) as part:
            part.write_bytes(content)
    return [folder/name for name in contents]
