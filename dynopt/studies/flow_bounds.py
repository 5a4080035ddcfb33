"""Flows as filters, Nesterov's worst case, a quadratic solved at once, and how far integrators reach."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    damped,
    dot,
    evaluate,
    explicit_euler,
    fixed_point,
    gradient_descent,
    gradient_flow,
    heavy_ball,
    implicit_euler,
    iterate,
    largest,
    linearize,
    lyapunov,
    maximum,
    method,
    nag_c,
    nesterov_flow,
    optimum,
    quadratic,
    rate,
    rk4,
    solution,
    solve,
    stability,
    stability_interval,
    symplectic_euler,
)

from .measure import edge, halving, radius
from .picture import BLUE, COLOURS, GREY, VERMILION, note
from .study import study

ENERGY = "t**2*f(x) + 2*norm(x + t/2*v)**2"


@study("F09", "Flows as regularising filters", "Momentum acts as a regularising operator.")
def filters() -> dict[str, Any]:
    plain, fading = solution(gradient_flow), solution(nesterov_flow.subs(r=3))
    ridge = linearize(implicit_euler(gradient_flow)).matrix[0]            # one implicit step is Tikhonov's a/(lam + a), a = 1/h
    h = 1e-6
    slope = (evaluate(ridge, h=h, lam=1.) - 1)/h
    theory = {"a t of the flow": slope/evaluate(plain.series(1)[1], t=1.), "a t^2 of Nesterov's flow": slope/evaluate(fading.series(1)[1], t=1.)}
    measured = {}
    for name, rule, params, power in (("a t of the flow", gradient_flow, {}, 1), ("a t^2 of Nesterov's flow", nesterov_flow, {"r": 3.}, 2)):
        t, lam = 2., 1e-4
        x = solve(rule, quadratic([lam]), x0=[1.], until=t, rtol=1e-13, atol=1e-15, **params).x[-1, 0]
        a = lam*x/(1 - x)                                                  # the ridge that filters this mode alike
        measured[name] = float(a*t**power)
    lam, signal, noise = _deconvolution()
    times, errors = np.geomspace(1, 1e6, 200), {}
    for name, found, spread in (("flow", plain, 1.), ("Nesterov's flow", fading, .5)):
        kept = found.at(t=times[:, None]**spread, lam=lam)                 # what is left of each mode at this time
        errors[name] = np.sqrt(((kept*signal - (1 - kept)*noise/np.sqrt(lam))**2).sum(1))
    ridges = np.array([evaluate(ridge, h=t, lam=lam) for t in times])
    errors["Tikhonov"] = np.sqrt(((ridges*signal - (1 - ridges)*noise/np.sqrt(lam))**2).sum(1))
    theory["early stopping is as good as Tikhonov"] = bool(errors["flow"].min() < 1.1*errors["Tikhonov"].min())
    best = times[np.argmin(errors["flow"])], np.sqrt(times[np.argmin(errors["Nesterov's flow"])])
    theory["Nesterov needs the root of the time"] = _in_the_root(*best)
    runs = {n: _stopped(r, lam, signal, noise, np.unique(np.geomspace(1, m, 200).astype(int)), **p)
            for n, r, m, p in (("flow", gradient_descent, 20_000, {"eta": 1.}), ("Nesterov's flow", nag_c, 2000, {"eta": 1.}))}
    measured["early stopping is as good as Tikhonov"] = bool(runs["flow"][1].min() < 1.1*errors["Tikhonov"].min())
    seen = [float(k[e.argmin()]) for k, e in runs.values()]
    measured["Nesterov needs the root of the time"] = _in_the_root(*seen)

    def draw(ax):
        shown = np.geomspace(1, 2e4, 300)
        for (name, (k, e)), colour in zip(runs.items(), (GREY, BLUE)):
            ax.loglog(k, e, color=colour)
            i = int(np.argmin(e))
            ax.plot(k[i], e[i], "o", color=colour)
            note(ax, k[i], e[i], "gradient descent" if name == "flow" else "Nesterov", colour, dx=0, dy=-11, ha="center")
        ax.axhline(errors["Tikhonov"].min(), color=VERMILION, lw=.8, ls="--")
        note(ax, shown[-1], errors["Tikhonov"].min(), "the best Tikhonov", VERMILION, dx=-70, dy=7)
        ax.set(xlabel="steps", ylabel="error of the reconstruction", title="Stop early: momentum gets there in the root of the time", ylim=(6e-3, 1))
    return dict(verdict="plausible in this precise form: stopping at t filters small curvatures like Tikhonov's a = 1/t for the gradient flow "
                        "and a = 8/t^2 for Nesterov's, so momentum reaches the same regularization in the root of the time (best stopping times "
                        f"{best[0]:.0f} and {best[1]:.0f} on a noisy deconvolution); after it the noise comes back",
                theory=theory, measured=measured, tolerance=2e-3,
                derivation=(f"flow: {plain}", f"Nesterov's flow: {fading}", f"one implicit step: {ridge}",
                            f"first coefficients in lam: {plain.series(1)[1]}, {fading.series(1)[1]}"), draw=draw)


def _in_the_root(slow: float, fast: float) -> bool:
    """Whether one time is of the order of the root of another."""
    return bool(fast < 5*np.sqrt(slow) < slow)


def _deconvolution() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Curvatures, a smooth signal and noise of a Gaussian blur on a ring, in the blur's own modes."""
    k = np.arange(48)
    rng = np.random.default_rng(0)
    return np.exp(-(k/7)**2) + 1e-12, 1/(1 + (k/5)**4)*rng.choice([-1, 1], 48), 2e-4*rng.normal(size=48)


def _stopped(rule: Any, lam: np.ndarray, signal: np.ndarray, noise: np.ndarray, when: np.ndarray, **params: float) -> tuple:
    """Errors of the iterates on noisy data, at some steps; modes are measured from the solution that the noise shifts."""
    shifted = signal + noise/np.sqrt(lam)
    x = iterate(rule, quadratic(lam), x0=-shifted, steps=int(when[-1]), **params).x[when] + shifted
    return when, np.linalg.norm(x - signal, axis=1)


@study("F10", "Nesterov's worst case and the slope of the error", "Momentum lowers the number of steps from O(1/eps) to O(1/sqrt(eps)).")
def worst_case() -> dict[str, Any]:
    n, k, L = 2001, 1000, 1.
    j = np.arange(1, n + 1)
    modes = np.sqrt(2/(n + 1))*np.sin(np.outer(j, j)*np.pi/(n + 1))        # eigenvectors of the tridiagonal matrix
    bent = 2*modes - np.roll(modes, 1, 0)*(j > 1)[:, None] - np.roll(modes, -1, 0)*(j < n)[:, None]
    lam = L/4*np.einsum("ij,ij->j", modes, bent)                           # f = L/4 (x.T x/2 - x_1), T = tridiagonal (-1, 2, -1)
    c = L/4*modes[0]/lam                                                       # the minimizer in its modes; runs start at zero
    rules = {"GD": (gradient_descent, {"eta": 1/L}), "HB": (heavy_ball, {"eta": 1/L, "beta": .9}), "NAG": (nag_c, {"eta": 1/L})}
    runs = {name: iterate(r, quadratic(lam), x0=-c, steps=k, **p).x for name, (r, p) in rules.items()}
    f = {name: (lam*x*x/2).sum(1) for name, x in runs.items()}
    told = {name: {s: _height(r, lam, c, s, p) for s in (500, k)} for name, (r, p) in rules.items() if name != "NAG"}
    slope = {name: np.log(t[k]/t[500])/np.log(2) for name, t in told.items()}
    upper, lower = 2*L*(c @ c)/(k + 1)**2, 3*L*(c @ c)/32/(k + 1)**2
    falls = lyapunov(nesterov_flow.subs(r=3), ENERGY, given=("convex", "t > 0"))
    theory = {"f_1000 of GD": told["GD"][k], "f_1000 of HB": told["HB"][k], "slope of GD": slope["GD"], "slope of HB": slope["HB"],
              "heavy ball has the slope of gradient descent": abs(slope["HB"] - slope["GD"]) < .1,
              "Nesterov is under 2 L |x0|^2/(k + 1)^2": bool(falls)}
    seen = {name: float(np.log(v[k]/v[500])/np.log(2)) for name, v in f.items()}
    measured = {"f_1000 of GD": float(f["GD"][k]), "f_1000 of HB": float(f["HB"][k]), "slope of GD": seen["GD"], "slope of HB": seen["HB"],
                "heavy ball has the slope of gradient descent": abs(seen["HB"] - seen["GD"]) < .1,
                "Nesterov is under 2 L |x0|^2/(k + 1)^2": bool(lower < f["NAG"][k] < upper)}

    def draw(ax):
        s = np.arange(1, k + 1)
        ax.fill_between(s, 3*L*(c @ c)/32/(s + 1)**2, 2*L*(c @ c)/(s + 1)**2, color="0.9", lw=0)
        for (name, v), colour in zip(f.items(), (GREY, VERMILION, BLUE)):
            ax.loglog(s, v[1:], color=colour)
            note(ax, k, v[k], {"GD": "gradient descent", "HB": "heavy ball, $\\beta = 0.9$", "NAG": "Nesterov"}[name], colour)
        note(ax, 1.3, 1.2e-4, "grey: between the lower bound of first-order\nmethods and the bound of Nesterov's", GREY, dx=0)
        ax.set(xlabel="$k$", ylabel="$f_k$", title="Constant momentum keeps the slope, Nesterov's doubles it", xlim=(1, 1e4), ylim=(3e-5, .3))
    return dict(verdict="false for classical momentum: on Nesterov's worst case heavy ball with constant beta keeps gradient descent's slope "
                        f"({seen['GD']:.2f}, {seen['HB']:.2f}) and gains a constant; Nesterov's has {seen['NAG']:.2f}, between the bounds "
                        f"{lower:.1e} and {upper:.1e} at k = 1000 (f = {f['NAG'][k]:.1e})", theory=theory, measured=measured, tolerance=1e-6,
                derivation=(f"one step of heavy ball on a mode: {linearize(heavy_ball).matrix.tolist()}",
                            f"along Nesterov's flow E = {ENERGY}: {falls}"), draw=draw)


def _height(rule: Any, lam: np.ndarray, c: np.ndarray, k: int, params: dict[str, float]) -> float:
    """f_k by powers of the derived matrix, one for each mode."""
    power = np.linalg.matrix_power(evaluate(linearize(rule).matrix, lam=lam, **params), k)
    return float((lam*(power[:, 0, 0]*c)**2/2).sum())


@method(source="Hestenes, Stiefel 1952, eqs. (3:1)")
def conjugate_gradients(x, r, p, *, hess):
    a = hess(x, p)
    step = dot(r, r)/maximum(dot(p, a), 1e-300)
    r_next = r - step*a
    return x + step*p, r_next, r_next + dot(r_next, r_next)/maximum(dot(r, r), 1e-300)*p


@study("F12", "A quadratic is solved, not searched", "A quadratic is solved, not searched.")
def solved() -> dict[str, Any]:
    lam, best, tuned = np.geomspace(1, 10, 12), {}, {"GD": optimum(gradient_descent), "HB": optimum(heavy_ball)}
    for name, rule in (("GD", gradient_descent), ("HB", heavy_ball)):
        best[name] = (rule, tuned[name].at(mu=1., L=10.))
    x0 = np.ones(12)
    runs = {name: iterate(rule, quadratic(lam), x0=x0, steps=150, **{n: v for n, v in p.items() if n != "rho"}).x for name, (rule, p) in best.items()}
    first = {"x": x0, "r": -lam*x0, "p": -lam*x0}
    runs["CG"] = iterate(conjugate_gradients, quadratic(lam), x0=first, steps=12).x
    far = {name: np.sqrt((lam*x*x).sum(1)/(lam*x0*x0).sum()) for name, x in runs.items()}
    home = fixed_point(gradient_descent, minimizer="a")
    told = [_best_polynomial(lam, x0, j) for j in (2, 4, 6)]
    theory = {"error of CG after 2, 4, 6 steps": np.array(told), "error of CG after 12 steps": 0, "rate of GD": best["GD"][1]["rho"],
              "where gradient descent rests": evaluate(home["x"], a=3.)}
    rest = iterate(gradient_descent.subs(eta=".4"), quadratic([1.]), x0=[-2.], steps=200).x[-1, 0] + 3
    measured = {"error of CG after 2, 4, 6 steps": far["CG"][[2, 4, 6]], "error of CG after 12 steps": float(far["CG"][12]),
                "rate of GD": float((far["GD"][150]/far["GD"][75])**(1/75)), "where gradient descent rests": float(rest)}

    def draw(ax):
        for (name, e), colour, text in zip(far.items(), (GREY, VERMILION, BLUE), ("gradient descent", "heavy ball", "conjugate gradients")):
            ax.semilogy(e[:71], color=colour, marker="o" if name == "CG" else None, ms=3)
            at = {"GD": 45, "HB": 24, "CG": 12}[name]
            note(ax, at, e[at] if name != "CG" else 1e-10, text, colour, dx=8, dy=8 if name != "CG" else 0)
        ax.set(xlabel="$k$", ylabel="relative error", title="Twelve curvatures, twelve steps", ylim=(1e-13, 3))
    return dict(verdict="true: x* solves a linear system, and conjugate gradients end after as many steps as there are curvatures "
                        f"(relative error {far['CG'][12]:.0e} after 12); tuned gradient descent and heavy ball only search",
                theory=theory, measured=measured, tolerance={n: 1e-9 if "12" in n else 1e-6 for n in theory},
                derivation=(f"gradient descent rests at {home['x']}", *(f"{n}: {t}" for n, t in tuned.items()),
                            "after j steps: the smallest error of any polynomial of degree j that is 1 at zero"), draw=draw)


def _best_polynomial(lam: np.ndarray, x0: np.ndarray, degree: int) -> float:
    """The smallest relative error in the energy norm over polynomials p with p(0) = 1, by least squares."""
    scale, weight = lam/lam.max(), np.sqrt(lam)*x0
    columns = np.polynomial.chebyshev.chebvander(2*scale - 1, degree - 1)*(scale*weight)[:, None]
    left = weight + columns @ np.linalg.lstsq(columns, -weight, rcond=None)[0]
    return float(np.linalg.norm(left)/np.linalg.norm(weight))


@study("F13", "Step-size limits of three integrators", "Optimizers are integrators with a step size.")
def limits() -> dict[str, Any]:
    schemes = {"explicit Euler, gamma = 0.2": (explicit_euler(damped), .2), "symplectic Euler, gamma = 0.2": (symplectic_euler(damped), .2),
               "symplectic Euler, gamma = 1": (symplectic_euler(damped), 1.)}
    regions = {n: stability(r) for n, r in (("explicit Euler", explicit_euler(damped)), ("symplectic Euler", symplectic_euler(damped)),
                                            ("RK4 on the gradient flow", rk4(gradient_flow)))}
    theory = {n: largest(regions[n.partition(",")[0]], "h", gamma=g, lam=1.) for n, (r, g) in schemes.items()}
    theory["RK4 on the gradient flow"] = largest(regions["RK4 on the gradient flow"], "h", lam=1.)
    end = stability_interval(rk4).real
    theory["RK4, all real modes"] = evaluate(end)
    found = rate(rk4(damped))
    for g in (.2, 1.):
        theory[f"RK4 on the oscillator, gamma = {g:g}"] = halving(lambda h, g=g: found.at(h=h, gamma=g, lam=1.) < 1, .5, 4.)
    measured = {n: edge(r, "h", .02, 4., gamma=g) for n, (r, g) in schemes.items()}
    measured |= dict.fromkeys(("RK4 on the gradient flow", "RK4, all real modes"), edge(rk4(gradient_flow), "h", .1, 6.))
    measured |= {f"RK4 on the oscillator, gamma = {g:g}": edge(rk4(damped), "h", .5, 4., gamma=g) for g in (.2, 1.)}

    def draw(ax):
        gamma = np.linspace(.02, 2, 60)
        for (name, rule), colour in zip((("explicit Euler", explicit_euler(damped)), ("symplectic Euler", symplectic_euler(damped)),
                                         ("Runge-Kutta 4", rk4(damped))), COLOURS):
            h = np.array([halving(lambda h, g=g, r=rule: bool(radius(r, 1., h=h, gamma=g) < 1), 1e-3, 4., rounds=16) for g in gamma])
            ax.plot(gamma, h, color=colour)
            note(ax, gamma[-1], h[-1], name, colour)
        ax.set(xlabel="friction $\\gamma/\\sqrt{\\lambda}$", ylabel="largest stable $h\\sqrt{\\lambda}$", title="How far each integrator reaches",
               xlim=(0, 2.75), ylim=(0, 3.1))
    return dict(verdict="right: an optimizer is an integrator with a step limit. Explicit Euler needs h < gamma/lambda, symplectic Euler h^2 "
                        "lambda + 2 gamma h < 4, RK4 2.785/lambda on the gradient flow and 2.95, 2.62 on the oscillator (gamma = 0.2, 1)",
                theory=theory, measured=measured, tolerance=2e-3,
                derivation=(*(f"{n}: {r}" for n, r in regions.items()), f"end of RK4's interval: {end}"), draw=draw)
