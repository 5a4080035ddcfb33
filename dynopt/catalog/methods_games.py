"""Methods for two players, and one-state methods that were made for games (there `grad` is the field of all players)."""
from __future__ import annotations

from ..core.rule import method
from .index import example


@example(eta=.05)
@method(source="Korpelevich 1976")
def extragradient(x, *, eta, grad):
    return x - eta*grad(x - eta*grad(x))


@example(eta=.04, alpha=.06)
@method(source="Hsieh et al. 2020, extragradient with two step sizes")
def extragradient_two_steps(x, *, eta, alpha, grad):
    return x - eta*grad(x - alpha*grad(x))


@example(eta=.04)
@method(source="Daskalakis et al. 2018, optimistic mirror descent")
def optimistic(x, x_prev, *, eta, grad):
    return x - 2*eta*grad(x) + eta*grad(x_prev), x


@example(eta=.04)
@method(source="Popov 1980, extragradient from the past; y is where the last gradient was taken")
def popov(x, y, *, eta, grad):
    y = x - eta*grad(y)
    return x - eta*grad(y), y


@example(eta=.04, beta=-.2)
@method(source="Gidel et al. 2019, negative momentum, simultaneous")
def negative_momentum(x, x_prev, *, eta, beta, grad):
    return x - eta*grad(x) + beta*(x - x_prev), x


@example(eta=.05, on="game")
@method(source="Goodfellow et al. 2014, simultaneous gradient steps")
def simultaneous_descent(x, y, *, eta, grad_1, grad_2):
    return x - eta*grad_1(x, y), y - eta*grad_2(x, y)


@example(eta=.3, on="game")
@method(source="Gidel et al. 2019, alternating gradient descent")
def alternating_descent(x, y, *, eta, grad_1, grad_2):
    x = x - eta*grad_1(x, y)
    return x, y - eta*grad_2(x, y)


@example(eta=.3, beta=-.3, on="game")
@method(source="Gidel et al. 2019, alternating gradient descent with (negative) momentum")
def alternating_momentum(x, y, x_prev, y_prev, *, eta, beta, grad_1, grad_2):
    x_next = x - eta*grad_1(x, y) + beta*(x - x_prev)
    return x_next, y - eta*grad_2(x_next, y) + beta*(y - y_prev), x, y


@example(eta=.3, on="game")
@method(source="Korpelevich 1976, each player's step written out")
def extragradient_play(x, y, *, eta, grad_1, grad_2):
    u, w = x - eta*grad_1(x, y), y - eta*grad_2(x, y)
    return x - eta*grad_1(u, w), y - eta*grad_2(u, w)


@example(eta=.2, on="game")
@method(source="Daskalakis et al. 2018, optimistic gradient descent-ascent")
def optimistic_play(x, y, x_prev, y_prev, *, eta, grad_1, grad_2):
    x_next = x - 2*eta*grad_1(x, y) + eta*grad_1(x_prev, y_prev)
    y_next = y - 2*eta*grad_2(x, y) + eta*grad_2(x_prev, y_prev)
    return x_next, y_next, x, y
