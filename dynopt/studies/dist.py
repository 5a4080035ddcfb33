"""Delay: what old gradients cost, with and without momentum."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import delay_curve, delayed, evaluate, gradient_descent, heavy_ball, largest, optimum, rate, stability

from .measure import edge, halved, radius
from .picture import BLUE, COLOURS, GREY, VERMILION, note
from .study import study

TAUS = (0, 1, 2, 5, 10)


@study("D01", "Gradient descent with stale gradients", "Stale gradients limit stability.")
def stale_descent() -> dict[str, Any]:
    region = stability(delayed(gradient_descent, "tau"))
    [branch] = region.solve("eta")
    fixed = {tau: stability(delayed(gradient_descent, tau)) for tau in TAUS}
    theory = {f"largest h, tau = {tau}": evaluate(branch.upper, tau=tau, lam=1.) for tau in TAUS}
    theory |= {f"largest h by the polynomial, tau = {tau}": largest(fixed[tau], "eta", lam=1.) for tau in TAUS}
    found = {tau: halved(lambda e, tau=tau: radius(delayed(gradient_descent, tau), 1., eta=e) < 1, .01, 3., 30) for tau in TAUS}
    measured = {n: found[int(n.rpartition(" ")[2])] for n in theory}

    def draw(ax):
        tau = np.linspace(0, 12, 200)
        ax.plot(tau, evaluate(branch.upper, tau=tau, lam=1.), color=BLUE)
        ax.plot(TAUS, list(found.values()), "o", ms=4.5, color=VERMILION)
        note(ax, 2.2, .62, "$2\\sin\\frac{\\pi}{2(2\\tau + 1)}$", BLUE, dx=6, dy=12, fontsize=10)
        note(ax, 5, found[5], "measured", VERMILION, dx=0, dy=10)
        ax.set(xlabel="delay $\\tau$ in steps", ylabel="largest stable $\\eta\\lambda$", title="Old gradients ask for small steps",
               ylim=(0, 2.1))
    return dict(verdict="true: stable iff eta lam < 2 sin(pi/(2 (2 tau + 1))), about pi/(2 tau + 1)", theory=theory, measured=measured,
                tolerance=1e-6, derivation=(f"any delay: {region}", *(f"tau = {t}: {r}" for t, r in fixed.items() if t < 3)), draw=draw)


@study("D02", "Heavy ball with stale gradients", "Momentum is constrained by delay.")
def stale_momentum() -> dict[str, Any]:
    betas, taus = (.5, .9), (1, 2, 5, 10)
    free = stability(heavy_ball)
    general, curve = {tau: stability(delayed(heavy_ball, tau)) for tau in (1, 2)}, delay_curve(delayed(heavy_ball, "tau"))
    bound = {(b, tau): largest(general[tau], "eta", lam=1., beta=b) if tau in general else on_curve(curve, b, tau) for b in betas for tau in taus}
    theory = {f"by the curve, beta = {b}, tau = {tau}": on_curve(curve, b, tau) for b in betas for tau in (1, 2)}
    found = {(b, tau): halved(lambda e, b=b, tau=tau: radius(delayed(heavy_ball, tau), 1., eta=e, beta=b) < 1, 1e-3, 1.5, 30)
             for b in betas for tau in taus}
    alone = {b: largest(free, "eta", lam=1., beta=b) for b in betas}
    theory |= {f"largest h, beta = {b}, tau = {tau}": h for (b, tau), h in bound.items()}
    theory |= {f"part left by tau = {tau} at beta = 0.9": bound[.9, tau]/alone[.9] for tau in taus}
    without = edge(heavy_ball, "eta", .1, 8., beta=.9, steps=4000)
    measured = {f"largest h, beta = {b}, tau = {tau}": h for (b, tau), h in found.items()}
    measured |= {f"by the curve, beta = {b}, tau = {tau}": found[b, tau] for b in betas for tau in (1, 2)}
    measured |= {f"part left by tau = {tau} at beta = 0.9": found[.9, tau]/without for tau in taus}

    def draw(ax):
        b = np.linspace(0, .98, 40)
        for tau, colour in zip((1, 2), COLOURS):
            y = np.array([largest(general[tau], "eta", lam=1., beta=x)/largest(free, "eta", lam=1., beta=x) for x in b])
            ax.plot(b, y, color=colour)
            note(ax, b[8], y[8], f"$\\tau = {tau}$", colour, dx=2, dy=7)
        for tau, colour in zip((3, 5), COLOURS[2:]):
            y = [on_curve(curve, x, tau)/largest(free, "eta", lam=1., beta=x) for x in b]
            ax.plot(b, y, color=colour)
            note(ax, b[0], y[0], f"$\\tau = {tau}$", colour, dx=-4, ha="right")
        ax.axhline(1, color=GREY, lw=.8)
        note(ax, .5, 1, "no delay", dx=0, dy=-7)
        for (x, tau), h in found.items():
            if tau in (1, 2, 5):
                ax.plot(x, h/alone[x], "o", ms=4, color=dict(zip((1, 2, 5), (COLOURS[0], COLOURS[1], COLOURS[3])))[tau])
        ax.set(xlabel="$\\beta$", ylabel="largest $\\eta\\lambda$ over $2(1 + \\beta)$", title="One step of delay takes back what momentum gave",
               xlim=(-.09, 1.02), ylim=(0, 1.08))
    parts = ", ".join(f"{100*theory[f'part left by tau = {tau} at beta = 0.9']:.1f} % at tau = {tau}" for tau in taus)
    return dict(verdict="true, and severe: the largest h is 1 - beta at tau = 1, the root of (beta + h)(1 + h) = 1 at tau = 2, and in general the "
                        "smallest h of the curve below with its second entry equal to beta. At beta = 0.9 delay leaves "
                        f"{parts} of 2 (1 + beta): one stale step makes momentum's step smaller than that of plain descent",
                theory=theory, measured=measured, tolerance={n: 1e-3 if "part" in n else 1e-6 for n in theory},
                derivation=(f"tau = 1: {general[1]}", f"tau = 2: {general[2]}", *(f"any tau: {k} = {v}" for k, v in curve.items())), draw=draw)


def on_curve(curve: dict, beta: float, tau: int) -> float:
    """The smallest step at which a pair of roots meets the circle, at a momentum: the curve is followed to where it passes beta."""
    step, momentum = curve.values()
    theta = np.linspace(1e-6, np.pi - 1e-6, 4001)
    gap = evaluate(momentum, theta=theta, tau=tau) - beta
    turns = np.flatnonzero((gap[:-1]*gap[1:] < 0) & (np.abs(gap[1:] - gap[:-1]) < 1))
    roots = [halved(lambda t, s=np.sign(gap[i]): s*(evaluate(momentum, theta=t, tau=tau) - beta) > 0, theta[i], theta[i + 1]) for i in turns]
    steps = [evaluate(step, theta=t, tau=tau) for t in roots]
    return float(min(h for h in steps if h > 0))


@study("D03", "The best step under delay", "Staleness has its cost, even at the best step.")
def best_stale_step() -> dict[str, Any]:
    taus = (1, 3, 7)
    best = {tau: optimum(delayed(gradient_descent, tau), mu=1, L=1) for tau in taus}
    theory = {f"best h, tau = {tau}": best[tau].at()["eta"] for tau in taus} | {f"best rate, tau = {tau}": best[tau].at()["rho"] for tau in taus}
    measured = {}
    for tau in taus:
        low, high = 0., 1.
        for _ in range(6):
            h = np.linspace(low, high, 101)
            rho = radius(delayed(gradient_descent, tau), np.ones_like(h), eta=h)
            at = int(rho.argmin())
            low, high = h[max(at - 1, 0)], h[min(at + 1, 100)]
        measured[f"best h, tau = {tau}"], measured[f"best rate, tau = {tau}"] = float(h[at]), float(rho[at])

    def draw(ax):
        for tau, colour in zip((0, *taus), (GREY, *COLOURS)):
            h = np.geomspace(.005, 2, 500)
            rho = rate(delayed(gradient_descent, tau)).at(eta=h, lam=1.)
            ax.semilogx(h, rho, color=colour, lw=1.1)
            if tau:
                ax.plot(theory[f"best h, tau = {tau}"], theory[f"best rate, tau = {tau}"], "o", ms=4.5, color=colour)
            note(ax, *((.6, .2) if not tau else (theory[f"best h, tau = {tau}"], theory[f"best rate, tau = {tau}"])),
                 f"$\\tau = {tau}$", colour, dx=0, dy=-8, ha="center")
        ax.set(xlabel="$h = \\eta\\lambda$", ylabel="rate per step", title="The best step meets a double root", ylim=(0, 1.15))
    return dict(verdict="true: the best step is tau^tau/(tau + 1)^(tau + 1), where two roots meet at tau/(tau + 1): that is the best rate, so that "
                        "a delay of tau costs about tau + 1 steps for one time constant",
                theory=theory, measured=measured, tolerance={n: .01 if "h" in n.split(",")[0].split() else 2e-3 for n in theory},
                derivation=tuple(f"tau = {tau}: {b}" for tau, b in best.items()), draw=draw)
