"""The systems of tests/data/regions.json as declarations; each is the update that its closed form was measured on."""
from dynopt.core.rule import flow, method

K_VALUES = (1, 2, 3)


@method
def gradient_descent(x, *, eta, grad):
    return x - eta*grad(x)


@method
def heavy_ball(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x)
    return x - v, v


@method
def heavy_ball_torch(x, v, *, eta, beta, grad):
    v = beta*v + grad(x)
    return x - eta*v, v


@method
def heavy_ball_ema(x, v, *, eta, beta, grad):
    v = beta*v + (1 - beta)*grad(x)
    return x - eta*v, v


@method
def qhm(x, v, *, eta, beta, q, grad):
    d = grad(x)
    v = beta*v + (1 - beta)*d
    return x - eta*((1 - q)*d + q*v), v


@method
def dampened(x, v, *, eta, beta, tau, grad):
    v = beta*v + (1 - tau)*grad(x)
    return x - eta*v, v


@method
def three_parameters(x, xp, *, eta, beta, gamma, grad):
    y = (1 + gamma)*x - gamma*xp
    return (1 + beta)*x - beta*xp - eta*grad(y), x


@method
def gradient_correction(x, xp, *, eta, beta, gamma, grad):
    return x + beta*(x - xp) - eta*(grad(x) + gamma*(grad(x) - grad(xp))), x


@method
def optimistic(x, xp, *, eta, grad):
    return x - 2*eta*grad(x) + eta*grad(xp), x


@method
def extragradient(x, *, eta, grad):
    return x - eta*grad(x - eta*grad(x))


@method
def weight_decay(x, v, *, eta, beta, wd, grad):
    v = beta*v + grad(x) + wd*x
    return x - eta*v, v


@method
def lookahead(x, *, eta, alpha, k_inner: int, grad):
    y = x
    for _ in range(k_inner):
        y = y - eta*grad(y)
    return x + alpha*(y - x)


@method
def sam_plain(x, *, eta, rho_, grad):
    return x - eta*grad(x + rho_*grad(x))


@method
def aggmo(x, v1, v2, *, eta, b1, b2, grad):
    d = grad(x)
    v1, v2 = b1*v1 + d, b2*v2 + d
    return x - eta/2*(v1 + v2), v1, v2


@method
def implicit_euler(x, *, eta, grad, implicit):
    return implicit(lambda y: y - x + eta*grad(y))


@method
def explicit_euler_damped(x, v, *, h, m, gamma, grad):
    return x + h*v, v + h*(-gamma*v - grad(x))/m


@method
def symplectic_euler_damped(x, v, *, h, m, gamma, grad):
    v = v + h*(-gamma*v - grad(x))/m
    return x + h*v, v


@method
def verlet_damped(x, xp, *, h, m, gamma, grad):
    return (2*m*x - h**2*grad(x) - (m - gamma*h/2)*xp)/(m + gamma*h/2), x


@method
def leapfrog(x, v, *, h, w):
    v = v - h/2*w**2*x
    x = x + h*v
    return x, v - h/2*w**2*x


@method
def rkc2(x, *, eta, grad):
    y = x - eta/4*grad(x)
    return 2*(y - eta/4*grad(y)) - x


@method
def theta_method(x, *, eta, theta, grad, implicit):
    return implicit(lambda y: y - x + eta*((1 - theta)*grad(x) + theta*grad(y)))


@method
def adams_bashforth(x, xp, *, eta, grad):
    return x - eta*(3*grad(x)/2 - grad(xp)/2), x


@method
def implicit_midpoint(x, v, *, h, m, gamma, grad, implicit):
    return implicit(lambda y, w: (y - x - h*(v + w)/2, w - v + h*(gamma*(v + w)/2 + (grad(x) + grad(y))/2)/m))


@method
def nesterov(x, v, *, eta, beta, grad):
    v = beta*v + eta*grad(x - beta*v)
    return x - v, v


@flow
def damped(x, v, *, m, gamma, grad):
    return v, (-gamma*v - grad(x))/m


@method
def stale(x, *, eta, tau: int, grad, past):
    return x - eta*grad(past(x, tau))


@method
def fed_avg(x, *, eta, k_local: int, grad_1, grad_2):
    y, z = x, x
    for _ in range(k_local):
        y, z = y - eta*grad_1(y), z - eta*grad_2(z)
    return (y + z)/2


@method
def fed_avg_momentum(x, v, *, eta, beta, s, k_local: int, grad):
    y = x
    for _ in range(k_local):
        y = y - eta*grad(y)
    v = beta*v + (x - y)
    return x - s*v, v


@method
def alternating(x, y, *, eta, b):
    x = x - eta*b*y
    return x, y + eta*b*x


@method
def alternating_two_rates(x, y, *, ex, ey, b):
    x = x - ex*b*y
    return x, y + ey*b*x


@method
def game_extragradient(x, *, eta, grad):
    return x - eta*grad(x - eta*grad(x))


@method
def game_optimistic(x, xp, *, eta, grad):
    return x - 2*eta*grad(x) + eta*grad(xp), x


@method
def game_descent(x, *, eta, grad):
    return x - eta*grad(x)


@method
def game_extragradient_two_rates(x, *, eta, ge, grad):
    return x - eta*grad(x - ge*grad(x))


@method
def two_rates(x, *, e1, e2, grad):
    x = x - e1*grad(x)
    return x - e2*grad(x)
