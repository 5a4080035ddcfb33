"""Games: two players with opposite aims, complex curvature, and what the training of adversarial networks inherits from them."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import (
    RuleError,
    alternating_descent,
    alternating_momentum,
    bilinear,
    bounded,
    clip,
    extragradient_play,
    fixed_point,
    flow,
    heavy_ball_two_step,
    iterate,
    largest,
    method,
    optimistic_play,
    rate,
    region,
    sign,
    simultaneous_descent,
    solve,
    stability,
)

from .measure import halved
from .picture import BLUE, COLOURS, GREEN, GREY, PURPLE, VERMILION, note
from .study import study

XY = [["0", "1"], ["-1", "0"]]                                  # min over x, max over y of x y
FOUR = {"simultaneous": simultaneous_descent, "alternating": alternating_descent, "extragradient": extragradient_play,
        "optimistic": optimistic_play}


def spectral_radius(rule: Any, **params: Any) -> float:
    """The spectral radius of one step of a play on x y, from unit vectors run through the declaration."""
    fields = dict(grad_1=lambda x, y: y, grad_2=lambda x, y: -x)
    M = np.array([rule(*row, **fields, **params) for row in np.eye(len(rule.state))]).T
    return float(np.abs(np.linalg.eigvals(M)).max())


@study("G01", "Four methods on the bilinear game", "Adversarial dynamics can cycle.")
def bilinear_game() -> dict[str, Any]:
    rates = {n: rate(r, mode=XY) for n, r in FOUR.items()}
    theory = {f"radius of {n} at eta = {e}": rates[n].at(eta=e) for n, e in (("simultaneous", .1), ("alternating", 1.9), ("alternating", 2.1),
                                                                       ("extragradient", .5), ("optimistic", .57), ("optimistic", .58))}
    closed = bounded(alternating_descent, mode=XY)
    theory |= {"edge of alternating": largest(closed, "eta"), "edge of extragradient": largest(stability(extragradient_play, mode=XY), "eta"),
               "edge of optimistic": largest(stability(optimistic_play, mode=XY), "eta"),
               "simultaneous converges for some eta": not stability(simultaneous_descent, mode=XY).is_empty}
    measured = {n: spectral_radius(FOUR[n.split()[2]], eta=float(n.split()[-1])) for n in theory if n.startswith("radius")}
    for n, slack in (("alternating", 1e-9), ("extragradient", 0.), ("optimistic", 0.)):
        measured[f"edge of {n}"] = halved(lambda e, r=FOUR[n], s=slack: spectral_radius(r, eta=e) < 1 + s, .1, 3.)
    runs = {n: iterate(r, bilinear([[1.]]), x0={"x": 1., "y": 0., **({"x_prev": 1., "y_prev": 0.} if "x_prev" in r.state else {})},
                       steps=200, eta=.2) for n, r in FOUR.items()}
    etas = np.geomspace(1e-3, 3, 200)
    measured["simultaneous converges for some eta"] = any(spectral_radius(simultaneous_descent, eta=e) < 1 for e in etas)

    def draw(ax):
        t = np.linspace(0, 2*np.pi, 200)
        ax.plot(np.cos(t), np.sin(t), color=GREY, lw=.8, ls="--")
        note(ax, .72, -.72, "flow", dx=4, dy=-4)
        for run, colour, count in zip(runs.values(), (VERMILION, BLUE, GREEN, PURPLE), (45, 32, 60, 60)):
            x, y = run.x[:count, 0], run.y[:count, 0]
            ax.plot(x, y, ".-", ms=2.5, lw=.7, color=colour)
        for n, at, colour in (("simultaneous", (-2.45, 2.1), VERMILION), ("alternating", (-2.45, -1.78), BLUE),
                              ("extragradient", (-2.45, -2.0), GREEN), ("optimistic", (-2.45, -2.22), PURPLE)):
            note(ax, *at, n, colour, dx=0)
        ax.set(xlabel="$x$", ylabel="$y$", title="Smallest in $x$, largest in $y$ of $xy$: out, round, in", xlim=(-2.6, 2.6), ylim=(-2.4, 2.4),
               aspect="equal")
    return dict(verdict="true: the flow circles; simultaneous steps spiral out at every eta, sqrt(1 + eta^2) a step; alternating ones stay on "
                        "an ellipse for eta < 2; extragradient (eta < 1) and optimistic steps (eta < 1/sqrt(3)) converge",
                theory=theory, measured=measured, tolerance={n: 1e-3 if n == "edge of alternating" else 1e-7 for n in theory},
                derivation=(f"alternating bounded: {closed}", *(f"{n}: {rates[n]}" for n in FOUR)), draw=draw)


def complex_radius(l: np.ndarray, beta: float, eta: float = 1.) -> np.ndarray:
    """Spectral radius of heavy ball on a complex curvature, from complex unit vectors run through the declaration."""
    columns = []
    for unit in np.eye(2):
        out = heavy_ball_two_step(*(u + 0*l for u in unit), eta=eta, beta=beta, grad=lambda x: l*x)
        columns.append(np.stack(np.broadcast_arrays(*out), -1))
    return np.abs(np.linalg.eigvals(np.stack(columns, -1))).max(-1)


@study("G02", "Heavy ball with complex curvature", "Momentum helps in games.")
def complex_curvature() -> dict[str, Any]:
    disk, betas, unit = stability(heavy_ball_two_step, mode="complex"), (0., .5, .9), dict(eta=1.)
    play = stability(alternating_momentum, mode=XY)
    rng = np.random.default_rng(0)
    l = rng.uniform(-.5, 4, 12000) + 1j*rng.uniform(-1.5, 1.5, 12000)
    inside = {b: disk.contains(lam_re=l.real, lam_im=l.imag, beta=b, **unit) for b in betas}
    stable = {b: complex_radius(l, b) < 1 for b in betas}
    theory = {f"share inside, beta = {b}": float(inside[b].mean()) for b in betas}
    measured = {f"share inside, beta = {b}": float(stable[b].mean()) for b in betas}
    theory["points that disagree"], measured["points that disagree"] = 0., float(sum((inside[b] != stable[b]).sum() for b in betas))
    for b in betas:
        theory[f"length along the real axis, beta = {b}"] = largest(disk, "lam_re", beta=b, lam_im=0., **unit)
        measured[f"length along the real axis, beta = {b}"] = halved(lambda x, b=b: complex_radius(np.array(x + 0j), b) < 1, .1, 5.)
        theory[f"half height, beta = {b}"] = largest(disk, "lam_im", beta=b, lam_re=1 + b, **unit)
        measured[f"half height, beta = {b}"] = halved(lambda y, b=b: complex_radius(np.array(1 + b + 1j*y), b) < 1, 0., 2.)
    theory |= {"eta at l = 1 + 3i, beta = 0": largest(disk, "eta", beta=0., lam_re=1., lam_im=3.),
               "simultaneous converges on x y": not (disk & region("lam_re == 0")).is_empty,
               **{f"alternating converges, beta = {b}": bool(play.contains(eta=.5, beta=b)) for b in (-.5, 0., .5)}}
    turning = [complex_radius(1j*np.geomspace(1e-3, 3, 200), b).min() for b in np.linspace(-.95, .95, 39)]
    measured |= {"eta at l = 1 + 3i, beta = 0": halved(lambda e: complex_radius(np.array(1 + 3j), 0., e) < 1, 1e-3, 1.),
                 "simultaneous converges on x y": bool(min(turning) < 1 - 1e-12),
                 **{f"alternating converges, beta = {b}": spectral_radius(alternating_momentum, eta=.5, beta=b) < 1 - 1e-12
                    for b in (-.5, 0., .5)}}

    def draw(ax):
        x, y = np.meshgrid(np.linspace(-.3, 4, 300), np.linspace(-1.3, 1.3, 200))
        for b, colour in zip((-.5, *betas), (PURPLE, GREY, BLUE, VERMILION)):
            ax.contour(x, y, disk.contains(lam_re=x, lam_im=y, beta=b, **unit).astype(float), levels=[.5], colors=[colour], linewidths=1.2)
        for b, colour, at in ((-.5, PURPLE, (.5, 1.16)), (0., GREY, (1.35, .98)), (.5, BLUE, (2.2, .56)), (.9, VERMILION, (3.3, .2))):
            note(ax, *at, f"$\\beta = {b:g}$", colour, dx=0)
        games = np.array([.05 + .9j, .05 - .9j, .3 + .6j, .3 - .6j])
        ax.plot(games.real, games.imag, "kx", ms=5)
        note(ax, .3, -.6, "eigenvalues of games", "k", dx=6, dy=-6)
        ax.axhline(0, color="0.85", lw=.6), ax.axvline(0, color="0.85", lw=.6)
        ax.set(xlabel="Re $\\eta\\ell$", ylabel="Im $\\eta\\ell$", title="Momentum stretches the stable set, and flattens it")
    return dict(verdict="stable is the inside of the ellipse ((Re h)/(1 + beta) - 1)^2 + ((Im h)/(1 - beta))^2 = 1: positive momentum helps real "
                        "curvature and hurts rotation. At beta = 0 eta < 2 Re(l)/|l|^2. On x y simultaneous heavy ball converges for no beta "
                        "and eta; alternating heavy ball for -1 < beta < 0, eta < 2 (1 + beta). Where a game rotates, positive "
                        "momentum does not help; alternating play with negative momentum does",
                theory=theory, measured=measured, tolerance={n: .5 if "disagree" in n else 1e-6 for n in theory},
                derivation=(f"complex curvature: {disk}", f"alternating on x y: {play}"), draw=draw)


@method(source="Mescheder, Geiger, Nowozin 2018, the Dirac-GAN with a Wasserstein loss")
def wasserstein(theta, psi, *, eta):
    return theta - eta*psi, psi + eta*theta


@method(source="Arjovsky, Chintala, Bottou 2017, weight clipping")
def clipped(theta, psi, *, eta):
    return theta - eta*psi, clip(psi + eta*theta, -1, 1)


@method(source="Miyato et al. 2018, with the norm set to exactly one")
def normalized(theta, psi, *, eta):
    return theta - eta*psi, sign(psi + eta*theta)


@method
def pushed(theta, *, eta, psi):
    return theta - eta*psi                                      # the generator under a critic that is held at psi = 1 or -1


@method(source="Mescheder, Geiger, Nowozin 2018, R1 penalty")
def penalized(theta, psi, *, eta, gamma):
    return theta - eta*psi, psi + eta*(theta - gamma*psi)


@flow(source="Mescheder, Geiger, Nowozin 2018, R1 penalty")
def penalized_flow(theta, psi, *, gamma):
    return -psi, theta - gamma*psi


@study("G03", "Lipschitz constraint or gradient penalty", "A Lipschitz constraint stabilises the game.")
def lipschitz_constraint() -> dict[str, Any]:
    eta, start, origin = .1, {"theta": 1., "psi": .4}, {"theta": 0, "psi": 0}
    rules = {"none": wasserstein, "clip": clipped, "norm 1": normalized, "R1": penalized}
    runs = {n: iterate(r, x0=start, steps=1000, eta=eta, **({"gamma": .3} if n == "R1" else {})) for n, r in rules.items()}
    size = {n: np.hypot(run.theta[:, 0], run.psi[:, 0]) for n, run in runs.items()}
    stable, decay = stability(penalized), rate(penalized_flow)
    theory = {"edge of R1, gamma = 0.3": largest(stable, "eta", gamma=.3), "growth without constraint": rate(wasserstein).at(eta=eta),
              "flow with R1, gamma = 0.3": decay.at(gamma=.3), "flow with R1, gamma = 3": decay.at(gamma=3.),
              "converges: none": not stability(wasserstein).is_empty, "converges: clip": rate(clipped, at=origin).at(eta=eta) < 1,
              "converges: norm 1": _rests(pushed), "converges: R1": bool(stable.contains(eta=eta, gamma=.3))}
    measured = {"edge of R1, gamma = 0.3": _edge(), "growth without constraint": float((size["none"][1000]/size["none"][0])**1e-3),
                **{f"flow with R1, gamma = {g:g}": _decay(g) for g in (.3, 3.)},
                **{f"converges: {n}": bool(s[-1] < 1e-3) for n, s in size.items()}}

    def draw(ax):
        for run, colour, count in zip(runs.values(), COLOURS, (160, 1000, 260, 400)):
            ax.plot(run.theta[:count, 0], run.psi[:count, 0], color=colour, lw=.9)
        for text, at, colour in (("none", (1.4, 1.35), BLUE), ("clipped", (-.1, .9), VERMILION), ("norm 1: drifts", (1.3, -1.13), GREEN),
                                 ("R1 penalty", (-.25, .3), PURPLE)):
            note(ax, *at, text, colour, dx=0)
        ax.plot(0, 0, "k+", ms=6)
        ax.set(xlabel="generator $\\theta$", ylabel="critic $\\psi$", title="A bounded critic does not rest; a penalized one does",
               xlim=(-2.3, 2.6), ylim=(-1.7, 1.7))
    last = ", ".join(f"{n} {abs(run.theta[-1, 0]):.2g}" for n, run in runs.items())
    return dict(verdict=f"overstated: a Lipschitz bound keeps the critic bounded but does not give local convergence, a gradient penalty does. "
                        f"|theta| after 1000 steps of 0.1: {last}; with R1 explicit steps converge for eta < gamma (gamma < 2). Setting the "
                        "norm to exactly 1 removes the equilibrium psi = 0; dividing by sigma(W) as a reparametrization needs only <= 1",
                theory=theory, measured=measured, tolerance=1e-3, derivation=(f"R1: {stable}", f"flow: {decay}"), draw=draw)


def _rests(rule: Any) -> bool:
    """Whether a rule has a place of rest where no state is held."""
    try:
        return fixed_point(rule) is not None
    except RuleError:
        return False


def _edge() -> float:
    """The step at which runs with the penalty stop shrinking, on a grid made finer four times."""
    low, high = .1, .6
    for _ in range(3):
        eta = np.linspace(low, high, 33)
        run = iterate(penalized, x0={"theta": np.ones((33, 1)), "psi": np.zeros((33, 1))}, steps=20000, record="last", eta=eta, gamma=.3)
        first = int(np.argmax(~(np.hypot(run.theta[:, -1, 0], run.psi[:, -1, 0]) < 1)))
        low, high = eta[first - 1], eta[first]
    return float(low + high)/2


def _decay(gamma: float) -> float:
    """The exponential rate of the flow between two late times a half turn apart."""
    turn = 2*np.pi/np.sqrt(4 - gamma**2) if gamma < 2 else 3.
    run = solve(penalized_flow, x0={"theta": 1., "psi": .4}, until=20 + 4*turn, gamma=gamma, rtol=1e-10, atol=1e-14)
    a, b = (run.at(t)["theta"].item() for t in (20., 20. + 4*turn))
    return float(np.log(abs(b/a))/(4*turn))
