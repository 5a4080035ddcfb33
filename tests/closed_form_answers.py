"""How dynopt answers each closed form of the table: rules declared as the table's programs, answers asked from the public verbs.

An answer is an expression (or a dict of them) to be compared with the listed closed form, a list of pairs of expressions, a
function of the sampled values, or a region.
"""
from __future__ import annotations

from functools import cache

import sympy

from dynopt import (
    chebyshev,
    clip,
    conservative,
    contraction,
    cos,
    cycle,
    damped_mass,
    decay,
    delayed,
    dot,
    equivalent,
    fed_avg,
    fixed_point,
    flow,
    gradient_correction,
    gradient_flow,
    invariants,
    method,
    moments,
    optimum,
    pi,
    rate,
    response,
    rk2,
    rk4,
    schedule,
    schedule_free,
    sign,
    sqrt,
    stability,
    symplectic_euler,
    triple_momentum,
)
from dynopt.theory.nonlinear import curve_of, step_of
from dynopt.theory.symbols import symbol

lam, eta, beta, mu, L, h, gamma, m, c = map(symbol, "lam eta beta mu L h gamma m c".split())


def rule(text: str, state: str = "x v"):
    return method.from_string(text, state=state)


GD = rule("x = x - eta*grad(x)", "x")
HB = rule("v = beta*v + eta*grad(x); x = x - v")
EMA = rule("v = beta*v + (1 - beta)*grad(x); x = x - eta*v")
NAG = rule("v = beta*v + eta*grad(x - beta*v); x = x - v")
YX = rule("u = y - eta*grad(y); y = u + beta*(u - x); x = u", "x y")
FILTER = rule("a = beta*a + (1 - beta)*u", "a")
EXTRA = rule("u = x - eta*grad(x); x = x - eta*grad(u)", "x")
QHM = rule("d = grad(x); v = beta*v + (1 - beta)*d; x = x - eta*((1 - w)*d + w*v)")
VERLET = rule("v = v - h/2*grad(x); x = x + h*v; v = v - h/2*grad(x)")
SGHMC = rule("v = v + h*(-gamma*v - lam*x) + sqrt(2*gamma*T*h)*noise(); x = x + h*v")
BAOAB = rule("v = v - h/2*lam*x; x = x + h/2*v; v = exp(-gamma*h)*v + sqrt(T*(1 - exp(-2*gamma*h)))*noise();"
             "x = x + h/2*v; v = v - h/2*lam*x")
HALF = "v = exp(-gamma*h/2)*v + sqrt(T*(1 - exp(-gamma*h)))*noise()"
OBABO = rule(f"{HALF}; v = v - h/2*lam*x; x = x + h*v; v = v - h/2*lam*x; {HALF}")
SCALE = rule("q = (1 - eta*wd)**2*q + eta**2*G**2/q", "q")
DAMPED_FORM = "v = v + h*(-gamma*v - grad(x))/m; x = x + h*v"


@method
def rotated_sam(x, *, eta, rho_, grad):
    return x - eta*grad(x + rho_*sign(x))


@method
def chebyshev_cycle(x, *, mu, L, n: int, k, grad):
    return x - grad(x)/((L + mu)/2 + (L - mu)/2*cos(pi*(2*(k % n) + 1)/(2*n)))


@method
def polyak_step(x, *, f, grad):
    g = grad(x)
    return x - f(x)/g**2*g


@method
def exact_line_search(x, *, grad, hess):
    g = grad(x)
    return x - dot(g, g)/dot(g, hess(x, g))*g


@method
def power_iteration(x, y, *, l1, l2):
    size = sqrt((l1*x)**2 + (l2*y)**2)
    return l1*x/size, l2*y/size


@method
def simultaneous(x, y, *, eta, grad_1, grad_2):
    return x - eta*grad_1(x, y), y - eta*grad_2(x, y)


@method
def extragradient_game(x, y, *, eta, grad_1, grad_2):
    u, w = x - eta*grad_1(x, y), y - eta*grad_2(x, y)
    return x - eta*grad_1(u, w), y - eta*grad_2(u, w)


@flow
def langevin(x, v, *, m, gamma, T, grad, noise):
    return v, (-gamma*v - grad(x) + sqrt(2*gamma*T)*noise())/m


@flow
def gradient_diffusion(x, *, eta, sigma, grad, noise):
    return -grad(x) + sqrt(eta)*sigma*noise()


GAME = [["0", "b"], ["-b", "0"]]


def edge(r, given=("eta > 0", "0 <= beta", "beta < 1")):
    """The largest stable curvature."""
    [branch] = stability(r, given=given).solve("lam")
    return branch.upper


def piece(r, kind, part="value"):
    [group] = rate(r).pieces
    return next(getattr(p, part) for p in group if p.kind == kind)


def real_limit(scheme):
    """The smallest h*lam > 0 at which a scheme on the gradient flow has a root on the circle."""
    found = stability(scheme(gradient_flow)).boundaries
    roots = [r for b in found for r in sympy.Poly(b.curve.subs(lam, 1), h).real_roots() if r > 0]
    return sympy.N(min(roots), 30)


def schedule_free_edge():
    """Where the factor that sees the curvature has the root -1, in the limit of many steps."""
    [p] = [f for f in rate(schedule_free).factors if any(e.has(lam) for e in f.coefficients)]
    return sympy.solve(p.coefficients[1] - p.coefficients[0], lam)[0]


def standard(r, **params):
    """A worst rate over [mu, L] at given parameters, as a function of numbers."""
    worst = rate(r.subs(**params)).over("mu", "L")
    return lambda p: worst.at(mu=p["mu"], L=p["L"])


def proximal_point(p):
    return proximal_rate().at(eta=p["eta"], mu=p["mu"], L=p["L"])


@cache
def proximal_rate():
    return rate(method(lambda x, *, eta, grad, implicit: implicit(lambda y: y - x + eta*grad(y)))).over("mu", "L")


def triple_worst(p):
    return triple_rate().at(mu=1.0, L=p["kappa"])


@cache
def triple_rate():
    return rate(triple_momentum).over("mu", "L")


def ema_after(p):
    """The sum of the first t weights of past gradients, at eta = 1."""
    found = response(EMA.subs(eta=1))
    weights = sympy.lambdify(beta, [found.impulse(0), found.impulse(1)/found.impulse(0)])
    first, ratio = weights(p["beta"])
    assert sympy.cancel(found.impulse(5) - found.impulse(0)*(found.impulse(1)/found.impulse(0))**5) == 0
    return sum(first*ratio**j for j in range(int(p["t"])))


def shadow():
    [conserved] = invariants(VERLET)
    return conserved/2


def chebyshev_contraction(p):
    n = int(p["k"])                                        # the entry speaks of all n steps together, `rate` of one
    return chebyshev_worst(n).at(mu=p["mu"], L=p["L"])**n


@cache
def chebyshev_worst(n):
    """The worst rate over one round of n steps."""
    return rate(chebyshev_cycle.at(n=n)).over("mu", "L")


def delayed_edge():
    """The largest stable eta*lam of gradient descent tau steps late, times 2*tau + 1, for many steps."""
    [branch] = stability(delayed(GD, "tau")).solve("eta")
    tau = symbol("tau")
    return sympy.limit(branch.upper.subs({s: tau for s in branch.upper.free_symbols if s.name == "tau"})*lam*(2*tau + 1), tau, sympy.oo)


def asymptotic_chebyshev(p):
    """The rate that the semi-iteration settles to, the same for all curvatures between mu and L."""
    return chebyshev_rate().at(mu=p["mu"], L=p["L"], lam=(p["mu"] + p["L"])/2)


@cache
def chebyshev_rate():
    return rate(chebyshev)


def fed_average(p):
    return fed_point(int(p["K"]))(*(p[n] for n in ("eta", "a1", "a2", "c1", "c2")))


@cache
def fed_point(K):
    found = fixed_point(fed_avg.at(K=K), minimizer={"grad_1": "c1", "grad_2": "c2"})["x"]
    return sympy.lambdify([symbol(n) for n in ("eta", "lam_1", "lam_2", "c1", "c2")], found, "mpmath")


def slow_root():
    z = sympy.Symbol("z")
    root = piece(HB, "real").subs(eta, z/lam)
    root = root.subs(sympy.Abs(beta - z + 1), beta - z + 1)
    slope = sympy.log(root).diff(z).subs(z, 0)
    return slope.subs(sympy.sqrt((1 - beta)**2), 1 - beta).replace(
        lambda e: e.is_Pow and e.exp == sympy.Rational(1, 2), lambda e: 1 - beta).replace(
        lambda e: e.is_Pow and e.exp == -sympy.Rational(1, 2), lambda e: 1/(1 - beta))


def game_modulus(r):
    """The size of the complex pair on the bilinear game."""
    [group] = rate(r, mode=GAME).pieces
    return next(p.value for p in group if p.kind == "complex")


def best_modulus():
    square = game_modulus(extragradient_game)**2
    e = sympy.Symbol("e", positive=True)                                 # (eta*b)**2
    value = sympy.expand(square.subs(eta, sympy.sqrt(e)/symbol("b")))
    return sympy.sqrt(value.subs(e, sympy.solve(value.diff(e), e)[0]))


def clipping_limit():
    """Where each orbit of period two exists: beside the linear region nothing else keeps the rule from settling."""
    clipped = method(lambda x, *, eta, c, grad: x - eta*clip(grad(x), -c, c))
    return [orbit.when for orbit in cycle(clipped, "lam*x**2/2")]


def minibatch_region():
    h1, h2, size = sympy.symbols("h1 h2 m", real=True)
    mean, spread = (h1 + h2)/2, (h1**2 + h2**2)/2 - ((h1 + h2)/2)**2
    return moments(GD, multiplicative="s").region, {"lam": mean, "s": sympy.sqrt(spread/size)}


def tuned(r, *names, **ways):
    found = optimum(r, **ways)
    return {**{n: found.params[n] for n in names}, "rate": found.rho}


def one(r, *, params, want=None):
    found = optimum(r, mu="lam", L="lam", params=params)
    return found.rho if want is None else found.params[want]


def nesterov_gradient_correction():
    """The y sequence of Nesterov's method is the gradient-correction form, on every function: the parameters that say so."""
    found = equivalent(YX, gradient_correction)
    return [(found.params[n], e) for n, e in (("eta", eta), ("beta", beta), ("delta", beta))]


def polyak_contraction():
    x = sympy.Symbol("x", positive=True)
    return sympy.cancel(step_of(polyak_step, {"x": x}, curve_of("lam*x**2/2"))[0]/x)


def harmonic(additive=None):
    return decay(GD.subs(eta=schedule("c/(k + 1)")), additive=additive)


def linear_decay():
    """The leading term in the number of steps."""
    total, T = decay(GD.subs(eta=schedule("eta0*(1 - k/T)")), additive=None).log_contraction("T"), symbol("T")
    return T*sympy.limit(total/T, T, sympy.oo)


def mass_map():
    found = equivalent(rule(DAMPED_FORM), HB)
    return [(found.params["beta"], 1 - h*gamma/m), (found.params["eta"], h**2/m)]


def implicit_map():
    found = equivalent(rule("v = (v - h*grad(x)/m)/(1 + h*gamma/m); x = x + h*v"), HB)
    return [(found.params["beta"], m/(m + h*gamma)), (found.params["eta"], h**2/(m + h*gamma))]


def noisy(text, state="x v"):
    return moments(rule(text, state), additive=None)


ANSWERS = {
    "A12": lambda: edge(GD, given=("eta > 0",)),
    "A13": lambda: edge(HB),
    "A15": lambda: edge(EMA),
    "A17": lambda: (edge(EMA)*eta).subs(beta, sympy.Rational(9, 10)),
    "A30": lambda: fixed_point(rule("v = beta*v + grad(x) + wd*x; x = x - eta*v"), minimizer="a0")["x"],
    "A31": lambda: fixed_point(rule("v = beta*v + grad(x); x = x - eta*wd*x - eta*v"), minimizer="a0")["x"],
    "A37": lambda: cycle(rotated_sam, "lam*x**2/2")[0]["x"],
    "A39": lambda: schedule_free_edge(),
    "A49": lambda: real_limit(rk2),
    "A51": lambda: real_limit(rk4),
    "A61": lambda: triple_worst,
    "B08": lambda: piece(HB, "complex"),
    "B09": lambda: piece(NAG, "complex"),
    "B10": lambda: piece(HB, "complex", "angle"),
    "B11": lambda: piece(HB, "real"),
    "B12": lambda: one(HB, params=("beta",), want="beta"),
    "B14": lambda: one(NAG, params=("beta",)),
    "B17": lambda: piece(damped_mass, "complex", "angle"),
    "B18": lambda: -rate(damped_mass).expr,
    "B19": lambda: one(damped_mass, params=("gamma",), want="gamma"),
    "B21": lambda: response(HB).gain,
    "B22": lambda: response(EMA).gain,
    "B23": lambda: response(NAG).gain,
    "B26": lambda: response(HB).tracking("c"),
    "B28": lambda: response(GD).tracking("c"),
    "B29": lambda: rate(FILTER).time_constant*sympy.log(2),
    "B30": lambda: response(EMA).lag,
    "B31": lambda: ema_after,
    "B32": slow_root,
    "B35": lambda: one(EXTRA, params=("eta",)),
    "C01": lambda: tuned(GD, "eta"),
    "C02": lambda: tuned(HB, "eta", "beta"),
    "C04": lambda: tuned(NAG, "eta", "beta"),
    "C05": lambda: standard(NAG, eta="1/L", beta="(sqrt(L) - sqrt(mu))/(sqrt(L) + sqrt(mu))"),
    "C06": lambda: standard(GD, eta="1/L"),
    "C07": lambda: optimum(HB, params=("beta",)).params["beta"],
    "C09": lambda: proximal_point,
    "C12": lambda: chebyshev_contraction,
    "C13": lambda: contraction(exact_line_search).value,
    "C17": lambda: [(equivalent(HB, EMA).params["eta"], eta/(1 - beta))],
    "C18": lambda: [(equivalent(NAG, QHM).params["eta"], eta/(1 - beta)), (equivalent(NAG, QHM).params["w"], beta)],
    "C23": lambda: asymptotic_chebyshev,
    "C20": lambda: -optimum(damped_mass, params=("gamma",)).rho,
    "C21": lambda: rate(GD).over("mu", "L").expr,
    "D09": lambda: [(equivalent(rule("a = (1 - p)*a + p*grad(x); x = x - eta*a", "x a"), EMA).params["beta"], 1 - symbol("p"))],
    "D14": delayed_edge,
    "D11": lambda: fed_average,
    "E01": lambda: moments(GD).variance("x"),
    "E02": lambda: moments(HB).variance("x"),
    "E04": lambda: moments(HB).covariance_of("x", "v"),
    "E05": lambda: moments(EMA).variance("x"),
    "E09": lambda: (moments(GD, multiplicative="s").region, {"s": symbol("s")*lam}),
    "E13": lambda: moments(GD, multiplicative="s").variance("x").subs(symbol("s"), symbol("s")*lam),
    "E14": minibatch_region,
    "E16": lambda: (moments(GD, multiplicative="s").region, {"s": lam*sympy.sqrt(1/symbol("p") - 1)}),
    "E20": lambda: noisy("a = rho_*a + (1 - rho_)*noise()", "a").variance("a"),
    "E22": lambda: moments(GD).leading("eta"),
    "E23": lambda: moments(HB).leading("eta"),
    "E24": lambda: moments(GD).long_run("x"),
    "E26": lambda: moments(GD).correlation_time("x"),
    "E27": lambda: lam*moments(HB).variance("x")/moments(HB).variance("v"),
    "E28": lambda: moments(langevin, additive=None).variance("x"),
    "E29": lambda: moments(langevin, additive=None).variance("v"),
    "E31": lambda: moments(SGHMC, additive=None).variance("x"),
    "E32": lambda: noisy("x = x - h*lam*x + sqrt(2*h*T)*noise()", "x").variance("x"),
    "E33": lambda: moments(BAOAB, additive=None).variance("x"),
    "E36": lambda: moments(OBABO, additive=None).variance("x"),
    "E37": lambda: shadow(),
    "E38": lambda: (piece(symplectic_euler(conservative), "complex", "angle")/h).subs(lam, symbol("w")**2),
    "E39": lambda: lam/2*moments(GD).variance("x"),
    "F01": lambda: game_modulus(simultaneous),
    "F04": best_modulus,
    "G12": mass_map,
    "G13": implicit_map,
    "G28": lambda: moments(gradient_diffusion, additive=None).variance("x"),
    "G32": lambda: nesterov_gradient_correction(),
    "G33": lambda: cycle(HB, "x**4/4")[0]["x"],
    "G34": lambda: cycle(GD, "x**4/4")[0]["x"],
    "H01": lambda: harmonic().exponent,
    "H02": lambda: harmonic("sigma").variance,
    "H11": clipping_limit,
    "H12": lambda: fixed_point(SCALE)["q"],
    "H13": lambda: eta/fixed_point(SCALE)["q"],
    "H15": lambda: fixed_point(SCALE).multipliers[0],
    "H16": lambda: rate(power_iteration, at={"x": 1, "y": 0}).expr**2,
    "H19": lambda: polyak_contraction(),
    "H20": lambda: linear_decay(),
}
