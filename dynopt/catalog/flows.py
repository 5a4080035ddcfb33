"""Flows: the differential equations behind optimizers and samplers, each as its source writes it.

`v` is the velocity x'. To add one: a function of at most eight lines with its source; tests and pages pick it up.
"""
from __future__ import annotations

from ..core.functions import norm, sqrt
from ..core.rule import flow

# ---- descent and friction ---------------------------------------------------------------------------------------

@flow(source="Cauchy 1847")
def gradient_flow(x, *, grad):
    """x' = -grad f(x)."""
    return -grad(x)


@flow(source="Polyak 1964, section 2")
def damped(x, v, *, gamma, grad):
    """x'' + gamma x' + grad f(x) = 0."""
    return v, -gamma*v - grad(x)


@flow(source="Qian 1999, eq. (4)")
def damped_mass(x, v, *, m, gamma, grad):
    """m x'' + gamma x' + grad f(x) = 0."""
    return v, (-gamma*v - grad(x))/m


@flow(source="Newton 1687; Hairer, Lubich, Wanner 2006, section I.1")
def conservative(x, v, *, grad):
    """x'' + grad f(x) = 0."""
    return v, -grad(x)


# ---- Nesterov's family ------------------------------------------------------------------------------------------

@flow(source="Su, Boyd, Candes 2016, eq. (3); general r: section 4.1")
def nesterov_flow(x, v, *, r=3, t, grad):
    """x'' + (r/t) x' + grad f(x) = 0."""
    return v, -r/t*v - grad(x)


@flow(source="Polyak 1964; Wilson, Recht, Jordan 2021, section 2.1")
def strongly_convex_flow(x, v, *, mu, grad):
    """x'' + 2 sqrt(mu) x' + grad f(x) = 0 for a mu-strongly convex f."""
    return v, -2*sqrt(mu)*v - grad(x)


@flow(source="Alvarez, Attouch, Bolte, Redont 2002, eq. (1)")
def hessian_damping(x, v, *, gamma, beta, grad, hess):
    """x'' + gamma x' + beta hess f(x) x' + grad f(x) = 0."""
    return v, -gamma*v - beta*hess(x, v) - grad(x)


@flow(source="Shi, Du, Jordan, Su 2022, eq. (1.10); s is the step size of the method")
def high_resolution_heavy_ball(x, v, *, mu, s, grad):
    """x'' + 2 sqrt(mu) x' + (1 + sqrt(mu s)) grad f(x) = 0."""
    return v, -2*sqrt(mu)*v - (1 + sqrt(mu*s))*grad(x)


@flow(source="Shi, Du, Jordan, Su 2022, eq. (1.11)")
def high_resolution_nag_sc(x, v, *, mu, s, grad, hess):
    """x'' + 2 sqrt(mu) x' + sqrt(s) hess f(x) x' + (1 + sqrt(mu s)) grad f(x) = 0."""
    return v, -2*sqrt(mu)*v - sqrt(s)*hess(x, v) - (1 + sqrt(mu*s))*grad(x)


@flow(source="Shi, Du, Jordan, Su 2022, eq. (1.12)")
def high_resolution_nag_c(x, v, *, s, t, grad, hess):
    """x'' + (3/t) x' + sqrt(s) hess f(x) x' + (1 + 3 sqrt(s)/(2 t)) grad f(x) = 0."""
    return v, -3/t*v - sqrt(s)*hess(x, v) - (1 + 3*sqrt(s)/(2*t))*grad(x)


@flow(source="told in tutorials; a look-ahead that does not vanish with the step is no limit of Nesterov's method")
def lookahead_flow(x, v, *, t, grad):
    """x'' + (3/t) x' + grad f(x + t/(t + 3) x') = 0, which Nesterov's method does not follow: its own look-ahead is h t/(t + 3 h) x'.

    On a mode it has the friction 3/t + lam t/(t + 3), so that x dies like exp(-r t) where the method's flow dies like t**(-3/2).
    """
    return v, -3/t*v - grad(x + t/(t + 3)*v)


@flow(source="Wibisono, Wilson, Jordan 2016, eq. (7), Euclidean")
def bregman_flow(x, v, *, p=2, C=1, t, grad):
    """x'' + (p + 1)/t x' + C p^2 t^(p - 2) grad f(x + (t/p) x') = 0."""
    return v, -(p + 1)/t*v - C*p**2*t**(p - 2)*grad(x + t/p*v)


@flow(source="Wibisono, Wilson, Jordan 2016, eq. (5), with the look-ahead dropped")
def rescaled_flow(x, v, *, p=2, C=1, t, grad):
    """x'' + (p + 1)/t x' + C p^2 t^(p - 2) grad f(x) = 0; p = 2, C = 1/4 is Nesterov's flow."""
    return v, -(p + 1)/t*v - C*p**2*t**(p - 2)*grad(x)


# ---- chance and delay -------------------------------------------------------------------------------------------

@flow(source="Langevin 1908; Leimkuhler, Matthews 2013, eq. (1); T is the temperature")
def langevin(x, v, *, gamma, T, grad, noise):
    """dx = v dt, dv = (-gamma v - grad f(x)) dt + sqrt(2 gamma T) dW."""
    return v, -gamma*v - grad(x) + sqrt(2*gamma*T)*noise()


@flow(source="Roberts, Tweedie 1996, eq. (1), at temperature T")
def overdamped_langevin(x, *, T, grad, noise):
    """dx = -grad f(x) dt + sqrt(2 T) dW."""
    return -grad(x) + sqrt(2*T)*noise()


@flow(source="Li, Tai, E 2017, eq. (9); eta is the step size of SGD, t = k eta")
def sgd_sde(x, *, eta, sigma, grad, noise):
    """dx = -grad f(x) dt + sqrt(eta) sigma dW."""
    return -grad(x) + sqrt(eta)*sigma*noise()


@flow(source="Hale, Verduyn Lunel 1993, section 1.1")
def delayed_gradient_flow(x, *, tau, grad, past):
    """x'(t) = -grad f(x(t - tau))."""
    return -grad(past(x, tau))


# ---- flows that are no descent ----------------------------------------------------------------------------------

@flow(source="Newton 1687; Hairer, Lubich, Wanner 2006, section I.2")
def kepler(q, p):
    """q'' = -q/|q|^3."""
    return p, -q/norm(q)**3


@flow(source="Lorenz 1963, eqs. (25)-(27)")
def lorenz(x, y, z, *, sigma=10, rho=28, beta=8/3):
    """x' = sigma (y - x), y' = x (rho - z) - y, z' = x y - beta z."""
    return sigma*(y - x), x*(rho - z) - y, x*y - beta*z


@flow(source="van der Pol 1926; the stiff test of Hairer, Wanner 1996, section IV.10")
def van_der_pol(x, v, *, c):
    """x'' = c (1 - x^2) x' - x."""
    return v, c*(1 - x**2)*v - x
