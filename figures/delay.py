"""Stale gradients cost momentum: every step of delay takes a bite out of heavy ball's region, first where beta is large."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import delayed, heavy_ball, largest, plot_region, stability, style


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.5))
    regions = {tau: stability(delayed(heavy_ball, tau) if tau else heavy_ball) for tau in (0, 1, 2)}
    for index, (tau, region) in enumerate(regions.items()):
        plot_region(region, ax, x="eta", y="beta", at={"lam": 1.0}, color=style.palette().series(index), label=rf"delay $\tau={tau}$",
                    xlim=(0, 4.2), ylim=(-1.65, 1.15), xlabel=r"$\eta\lambda$")
    bounds = [largest(regions[tau], "eta", beta=0.9, lam=1.0) for tau in (0, 1)]
    ax.set_title(rf"One stale step at $\beta=0.9$ divides the bound by {bounds[0] / bounds[1]:.0f}")
    return figure
