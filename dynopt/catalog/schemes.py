"""Schemes: functions Flow -> Method. Each body is the textbook's step, acting on the rates of the flow.

The method has the flow's states and parameters and a time step `h`; step k starts at t = t0 + k h. White noise of the flow
becomes xi/sqrt(h), one draw per step and call, shared by the stages. To add a scheme: a body and one `method_of`.
"""
from __future__ import annotations

from fractions import Fraction
from typing import Any, Callable

from ..core.errors import RuleError
from ..core.functions import where
from ..core.rule import Flow, Method
from .scheme_exponential import exponential_euler, exponential_rk2
from .scheme_parts import Parts, implicit_step, leapfrog_step, split_step
from .scheme_step import Step, exact, method_of
from .scheme_tableau import CLASSICAL, HEUN, MIDPOINT, RungeKutta


def explicit_euler(flow: Flow) -> Method:
    """x_{k+1} = x_k + h f(x_k) (Euler 1768)."""
    def body(step: Step, x: tuple) -> tuple:
        return step.along(x, step.rates(x))
    return method_of("explicit_euler", flow, body, source="Euler 1768")


def euler_maruyama(flow: Flow) -> Method:
    """x_{k+1} = x_k + h f(x_k) + sqrt(h) g(x_k) xi_k, Ito's reading of the noise (Maruyama 1955)."""
    def body(step: Step, x: tuple) -> tuple:
        return step.along(x, step.rates(x))
    return method_of("euler_maruyama", flow, body, source="Maruyama 1955")


def implicit_euler(flow: Flow) -> Method:
    """x_{k+1} = x_k + h f(x_{k+1}) (Hairer, Wanner 1996, eq. (IV.3.1))."""
    def body(step: Step, x: tuple) -> tuple:
        return implicit_step(step, x, lambda y: step.along(x, step.rates(y, 1)))
    return method_of("implicit_euler", flow, body, oracles=("implicit",), source="Hairer, Wanner 1996, section IV.3")


def theta(flow: Flow) -> Method:
    """x_{k+1} = x_k + h ((1 - theta) f(x_k) + theta f(x_{k+1})); theta = 1/2, the default, is the trapezoidal rule."""
    def body(step: Step, x: tuple) -> tuple:
        weight = step.given["theta"]
        now = step.rates(x)

        def mixed(y: tuple) -> tuple:
            return tuple((1 - weight)*a + weight*b for a, b in zip(now, step.rates(y, 1)))
        return implicit_step(step, x, lambda y: step.along(x, mixed(y)))
    return method_of("theta", flow, body, params=("theta",), defaults={"theta": .5}, oracles=("implicit",),
                     source="Hairer, Wanner 1996, section IV.3")


def bdf2(flow: Flow) -> Method:
    """x_{k+1} = 4/3 x_k - 1/3 x_{k-1} + 2/3 h f(x_{k+1}); the first step is implicit Euler (Curtiss, Hirschfelder 1952)."""
    def body(step: Step, states: tuple) -> tuple:
        half = len(states)//2
        x, before = states[:half], states[half:]
        third = exact(Fraction(1, 3), step.h)
        reach = where(step.given["k"] < 1, exact(Fraction(1), step.h), exact(Fraction(2, 3), step.h))

        def moved(y: tuple) -> tuple:
            return tuple(a + third*(a - b) + reach*step.h*r for a, b, r in zip(x, before, step.rates(y, 1)))
        return (*implicit_step(step, x, moved), *x)
    return method_of("bdf2", flow, body, clocks=("k",), oracles=("implicit",), more=tuple(f"{s}_prev" for s in flow.state),
                     source="Curtiss, Hirschfelder 1952; Hairer, Wanner 1996, section V.1")


def rkc(s: int, damping: Any = Fraction(1, 20)) -> Callable[[Flow], Method]:
    """Stabilized Runge-Kutta-Chebyshev of s stages, order 1: real stability interval about (2 - 4/3 damping) s^2.

    Source: Verwer, Hundsdorfer, Sommeijer 1990, eqs. (2.2)-(2.8), first order.
    """
    if isinstance(s, bool) or not isinstance(s, int) or s < 1:
        raise RuleError(f"rkc: s = {s!r:.30}, expected a whole number of stages >= 1; write rkc(5)(flow)")
    w = 1 + Fraction(damping)/s**2
    T, D = [Fraction(1), w], [Fraction(0), Fraction(1)]
    for j in range(2, s + 1):
        D.append(2*T[j - 1] + 2*w*D[j - 1] - D[j - 2])
        T.append(2*w*T[j - 1] - T[j - 2])
    b = T[s]/D[s]

    def body(step: Step, x: tuple) -> tuple:
        before, y = x, step.along(x, step.rates(x), b/w)
        for j in range(2, s + 1):
            rates = step.rates(y, b*D[j - 1]/T[j - 1])
            y, before = tuple(exact(2*T[j - 1]*w/T[j], step.h)*a + exact(2*T[j - 1]*b/T[j], step.h)*step.h*r
                              - exact(T[j - 2]/T[j], step.h)*c for a, r, c in zip(y, rates, before)), y
        return y

    def scheme(flow: Flow) -> Method:
        return method_of(f"rkc{s}", flow, body, source="Verwer, Hundsdorfer, Sommeijer 1990, first order")
    scheme.__name__ = f"rkc{s}"
    return scheme


# ---- Runge-Kutta ------------------------------------------------------------------------------------------------

def runge_kutta(tableau: Any, name: str = "runge_kutta") -> RungeKutta:
    """The scheme of a Butcher tableau (A, b) or (A, b, c), exact; entries are whole numbers, fractions, "1/3" or floats.

    Tableaux that are not explicit solve their stages by `implicit`. `.consistent` is False where sum(b) != 1 or c != A 1.
    Raises RuleError (a ValueError) for shapes that do not fit. Source: Butcher 1964.

    >>> runge_kutta(([[0, 0], ["1/2", 0]], [0, 1])).c
    (Fraction(0, 1), Fraction(1, 2))
    """
    return RungeKutta.read(tableau, name)


rk2 = RungeKutta.read(MIDPOINT, "rk2", "Runge 1895, the explicit midpoint rule")
heun = RungeKutta.read(HEUN, "heun", "Heun 1900; weak order 2 for additive noise, Platen 1984")
rk4 = RungeKutta.read(CLASSICAL, "rk4", "Kutta 1901")


# ---- partitioned: positions, then their velocities --------------------------------------------------------------

def symplectic_euler(flow: Flow) -> Method:
    """v_{k+1} = v_k + h a(x_k, v_k), x_{k+1} = x_k + h v_{k+1} (Vogelaere 1956).

    For the damped flow this is heavy ball with eta = h^2, beta = 1 - h gamma, its buffer being -h v.
    """
    parts = Parts(flow, "symplectic_euler")

    def body(step: Step, state: tuple) -> tuple:
        x, v = parts.halves(state)
        v = step.along(v, parts.velocity(step.rates(state)))
        return (*step.along(x, parts.position(step.rates((*x, *v)))), *v)
    return method_of("symplectic_euler", flow, body, source="de Vogelaere 1956; Hairer, Lubich, Wanner 2006, eq. (I.1.9)")


def leapfrog(flow: Flow) -> Method:
    """Kick, drift, kick (Stoermer-Verlet): v = v_k + h/2 a(x_k, v), x_{k+1} = x_k + h v, v_{k+1} = v + h/2 a(x_{k+1}, v).

    Second order with friction too, since the first kick is taken implicitly: in closed form where the force is affine in v.
    """
    parts = Parts(flow, "leapfrog")
    return method_of("leapfrog", flow, lambda step, state: leapfrog_step(parts, step, state),
                     oracles=() if parts.affine else ("implicit",), source="Hairer, Lubich, Wanner 2006, eq. (II.2.9)")


def splitting(flow: Flow, word: str = "ABOBA") -> Method:
    """Composition of the exact flows of the parts: A the drift x' = v, B the force, O friction and noise.

    `word` gives their order; each letter's share of h is one over its count. "BAO" is Lie's, palindromes are of order 2.
    """
    if not isinstance(word, str) or set(word) != set("ABO"):
        raise RuleError(f"splitting: word = {word!r:.30}, expected each of the letters A, B, O at least once; write splitting(flow, \"BAOAB\")")
    return _split(flow, word, f"splitting_{word}", "Strang 1968; Leimkuhler, Matthews 2013, section 2")


def baoab(flow: Flow) -> Method:
    """Half kick, half drift, exact friction and noise, half drift, half kick (Leimkuhler, Matthews 2013, eq. (10)); friction != 0."""
    return _split(flow, "BAOAB", "baoab", "Leimkuhler, Matthews 2013")


def conformal_leapfrog(flow: Flow) -> Method:
    """Exact half friction, leapfrog, exact half friction: the symplectic form contracts at the exact rate."""
    return _split(flow, "OBABO", "conformal_leapfrog", "Bhatt, Floyd, Moore 2016; Franca, Sulam, Robinson, Vidal 2020, eq. (24)")


def _split(flow: Flow, word: str, name: str, source: str) -> Method:
    parts = Parts(flow, name, linear_friction=True)
    return method_of(name, flow, lambda step, state: split_step(parts, step, state, word), source=source)


SCHEMES = {f.__name__: f for f in (explicit_euler, implicit_euler, symplectic_euler, leapfrog, conformal_leapfrog, rk2, heun, rk4,
                                   theta, bdf2, splitting, baoab, euler_maruyama, exponential_euler, exponential_rk2)}
