"""Continuous flows: what momentum discretizes, how fast the flows are, and which equation is Nesterov's."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    Event,
    Problem,
    compare,
    damped,
    damped_mass,
    equivalent,
    evaluate,
    exp,
    heavy_ball,
    iterate,
    largest,
    late,
    linearize,
    log,
    lookahead_flow,
    lyapunov,
    method,
    modified,
    nag_c,
    nag_sc,
    nesterov_flow,
    ode_limit,
    order_of,
    oscillation,
    quadratic,
    solution,
    solve,
    stability,
    strongly_convex_flow,
    symplectic_euler,
)

from .measure import edge, step_matrix
from .picture import BLUE, COLOURS, GREEN, GREY, VERMILION, note
from .study import study

STEPS = (.02, .01, .005)
ENERGY, FADING = "m*norm(v)**2/2 + f(x)", "t**2*f(x) + 2*norm(x + t/2*v)**2"


def _line(rule: Any) -> str:
    """A rule's program on one line."""
    return "; ".join(str(rule.program).splitlines())


@method(source="central differences for x'' and for x'")
def central(x, x_prev, *, h, gamma, grad):
    return (2*x - (1 - gamma*h/2)*x_prev - h**2*grad(x))/(1 + gamma*h/2), x


@study("F01", "Heavy ball as a discretised damped oscillator", "Heavy ball is a discretised damped oscillator.")
def discretised_oscillator() -> dict[str, Any]:
    as_ball, centred, gamma = equivalent(symplectic_euler(damped_mass), heavy_ball), equivalent(central, heavy_ball), .5
    at = dict(m=2., gamma=gamma, h=.1)
    params = {n: float(evaluate(e, **at)) for n, e in as_ball.params.items()}
    one, other = (iterate(r, quadratic([3.]), x0=[1.], steps=200, **p).x for r, p in ((symplectic_euler(damped_mass), at),
                                                                                     (heavy_ball, params)))
    orders = {"symplectic Euler": order_of(symplectic_euler(damped), damped), "central": order_of(central, damped)}
    found = solution(damped)
    far = {n: [_at_ten(r, h, gamma, found) for h in STEPS] for n, r in (("symplectic Euler", symplectic_euler(damped)), ("central", central))}
    energy = lyapunov(damped_mass, ENERGY, given=("gamma > 0", "m > 0"))
    path = solve(damped_mass, quadratic([3.]), x0=[1.], until=20, rtol=1e-10, m=2., gamma=gamma)
    height = path.v[:, 0]**2 + 1.5*path.x[:, 0]**2
    theory = {**{f"order of {n}": o.order for n, o in orders.items()}, "heavy ball is symplectic Euler": bool(as_ball),
              "largest h of the central scheme": largest(stability(central), "h", gamma=gamma, lam=1.),
              "critical friction": largest(oscillation(damped_mass), "gamma", m=2., lam=3.), "the energy falls": bool(energy)}
    measured = {**{f"order of {n}": float(np.log2(d[1]/d[2])) for n, d in far.items()},
                "heavy ball is symplectic Euler": bool(np.abs(one - other).max() < 1e-13),
                "largest h of the central scheme": edge(central, "h", .1, 4., gamma=gamma),
                "critical friction": _critical(2., 3.), "the energy falls": bool((np.diff(height) <= 1e-9).all())}

    def draw(ax):
        t = np.linspace(0, 12, 400)
        ax.plot(t, found.at(t=t, gamma=gamma, lam=1.), color="k", lw=1)
        for h, colour in zip((.8, .4, .1), (VERMILION, BLUE, GREEN)):
            x = iterate(heavy_ball, quadratic([1.]), x0=[1.], steps=int(12/h), eta=h*h, beta=1 - gamma*h).x[:, 0]
            ax.plot(np.arange(x.size)*h, x, ".", ms=3 if h < .2 else 6, color=colour)
        for y, text, colour in ((.95, "heavy ball, $h = 0.8$", VERMILION), (.82, "$h = 0.4$", BLUE), (.69, "$h = 0.1$", GREEN),
                                (.56, "the oscillator", "k")):
            ax.text(8, y, text, color=colour, fontsize=8)
        ax.set(xlabel="$t = kh$", ylabel="$x$", title="Heavy ball follows a damped oscillator")
    return dict(verdict="true: symplectic Euler of m x'' + gamma x' + grad f = 0 is heavy ball with beta = 1 - gamma h/m, eta = h^2/m (order 1); "
                        "the central scheme is heavy ball too (order 2, stable for h^2 lam < 4 whatever gamma). The equation itself is stable "
                        "for every gamma > 0: the bound on the step is an effect of discretization",
                theory=theory, measured=measured, tolerance={n: .03 if n.startswith("order") else 1e-4 for n in theory},
                derivation=(str(as_ball), str(centred), *(f"{n}: {o}" for n, o in orders.items()), f"E = {ENERGY}: {energy}"), draw=draw)


def _at_ten(rule: Any, h: float, gamma: float, found: Any) -> float:
    """The error at t = 10 on a mode of curvature one; two-step schemes start from the solution itself."""
    first = {"x": [1.]} | ({"x_prev": [float(found.at(t=-h, gamma=gamma, lam=1.))]} if "x_prev" in rule.state else {"v": [0.]})
    x = iterate(rule, quadratic([1.]), x0=first, steps=round(10/h), record="last", h=h, gamma=gamma).x[-1, 0]
    return abs(float(x - found.at(t=10., gamma=gamma, lam=1.)))


def _critical(m: float, lam: float) -> float:
    """The friction at which the time to the first standstill becomes infinite: its inverse square is a line in gamma^2."""
    gammas, pace = np.array([3., 4.]), []
    for gamma in gammas:
        run = solve(damped_mass, quadratic([lam]), x0=[1.], until=20., rtol=1e-11, atol=1e-13, m=m, gamma=gamma, events=Event("v", direction=1))
        pace.append(run.events["event"]["t"][0]**-2)
    line = np.polyfit(gammas**2, pace, 1)
    return float(np.sqrt(np.roots(line)[0]))


@study("F02", "The vanishing-damping ODE on a quadratic", "The ODE of Su, Boyd and Candes has the rate O(1/t^2) for strongly convex f.")
def vanishing_damping() -> dict[str, Any]:
    found, fate, times, frictions = solution(nesterov_flow), late(nesterov_flow), np.array([1., 7., 30.]), (1., 2., 3., 5.)
    theory, measured, runs = {}, {}, {}
    for C in frictions:
        runs[C] = solve(nesterov_flow, quadratic([2.]), x0=[1.], until=240., rtol=1e-10, atol=1e-12, r=C)
        theory[f"x at t = 1, 7, 30, C = {C:g}"] = found.at(t=times, lam=2., r=C)
        measured[f"x at t = 1, 7, 30, C = {C:g}"] = runs[C].at(times)["x"][:, 0]
        theory[f"exponent of f, C = {C:g}"] = 2*fate.rate(lam=2., r=C)[1]
        K = evaluate(found.envelope, t=1., lam=2., r=C)                   # the amplitude is K t^(-C/2)
        theory[f"limsup t^C f, C = {C:g}"] = K*K
        tops = [float((t**(C)*runs[C].at(t)["x"][:, 0]**2).max()) for t in (np.linspace(a, a + 8, 8001) for a in (50., 230.))]
        measured[f"limsup t^C f, C = {C:g}"] = tops[1]
        measured[f"exponent of f, C = {C:g}"] = -C + float(np.log(tops[1]/tops[0])/np.log(234/54))
    theory["constant friction wins"] = late(strongly_convex_flow).rate(mu=2., lam=2.1) < fate.rate(lam=2.1, r=3.)
    f = {n: abs(solve(r, quadratic([2.1]), x0=[1.], until=20., rtol=1e-10, **p).x[-1, 0]) for n, r, p in
         (("constant", strongly_convex_flow, {"mu": 2.}), ("fading", nesterov_flow, {"r": 3.}))}
    measured["constant friction wins"] = bool(f["constant"] < f["fading"])

    def draw(ax):
        t = np.geomspace(.5, 100, 3000)
        for C, colour in zip((1., 3., 5.), COLOURS):
            ax.loglog(t, found.at(t=t, lam=2., r=C)**2, color=colour, lw=.8)
            ax.loglog(t[600:], evaluate(found.envelope, t=t[600:], lam=2., r=C)**2, color=colour, lw=1.4, ls="--")
            note(ax, t[-1], float(evaluate(found.envelope, t=100., lam=2., r=C))**2, f"$C = {C:g}$: $t^{{-{C:g}}}$", colour)
        ax.loglog(t, 2/t**2, color=GREY, lw=1)
        note(ax, t[-1], 2e-4, "the bound $2/t^2$", GREY, dy=-2)
        ax.set(xlabel="$t$", ylabel="$f(x(t))$", title="Friction $C/t$: the decay is algebraic, $t^{-C}$", ylim=(1e-11, 3), xlim=(.5, 500))
    return dict(verdict="imprecise: O(1/t^2) is the theorem for convex f. On a mode x is Bessel's function and f has the envelope t^-C "
                        "(t^-3 for C = 3), algebraic for every C and never exponential, so constant friction 2 sqrt(mu) wins on strongly convex "
                        "f (closed form against an integrator for C = 1, 2, 3, 5)", theory=theory, measured=measured,
                tolerance={n: 1e-6 if n.startswith("x") else .02 if n.startswith("exp") else 5e-3 for n in theory},
                derivation=(str(found), f"late: {fate}", f"envelope of x: {found.envelope}"), draw=draw)


@study("F03", "A Lyapunov function for the vanishing-damping ODE", "A Lyapunov function proves the rate O(1/t^2).")
def lyapunov_function() -> dict[str, Any]:
    energy, start = lyapunov(nesterov_flow.subs(r=3), FADING, given=("convex", "t > 0")), np.array([3., 2.])
    cosh = Problem(lambda x: log(exp(x[0]) + exp(-x[0])) + log(exp(x[1]/2) + exp(-x[1]/2)) - 2*log(2), minimizer=[0., 0.])
    t = np.linspace(1e-3, 30, 30_001)
    run = solve(nesterov_flow, cosh, x0=start, until=30, rtol=1e-10, atol=1e-12, r=3.).at(t)
    x, v, f = run["x"], run["v"], np.log(np.cosh(run["x"][:, 0])) + np.log(np.cosh(run["x"][:, 1]/2))
    pull = x[:, 0]*np.tanh(x[:, 0]) + x[:, 1]/2*np.tanh(x[:, 1]/2)
    E = t*t*f + 2*((x + t[:, None]/2*v)**2).sum(1)
    terms = {"f": f, ("grad f", "x"): pull}
    slope = sum(np.asarray(evaluate(c, t=t))*terms[k] for k, c in energy.rate.items())
    told = E[0] + np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1])/2*np.diff(t))])
    theory = {f"E at t = {t[k]:.0f}": told[k] for k in (5000, 10_000, 30_000)} | {"E never grows": bool(energy), "t^2 f <= 2 |x0|^2": bool(energy),
                                                                                 "f never grows": not _may_grow()}
    measured = {f"E at t = {t[k]:.0f}": E[k] for k in (5000, 10_000, 30_000)}
    measured |= {"E never grows": bool(np.diff(E).max() <= 1e-9), "t^2 f <= 2 |x0|^2": bool((t*t*f).max() <= 2*start @ start),
                 "f never grows": bool(np.diff(f).max() <= 1e-12)}

    def draw(ax):
        ax.plot(t, E, color=BLUE)
        ax.plot(t, t*t*f, color=VERMILION)
        ax.plot(t, 5*f, color=GREY, lw=1)
        note(ax, 4, float(np.interp(4, t, E)), "$\\mathcal{E}$ falls", BLUE, dx=6, dy=6)
        note(ax, 6.7, 6.7, "$t^2 f$ stays below it", VERMILION, dx=30, dy=12)
        note(ax, .6, 5*float(np.interp(.6, t, f)), "$5 f$", GREY, dx=2, dy=8)
        ax.set(xlabel="$t$", title="What falls is the energy, not the loss", ylim=(0, 28), xlim=(0, 30))
    return dict(verdict=f"true: dE/dt = 2 t (f - <x, grad f>) <= 0 by convexity, hence f <= 2 |x0|^2/t^2 (sup t^2 f = {(t*t*f).max():.1f} <= "
                        f"{2*start @ start:.0f} here); f itself goes up and down", theory=theory, measured=measured,
                tolerance=1e-4, derivation=(f"E = {FADING}: {energy}",), draw=draw)


def _may_grow() -> bool:
    """Whether f may rise along the flow: it does on a mode wherever the solution swings through the minimum."""
    x = solution(nesterov_flow).at(t=np.linspace(0, 20, 400), lam=1., r=3.)
    return bool(np.diff(x*x).max() > 0)


@study("F04", "An ODE with a look-ahead of fixed size", "An ODE whose look-ahead has a fixed size is the ODE of NAG.")
def fixed_lookahead() -> dict[str, Any]:
    fate, true = late(lookahead_flow), late(nesterov_flow)
    theory = {f"rate at lam = {lam:g}": -fate.rate(lam=lam)[0] for lam in (.25, 1., 6.)}
    measured = {f"rate at lam = {lam:g}": _late_rate(lam, fate.rate(lam=lam)[1]) for lam in (.25, 1., 6.)}
    theory |= {"it dies out like Nesterov's flow": fate.rate(lam=1.)[0] == true.rate(lam=1., r=3.)[0],
               "order in s of Nesterov's flow": order_of(nag_c, nesterov_flow.subs(r=3), where={"eta": "h**2"}).order/2}
    sides = compare(nag_c, nesterov_flow, quadratic([1., .1]), x0=[1., 1.], until=6., h=tuple(np.sqrt((1e-3, 1e-4, 1e-5))),
                    where={"eta": "h**2"}, r=3.)
    wide = [abs(solve(r, quadratic([1.]), x0=[1.], until=60., rtol=1e-10, atol=1e-13, **p).x[-1, 0]) for r, p in ((lookahead_flow, {}),
                                                                                                    (nesterov_flow, {"r": 3.}))]
    measured |= {"it dies out like Nesterov's flow": bool(wide[0] > 1e-6*wide[1]), "order in s of Nesterov's flow": sides.order/2}

    def draw(ax):
        t = np.linspace(0, 40, 2000)
        runs = [solve(r, quadratic([1.]), x0=[1.], until=40., rtol=1e-10, atol=1e-14, **p).at(t)["x"][:, 0]
                for r, p in ((lookahead_flow, {}), (nesterov_flow, {"r": 3.}))]
        x = iterate(nag_c, quadratic([1.]), x0=[1.], steps=1200, eta=1e-3).x[::24, 0]
        ax.semilogy(t, np.abs(runs[0]) + 1e-16, color=VERMILION, lw=1)
        ax.semilogy(t, np.abs(runs[1]) + 1e-16, color=BLUE, lw=1)
        ax.semilogy(np.arange(x.size)*24*np.sqrt(1e-3), np.abs(x) + 1e-16, ".", color="k", ms=3)
        note(ax, 23, 6e-5, "fixed look-ahead: exponential", VERMILION, dx=0)
        note(ax, 20, .3, "Nesterov's iterates on their flow: algebraic", BLUE, dx=-40, dy=10)
        ax.set(xlabel="$t$", ylabel="$|x|$", title="A look-ahead that does not vanish is another equation", ylim=(1e-9, 4), xlim=(0, 40))
    return dict(verdict="false: with a look-ahead of fixed size the friction grows to lambda and the solution dies out exponentially; Nesterov's "
                        "iterates follow x'' + (3/t) x' + grad f = 0 up to O(sqrt s), whose decay is algebraic. The look-ahead must vanish with "
                        "the step", theory=theory, measured=measured, tolerance={n: .05 if n.startswith("order") else 5e-3 for n in theory},
                derivation=(f"fixed look-ahead: {fate}", f"Nesterov's flow: {true}", f"limit of nag_c: {_line(ode_limit(nag_c))}"), draw=draw)


def _late_rate(lam: float, power: float) -> float:
    """The exponential rate of the amplitude late in a run, the power of t taken out."""
    run = solve(lookahead_flow, quadratic([lam]), x0=[1.], t0=.01, until=290., rtol=1e-11, atol=1e-180)
    tops = []
    for a in (100., 255.):
        t = np.linspace(a, a + 30, 6001)
        x = np.abs(run.at(t)["x"][:, 0])*t**-power
        peaks = np.flatnonzero((x[1:-1] > x[:-2]) & (x[1:-1] >= x[2:])) + 1
        late_top = int(peaks[0]) if peaks.size else 0
        tops.append((t[late_top], x[late_top]))
    (s, a), (t, b) = tops
    return float(np.log(a/b)/(t - s))


@study("F05", "High-resolution ODE and gradient correction", "The look-ahead acts as extra damping.")
def high_resolution() -> dict[str, Any]:
    where, ball = {"eta": "h**2"}, {"eta": "h**2", "beta": "(1 - sqrt(mu)*h)/(1 + sqrt(mu)*h)"}
    low, high, hb = ode_limit(nag_sc, where), modified(nag_sc, 1, where), modified(heavy_ball, 1, ball)
    theory = {"order of the low-resolution flow": order_of(nag_sc, low, where=where).order,
              "order of the high-resolution flow": order_of(nag_sc, high, where=where).order}
    h, mu = .01, 1.
    for n, r in (("Nesterov", high), ("heavy ball", hb)):
        A = [evaluate(linearize(r).matrix, lam=lam, mu=mu, h=h) for lam in (4., 1e-12)]
        theory[f"extra damping of the mode lam = 4, {n}"] = float(np.trace(A[1]) - np.trace(A[0]))
    runs = {s: {n: _gap(r, s) for n, r in (("low", low), ("high", high))} for s in (.04, .01, 1e-4, 2.5e-5)}
    theory["the correction brings the flow nearer"] = theory["extra damping of the mode lam = 4, Nesterov"] > 0
    measured = {f"order of the {n}-resolution flow": float(np.log2(runs[1e-4][n]/runs[2.5e-5][n])) for n in ("low", "high")}
    measured |= {"the correction brings the flow nearer": all(g["high"] < g["low"] for g in runs.values())}
    for n, r, p in (("Nesterov", nag_sc, {}), ("heavy ball", heavy_ball, {"beta": (1 - h)/(1 + h)})):
        given = p or {"mu": mu}
        dets = [np.linalg.det(step_matrix(r, lam, eta=h*h, **given)) for lam in (4., 1e-12)]
        measured[f"extra damping of the mode lam = 4, {n}"] = float(np.log(dets[1]/dets[0])/h)

    def draw(ax):
        h, t, f = .2, np.linspace(0, 6, 400), quadratic([9.])
        x = iterate(nag_sc, f, x0=[1.], steps=int(6/h), eta=h*h, mu=1.).x
        for r, colour, text in ((low, VERMILION, "low resolution"), (high, BLUE, "with the gradient correction")):
            y = _leaving(r, f, x, h, 6.).at(t)["x"][:, 0]
            ax.plot(t, y, color=colour)
            at = int(np.argmin(y)) if r is low else 150
            note(ax, t[at], y[at], text, colour, dx=8, dy=-2 if r is low else 14, ha="left")
        x = x[:, 0]
        ax.plot(np.arange(x.size)*h, x, "k.", ms=5)
        ax.text(.9, .8, "Nesterov's iterates, $s = 0.04$", fontsize=8)
        ax.set(xlabel="$t = k\\sqrt{s}$", ylabel="$x$", title="The look-ahead is an extra friction $\\sqrt{s}\\,\\lambda$")
    return dict(verdict="true in this form: the look-ahead adds the damping sqrt(s) lambda to each mode, which heavy ball lacks; largest "
                        "distances of iterates with and without it: " + ", ".join(f"{g['high']:.3f} against {g['low']:.3f} (s = {s:g})"
                                                                                 for s, g in list(runs.items())[:2]),
                theory=theory, measured=measured, tolerance={n: .02 if "damping" in n else .05 for n in theory},
                derivation=(f"low: {_line(low)}", f"high: {_line(high)}", f"heavy ball: {_line(hb)}"), draw=draw)


def _leaving(rule: Any, f: Any, x: np.ndarray, h: float, until: float) -> Any:
    """The run of a flow that leaves through x_0 and x_1, on modes of a quadratic."""
    params = {"mu": 1.} | ({"h": h} if "h" in rule.params else {})

    def run(v: Any, until: float) -> Any:
        return solve(rule, f, x0={"x": x[0], "v": v}, until=until, rtol=1e-10, atol=1e-12, **params)
    still, moved = (run(v, h).x[-1] for v in (0*x[0], 1 + 0*x[0]))
    return run((x[1] - still)/(moved - still), until)


def _gap(rule: Any, s: float) -> float:
    """The largest distance of iterates and a flow that leaves through x_0 and x_1, on modes 1 and 9, up to t = 10."""
    h, f = float(np.sqrt(s)), quadratic([1., 9.])
    x = iterate(nag_sc, f, x0=[1., 1.], steps=int(10/h), eta=s, mu=1.).x
    return float(np.abs(x - _leaving(rule, f, x, h, 10.1).at(h*np.arange(len(x)))["x"]).max())
