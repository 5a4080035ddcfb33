"""Figures of stochastic schemes: strong and weak orders with confidence intervals, moments, the same bits on any number of threads."""
from __future__ import annotations

from typing import Any

import numpy as np

import dynopt
from dynopt import euler_maruyama, flow, heun, quadratic, solve

BATCHES = 20
STEPS = (32, 64, 128, 256)


def slope(errors: np.ndarray, steps: tuple[int, ...] = STEPS) -> tuple[float, float]:
    """Order and half width of its 99 % confidence interval from errors (batches, step sizes)."""
    x = np.log2(np.array(steps, dtype=float))
    each = [-np.polyfit(x, np.log2(e), 1)[0] for e in errors]
    return -float(np.polyfit(x, np.log2(errors.mean(0)), 1)[0]), float(2.86*np.std(each, ddof=1)/np.sqrt(len(each)))


STRONG = [("euler_maruyama, multiplicative noise, Ito", euler_maruyama, "x = 101/100*x + 87/100*x*xi",
           lambda W: .5*np.exp(1.01 - .87**2/2 + .87*W), .5),
          ("heun, multiplicative noise, Stratonovich", heun, "x = 63/100*x + 1/2*x*xi", lambda W: .5*np.exp(.63 + .5*W), 1.0)]


def strong_orders(paths: int = 200):
    """E |x - exact(W)| at t = 1, W being the sum of the draws that the run itself made."""
    for name, scheme, text, truth, order in STRONG:
        made = flow.from_string(f"xi = noise(); {text}; w = xi", state="x w")
        errors = np.empty((BATCHES, len(STEPS)))
        for j, n in enumerate(STEPS):
            run = solve(made, x0={"x": np.full((BATCHES*paths, 1), .5), "w": np.zeros((BATCHES*paths, 1))}, until=[1.0], method=scheme, h=1/n, seed=7)
            errors[:, j] = np.abs(run.x[:, -1, 0] - truth(run.w[:, -1, 0])).reshape(BATCHES, paths).mean(1)
        yield name, order, *slope(errors)
    yield "euler_maruyama, additive noise", 1.0, *slope(additive(paths))


def increments(paths: int, fine: int) -> np.ndarray:
    """Increments of the Brownian paths that a run with `fine` steps draws."""
    made = flow.from_string("xi = noise(); w = xi", state="w")
    run = solve(made, x0=np.zeros((BATCHES*paths, 1)), until=np.linspace(0, 1, fine + 1), method=euler_maruyama, h=1/fine, seed=11)
    return np.diff(run.w[:, :, 0], axis=1)


def driven(scheme: Any, n: int, dW: np.ndarray) -> np.ndarray:
    """x at t = 1 of x' = -x + xi from x = 1, by n steps that take their draws from finer increments."""
    x, step = np.ones(len(dW)), scheme(flow.from_string("x = -x + noise()", state="x"))
    for d in dW.reshape(len(dW), n, -1).sum(2).T:
        x = step(x, h=1/n, noise=lambda d=d: d*np.sqrt(n))
    return x


def exact(dW: np.ndarray) -> np.ndarray:
    """The truth on the same paths: e^-1 + int e^{s - 1} dW with the middle of each fine step, far closer than what is measured."""
    return np.exp(-1) + (np.exp((np.arange(dW.shape[1]) + .5)/dW.shape[1] - 1)*dW).sum(1)


def additive(paths: int) -> np.ndarray:
    """Additive noise lifts the strong order of Euler-Maruyama to 1; all step sizes share the draws of one fine run."""
    dW = increments(paths, 4*STEPS[-1])
    return np.stack([np.abs(driven(euler_maruyama, n, dW) - exact(dW)).reshape(BATCHES, paths).mean(1) for n in STEPS], 1)


def weak_orders(paths: int = 10_000):
    """Order of E x^2 - truth at t = 1 and the half width of its 99 % interval; the truth on the same draws takes most chance away."""
    dW = increments(paths, 64)
    for scheme, order, steps in ((euler_maruyama, 1.0, (4, 8, 16)), (heun, 2.0, (2, 4, 8))):
        errors = [(driven(scheme, n, dW)**2 - exact(dW)**2).reshape(BATCHES, paths).mean(1) for n in steps]
        yield f"{scheme.__name__}, additive noise", order, *bias_slope(np.stack(errors, 1), steps)
    made, errors = flow.from_string("xi = noise(); x = -x + x*xi/2; w = xi", state="x w"), []
    for n in (8, 16, 32):
        run = solve(made, x0={"x": np.ones((BATCHES*paths, 1)), "w": np.zeros((BATCHES*paths, 1))}, until=[1.0], method=euler_maruyama, h=1/n, seed=5)
        truth = np.exp(-9/8 + run.w[:, -1, 0]/2)
        errors.append((run.x[:, -1, 0]**2 - truth**2).reshape(BATCHES, paths).mean(1))
    yield "euler_maruyama, multiplicative noise", 1.0, *bias_slope(np.stack(errors, 1), (8, 16, 32))


def bias_slope(errors: np.ndarray, steps: tuple[int, ...]) -> tuple[float, float]:
    """Slope of log |mean error| over log h, and the half width of its 99 % interval by the spread of the batches."""
    x, mean = np.log2(np.array(steps, dtype=float)), errors.mean(0)
    spread = errors.std(0, ddof=1)/np.sqrt(BATCHES)/np.abs(mean)/np.log(2)                   # of log2 |mean|
    weights = (x - x.mean())/((x - x.mean())**2).sum()
    return -float(weights @ np.log2(np.abs(mean))), 2.86*float(np.sqrt((weights**2*spread**2).sum()))


def moments() -> list[tuple[str, float, float, float]]:
    """(what, truth, found, half width of the 99.99 % interval) of BAOAB at temperature T on a quadratic."""
    paths = 40_000
    run = solve(dynopt.langevin, quadratic([1.0, 4.0]), x0=np.zeros((paths, 2)), until=[20.0], gamma=1.0, T=.5, h=.1, seed=3)
    rows = []
    for i, lam in enumerate((1.0, 4.0)):
        squares = run.x[:, -1, i]**2
        rows.append((f"BAOAB, variance of x where lam = {lam:g}", .5/lam, float(squares.mean()), float(3.89*squares.std()/np.sqrt(paths))))
    return rows
