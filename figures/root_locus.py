"""Roots as the step grows: both methods leave at -1, but heavy ball runs round its circle first and lasts longer."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import heavy_ball, largest, linearize, nesterov, plot_spectrum, stability
from dynopt.plot.panels import head
from dynopt.plot.spectra import sample_roots

BETA = 0.8


def draw() -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.1, 2.9), layout="constrained")
    for letter, ax, name, rule in zip("ab", axes, ("Heavy ball", "Nesterov"), (heavy_ball, nesterov), strict=True):
        edge = largest(stability(rule), "eta", beta=BETA, lam=1)
        reach = np.linspace(1e-4, 1.12 * edge, 1500)
        roots = sample_roots(linearize(rule).charpoly, eta=reach, beta=BETA, lam=1.0)
        plot_spectrum(roots, ax, parameter=reach, exits=rf"leaves at {edge:.4g}")
        ax.set(xlim=(-1.5, 1.15), ylim=(-1.15, 1.15))
        head(ax, letter, rf"{name} is stable up to $\eta\lambda={edge:.4g}$")
    return figure
