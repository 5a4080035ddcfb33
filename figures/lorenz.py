"""A flow that is no descent at all: the same language declares the Lorenz system, and the same solver runs it."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import lorenz, plot_phase, solve


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.4))
    run = solve(lorenz, x0={"x": [1.0], "y": [1.0], "z": [20.0]}, until=40.0)
    [line] = plot_phase(run, ax, x="x", y="z")["curves"]
    line.set(lw=0.45, rasterized=True)
    ax.set_title("Two wings, one trajectory")
    return figure
