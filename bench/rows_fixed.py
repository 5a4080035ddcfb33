"""Fixed-step workloads: ensembles, sweeps, one long run, radii, noise."""
from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np
from harness import Row, equal, fma_work, pointer, race

from dynopt import damped, euler_maruyama, heavy_ball, iterate, langevin, linearize, quadratic, rk4, rosenbrock, symplectic_euler
from dynopt.catalog.methods_adaptive import adam
from dynopt.run import lanes
from dynopt.run.iterate import Run
from dynopt.run.radius import spectral_radius
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
    assert run.memory is not None
    start, advance = run.memory.S.copy(), lanes.lane_advance(run, run.memory)

    def again() -> None:
        run.memory.S[...] = start
        run.memory.status[:run.setup.paths], run.memory.taken[...] = 0, 0
        advance(0, steps)
    return run, again


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
               wanted="80 % of FMA peak, 95 % of C++ SIMD (>= 0.95x), 20x numpy")
    row.note = f"{row.ratios.pop('FMA peak'):.0%} of FMA peak, in pairs ({used} instructions a step)"
    return row


def sweeps(library: Any) -> list[Row]:
    n, steps = 1024, 500
    eta, beta = np.linspace(1e-5, 2e-3, n), np.linspace(0, .9, n)
    E, B = (a.ravel() for a in np.meshgrid(eta, beta, indexing="ij"))
    states = {"x": np.broadcast_to([-1.2, 1.], (n*n, 2)), "v": np.zeros((n*n, 2))}
    run, ours = only_steps(heavy_ball, rosenbrock(), states, {"eta": E, "beta": B}, steps)
    ours()
    fine = run.status == 0
    peers: dict[str, Callable] = {}

    def numpy_part(part: slice = slice(0, n*n//100), steps: int = 50) -> np.ndarray:
        e, b = E[part], B[part]
        x, y, p, q = np.full(e.size, -1.2), np.ones(e.size), np.zeros(e.size), np.zeros(e.size)
        for _ in range(steps):
            a, c = grad(x, y)
            p, q = b*p + e*a, b*q + e*c
            x, y = x - p, y - q
        return x
    every = slice(0, n*n, 977)
    equal("sweep", run.memory.S[0, :n*n][every][fine[every]], numpy_part(every, steps)[fine[every]], 1e-7)
    peers["numpy"] = numpy_part
    if library:
        out = np.zeros((n, n))
        peers["C++ SIMD"] = lambda: library.sweep(pointer(eta), pointer(beta), clong(steps), pointer(out), clong(n), clong(n))
        peers["C++ SIMD"]()
        equal("sweep in C++", run.memory.S[0, :n*n][fine], out.ravel()[fine], 1e-6)
    try:
        from dynopt import sweep
        peers["dynopt sweep, to the Dataset"] = lambda: sweep(heavy_ball, rosenbrock(), {"eta": eta, "beta": beta}, x0=[-1.2, 1.],
                                                              steps=steps, progress=False)
        peers["dynopt sweep, to the Dataset"]()
    except ImportError:
        peers.pop("dynopt sweep, to the Dataset", None)
    used = cost(heavy_ball, rosenbrock(), states, {"eta": E, "beta": B})
    peers["FMA peak"], count = fma_work()
    row = race(f"({n} x {n}) sweep of (eta, beta), heavy ball, {steps} steps", ours, peers, per=n*n*steps, unit="s/step",
               work={"numpy": .01*50/steps, "FMA peak": count/(used*n*n*steps)}, wanted="85 % of FMA peak, 12x numpy")
    row.note = f"{row.ratios.pop('FMA peak'):.0%} of FMA peak, in pairs; {1 - fine.mean():.0%} of the points diverge"
    return [row]


def long_runs(library: Any, jax: Any) -> list[Row]:
    steps, rows = 4_000_000, []
    given = dict(problem=rosenbrock(), x0=[-1.2, 1.], record="last")
    peers: dict[str, Callable] = {"exact=True": lambda: iterate(heavy_ball, **given, steps=steps, eta=1e-4, beta=.9),
                                  "numpy arrays": lambda: numpy_heavy_ball(2000)}
    if library:
        s = np.array([-1.2, 1., 0, 0])
        library.heavy_ball(pointer(s), cdouble(1e-4), cdouble(.9), clong(20_000))
        mine = iterate(heavy_ball, **given, steps=20_000, eta=1e-4, beta=.9, exact=False).x[-1]
        equal("heavy ball in C++", mine, s[:2], 1e-9)
        peers["C++"] = lambda: library.heavy_ball(pointer(s), cdouble(1e-4), cdouble(.9), clong(steps))
    if jax:
        peers["optax"] = jax.optimizer("heavy_ball", steps)
    rows.append(race(f"heavy ball, one run of {steps} steps, exact=False", lambda: iterate(heavy_ball, **given, steps=steps,
                eta=1e-4, beta=.9, exact=False), peers, per=steps, unit="s/step", work={"numpy arrays": 2000/steps}, wanted="1.5x optax"))
    values = dict(eta=1e-3, beta1=.9, beta2=.999, eps=1e-8)
    peers = {"exact=True": lambda: iterate(adam, **given, steps=steps, **values)}
    if jax:
        mine = iterate(adam, **given, steps=2000, **values).x[-1]
        equal("Adam in optax", mine, jax.optimizer("adam", 2000)(), 1e-6)
        peers["optax"] = jax.optimizer("adam", steps)
    rows.append(race(f"Adam, one run of {steps} steps, exact=False", lambda: iterate(adam, **given, steps=steps, exact=False, **values),
                     peers, per=steps, unit="s/step", wanted="1.5x optax, 1000x torch eager"))
    return rows


def numpy_heavy_ball(steps: int) -> np.ndarray:
    x, v = np.array([-1.2, 1.]), np.zeros(2)
    for _ in range(steps):
        v = .9*v + 1e-4*np.array(grad(*x))
        x = x - v
    return x


def radii() -> list[Row]:
    from dynopt import delayed
    rows = []
    for name, rule, n, wanted in (("2 x 2 (heavy ball)", heavy_ball, 2000, "500x numpy eigvals"),
                                  ("4 x 4 (heavy ball, gradients two steps late)", delayed(heavy_ball, 2), 300, "35x numpy eigvals")):
        eta, beta, out = np.linspace(1e-3, 3, n), np.linspace(-.9, .99, n)[:, None], np.empty((n, n))
        matrix = linearize(rule).matrix
        def eigenvalues(m: int, rule: Any = rule, matrix: Any = matrix, eta: Any = eta, beta: Any = beta) -> np.ndarray:
            grid = {"eta": np.broadcast_to(eta[:m], (m, m)), "beta": np.broadcast_to(beta[:m], (m, m))}
            M = np.zeros((m, m, *matrix.shape))
            for i in range(matrix.rows):
                for j in range(matrix.cols):
                    M[..., i, j] = entry(matrix[i, j], grid)
            return np.abs(np.linalg.eigvals(M)).max(-1)
        m = n//5
        found = spectral_radius(rule, eta=eta, beta=beta, lam=1., out=out)
        want = eigenvalues(m)
        assert np.median(np.abs(found[:m, :m]/want - 1)) < 1e-12
        equal(name, found[:m, :m], want, 1e-4)                  # eigenvalues of a matrix near a multiple root are no better
        rows.append(race(f"spectral radii, {n} x {n} points, {name}", lambda rule=rule, eta=eta, beta=beta, out=out:
                         spectral_radius(rule, eta=eta, beta=beta, lam=1., out=out), {"numpy eigvals": lambda f=eigenvalues, m=m: f(m)},
                         per=n*n, unit="s/point", work={"numpy eigvals": m*m/n/n}, wanted=wanted))
    return rows


def entry(expression: Any, grid: dict[str, np.ndarray]) -> Any:
    """A polynomial entry of a matrix on arrays."""
    if expression.is_Number:
        return float(expression)
    if expression.is_Symbol:
        return grid.get(expression.name, 1.0)
    parts = [entry(a, grid) for a in expression.args]
    return sum(parts) if expression.is_Add else math.prod(parts) if expression.is_Mul else parts[0]**parts[1]


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


def cdouble(x: float) -> Any:
    import ctypes
    return ctypes.c_double(x)


def clong(x: int) -> Any:
    import ctypes
    return ctypes.c_long(x)
