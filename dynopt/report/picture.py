"""The four-panel figure of the report: heavy ball on the real loss, whole."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.optimize import minimize

import dynopt

from .bounds import Derived
from .data import Landscape

METHOD = "heavy_ball"
REACH = 6.0                                # how far from the minimizer the paths start, in units of x
STEPS = 150


def view(landscape: Landscape, found: Derived) -> dict[str, Any]:
    """Everything that the figure shows, computed once: runs, region, optimum, roots, and the caption."""
    beta = found.values["beta"]
    eta = found.bound/24                   # small enough that iterates shadow the flow, large enough to see them apart
    h = np.sqrt(eta)
    gamma = (1 - beta)/h
    plane = np.stack([landscape.directions[:, -1], landscape.directions[:, -2]])
    x0 = landscape.minimizer + REACH*(np.cos(2.2)*plane[0] + np.sin(2.2)*plane[1])
    iterates = dynopt.iterate(found.rule, landscape.problem, x0=x0, steps=STEPS, eta=eta, beta=beta)
    flow = dynopt.solve(dynopt.damped, landscape.problem, x0=x0, until=STEPS*h, gamma=gamma, rtol=1e-9, atol=1e-11,
                        method="dop853")
    best = optimum(found, landscape)
    rho = found.slowest(eta, landscape.curvatures)[0]
    caption = (f"Heavy ball with η = {eta:.3g}, β = {beta:g}: (a) its iterates beside the flow x″ + γx′ + ∇f = 0 with "
               "γ = (1 − β)/√η, in the plane of the two largest curvatures; (b) the derived region at the curvature L, coloured "
               f"by the worst rate over [μ, L], with its best point η = {best['eta']:.4g}, β = {best['beta']:.4g}; (c) the "
               f"energy beside the derived slope, ρ = {rho:.5f}; (d) the eigenvalues of one step as ηλ grows.")
    return {"landscape": landscape, "found": found, "problem": located(landscape), "eta": eta, "beta": beta, "h": h,
            "plane": (landscape.minimizer, plane), "iterates": iterates, "flow": flow, "best": best, "rho": rho,
            "caption": caption}


def optimum(found: Derived, landscape: Landscape) -> dict[str, float]:
    """The step and momentum with the best worst-case rate over [mu, L]: a grid of derived radii, then a simplex from its best."""
    ends = np.array([landscape.mu, landscape.L])

    def worst(point: Any) -> float:
        eta, beta = point[0]/landscape.L, point[1]
        return float(found.radius(eta=eta, beta=beta, lam=ends).max())
    steps, momenta = np.linspace(0.1, 3.9, 60), np.linspace(0.02, 0.98, 60)
    radii = found.radius(eta=steps[:, None, None]/landscape.L, beta=momenta[:, None], lam=ends).max(axis=-1)
    i, j = np.unravel_index(np.argmin(radii), radii.shape)
    best = minimize(worst, [steps[i], momenta[j]], method="Nelder-Mead",
                    options={"xatol": 1e-10, "fatol": 1e-13, "maxiter": 2000})
    return {"eta": float(best.x[0]/landscape.L), "beta": float(best.x[1]), "rho": float(best.fun)}


def draw(shown: Mapping[str, Any], style: str, *endings: str) -> dict[str, bytes]:
    """The figure in one style, as the bytes of a file for each ending."""
    from dynopt.plot import style as styles
    from dynopt.plot.panels import four_panels
    with styles.use(style), TemporaryDirectory() as folder:
        figure = four_panels(**_panels(shown))
        paths = styles.save(figure, *(Path(folder)/f"report{ending}" for ending in endings))
        figure.clear()
        return {path.suffix: path.read_bytes() for path in paths}


def _panels(shown: Mapping[str, Any]) -> dict[str, Any]:
    landscape, found, eta, beta, best = (shown[name] for name in ("landscape", "found", "eta", "beta", "best"))
    ends = {r"\mu": landscape.mu, "L": landscape.L}
    reach = np.linspace(0.002, 1.04, 700)*found.bound*landscape.L
    roots = found.roots(eta=1.0, lam=reach, beta=beta)

    def rate(**values: Any) -> np.ndarray:
        point = {name: values[name] for name in ("eta", "beta")}
        return np.maximum(*(found.radius(**point, lam=curvature) for curvature in ends.values()))
    region = {"x": "eta", "y": "beta", "at": {"lam": landscape.L}, "rate": rate,
              "xlim": (0.0, 4.4/landscape.L), "ylim": (0.0, 1.0),
              "mark": [("panel a", {"eta": eta, "beta": beta}), ("best rate", best, "*")]}
    marks = [(rf"$\lambda={name}$", found.roots(eta=eta, lam=curvature, beta=beta)) for name, curvature in ends.items()]
    return {"iterates": shown["iterates"], "flow": shown["flow"], "problem": shown["problem"], "step": shown["h"],
            "region": found.region, "region_options": region, "roots": roots, "parameter": reach,
            "titles": titles(found, eta_lam=found.bound*landscape.L), "spectrum_options": {"mark": marks, "exits": ""},
            "path_options": {"plane": shown["plane"]},
            "decay_options": {"value": lambda run: energy(run, landscape, eta), "rho": shown["rho"],
                              "slope": rf"$\propto\rho^{{2k}},\ \rho={shown['rho']:.4f}$", "ylabel": "energy"}}


def titles(found: Derived, eta_lam: float) -> tuple[str, str, str, str]:
    """What each panel shows, as sentences."""
    return ("Heavy ball shadows its flow", rf"Stable where ${found.region.latex}$", "Energy falls at the derived rate",
            rf"A root leaves the disk at $\eta\lambda={eta_lam:.4g}$")


def located(landscape: Landscape) -> Any:
    """The landscape as the picture needs it: minimizer known, and heights that are computed once for all styles."""
    known: dict[bytes, np.ndarray] = {}

    def f(x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, dtype=float)
        if x.tobytes() not in known:
            known[x.tobytes()] = landscape.problem.f(x)
        return known[x.tobytes()]
    return SimpleNamespace(f=f, minimizer=landscape.minimizer, name=landscape.name)


def energy(run: Any, landscape: Landscape, eta: float) -> np.ndarray:
    """|v|²/2 + f(x) - f(x*), with the velocity of the flow: heavy ball's buffer is a step, -sqrt(eta) times it."""
    velocity = run.v if "t" in vars(run) else run.v/np.sqrt(eta)
    return (velocity**2).sum(axis=-1)/2 + landscape.problem.f(run.x) - landscape.problem.f(landscape.minimizer)
