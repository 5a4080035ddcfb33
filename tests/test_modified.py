"""Limits and modified equations: published ones symbol by symbol, and every one by the order that its distance shows."""
from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from scipy.optimize import fsolve

import dynopt
from dynopt import (
    Flow,
    Problem,
    conformal_leapfrog,
    dot,
    explicit_euler,
    heun,
    implicit_euler,
    iterate,
    leapfrog,
    linearize,
    modified,
    ode_limit,
    order_of,
    rk2,
    rk4,
    rkc,
    runge_kutta,
    solve,
    stability_interval,
    symplectic_euler,
    theta,
)
from dynopt.core.errors import ParameterError, RuleError
from dynopt.theory.symbols import symbol
from dynopt.theory.tableau_order import tableau_order

DAMPED = {"eta": "h**2", "beta": "1 - gamma*h"}
STRONG = {"eta": "h**2", "beta": "(1 - sqrt(mu)*h)/(1 + sqrt(mu)*h)"}


def same_flow(a, b) -> bool:
    """Equal rates as polynomials, whatever the order of the terms: compared on f with gradient and derivatives as symbols."""
    return all(sympy.cancel(sympy.expand(p - q)) == 0 for p, q in zip(on_symbols(a), on_symbols(b)))


def on_symbols(flow):
    """Rates in one dimension on symbols: g(x) a function, hess its derivative."""
    states = [sympy.Symbol(s) for s in flow.state]
    g = sympy.Function("g")(states[0])
    ds = [sympy.diff(g, states[0], n) for n in range(8)]
    oracles = {"grad": lambda x: g, **{f"hess{n}" if n > 1 else "hess": (lambda x, *a, n=n: ds[n]*sympy.prod(a)) for n in range(1, 6)}}
    given = {p: symbol(p) for p in flow.params} | {"t": symbol("t")}
    wanted = {n: oracles[n] for n in flow.oracles} | {p: given[p] for p in flow.params} | {c: given[c] for c in flow.signature.clocks}
    out = flow(*states, **wanted)
    return out if isinstance(out, tuple) else (out,)


def published(text: str, state: str = "x v") -> Flow:
    return Flow.from_string(text, state=state)


PUBLISHED = [
    ("G01", lambda: ode_limit(dynopt.heavy_ball, DAMPED), "v0 = v; v = -gamma*v - grad(x); x = v0"),
    ("G03", lambda: ode_limit(dynopt.heavy_ball, STRONG), "v0 = v; v = -2*sqrt(mu)*v - grad(x); x = v0"),
    ("G04", lambda: ode_limit(dynopt.nesterov, STRONG), "v0 = v; v = -2*sqrt(mu)*v - grad(x); x = v0"),
    ("G05", lambda: modified(dynopt.heavy_ball, 1, STRONG), "v0 = v; v = -2*sqrt(mu)*v - (1 + sqrt(mu)*h)*grad(x); x = v0"),
    ("G06", lambda: modified(dynopt.nesterov, 1, STRONG),
     "v0 = v; v = -2*sqrt(mu)*v - h*hess(x, v) - (1 + sqrt(mu)*h)*grad(x); x = v0"),
    ("G07", lambda: ode_limit(dynopt.nesterov, DAMPED), "v0 = v; v = -gamma*v - grad(x); x = v0"),
    ("G11", lambda: modified(symplectic_euler(dynopt.damped)), "v0 = v; v = -gamma*(1 + gamma*h/2)*v - (1 + gamma*h/2)*grad(x); x = v0"),
    ("G15", lambda: modified(dynopt.gradient_descent, 1, {"eta": "h"}), "x = -grad(x) - h/2*hess(x, grad(x))"),
    ("G17", lambda: ode_limit(dynopt.heavy_ball, {"eta": "h"}), "x = -grad(x)/(1 - beta)"),
    ("G17n", lambda: ode_limit(dynopt.nesterov, {"eta": "h"}), "x = -grad(x)/(1 - beta)"),
    ("G18", lambda: modified(dynopt.heavy_ball, 1, {"eta": "h"}),
     "x = -grad(x)/(1 - beta) - h*(1 + beta)/(2*(1 - beta)**3)*hess(x, grad(x))"),
    ("G21", lambda: ode_limit(dynopt.nag_c, {"eta": "h**2"}), "v0 = v; v = -3/t*v - grad(x); x = v0"),
]


@pytest.mark.parametrize("name, made, text", PUBLISHED, ids=[p[0] for p in PUBLISHED])
def test_published_limits_and_modified_equations(name, made, text):
    flow = made()
    expected = published(text, " ".join(flow.state))
    # x = v0 reads the old v: from_string runs its lines in order, so `x` is assigned last
    assert same_flow(flow, expected), f"{name}: {flow.program}"


def test_conventions_of_one_method_have_one_limit():
    flows = [modified(m, 1, DAMPED) for m in (dynopt.heavy_ball, dynopt.heavy_ball_torch)] + [modified(symplectic_euler(dynopt.damped))]
    assert all(same_flow(flows[0], f) for f in flows[1:])


def test_explicit_midpoint_has_the_published_coefficients():
    """Hairer, Lubich, Wanner 2006, example IX.1.3 in one dimension: x' = x^2 by the explicit midpoint rule, through h^4."""
    x, h = sympy.Symbol("x"), symbol("h")
    flow = modified(rk2(dynopt.gradient_flow), 4)
    g = -x**2
    values = {f"hess{n}" if n > 1 else "hess": (lambda y, *a, n=n: sympy.diff(g, x, n)*sympy.prod(a)) for n in range(1, 5)}
    found = sympy.expand(flow(x, h=h, grad=lambda y: g, **{n: values[n] for n in flow.oracles if n != "grad"}))
    # solve for the modified field by matching one step: an independent derivation in one dimension
    c = sympy.symbols("c0:5")
    field = sum(c[n]*h**n*x**(n + 2) for n in range(5))
    total, term = x, x
    for n in range(1, 6):
        term = sympy.expand(sympy.diff(term, x)*field)*h/n if n > 1 else field*h
        total += sympy.expand(term)
    step = sympy.expand(x + h*(x + h/2*x**2)**2)
    gap = sympy.Poly(sympy.expand(total - step), h, x)
    equations = [v for (p, _), v in gap.terms() if p <= 5]
    solution = sympy.solve(equations, c, dict=True)[0]
    assert sympy.expand(found - field.subs(solution)) == 0
    assert solution[c[0]] == 1 and solution[c[1]] == 0


QUARTIC = Problem(lambda x: dot(x, x)/2 + (x[0]**2 + x[0]*x[1])**2/4, name="quartic")
DISTANCES = [("gd", "gradient_descent", {"eta": "h"}, order) for order in (0, 1, 2, 3)]
DISTANCES += [(name, name, DAMPED, order) for name in ("heavy_ball", "nesterov") for order in (0, 1, 2)]


@pytest.mark.parametrize("_, name, where, order", DISTANCES, ids=[f"{d[0]}-{d[3]}" for d in DISTANCES])
def test_distance_to_the_flow_falls_with_one_order_more(_, name, where, order):
    method = getattr(dynopt, name)
    flow = ode_limit(method, where) if order == 0 else modified(method, order, where)
    params = {"gamma": 1.0} if "beta" in where else {}
    errors = [distance(method.subs(**where), flow, h, params) for h in (1/64, 1/128, 1/256)]
    slopes = np.log2(np.array(errors[:-1])/errors[1:])
    extrapolated = 2*slopes[1] - slopes[0]                       # the slope itself tends to its limit with h
    assert abs(extrapolated - (order + 1)) < .05, (errors, slopes)


def distance(method, flow, h, params) -> float:
    """Largest distance at t = 2 between iterates and the flow through the first two of them."""
    run = iterate(method, QUARTIC, x0=[1.0, -.5], steps=round(2/h), h=h, **params)
    given = {p: v for p, v in (params | {"h": h}).items() if p in flow.params}
    tight = dict(rtol=1e-13, atol=1e-15, method="dop853", **given)
    if len(flow.state) == 1:
        return float(np.abs(solve(flow, QUARTIC, x0=[1.0, -.5], until=2.0, **tight).x[-1] - run.x[-1]).max())

    def miss(v):
        return solve(flow, QUARTIC, x0={"x": [1.0, -.5], "v": v}, until=h, **tight).x[-1] - run.x[1]
    start = fsolve(miss, (run.x[1] - run.x[0])/h, xtol=1e-13)
    return float(np.abs(solve(flow, QUARTIC, x0={"x": [1.0, -.5], "v": start}, until=2.0, **tight).x[-1] - run.x[-1]).max())


ROOTS = [(name, where, order) for name in ("heavy_ball", "nesterov", "heavy_ball_torch") for where in (DAMPED, STRONG) for order in (0, 1, 2)]


@pytest.mark.parametrize("name, where, order", ROOTS, ids=[f"{r[0]}-{'gamma' if r[1] is DAMPED else 'mu'}-{r[2]}" for r in ROOTS])
def test_roots_agree_to_one_order_more_at_forty_digits(name, where, order):
    """ln(root)/h of the method against the characteristic roots of its flow."""
    method = getattr(dynopt, name)
    flow = ode_limit(method, where) if order == 0 else modified(method, order, where)
    with mpmath.workdps(40):
        gaps = [root_gap(method, flow, where, Fraction(1, 10**n)) for n in (3, 4, 5)]
        slopes = [float(mpmath.log10(a/b)) for a, b in zip(gaps, gaps[1:])]
    assert all(abs(s - (order + 1)) < .05 for s in slopes), slopes


def root_gap(method, flow, where, h):
    values = {symbol("h"): sympy.Rational(h), symbol("lam"): sympy.Rational(7, 3), symbol("gamma"): sympy.Rational(6, 5),
              symbol("mu"): sympy.Rational(4, 9)}
    steps = eigenvalues(linearize(method.subs(**where)).matrix.subs(values))
    rates = eigenvalues(linearize(flow).matrix.subs(values))
    step = mpmath.mpf(h.numerator)/h.denominator
    return max(min(abs(mpmath.log(z)/step - r) for r in rates) for z in steps)


def eigenvalues(matrix):
    found = mpmath.eig(mpmath.matrix([[mpmath.mpf(sympy.N(e, 45)) for e in matrix.row(i)] for i in range(matrix.rows)]), left=False, right=False)
    return list(found[0] if isinstance(found, tuple) else found)


def test_gradient_descent_is_exact_on_a_quadratic():
    linear = modified(dynopt.gradient_descent, "exact", {"eta": "h"})
    lam, h = symbol("lam"), symbol("h")
    assert sympy.expand(linear.matrix[0] - sympy.log(1 - h*lam)/h) == 0                     # G14
    assert linear.needs == (1 - h*lam,) and "alternate" in linear.notes[-1]


def test_the_logarithm_of_heavy_ball_is_one():
    linear = modified(dynopt.heavy_ball, "exact", DAMPED)
    values = {symbol("h"): sympy.Rational(1, 7), symbol("lam"): sympy.Rational(3, 2), symbol("gamma"): sympy.Rational(1, 2)}
    A = np.array((linear.matrix*symbol("h")).subs(values).evalf(25).tolist(), dtype=complex)
    from scipy.linalg import expm
    M = np.array(linearize(dynopt.heavy_ball.subs(**DAMPED)).matrix.subs(values).evalf(25).tolist(), dtype=float)
    assert np.allclose(expm(A), M, rtol=0, atol=1e-13)


ORDERS = [(explicit_euler, 1), (symplectic_euler, 1), (leapfrog, 2), (conformal_leapfrog, 2), (rk2, 2), (heun, 2), (rk4, 4)]


@pytest.mark.parametrize("scheme, order", ORDERS, ids=[s.__name__ for s, _ in ORDERS])
def test_orders_of_schemes_on_the_damped_flow(scheme, order):
    assert order_of(scheme(dynopt.damped), dynopt.damped).order == order


def test_defect_of_symplectic_euler():
    found = order_of(symplectic_euler(dynopt.damped), dynopt.damped)
    assert str(found) == "order 1, defect h^1*(v: -gamma/2*grad(x) - gamma**2/2*v)"


def test_order_of_a_method_and_its_own_modified_flow():
    """The modified flow of order n is missed only at h^(n + 1)."""
    assert order_of(dynopt.gradient_descent, dynopt.gradient_flow, {"eta": "h"}).order == 1
    assert order_of(rkc(3)(dynopt.gradient_flow), dynopt.gradient_flow).order == 1


RADAU2 = ([["5/12", "-1/12"], ["3/4", "1/4"]], ["3/4", "1/4"])


def test_orders_of_tableaux_by_rooted_trees():
    assert [tableau_order(s)[0] for s in (rk2, heun, rk4, runge_kutta(RADAU2))] == [2, 2, 4, 3]
    shaken = runge_kutta(([[0, 0, 0, 0], ["1/2", 0, 0, 0], [0, "501/1000", 0, 0], [0, 0, 1, 0]], ["1/6", "1/3", "1/3", "1/6"]))
    assert tableau_order(shaken)[0] == 1                                       # a coefficient off by 1e-3 is seen


def test_stability_intervals_are_exact():
    half = stability_interval(rk4)
    assert half.imag == 2*sympy.sqrt(2)
    z = sympy.Symbol("z")
    assert abs(float((1 - z + z**2/2 - z**3/6 + z**4/24).subs(z, half.real.evalf(30))) - 1) < 1e-25
    assert stability_interval(explicit_euler).real == 2 and stability_interval(explicit_euler).imag == 0
    for scheme in (implicit_euler, theta, dynopt.bdf2):
        assert stability_interval(scheme).real == sympy.oo and stability_interval(scheme).imag == sympy.oo
    assert stability_interval(rkc(5)).real > 48 and stability_interval(rkc(5, damping=0)).real == 50


@pytest.mark.parametrize("s", [1, 12, 13])
def test_many_stages_are_stable_as_far_as_chebyshev_says(s):
    """R(-y) = T(w - c y)/T(w), w = 1 + 1/(20 s^2), c = T(w)/T'(w): it is +-1 first where w - c y = -w."""
    x = sympy.Symbol("x")
    T, w = sympy.chebyshevt(s, x), 1 + sympy.Rational(1, 20*s**2)
    assert stability_interval(rkc(s)).real == 2*w*(sympy.diff(T, x)/T).subs(x, w)


@pytest.mark.parametrize("order", [0, -1, 3.5, 100, True])
def test_orders_out_of_range_are_refused(order):
    with pytest.raises(ParameterError, match="order"):
        modified(dynopt.heavy_ball, order, DAMPED)


def test_what_has_no_trees_is_refused():
    with pytest.raises(RuleError, match="trees|scaling"):
        modified(dynopt.adam)
    with pytest.raises(RuleError):
        ode_limit(dynopt.heavy_ball, {"eta": "h**3", "beta": "1 - gamma*h"})


def test_search_finds_the_classical_scaling():
    flow = ode_limit(dynopt.heavy_ball)
    assert flow.origin.where == DAMPED and flow.origin.time == "t = k*h" and same_flow(flow, ode_limit(dynopt.heavy_ball, DAMPED))
