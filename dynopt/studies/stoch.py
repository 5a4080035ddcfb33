"""Noise on a quadratic mode: what momentum does to additive and to multiplicative noise."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    equivalent,
    evaluate,
    heavy_ball,
    intervals,
    iterate,
    largest,
    method,
    moments,
    nesterov_yx,
    noisy_heavy_ball,
    quadratic,
    region,
    stability,
)

from .measure import edge, halved
from .picture import BLUE, COLOURS, GREY, VERMILION, note
from .stoch_runs import second_moment_radius, stationary
from .study import study

BETAS = np.array([0, .5, .9, .99])
SIGNS = np.array([-1., 1.])                                     # two nodes with mean 0 and variance 1


@study("S01", "Gradient noise in heavy ball", "Momentum filters gradient noise and stabilises training.")
def noise_of_heavy_ball() -> dict[str, Any]:
    law, e = moments(noisy_heavy_ball, additive=None), .01
    variance = law.variance("x")
    limit = law.leading("beta", to=1, where={"eta": "e*(1 - beta)"})
    unit = dict(lam=1., sigma=1.)
    theory = {f"variance at eta/(1 - beta) = 0.01, beta = {b:g}": evaluate(variance, eta=e*(1 - b), beta=b, **unit) for b in BETAS}
    theory["limit beta -> 1"] = evaluate(limit, e=e, **unit)
    theory["variance at eta = 0.01, beta = 0.9"] = evaluate(variance, eta=e, beta=.9, **unit)
    same, error = stationary(noisy_heavy_ball, burn=1000, steps=3000, every=40, lead=4, eta=e*(1 - BETAS), beta=BETAS, sigma=1.)
    more, error_more = stationary(noisy_heavy_ball, burn=1000, steps=1000, every=20, eta=e, beta=.9, sigma=1.)
    near, _ = stationary(noisy_heavy_ball, burn=5000, steps=6000, every=40, seed=2, eta=e*.002, beta=.998, sigma=1.)
    measured = dict(zip(theory, [*map(float, same), float(near), float(more)]))

    def draw(ax):
        b = np.linspace(0, .99, 200)
        ax.semilogy(b, evaluate(variance, eta=e, beta=b, **unit), color=VERMILION)
        ax.semilogy(b, evaluate(variance, eta=e*(1 - b), beta=b, **unit), color=BLUE)
        ax.errorbar(BETAS, same, 2*error, fmt="o", ms=4, color=BLUE)
        ax.errorbar([.9], [more], 2*error_more, fmt="o", ms=4, color=VERMILION)
        note(ax, .45, .011, "at the same $\\eta$: grows like $1/(1 - \\beta)$", VERMILION, dx=0, dy=12, ha="center")
        note(ax, .45, .005, "at the same $\\eta/(1 - \\beta)$: no change", BLUE, dx=0, dy=-9, ha="center")
        ax.set(xlabel="$\\beta$", ylabel="stationary Var $x$", title="Momentum does not filter noise out of the parameter", ylim=(.003, 1))
    return dict(verdict="misleading: the velocity is smoother, the parameter is not. At the same effective step eta/(1 - beta) the variance "
                        f"stays at {theory['limit beta -> 1']:.5f} whatever beta; at the same eta it grows 1/(1 - beta) times "
                        f"(Monte Carlo, standard error {100*float((error/same).max()):.1f} %)",
                theory=theory, measured=measured, tolerance=.02,
                derivation=(f"Var x = {variance}", f"beta -> 1 at eta = e (1 - beta): Var x -> {limit}"), draw=draw)


@method(source="Nesterov 2004, constant step scheme III, with gradient noise")
def noisy_nesterov(x, x_prev, *, eta, beta, sigma, grad, noise):
    y = x + beta*(x - x_prev)
    return y - eta*(grad(y) + sigma*noise()), x


@study("S02", "Gradient noise in Nesterov's method", "NAG is more robust to noise, says one text; NAG amplifies noise, says another.")
def noise_of_nesterov() -> dict[str, Any]:
    laws = {"NAG": moments(noisy_nesterov, additive=None), "HB": moments(noisy_heavy_ball, additive=None)}
    variance = {n: law.variance("x") for n, law in laws.items()}
    [stable] = stability(nesterov_yx).conditions
    louder = region(variance["NAG"] > variance["HB"], *stable, given=["0 < beta", "beta < 1", "sigma > 0"])
    [(crossing, end)] = intervals(louder, "eta", beta=.9, lam=1., sigma=1.)
    h, at = np.array([.1, .6, 1., 1.3, 1.345]), dict(beta=.9, lam=1., sigma=1.)
    theory = {f"NAG, h = {x}": evaluate(variance["NAG"], eta=x, **at) for x in h}
    theory |= {"crossing at beta = 0.9": crossing, "stability edge at beta = 0.9": end, "NAG louder at h = 1": bool(crossing < 1),
               "NAG louder at h = 1.345": bool(louder.contains(eta=1.345, **at))}
    settings = dict(burn=1000, steps=2000, every=10, lead=5, beta=.9, sigma=1.)
    nag, error = stationary(noisy_nesterov, eta=h, **settings)
    ball, _ = stationary(noisy_heavy_ball, eta=h, **settings)
    fine = np.linspace(1.31, 1.35, 5)
    pair = [stationary(r, burn=1000, steps=3000, every=10, paths=1500, lead=5, eta=fine, beta=.9, sigma=1.)[0]
            for r in (noisy_nesterov, noisy_heavy_ball)]
    measured = dict(zip(theory, map(float, nag)))
    measured |= {"crossing at beta = 0.9": float(np.interp(0, np.log(pair[0]/pair[1]), fine)),
                 "stability edge at beta = 0.9": edge(noisy_nesterov, "eta", 1.2, 1.5, steps=4000, beta=.9, sigma=0.),
                 "NAG louder at h = 1": bool(nag[2] > ball[2]), "NAG louder at h = 1.345": bool(nag[4] > ball[4])}

    def draw(ax):
        x = np.linspace(.01, 1.355, 400)
        for v, colour, points in zip(variance.values(), (VERMILION, BLUE), (nag, ball)):
            ax.semilogy(x, evaluate(v, eta=x, **at), color=colour)
            ax.semilogy(h, points, "o", ms=4, color=colour)
        note(ax, .8, evaluate(variance["HB"], eta=.8, **at), "heavy ball", BLUE, dx=0, dy=8)
        note(ax, .8, evaluate(variance["NAG"], eta=.8, **at), "Nesterov", VERMILION, dx=0, dy=-9)
        ax.axvline(crossing, color=GREY, lw=.7, ls=":")
        note(ax, crossing, .1, f"equal at {crossing:.3f}", dx=-3, ha="right")
        ax.set(xlabel="$\\eta\\lambda$", ylabel="stationary Var $x$ ($\\sigma = \\lambda = 1$, $\\beta = 0.9$)",
               title="Nesterov is quieter, until its edge", xlim=(0, 1.45))
    return dict(verdict=f"both half true: at equal (eta, beta) Nesterov has the smaller variance for eta lam < (1 + beta)^2/(1 + beta + "
                        f"beta^2), {crossing:.4f} at beta = 0.9, and the larger one from there to its edge {end:.4f}; for small steps both "
                        f"have the same (standard error {100*float((error/nag).max()):.1f} %)",
                theory=theory, measured=measured, tolerance={n: 2e-3 if "at beta" in n else .03 for n in theory},
                derivation=(f"Var x of Nesterov = {variance['NAG']}", f"Var x of heavy ball = {variance['HB']}", f"Nesterov louder: {louder}"),
                draw=draw)


@method(source="Polyak 1964 with a noisy curvature")
def jittered(x, x_prev, *, eta, beta, s, grad, noise):
    return x + beta*(x - x_prev) - eta*(grad(x) + s*noise()*x), x


@study("S04", "Multiplicative gradient noise", "Momentum stabilises under multiplicative noise.")
def multiplicative_noise() -> dict[str, Any]:
    law = moments(jittered, additive=None)
    settled, pairs = law.region, [(b, s2) for b in (0., .5, .9) for s2 in (.25, 1., 9.)]
    bound = {f"bound, beta = {b}, s^2 = {s2}": largest(settled, "eta", beta=b, s=s2**.5, lam=1.) for b, s2 in pairs}
    found = {f"bound, beta = {b}, s^2 = {s2}": _kronecker_edge(b, s2**.5, 2.5) for b, s2 in pairs}
    theory, measured = dict(bound), dict(found)
    for s2 in (.25, 9.):
        name = f"bound on eta/(1 - beta) at beta = 0.9 over that at 0, s^2 = {s2}"
        theory[name], measured[name] = (10*t[f"bound, beta = 0.9, s^2 = {s2}"]/t[f"bound, beta = 0.0, s^2 = {s2}"] for t in (bound, found))
    eta = np.array([.8, 1.2])*bound["bound, beta = 0.9, s^2 = 9.0"]
    run = iterate(jittered, quadratic([1.]), x0=np.ones((2, 200_000, 1)), steps=20, record="last", seed=1, eta=eta[:, None], beta=.9, s=3.)
    square = (run.x[..., 0]**2).mean(1)
    for r, e, q in zip((.8, 1.2), eta, square):
        lifted = np.linalg.matrix_power(evaluate(law.lifted, eta=e, beta=.9, s=3., lam=1.), 20)
        theory[f"E x^2 after 20 steps at {r} of the bound"], measured[f"E x^2 after 20 steps at {r} of the bound"] = lifted[0].sum(), q[-1]

    def draw(ax):
        b = np.linspace(0, .995, 60)
        for s2, colour in zip((0., .25, 1., 9.), COLOURS):
            y = [largest(settled, "eta", beta=x, s=s2**.5, lam=1.) for x in b]
            ax.plot(b, y, color=colour)
            note(ax, b[20], y[20], f"$s^2 = {s2:g}$" if s2 else "no noise", colour, dx=0, dy=6 if s2 else -9)
            ax.plot([q[0] for q in pairs if q[1] == s2], [measured[f"bound, beta = {q[0]}, s^2 = {q[1]}"] for q in pairs if q[1] == s2],
                    "o", ms=3.5, color=colour)
        ax.set(xlabel="$\\beta$", ylabel="largest $\\eta\\lambda$ with finite $E x^2$", title="With noisy curvature momentum costs step size")
    gains = [theory[f"bound on eta/(1 - beta) at beta = 0.9 over that at 0, s^2 = {s2}"] for s2 in (.25, 9.)]
    return dict(verdict="false where the noise matters: E x^2 -> 0 iff eta (lam^2 (1 - beta) + s^2 (1 + beta)) < 2 lam (1 - beta^2). For s >= "
                        "lam every momentum lowers the bound; for s < lam it rises up to beta = (lam - s)/(lam + s) and falls from there. "
                        f"The effective step eta/(1 - beta) may grow with beta, at most to 2 lam/s^2: by {gains[0]:.2f} at s^2 = 0.25, "
                        f"but only by {gains[1]:.2f} at s^2 = 9",
                theory=theory, measured=measured, tolerance={n: .1 if n.startswith("E") else 1e-4 for n in theory},
                derivation=(f"mean square: {settled}",), draw=draw)


def _kronecker_edge(beta: float, s: float, high: float) -> float:
    """The step at which the second-moment matrix, built from the declaration, reaches spectral radius 1."""
    def settles(eta: float) -> bool:
        given = dict(eta=eta, beta=beta, s=s, grad=lambda z: z)
        return second_moment_radius(lambda x, p, xi: jittered(x, p, noise=lambda: xi, **given), 2, [SIGNS]) < 1
    return halved(settles, 0., high, 30)


@method(source="Kennedy, Eberhart 1995 with inertia (Shi, Eberhart 1998), both attractors at the minimizer of |x|^2/2")
def swarm(x, x_prev, *, w, c, grad, uniform):
    return x + w*(x - x_prev) - (c*uniform() + c*uniform())*grad(x), x


@method
def mean_swarm(x, x_prev, *, w, c, grad):
    return swarm(x, x_prev, w=w, c=c, grad=grad, uniform=lambda: 1/2)


@study("S06", "Particle swarm inertia and momentum", "The inertia of a particle swarm is momentum.")
def particle_swarm() -> dict[str, Any]:
    twin, order1 = equivalent(mean_swarm, heavy_ball), stability(swarm)
    order2 = moments(swarm, additive=None).region
    usual = dict(w=.7298, c=1.49618, lam=1.)
    inertias = (0., .5, .7298)
    theory = {f"order 2: c1 + c2, w = {w}": 2*largest(order2, "c", w=w, lam=1.) for w in inertias}
    theory |= {f"order 1: c1 + c2, w = {w}": 2*largest(order1, "c", w=w, lam=1.) for w in inertias}
    theory |= {"usual setting inside": bool(order2.contains(**usual)), "mean is heavy ball": bool(twin)}
    nodes = .5 + SIGNS/np.sqrt(12)                              # mean and variance of a uniform draw
    measured = {f"order 2: c1 + c2, w = {w}": 2*_swarm_edge(w, [nodes, nodes]) for w in inertias}
    measured |= {f"order 1: c1 + c2, w = {w}": 2*_swarm_edge(w, [[.5], [.5]]) for w in inertias}
    run = iterate(swarm, quadratic([1.]), x0=np.ones((20000, 1)), steps=300, seed=1, w=.7298, c=1.49618)
    ball = iterate(heavy_ball, quadratic([1.]), x0=1., steps=30, beta=.7298, eta=1.49618).x[:, 0]
    measured |= {"usual setting inside": bool((run.x[:, -1]**2).mean() < 1e-3),
                 "mean is heavy ball": bool(np.abs(run.x[:, :31, 0].mean(0) - ball).max() < .1)}

    def draw(ax):
        w = np.linspace(-.999, .999, 200)
        for r, colour, word in ((order1, BLUE, "the mean converges"), (order2, VERMILION, "the variance too")):
            y = np.array([2*largest(r, "c", w=x, lam=1.) for x in w])
            ax.fill_between(w, y, color=colour, alpha=.22, lw=0)
            ax.plot(w, y, color=colour)
            note(ax, .62 if colour == BLUE else -.1, 3.98 if colour == BLUE else 1., word, colour, dx=0)
        ax.plot(.7298, 2*1.49618, "k*", ms=8)
        note(ax, .7298, 2.99, "usual setting", "k", dx=-6, dy=-9, ha="right")
        ax.set(xlabel="inertia $w$", ylabel="$c_1 + c_2$", title="A swarm is a heavy ball with a noisy step", xlim=(-1, 1), ylim=(0, 4.2))
    return dict(verdict="true for the mean: it is heavy ball with beta = w, eta = (c1 + c2)/2, stable for c1 + c2 < 4 (1 + w); the "
                        "variance asks for more, c1 + c2 < 24 (1 - w^2)/(7 - 5 w), and the usual setting is inside",
                theory=theory, measured=measured, tolerance=1e-4,
                derivation=(f"mean: {twin}", f"order 1: {order1}", f"order 2: {order2}"), draw=draw)


def _swarm_edge(w: float, draws: list[np.ndarray]) -> float:
    """The c at which the second-moment matrix reaches spectral radius 1."""
    def settles(c: float) -> bool:
        def step(x: float, p: float, *values: float) -> Any:
            turn = iter(values)
            return swarm(x, p, w=w, c=c, grad=lambda z: z, uniform=lambda: next(turn))
        return second_moment_radius(step, 2, draws) < 1
    return halved(settles, 0., 4.)
