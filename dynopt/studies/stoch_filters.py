"""Memory: filters of gradients, correlated noise, and two averages in a row."""
from __future__ import annotations

from typing import Any

import numpy as np

from dynopt import cos, evaluate, heavy_ball_ema, iterate, method, moments, quadratic, rate, response, sqrt

from .measure import halved
from .picture import BLUE, COLOURS, GREEN, GREY, VERMILION, note
from .stoch_runs import stationary
from .study import study


@method
def average(v, *, beta, noise):
    return beta*v + (1 - beta)*noise()


@method
def total(v, *, beta, noise):
    return beta*v + noise()


@method
def turned(v, *, beta, omega, k):
    return beta*v + (1 - beta)*cos(omega*k)


@study("S03", "Velocity as a low-pass filter", "The velocity is the gradient after a low-pass filter.")
def low_pass() -> dict[str, Any]:
    answer, beta = response(heavy_ball_ema), .9
    power, cutoff = answer.magnitude_squared("omega"), answer.cutoff()
    gains = {"EMA": moments(average, additive=None).variance("v"), "sum": moments(total, additive=None).variance("v")}
    theory = {"half-power frequency": evaluate(cutoff, beta=beta, eta=1.), **{f"white-noise gain, {n}": evaluate(g, beta=beta)
                                                                             for n, g in gains.items()}}
    tones = np.array([.05, .3, 1., 2.])
    theory |= {f"power at omega = {w}": evaluate(power, omega=w, beta=beta, eta=1.) for w in tones}
    found = {"EMA": stationary(average, burn=200, steps=2000, every=20, state="v", beta=beta),
             "sum": stationary(total, burn=200, steps=2000, every=20, state="v", beta=beta)}
    measured = {"half-power frequency": halved(lambda w: _power(beta, np.array([w]))[0] > .5, .05, .3, 18),
                **{f"white-noise gain, {n}": float(v) for n, (v, _) in found.items()},
                **{f"power at omega = {w}": float(p) for w, p in zip(tones, _power(beta, tones))}}

    def draw(ax):
        w = np.geomspace(.01, np.pi, 300)
        for b, colour in zip((.5, .9, .99), COLOURS):
            ax.loglog(w, evaluate(power, omega=w, beta=b, eta=1.), color=colour)
            at = evaluate(cutoff, beta=b, eta=1.)
            ax.plot(at, .5, "o", ms=4, color=colour)
            note(ax, 1., evaluate(power, omega=1., beta=b, eta=1.), f"$\\beta = {b}$", colour, dx=7, dy=12)
        ax.plot(tones, [measured[f"power at omega = {x}"] for x in tones], "k.", ms=5)
        ax.axhline(.5, color=GREY, lw=.6, ls=":")
        note(ax, .024, .5, "half power", dx=0, dy=-7)
        ax.set(xlabel="frequency $\\omega$, radians a step", ylabel="power $|H|^2$", title="The velocity passes what is slow", ylim=(1e-5, 2))
    return dict(verdict="true for the velocity, and only for it: the parameter sums the velocity up again, so that it gains nothing (S01). At "
                        f"beta = 0.9 half of the power is gone at {theory['half-power frequency']:.5f} radians a step",
                theory=theory, measured=measured, tolerance={n: .02 if "noise" in n else 1e-3 for n in theory},
                derivation=(f"|W|^2 = {power}", f"half power at {cutoff}", *(f"gain of white noise, {n}: {g}" for n, g in gains.items())),
                draw=draw)


def _power(beta: float, omega: np.ndarray) -> np.ndarray:
    """The squared amplitude of the filter's answer to a tone: from its two quadratures over whole turns of a long run."""
    run = iterate(turned, x0=np.zeros((omega.size, 1)), steps=6000, beta=beta, omega=omega)
    k, v = run.k[1000:], run.v[:, 1000:, 0]
    basis = np.stack([np.cos(omega[:, None]*k), np.sin(omega[:, None]*k)], -1)
    return np.array([np.sum(np.linalg.lstsq(a, y, rcond=None)[0]**2) for a, y in zip(basis, v)])


@method(source="SGD with noise of correlation rho from one step to the next")
def coloured(x, n, *, eta, rho, sigma, grad, noise):
    return x - eta*(grad(x) + n), rho*n + sigma*sqrt(1 - rho**2)*noise()


@study("S10", "Correlated gradient noise and replay", "Replay decorrelates samples.")
def correlated_noise() -> dict[str, Any]:
    law, rhos, given = moments(coloured, additive=None), np.array([0., .5, .9]), dict(eta=.05, lam=1., sigma=1.)
    variance, mean = law.variance("x"), law.mean_of(32, "n")
    theory = {f"variance, rho = {r}": evaluate(variance, rho=r, **given) for r in rhos}
    theory["batch of 32 at rho = 0.9 over independent"] = evaluate(mean, rho=.9, **given)/evaluate(mean, rho=0., **given)
    found, error = stationary(coloured, burn=400, steps=4000, every=20, lead=3, eta=.05, rho=rhos, sigma=1., paths=3000,
                              start={"x": 0., "n": 0.})
    measured = dict(zip(theory, map(float, found)))
    run = iterate(coloured, quadratic([1.]), x0={"x": np.zeros((2, 3000, 1)), "n": np.zeros((2, 3000, 1))}, steps=32*40 + 100, seed=3,
                  eta=.05, rho=np.array([[.9], [0.]]), sigma=1.)
    batches = run.n[:, :, 101:, 0].reshape(2, 3000, 40, 32).mean(-1).var((1, 2))
    measured["batch of 32 at rho = 0.9 over independent"] = float(batches[0]/batches[1])

    def draw(ax):
        r = np.linspace(0, .98, 200)
        ax.semilogy(r, evaluate(variance, rho=r, **given), color=BLUE)
        ax.errorbar(rhos, found, 2*error, fmt="o", ms=4, color=BLUE)
        ax.semilogy(r, evaluate(mean, rho=r, **given), color=VERMILION)
        ax.plot([.9, 0], batches, "o", ms=4, color=VERMILION)
        note(ax, .4, evaluate(variance, rho=.4, **given), "Var $x$, $\\eta\\lambda = 0.05$", BLUE, dx=0, dy=-10)
        note(ax, .5, evaluate(mean, rho=.5, **given), "mean of a batch of 32", VERMILION, dx=0, dy=10, ha="right")
        ax.set(xlabel="correlation $\\rho$ of successive gradients", ylabel="variance ($\\sigma = 1$)",
               title="Correlated samples cost as much as fewer of them")
    return dict(verdict="true: without correlation the variance is (1 - a rho)/(1 + a rho) of what it was, a = 1 - eta lam, and a batch of "
                        f"32 samples with rho = 0.9 is {theory['batch of 32 at rho = 0.9 over independent']:.1f} times as noisy as an "
                        "independent one; the bias of replaying old samples is not modelled "
                        f"(standard error {100*float((error/found).max()):.1f} %)",
                theory=theory, measured=measured, tolerance=.025,
                derivation=(f"Var x = {variance}", f"correlation time of x: {law.correlation_time('x')}"), draw=draw)


@method(source="Tarvainen, Valpola 2017: a model with momentum, pulled to its own average p with weight w")
def mean_teacher(theta, v, p, *, eta, beta, a, w, grad):
    v = beta*v + eta*(grad(theta) + w*(theta - p))
    theta = theta - v
    return theta, v, a*p + (1 - a)*theta


@method(source="the same with the model at rest for the p of the moment")
def slow_teacher(p, *, a, w, grad, implicit):
    theta = implicit(lambda t: grad(t) + w*(t - p))
    return a*p + (1 - a)*theta


@method(source="the gradient filtered twice")
def filtered_twice(x, m, p, *, a, beta, grad):
    m = beta*m + (1 - beta)*grad(x)
    p = a*p + (1 - a)*m
    return x - p, m, p


@method
def ramp(m, p, *, a, beta, k):
    m = beta*m + (1 - beta)*k
    return m, a*p + (1 - a)*m


@study("S13", "Two averages in a row: lag", "Momentum of the parameters and temporal ensembling add up to a lag.")
def two_averages() -> dict[str, Any]:
    lag, slow, whole = response(filtered_twice).lag, rate(slow_teacher), rate(mean_teacher)
    memories = ((.6, .9), (.9, .99), (.99, .99))
    theory = {f"ramp lag, beta = {b}, a = {a}": evaluate(lag, a=a, beta=b) for b, a in memories}
    measured = {f"ramp lag, beta = {b}, a = {a}": _ramp_lag(b, a) for b, a in memories}
    keeps = (.95, .995, .9995)
    for a in keeps:
        theory[f"slow rate, a = {a}"] = 1 - whole.at(eta=.1, beta=.9, a=a, w=1., lam=1.)
        theory[f"slow rate, model at rest, a = {a}"] = 1 - slow.at(a=a, w=1., lam=1.)
        measured[f"slow rate, a = {a}"] = measured[f"slow rate, model at rest, a = {a}"] = 1 - _forgetting(a)

    def draw(ax):
        k = np.arange(800)
        goal = np.where(k < 100, 0., 1.)
        for b, a, colour, level in ((0., .9, GREEN, .9), (.9, .99, BLUE, .68), (.99, .99, VERMILION, .4)):
            m = p = 0.
            path = []
            for g in goal:
                m, p = ramp(m, p, a=a, beta=b, k=g)
                path.append(p)
            ax.plot(k, path, color=colour)
            at = int(np.argmax(np.array(path) > level))
            note(ax, at, level, f"$\\beta = {b}$, $a = {a}$", colour, dx=5)
        ax.plot(k, goal, color=GREY, lw=.8)
        note(ax, 100, 1., "target", dx=-4, dy=-4, ha="right")
        ax.set(xlabel="$k$", ylabel="pseudo-label $p$", title="The lags of two averages add up")
    return dict(verdict="true: the lags add, beta/(1 - beta) + a/(1 - a) steps, and feedback through the average leaves a slow rate close to "
                        "(1 - a) lam/(lam + w); the average a dominates, beta counts only where its memory is as long",
                theory=theory, measured=measured, tolerance={n: .02 if "rest" in n else 1e-3 for n in theory},
                derivation=(f"lag: {lag}", f"slow part: {slow}", f"whole: {whole}"), draw=draw)


def _ramp_lag(beta: float, a: float) -> float:
    """How many steps the twice averaged ramp is behind."""
    run = iterate(ramp, x0={"m": 0., "p": 0.}, steps=8000, record="last", a=a, beta=beta)
    return float(run.k[-1] - 1 - run.p[-1, 0])


def _forgetting(a: float) -> float:
    """The factor per step by which the teacher's error shrinks in a long run."""
    n = int(8/(1 - a))
    run = iterate(mean_teacher, quadratic([1.]), x0={"theta": 1., "v": 0., "p": 1.}, steps=2*n, record=n, eta=.1, beta=.9, a=a, w=1.)
    return float((run.p[2, 0]/run.p[1, 0])**(1/n))
