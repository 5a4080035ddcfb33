# %% [markdown]
# # Does momentum filter noise?
#
# A gradient from a mini-batch is the true one plus noise. Momentum averages gradients, so it should filter the noise. This lesson
# asks what that means for the *parameter*, derives the answer, and measures it.

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import annealed, evaluate, gradient_descent, iterate, largest, method, moments, quadratic, response, schedule, style

style.use("paper")


@method(source="Polyak 1964, eq. (9), with noise")
def noisy(x, v, *, eta, beta, sigma, grad, noise):
    v = beta*v + eta*(grad(x) + sigma*noise())
    return x - v, v


# %% [markdown]
# ## The velocity is a filter
#
# Seen from the gradient, the velocity is a sum with weights $\eta\beta^j$: a low-pass filter. Its gain at frequency zero is the
# effective step $\eta/(1 - \beta)$.

# %%
@method
def plain(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v


answer = response(plain)
print(answer.gain, answer.lag)
assert str(answer.gain) == "eta/(1 - beta)"

# %% [markdown]
# ## The parameter is not
#
# On a mode of curvature $\lambda$ the state $(x, v)$ follows $z \mapsto A z + w\xi$, and its stationary covariance solves
# $P = A P A^\top + w w^\top$. The engine solves that in symbols.

# %%
law = moments(noisy, additive=None)
law.variance("x")

# %% [markdown]
# Now keep the effective step $e = \eta/(1 - \beta)$ and let $\beta \to 1$:

# %%
limit = law.leading("beta", to=1, where={"eta": "e*(1 - beta)"})
print(limit)
assert evaluate(limit, e=.01, sigma=1., lam=1.) == .005

# %% [markdown]
# The limit is that of plain descent with step $e$: **no noise is filtered out**. And at the same $\eta$ there is $1/(1 - \beta)$ times
# *more* of it. Let us measure: 2000 runs for each of four momenta.

# %%
betas = np.array([0, .5, .9, .99])[:, None]
run = iterate(noisy, quadratic([1.]), x0=np.zeros((4, 2000, 1)), steps=4000, record=40, seed=1, eta=.01*(1 - betas), beta=betas, sigma=1.)
measured = (run.x[:, :, 25:, 0]**2).mean((1, 2))
derived = evaluate(law.variance("x"), eta=.01*(1 - betas[:, 0]), beta=betas[:, 0], lam=1., sigma=1.)
print(derived.round(5))
assert np.allclose(measured, derived, rtol=.04)

# %%
figure, ax = plt.subplots(figsize=(4.6, 3))
b = np.linspace(0, .99, 200)
for eta, colour, word in ((.01 + 0*b, "#D55E00", "same step"), (.01*(1 - b), "#0072B2", "same effective step")):
    y = evaluate(law.variance("x"), eta=eta, beta=b, lam=1., sigma=1.)
    ax.semilogy(b, y, color=colour)
    ax.annotate(word, (b[90], y[90]), xytext=(0, 7), textcoords="offset points", color=colour, ha="center")
ax.plot(betas[:, 0], measured, "ko", ms=4)
ax.set(xlabel="momentum $\\beta$", ylabel="Var $x$", title="Momentum does not filter noise out of the parameter")
plt.show()

# %% [markdown]
# ## What does: smaller steps
#
# With cosine restarts the step falls to zero at the end of each cycle of length $T$. The variance left there follows a power of $T$
# that the shape of the schedule decides.

# %%
cosine = annealed(gradient_descent.subs(eta=schedule("eta_max*(1 + cos(pi*k/T))/2")))
print(cosine.order)
for T in (100, 1000, 10000):
    print(T, round(cosine.trough(T=T, eta_max=.5, lam=1., sigma=1.), 6))

# %% [markdown]
# ## Exercise
#
# When the noise grows with $x$ (the curvature itself is noisy, $\lambda + s\xi$) the question is not how large the variance is but
# whether it stays finite. Find the largest step at $\lambda = 1$, $s^2 = 9$, with $\beta = 0$ and with $\beta = 0.9$. Does momentum help?

# %%
region = moments(plain, additive=None, multiplicative="s").region
bounds = {beta: largest(region, "eta", beta=beta, s=3., lam=1.) for beta in (0., .9)}
print({beta: round(bound, 5) for beta, bound in bounds.items()})
assert abs(bounds[0.] - 2/10) < 1e-12
assert bounds[.9] < bounds[0.]/5                                # it does not: the step has to be nine times smaller
