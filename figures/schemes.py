"""Three discretizations of one damped flow: symplectic Euler and leapfrog reach far beyond explicit Euler."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import damped, explicit_euler, leapfrog, plot_region, stability, style, symplectic_euler


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.3))
    schemes = {"leapfrog": leapfrog, "symplectic Euler": symplectic_euler, "explicit Euler": explicit_euler}
    for index, (name, scheme) in enumerate(schemes.items()):
        colour = style.palette().series(index)
        plot_region(stability(scheme(damped)), ax, x="h", y="gamma", at={"lam": 1.0}, color=colour, label=name,
                    xlim=(0, 2.6), ylim=(0, 3.2), xlabel=r"time step $h\,\sqrt{\lambda}$")
    ax.set_ylabel(r"friction $\gamma/\sqrt{\lambda}$", rotation=90)
    ax.set_title("Explicit Euler lives on friction, the others do without")
    return figure
