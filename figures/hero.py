"""One declaration of heavy ball: its iterates on their flow, its exact region, its derived rate, and where its roots leave."""
import numpy as np
from matplotlib.figure import Figure

from dynopt import damped, heavy_ball, iterate, largest, linearize, optimum, oscillation, rate, rosenbrock, solve, stability
from dynopt.plot.panels import four_panels
from dynopt.plot.spectra import sample_roots

FORMATS = ("png", "svg", "dark_png", "dark_svg")
ETA, BETA, STEPS, START = 0.012, 0.9, 360, (-1.5, 1.0)


def energy(run) -> np.ndarray:
    """Kinetic and potential energy; the buffer of heavy ball is the velocity times the time step sqrt(eta)."""
    speed = run.v / np.sqrt(ETA) if hasattr(run, "k") else run.v
    return (speed**2).sum(-1) / 2 + run.f


def draw() -> Figure:
    problem, h = rosenbrock(b=5), np.sqrt(ETA)
    iterates = iterate(heavy_ball, problem, x0=START, steps=STEPS, eta=ETA, beta=BETA)
    flow = solve(damped, problem, x0=START, until=STEPS * h, gamma=(1 - BETA) / h)
    mu, L = np.linalg.eigvalsh([problem.hess(problem.minimizer, e) for e in np.eye(2)])
    region, swings, worst = stability(heavy_ball), oscillation(heavy_ball), rate(heavy_ball).over(mu, L)
    best = optimum(heavy_ball).at(mu=mu, L=L)
    edge = largest(region, "eta", beta=BETA, lam=1)
    reach = np.linspace(1e-4, 1.08 * edge, 1500)
    locus = linearize(heavy_ball).charpoly
    return four_panels(
        iterates=iterates, flow=flow, problem=problem, step=h, path_options={"xlim": (-2, 2), "ylim": (-0.9, 2.1)},
        region=region, region_options={
            "x": "eta", "y": "beta", "at": {"lam": L}, "rate": lambda eta, beta, lam: worst.at(eta=eta, beta=beta),
            "xlim": (0, 4.4 / L), "ylim": (0, 1.12), "labels": {"fold": ""},
            "outline": [(swings, "critical damping", {"lam": mu}), (swings, "", {"lam": L})],
            "mark": [("optimum", best, "*"), ("this run", {"eta": ETA, "beta": BETA})]},
        decay_options={"value": energy, "rho": worst.at(eta=ETA, beta=BETA), "ylabel": "energy"},
        roots=sample_roots(locus, eta=reach, beta=BETA, lam=1.0), parameter=reach, spectrum_options={
            "mark": [(name, sample_roots(locus, eta=ETA, beta=BETA, lam=lam)[0]) for name, lam in ((r"$\mu$", mu), ("$L$", L))],
            "exits": ""},
        titles=("Heavy ball shadows its flow", rf"Stable where ${region.latex}$", "Energy falls at the derived rate",
                rf"A root leaves the disk at $\eta\lambda={edge:.3g}$"))
