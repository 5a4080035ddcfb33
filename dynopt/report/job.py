"""The main job: survey the landscape, derive every bound, measure every bound, compare with the flow, write it down."""
from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import dynopt
from dynopt.core.errors import ParameterError

from .bounds import ENTRIES, Derived, declaration, derive
from .data import Landscape, survey
from .measure import multiplier, threshold

START = 1e-6                              # size of the perturbation: small against curvature's change, large against rounding
TOLERANCE = 3e-5                          # relative width of the last bracket
FILES = ("report.html", "report.json", "report.svg", "report.png")
Tick = Callable[[str], None]


def run(data: str = "breast_cancer", *, l2: float = 1e-2, beta: float = 0.9, gamma: float = 0.2,
        tick: Tick = lambda _: None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Derive and measure every bound on the logistic loss of a data set.

    l2 > 0; 0 <= beta < 1, momentum; gamma > 0, friction of the flow; tick is told what is being done.
    Returns the report, as plain numbers and text, and what the figure is drawn from. Raises ParameterError out of range.
    """
    _check(beta, gamma)
    began = time.perf_counter()
    tick("finding the minimizer")
    landscape = survey(data, dynopt.logistic, l2=l2)
    settings = {"beta": beta, "gamma": gamma}
    methods, derived = [], []
    for entry in ENTRIES:
        tick(f"{entry.label}: deriving")
        found = derive(entry, landscape, settings)
        derived.append(found)
        methods.append(_entry(found, landscape, tick))
    tick("iterates and their flow")
    flow = beside_flow(landscape, gamma)
    report = {"dynopt": dynopt.__version__, "data": _data(landscape, l2),
              "settings": settings | {"start": START, "tolerance": TOLERANCE}, "methods": methods, "flow": flow,
              "seconds": round(time.perf_counter() - began, 1)}
    return report, {"landscape": landscape, "derived": {found.rule.name: found for found in derived}}


def _check(beta: float, gamma: float) -> None:
    if not 0 <= beta < 1:
        raise ParameterError(f"--beta {beta}: expected 0 <= beta < 1; write --beta 0.9")
    if not 0 < gamma < np.inf:
        raise ParameterError(f"--gamma {gamma}: expected a positive friction; write --gamma 0.2")


def _data(landscape: Landscape, l2: float) -> dict[str, Any]:
    return {"name": landscape.name, "samples": landscape.samples, "dimension": landscape.minimizer.size, "l2": l2,
            "gradient_norm": landscape.gradient_norm, "mu": landscape.mu, "L": landscape.L,
            "kappa": landscape.L/landscape.mu, "mu_lanczos": landscape.lanczos[0], "L_lanczos": landscape.lanczos[1]}


def _entry(found: Derived, landscape: Landscape, tick: Tick) -> dict[str, Any]:
    label, rule, step = found.entry.label, found.rule, found.entry.step
    tick(f"{label}: measuring its largest step")
    small = 0.01/(landscape.L if step == "eta" else np.sqrt(landscape.L))      # in the unit of the step
    low, high = threshold(lambda size, n: distances(found, landscape, found.critical, size, n), small, tolerance=TOLERANCE,
                          tick=lambda: tick(f"{label}: measuring its largest step"))
    tick(f"{label}: measuring its rate")
    rate, slowest = found.slowest(found.bound/2, landscape.curvatures)
    signal = signed(found, landscape, slowest, found.bound/2, 4000)
    measured = float((low + high)/2)
    proof = {"status": found.status, "method": found.region.proof.method, "over": found.over.proof.method}
    return {"label": label, "rule": rule.name, "source": rule.source, "declaration": declaration(rule), "step": step,
            "held": found.values, "region": str(found.region), "region_latex": found.region._repr_latex_(),
            "over": str(found.over), "over_latex": found.over._repr_latex_(), "proof": proof,
            "boundaries": sorted({boundary.kind for boundary in found.region.boundaries}), "critical": found.critical,
            "derived": found.bound, "measured": measured, "bracket": [low, high], "ratio": measured/found.bound,
            "rate": _rate(found.bound/2, rate, multiplier(signal, len(rule.state)), slowest)}


def _rate(step: float, derived: float, measured: float, curvature: float) -> dict[str, float]:
    return {"step": step, "derived": derived, "measured": measured, "ratio": measured/derived, "curvature": curvature}


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
    h = 0.25/np.sqrt(landscape.L)
    symplectic = dynopt.symplectic_euler(dynopt.damped)
    found = dynopt.compare(symplectic, dynopt.damped, landscape.problem, x0=np.zeros(landscape.minimizer.size), until=120*h,
                           h=(h, h/2, h/4), gamma=gamma)
    rows = [{"h": step, "steps": len(run.k) - 1, "distance": distance}
            for step, run, distance in zip(found.h, found.iterates, found.distances, strict=True)]
    return {"label": "Symplectic Euler", "until": 120*h, "gamma": gamma, "rows": rows, "order": found.order,
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


def write(report: dict[str, Any], material: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write the figure, the page and the numbers; returns the paths."""
    from .page import page
    from .picture import draw, view
    shown = view(material)
    report = report | {"caption": shown["caption"]}
    pictures = {"paper": draw(shown, "paper", ".svg", ".png"), "dark": draw(shown, "dark", ".svg")}
    page_text = page(report, {style: files[".svg"].decode() for style, files in pictures.items()})
    contents = {"report.html": page_text.encode(), "report.json": (json.dumps(report, indent=1) + "\n").encode(),
                "report.svg": pictures["paper"][".svg"], "report.png": pictures["paper"][".png"]}
    for name, content in contents.items():
        with whole(folder/name) as part:
            part.write_bytes(content)
    return [folder/name for name in contents]
