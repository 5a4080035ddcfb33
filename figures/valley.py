"""One valley, one step size, three methods: momentum turns a crawl into a ride, Nesterov's look ahead keeps it on the road."""
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from dynopt import gradient_descent, heavy_ball, iterate, nesterov, plot_decay, plot_paths, rosenbrock
from dynopt.plot.panels import head

ETA, BETA, STEPS, START = 0.004, 0.95, 300, (-1.2, 1.6)


def draw() -> Figure:
    figure, (a, b) = plt.subplots(1, 2, figsize=(7.1, 3.2), layout="constrained", width_ratios=(1.2, 1))
    problem = rosenbrock(b=5)
    runs = {"gradient descent": iterate(gradient_descent, problem, x0=START, steps=STEPS, eta=ETA),
            "heavy ball": iterate(heavy_ball, problem, x0=START, steps=STEPS, eta=ETA, beta=BETA),
            "Nesterov": iterate(nesterov, problem, x0=START, steps=STEPS, eta=ETA, beta=BETA)}
    plot_paths(list(runs.values()), a, problem=problem, labels=list(runs), xlim=(-1.7, 1.7), ylim=(-0.6, 2.0))
    plot_decay(list(runs.values()), b, labels=list(runs))
    head(a, "a", "Momentum follows the valley")
    head(b, "b", rf"The same step $\eta={ETA}$, {STEPS} steps")
    return figure
