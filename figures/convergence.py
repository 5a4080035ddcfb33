"""What Nesterov's iterates follow: their distance to the limit flow falls like h, to the modified flows like h^2 and h^3."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import compare, damped, nesterov, rosenbrock, style
from dynopt.plot.labels import label_curve

STEPS = tuple(0.04 / 2**i for i in range(5))
SCALING = {"eta": "h**2", "beta": "1 - gamma*h"}
NAMES = ("limit flow", "modified flow, order 1", "modified flow, order 2")


def measured() -> list:
    """Distances to the limit flow and to the modified flows, on a function that is no quadratic."""
    found = compare(nesterov, damped, rosenbrock(b=5), x0=[-1.2, 1.6], until=3.0, h=STEPS, where=SCALING, gamma=1.0)
    return [found, *found.modified]


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.6))
    for index, (name, found) in enumerate(zip(NAMES, measured(), strict=True)):
        colour = style.palette().series(index)
        ax.loglog(found.h, found.distances, "o-", color=colour, lw=1.1, ms=4)
        label_curve(ax, np.column_stack([found.h, found.distances]), f"{name}: slope {found.order:.2f}", color=colour)
    ax.set(xlabel="$h$, where $\\eta = h^2$ and $\\beta = 1 - \\gamma h$", ylabel="largest distance to the iterates")
    ax.minorticks_off()
    ax.set_xticks(STEPS, [f"{h:.2g}" for h in STEPS])
    ax.set_title("Each correction wins one power of the step")
    return figure
