"""The same work in jax and optax, jitted, in double precision."""
from __future__ import annotations

import os
from typing import Any, Callable

import jax
import jax.numpy as jnp
import numpy as np
import optax

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")     # read at first use
jax.config.update("jax_enable_x64", True)


def grad(x: Any, y: Any) -> tuple[Any, Any]:
    u = y - x*x
    return -2*(1 - x) - 400*(x*u), 200*u


def ensemble(S: np.ndarray, g: np.ndarray, h: float, steps: int, fourth: bool) -> Callable:
    """Symplectic Euler, or the classical Runge-Kutta method, on all paths at once."""
    def rate(s: Any) -> Any:
        a, b = grad(s[0], s[1])
        return jnp.stack([s[2], s[3], -g*s[2] - a, -g*s[3] - b])

    def euler(_: int, s: Any) -> Any:
        a, b = grad(s[0], s[1])
        p, q = s[2] + h*(-g*s[2] - a), s[3] + h*(-g*s[3] - b)
        return jnp.stack([s[0] + h*p, s[1] + h*q, p, q])

    def rk4(_: int, s: Any) -> Any:
        k1 = rate(s)
        k2 = rate(s + h/2*k1)
        k3 = rate(s + h/2*k2)
        k4 = rate(s + h*k3)
        return s + h/6*(k1 + 2*(k2 + k3) + k4)
    run = jax.jit(lambda s: jax.lax.fori_loop(0, steps, rk4 if fourth else euler, s))
    start = jnp.asarray(S)
    return lambda: run(start).block_until_ready()


def optimizer(name: str, steps: int) -> Callable:
    """A scan over optax updates of Rosenbrock's function."""
    rule = optax.adam(1e-3, b1=.9, b2=.999, eps=1e-8) if name == "adam" else optax.sgd(1e-4, momentum=.9)
    slope = jax.grad(lambda z: (1 - z[0])**2 + 100*(z[1] - z[0]**2)**2)

    def step(carry: Any, _: Any) -> tuple:
        z, state = carry
        update, state = rule.update(slope(z), state)
        return (optax.apply_updates(z, update), state), None
    run = jax.jit(lambda z: jax.lax.scan(step, (z, rule.init(z)), None, length=steps)[0][0])
    start = jnp.array([-1.2, 1.])
    return lambda: np.asarray(run(start).block_until_ready())


def solver(rates: Callable, t0: float, end: float) -> Callable:
    """diffrax's Dopri8 from t0 to `end`, jitted: (start, tolerance) -> the state at the end."""
    import diffrax
    term = diffrax.ODETerm(lambda t, s, _: jnp.stack(rates(t, s)))
    run = jax.jit(lambda y, tol: diffrax.diffeqsolve(term, diffrax.Dopri8(), t0, end, None, y, max_steps=200_000,
                                                     stepsize_controller=diffrax.PIDController(rtol=tol, atol=tol)).ys[0])
    return lambda y, tol: run(y, tol).block_until_ready()
