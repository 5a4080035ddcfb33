"""Friction decides the way home: too little circles, too much creeps, and the critical one arrives first."""
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynopt import damped, plot_decay, plot_phase, quadratic, rate, solve
from dynopt.plot.panels import head

FRICTION = (("too little", 0.3), ("critical", 2.0), ("too much", 6.0))


def draw() -> Figure:
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.1, 3.1), layout="constrained")
    problem, slowest = quadratic([1.0]), rate(damped)
    runs = [solve(damped, problem, x0=[1.0], until=24.0, gamma=gamma) for _, gamma in FRICTION]
    labels = [rf"{name}: $\gamma={gamma:g}$" for name, gamma in FRICTION]
    plot_phase(runs, a, labels=labels, field=lambda x, v: (v, -FRICTION[0][1] * v - x))
    plot_decay(runs, b, value=lambda run: np.abs(run.energy) + 1e-300, labels=labels, ylabel="energy")
    head(a, "a", rf"Friction bends the field ($\gamma={FRICTION[0][1]:g}$) inwards")
    best = min(FRICTION, key=lambda item: slowest.at(gamma=item[1], lam=1.0))
    head(b, "b", f"The {best[0]} friction wins")
    b.set_ylim(1e-14, 3)
    return figure
