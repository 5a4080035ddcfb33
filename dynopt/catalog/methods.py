"""Gradient descent and momentum in every convention. Conventions differ in where the step stands and what the buffer holds.

To add a method: one function here or in a file `methods_*.py` of its own, at most eight lines, with its source and an example.
"""
from __future__ import annotations

from ..core.functions import dot, sqrt, where
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


@example(eta=.1, beta=.5)
@method(source="Polyak 1964, eq. (9), written in positions")
def heavy_ball_two_step(x, x_prev, *, eta, beta, grad):
    return x + beta*(x - x_prev) - eta*grad(x), x


@example(eta=.1, beta=.5, dampening=.2)
@method(source="PyTorch, torch.optim.SGD(momentum=beta, dampening=dampening)")
def heavy_ball_dampened(x, v, *, eta, beta, dampening, grad):
    v = beta*v + (1 - dampening)*grad(x)
    return x - eta*v, v


@example(eta=.1, beta=.5)
@method(source="Keras, keras.optimizers.SGD(momentum=beta)")
def heavy_ball_keras(x, v, *, eta, beta, grad):
    v = beta*v - eta*grad(x)
    return x + v, v


@example(mu=1, L=10)
@method(source="Polyak 1964, theorem 9 (Frankel 1950, second-order Richardson method)")
def heavy_ball_tuned(x, x_prev, *, mu, L, grad):
    a, b = sqrt(L) + sqrt(mu), sqrt(L) - sqrt(mu)
    return x + (b/a)**2*(x - x_prev) - 4/a**2*grad(x), x


@example(eta=.08, beta=.5)
@method(source="Nesterov 2004, constant step scheme III, with any beta")
def nesterov_yx(x, y, *, eta, beta, grad):
    x_next = y - eta*grad(y)
    return x_next, x_next + beta*(x_next - x)


@example(eta=.08, beta=.5)
@method(source="PyTorch, torch.optim.SGD(momentum=beta, nesterov=True)")
def nesterov_torch(x, v, *, eta, beta, grad):
    g = grad(x)
    v = beta*v + g
    return x - eta*(g + beta*v), v


@example(eta=.08, beta=.5)
@method(source="Keras, keras.optimizers.SGD(momentum=beta, nesterov=True)")
def nesterov_keras(x, v, *, eta, beta, grad):
    g = grad(x)
    v = beta*v - eta*g
    return x + beta*v - eta*g, v


@example(eta=.1, mu=1)
@method(source="Nesterov 2004, constant step scheme III; Shi et al. 2021 (NAG-SC)")
def nag_sc(x, y, *, eta, mu, grad):
    y_next = x - eta*grad(x)
    beta = (1 - sqrt(mu*eta))/(1 + sqrt(mu*eta))
    return y_next + beta*(y_next - y), y_next


@example(eta=.1)
@method(source="Su, Boyd, Candes 2016, eq. (1) (Nesterov 1983)")
def nag_c(x, y, *, eta, k, grad):
    x_next = y - eta*grad(y)
    return x_next, x_next + k/(k + 3)*(x_next - x)


@example(eta=.08, beta=.5)
@method(source="O'Donoghue, Candes 2015, gradient restart")
def nesterov_restarted(x, y, *, eta, beta, grad):
    g = grad(y)
    x_next = y - eta*g
    return x_next, x_next + where(dot(g, x_next - x) > 0, 0, beta)*(x_next - x)


@example(mu=1, L=10)
@method(source="Van Scoy, Freeman, Lynch 2018, triple momentum")
def triple_momentum(x, x_prev, *, mu, L, grad):
    r = 1 - sqrt(mu/L)
    y = x + r**2/((1 + r)*(2 - r))*(x - x_prev)
    return x + r**2/(2 - r)*(x - x_prev) - (1 + r)/L*grad(y), x


@example(mu=1, L=10, rho=.8)
@method(source="Cyrus, Hu, Van Scoy, Lessard 2018, robust momentum")
def robust_momentum(x, x_prev, *, mu, L, rho, grad):
    d = x - x_prev
    y = x + mu*rho**3/((L - mu)*(1 - rho)**2*(1 + rho))*d
    return x + L*rho**3/(L - mu)*d - (1 - rho)**2*(1 + rho)/mu*grad(y), x


@example(eta=.1, beta=.5, delta=.3)
@method(source="Lessard, Recht, Packard 2016, the family of heavy ball (delta = 0) and Nesterov (delta = beta)")
def three_parameter(x, x_prev, *, eta, beta, delta, grad):
    d = x - x_prev
    return x + beta*d - eta*grad(x + delta*d), x


@example(eta=.1, beta=.5, delta=.3)
@method(source="Shi et al. 2021, heavy ball with a gradient correction")
def gradient_correction(x, x_prev, *, eta, beta, delta, grad):
    g = grad(x)
    return x + beta*(x - x_prev) - eta*(g + delta*(g - grad(x_prev))), x


@example(eta=.15, beta=.5, alpha=.7)
@method(source="Ma, Yarats 2019, algorithm QHM, with alpha for its nu")
def qhm(x, v, *, eta, beta, alpha, grad):
    g = grad(x)
    v = beta*v + (1 - beta)*g
    return x - eta*((1 - alpha)*g + alpha*v), v


@example(eta=.05, beta1=0, beta2=.9)
@method(source="Lucas et al. 2019, aggregated momentum with two buffers")
def aggmo(x, v1, v2, *, eta, beta1, beta2, grad):
    g = grad(x)
    v1, v2 = beta1*v1 + g, beta2*v2 + g
    return x - eta/2*(v1 + v2), v1, v2


@example(eta=.05, beta=.6, kd=.02)
@method(source="An et al. 2018, PID optimizer")
def pid(x, v, w, x_prev, *, eta, beta, kd, grad):
    g = grad(x)
    v = beta*v - eta*g
    w = beta*w - (1 - beta)*(g - grad(x_prev))
    return x + v + kd*w, v, w, x


@example(eta=.02, beta=.3)
@method(source="Polyak 1964 with a gradient two steps old")
def stale_heavy_ball(x, x1, x2, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x2)
    return x - v, x, x1, v
