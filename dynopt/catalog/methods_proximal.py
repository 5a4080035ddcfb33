"""Proximal, averaged, optimal-gradient and Chebyshev methods: what convex optimization adds to gradient descent."""
from __future__ import annotations

from ..core.functions import Scalar, cos, pi, sqrt, where
from ..core.rule import method
from .index import example


@example(eta=.1)
@method(source="Beck, Teboulle 2009, eq. (1.4)")
def ista(x, *, eta, grad, prox):
    return prox(x - eta*grad(x), eta)


@example(eta=.1)
@method(source="Beck, Teboulle 2009, eqs. (4.1)-(4.3)")
def fista(x, y, theta: Scalar = 1, *, eta, grad, prox):
    x_next = prox(y - eta*grad(y), eta)
    theta_next = (1 + sqrt(1 + 4*theta**2))/2
    return x_next, x_next + (theta - 1)/theta_next*(x_next - x), theta_next


@example(eta=.5)
@method(source="Rockafellar 1976, proximal point algorithm")
def proximal_point(x, *, eta, grad, implicit):
    return implicit(lambda y: y - x + eta*grad(y))


@example(eta=.1)
@method(source="Kim, Fessler 2016, algorithm OGM without its last step")
def ogm(x, y, theta: Scalar = 1, *, eta, grad):
    y_next = x - eta*grad(x)
    theta_next = (1 + sqrt(1 + 4*theta**2))/2
    return y_next + (theta - 1)/theta_next*(y_next - y) + theta/theta_next*(y_next - x), y_next, theta_next


@example(eta=.1, tau=.3, alpha=.3)
@method(source="Allen-Zhu, Orecchia 2017, algorithm 1, with constant coefficients")
def linear_coupling(y, z, *, eta, tau, alpha, grad):
    x = tau*z + (1 - tau)*y
    g = grad(x)
    return x - eta*g, z - alpha*g


@example(mu=1, L=10)
@method(source="Golub, Varga 1961, Chebyshev semi-iteration")
def chebyshev(x, x_prev, omega: Scalar = 1, *, mu, L, k, grad):
    q = (L - mu)/(L + mu)
    x_next = x_prev + omega*(x - x_prev - 2/(L + mu)*grad(x))
    return x_next, x, 1/(1 - q**2/4*where(k < 1, 2, omega))


@example(mu=1, L=10, n=4)
@method(source="Young 1953, Richardson's method with the roots of a Chebyshev polynomial of degree n")
def chebyshev_roots(x, *, mu, L, n: int, k, grad):
    return x - grad(x)/((L + mu)/2 + (L - mu)/2*cos(pi*(2*(k % n) + 1)/(2*n)))


@example(eta=.1, beta=.9)
@method(source="Defazio et al. 2024, eqs. (3)-(5)")
def schedule_free(x, z, *, eta, beta, k, grad):
    z = z - eta*grad((1 - beta)*z + beta*x)
    return x + (z - x)/(k + 2), z


@example(eta=.1)
@method(source="Polyak, Juditsky 1992, with the running mean z")
def polyak_averaging(x, z, *, eta, k, grad):
    x = x - eta*grad(x)
    return x, z + (x - z)/(k + 2)


@example(eta=.1, alpha=.5, K=5)
@method(source="Zhang, Lucas, Hinton, Ba 2019, algorithm 1")
def lookahead_descent(x, *, eta, alpha, K: int, grad):
    y = x
    for _ in range(K):
        y = y - eta*grad(y)
    return x + alpha*(y - x)


@example(eta=.1, alpha=1., beta=.2, K=2)
@method(source="Reddi et al. 2021, algorithm 1 with server momentum, clients alike")
def server_momentum(x, v, *, eta, alpha, beta, K: int, grad):
    y = x
    for _ in range(K):
        y = y - eta*grad(y)
    v = beta*v + (x - y)
    return x - alpha*v, v


@example(eta=.05, K=4, on="clients")
@method(source="McMahan et al. 2017, algorithm 1, two clients")
def fed_avg(x, *, eta, K: int, grad_1, grad_2):
    y, z = x, x
    for _ in range(K):
        y, z = y - eta*grad_1(y), z - eta*grad_2(z)
    return (y + z)/2


@example(eta=.05, K=4, on="clients")
@method(source="Karimireddy et al. 2020, algorithm 1, two clients")
def scaffold(x, c1=0, c2=0, *, eta, K: int, grad_1, grad_2):
    c = (c1 + c2)/2
    y, z = x, x
    for _ in range(K):
        y, z = y - eta*(grad_1(y) - c1 + c), z - eta*(grad_2(z) - c2 + c)
    return (y + z)/2, c1 - c + (x - y)/(K*eta), c2 - c + (x - z)/(K*eta)


@example(eta=.1, on="clients")
@method(source="Bertsekas 2011, incremental gradient, the two parts in turn")
def incremental_gradient(x, *, eta, grad_1, grad_2):
    x = x - eta*grad_1(x)
    return x - eta*grad_2(x)
