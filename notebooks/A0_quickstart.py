# %% [markdown]
# # Quickstart
#
# An optimizer is a discretization of a damped differential equation. Declare one as its paper writes it; everything else
# follows from that one declaration.

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import damped, himmelblau, iterate, linearize, method, plot_paths, plot_region, solve, stability, style

style.use("paper")


@method(source="Polyak 1964, eq. (9)")
def heavy_ball(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v


# %% [markdown]
# ## Derive
#
# On one mode of a quadratic the gradient is $\lambda x$ and a step is a matrix. The method is stable where both of its
# eigenvalues lie inside the unit circle: a region in $\eta$, $\beta$ and $\lambda$, in closed form and proved.

# %%
linearize(heavy_ball)

# %%
region = stability(heavy_ball)
region

# %%
print(region, "  ", region.proof.status)
assert region.proof.status == "proved"

# %% [markdown]
# Ask it anything: a point, a boundary, the largest step.

# %%
assert region.contains(eta=3.7, beta=0.9, lam=1.0) and not region.contains(eta=3.9, beta=0.9, lam=1.0)
for boundary in region.boundaries:
    print(boundary)

# %% [markdown]
# ## Run it beside its flow
#
# With $\eta = h^2$ and $\beta = 1 - \gamma h$ the same iteration follows $\ddot x + \gamma \dot x + \nabla f(x) = 0$,
# step $k$ at time $t = kh$.

# %%
problem, x0, h, gamma = himmelblau(), [-1.0, -2.5], 0.05, 1.0
iterates = iterate(heavy_ball, problem, x0=x0, steps=400, eta=h**2, beta=1 - gamma*h)
flow = solve(damped, problem, x0=x0, until=400*h, gamma=gamma)
distance = np.abs(iterates.x - flow.at(iterates.k*h)["x"]).max()
print(f"largest distance {distance:.3f}, f at the end {iterates.f[-1]:.1e}")
assert distance < 0.5 and iterates.f[-1] < 1e-6

# %% [markdown]
# ## See it

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.6))
plot_paths([iterates, flow], left, problem=problem, labels=("iterates", "flow"), title="Heavy ball shadows its flow")
plot_region(region, right, at={"lam": 1.0}, xlim=(0.0, 4.4), ylim=(-1.0, 1.0), title="Where it is stable, at curvature 1")
plt.show()
