"""Two discretizations of one orbit: explicit Euler spirals away, symplectic Euler keeps the planet."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import explicit_euler, iterate, kepler, plot_paths, solve, symplectic_euler
from dynopt.plot.panels import head

STEP, TURNS = 0.05, 3
START = {"q": [0.4, 0.0], "p": [0.0, 2.0]}


def draw() -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(7.1, 3.2), layout="constrained")
    until = TURNS * 6.283185307179586
    exact = solve(kepler, x0=START, until=until)
    for letter, ax, (name, scheme, verb) in zip("ab", axes, (("Explicit Euler", explicit_euler, "loses"),
                                                              ("Symplectic Euler", symplectic_euler, "keeps")), strict=True):
        run = iterate(scheme(kepler), x0=START, steps=int(until / STEP), h=STEP)
        plot_paths([run, exact], ax, state="q", labels=["iterates", "flow"], xlim=(-3.1, 1.1), ylim=(-1.4, 1.7))
        ax.set_aspect("equal")
        head(ax, letter, f"{name} {verb} the orbit")
    return figure
