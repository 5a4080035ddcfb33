"""Inside the stable wedge of heavy ball: where it oscillates, where it comes home without a swing, where it stays bounded."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import heavy_ball, monotone, oscillation, plot_region, rate, stability


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.8, 3.5))
    plot_region(stability(heavy_ball), ax, x="eta", y="beta", at={"lam": 1.0}, rate=rate(heavy_ball).at,
                xlim=(-0.3, 4.4), ylim=(-1.2, 1.2), xlabel=r"$\eta\lambda$",
                outline=[(oscillation(heavy_ball), "oscillates"), (monotone(heavy_ball), "monotone")])
    ax.set_title("Fastest at the edge of oscillation")
    return figure
