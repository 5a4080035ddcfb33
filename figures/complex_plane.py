"""Where the Runge-Kutta schemes are stable for a complex curvature: the textbook's leaves, derived from the tableaus."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import explicit_euler, gradient_flow, plot_region, rk2, rk4, stability, style


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(3.3, 3.9))
    for index, (name, scheme) in enumerate((("RK4", rk4), ("RK2", rk2), ("Euler", explicit_euler))):
        region = stability(scheme(gradient_flow), mode="complex")
        plot_region(region, ax, x="lam_re", y="lam_im", at={"h": 1.0}, color=style.palette().series(index), label=name,
                    xlim=(-0.8, 3.3), ylim=(-3.3, 3.3), xlabel=r"$\mathrm{Re}\,h\lambda$")
    ax.axvline(0, color=style.palette().muted, lw=0.5)
    ax.set_ylabel(r"$\mathrm{Im}\,h\lambda$", rotation=90)
    ax.set_aspect("equal")
    ax.set_title("Only RK4 holds a pure rotation")
    return figure
