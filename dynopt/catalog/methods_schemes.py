"""Integrators of the gradient flow and of damped motion, written out as methods with a time step h."""
from __future__ import annotations

from ..core.functions import where
from ..core.rule import method
from .index import example


@example(h=.15)
@method(source="Heun 1900, of the gradient flow")
def rk2_descent(x, *, h, grad):
    a = -grad(x)
    return x + h/2*(a - grad(x + h*a))


@example(h=.2)
@method(source="Kutta 1901, of the gradient flow")
def rk4_descent(x, *, h, grad):
    a = -grad(x)
    b = -grad(x + h/2*a)
    c = -grad(x + h/2*b)
    return x + h/6*(a + 2*b + 2*c - grad(x + h*c))


def _chebyshev(w, s):
    """Chebyshev polynomials of degree 0..s and their derivatives at w."""
    T, D = [1, w], [0, 1]
    for j in range(2, s + 1):
        D.append(2*T[j - 1] + 2*w*D[j - 1] - D[j - 2])
        T.append(2*w*T[j - 1] - T[j - 2])
    return T, D


@example(h=2., eps=.05, s=5)
@method(source="Verwer, Hundsdorfer, Sommeijer 1990, first order, of the gradient flow")
def rkc_descent(x, *, h, eps, s: int, grad):
    w = 1 + eps/s**2
    T, D = _chebyshev(w, s)
    b = h*T[s]/D[s]
    y, z = x, x - b/w*grad(x)
    for j in range(2, s + 1):
        y, z = z, (2*T[j - 1]*(w*z - b*grad(z)) - T[j - 2]*y)/T[j]
    return z


@example(h=.3)
@method(source="Curtiss, Hirschfelder 1952, of the gradient flow; the first step is implicit Euler")
def bdf2_descent(x, x_prev, *, h, k, grad, implicit):
    c = where(k < 1, 1, 2/3)
    return implicit(lambda y: y - x - (x - x_prev)/3 + c*h*grad(y)), x


@example(h=.3, theta=.5)
@method(source="Hairer, Wanner 1996, theta method, of the gradient flow")
def theta_descent(x, *, h, theta, grad, implicit):
    g = grad(x)
    return implicit(lambda y: y - x + h*((1 - theta)*g + theta*grad(y)))


@example(h=.05)
@method(source="Bashforth, Adams 1883, two steps, of the gradient flow")
def ab2_descent(x, x_prev, *, h, grad):
    return x - h*(3/2*grad(x) - 1/2*grad(x_prev)), x


@example(h=.5, gamma=1.)
@method(source="Hairer, Wanner 1996, implicit Euler of the damped flow; v_next is eliminated")
def implicit_damped(x, v, *, h, gamma, grad, implicit):
    y = implicit(lambda y: y - x - h*(v - h*grad(y))/(1 + h*gamma))
    return y, (y - x)/h


@example(h=.2, gamma=1., m=1.)
@method(source="Qian 1999, damped motion of mass m, friction taken implicitly")
def qian_momentum(x, v, *, h, gamma, m, grad):
    v = (v - h*grad(x)/m)/(1 + h*gamma/m)
    return x + h*v, v


@example(h=.2, gamma=1.)
@method(source="Gronbech-Jensen, Farago 2013, without noise: damped leapfrog in positions")
def damped_leapfrog(x, x_prev, *, h, gamma, grad):
    a = gamma*h/2
    return (2*x - (1 - a)*x_prev - h**2*grad(x))/(1 + a), x
