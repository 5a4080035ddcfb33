"""The five initial value problems of the table of single solves, as dynopt, scipy, heyoka, numba and jax are told of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from dynopt import damped, lorenz, nesterov_flow, quadratic, rosenbrock, van_der_pol


@dataclass(frozen=True)
class Case:
    """x' = rates(t, x) from `start` at `t0` to `end`; `truth` is the state there (heyoka in numbers of 220 bits, two tolerances agree)."""

    flow: Any
    problem: Any
    x0: dict
    params: dict
    t0: float
    end: float
    rates: Callable
    truth: tuple[float, ...]

    @property
    def start(self) -> np.ndarray:
        return np.concatenate([np.atleast_1d(v) for v in self.x0.values()])

    def error(self, y: Any) -> float:
        return float(np.abs(np.asarray(y) - self.truth).max())


def damped_valley(t, s):
    u = s[1] - s[0]*s[0]
    return s[2], s[3], -1.*s[2] + 2.*(1. - s[0]) + 400.*s[0]*u, -1.*s[3] - 200.*u


def su_valley(t, s):
    u = s[1] - s[0]*s[0]
    return s[2], s[3], -3./t*s[2] + 2.*(1. - s[0]) + 400.*s[0]*u, -3./t*s[3] - 200.*u


def su_quadratic(t, s):
    return s[2], s[3], -3./t*s[2] - 1.*s[0], -3./t*s[3] - 1e4*s[1]


def lorenz_rates(t, s):
    return 10.*(s[1] - s[0]), s[0]*(28. - s[2]) - s[1], s[0]*s[1] - 8/3*s[2]


def van_der_pol_rates(t, s):
    return s[1], 5.*(1. - s[0]*s[0])*s[1] - s[0]


VALLEY, AT_REST = rosenbrock(), {"x": [-1.2, 1.], "v": [0., 0.]}
CASES = {
    "damped flow on Rosenbrock": Case(damped, VALLEY, AT_REST, {"gamma": 1.}, 0., 20., damped_valley,
                                      (0.9998688511735361, 0.9997596721677434, -2.2818376664193096e-05, 0.0001674498302529336)),
    "Su's flow on Rosenbrock": Case(nesterov_flow, VALLEY, AT_REST, {}, .1, 20., su_valley,
                                    (0.9871816002377272, 0.9742117586517611, -0.02986757353524717, -0.04952382386420853)),
    "Su's flow, kappa = 1e4": Case(nesterov_flow, quadratic([1., 1e4]), {"x": [1., 1.], "v": [0., 0.]}, {}, .1, 10., su_quadratic,
                                   (0.008716946146710095, -0.0009869464003603673, -0.0510543738650901, 0.02134448602763614)),
    "Lorenz": Case(lorenz, None, {"x": 1., "y": 1., "z": 1.}, {}, 0., 10., lorenz_rates,
                   (-4.902687541134648, -3.743872921802919, 24.690858102790564)),
    "Van der Pol, c = 5": Case(van_der_pol, None, {"x": [2.], "v": [0.]}, {"c": 5.}, 0., 30., van_der_pol_rates,
                               (-1.8739619570502548, 0.14761807737830748))}
