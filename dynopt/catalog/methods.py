"""Gradient descent and momentum in every convention. Conventions differ in where the step stands and what the buffer holds.

To add a method: one function here or in a file `methods_*.py` of its own, at most eight lines, with its source and an example.
"""
from __future__ import annotations

from ..core.rule import method
from .index import example


@example(eta=.1)
@method(source="Cauchy 1847")
def gradient_descent(x, *, eta, grad):
    return x - eta*grad(x)


@example(eta=.1, beta=.5)
@method(source="Polyak 1964, eq. (9)")
def heavy_ball(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v


@example(eta=.1, beta=.5)
@method(source="PyTorch, torch.optim.SGD(momentum=beta)")
def heavy_ball_torch(x, v, *, eta, beta, grad):
    v = beta*v + grad(x)
    return x - eta*v, v


@example(eta=.2, beta=.5)
@method(source="Cohen et al. 2022, momentum as an average")
def heavy_ball_ema(x, v, *, eta, beta, grad):
    v = beta*v + (1 - beta)*grad(x)
    return x - eta*v, v


@example(eta=.08, beta=.5)
@method(source="Sutskever et al. 2013, eqs. (3)-(4), with v of the other sign")
def nesterov(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x - beta*v)
    return x - v, v
