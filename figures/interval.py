"""The worst rate over every curvature in an interval, for two methods: the derived optimum is where two regimes meet."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import heavy_ball, nesterov, optimum, plot_region, rate, stability
from dynopt.plot.panels import head

MU, L = 1.0, 20.0


def draw() -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.1, 3.1), layout="constrained")
    for letter, ax, name, rule in zip("ab", axes, ("Heavy ball", "Nesterov"), (heavy_ball, nesterov), strict=True):
        best = optimum(rule).at(mu=MU, L=L)
        plot_region(stability(rule, over=("mu", "L")), ax, x="eta", y="beta", at={"mu": MU, "L": L},
                    rate=rate(rule).over("mu", "L").at, digits=0.2, xlim=(0, 4.2 / L), ylim=(-0.1, 1.12), labels={"fold": ""},
                    mark=[("optimum", best, "*")])
        head(ax, letter, rf"{name}: at best $\rho={best['rho']:.3f}$")
    return figure
