"""Fixed-step workloads of many paths: ensembles, sweeps, noise."""
from __future__ import annotations

import math
import time
from typing import Any, Callable
from unittest import mock

import numpy as np
from harness import Row, cdouble, clong, equal, fma_work, pointer, race

from dynopt import damped, euler_maruyama, heavy_ball, iterate, langevin, quadratic, rk4, rosenbrock, symplectic_euler
from dynopt.run import lanes
from dynopt.run.iterate import Run
from dynopt.run.setup import prepare


def grad(x: Any, y: Any) -> tuple[Any, Any]:
    u = y - x*x
    return -2*(1 - x) - 400*(x*u), 200*u


def cost(rule: Any, problem: Any, states: dict, params: dict) -> int:
    """Floating-point instructions of one step of one path."""
    return lanes.unrolled_kernel(prepare(rule, problem, states, params), problem, stopping=False, exact=False).cost


def only_steps(rule: Any, problem: Any, states: dict, params: dict, steps: int, seed: int = 0) -> tuple[Run, Callable]:
    """A prepared run and the call that takes its steps, without the checks of the arguments."""
    run = Run(prepare(rule, problem, states, params), problem, steps, steps + 1, 0.0, seed, None)
    return run, stepping(run, steps)


def stepping(run: Run, steps: int) -> Callable:
    """The call that takes the steps of a prepared run, each time from its start."""
    assert run.memory is not None
    start, advance = run.memory.S.copy(), lanes.lane_advance(run, run.memory)

    def again() -> None:
        run.memory.S[...] = start
        run.memory.status[:run.setup.paths], run.memory.taken[...] = 0, 0
        advance(0, steps)
    return again


def by_the_clock(run: Callable, rounds: int = 5) -> float:
    """How much sooner all threads are ready than one alone, the best of each."""
    times: dict[int, list[float]] = {1: [], lanes.THREADS: []}
    for _ in range(rounds):
        for threads, found in times.items():
            with mock.patch.object(lanes, "THREADS", threads):
                start = time.perf_counter()
                run()
                found.append(time.perf_counter() - start)
    return min(times[1])/min(times[lanes.THREADS])


def euler_numpy(S: np.ndarray, g: np.ndarray, h: float, steps: int) -> np.ndarray:
    x, y, p, q = S.copy()
    for _ in range(steps):
        a, b = grad(x, y)
        p = p + h*(-g*p - a)
        q = q + h*(-g*q - b)
        x, y = x + h*p, y + h*q
    return np.stack([x, y, p, q])


def rk4_numpy(S: np.ndarray, g: np.ndarray, h: float, steps: int) -> np.ndarray:
    def rate(s: np.ndarray) -> np.ndarray:
        a, b = grad(s[0], s[1])
        return np.stack([s[2], s[3], -g*s[2] - a, -g*s[3] - b])
    s = S.copy()
    for _ in range(steps):
        k1 = rate(s)
        k2 = rate(s + h/2*k1)
        k3 = rate(s + h/2*k2)
        k4 = rate(s + h*k3)
        s = s + h/6*(k1 + 2*(k2 + k3) + k4)
    return s


def ensembles(library: Any, jax: Any) -> list[Row]:
    n, steps, h = 102_400, 1000, 1e-3
    random = np.random.default_rng(0)
    S = np.stack([random.uniform(-1.2, 1.2, n), random.uniform(0, 1, n), np.zeros(n), np.zeros(n)])
    g = np.linspace(.5, 3, n)
    rows = []
    for name, scheme, plain in (("symplectic Euler", symplectic_euler, euler_numpy), ("RK4", rk4, rk4_numpy)):
        function = library and library["euler" if scheme is symplectic_euler else "rk4"]
        rows.append(ensemble(name, scheme(damped), plain, function, jax and jax.ensemble(S, g, h, steps, scheme is rk4), S, g, h, steps))
    return rows


def ensemble(name: str, rule: Any, plain: Callable, function: Any, jitted: Any, S: np.ndarray, g: np.ndarray, h: float, steps: int) -> Row:
    n, states, params = g.size, {"x": S[:2].T, "v": S[2:].T}, {"h": h, "gamma": g}
    m = n//50
    run, ours = only_steps(rule, rosenbrock(), states, params, steps)
    ours()
    equal(name, run.memory.S[:, :m], plain(S[:, :m].copy(), g[:m], h, steps), 1e-9)
    peers: dict[str, Callable] = {"numpy": lambda: plain(S[:, :m].copy(), g[:m], h, steps//20)}
    if function:
        def cpp() -> np.ndarray:
            T = S.copy()
            function(pointer(T), pointer(g), cdouble(h), clong(steps), clong(n))
            return T
        equal(f"{name} in C++", run.memory.S[:, :n], cpp(), 1e-9)
        peers["C++ SIMD"] = cpp
    if jitted:
        equal(f"{name} in jax", run.memory.S[:, :n], jitted(), 1e-9)
        peers["jax"] = jitted
    peers["dynopt iterate, all checks and copies"] = lambda: iterate(rule, rosenbrock(), x0=states, steps=steps, record="last", **params)
    used = cost(rule, rosenbrock(), states, params)
    peers["FMA peak"], count = fma_work()
    row = race(f"{n} trajectories, {name}, {steps} steps", ours, peers, per=n*steps, unit="s/step",
               work={"numpy": m/n/20, "FMA peak": count/(used*n*steps)},
               wanted="80 % of FMA peak, 0.95x C++ SIMD, 20x numpy")
    row.note = f"{used} instructions a step; {lanes.THREADS} threads {by_the_clock(ours):.2f} times as fast as one, by the clock"
    return row


SWEEP = dict(problem=rosenbrock(), x0=[-1.2, 1.], steps=500)


def tiles(eta: np.ndarray, beta: np.ndarray) -> tuple[Run, Callable]:
    """One run of those that a sweep is made of, and the call that takes the steps of all, tile after tile in the same memory."""
    from dynopt.run.sweep import TILE, read_job
    from dynopt.run.sweep_tiles import run_of
    job = read_job(heavy_ball, SWEEP["problem"], {"eta": eta, "beta": beta}, SWEEP["x0"], SWEEP["steps"], None, 0, {})
    total, calls, memories = eta.size*beta.size, [], {}
    for lo in range(0, total, TILE):
        run = run_of(job, lo, min(lo + TILE, total))
        run.memory = memories.setdefault(run.setup.paths, run.memory)
        calls.append((run, stepping(run, SWEEP["steps"])))

    def every(ends: list | None = None) -> None:
        for run, call in calls:
            call()
            if ends is not None:
                ends.append((run.memory.S[0, :run.setup.paths].copy(), run.memory.status[:run.setup.paths] == 0))
    return calls[0][0], every


def sweeps(library: Any) -> list[Row]:
    from dynopt import sweep
    n, steps = 2000, SWEEP["steps"]
    eta, beta = np.linspace(1e-5, 6e-4, n), np.linspace(0, .9, n)
    E, B = (a.ravel() for a in np.meshgrid(eta, beta, indexing="ij"))
    run, ours = tiles(eta, beta)
    ends: list = []
    ours(ends)
    x, fine = (np.concatenate(parts) for parts in zip(*ends))

    def numpy_part(part: slice = slice(0, n*n//400), steps: int = 50) -> np.ndarray:
        e, b = E[part], B[part]
        x, y, p, q = np.full(e.size, -1.2), np.ones(e.size), np.zeros(e.size), np.zeros(e.size)
        with np.errstate(all="ignore"):
            for _ in range(steps):
                a, c = grad(x, y)
                p, q = b*p + e*a, b*q + e*c
                x, y = x - p, y - q
        return x
    peers: dict[str, Callable] = {"numpy": numpy_part}
    every = slice(0, n*n, 977)
    equal("sweep", x[every][fine[every]], numpy_part(every, steps)[fine[every]], 1e-7)
    if library:
        out = np.zeros((n, n))
        peers["C++ SIMD"] = lambda: library.sweep(pointer(eta), pointer(beta), clong(steps), pointer(out), clong(n), clong(n))
        peers["C++ SIMD"]()
        equal("sweep in C++", x[fine], out.ravel()[fine], 1e-6)
    peers["dynopt sweep, to the Dataset"] = lambda: sweep(heavy_ball, grid={"eta": eta, "beta": beta}, progress=False, **SWEEP)
    paths = run.setup.paths
    used = cost(heavy_ball, rosenbrock(), run.setup.states, {"eta": E[:paths], "beta": B[:paths]})
    peers["FMA peak"], count = fma_work()
    row = race(f"({n} x {n}) sweep of (eta, beta), heavy ball, {steps} steps", ours, peers, per=n*n*steps, unit="s/step",
               work={"numpy": 50/400/steps, "FMA peak": count/(used*n*n*steps)}, wanted="85 % of FMA peak, 12x numpy")
    row.note = f"{used} instructions a step; {1 - fine.mean():.2%} of the points diverge"
    return [row]


def noise(library: Any) -> list[Row]:
    n, steps, h, gamma, T = 20_480, 200, 1e-2, 1., .5
    rule, sigma = euler_maruyama(langevin), math.sqrt(2*gamma*T)
    S = np.zeros((4, n))
    S[:2] = 1.
    states, params = {"x": S[:2].T, "v": S[2:].T}, {"h": h, "gamma": gamma, "T": T}
    run, ours = only_steps(rule, quadratic([1., 4.]), states, params, steps)

    def numpy_part(m: int = 2048, steps: int = 50) -> np.ndarray:
        random = np.random.Generator(np.random.SFC64(1))
        x, v, lam = np.ones((2, m)), np.zeros((2, m)), np.array([[1.], [4.]])
        for _ in range(steps):
            x, v = x + h*v, v + h*(-gamma*v - lam*x) + sigma*math.sqrt(h)*random.standard_normal((2, m))
        return x
    peers: dict[str, Callable] = {"numpy": numpy_part}
    ours()
    variance = run.memory.S[:, :n].var(axis=1)
    other = numpy_part(n, steps).var(axis=1)
    assert np.abs(variance[:2]/other - 1).max() < .06, "the spread after 200 steps, to five standard errors"
    if library:
        def cpp() -> np.ndarray:
            U = S.copy()
            library.langevin(pointer(U), cdouble(h), cdouble(gamma), cdouble(sigma), cdouble(1.), cdouble(4.), clong(steps), clong(n))
            return U
        assert np.abs(variance/cpp().var(axis=1) - 1).max() < .06
        peers["C++, ziggurat, one path at a time"] = cpp
    return [race(f"{n} Langevin paths in the plane, {steps} steps", ours, peers, per=n*steps, unit="s/step", work={"numpy": 2048*50/n/steps},
                 wanted="8x numpy, 3.5x C++ with ziggurat")]
