"""Figures of schemes with a fixed step: local and global orders, long runs, forward and back, the rescaled energy."""
from __future__ import annotations

import numpy as np
from problem_data import end_of, flow_of, start_of, times_of
from test_schemes import FIXED, TWELVE, observed_order
from test_solve import ODES

import dynopt
from dynopt import baoab, bdf2, conformal_leapfrog, iterate, leapfrog, quadratic, solve, splitting, symplectic_euler

PARTITIONED = [(symplectic_euler, 1), (leapfrog, 2), (conformal_leapfrog, 2), (baoab, 2), (splitting, 2)]
START = {"x": [1.2, .3], "v": [.1, .4]}


def local_order(scheme, problem) -> float:
    """Slope of the error of a single step over halvings of h, where it is above rounding still."""
    t0, t1 = times_of(problem)
    f, start, h = flow_of(problem), start_of(problem), min(2.0, t1 - t0)/16
    errors = []
    while h > 1e-6 and (not errors or errors[-1] > 3e-12):
        truth = end_of(solve(f, x0=start, t0=t0, until=t0 + h, rtol=1e-14, atol=1e-16))
        errors.append(np.abs(end_of(solve(f, x0=start, t0=t0, until=t0 + h, method=scheme, h=h)) - truth).max())
        h /= 2
    good = [e for e in errors if e > 1e-12]
    slopes = np.log2(np.array(good[:-1])/good[1:])
    return float(2*slopes[-1] - slopes[-2]) if len(slopes) > 1 else np.inf                # extrapolated to h = 0; inf: no error to see


def on_twelve():
    """(scheme, order, global orders, local orders) for every scheme that takes any flow; BDF2's first step is implicit Euler's."""
    twelve = [p for p in ODES if p["id"] in TWELVE]
    for scheme, order in FIXED:
        local = [local_order(scheme, p) for p in twelve] if scheme is not bdf2 else []
        yield scheme.__name__, order, [observed_order(scheme, p, order) for p in twelve], local


def on_partitioned():
    """(scheme, order, orders) for those that take positions and velocities: damped motion in four landscapes, three frictions."""
    for scheme, order in PARTITIONED:
        found = []
        for problem in (dynopt.double_well(), dynopt.himmelblau(), dynopt.rosenbrock(), quadratic([1.0, 3.0])):
            for gamma in (.3, .7, 2.0):
                x0 = [1.1, .7]
                truth = solve(dynopt.damped, problem, x0=x0, until=.5, gamma=gamma, rtol=1e-13, atol=1e-15).x[-1]
                steps = (1600, 3200) if order == 1 else (800, 1600)
                ends = [solve(dynopt.damped, problem, x0=x0, until=.5, gamma=gamma, method=scheme, h=.5/n).x[-1] for n in steps]
                errors = [np.abs(x - truth).max() for x in ends]
                found.append(float(np.log2(errors[0]/errors[1])))
        yield scheme.__name__, order, found


def energy_of_a_million_steps() -> tuple[float, float]:
    """(swing of the energy, its drift over the swing)."""
    energy = iterate(leapfrog(dynopt.conservative), dynopt.double_well(), x0=START, steps=10**6, record=100, h=.05).energy
    swing = energy.max() - energy.min()
    slope = np.polyfit(np.arange(energy.size), energy, 1)[0]*energy.size
    return float(swing), float(abs(slope)/swing)


def rescaled_energy() -> tuple[float, float]:
    """The damped oscillator under conformal leapfrog: e^{gamma t} (v^2 + x^2 + gamma x v)/2 is constant along the flow; (swing, drift/swing)."""
    gamma, h, steps = .01, .05, 10**6
    run = iterate(conformal_leapfrog(dynopt.damped), quadratic([1.0]), x0={"x": [1.0], "v": [0.0]}, steps=steps, record=100, h=h, gamma=gamma)
    t = run.k*h
    keep = t*gamma < 600                                    # beyond it the state itself is no double any more
    x, v, t = run.x[keep, 0], run.v[keep, 0], t[keep]
    energy = np.exp(gamma*t)*(v**2 + x**2 + gamma*x*v)/2
    slope = np.polyfit(np.arange(energy.size), energy, 1)[0]*energy.size
    return float(energy.max() - energy.min()), float(abs(slope)/(energy.max() - energy.min()))


def there_and_back() -> float:
    """Ten thousand steps of leapfrog forward, as many back: error at the start."""
    forward = leapfrog(dynopt.conservative)
    out = iterate(forward, dynopt.double_well(), x0=START, steps=10**4, record="last", h=.01)
    back = iterate(forward, dynopt.double_well(), x0={"x": out.x[-1], "v": -out.v[-1]}, steps=10**4, record="last", h=.01)
    return float(np.abs(back.x[-1] - START["x"]).max())
