"""Quadratic modes, continued: rates and tunings, overshoot, saddles, robustness."""
from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dynopt import gradient_descent, heavy_ball, iterate, largest, monotone, nesterov_yx, optimum, quadratic, rate, stability

from .measure import halving, modes, radius, worst
from .picture import BLUE, GREEN, GREY, VERMILION, note
from .study import study


@study("Q06", "Rates of Nesterov, heavy ball and gradient descent on quadratics",
       "NAG converges like (1 - sqrt(mu/L))^t, classical momentum like (1 - mu/L)^t.")
def rates_compared() -> dict[str, Any]:
    kappas = (10., 100., 1e4)
    tuned = {"tuned NAG": (nesterov_yx, optimum(nesterov_yx)), "heavy ball": (heavy_ball, optimum(heavy_ball))}
    everywhere = {"NAG": (nesterov_yx, rate(nesterov_yx).over("mu", "L")), "GD 1/L": (gradient_descent,
                                                                                      rate(gradient_descent).over("mu", "L"))}
    theory, measured = {}, {}
    for kappa in kappas:
        ends, root = dict(mu=1/kappa, L=1.), np.sqrt(kappa)
        given = {"NAG": dict(eta=1., beta=(root - 1)/(root + 1)), "GD 1/L": dict(eta=1.)}
        for name, (rule, best) in tuned.items():
            params = best.at(**ends)
            theory[f"{name}, kappa = {kappa:g}"] = float(params.pop("rho"))
            measured[f"{name}, kappa = {kappa:g}"] = worst(rule, **ends, **params)
        for name, (rule, found) in everywhere.items():
            theory[f"{name}, kappa = {kappa:g}"] = float(found.at(**ends, **given[name]))
            measured[f"{name}, kappa = {kappa:g}"] = worst(rule, **ends, **given[name])
    theory["heavy ball is the faster one"] = theory["heavy ball, kappa = 100"] < theory["tuned NAG, kappa = 100"]
    measured["heavy ball is the faster one"] = measured["heavy ball, kappa = 100"] < measured["tuned NAG, kappa = 100"]

    def draw(ax):
        for (name, colour) in zip(("GD 1/L", "NAG", "tuned NAG", "heavy ball"), (GREY, GREEN, BLUE, VERMILION)):
            y = [1 - theory[f"{name}, kappa = {k:g}"] for k in kappas]
            ax.loglog(kappas, y, "o-", color=colour)
            note(ax, kappas[-1], y[-1], name, colour, dx=6, dy={"NAG": -6, "tuned NAG": 4}.get(name, 0))
        ax.set(xlabel="condition number $\\kappa$", ylabel="$1 - \\rho$", title="On quadratics heavy ball is ahead of Nesterov",
               xlim=(8, 1e5))
    return dict(verdict="false as stated: (1 - mu/L) is gradient descent's rate at 1/L; on quadratics tuned heavy ball is "
                        "faster than Nesterov "
                        "(0.818 against 0.900 at kappa = 100)", theory=theory, measured=measured, tolerance=1e-6,
                derivation=tuple(f"{n}: {b}" for n, (_, b) in (tuned | everywhere).items()), draw=draw)


@study("Q07", "Which momentum for which condition number", "Choose beta in 0.5-0.9; too large a beta may fail to converge.")
def momentum_for_kappa() -> dict[str, Any]:
    best = optimum(heavy_ball)
    kappas = {b: halving(lambda k, b=b: best.at(mu=1., L=k)["beta"] < b, 1.5, 1e6, rounds=80) for b in (.5, .9, .99)}
    theory = {f"kappa = {k:.0f}": float(best.at(mu=1., L=k)["beta"]) for k in kappas.values()}
    measured = {f"kappa = {k:.0f}": _best_momentum(k) for k in kappas.values()}
    slow = dict(eta=1., beta=.999)
    theory |= {"rate at beta = 0.999": float(rate(heavy_ball).at(lam=1., **slow)),
               "beta = 0.999 converges": bool(stability(heavy_ball).contains(lam=1., **slow))}
    x = np.abs(modes(heavy_ball, 1., 40_000, **slow)[:, 0])
    top = [x[a:a + 1000].max() for a in (5000, 35_000)]
    measured |= {"rate at beta = 0.999": float((top[1]/top[0])**(1/30_000)), "beta = 0.999 converges": bool(x[-1] < 1e-6)}

    def draw(ax):
        k = np.geomspace(2, 1e6, 100)
        ax.semilogx(k, [best.at(mu=1., L=v)["beta"] for v in k], color=BLUE)
        for beta, kappa in kappas.items():
            ax.plot(kappa, beta, "o", color=VERMILION)
            ax.annotate(f"$\\beta = {beta}$: $\\kappa = {kappa:.0f}$", (kappa, beta), xytext=(6, -10), textcoords="offset points",
                        fontsize=7)
        ax.set(xlabel="condition number $\\kappa$", ylabel="best $\\beta$", title="The best momentum depends on the problem")
    return dict(verdict="folklore: the best beta follows from the condition number (0.5, 0.9, 0.99 fit 34, 1442, 158402); on "
                        "noiseless quadratics "
                        "no beta < 1 fails, it is only slow, like beta^(k/2)", theory=theory, measured=measured,
                tolerance={n: 2e-3 if n.startswith("kappa") else 1e-5 for n in theory}, derivation=(str(best),), draw=draw)


def _best_momentum(kappa: float) -> float:
    """The beta of the smallest worst radius over both ends, by refining a grid in (eta, beta)."""
    low, high = np.array([0., 0.]), np.array([4/kappa, 1.])
    for _ in range(14):
        eta, beta = np.meshgrid(*(np.linspace(a, b, 42)[1:-1] for a, b in zip(low, high)), indexing="ij")
        rho = np.maximum(radius(heavy_ball, 1., eta=eta, beta=beta), radius(heavy_ball, kappa, eta=eta, beta=beta))
        at = np.unravel_index(np.argmin(rho), rho.shape)
        width, centre = (high - low)/4, np.array([eta[at], beta[at]])
        low, high = np.maximum(centre - width, 0), centre + width
    return float(centre[1])


@study("Q08", "Momentum without overshoot", "There is a conservative beta without overshoot.")
def without_overshoot() -> dict[str, Any]:
    calm, hs = monotone(heavy_ball), (.01, .1, .5)
    critical = {h: largest(calm, "beta", eta=h, lam=1.) for h in hs}
    theory = {f"largest beta at h = {h}": critical[h] for h in hs}
    measured = {f"largest beta at h = {h}": _largest_calm(h) for h in hs}

    def draw(ax):
        h = .1
        for beta, colour in ((.9*critical[h], GREY), (critical[h], BLUE), (1.5*critical[h], VERMILION)):
            x = modes(heavy_ball, 1., 26, eta=h, beta=beta)[:, 0]
            ax.plot(x, ".-", color=colour, lw=.7)
        for y, beta, colour, name in ((.9, .9*critical[h], GREY, "calm"), (.8, critical[h], BLUE, "the largest calm one"),
                                      (.7, 1.5*critical[h], VERMILION, "overshoots")):
            ax.text(11, y, f"$\\beta = {beta:.3f}$: {name}", color=colour, fontsize=8)
        ax.axhline(0, color="0.8", lw=.6)
        ax.set(xlabel="$k$", ylabel="$x_k$", title="Up to the double root nothing overshoots")
    return dict(verdict="true per mode: from rest nothing overshoots up to the double root, beta <= (1 - sqrt(eta lambda))^2 with "
                        "eta lambda <= 1; with several modes it must hold for all of them", theory=theory, measured=measured, tolerance=2e-4,
                derivation=(f"no sign change: {calm}",), draw=draw)


def _largest_calm(h: float) -> float:
    """The momentum at which an iterate first turns negative, by halving on runs."""
    low, high = 0., 1.
    for _ in range(16):
        middle = (low + high)/2
        x = modes(heavy_ball, 1., 4000, eta=h, beta=middle)[:, 0]
        low, high = (middle, high) if (x > -1e-300).all() else (low, middle)
    return (low + high)/2


@study("Q09", "Escape from a linear saddle", "NAG leaves saddles in 34 % fewer steps.")
def escape_from_a_saddle() -> dict[str, Any]:
    h, start = .01, 1e-6                                        # f = -lam x^2/2: a negative step on a positive curvature
    rules = {"GD": (gradient_descent, {}), "HB": (heavy_ball, dict(beta=.9)), "NAG": (nesterov_yx, dict(beta=.9))}
    growth = {n: float(rate(r).at(eta=-h, lam=1., **p)) for n, (r, p) in rules.items()}
    paths = {n: _uphill(r, h, start, p) for n, (r, p) in rules.items()}
    steps = {n: int(np.argmax(np.abs(x) >= 1)) for n, x in paths.items()}
    theory = {f"growth of {n}": g for n, g in growth.items()} | {"NAG/HB time": np.log(growth["HB"])/np.log(growth["NAG"]),
                                                                 "34 % fewer": _least(lambda rule: rate(rule).at) <= .66}
    measured = {f"growth of {n}": float(paths[n][s]/paths[n][s - 1]) for n, s in steps.items()}
    slowest = _least(lambda rule: partial(radius, rule))
    measured |= {"NAG/HB time": float(np.log(measured["growth of HB"])/np.log(measured["growth of NAG"])),
                 "34 % fewer": slowest <= .66}

    def draw(ax):
        for (n, x), colour in zip(paths.items(), (GREY, BLUE, VERMILION)):
            ax.semilogy(np.abs(x[:steps[n] + 1]), color=colour)
            note(ax, steps[n], 1, f"{n}: {steps[n]} steps", colour, dx=6, dy=-4 - 13*(n == "HB"))
        ax.set(xlabel="$k$", ylabel="$|x_k|$", title="Momentum leaves a saddle; the look-ahead adds little", xlim=(0, 1900))
    return dict(verdict=f"unsupported: at h = 0.01 Nesterov needs {steps['NAG']} steps against heavy ball's {steps['HB']} "
                        f"(gradient descent {steps['GD']}); "
                        f"a linear saddle never gives less than {slowest:.3f} of the steps", theory=theory, measured=measured,
                tolerance=1e-4,
                derivation=tuple(f"{n} grows by {g:.6f} a step" for n, g in growth.items()), draw=draw)


def _least(growth: Any) -> float:
    """The smallest ratio of the escape times of Nesterov and heavy ball over steps and momenta."""
    beta, eta = np.meshgrid((.5, .9, .999), -np.geomspace(1e-4, 10, 60))
    fast, slow = (np.log(np.ravel(growth(rule)(lam=1., eta=eta, beta=beta))) for rule in (nesterov_yx, heavy_ball))
    return float((slow/fast).min())


def _uphill(rule: Any, h: float, start: float, params: dict[str, float]) -> np.ndarray:
    """Iterates on f = -x^2/2 from rest at a small distance, by running the declaration itself."""
    state = (start,) + ((start,) if "y" in rule.state else (0.,))*(len(rule.state) - 1)
    path = [start]
    for _ in range(2000):
        out = rule(*state, grad=lambda x: -x, eta=h, **params)
        state = out if isinstance(out, tuple) else (out,)
        path.append(state[0])
    return np.array(path)


@study("Q10", "Robustness to step size and momentum", "NAG is more robust to lr and beta.")
def robustness() -> dict[str, Any]:
    beta = (np.arange(100) + .5)/100
    regions = {"HB": stability(heavy_ball), "NAG": stability(nesterov_yx)}
    bounds = {n: np.array([largest(r, "eta", beta=b, lam=1.) for b in beta]) for n, r in regions.items()}
    theory = {f"stable area, {n}": float(b.mean()) for n, b in bounds.items()}
    eta, momentum = np.meshgrid((np.arange(1200) + .5)/300, beta)
    measured = {f"stable area, {n}": float((radius(r, 1., eta=eta, beta=momentum) < 1).mean()*4) for n, r in (("HB", heavy_ball),
                                                                                                              ("NAG",
                                                                                                               nesterov_yx))}
    draws = np.random.default_rng(0).uniform(size=(2, 1000, 1))
    at = dict(eta=.01*30**draws[0], beta=.5 + .49*draws[1])                           # a random search, as practitioners do it
    for L in (10., 5.):
        for n, r in (("HB", heavy_ball), ("NAG", nesterov_yx)):
            theory[f"divergent at L = {L:g}, {n}"] = 1 - float(regions[n].contains(lam=L, **at).mean())
            x = iterate(r, quadratic([L]), x0=np.ones((1000, 1)), steps=3000, record="last", **{k: v[:, 0] for k, v in at.items()}).x
            measured[f"divergent at L = {L:g}, {n}"] = float((~(np.abs(x[:, -1, 0]) < 1)).mean())
    theory["NAG has the larger area"] = theory["stable area, NAG"] > theory["stable area, HB"]
    measured["NAG has the larger area"] = measured["stable area, NAG"] > measured["stable area, HB"]

    def draw(ax):
        for (n, b), colour in zip(bounds.items(), (BLUE, VERMILION)):
            ax.fill_between(beta, b, color=colour, alpha=.25, lw=0)
            note(ax, .75, .8*b[75], {"HB": "heavy ball", "NAG": "Nesterov"}[n], colour, dx=0, ha="center")
        ax.set(xlabel="$\\beta$", ylabel="stable $\\eta\\lambda$", title="Nesterov keeps half of the stable area")
    return dict(verdict=f"false for stability: Nesterov's stable set has "
                        f"{100*theory['stable area, NAG']/theory['stable area, HB']:.1f} % of heavy ball's area",
                theory=theory, measured=measured, tolerance=5e-3,
                derivation=tuple(f"{n}: {r}" for n, r in regions.items()), draw=draw)
