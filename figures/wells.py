"""Momentum carries some starts over the ridge: nine runs on Himmelblau's function, with and without it."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import gradient_descent, heavy_ball, himmelblau, iterate, plot_paths
from dynopt.plot.panels import head

STARTS = np.stack(np.meshgrid([-0.9, 0.1, 1.1], [-1.6, -0.6, 0.4]), axis=-1).reshape(-1, 2)


def draw() -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.1, 3.4), layout="constrained")
    runs = (iterate(gradient_descent, himmelblau(), x0=STARTS, steps=400, eta=0.006),
            iterate(heavy_ball, himmelblau(), x0=STARTS, steps=400, eta=0.006, beta=0.93))
    moved = int((np.linalg.norm(runs[0].x[:, -1] - runs[1].x[:, -1], axis=-1) > 1).sum())
    titles = ("Gradient descent rolls down", f"Momentum ends elsewhere in {moved} of {len(STARTS)} runs")
    for letter, ax, run, title in zip("ab", axes, runs, titles, strict=True):
        plot_paths(run, ax, problem=himmelblau(), xlim=(-5, 5), ylim=(-5, 5))
        head(ax, letter, title)
    return figure
