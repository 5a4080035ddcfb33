"""The derived bound is sharp: one part in a hundred below it every run dies out, one part above it every run grows."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import heavy_ball, iterate, largest, plot_decay, quadratic, rate, stability, style
from dynopt.plot.labels import label_curve

BETA, L = 0.5, 10.0


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.2))
    bound = largest(stability(heavy_ball), "eta", beta=BETA, lam=L)
    for index, share in enumerate((0.99, 1.0, 1.01)):
        run = iterate(heavy_ball, quadratic([1.0, L]), x0=[0.0, 1.0], steps=600, eta=share * bound, beta=BETA)
        line = plot_decay(run, ax, value=lambda run: np.abs(run.x[:, 1]))["curves"][0]
        line.set_color(style.palette().series(index))
        rho = rate(heavy_ball).at(eta=share * bound, beta=BETA, lam=L)
        label_curve(ax, line.get_xydata(), rf"{share:.2f} of the bound: $\rho={rho:.4f}$", color=line.get_color())
    ax.set_ylabel("distance to the minimizer")
    ax.set_title(rf"Sharp at the derived bound $\eta={bound:.4g}$")
    return figure
