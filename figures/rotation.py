"""The complex curvatures that heavy ball bears: momentum stretches the region, negative momentum lets it bear rotation."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import heavy_ball, plot_region, stability, style


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.6, 3.7))
    region = stability(heavy_ball, mode="complex")
    for index, beta in enumerate((0.0, -0.3, 0.7)):
        plot_region(region, ax, x="lam_re", y="lam_im", at={"eta": 1.0, "beta": beta}, color=style.palette().series(index),
                    label=rf"$\beta={beta:g}$", xlim=(-0.2, 3.7), ylim=(-1.5, 1.5), xlabel=r"$\mathrm{Re}\,\eta\lambda$")
    ax.set_ylabel(r"$\mathrm{Im}\,\eta\lambda$", rotation=90)
    ax.set_title("Negative momentum bears more rotation")
    return figure
