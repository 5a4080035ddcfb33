"""Three momentum conventions have three different regions: each boundary is derived, and named by how a root leaves."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import heavy_ball, heavy_ball_ema, largest, nesterov, plot_region, rate, stability
from dynopt.plot.panels import head

METHODS = (("Classical", heavy_ball, 4.4), ("Average", heavy_ball_ema, 9.0), ("Nesterov", nesterov, 4.4))
BETA = 0.9


def draw() -> Figure:
    figure, axes = plt.subplots(1, 3, figsize=(7.1, 2.9), layout="constrained", sharey=True)
    for letter, ax, (name, rule, reach) in zip("abc", axes, METHODS, strict=True):
        region = stability(rule)
        plot_region(region, ax, x="eta", y="beta", at={"lam": 1.0}, rate=rate(rule).at, digits=1.0,
                    xlim=(-0.12 * reach, reach), ylim=(-1.25, 1.25), xlabel=r"$\eta\lambda$", outside=None,
                    colorbar=letter == "c")
        head(ax, letter, rf"{name}: $\eta\lambda<{largest(region, 'eta', beta=BETA, lam=1.0):.3g}$ at $\beta={BETA}$")
        ax.title.set_fontsize(9)
        ax.label_outer()
    return figure
