"""Steps per digit at the derived optimum: gradient descent pays the condition number, momentum pays its square root."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import gradient_descent, heavy_ball, nesterov, optimum, style
from dynopt.plot.labels import label_curve

KAPPA = np.geomspace(2, 1e4, 25)


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.3))
    methods = {"heavy ball": heavy_ball, "gradient descent": gradient_descent, "Nesterov": nesterov}
    for index, (name, rule) in enumerate(methods.items()):
        best = optimum(rule)
        rho = np.array([best.at(mu=1.0, L=kappa)["rho"] for kappa in KAPPA])
        [line] = ax.loglog(KAPPA, -1 / np.log10(rho), color=style.palette().series(index), lw=1.7)
        label_curve(ax, line.get_xydata(), name, color=line.get_color())
    ax.set(xlabel=r"condition number $\kappa=L/\mu$", ylabel="steps per digit")
    ax.set_title(r"Momentum pays $\sqrt{\kappa}$, not $\kappa$")
    return figure
