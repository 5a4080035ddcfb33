"""Flows and iterates on landscapes that are no quadratics: plateaus, wells, Rosenbrock's valley, a kinked convex function."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    Problem,
    curvature,
    cycle,
    damped,
    evaluate,
    gradient_descent,
    heavy_ball,
    iterate,
    largest,
    linearize,
    lyapunov,
    minimum,
    nesterov_yx,
    optimum,
    plot_paths,
    rate,
    response,
    rosenbrock,
    solution,
    solve,
    stability,
    where,
)

from .measure import steps_to
from .picture import BLUE, GREY, VERMILION, note
from .study import study

ENERGY = "norm(v)**2/2 + f(x)"


@study("F06", "Coasting across a plateau", "Momentum coasts across plateaus; GD stalls.")
def coasting() -> dict[str, Any]:
    ball, plain, eta, beta = response(heavy_ball), response(gradient_descent), .3, .9
    coast = evaluate(ball.gain, eta=eta, beta=beta) - evaluate(ball.impulse(0), eta=eta, beta=beta)
    still = evaluate(linearize(damped).matrix, lam=0., gamma=.5)      # on a plateau v' = -gamma v
    speed = evaluate(ball.gain, eta=.01, beta=beta)                   # after a long ramp of slope one
    reach = speed*coast/eta
    theory = {"coast of v0 = 0.3": coast, "coast of the flow, v0 = 0.3, gamma = 0.5": -eta*still[0, 1]/still[1, 1],
              "velocity after a unit ramp": speed,
              "gradient descent coasts": evaluate(plain.gain, eta=eta) - evaluate(plain.impulse(0), eta=eta) > 0}
    widths = (.95*reach, 1.15*reach)                                  # the first point beyond the ramp lies up to one step in
    theory |= {f"crosses {w:.4f}": bool(reach > w) for w in widths}
    flat = Problem(lambda x: 0*x[0], grad=lambda x: 0*x)
    run = iterate(heavy_ball, flat, x0={"x": [0.], "v": [-eta]}, steps=600, eta=eta, beta=beta).x[:, 0]
    path = solve(damped, flat, x0={"x": [0.], "v": [eta]}, until=60., rtol=1e-9, gamma=.5).x[:, 0]
    tracks = {w: iterate(heavy_ball, _plateau(w), x0=[-20.], steps=1500, eta=.01, beta=beta).x[:, 0] for w in widths}
    stalled = iterate(gradient_descent, _plateau(widths[0]), x0=[-5.], steps=1500, eta=.01).x[:, 0]
    v = np.diff(tracks[widths[0]])
    measured = {"coast of v0 = 0.3": float(run[-1]), "coast of the flow, v0 = 0.3, gamma = 0.5": float(path[-1]),
                "velocity after a unit ramp": float(v[180]), "gradient descent coasts": bool(stalled[-1] > .02)}
    measured |= {f"crosses {w:.4f}": bool(x[-1] > w) for w, x in tracks.items()}

    def draw(ax):
        w = widths[0]
        x = np.linspace(-2, w + 1.5, 400)
        ax.plot(x, np.where(x < 0, -x, np.where(x < w, 0, w - x)), color="0.6", lw=1.2)
        for track, width, colour, lift in ((tracks[w], w, BLUE, .12), (tracks[widths[1]], widths[1], VERMILION, .24)):
            y = track[(track > -2) & (track < w + 1.5)][::4]
            ax.plot(y, np.where(y < 0, -y, np.where(y < width, 0, width - y)) + lift, ".", ms=4, color=colour)
        ax.plot(stalled[-1], 0, "o", color=GREY)
        note(ax, w, .12, f"heavy ball crosses {w:.2f}", BLUE, dx=22, dy=2)
        note(ax, w/2, .24, f"and stops on {widths[1]:.2f}", VERMILION, dx=-20, dy=14)
        note(ax, 0, 0, "gradient descent stays here", GREY, dx=-6, dy=-10, ha="right")
        ax.set(xlabel="$x$", ylabel="$f(x)$", title="Momentum has a range: $v_0\\,\\beta/(1 - \\beta)$", ylim=(-1.4, 2.2))
    return dict(verdict="true with a finite range: heavy ball coasts v0 beta/(1 - beta) (2.7 for v0 = 0.3, beta = 0.9), the flow v0/gamma; a wider "
                        "plateau stops it too", theory=theory, measured=measured, tolerance=1e-6,
                derivation=(f"gain of heavy ball {ball.gain}, first step {ball.impulse(0)}: the rest is the coast",
                            f"gradient descent: gain {plain.gain}, first step {plain.impulse(0)}"), draw=draw)


def _plateau(width: float) -> Problem:
    """A unit ramp down to x = 0, nothing up to x = width, a unit ramp again."""
    return Problem(lambda x: where(x[0] < 0, -x[0], where(x[0] < width, 0, width - x[0])))


@study("F07", "Escape from a shallow minimum", "Momentum escapes shallow minima.")
def shallow_minimum() -> dict[str, Any]:
    turning = solution(damped).turning[1]
    wells = Problem(lambda x: minimum((x[0] + 1)**2, (x[0] - 1)**2)/2)
    zetas = (.1, .2, .4)
    theory = {f"A* at z = {z}": -1/evaluate(turning, gamma=2*z, lam=1.) for z in zetas}
    falls = lyapunov(damped, ENERGY, given=("gamma > 0",))
    theory |= {f"A* of heavy ball at z = {z}": theory[f"A* at z = {z}"] for z in zetas}
    theory["leaves from below the barrier"] = not bool(falls)
    measured = {f"A* at z = {z}": _threshold(lambda A, z=z: _highest(wells, A, z)) for z in zetas}
    measured |= {f"A* of heavy ball at z = {z}": _threshold(lambda A, z=z: _highest_step(wells, A, z)) for z in zetas}
    low = np.linspace(-1.99, -.01, 60)[:, None]                         # starts at rest where f < f(0) = 1/2
    measured["leaves from below the barrier"] = bool((iterate(heavy_ball, wells, x0=low, steps=4000, eta=1e-4, beta=1 - .1*.01,
                                                              record="last").x[:, -1, 0] > 0).any())

    def draw(ax):
        z = np.linspace(.02, .6, 100)
        A = -1/evaluate(turning, gamma=2*z, lam=1.)
        ax.semilogy(z, A, color="k")
        ax.fill_between(z, A, 20, color=BLUE, alpha=.15, lw=0)
        ax.fill_between(z, .5, 1, color=VERMILION, alpha=.12, lw=0)
        for q in zetas:
            ax.plot(q, measured[f"A* at z = {q}"], "o", color=BLUE)
        ax.text(.05, 8, "passes the barrier", color=BLUE)
        ax.text(.32, 1.4, "stays in its well", color=GREY)
        ax.text(.3, .68, "starts below the barrier: none passes", color=VERMILION, fontsize=7.5)
        ax.set(xlabel="damping ratio $\\zeta$", ylabel="start $A$ beyond the minimum", title="Only a start above the barrier gets over it",
               ylim=(.5, 20), xlim=(.02, .6))
    return dict(verdict="mostly false: the barrier is passed from A > A*(z) = exp(pi z/sqrt(1 - z^2)) > 1 only, that is from starts at rest that "
                        "are already higher than the barrier, by the factor that friction eats; from inside a basin below the barrier momentum "
                        "never leaves, since the energy falls (bisected on the flow to four digits, and on heavy ball at h = 5e-4)",
                theory=theory, measured=measured, tolerance={n: 3e-3 if "heavy" in n else 2e-4 for n in theory},
                derivation=(f"the first turning point from rest: {turning} times the start", f"E = {ENERGY}: {falls}"), draw=draw)


def _threshold(highest: Any) -> float:
    """The start at which the highest point reaches the barrier x = 0, by runs side by side."""
    low, high = 1., 6.
    for _ in range(3):
        grid = np.linspace(low, high, 33)
        over = int(np.argmax(highest(grid) > 0))
        low, high = grid[max(over - 1, 0)], grid[over]
    return float((low + high)/2)


def _highest(wells: Problem, A: np.ndarray, z: float) -> np.ndarray:
    t = np.linspace(0, 5, 201)[1:]
    return solve(damped, wells, x0=(-1 - A)[:, None], until=t, rtol=1e-8, atol=1e-10, gamma=2*z).x[..., 0].max(1)


def _highest_step(wells: Problem, A: np.ndarray, z: float, h: float = 5e-4) -> np.ndarray:
    return iterate(heavy_ball, wells, x0=(-1 - A)[:, None], steps=10_000, eta=h*h, beta=1 - 2*z*h).x[..., 0].max(1)


@study("F08", "Rosenbrock's valley", "Momentum beats GD on Rosenbrock.")
def valley() -> dict[str, Any]:
    valley, end, start = rosenbrock(), np.array([1., 1.]), [-1.2, 1.]
    mu, L = curvature(valley, at=end)
    H = np.array([(valley.grad(end + d) - valley.grad(end - d))/2e-4 for d in 1e-4*np.eye(2)])
    low, high = np.linalg.eigvalsh(H)
    bound = largest(stability(gradient_descent), "eta", lam=L)
    best = {n: optimum(r).at(mu=mu, L=L) for n, r in (("GD", gradient_descent), ("HB", heavy_ball))}
    grids = {"GD": (gradient_descent, np.linspace(.5, .95, 8)*bound, [0.], 40_000),
             "HB": (heavy_ball, np.linspace(.2, 1.4, 10)*bound, (.9, .93, .95, .97, .98), 4000),
             "NAG": (nesterov_yx, np.linspace(.1, .6, 10)*bound, (.93, .95, .97, .98, .99), 4000)}
    steps = {n: _fewest(*grid) for n, grid in grids.items()}
    theory = {"kappa": L/mu, "largest step of GD": bound, "best beta": best["HB"]["beta"],
              "rate of GD at 0.9 of the bound": float(rate(gradient_descent).over("mu", "L").at(mu=mu, L=L, eta=.9*bound)),
              "momentum wins": best["HB"]["rho"] < best["GD"]["rho"]}
    near = iterate(gradient_descent, valley, x0=end + [1e-5, 2e-5], steps=4000, eta=.9*bound).x - end
    size = np.linalg.norm(near, axis=1)
    at_edge = iterate(gradient_descent, valley, x0=np.tile(end + [1e-7, -5e-8], (41, 1)), steps=20_000, record="last",
                      eta=np.linspace(.99, 1.01, 41)*bound).x[:, -1]
    stays = np.linalg.norm(at_edge - end, axis=1) < 1e-7
    root = np.sqrt(high/low)
    measured = {"kappa": float(high/low), "largest step of GD": float(np.linspace(.99, 1.01, 41)[stays][-1]*bound),
                "best beta": float(_best_beta(low, high)), "rate of GD at 0.9 of the bound": float((size[4000]/size[2000])**(1/2000)),
                "momentum wins": 1 < steps["GD"][0]/steps["HB"][0] < root}

    def draw(ax):
        runs = [iterate(r, valley, x0=start, steps=k, record=max(1, k//400), eta=e, **({"beta": b} if b else {}))
                for r, (k, e, b) in ((gradient_descent, steps["GD"]), (heavy_ball, steps["HB"]), (nesterov_yx, steps["NAG"]))]
        plot_paths(runs, ax, problem=valley, labels=[f"{n}: {steps[n][0]} steps" for n in ("GD", "HB", "NAG")],
                   title="To $10^{-6}$ on Rosenbrock's valley")
    return dict(verdict=f"true: to 1e-6 the best of a grid needs {steps['GD'][0]} steps of gradient descent, {steps['HB'][0]} of heavy ball, "
                        f"{steps['NAG'][0]} of Nesterov: {steps['GD'][0]/steps['HB'][0]:.0f} to {steps['GD'][0]/steps['NAG'][0]:.0f} times fewer, "
                        f"less than sqrt(kappa) = {root:.0f}, the ratio of the asymptotic rates", theory=theory, measured=measured,
                tolerance={"largest step of GD": 1e-3, "best beta": 3e-3} | dict.fromkeys(theory.keys() - {"largest step of GD", "best beta"}, 1e-4),
                derivation=(f"curvatures at (1, 1): mu = {mu:.6f}, L = {L:.4f}", f"gradient descent: {stability(gradient_descent)}",
                            f"heavy ball: {optimum(heavy_ball)}"), draw=draw)


def _fewest(rule: Any, etas: np.ndarray, betas: Any, steps: int) -> tuple[int, float, float]:
    """The fewest steps to a distance of 1e-6 on a grid, and where."""
    eta, beta = (g.ravel() for g in np.meshgrid(etas, betas))
    params = {"eta": eta} | ({"beta": beta} if "beta" in rule.params else {})
    end = iterate(rule, rosenbrock(), x0=np.tile([-1.2, 1.], (eta.size, 1)), steps=steps, record="last", **params).x[:, -1]
    order = np.argsort(np.nan_to_num(np.linalg.norm(end - 1, axis=1), nan=np.inf))[:2]
    found = []
    for i in order:                                      # the two that got nearest, step by step
        x = iterate(rule, rosenbrock(), x0=[-1.2, 1.], steps=steps, **{n: float(v[i]) for n, v in params.items()}).x
        found.append((steps_to(np.linalg.norm(x - 1, axis=1), 1e-6), float(eta[i]), float(beta[i])))
    return min(found)


def _best_beta(mu: float, L: float) -> float:
    """The momentum at which the slowest of the two modes is fastest, by rates on a grid refined around the best."""
    from .quad_rates import _best_momentum
    return _best_momentum(L/mu)


KINKED = "where(x < 1, 25*x**2/2, where(x < 2, x**2/2 + 24*x - 12, 25*x**2/2 - 24*x + 36))"


@study("F11", "Heavy ball on a piecewise-quadratic convex function", "Heavy ball converges on smooth strongly convex f.")
def kinked() -> dict[str, Any]:
    ends = optimum(heavy_ball).at(mu=1., L=25.)
    tuned = heavy_ball.subs(eta="1/9", beta="4/9")
    found = cycle(tuned, KINKED, period=3)
    sizes = [max(abs(complex(m)) for m in o.multipliers) for o in found]
    orbit = found[int(np.argmin(sizes))]
    other = [cycle(nesterov_yx.subs(eta="1/25", beta="2/3"), KINKED, period=p) for p in (2, 3)]
    bent = Problem(lambda x: where(x[0] < 1, 25*x[0]**2/2, where(x[0] < 2, x[0]**2/2 + 24*x[0] - 12, 25*x[0]**2/2 - 24*x[0] + 36)))
    runs = [iterate(r, bent, x0=[3.3], steps=3000, eta=e, beta=b).x[:, 0] for r, e, b in ((heavy_ball, 1/9, 4/9), (nesterov_yx, 1/25, 2/3))]
    points = np.array([evaluate(p["x"]) for p in orbit.points])
    theory = {"tuning": np.array([ends["eta"], ends["beta"]]), "cycle": np.sort(points), "multiplier": min(sizes), "heavy ball converges": False,
              "Nesterov has a cycle of period 2 or 3": any(len(o) > 0 for o in other)}
    theory["heavy ball converges"] = not (len(found) > 0 and min(sizes) < 1)
    moved = points[0] + np.array([[0., 0.], [1e-3, 0.], [0., 1e-3]])[:, :1]        # the orbit, and its neighbours in x and in v
    speed = evaluate(orbit.points[0]["v"]) + np.array([[0.], [0.], [1e-3]])
    there = iterate(heavy_ball, bent, x0={"x": moved, "v": speed}, steps=3, record="last", eta=1/9, beta=4/9)
    round_trip = np.stack([np.diff(a[:, -1, 0][[0, i]])/1e-3 for i in (1, 2) for a in (there.x, there.v)]).reshape(2, 2).T
    measured = {"tuning": np.array([1/9, 4/9]), "cycle": np.sort(runs[0][-3:]),
                "multiplier": float(np.abs(np.linalg.eigvals(round_trip)).max()),
                "heavy ball converges": bool(np.abs(runs[0][-1]) < 1e-6),
                "Nesterov has a cycle of period 2 or 3": bool(np.abs(runs[1][300]) > 1e-9)}

    def draw(ax):
        for x, colour in ((runs[0], VERMILION), (runs[1], BLUE)):
            ax.plot(x[:60], x[1:61], ".-", ms=4, lw=.4, color=colour)
        ax.plot(points, np.roll(points, -1), "o", ms=9, mfc="none", color=VERMILION)
        note(ax, points[0], points[1], "heavy ball ends on these three", VERMILION, dx=8, dy=-4)
        note(ax, 0, 0, "Nesterov comes home", BLUE, dx=8, dy=10)
        ax.set(xlabel="$x_k$", ylabel="$x_{k+1}$", title="Polyak's tuning goes round a strongly convex minimum")
    told = ", ".join(str(p["x"]) for p in orbit.points)
    return dict(verdict=f"false: at Polyak's tuning heavy ball is drawn to the 3-cycle ({told}), whose multipliers have size 8/27 a round; "
                        "Nesterov's method converges from the same start (the cycle in fractions, and 3000 steps in floats)",
                theory=theory, measured=measured, tolerance={n: 1e-4 if n == "multiplier" else 1e-9 for n in theory},
                derivation=tuple(map(str, found)) + (f"tuned: {optimum(heavy_ball)}",), draw=draw)
