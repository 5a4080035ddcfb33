"""Exponential integrators of damped motion: the linear part x' = v, v' = c v is solved exactly, the force by quadrature."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..core.errors import RuleError
from ..core.functions import exp
from ..core.rule import Flow, Method
from .scheme_parts import ZERO, Parts
from .scheme_step import Step, exact, method_of


def exponential_euler(flow: Flow) -> Method:
    """v_{k+1} = e^{ch} v_k + h phi_1 F(x_k), x_{k+1} = x_k + h phi_1 v_k + h^2 phi_2 F(x_k), friction c; order 1 (Certaine 1960)."""
    return _exponential(flow, "exponential_euler", False, "Certaine 1960; Hochbruck, Ostermann 2010, eq. (1.5)")


def exponential_rk2(flow: Flow) -> Method:
    """Exponential Euler, corrected by the force at its end: + h phi_2 (F(x') - F(x_k)) in v, h^2 phi_3 of it in x; order 2."""
    return _exponential(flow, "exponential_rk2", True, "Cox, Matthews 2002, eq. (22)")


def _exponential(flow: Flow, name: str, corrected: bool, source: str) -> Method:
    parts = Parts(flow, name, linear_friction=True)
    if parts.outputs[:parts.half] != parts.velocities:
        raise RuleError(f"{name}: the position rates of {flow.name} are not the velocities themselves, expected x' = v; use leapfrog or rk4")
    if parts.draws:
        raise RuleError(f"{name}: {flow.name} is driven by noise, which is no part of it; use baoab or euler_maruyama")

    def body(step: Step, state: tuple) -> tuple:
        x, v = parts.halves(state)
        weights = [_weights(step, c, node is ZERO) for c, node in zip(parts.run(parts.friction, step, state, 0), parts.friction)]
        force = parts.run(parts.still, step, state, 0)
        ahead_x = tuple(a + w[1]*b + w[2]*f for a, b, f, w in zip(x, v, force, weights))
        ahead_v = tuple(w[0]*b + w[1]*f for b, f, w in zip(v, force, weights))
        if not corrected:
            return (*ahead_x, *ahead_v)
        gain = [a - b for a, b in zip(parts.run(parts.still, step, (*ahead_x, *ahead_v), 1), force)]
        return (*(a + w[3]/step.h*g for a, g, w in zip(ahead_x, gain, weights)),
                *(b + w[2]/step.h*g for b, g, w in zip(ahead_v, gain, weights)))
    return method_of(name, flow, body, source=source)


def _weights(step: Step, c: Any, free: bool) -> tuple:
    """e^{ch}, h phi_1, h^2 phi_2, h^3 phi_3; without friction 1, h, h^2/2, h^3/6."""
    h = step.h
    half = exact(Fraction(1, 2), h)*h**2
    if free:
        return exact(Fraction(1), h), h, half, exact(Fraction(1, 6), h)*h**3
    grown = exp(c*h)
    one = (grown - 1)/c
    two = (one - h)/c
    return grown, one, two, (two - half)/c
