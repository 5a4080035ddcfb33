"""A two-player game turns round its equilibrium: plain steps spiral out, alternating steps circle, extragradient comes home."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import alternating_descent, bilinear, extragradient_play, iterate, plot_decay, plot_phase, simultaneous_descent
from dynopt.plot.panels import head

ETA, STEPS = 0.15, 90


def draw() -> Figure:
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.1, 3.3), layout="constrained")
    methods = {"simultaneous": simultaneous_descent, "alternating": alternating_descent, "extragradient": extragradient_play}
    runs = [iterate(rule, bilinear([[1.0]]), x0={"x": [1.0], "y": [0.0]}, steps=STEPS, eta=ETA) for rule in methods.values()]
    plot_phase(runs, a, x="x", y="y", labels=list(methods), field=lambda x, y: (-y, x), xlim=(-3.1, 3.1), ylim=(-3.1, 3.1))
    plot_decay(runs, b, value=lambda run: (run.x**2 + run.y**2)[:, 0] ** 0.5, labels=list(methods))
    a.set_aspect("equal")
    b.set_ylabel("distance to the equilibrium")
    head(a, "a", "Three ways to play one game")
    head(b, "b", "Only looking ahead arrives")
    return figure
