"""Inside the stable wedge of heavy ball: where it oscillates, where it comes home without a swing, where it stays bounded."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import heavy_ball, monotone, oscillation, plot_region, rate, stability
from dynopt.plot.labels import label_area


def draw() -> Figure:
    figure, ax = plt.subplots(figsize=(4.8, 3.5))
    stable = stability(heavy_ball)
    kinds = {"oscillates": oscillation(heavy_ball), "monotone": monotone(heavy_ball)}
    plot_region(stable, ax, x="eta", y="beta", at={"lam": 1.0}, rate=rate(heavy_ball).at,
                xlim=(-0.3, 4.4), ylim=(-1.2, 1.2), xlabel=r"$\eta\lambda$",
                outline=[(region, "") for region in kinds.values()])
    for name, region in kinds.items():
        label_area(ax, lambda u, v, inner=region & stable: inner.contains(eta=u, beta=v, lam=1.0), name, color="white")
    ax.set_title("Fastest at the edge of oscillation")
    return figure
