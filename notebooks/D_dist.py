# %% [markdown]
# # What does an old gradient cost?
#
# Where many machines work together a gradient is some steps old when it is used. This lesson derives how much step size a delay of
# $\tau$ steps takes away, from plain descent and from momentum, and shows that asynchrony *is* a kind of momentum.

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import (
    asynchronous,
    delayed,
    equivalent,
    evaluate,
    gradient_descent,
    heavy_ball,
    largest,
    linearize,
    method,
    optimum,
    quadratic,
    stability,
    style,
)

style.use("paper")

# %% [markdown]
# ## Plain descent, for every delay at once
#
# `delayed(rule, "tau")` is the rule whose gradients are $\tau$ steps old, $\tau$ a parameter. On a mode the characteristic equation
# is $z^\tau (z - 1) + \eta\lambda = 0$. A pair of roots leaves through the circle where its argument fits.

# %%
region = stability(delayed(gradient_descent, "tau"))
region

# %%
[branch] = region.solve("eta")
bounds = {tau: evaluate(branch.upper, tau=tau, lam=1.) for tau in (0, 1, 2, 5, 10)}
print({tau: round(bound, 4) for tau, bound in bounds.items()})
assert abs(bounds[1] - 1) < 1e-12 and abs(bounds[10] - .1495) < 1e-4

# %% [markdown]
# ## With momentum it is worse
#
# Without delay heavy ball allows $2(1 + \beta)$. One step of delay, and

# %%
stale = stability(delayed(heavy_ball, 1))
print(stale)
assert abs(largest(stale, "eta", beta=.9, lam=1.) - .1) < 1e-12  # 3.8 without delay

# %%
figure, ax = plt.subplots(figsize=(4.6, 3))
b = np.linspace(0, .98, 60)
for tau, colour in ((0, "0.5"), (1, "#0072B2"), (2, "#D55E00")):
    found = stability(delayed(heavy_ball, tau))
    y = [largest(found, "eta", beta=x, lam=1.) for x in b]
    ax.semilogy(b, y, color=colour)
    ax.annotate(f"$\\tau = {tau}$", (b[25], y[25]), xytext=(0, 5), textcoords="offset points", color=colour)
ax.set(xlabel="momentum $\\beta$", ylabel="largest $\\eta\\lambda$", title="Momentum and delay do not go together")
plt.show()

# %% [markdown]
# ## Asynchrony is momentum
#
# Now $n$ workers that do not wait for each other. The gradient that arrives is $l$ updates old with probability
# $\frac1n(1 - \frac1n)^l$: in the mean an exponential average of gradients. And that is a method we know:

# %%
@method
def geometric(x, m, *, eta, n, grad):
    m = (1 - 1/n)*m + grad(x)/n
    return x - eta*m, m


same = equivalent(geometric, heavy_ball)
print(same)
assert same and evaluate(same.params["beta"], n=4) == .75

# %% [markdown]
# An event simulation of four workers, ten thousand times, beside heavy ball with $\beta = 3/4$ and a fourth of the step:

# %%
run = asynchronous(gradient_descent, quadratic([1.]), x0=[1.], workers=4, updates=30, paths=10_000, seed=1, eta=.4)
matrix = evaluate(linearize(heavy_ball).matrix, beta=.75, eta=.1, lam=1.)
ball = np.array([(np.linalg.matrix_power(matrix, k) @ [1., .4])[0] for k in range(31)])
figure, ax = plt.subplots(figsize=(4.6, 3))
ax.plot(run.x[:10, :, 0].T, color="0.75", lw=.6)
ax.plot(ball, color="#0072B2")
ax.plot(run.x[..., 0].mean(0), "o", ms=3, color="#D55E00")
ax.set(xlabel="updates", ylabel="$x$", title="Ten runs, their mean (dots), and heavy ball (line)", ylim=(-1.2, 1.2))
plt.show()
assert np.abs(run.x[..., 0].mean(0) - ball).max() < .02

# %% [markdown]
# ## Exercise
#
# What is the best step under a delay of 3, and the rate that it gives? Guess the rule for any $\tau$ and check it at $\tau = 2$.

# %%
for tau in (1, 3):
    print(tau, optimum(delayed(gradient_descent, tau), mu=1, L=1))
best = optimum(delayed(gradient_descent, 2), mu=1, L=1).at()
assert abs(best["eta"] - 2**2/3**3) < 1e-9 and abs(best["rho"] - 2/3) < 1e-6     # tau^tau/(tau + 1)^(tau + 1), tau/(tau + 1)
