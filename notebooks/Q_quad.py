# %% [markdown]
# # Quadratic modes: what momentum really does
#
# Near a minimum every loss is a sum of parabolas $\lambda x^2/2$, one for each curvature. On one of them a method is a small
# matrix, and every question about its speed is a question about the roots of a polynomial. **Three claims that tutorials make:**
#
# 1. momentum changes the largest stable step,
# 2. Nesterov's method needs a step that is 80 to 90 % of heavy ball's,
# 3. a momentum that is too large may fail to converge.
#
# Which of them are true?

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import (
    equivalent,
    evaluate,
    heavy_ball,
    heavy_ball_ema,
    iterate,
    largest,
    linearize,
    nesterov_yx,
    optimum,
    oscillation,
    quadratic,
    rate,
    stability,
    style,
)

style.use("paper")

# %% [markdown]
# ## 1. The matrix of one step
#
# On a mode the gradient is $\lambda x$. The engine runs the declaration once on symbols and reads the matrix off; both roots of its
# characteristic polynomial lie inside the unit circle exactly in a triangle, which is proved, not plotted.

# %%
linearize(heavy_ball)

# %%
ball, nesterov = stability(heavy_ball), stability(nesterov_yx)
print(f"heavy ball: {ball}   {ball.proof.status}\nNesterov:   {nesterov}   {nesterov.proof.status}")
assert ball.proof.status == nesterov.proof.status == "proved"

# %%
beta, h = np.meshgrid(np.linspace(-1, 1, 240), np.linspace(0, 4, 240))
rho = rate(heavy_ball).at(eta=h, beta=beta, lam=np.ones_like(h))
figure, ax = plt.subplots(figsize=(5.2, 3.6))
shades = ax.contourf(beta, h, np.where(rho < 1, rho, np.nan), levels=20, cmap="cividis_r")
figure.colorbar(shades, label="spectral radius")
swings = oscillation(heavy_ball).contains(eta=h, beta=beta, lam=1.0)
ax.contour(beta, h, swings.astype(float), levels=[0.5], colors="w", linestyles="--")
ax.text(0.25, 0.9, "complex roots:\nit swings", color="w", fontsize=8)
ax.set(xlabel=r"$\beta$", ylabel=r"$\eta\lambda$", title="The stability triangle")
plt.show()

# %% [markdown]
# Claim 1 is **true**: the bound grows from $2$ to $2(1 + \beta)$, almost twice at $\beta = 0.9$.
#
# ## 2. Is Nesterov's step 80 to 90 % of heavy ball's?

# %%
momenta = np.array([0.5, 0.9, 0.99])
ratio = np.array([largest(nesterov, "eta", beta=b, lam=1.0)/largest(ball, "eta", beta=b, lam=1.0) for b in momenta])
print(dict(zip(momenta.tolist(), ratio.round(4).tolist())))
assert np.allclose(ratio, 1/(1 + 2*momenta))
assert not equivalent(nesterov_yx, heavy_ball)

# %% [markdown]
# Claim 2 is **false**: the ratio is $1/(1 + 2\beta)$ and falls to one third. The look-ahead lowers the momentum of steep modes, which
# is why it calms them; the price is the bound. The two are not one method under two names either.
#
# ## 3. Can momentum be too large?
#
# Take $\beta = 0.999$ at $\eta\lambda = 1$: the derived rate is $\sqrt\beta$, slow but below one. The run agrees.

# %%
found = rate(heavy_ball).at(eta=1.0, beta=0.999, lam=1.0)
x = np.abs(iterate(heavy_ball, quadratic([1.0]), x0=[1.0], steps=20_000, eta=1.0, beta=0.999).x[:, 0])
seen = (x[15_000:16_000].max()/x[5000:6000].max())**(1/10_000)
print(f"derived {found:.6f}, measured {seen:.5f}")
assert np.isclose(found, 0.999**0.5) and abs(seen - found) < 1e-5

# %% [markdown]
# Claim 3 is **false** on noiseless quadratics; large momentum is only slow. The best one follows from the condition number, and the
# engine proves that nothing better exists:

# %%
best = optimum(heavy_ball)
at = best.at(mu=1.0, L=100.0)
print(f"{best}\nkappa = 100: beta = {at['beta']:.3f}, rate {at['rho']:.4f}")
assert best.proof.status == "proved" and np.isclose(at["rho"], 9/11)

# %% [markdown]
# ## Exercise
#
# Your buffer is an average, `v = beta*v + (1 - beta)*grad(x); x = x - eta*v`. You move from plain momentum with $\beta = 0.9$ at its
# largest stable step. Which step do you type in now? Derive it: find the reparametrization with `equivalent`, then evaluate it.

# %%
same = equivalent(heavy_ball, heavy_ball_ema)
answer = evaluate(same.params["eta"], eta=largest(ball, "eta", beta=0.9, lam=1.0), beta=0.9)
print(same, "  ", round(answer, 6))
assert np.isclose(answer, largest(stability(heavy_ball_ema), "eta", beta=0.9, lam=1.0)) and np.isclose(answer, 38)
