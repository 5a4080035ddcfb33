"""Steps that change: decay like 1/k, and cosine restarts."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    annealed,
    cos,
    decay,
    evaluate,
    gradient_descent,
    iterate,
    method,
    noisy_gradient_descent,
    pi,
    quadratic,
    schedule,
)

from .picture import BLUE, COLOURS, GREY, VERMILION, note
from .stoch_runs import slope
from .study import study

HARMONIC = noisy_gradient_descent.subs(eta=schedule("c/(k + 1)"))
COSINE = noisy_gradient_descent.subs(eta=schedule("eta_max*(1 + cos(pi*(k % T)/T))/2"))


@study("S08", "Step sizes that decay like 1/k", "Polynomial decay converges exactly.")
def harmonic_steps() -> dict[str, Any]:
    law, unit = decay(HARMONIC, additive=None), dict(lam=1., sigma=1.)
    variance, power, (infinite, finite) = law.variance, law.mean_square_exponent, law.robbins_monro
    over, under = variance.as_numer_denom()
    cs = np.array([.75, 1., 2.])
    theory = {f"k E x^2, c lam = {c}": evaluate(variance, c=c, **unit) for c in cs}
    theory |= {f"power of k, c lam = {c}": evaluate(power, c=c, lam=1.) for c in (.25, 2.)}
    run = iterate(HARMONIC, quadratic([1.]), x0=np.ones((3, 8000, 1)), steps=6000, record=600, seed=1, c=cs[:, None], sigma=1.)
    scaled = run.k*(run.x[..., 0]**2).mean(1)
    error = scaled[:, -1]*np.sqrt(2/8000)
    slow = iterate(HARMONIC, quadratic([1.]), x0=np.full((6000, 1), 20.), steps=4800, record=100, seed=2, c=.25, sigma=1.)
    fast = iterate(HARMONIC, quadratic([1.]), x0=np.ones((6000, 1)), steps=4800, record=100, seed=3, c=2., sigma=1.)
    measured = {f"k E x^2, c lam = {c}": float(s[-3:].mean()) for c, s in zip(cs, scaled)}
    measured |= {f"power of k, c lam = {c}": slope(r.k[4:], (r.x[:, 4:, 0]**2).mean(0)) for c, r in ((.25, slow), (2., fast))}

    def draw(ax):
        k = run.k[1:]
        for c, s, colour in zip(cs, scaled, COLOURS):
            ax.plot(k, s[1:], "o-", ms=3, lw=.8, color=colour)
            ax.plot([0, k[-1]], [theory[f"k E x^2, c lam = {c}"]]*2, color=colour, lw=.8, ls="--")
            note(ax, k[-1], theory[f"k E x^2, c lam = {c}"], f"$c\\lambda = {c:g}$", colour)
        ax.set(xlabel="$k$", ylabel="$k\\, E x_k^2$", title="With steps $c/k$ the variance falls like $1/k$", xlim=(0, 7200), ylim=(.8, 1.5))
    return dict(verdict="true: k E x^2 -> c^2 sigma^2/(2 c lam - 1) for c lam > 1/2; below, the start is forgotten more slowly than the noise "
                        f"averages out and E x^2 falls only like k^(-2 c lam) (measured power {measured['power of k, c lam = 0.25']:.3f} at "
                        f"1/4; standard error {100*float((error/scaled[:, -1]).max()):.1f} %). The sum of squared steps has to be finite, a "
                        "condition that is often printed without '< infinity'",
                theory=theory, measured=measured, tolerance={n: .05 if "lam = 0.75" in n else .03 for n in theory},
                derivation=(f"lim k E x^2 = {-over/-under}", f"E x^2 of order k^{str(power).lower()}",
                            f"sum of the steps infinite: {infinite}; sum of their squares finite: {finite} (Robbins, Monro)"), draw=draw)


@method
def second_moment(v, *, eta_max, s, sigma, T, k):
    eta = eta_max*(1 + cos(pi*(k % T)/T))/2
    return (1 - eta*s)**2*v + eta**2*sigma**2


@study("S09", "Cosine restarts", "Cosine restarts never converge.")
def cosine_restarts() -> dict[str, Any]:
    law = annealed(gradient_descent.subs(eta=schedule("eta_max*(1 + cos(pi*k/T))/2")))
    given, periods = dict(eta_max=.5, lam=1., sigma=1.), (20, 100, 1000, 16000)
    trough = {T: law.trough(T=T, **given) for T in periods}
    limit = evaluate(law.leading, T=16000., **given)
    theory = {**{f"trough, T = {T}": v for T, v in trough.items()}, "power of T": float(law.order), "trough of long cycles, T = 16000": limit,
              "troughs of fixed T go to 0": False, "troughs of growing T go to 0": bool(law.order < 0)}
    found = {T: iterate(second_moment, x0=1., steps=4*T if T < 10000 else 2*T, record=T, eta_max=.5, s=1., sigma=1., T=float(T)).v[-1, 0]
             for T in periods}
    paths = iterate(COSINE, quadratic([1.]), x0=np.zeros((20000, 1)), steps=300, seed=1, eta_max=.5, T=100., sigma=1.)
    square = (paths.x[..., 0]**2).mean(0)
    measured = {f"trough, T = {T}": float(v) for T, v in found.items()}
    measured |= {"power of T": slope(np.array([1000., 16000.]), np.array([found[1000], found[16000]])),
                 "trough of long cycles, T = 16000": float(found[16000]), "troughs of fixed T go to 0": bool(square[300] < square[200]/2),
                 "troughs of growing T go to 0": bool(found[16000] < found[1000]/2 < found[100]/4)}
    theory["Monte Carlo, T = 100"], measured["Monte Carlo, T = 100"] = trough[100], float(square[[200, 300]].mean())

    def draw(ax):
        k = np.arange(201)
        exact = law.variance(T=100, **given)
        ax.semilogy(k, np.concatenate([exact, exact[1:]]), color=BLUE)
        ax.semilogy(k[::5], square[100:301:5], ".", ms=3, color=BLUE)
        floor = noisy_gradient_descent
        constant = iterate(floor, quadratic([1.]), x0=np.zeros((4000, 1)), steps=200, seed=1, eta=.25, sigma=1.)
        harmonic = iterate(HARMONIC, quadratic([1.]), x0=np.zeros((4000, 1)), steps=200, seed=1, c=1., sigma=1.)
        for run, colour, word in ((constant, GREY, "constant step"), (harmonic, VERMILION, "$1/k$")):
            v = (run.x[..., 0]**2).mean(0)
            ax.semilogy(k[2:], v[2:], color=colour, lw=.9)
            note(ax, 200, v[-1], word, colour)
        ax.plot([100, 200], [trough[100]]*2, "o", ms=4, color=BLUE)
        note(ax, 100, trough[100], "trough", BLUE, dx=0, dy=-8, ha="center")
        ax.set(xlabel="$k$", ylabel="$E x_k^2$", title="Every restart heats up again; the troughs stay")
    return dict(verdict="true for cycles of fixed length, whose troughs stay where they are; false for cycles that grow: the trough falls like "
                        f"T^(-2/3), slower than the 1/T of a well-chosen 1/k (Monte Carlo at T = 100, standard error "
                        f"{100*np.sqrt(1/20000):.1f} %)",
                theory=theory, measured=measured,
                tolerance={n: .03 if "Monte" in n else .01 if "long" in n or "power" in n else 1e-6 for n in theory},
                derivation=(f"1 - a_k = {law.step}", f"trough for long cycles: {law.leading}"), draw=draw)
