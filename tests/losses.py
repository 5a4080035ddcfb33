"""Losses on which every published rule is run: five problems, a game, two clients; scaled so that curvatures are at most ten."""
from __future__ import annotations

import numpy as np

from dynopt import Game, Problem, abs, dot, double_well, himmelblau, logistic, maximum, rosenbrock, rules, sign
from dynopt.core.rule import Method

LAM = np.array([1., 10.])
RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
Y = np.sign(X @ [1., -2.] + .5*RNG.normal(size=20))


def soft_threshold(u, s):
    return sign(u)*maximum(abs(u) - .05*s, 0)


def loss(name: str, problem: Problem, scale: float) -> Problem:
    """The problem times a power of two, with a proximal term beside it."""
    return Problem(lambda x: problem.fields["f"].function(x)*scale, name=name, dim=2, prox=soft_threshold)


# curvature at the minimizer: 1002 for Rosenbrock's function, 82 for Himmelblau's at (3, 2)
PROBLEMS = {
    "quadratic": (Problem(lambda x: dot(x, LAM*x)/2, lambda x: LAM*x, name="quadratic", dim=2, prox=soft_threshold), [1., -.7]),
    "rosenbrock": (loss("rosenbrock", rosenbrock(), 2.**-7), [1.01, 1.03]),
    "himmelblau": (loss("himmelblau", himmelblau(), 2.**-3), [3.1, 1.8]),
    "logistic": (loss("logistic", logistic(X, Y, l2=.05), 1.), [.3, -.1]),
    "double_well": (loss("double_well", double_well(), 1.), [.7, .3]),
}
GAME = {"game": (Game([lambda x, y: .1*x + y, lambda x, y: .1*y - x]), {"x": [1., .5], "y": [.3, -.2]})}
CLIENTS = {"clients": (Game([lambda x: 2*(x - 1), lambda x: 5*(x + .5)]), [1., .3])}
RUNS = {"problem": PROBLEMS, "game": GAME, "clients": CLIENTS, "": {"no oracle": (None, [1., .3])}}
METHODS = [name for name in rules if isinstance(rules[name], Method)]


def runs(name: str):
    """(loss name, problem, start, parameters) for every loss that a published method can run on."""
    example = rules.example(name)
    for where, (problem, x0) in RUNS[example.on].items():
        start = x0 if isinstance(x0, dict) else {rules[name].state[0]: x0}
        yield where, problem, start | {s: np.full(2, v) for s, v in example.start.items()}, example.params
