# %% [markdown]
# # Why do two players circle, and what stops them?
#
# In a game one player's loss is the other's gain. Around an equilibrium the gradients then turn, and methods that are safe for
# minimization run away. This lesson derives which do, on the smallest game there is: $\min_x \max_y\, x y$.

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import (
    alternating_descent,
    alternating_momentum,
    bilinear,
    bounded,
    extragradient_play,
    heavy_ball,
    iterate,
    largest,
    rate,
    simultaneous_descent,
    stability,
    style,
)

style.use("paper")
game = [["0", "1"], ["-1", "0"]]                                # the fields of the two players, as a matrix

# %% [markdown]
# ## Both at once: out
#
# The flow $\dot x = -y,\ \dot y = x$ circles. Steps along the tangent leave the circle, whatever their size:

# %%
region = stability(simultaneous_descent, mode=game)
print(region.is_empty, round(rate(simultaneous_descent, mode=game).at(eta=.1), 6))
assert region.is_empty
assert abs(rate(simultaneous_descent, mode=game).at(eta=.1) - np.sqrt(1.01)) < 1e-12

# %% [markdown]
# ## One after the other: round
#
# If the second player sees the first one's new move, the map preserves area and its eigenvalues stay on the circle for $\eta < 2$.

# %%
round_and_round = bounded(alternating_descent, mode=game)
print(round_and_round)
assert largest(round_and_round, "eta") == 2

# %% [markdown]
# ## Looking ahead: in
#
# Extragradient takes the gradient where a first step would lead.

# %%
inward = stability(extragradient_play, mode=game)
print(inward)
assert largest(inward, "eta") == 1

# %%
figure, ax = plt.subplots(figsize=(4, 3.6))
for rule, colour, word, n in ((simultaneous_descent, "#D55E00", "both at once", 40), (alternating_descent, "#0072B2", "in turn", 34),
                              (extragradient_play, "#00795A", "extragradient", 60)):
    run = iterate(rule, bilinear([[1.]]), x0={"x": 1., "y": 0.}, steps=n, eta=.2)
    ax.plot(run.x[:, 0], run.y[:, 0], ".-", ms=3, lw=.8, color=colour, label=word)
ax.legend(loc="upper right", fontsize=7)
ax.set(xlabel="$x$", ylabel="$y$", title="Out, round, in", aspect="equal", xlim=(-2.4, 2.9), ylim=(-2.4, 2.6))
plt.show()

# %% [markdown]
# ## And momentum?
#
# Near any equilibrium an eigenvalue $\ell$ of the game is complex. Heavy ball is stable for $h = \eta\ell$ inside an ellipse: its half
# axes are $1 + \beta$ along the real axis and $1 - \beta$ along the imaginary one.

# %%
ellipse = stability(heavy_ball, mode="complex")
height = {beta: largest(ellipse, "lam_im", beta=beta, eta=1., lam_re=1 + beta) for beta in (-.5, 0., .5, .9)}
print({beta: round(h, 6) for beta, h in height.items()})
assert all(abs(h - (1 - beta)) < 1e-9 for beta, h in height.items())

# %%
x, y = np.meshgrid(np.linspace(-.2, 4, 300), np.linspace(-1.7, 1.7, 300))
figure, ax = plt.subplots(figsize=(4.8, 3.2))
for beta, colour in ((-.5, "#8B4789"), (0., "0.45"), (.5, "#0072B2"), (.9, "#D55E00")):
    ax.contour(x, y, ellipse.contains(lam_re=x, lam_im=y, beta=beta, eta=1.).astype(float), levels=[.5], colors=[colour])
    ax.annotate(f"$\\beta = {beta:g}$", (1 + beta, min(1 - beta, 1.5)), xytext=(0, 4), textcoords="offset points", color=colour, fontsize=8,
                ha="center")
ax.set(xlabel="Re $\\eta\\ell$", ylabel="Im $\\eta\\ell$", title="Momentum flattens the stable set")
plt.show()

# %% [markdown]
# Rotation is imaginary: positive momentum hurts, negative momentum helps.
#
# ## Exercise
#
# For which $\beta$ does *alternating* heavy ball converge on $x y$, and up to which step? Check your answer at $\eta = 0.5$.

# %%
answer = stability(alternating_momentum, mode=game)
print(answer)
assert answer.contains(eta=.5, beta=-.5) and not answer.contains(eta=.5, beta=.1)
assert abs(largest(answer, "eta", beta=-.5) - 1) < 1e-12
