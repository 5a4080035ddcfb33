"""Methods that draw: stochastic gradients, Langevin samplers, Hamiltonian Monte Carlo, particle swarms."""
from __future__ import annotations

from ..core.functions import sqrt
from ..core.rule import method
from .index import example


@example(eta=.1, sigma=.1)
@method(source="Robbins, Monro 1951, with a constant step")
def noisy_gradient_descent(x, *, eta, sigma, grad, noise):
    return x - eta*(grad(x) + sigma*noise())


@example(eta=.1, beta=.5, sigma=.1)
@method(source="Mandt, Hoffman, Blei 2017, SGD with momentum")
def noisy_heavy_ball(x, v, *, eta, beta, sigma, grad, noise):
    v = beta*v + eta*(grad(x) + sigma*noise())
    return x - v, v


@example(eta=.01)
@method(source="Welling, Teh 2011, eq. (4)")
def sgld(x, *, eta, grad, noise):
    return x - eta/2*grad(x) + sqrt(eta)*noise()


@example(h=.05, T=.1)
@method(source="Roberts, Tweedie 1996, unadjusted Langevin algorithm at temperature T")
def langevin_monte_carlo(x, *, h, T, grad, noise):
    return x - h*grad(x) + sqrt(2*h*T)*noise()


@example(eta=.005, alpha=.1)
@method(source="Chen, Fox, Guestrin 2014, eq. (15)")
def sghmc(x, v, *, eta, alpha, grad, noise):
    return x + v, v - eta*grad(x) - alpha*v + sqrt(2*alpha*eta)*noise()


@example(h=.1, gamma=1., T=.1)
@method(source="Skeel, Izaguirre 2002, underdamped Langevin by the symplectic Euler method")
def symplectic_langevin(x, v, *, h, gamma, T, grad, noise):
    v = v + h*(-gamma*v - grad(x)) + sqrt(2*gamma*T*h)*noise()
    return x + h*v, v


@example(h=.2, c=.8, T=.1)
@method(source="Leimkuhler, Matthews 2013, BAOAB, with c = exp(-gamma*h)")
def baoab_langevin(x, v, *, h, c, T, grad, noise):
    v = v - h/2*grad(x)
    x = x + h/2*v
    v = c*v + sqrt((1 - c**2)*T)*noise()
    x = x + h/2*v
    return x, v - h/2*grad(x)


@example(h=.2, c=.9, T=.1)
@method(source="Bussi, Parrinello 2007, OBABO, with c = exp(-gamma*h/2)")
def obabo_langevin(x, v, *, h, c, T, grad, noise):
    v = c*v + sqrt((1 - c**2)*T)*noise()
    v = v - h/2*grad(x)
    x = x + h*v
    v = v - h/2*grad(x)
    return x, c*v + sqrt((1 - c**2)*T)*noise()


@example(h=.1, start={"v": .1})
@method(source="Duane et al. 1987, one leapfrog step, kick-drift-kick")
def hmc_leapfrog(x, v, *, h, grad):
    v = v - h/2*grad(x)
    x = x + h*v
    return x, v - h/2*grad(x)


@example(h=.1, c=.6, n=5)
@method(source="Horowitz 1991, without the Metropolis test")
def hmc_refresh(x, v, *, h, c, n: int, grad, noise):
    v = c*v + sqrt(1 - c**2)*noise()
    for _ in range(n):
        v = v - h/2*grad(x)
        x = x + h*v
        v = v - h/2*grad(x)
    return x, v


@example(w=.7, c1=1.4, c2=1.4, p=.5, g=-.5, on="")
@method(source="Shi, Eberhart 1998, attractors p and g held fixed")
def particle_swarm(x, v=0, *, w, c1, c2, p, g, uniform):
    v = w*v + c1*uniform()*(p - x) + c2*uniform()*(g - x)
    return x + v, v
