"""Where six schemes are stable in the plane of z = h lambda: explicit ones hold islands, implicit ones a half plane or more."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import bdf2, explicit_euler, plot_region, rk2, rk4, rkc, stability_region, style, theta

SCHEMES = (("Euler", explicit_euler, {}), ("RK2", rk2, {}), ("RK4", rk4, {}), ("RKC, 3 stages", rkc(3), {}),
           ("trapezoidal rule", theta, {"theta": "1/2"}), ("BDF2", bdf2, {}))


def draw() -> Figure:
    figure, axes = plt.subplots(2, 3, figsize=(7.2, 4.6), sharey=True)
    for index, (ax, (name, scheme, params)) in enumerate(zip(axes.flat, SCHEMES, strict=True)):
        wide = name.startswith("RKC")
        plot_region(stability_region(scheme, **params), ax, x="z_re", y="z_im", color=style.palette().series(index % 3),
                    xlim=(-18.5, 5.5) if wide else (-4.5, 4.5), ylim=(-3.6, 3.6))
        ax.axvline(0, color=style.palette().muted, lw=0.5)
        ax.axhline(0, color=style.palette().muted, lw=0.5)
        ax.set(xlabel=r"$\mathrm{Re}\,z$" if index > 2 else "", ylabel="")
        ax.set_title(name)
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$\mathrm{Im}\,z$", rotation=90)
    return figure
