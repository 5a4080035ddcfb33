# %% [markdown]
# # Flows: the equation behind an optimizer
#
# Make the steps of heavy ball small and its iterates draw a curve: the path of a ball with friction. Nesterov's method draws another
# one, whose friction fades like $3/t$. **Questions:** how close do iterates stay to their flow, how fast does each flow come home, and
# is "the ODE of Nesterov" that tutorials print really Nesterov's?

# %%
import matplotlib.pyplot as plt
import numpy as np

from dynopt import (
    compare,
    damped,
    evaluate,
    heavy_ball,
    iterate,
    late,
    lookahead_flow,
    lyapunov,
    nag_c,
    nesterov_flow,
    ode_limit,
    order_of,
    quadratic,
    solution,
    solve,
    style,
    symplectic_euler,
)

style.use("paper")

# %% [markdown]
# ## 1. From method to flow and back
#
# With $\eta = h^2$ and $\beta = 1 - \gamma h$ the step vanishes and a differential equation is left. It comes out of the declaration.
# Backwards, heavy ball is symplectic Euler of that flow; `order_of` says how far apart they are, for an arbitrary $f$.

# %%
limit = ode_limit(heavy_ball, {"eta": "h**2", "beta": "1 - gamma*h"})
order = order_of(symplectic_euler(damped), damped)
sides = compare(symplectic_euler(damped), damped, quadratic([1.0]), x0=[1.0], until=10.0, h=(0.04, 0.02, 0.01), gamma=0.5)
print(f"{limit.program}\n\n{order}\nmeasured order {sides.order:.2f}")
assert order.order == 1 and abs(sides.order - 1) < 0.05

# %%
t, figure = np.linspace(0, 12, 400), plt.figure(figsize=(5.6, 3.4))
ax = figure.gca()
ax.plot(t, solution(damped).at(t=t, gamma=0.5, lam=1.0), color="k", lw=1)
for h, colour in ((0.8, "#D55E00"), (0.4, "#0072B2"), (0.1, "#00795A")):
    x = iterate(heavy_ball, quadratic([1.0]), x0=[1.0], steps=int(12/h), eta=h*h, beta=1 - 0.5*h).x[:, 0]
    ax.plot(np.arange(x.size)*h, x, ".", color=colour, ms=3 if h < 0.2 else 6)
    ax.text(8, 0.6 + 0.35*h, f"$h = {h}$", color=colour)
ax.set(xlabel="$t = kh$", ylabel="$x$", title="Heavy ball on its flow")
plt.show()

# %% [markdown]
# ## 2. Nesterov's flow on a parabola is Bessel's function
#
# $\ddot x + \frac{C}{t}\dot x + \lambda x = 0$ has a closed form for every $C > 0$. Its amplitude falls like a **power** of $t$.

# %%
fates = {C: late(nesterov_flow).rate(lam=1.0, r=C) for C in (1.0, 3.0, 5.0)}
assert all(fate == (0, -C/2) for C, fate in fates.items())
run = solve(nesterov_flow, quadratic([1.0]), x0=[1.0], until=60.0, rtol=1e-10, atol=1e-12, r=3.0)
gap = np.abs(run.at(t[1:])["x"][:, 0] - solution(nesterov_flow).at(t=t[1:], lam=1.0, r=3.0)).max()
told = "\n".join(f"C = {C:g}: amplitude exp({s:g} t) t^({a:g})" for C, (s, a) in fates.items())
print(f"C = 3: {solution(nesterov_flow.subs(r=3))}\n{told}\nthe integrator agrees to 1e-8: {gap < 1e-8}")
assert gap < 1e-8

# %% [markdown]
# So "the flow converges like $1/t^2$ on strongly convex $f$" is imprecise: here $f$ falls like $t^{-3}$, never exponentially, and a
# constant friction wins. The theorem $f \le 2|x_0|^2/t^2$ is about *convex* $f$, and its proof is one line of the engine:

# %%
proof = lyapunov(nesterov_flow.subs(r=3), "t**2*f(x) + 2*norm(x + t/2*v)**2", given=("convex", "t > 0"))
print(proof)
assert proof.proof.status == "proved"

# %% [markdown]
# ## 3. Whose equation is it?
#
# Tutorials print $\ddot x + \frac{3}{t}\dot x + \nabla f(x + \frac{t}{t + 3}\dot x) = 0$ as Nesterov's. Its look-ahead does not vanish:

# %%
times = np.linspace(0.01, 30, 1500)
figure, ax = plt.subplots(figsize=(5.6, 3.4))
for rule, params, colour, name in ((lookahead_flow, {}, "#D55E00", "the printed equation"), (nesterov_flow, {"r": 3.0}, "#0072B2", "its limit")):
    y = solve(rule, quadratic([1.0]), x0=[1.0], until=30.0, rtol=1e-10, atol=1e-13, **params).at(times)["x"][:, 0]
    ax.semilogy(times, np.abs(y) + 1e-12, color=colour, lw=1)
    ax.text(0.6 if params == {} else 16, 1e-6 if params == {} else 0.4, name, color=colour)
x = iterate(nag_c, quadratic([1.0]), x0=[1.0], steps=900, eta=1e-3).x[::20, 0]
ax.semilogy(np.arange(x.size)*20*1e-3**0.5, np.abs(x), "k.", ms=3)
ax.set(xlabel="$t$", ylabel="$|x|$", title="Nesterov's iterates (dots) and two equations", ylim=(1e-8, 3))
plt.show()
print("the printed equation:", late(lookahead_flow).rate(lam=1.0)[0], "  Nesterov's flow:", late(nesterov_flow).rate(lam=1.0, r=3.0)[0])
assert late(lookahead_flow).rate(lam=1.0)[0] == -0.5

# %% [markdown]
# ## Exercise
#
# A ball starts at rest a distance $A$ from the bottom of a parabolic well of curvature one whose rim, on the other side, lies at distance
# one. With damping ratio $\zeta = 0.2$ ($\gamma = 2\zeta$), how large must $A$ be for the ball to get over the rim? Use the first turning
# point of the solution, then check it by a run.

# %%
when, where = solution(damped).turning
A = -1/evaluate(where, gamma=0.4, lam=1.0)
swing = solve(damped, quadratic([1.0]), x0=[-A], until=evaluate(when, gamma=0.4, lam=1.0), rtol=1e-10, gamma=0.4).x[-1, 0]
print(f"A = {A:.6f}")
assert np.isclose(A, np.exp(np.pi*0.2/np.sqrt(1 - 0.2**2))) and abs(swing - 1) < 1e-6
