"""What is printed is what is meant: the text of a region, read back as arithmetic, holds where the region does."""
from __future__ import annotations

import re

import numpy as np
import pytest

from dynopt import (
    accumulated,
    averaged,
    bounded,
    damped,
    delayed,
    leapfrog,
    lookahead,
    method,
    monotone,
    oscillation,
    rk2,
    rules,
    stability,
    symplectic_euler,
    weight_decay,
)

N = 20_000
SIGNS = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal, "!=": np.not_equal}
NAMES = ("gradient_descent heavy_ball heavy_ball_ema heavy_ball_dampened nesterov_yx nag_sc triple_momentum three_parameter qhm aggmo pid "
         "stale_heavy_ball usam extragradient_two_steps optimistic ista fista proximal_point linear_coupling incremental_gradient "
         "sghmc particle_swarm theta_descent implicit_damped qian_momentum hessian_damping symplectic_langevin").split()


@method
def two_steps(x, y, *, eta, alpha, grad):
    y = y - alpha*grad(x)
    return x - eta*(x - y), y


CATALOGUE = rules
CASES = {name: (stability, CATALOGUE[name], {}) for name in NAMES} | {
    "two step sizes": (stability, two_steps, {}),
    **{f"delay {tau}": (stability, delayed(CATALOGUE["gradient_descent"], tau), {}) for tau in (1, 2, 3)},
    "delayed momentum": (stability, delayed(CATALOGUE["heavy_ball"], 1), {}),
    "look-ahead": (stability, lookahead(CATALOGUE["gradient_descent"], inner=3), {}),
    "decay": (stability, weight_decay(CATALOGUE["heavy_ball"], decoupled=True), {}),
    "average": (stability, averaged(CATALOGUE["heavy_ball"]), {}),
    "accumulated": (stability, accumulated(CATALOGUE["heavy_ball"], 2), {}),
    "symplectic Euler": (stability, symplectic_euler(damped), {}),
    "leapfrog": (stability, leapfrog(damped), {}),
    "midpoint": (stability, rk2(damped), {}),
    "every curvature": (stability, CATALOGUE["nesterov_yx"], {"over": ("mu", "L")}),
    "complex curvature": (stability, CATALOGUE["heavy_ball"], {"mode": "complex"}),
    "two players": (stability, CATALOGUE["alternating_descent"], {"mode": [["a", "b"], ["-b", "c"]]}),
    "bounded": (bounded, CATALOGUE["heavy_ball"], {}),
    "oscillation": (oscillation, CATALOGUE["nesterov_yx"], {}),
    "monotone": (monotone, CATALOGUE["heavy_ball"], {}),
}


def clauses(text: str) -> list[list[str]]:
    """The relations of every conjunction; commas inside brackets separate nothing."""
    while "|" in text:
        text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text, count=1)
    return [[word.strip() for word in re.split(r",(?![^(]*\))", part)] for part in text.split("  or  ")]


def holds(relation: str, values: dict) -> np.ndarray:
    """A chain such as 0 < a < b, in arithmetic."""
    if relation in ("all parameters", "no parameters"):
        return np.full(N, relation == "all parameters")
    words = re.split(r"(<=|>=|!=|<|>|=)", relation)
    sides = [eval(word, {"sqrt": np.sqrt, "abs": np.abs}, values) for word in words[::2]]       # our own text, in a test
    return np.logical_and.reduce([np.broadcast_to(SIGNS[s](a, b), (N,)) for s, a, b in zip(words[1::2], sides, sides[1:])])


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_a_region_is_the_region(name):
    question, rule, options = CASES[name]
    region = question(rule, **options)
    symbols = {s for c in region.conditions for relation in c for s in relation.free_symbols}
    random = np.random.default_rng(3)
    values = {s.name: random.normal(size=N)*np.exp(random.normal(size=N)) for s in sorted(symbols, key=str)}
    values = {n: np.abs(v) if any(s.name == n and s.is_positive for s in symbols) else v for n, v in values.items()}
    if {"mu", "L"} <= values.keys():
        values["mu"], values["L"] = np.sort([values["mu"], values["L"]], axis=0)                 # `over` speaks of mu <= L
    inside = np.broadcast_to(region.contains(**values), (N,))
    with np.errstate(all="ignore"):
        told = np.logical_or.reduce([np.logical_and.reduce([holds(r, values) for r in clause]) for clause in clauses(str(region))])
    assert np.array_equal(inside, told), str(region)


def test_a_floor_is_not_dropped_where_the_slope_leans_on_it():
    told = str(stability(delayed(CATALOGUE["gradient_descent"], 2)))
    assert told == "eta > 0, eta*lam*(1 + eta*lam) < 1"
