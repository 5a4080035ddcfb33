"""How closely iterates shadow their flow: halving the step divides the distance by two, four or sixteen, by scheme."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import compare, damped, leapfrog, rk4, rosenbrock, style, symplectic_euler
from dynopt.plot.labels import label_curve

STEPS = tuple(0.06 / 2**i for i in range(6))


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.4))
    for index, (name, scheme) in enumerate((("symplectic Euler", symplectic_euler), ("leapfrog", leapfrog), ("RK4", rk4))):
        found = compare(scheme(damped), damped, rosenbrock(b=5), x0=[-1.2, 1.6], until=3.0, h=STEPS, gamma=1.0)
        colour = style.palette().series(index)
        ax.loglog(found.h, found.distances, "o-", color=colour, lw=1.1, ms=4)
        label_curve(ax, np.column_stack([found.h, found.distances]), f"{name}: order {found.order:.2f}", color=colour)
    ax.set(xlabel="time step $h$", ylabel="largest distance to the flow")
    ax.minorticks_off()
    ax.set_xticks(STEPS, [f"{h:.2g}" for h in STEPS])
    ax.set_title("Each scheme shadows its flow at its own order")
    return figure
