"""Noise keeps heavy ball from arriving: its cloud fills the derived ellipse, and its floor follows the derived curve."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import iterate, method, moments, quadratic, style
from dynopt.plot.cloud import plot_cloud, share_inside
from dynopt.plot.curves import evaluate
from dynopt.plot.labels import label_curve
from dynopt.plot.panels import head

LAM, SIGMA, ETA, BETA = 1.0, 1.0, 0.4, 0.6
STEPS = np.geomspace(0.01, 0.9, 9)


@method
def noisy_ball(x, v, *, eta, beta, sigma, grad, noise):
    v = beta*v + eta*(grad(x) + sigma*noise())
    return x - v, v


def chains(eta, beta) -> np.ndarray:
    """Stationary samples (n, 2) of position and buffer: many short chains, the start forgotten."""
    start = np.zeros((400, 1))
    run = iterate(noisy_ball, quadratic([LAM]), x0=start, steps=1200, record=20, seed=7, eta=eta, beta=beta, sigma=SIGMA)
    return np.stack([run.x[:, 40:, 0].ravel(), run.v[:, 40:, 0].ravel()], axis=-1)


def draw() -> Figure:
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.1, 3.2), layout="constrained")
    derived = moments(noisy_ball, additive=None)
    covariance, samples = derived.at(eta=ETA, beta=BETA, sigma=SIGMA, lam=LAM), chains(ETA, BETA)
    plot_cloud(samples, a, covariance=covariance, xlabel="$x$", ylabel="$v$")
    head(a, "a", f"The derived 95% ellipse holds {share_inside(samples, covariance, 0.95):.1%}")
    fine = np.geomspace(STEPS[0] / 1.2, STEPS[-1] * 1.2, 200)
    for index, beta in enumerate((0.0, 0.6, 0.9)):
        colour = style.palette().series(index)
        floor = evaluate(derived.variance("x"), {"eta": fine, "beta": beta, "sigma": SIGMA, "lam": LAM})
        b.loglog(fine, floor, color=colour, lw=1.3)
        b.loglog(STEPS, [chains(eta, beta)[:, 0].var() for eta in STEPS], "o", color=colour, ms=4)
        label_curve(b, np.column_stack([fine, floor]), rf"$\beta={beta:g}$", color=colour)
    b.set(xlabel=r"step size $\eta$", ylabel="variance of $x$")
    head(b, "b", "Measured floors (dots) lie on the derived curves")
    return figure
