"""Quadratic modes: where plain and accelerated descent are stable, how fast they are, and what the texts say of it."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    equivalent,
    evaluate,
    gradient_descent,
    heavy_ball,
    heavy_ball_ema,
    iterate,
    largest,
    linearize,
    method,
    monotone,
    nesterov,
    nesterov_yx,
    optimum,
    oscillation,
    quadratic,
    rate,
    stability,
)

from .measure import edge, halving, modes, radius, step_matrix, steps_to
from .picture import BLUE, GREY, VERMILION, note
from .study import study

BETAS = (0.0, 0.5, 0.9, 0.99)


@study("Q01", "Gradient descent is explicit Euler: bound and onset of oscillation",
       "Stable iff eta < 2/lambda_max; oscillation is said to begin just above that bound.")
def explicit_euler_bound() -> dict[str, Any]:
    lam, etas = 4.0, np.array([.2, .2501, .4999, .5001])
    region, calm = stability(gradient_descent), monotone(gradient_descent)
    run = iterate(gradient_descent, quadratic([lam]), x0=np.ones((4, 1)), steps=4000, eta=etas).x[..., 0]
    theory = {"bound": largest(region, "eta", lam=lam), **{f"stable at {e}": bool(region.contains(eta=e, lam=lam)) for e in etas},
              **{f"changes sign at {e}": not bool(calm.contains(eta=e, lam=lam)) for e in etas}}
    measured = {"bound": edge(gradient_descent, "eta", .1, 1., lam=lam),
                **{f"stable at {e}": bool(abs(x[-1]) < 1) for e, x in zip(etas, run)},
                **{f"changes sign at {e}": bool(x[1] < 0) for e, x in zip(etas, run)}}

    def draw(ax):
        t = np.linspace(0, 3.2, 200)
        ax.plot(t, np.exp(-lam*t), color=BLUE)
        note(ax, .35, np.exp(-.35*lam), "the flow", BLUE, dx=5, dy=6)
        zigzag = iterate(gradient_descent, quadratic([lam]), x0=[1.], steps=30, eta=.4).x[:, 0]
        for eta, x, colour in ((.2, run[0], GREY), (.4, zigzag, VERMILION), (.5001, run[3], "0.7")):
            k = np.arange(int(3.2/eta) + 1)
            ax.plot(k*eta, x[:k.size], ".-", lw=.7, color=colour)
        note(ax, 2.4, .06, "$\\eta = 0.2 < 1/\\lambda$: no zig-zag", GREY, dx=0, dy=6, ha="center")
        note(ax, .8, .36, "$\\eta = 0.4$: zig-zags and converges", VERMILION, dx=6, dy=2)
        note(ax, 3., -1, "$\\eta = 0.5001 > 2/\\lambda$: grows", GREY, dx=-4, dy=-9, ha="right")
        ax.set(xlabel="time $k\\eta$", ylabel="$x_k$", title="The zig-zag begins at half the bound", xlim=(0, 3.3), ylim=(-1.25, 1.1))
    return dict(verdict="the bound is true; the oscillation is false: iterates zig-zag, converging, from eta = 1/lambda on, and "
                        "every eta > 2/lambda diverges geometrically", theory=theory, measured=measured, tolerance=1e-4,
                derivation=(f"stable: {region}", f"without sign change: {calm}"), draw=draw)


@study("Q02", "The stability triangle of heavy ball", "Momentum changes the stability bound.")
def stability_triangle() -> dict[str, Any]:
    region, average = stability(heavy_ball), stability(heavy_ball_ema)
    theory = {f"classical, beta = {b}": largest(region, "eta", beta=b, lam=1.) for b in BETAS}
    theory |= {f"EMA, beta = {b}": largest(average, "eta", beta=b, lam=1.) for b in BETAS}
    measured = {f"classical, beta = {b}": edge(heavy_ball, "eta", .1, 8., beta=b) for b in BETAS}
    measured |= {f"EMA, beta = {b}": edge(heavy_ball_ema, "eta", .1, 800., beta=b) for b in BETAS}

    def draw(ax):
        beta, h = np.meshgrid(np.linspace(-1, 1, 300), np.linspace(0, 4, 300))
        rho = rate(heavy_ball).at(eta=h, beta=beta, lam=np.ones_like(h))
        ax.contourf(beta, h, np.where(rho < 1, rho, np.nan), levels=20, cmap="cividis_r")
        b = np.linspace(-1, 1, 50)
        ax.plot(b, [largest(region, "eta", beta=x, lam=1.) if abs(x) < 1 else 2*(1 + x) for x in b], color=VERMILION)
        ax.contour(beta, h, oscillation(heavy_ball).contains(eta=h, beta=beta, lam=1.).astype(float), levels=[.5], colors="w",
                   linestyles="--")
        ax.set(xlabel="$\\beta$", ylabel="$\\eta\\lambda$", title="Momentum doubles the stable step at most")
        ax.text(.1, .6, "complex roots", color="w", fontsize=7)
    return dict(verdict="true on a real quadratic mode: the bound grows from 2 to 2(1 + beta), 1.9 times at beta = 0.9; the EMA "
                        "buffer counts its step differently (38/lambda there)", theory=theory, measured=measured, tolerance=1e-4,
                derivation=(f"classical: {region}", f"EMA: {average}"), draw=draw)


@study("Q03", "Step size of Nesterov relative to heavy ball", "NAG needs a learning rate of 80-90 % of heavy ball's.")
def nesterov_step() -> dict[str, Any]:
    region, ball = stability(nesterov_yx), stability(heavy_ball)
    ratio = {b: largest(region, "eta", beta=b, lam=1.)/largest(ball, "eta", beta=b, lam=1.) for b in (*BETAS, .999)}
    same = equivalent(nesterov_yx, heavy_ball)
    theory = {**{f"bound, beta = {b}": largest(region, "eta", beta=b, lam=1.) for b in BETAS}, "ratio at 0.9": ratio[.9],
              "ratio at 0.999": ratio[.999],
              "one mode": 0.0}
    h, b = .3, .9                                     # on one mode the look-ahead lowers the momentum to b (1 - h)
    roots = [np.sort(np.abs(np.linalg.eigvals(step_matrix(r, 1., eta=h, beta=x)))) for r, x in ((nesterov_yx, b),
                                                                                             (heavy_ball, b*(1 - h)))]
    measured = {**{f"bound, beta = {b}": edge(nesterov_yx, "eta", .1, 4., beta=b) for b in BETAS},
                "ratio at 0.9": edge(nesterov_yx, "eta", .1, 4., beta=.9)/edge(heavy_ball, "eta", .1, 8., beta=.9),
                "ratio at 0.999": edge(nesterov_yx, "eta", .5, 2., beta=.999)/edge(heavy_ball, "eta", 2., 6., beta=.999),
                "one mode": float(np.abs(roots[0] - roots[1]).max())}

    def draw(ax):
        x = np.linspace(0, .999, 100)
        for r, colour, name in ((ball, BLUE, "heavy ball"), (region, VERMILION, "Nesterov")):
            y = [largest(r, "eta", beta=v, lam=1.) for v in x]
            ax.plot(x, y, color=colour)
            note(ax, x[60], y[60], name, colour, dx=-4, dy=10, ha="right")
        ax.set(xlabel="$\\beta$", ylabel="largest stable $\\eta\\lambda$", title="Nesterov's stable step falls to a third of "
                                                                                 "heavy ball's")
    return dict(verdict=f"false: the ratio of the bounds is 1/(1 + 2 beta), {ratio[.9]:.3f} at beta = 0.9 and 1/3 in the limit; "
                        f"on one mode NAG(h, b) is "
                        "heavy ball with momentum b (1 - h), on several modes it is no heavy ball",
                theory=theory, measured=measured, tolerance={k: 1e-9 if k == "one mode" else 1e-4 for k in theory},
                derivation=(f"Nesterov: {region}", f"heavy ball: {ball}", str(same)), draw=draw)


LOOKAHEAD = """v = beta*v + grad(x {} v); x = x - eta*v"""


@study("Q04", "Two printed look-ahead updates", "Two update rules are printed as Nesterov momentum.")
def printed_lookaheads() -> dict[str, Any]:
    rules = {"minus": method.from_string(LOOKAHEAD.format("- beta*"), state="x v"),
             "plus": method.from_string(LOOKAHEAD.format("+ beta*"), state="x v"),
             "minus, scaled": method.from_string(LOOKAHEAD.format("- eta*beta*"), state="x v")}
    regions, small = {n: stability(r) for n, r in rules.items()}, dict(eta=1e-6, beta=.9)
    lams = np.array([.05, .1, .5, 1., 1.9, 2.1, 5.])
    theory = {f"{n}: Nesterov": bool(equivalent(r, nesterov)) for n, r in rules.items()}
    theory |= {f"{n}: stable at lam = {x}": bool(regions[n].contains(lam=x, **small)) for n in rules for x in lams}
    paths = {n: modes(r, [.3, 1.], 60, eta=.1, beta=.5) for n, r in {**rules, "Nesterov": nesterov}.items()}
    measured = {f"{n}: Nesterov": bool(np.abs(paths[n] - paths["Nesterov"]).max() < 1e-12) for n in rules}
    for n, r in rules.items():
        measured |= {f"{n}: stable at lam = {x}": bool(radius(r, x, **small) < 1) for x in lams}
    for n in ("minus", "plus"):
        theory[f"{n}: steepest stable lam"] = largest(regions[n], "lam", **small)
        measured[f"{n}: steepest stable lam"] = halving(lambda x, n=n: bool(radius(rules[n], x, **small) < 1), .11, 4.)

    def draw(ax):
        x = np.linspace(.01, 3, 200)
        for (n, r), colour in zip(rules.items(), (BLUE, VERMILION, GREY)):
            y = rate(r).at(lam=x, **{k: np.full_like(x, v) for k, v in small.items()})
            ax.plot(x, y, color=colour)
            shown = {"minus": "look at $x - \\beta v$", "plus": "look at $x + \\beta v$", "minus, scaled": "Nesterov: $x - \\eta\\beta v$"}[n]
            note(ax, x[-1], y[-1], shown, colour, dx=-4, dy=-11 if n == "minus, scaled" else 2, ha="right", va="bottom")
        ax.axhline(1, color="0.7", lw=.6)
        ax.set(xlabel="$\\lambda$", ylabel="spectral radius, $\\eta \\to 0$", title="An unscaled look-ahead breaks at small "
                                                                                    "steps", ylim=(0, 4))
    return dict(verdict="neither is Nesterov momentum: the look-ahead point must be x - eta beta v in this convention; with an "
                        "unscaled buffer the "
                        "look-ahead does not vanish with the step, and both are unstable for steep modes even as eta -> 0",
                theory=theory, measured=measured, tolerance=1e-9, derivation=tuple(f"{n}: {r}" for n, r in regions.items()),
                draw=draw)


@study("Q05", "Iterations saved by momentum at kappa = 100", "At kappa = 100 momentum needs > 90 % fewer iterations.")
def iterations_saved() -> dict[str, Any]:
    spectrum, ends = [1., 100.], dict(mu=1., L=100.)
    best = {n: optimum(r).at(**ends) for n, r in (("gd", gradient_descent), ("hb", heavy_ball))}
    rho = {n: b.pop("rho") for n, b in best.items()}
    runs = {"gd": modes(gradient_descent, spectrum, 4000, **best["gd"]), "hb": modes(heavy_ball, spectrum, 4000, **best["hb"])}
    far = {n: np.linalg.norm(x, axis=1)/np.sqrt(2) for n, x in runs.items()}
    told = {n: np.linalg.norm([_powers(r, lam, 4000, **best[n]) for lam in spectrum], axis=0)/np.sqrt(2)
            for n, r in (("gd", gradient_descent), ("hb", heavy_ball))}
    saving, foretold = ({tol: 1 - steps_to(x["hb"], tol)/steps_to(x["gd"], tol) for tol in (1e-3, 1e-6, 1e-10)} for x in (far, told))
    slope = {n: (np.log(x[b]) - np.log(x[a]))/(b - a) for n, x, a, b in (("gd", far["gd"], 500, 1000),
                                                                         ("hb", far["hb"], 60, 120))}
    theory = {"asymptotic saving": 1 - np.log(rho["gd"])/np.log(rho["hb"]), "rate gd": rho["gd"], "over 90 % at 1e-10": foretold[1e-10] > .9,
              **{f"saving at {tol}": foretold[tol] for tol in foretold}}
    measured = {"asymptotic saving": 1 - slope["gd"]/(slope["hb"] - np.log(120/60)/60), "rate gd": float(np.exp(slope["gd"])),
                "over 90 % at 1e-10": bool(saving[1e-10] > .9), **{f"saving at {tol}": saving[tol] for tol in saving}}

    def draw(ax):
        for (n, x), colour, name in zip(far.items(), (BLUE, VERMILION), ("gradient descent", "heavy ball")):
            ax.semilogy(x[:1200], color=colour)
            ax.annotate(name, (250 if n == "hb" else 700, x[250 if n == "hb" else 700] + 1e-14), xytext=(4, 6),
                        textcoords="offset points", color=colour)
        ax.set(xlabel="$k$", ylabel="$|x_k|/|x_0|$", title="Nine in ten steps saved, but only in the long run", ylim=(1e-14, 3))
    listed = ", ".join(f"{100*s:.1f} % at {t:g}" for t, s in saving.items())
    return dict(verdict=f"half true: 90.03 % asymptotically; at finite tolerance {listed}, since the double root adds a factor k",
                theory=theory,
                measured=measured, tolerance={n: 5e-3 if n == "asymptotic saving" else 1e-6 for n in theory},
                derivation=(str(optimum(heavy_ball)),), draw=draw)


def _powers(rule: Any, lam: float, steps: int, **params: float) -> np.ndarray:
    """x_k on one mode from rest at 1, by powers of the matrix that the theory derives."""
    matrix = evaluate(linearize(rule).matrix, lam=lam, **params)
    state, path = np.eye(len(matrix))[0], []
    for _ in range(steps + 1):
        path.append(state[0])
        state = matrix @ state
    return np.array(path)
