"""What surrounds adversarial training: spectral norms, and attacks that carry over from one model to another."""
from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from dynopt import clip, dataset, evaluate, heavy_ball_torch, iterate, method, norm, per_coordinate, rate, response, sign, sqrt

from .picture import BLUE, COLOURS, GREY, VERMILION, note
from .study import study


@method(source="Golub, Van Loan, section 8.2, on W^T W")
def power_iteration(x, *, A):
    y = A @ x
    return y/norm(y)


@method(source="the same in the plane of the two largest singular vectors")
def power_plane(a, b, *, s1, s2):
    size = sqrt((s1**2*a)**2 + (s2**2*b)**2)
    return s1**2*a/size, s2**2*b/size


@study("G04", "Spectral norm by power iteration", "Power iteration gives the spectral norm of a layer; the product of the norms bounds the network.")
def spectral_norm() -> dict[str, Any]:
    W = np.random.default_rng(3).normal(size=(64, 64))
    exact = np.linalg.svd(W, compute_uv=False)
    turn = rate(power_plane, at={"a": 1, "b": 0}).at(s1=exact[0], s2=exact[1])
    run = iterate(power_iteration, x0=np.random.default_rng(0).normal(size=64), steps=200, A=W.T @ W).x
    error = 1 - np.linalg.norm(run @ W.T, axis=-1)/np.linalg.norm(run, axis=-1)/exact[0]
    ks = np.arange(90)
    use = np.flatnonzero((error > 1e-12) & (error < 1e-7))      # late enough for the third singular value to have died out
    layers = [np.random.default_rng(i).normal(size=(64, 64)) for i in range(10, 22)]
    unit = [M/np.linalg.norm(M, 2) for M in layers]
    products = [unit[0]]
    for M in unit[1:]:
        products.append(M @ products[-1])
    true = np.array([np.linalg.norm(P, 2) for P in products])
    theory = {"slope of log error": 2*float(np.log(turn)), "product exceeds its bound": False, "bound loose, 6 layers": True}
    measured = {"slope of log error": float(np.polyfit(use, np.log(error[use]), 1)[0]),
                "product exceeds its bound": bool((true > 1 + 1e-12).any()), "bound loose, 6 layers": bool(true[5] < .2)}

    def draw(ax):
        ax.semilogy(ks, error[:90], ".", ms=3.5, color=BLUE)
        ax.semilogy(ks, error[60]*turn**(2.*(ks - 60)), color=BLUE, lw=.9)
        note(ax, 35, error[35], "error of $\\sigma$: falls by $(s_2/s_1)^4$ a step", BLUE, dx=6, dy=6)
        depth = np.arange(1, 13)
        ax.semilogy(depth, true, "s-", ms=3.5, lw=.8, color=VERMILION)
        ax.axhline(1, color=GREY, lw=.6, ls=":")
        note(ax, 12, true[-1], "norm of a product of\nnormalized layers, by depth", VERMILION, dx=6)
        note(ax, 89, 1, "the bound on it", dx=0, dy=6, ha="right")
        ax.set(xlabel="iterations $k$; layers", ylabel="relative error; norm", title="Power iteration is quick, the product bound is loose",
               ylim=(1e-9, 5))
    return dict(verdict=f"true, and the bound is loose: the error of sigma falls by (s2/s1)^4 an iteration; six normalized 64 x 64 Gaussian layers "
                        f"have norm {true[5]:.4f} where the product of their norms says 1",
                theory=theory, measured=measured, tolerance={n: .02 if "slope" in n else 0. for n in theory},
                derivation=(f"a direction beside the first shrinks by {turn:.6f} an iteration, the error of sigma by its square",), draw=draw)


@method(source="Dong et al. 2018, algorithm 1 (MI-FGSM), a for the step, centre the image, radius the size of the attack")
def attack(x, m, *, a, mu, centre, radius, grad):
    g = grad(x)
    m = mu*m + g
    return clip(x + a*sign(m), centre - radius, centre + radius), m


@method
def attack_linear(x, m, *, a, mu, w):
    m = mu*m + w
    return x - a*sign(m), m


@cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images in [0, 1] and labels."""
    X, y = dataset("digits", standardized=False)
    return X/16, y


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(1, keepdims=True))
    return e/e.sum(1, keepdims=True)


@cache
def trained(hidden: int, seed: int) -> tuple[np.ndarray, ...]:
    """A network with one hidden layer (none: logistic), trained by heavy ball on 1200 digits."""
    X, y = digits()
    rng, T = np.random.default_rng(seed), np.eye(10)[y[:1200]]
    X = X[:1200]
    shapes = [(64, hidden), (hidden, 10)] if hidden else [(64, 10)]
    weights = [rng.normal(size=s)/np.sqrt(s[0]) for s in shapes]
    moving = [np.zeros(s) for s in shapes]
    for _ in range(150):
        H = np.tanh(X @ weights[0]) if hidden else X
        D = (softmax(H @ weights[-1]) - T)/len(X)
        grads = [X.T @ (D @ weights[1].T*(1 - H**2)), H.T @ D] if hidden else [X.T @ D]
        moving = [.9*v + g for v, g in zip(moving, grads)]
        weights = [w - .5*v for w, v in zip(weights, moving)]
    return tuple(weights)


def scores(weights: tuple, x: np.ndarray) -> np.ndarray:
    return np.tanh(x @ weights[0]) @ weights[1] if len(weights) == 2 else x @ weights[0]


def ascent(weights: tuple, x: np.ndarray, T: np.ndarray) -> np.ndarray:
    """The gradient of each image's loss, of 1-norm 1."""
    H = np.tanh(x @ weights[0]) if len(weights) == 2 else x
    D = softmax(H @ weights[-1]) - T
    g = (D @ weights[1].T*(1 - H**2)) @ weights[0].T if len(weights) == 2 else D @ weights[0].T
    return g/np.maximum(np.abs(g).sum(1, keepdims=True), 1e-30)


def transfer(mu: float, noise: float, radius: float = .15, steps: int = 10) -> float:
    """The share of images that the target misreads after an attack on the source, of those that both read before."""
    X, y = digits()
    X, y, source, target = X[1200:], y[1200:], trained(32, 0), trained(0, 1)
    good = (scores(source, X).argmax(1) == y) & (scores(target, X).argmax(1) == y)
    X, T, rng = X[good], np.eye(10)[y[good]], np.random.default_rng(7)
    x, m = X, np.zeros_like(X)
    for _ in range(steps):
        g = ascent(source, x, T)
        g = g + noise*np.abs(g).mean(1, keepdims=True)*rng.normal(size=g.shape)
        x, m = attack(x, m, a=radius/steps, mu=mu, centre=X, radius=radius, grad=lambda _, g=g: g)
    return float((scores(target, x).argmax(1) != y[good]).mean())


@study("G05", "Momentum in transfer attacks", "Momentum filters out what is specific to the source, so that attacks transfer better.")
def transfer_attacks() -> dict[str, Any]:
    mus, eps, steps = (0., .5, 1.), .1, 10
    w = trained(0, 1)[0]
    direction = w[:, 3] - w[:, 5]                               # a linear model that tells two digits apart
    weights = [response(heavy_ball_torch).impulse(j) for j in range(steps)]
    travel = {mu: eps/steps*np.sign(np.cumsum([evaluate(v, beta=mu, eta=1.) for v in weights])).sum() for mu in mus}
    theory = {f"margin drop of a linear model, mu = {mu}": float(travel[mu]*np.linalg.norm(direction, 1)) for mu in mus}
    measured = {}
    for mu in mus:
        x = iterate(attack_linear, x0={"x": np.zeros(64), "m": np.zeros(64)}, steps=steps, a=eps/steps, mu=mu, w=per_coordinate(direction)).x
        measured[f"margin drop of a linear model, mu = {mu}"] = float(-x[-1] @ direction)
    clean, noisy = {mu: transfer(mu, 0.) for mu in mus}, {mu: transfer(mu, 3.) for mu in mus}
    theory |= {"momentum helps with exact gradients": False, "momentum helps with noisy gradients": True}
    measured |= {"momentum helps with exact gradients": bool(clean[1.] > clean[0.] + .02),
                 "momentum helps with noisy gradients": bool(noisy[1.] > noisy[0.] + .02)}

    def draw(ax):
        sizes = np.array([.03, .06, .1, .15, .2, .25])
        for mu, colour in zip(mus, COLOURS):
            for noise, dash in ((0., "-"), (3., "--")):
                y = [transfer(mu, noise, float(r)) for r in sizes]
                ax.plot(sizes, y, dash, color=colour, lw=1.1)
                if noise or mu == 0.:
                    note(ax, sizes[-1], y[-1], f"$\\mu = {mu:g}$" if noise else "exact gradients", colour, dx=4)
        note(ax, .2, .3, "noisy gradients, dashed", dx=0, dy=-6)
        ax.set(xlabel="size of the attack", ylabel="share misread by the target", title="Momentum helps where gradients are noisy", ylim=(0, 1))
    return dict(verdict="conditional: on a linear model every momentum takes eps |w|_1 off the margin; exact gradients of a smooth source transfer "
                        f"no better with it ({', '.join(f'{clean[m]:.3f} at mu = {m:g}' for m in mus)}), gradients with three times as much noise "
                        f"do ({', '.join(f'{noisy[m]:.3f}' for m in mus)}); one small instance, one seed",
                theory=theory, measured=measured, tolerance=1e-9,
                derivation=(f"weights of past gradients: {', '.join(map(str, weights[:3]))}, ...: of one sign, so that a step follows sign(w)",
                            f"eps |w|_1 = {theory['margin drop of a linear model, mu = 0.0']:.6f}"), draw=draw)
