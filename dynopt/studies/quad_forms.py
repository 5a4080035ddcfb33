"""Quadratic modes, continued: forms of momentum that are printed, blended or given to each block, and what the buffer holds."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    Problem,
    equivalent,
    evaluate,
    heavy_ball,
    heavy_ball_ema,
    heavy_ball_torch,
    intervals,
    iterate,
    largest,
    linearize,
    method,
    nesterov,
    nesterov_torch,
    nesterov_yx,
    per_coordinate,
    quadratic,
    rate,
    response,
    schedule,
    stability,
    three_parameter,
    where,
)

from .measure import edge, halving, modes, radius
from .picture import BLUE, GREEN, GREY, VERMILION, note
from .study import study


@method(source="printed in tutorials as a damping of oscillations")
def velocity_difference(x, v, *, eta, beta, gamma, grad):
    v_next = beta*v + grad(x)
    return x - eta*v_next + gamma*(v_next - v), v_next


@study("Q11", "Adding the difference of velocities", "Adding +gamma (v_t - v_(t-1)) damps high-frequency oscillation.")
def difference_of_velocities() -> dict[str, Any]:
    region, rho, at = stability(velocity_difference), rate(velocity_difference), dict(eta=.1, beta=.9)
    gammas = (.05, 0., -.05)
    theory = {f"rate at gamma = {g}": rho.at(lam=1., gamma=g, **at) for g in gammas}
    theory["largest stable lam at gamma = 0.1"] = intervals(region, "lam", gamma=.1, **at)[0][1]
    theory["gamma > 0 damps"] = theory["rate at gamma = 0.05"] < theory["rate at gamma = 0.0"]
    known = velocity_difference.subs(gamma="-eta*beta")
    theory["gamma = -eta beta is Nesterov's"] = bool(equivalent(known, nesterov_yx))
    measured = {f"rate at gamma = {g}": float(radius(velocity_difference, 1., gamma=g, **at)) for g in gammas}
    measured["largest stable lam at gamma = 0.1"] = halving(lambda x: bool(radius(velocity_difference, x, gamma=.1, **at) < 1), .1, 3.)
    paths = {g: modes(velocity_difference, 1., 120, gamma=g, **at)[:, 0] for g in gammas}
    size = {g: np.abs(x[60:]).max() for g, x in paths.items()}
    measured["gamma > 0 damps"] = bool(size[.05] < size[0.])
    framework = modes(nesterov_torch, [.3, 1.], 100, **at)
    measured["gamma = -eta beta is Nesterov's"] = bool(np.abs(modes(known, [.3, 1.], 100, **at) - framework).max() < 1e-12)

    def draw(ax):
        for y, g, colour in zip((.95, .83, .71), gammas, (VERMILION, GREY, BLUE)):
            ax.plot(paths[g][:80], ".-", ms=3, lw=.8, color=colour)
            ax.text(28, y, f"$\\gamma = {g:g}$: shrinks by {theory[f'rate at gamma = {g}']:.3f} a step", color=colour, fontsize=8)
        ax.axhline(0, color="0.8", lw=.6, zorder=0)
        ax.set(xlabel="$k$", ylabel="$x_k$", title="The printed sign feeds the oscillation")
    return dict(verdict="false: the sign is wrong. The term replaces beta by beta + gamma lambda in the determinant, so gamma > 0 lengthens "
                        "the ringing of steep modes and makes them unstable from beta + gamma lambda = 1 on; gamma < 0 damps it, and gamma = "
                        "-eta beta is Nesterov's method (checked by radii, and by iterates that agree to 1e-12)",
                theory=theory, measured=measured, tolerance=1e-6,
                derivation=(f"characteristic polynomial {linearize(velocity_difference).charpoly.as_expr()}", f"stable: {region}",
                            str(equivalent(velocity_difference, nesterov_torch))), draw=draw)


@study("Q12", "Blending heavy ball and Nesterov", "A blend of heavy ball and NAG should look ahead most in flat regions.")
def blend() -> dict[str, Any]:
    blended = three_parameter.subs(delta="alpha*beta")              # alpha = 0 is heavy ball, alpha = 1 Nesterov
    region, rho, points = stability(blended), rate(blended), [(a, b) for a in (0., .3, 1.) for b in (.5, .9)]
    theory = {f"bound at alpha = {a:g}, beta = {b:g}": largest(region, "eta", alpha=a, beta=b, lam=1.) for a, b in points}
    measured = {f"bound at alpha = {a:g}, beta = {b:g}": edge(blended, "eta", .1, 8., alpha=a, beta=b) for a, b in points}
    gains = {name: [f(lam=h, eta=1., beta=.9, alpha=0.) - f(lam=h, eta=1., beta=.9, alpha=1.) for h in (1e-4, .5)]
             for name, f in (("theory", rho.at), ("measured", lambda lam, **params: float(radius(blended, lam, **params))))}
    theory |= {"gain on a flat mode": gains["theory"][0], "gain on a steep mode": gains["theory"][1],
               "look-ahead matters most in flat regions": gains["theory"][0] > gains["theory"][1]}
    measured |= {"gain on a flat mode": gains["measured"][0], "gain on a steep mode": gains["measured"][1],
                 "look-ahead matters most in flat regions": gains["measured"][0] > gains["measured"][1]}

    def draw(ax):
        h = np.geomspace(1e-4, 1, 400)
        for a, colour in ((0., VERMILION), (.3, GREY), (1., BLUE)):
            y = rho.at(lam=h, eta=1., beta=.9, alpha=a)
            ax.semilogx(h, y, color=colour)
            note(ax, h[-1], y[-1], f"$\\alpha = {a:g}$" + {0.: " heavy ball", 1.: " Nesterov"}.get(a, ""), colour)
        ax.annotate("one curve where the mode is flat", (5e-4, rho.at(lam=5e-4, eta=1., beta=.9, alpha=0.)), xytext=(12, -30),
                    textcoords="offset points", fontsize=7.5, color=GREY, arrowprops=dict(arrowstyle="-", color=GREY, lw=.6))
        ax.set(xlabel="$\\eta\\lambda$", ylabel="$\\rho$", title="The look-ahead acts on steep modes, $\\beta = 0.9$", xlim=(1e-4, 12))
    return dict(verdict="the direction of the heuristic is backwards: look-ahead changes beta to beta (1 - alpha eta lambda), which matters "
                        "where eta lambda is not small; in flat regions Nesterov and heavy ball coincide to O(eta lambda). Its price is the "
                        "bound, which falls with alpha", theory=theory, measured=measured,
                tolerance={n: 1e-6 if n.startswith("gain") else 1e-4 for n in theory},
                derivation=(f"characteristic polynomial {linearize(blended).charpoly.as_expr()}", f"stable: {region}"), draw=draw)


@study("Q13", "A different momentum for each block", "Each layer may have a momentum of its own.")
def momentum_of_blocks() -> dict[str, Any]:
    region = stability(heavy_ball)
    bound = [largest(region, "eta", beta=b, lam=1.) for b in (0., .5, .9)]
    slope = (bound[2] - bound[0])/.9                                # the bound is affine in beta: matrices may stand for numbers

    def margin(H, b, eta):
        return float(np.linalg.eigvalsh(bound[0]*np.eye(len(b)) + slope*np.diag(b) - eta*H)[0])
    draws = list(_random_blocks(4000))
    inside, radii = [margin(*d) > 0 for d in draws], [np.abs(np.linalg.eigvals(_block_step(*d))).max() for d in draws]
    H, b = np.array([[2., 1.2], [1.2, 1.]]), np.array([.9, -.3])
    critical = halving(lambda eta: margin(H, b, eta) > 0, .01, 9.)
    theory = {"stable draws of 4000": sum(inside), "mismatches": 0, "largest eta of two blocks": critical,
              "the bound is affine in beta": bool(np.isclose(bound[1], bound[0] + slope*.5))}
    measured = {"stable draws of 4000": sum(r < 1 for r in radii), "mismatches": sum(i != (r < 1) for i, r in zip(inside, radii)),
                "largest eta of two blocks": halving(lambda eta: _shrinks(H, b, eta), .01, 9., rounds=18),
                "the bound is affine in beta": bool(np.ptp(np.diff([edge(heavy_ball, "eta", .1, 8., beta=v) for v in (0., .4, .8)])) < 1e-4)}

    def draw(ax):
        axis = np.linspace(-.99, .99, 80)
        for eta, colour in ((.8, GREEN), (1.1, BLUE), (1.3, VERMILION)):
            field = np.array([[margin(H, np.array([p, q]), eta) for p in axis] for q in axis])
            line = ax.contour(axis, axis, field, levels=[0.], colors=[colour])
            ax.contourf(axis, axis, field, levels=[0., 99.], colors=[colour], alpha=.12)
            edge_points = line.allsegs[0][0]
            at = edge_points[len(edge_points)//2]
            note(ax, *at, f"$\\eta = {eta}$", colour)
        ax.set(xlabel="$\\beta_1$ (steep block)", ylabel="$\\beta_2$ (flat block)", title="Stable where $2(I + B) - \\eta H$ is positive")
    return dict(verdict="stable if and only if 2 (I + B) - eta H is positive definite: the scalar condition, read as matrices; B and H need not "
                        "commute (checked on 4000 random H, B, eta near and far from the boundary: no mismatch)",
                theory=theory, measured=measured, tolerance={n: 1e-4 if "eta" in n else 1e-9 for n in theory},
                derivation=(f"one mode: {region}",
                            "an eigenvector u with eigenvalue z makes z a root of the scalar polynomial with beta = u*Bu, eta lam = u*(eta H)u; "
                            "if 2 (I + B) - eta H > 0 every such pair lies in the scalar region, so |z| < 1",
                            "if it is not, P(z) = z^2 I - z (I + B - eta H) + B, which is symmetric, has at z = -1 an eigenvalue <= 0 and for "
                            "z -> -oo only positive ones: det P = 0 at some z <= -1"), draw=draw)


def _random_blocks(count: int) -> Any:
    """Curvature matrices, momenta and steps; half of them within a few per mille of an eigenvalue -1."""
    rng = np.random.default_rng(0)
    for i in range(count):
        n = int(rng.integers(2, 5))
        A, b = rng.normal(size=(n, n)), rng.uniform(-.99, .99, n)
        H = A @ A.T + .05*np.eye(n)
        step = rng.uniform(.02, 2)/np.linalg.eigvalsh(H)[-1]*(1 + b.mean())
        if i % 2:
            flat = np.linalg.eigvals(np.linalg.solve(H, 2*(np.eye(n) + np.diag(b)))).real.min()       # where z = -1 is a root
            step = flat*(1 + rng.choice([-1, 1])*10**rng.uniform(-6, -2))
        yield H, b, step


def _block_step(H: np.ndarray, b: np.ndarray, eta: float) -> np.ndarray:
    """The matrix of one step of the declaration with a momentum for each coordinate, from unit vectors."""
    n = len(b)
    unit = np.eye(2*n)
    x, v = heavy_ball(unit[:, :n], unit[:, n:], grad=lambda x: x @ H, eta=eta, beta=b)
    return np.hstack([x, v]).T


def _shrinks(H: np.ndarray, b: np.ndarray, eta: float) -> bool:
    problem = Problem(lambda x: (H[0, 0]*x[0]**2 + 2*H[0, 1]*x[0]*x[1] + H[1, 1]*x[1]**2)/2)
    x = iterate(heavy_ball, problem, x0=[1., 1.], steps=40_000, record="last", eta=eta, beta=per_coordinate(b)).x[-1]
    return bool(np.linalg.norm(x) < 1)


@study("Q14", "Response to a burst in the gradient", "NAG reacts more strongly to a gradient burst.")
def burst() -> dict[str, Any]:
    rules = {"heavy ball": heavy_ball_torch, "framework Nesterov": nesterov_torch, "Nesterov": nesterov}
    told, at = {n: response(r) for n, r in rules.items()}, dict(eta=1., beta=.9)
    first = {n: evaluate(r.impulse(0), **at) for n, r in told.items()}
    total = {n: evaluate(r.gain, **at) for n, r in told.items()}
    steps = {n: -np.diff(_after_a_burst(r, 400, **at)) for n, r in rules.items()}
    theory = {"first step, framework/heavy ball": first["framework Nesterov"]/first["heavy ball"],
              **{f"total displacement, {n}": t for n, t in total.items()},
              "Nesterov differs from heavy ball": str(told["Nesterov"].step) != str(told["heavy ball"].step)}
    measured = {"first step, framework/heavy ball": float(steps["framework Nesterov"][0]/steps["heavy ball"][0]),
                **{f"total displacement, {n}": float(s.sum()) for n, s in steps.items()},
                "Nesterov differs from heavy ball": bool(np.abs(steps["Nesterov"] - steps["heavy ball"]).max() > 1e-12)}

    def draw(ax):
        k = np.arange(25)
        for (n, colour, shift) in (("heavy ball", BLUE, -.15), ("framework Nesterov", VERMILION, .15)):
            ax.vlines(k + shift, 0, steps[n][:25], color=colour, lw=2)
        note(ax, .15, steps["framework Nesterov"][0], "the framework's Nesterov: $1 + \\beta$ at once", VERMILION)
        note(ax, 6 - .15, steps["heavy ball"][6], "heavy ball and Nesterov's own: $\\beta^k$", BLUE, dx=6, dy=12)
        ax.text(24, 1.35, f"both move $1/(1 - \\beta) = {total['heavy ball']:.0f}$ in total", ha="right", fontsize=7.5, color=GREY)
        ax.set(xlabel="steps after the burst", ylabel="step size", title="The same journey, begun one step earlier", ylim=(0, 2.1))
    return dict(verdict="the 40 % is unsupported: the framework's form takes the response one step earlier (first step 1 + beta, so 90 % larger "
                        "at beta = 0.9), the total displacement 1/(1 - beta) is the same; where gradients do not depend on x Nesterov's own "
                        "form is heavy ball", theory=theory, measured=measured, tolerance=1e-6,
                derivation=tuple(f"{n}: step = W(z) gradient, W = {r.step}, gain {r.gain}" for n, r in told.items()), draw=draw)


def _after_a_burst(rule: Any, steps: int, **params: float) -> np.ndarray:
    """x_k of a rule whose first gradient is one and all others zero, wherever it asks."""
    @method
    def pushed(x, v, *, eta, beta, k):
        return rule(x, v, eta=eta, beta=beta, grad=lambda y: where(k == 0, 1, 0) + 0*y)
    return iterate(pushed, x0={"x": [0.], "v": [0.]}, steps=steps, **params).x[:, 0]


@study("Q15", "Three conventions for the momentum buffer", "Three momentum conventions are used interchangeably.")
def buffer_conventions() -> dict[str, Any]:
    forms = {"classical": (heavy_ball, 1.), "PyTorch": (heavy_ball_torch, 1.), "EMA": (heavy_ball_ema, 10.)}       # eta_EMA (1 - beta) = eta
    drop, at = 8, dict(beta=.9, lam=1.)
    matrices = {n: [evaluate(linearize(r).matrix, eta=eta*scale, **at) for eta in (.1, .01)] for n, (r, scale) in forms.items()}
    before = {n: np.linalg.matrix_power(m[0], drop)[:, 0] for n, m in matrices.items()}
    after = {n: float((m[1] @ before[n])[0]) for n, m in matrices.items()}
    runs = {n: iterate(r, quadratic([1.]), x0=[1.], steps=40, beta=.9,
                       eta=schedule(f"where(k < {drop}, {scale/10}, {scale/100})")).x[:, 0] for n, (r, scale) in forms.items()}
    average, total = response(heavy_ball_ema), response(heavy_ball_torch)
    start = sum(evaluate(average.impulse(j), eta=1., beta=.9) for j in range(drop))
    pushed = iterate(heavy_ball_ema, Problem(lambda x: x[0]), x0=[0.], steps=drop, eta=1., beta=.9).x[:, 0]
    theory = {"same at a constant rate": all(bool(equivalent(heavy_ball, r)) for r, _ in forms.values()),
              "classical - PyTorch, one step after the drop": after["classical"] - after["PyTorch"],
              "EMA follows PyTorch after the drop": abs(after["EMA"] - after["PyTorch"]) < 1e-12,
              "start of the average after 8 gradients": start,
              "gain of the average": evaluate(average.gain, eta=1., beta=.9), "gain of the sum": evaluate(total.gain, eta=1., beta=.9)}
    ones = {n: -np.diff(iterate(r, Problem(lambda x: x[0]), x0=[0.], steps=400, eta=1., beta=.9).x[:, 0])[-1]
            for n, r in (("average", heavy_ball_ema), ("sum", heavy_ball_torch))}
    measured = {"same at a constant rate": bool(np.ptp([x[:drop + 1] for x in runs.values()], axis=0).max() < 1e-14),
                "classical - PyTorch, one step after the drop": float(runs["classical"][drop + 1] - runs["PyTorch"][drop + 1]),
                "EMA follows PyTorch after the drop": bool(np.abs(runs["EMA"] - runs["PyTorch"]).max() < 1e-12),
                "start of the average after 8 gradients": float(-np.diff(pushed)[-1]),
                "gain of the average": float(ones["average"]), "gain of the sum": float(ones["sum"])}

    def draw(ax):
        for n, colour, style in (("classical", VERMILION, ".-"), ("PyTorch", BLUE, ".-"), ("EMA", "k", "+")):
            ax.plot(runs[n], style, color=colour, ms=5 if n == "EMA" else 4, lw=.8)
        ax.axvline(drop, color="0.75", lw=.7, zorder=0)
        note(ax, drop, .75, "the rate drops tenfold", GREY)
        note(ax, 22, runs["classical"][22], "classical: the buffer\nkeeps the old rate", VERMILION, dx=10, dy=-6)
        note(ax, 24, runs["PyTorch"][24], "PyTorch, EMA:\nthe new rate at once", BLUE, dy=16, dx=-4, ha="right")
        ax.set(xlabel="$k$", ylabel="$x_k$", title="Three buffers, one path, until the rate changes")
    return dict(verdict="the texts are inconsistent, not wrong: the three forms agree at a constant rate with eta_EMA = eta/(1 - beta); when the "
                        "rate changes the classical buffer keeps the old one. The EMA is an average (gain 1, it starts at 1 - beta^k), the sum "
                        "form is no average (gain 1/(1 - beta))", theory=theory, measured=measured, tolerance=1e-9,
                derivation=(str(equivalent(heavy_ball, heavy_ball_ema)), str(equivalent(heavy_ball, heavy_ball_torch)),
                            f"EMA: {average}", f"sum: {total}"), draw=draw)
