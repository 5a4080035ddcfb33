"""Randomness inside a step: dropout, rounding, random curvature, mini-batches of real data."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from dynopt import (
    chain,
    evaluate,
    fixed_point,
    iterate,
    largest,
    method,
    moments,
    noisy_gradient_descent,
    quadratic,
    stability,
    typical,
    where,
)

from .measure import halved
from .picture import BLUE, GREEN, GREY, VERMILION, note
from .stoch_runs import second_moment_radius, stationary
from .study import study


@method(source="Srivastava et al. 2014, one weight, inverted scaling, input a, target y, kept with probability q")
def dropout(w, *, eta, q, a, y, uniform):
    m = where(uniform() < q, 1, 0)
    return w - eta*m/q*a*(m/q*a*w - y)


@method(source="Wager, Wang, Liang 2013: the mean loss under dropout is ridge regression")
def ridge(w, *, eta, q, a, y):
    return w - eta*(a*(a*w - y) + (1 - q)/q*a**2*w)


@method
def kept(c, *, q, a, uniform):
    return where(uniform() < q, a**2/q**2, 0)                   # the curvature that one sample sees


@study("S05", "Dropout as noise", "Dropout is gradient noise.")
def dropout_noise() -> dict[str, Any]:
    law, sample, at = moments(dropout, additive=None), moments(kept, additive=None), dict(q=.5, a=1.)
    bound, mean_bound = largest(law.region, "eta", **at), largest(stability(dropout), "eta", **at)
    theory = {"mean curvature": evaluate(sample.mean, **at).item(), "variance of the curvature": evaluate(sample.variance("c"), **at),
              "bound of the mean square": bound, "bound of the mean": mean_bound,
              "mean weight": evaluate(law.mean, eta=.05, y=1., **at).item(), "ridge weight": evaluate(fixed_point(ridge)["w"], y=1., **at)}
    draws = iterate(kept, x0=np.zeros((200_000, 1)), steps=1, record="last", seed=1, **at).c[:, -1, 0]
    masks = [np.array([0., 1.])]                                # at q = 1/2 both cases weigh the same

    def radius(eta: float) -> float:
        return second_moment_radius(lambda w, u: dropout(w, eta=eta, y=0., uniform=lambda: u, **at), 1, masks)
    run = iterate(dropout, x0=np.zeros((4000, 1)), steps=400, record=20, seed=2, eta=.05, y=1., **at).w[:, 10:, 0]
    measured = {"mean curvature": float(draws.mean()), "variance of the curvature": float(draws.var()),
                "bound of the mean square": halved(lambda e: radius(e) < 1, .01, 2.),
                "bound of the mean": halved(lambda e: abs(np.mean([dropout(1., eta=e, y=0., uniform=lambda u=u: u, **at) for u in (0., 1.)])) < 1,
                                            .01, 3.),
                "mean weight": float(run.mean()), "ridge weight": float(run.mean())}
    error = float(run.mean(1).std()/np.sqrt(len(run)))
    shares, steps = np.array([.7, .97, 1.1]), 12
    square = np.mean([(iterate(dropout, x0=np.ones((3, 400_000, 1)), steps=steps, seed=seed, eta=(shares*bound)[:, None], y=0., **at).w[..., 0]**2
                       ).mean(1) for seed in range(3, 7)], axis=0)              # of the first share to a standard error of 1 %
    for r, q in zip(shares, square):
        expected = np.linalg.matrix_power(evaluate(law.lifted, eta=r*bound, **at), steps)
        theory[f"E w^2 after {steps} steps at {r} of the bound"] = expected.item()
        measured[f"E w^2 after {steps} steps at {r} of the bound"] = float(q[-1])

    def draw(ax):
        k = np.arange(steps + 1)
        for r, q, colour in zip(shares, square, (BLUE, GREEN, VERMILION)):
            ax.semilogy(k, evaluate(law.lifted, eta=r*bound, **at).item()**k, color=colour, lw=.9)
            ax.semilogy(k, q, "o", ms=3, color=colour)
            note(ax, steps, q[-1], f"{r:g} of the bound", colour)
        ax.set(xlabel="$k$", ylabel="$E w_k^2$", title="Dropout halves the step that the mean would allow", xlim=(0, 16))
    return dict(verdict="true as a source of noise: the curvature seen has mean a^2/q and variance a^4 (1 - q)/q^3, E w^2 is finite for eta < "
                        f"2 q^2/a^2 ({bound:g} at q = 0.5) where the mean alone would allow 2 q/a^2 ({mean_bound:g}), and the mean weight is "
                        f"that of ridge regression with penalty (1 - q)/q a^2 w^2/2 (standard error {error:.1e})",
                theory=theory, measured=measured,
                tolerance={n: .03 if n.startswith("E") else .01 if "curv" in n or "weight" in n else 1e-4 for n in theory},
                derivation=(f"mean square: {law.region}", f"curvature: mean {sample.mean[0]}, variance {sample.variance('c')}",
                            f"ridge: w = {fixed_point(ridge)['w']}"), draw=draw)


@method(source="Alistarh et al. 2017 (QSGD): stochastic rounding of the gradient to the grid D Z")
def quantized(x, *, eta, D, sigma, grad, noise, uniform):
    g = grad(x) + sigma*noise()
    p = g % D
    return x - eta*(g - p + where(uniform() < p/D, D, 0))


@method
def rounded(x, *, eta, D, grad, uniform):
    return quantized(x, eta=eta, D=D, sigma=0, grad=grad, noise=lambda: 0, uniform=uniform)


@method
def rounding_error(e, *, D, p, uniform):
    return where(uniform() < p, D, 0) - p*D                     # at position p of a cell


@method(source="the grid scaled by |g|: 1/delta at position p between two whole numbers n and n + 1")
def scaled(x, *, eta, delta, n, p, grad, uniform):
    return x - eta*grad(x)*delta*(n + where(uniform() < p, 1, 0))


@study("S11", "Quantised gradients", "Quantisation raises the error floor.")
def quantised_gradients() -> dict[str, Any]:
    cell, plain, eta = moments(rounding_error, additive=None).variance("e"), moments(noisy_gradient_descent, additive=None).variance("x"), .1
    nodes, weights = np.polynomial.legendre.leggauss(3)
    error = {D: float(evaluate(cell, D=D, p=(1 + nodes)/2) @ weights/2) for D in (.5, 2.)}
    total = {D: np.sqrt(1 + v) for D, v in error.items()}       # noise and rounding are independent
    theory = {f"floor, D = {D}": evaluate(plain, eta=eta, lam=1., sigma=s) for D, s in total.items()}
    theory |= {f"rounding error, D = {D}": v for D, v in error.items()}
    starts = [Fraction(j, 100) for j in range(1, 20, 2)]
    laws = [chain(rounded, x0=1 + r, eta="1/10", D=2) for r in starts]
    theory |= {"no noise, start 0.93": chain(rounded, x0="93/100", eta="1/10", D=2).mean("x", 2),
               "no noise, mean over starts": float(np.mean([c.mean("x", 2) for c in laws]))}
    relative = moments(scaled, additive=None)
    shrinks = evaluate(relative.lifted, eta=.5, delta=.4, n=2., p=.5, lam=1.).item()
    theory |= {"relative grid: E x^2 per step": shrinks, "relative grid: floor": bool(shrinks >= 1)}
    floors = {D: stationary(quantized, burn=200, steps=3000, every=30, eta=eta, D=D, sigma=1., paths=3000) for D in error}
    offsets = np.random.default_rng(0).uniform(0, 2, (2, 200_000))
    upper = np.random.default_rng(1).random((2, 200_000)) < offsets/2
    still = [iterate(rounded, quadratic([1.]), x0=np.array(x0)[:, None], steps=2400, record=100, seed=4, eta=eta, D=2.).x[:, 12:, 0]
             for x0 in ([.93]*1500, [1 + float(r) for r in starts for _ in range(200)])]
    run = iterate(scaled, quadratic([1.]), x0=np.ones((200_000, 1)), steps=6, seed=5, eta=.5, delta=.4, n=2., p=.5).x[..., 0]
    measured = {f"floor, D = {D}": float(v) for D, (v, _) in floors.items()}
    measured |= {f"rounding error, D = {D}": float(np.mean((np.where(upper[0], D, 0) - offsets[0]*D/2)**2)) for D in error}
    measured |= {"no noise, start 0.93": float((still[0]**2).mean()), "no noise, mean over starts": float((still[1]**2).mean()),
                 "relative grid: E x^2 per step": float((run[:, -1]**2).mean()**(1/6)), "relative grid: floor": bool((run[:, -1]**2).mean() > .1)}

    law = chain(rounded, x0="93/100", eta="1/10", D=2).law()
    rests = ", ".join(f"at {x} {float(p):.0%} of the time" for x, p in law.items())

    def draw(ax):
        bits = np.arange(2, 11)
        D = 2*4/(2.**bits - 1)                                  # a grid on [-4, 4], both ends included
        y = np.array([evaluate(plain, eta=eta, lam=1., sigma=np.sqrt(.01 + evaluate(cell, D=d, p=(1 + nodes)/2) @ weights/2)) for d in D])
        ax.semilogy(bits, y, "o-", ms=4, color=BLUE)
        none = np.array([np.mean([chain(rounded, x0=str(Fraction(j, 16)*Fraction(1, 10)*Fraction(8, 2**int(b) - 1)), eta="1/10",
                                        D=str(Fraction(8, 2**int(b) - 1))).mean("x", 2) for j in range(1, 16, 2)]) for b in bits])
        ax.semilogy(bits, none, "s-", ms=3.5, color=VERMILION)
        ax.axhline(evaluate(plain, eta=eta, lam=1., sigma=.1), color=GREY, lw=.8, ls=":")
        note(ax, 7, y[5], "noise 0.1 and rounding", BLUE, dx=0, dy=10)
        note(ax, 5, none[3], "rounding alone, mean over starts", VERMILION, dx=-8, dy=-12)
        note(ax, 10, evaluate(plain, eta=eta, lam=1., sigma=.1), "noise alone", dx=0, dy=-8, ha="right")
        ax.set(xlabel="bits of the grid on $[-4, 4]$", ylabel="stationary $E x^2$", title="Each bit divides the rounding floor by four")
    return dict(verdict="true with noise: rounding at position p of a cell adds D^2 p (1 - p), D^2/6 on average, to sigma^2, so that E x^2 = eta "
                        "(sigma^2 + D^2/6)/(lam (2 - eta lam)); D = 2 R/(2^b - 1) on [-R, R] with b bits. Without noise (lam = 1) the state "
                        "ends on the two lattice points around 0, E x^2 = a (eta D - a) with a = x_0 mod eta D: between 0 and (eta D)^2/4 "
                        "by the start, (eta D)^2/6 on average. On a grid scaled by |g| the error shrinks with g: no floor (standard error "
                        f"{100*max(float(e/v) for v, e in floors.values()):.1f} %)",
                theory=theory, measured=measured, tolerance=.02,
                derivation=(f"variance of rounding at position p: {cell}", f"floor under noise: {plain}",
                            f"without noise, start 0.93: {rests}",
                            f"relative grid: mean square {relative.region}"), draw=draw)


@method(source="Kesten 1973: a random curvature; a batch of B divides s by sqrt(B)")
def random_curvature(x, *, eta, s, grad, noise):
    return x - eta*(grad(x) + s*noise()*x)


@study("S12", "Typical path and mean square disagree", "The Lyapunov exponent of chaotic training guides the choice of the batch size.")
def typical_path() -> dict[str, Any]:
    square, path = moments(random_curvature, additive=None).region, typical(random_curvature)
    spread = {B: 3/np.sqrt(B) for B in (1, 4, 16, 64)}          # s^2 = 9 over a batch of B
    theory = {"mean square, s = 1": largest(square, "eta", s=1., lam=1.), "almost sure, s = 1": path.edge("eta", .5, 3., s=1., lam=1.),
              "exponent at eta = 1.5": path.exponent(eta=1.5, s=1., lam=1.)}
    theory |= {f"mean square, s^2 = 9, B = {B}": largest(square, "eta", s=s, lam=1.) for B, s in spread.items()}
    signs = [np.array([-1., 1.])]

    def edge(s: float) -> float:
        given = dict(s=s, grad=lambda x: x)
        return halved(lambda e: second_moment_radius(lambda x, z: random_curvature(x, eta=e, noise=lambda: z, **given), 1, signs) < 1, .01, 4.)
    etas = np.array([1.5, 1.7, 1.76])
    run = iterate(random_curvature, quadratic([1.]), x0=np.ones((3, 20000, 1)), steps=200, record="last", seed=1, eta=etas[:, None], s=1.)
    grown = np.log(np.abs(run.x[:, :, -1, 0]))/200
    exponents, error = grown.mean(1), float(grown.std(1).max()/np.sqrt(20000))
    measured = {"mean square, s = 1": edge(1.), "almost sure, s = 1": float(np.interp(0, exponents[1:], etas[1:])),
                "exponent at eta = 1.5": float(exponents[0]), **{f"mean square, s^2 = 9, B = {B}": edge(s) for B, s in spread.items()}}

    def draw(ax):
        B = np.geomspace(1, 256, 25)
        sure = [path.edge("eta", .2, 6., s=3/b**.5, lam=1.) for b in B]
        mean = [largest(square, "eta", s=3/b**.5, lam=1.) for b in B]
        ax.fill_between(B, mean, sure, color=GREEN, alpha=.15, lw=0)
        for y, colour, word, dx, dy in ((mean, VERMILION, "mean square", 6, -9), (sure, BLUE, "almost every path", -4, 9)):
            ax.semilogx(B, y, color=colour)
            note(ax, B[13], y[13], word, colour, dx=dx, dy=dy, ha="left" if dx > 0 else "right")
        note(ax, 12, .75, "between them paths die out\nand the mean explodes", GREEN, dx=0)
        ax.plot(list(spread), [measured[f"mean square, s^2 = 9, B = {b}"] for b in spread], "o", ms=4, color=VERMILION)
        ax.axhline(2, color=GREY, lw=.6, ls=":")
        note(ax, 1, 2, "no noise", dx=0, dy=6)
        ax.set(xlabel="batch size $B$ ($s^2 = 9$, $\\lambda = 1$)", ylabel="largest $\\eta$", title="Two thresholds, far apart for small batches")
    return dict(verdict="true once 'chaos' is replaced by products of random matrices: E x^2 asks for eta < 2 lam/(lam^2 + s^2/B), almost every "
                        f"path only for E log|1 - eta a| < 0 (eta < {theory['almost sure, s = 1']:.4f} at s = 1, B = 1); in between the "
                        f"typical path dies out while rare ones carry the mean square away (standard error of the exponent {error:.1e})",
                theory=theory, measured=measured, tolerance={n: .02 if "exp" in n else 5e-3 if "sure" in n else 1e-4 for n in theory},
                derivation=(f"mean square: {square}", f"exponent at eta = 1.5: {theory['exponent at eta = 1.5']:.6f}"), draw=draw)
