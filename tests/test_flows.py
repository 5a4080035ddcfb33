"""Flows and methods both ways: the cousins of "symplectic Euler of the damped flow is heavy ball", as the README says them."""
from __future__ import annotations

import ast
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import mpmath
import numpy as np
import pytest
import sympy

import dynopt
from dynopt import (
    RuleError,
    bdf2,
    conformal_leapfrog,
    equivalent,
    explicit_euler,
    implicit_euler,
    leapfrog,
    linearize,
    modified,
    ode_limit,
    order_of,
    rk2,
    rk4,
    rkc,
    runge_kutta,
    stability_interval,
    stability_region,
    symplectic_euler,
    theta,
)
from dynopt.core.parse import parse
from dynopt.core.strings import run_nodes
from dynopt.theory.algebra import expression
from dynopt.theory.symbols import symbol

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
SAID = re.findall(r"^equivalent\((.*)\) +# (.*)$", README, re.MULTILINE)


def built(node: ast.AST):
    """A rule written as scheme(flow) or name, without running text."""
    if isinstance(node, ast.Name):
        return getattr(dynopt, node.id)
    assert isinstance(node, ast.Call)
    return built(node.func)(*(ast.literal_eval(a) if isinstance(a, ast.Tuple) else built(a) for a in node.args))


@pytest.mark.parametrize(("pair", "map_"), SAID, ids=[p for p, _ in SAID])
def test_one_liners_of_the_readme(pair, map_):
    one, other = ast.parse(f"({pair})", mode="eval").body.elts
    found = equivalent(built(one), built(other))
    assert found and found.written == other.id
    claimed = dict(part.split(" = ") for part in map_.split(", "))
    assert set(claimed) == set(found.params)
    for name, text in claimed.items():
        assert sympy.simplify(expression(parse(text)) - found.params[name]) == 0, found.reason


def test_readme_says_at_least_seven():
    assert len(SAID) >= 7


def test_a_prox_is_a_gradient_at_the_new_point():
    """prox(x, eta) and implicit Euler are one method, checked by running both on f = x^4/4 + x^2/2."""
    near = dynopt.method(lambda x, *, eta, prox: prox(x, eta))
    found = equivalent(implicit_euler(dynopt.gradient_flow), near)
    assert found and [str(e) for e in found.params.values()] == ["h"]
    run = dynopt.iterate(implicit_euler(dynopt.gradient_flow), dynopt.Problem(lambda x: x[0]**4/4 + x[0]**2/2), x0=[1.5], steps=5, h=.4)
    x = 1.5
    for k in range(5):
        x = near(x, eta=.4, prox=lambda u, s: min(np.roots([s, 0, 1 + s, -u]), key=lambda z: abs(z.imag)).real)
        assert run.x[k + 1] == pytest.approx([x], abs=1e-9)


def test_a_gradient_at_the_new_point_is_no_gradient_at_the_old_one():
    assert not equivalent(implicit_euler(dynopt.gradient_flow), explicit_euler(dynopt.gradient_flow))
    assert not equivalent(leapfrog(dynopt.damped), dynopt.implicit_damped)
    assert not equivalent(dynopt.ista, dynopt.proximal_point)


# -- modified equations of methods with any number of states ---------------------------------------------------------

SECOND = {"eta": "h**2", "beta": "1 - gamma*h"}
MANY = [("pid", SECOND | {"kd": "kd*h"}), ("pid", {"eta": "h", "kd": "kd*h"}), ("aggmo", {"eta": "h"}),
        ("aggmo", {"eta": "h**2", "beta1": "1 - gamma*h"}), ("stale_heavy_ball", SECOND), ("ab2_descent", {}), ("nesterov_yx", SECOND),
        ("gradient_correction", SECOND), ("qhm", {"eta": "h"}), ("triple_momentum", {"L": "1/h**2"}), ("theta_descent", {}),
        ("extragradient", {"eta": "h"})]
NUMBERS = {"lam": "7/3", "gamma": "6/5", "kd": "1/3", "beta": "2/5", "beta1": "1/7", "beta2": "3/8", "delta": "1/4", "alpha": "3/5", "mu": "4/9",
           "theta": "2/3"}


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize(("name", "where"), MANY, ids=[f"{n}-{len(w)}" for n, w in MANY])
def test_roots_of_many_states_agree_to_one_order_more(name, where, order):
    """ln(root)/h of the method at each characteristic root of the flow, at forty digits."""
    method = getattr(dynopt, name)
    flow = ode_limit(method, where) if order == 0 else modified(method, order, where)
    with mpmath.workdps(60):
        gaps = [gap_of_roots(method.subs(**where), flow, sympy.Rational(1, 10**n)) for n in (4, 5, 6)]
        slopes = [float(mpmath.log10(a/b)) for a, b in zip(gaps, gaps[1:]) if b]
    # a method of order p has no terms below h^p: its gap falls faster there
    assert all(s > order + 1 - .05 for s in slopes), (slopes, gaps)
    assert name in ("ab2_descent", "theta_descent") or all(abs(s - order - 1) < .05 for s in slopes), slopes


def gap_of_roots(method, flow, h):
    values = {symbol(n): sympy.Rational(v) for n, v in NUMBERS.items()} | {symbol("h"): h}
    factors, rates = (spectrum(linearize(rule).matrix.subs(values)) for rule in (method, flow))
    step = mpmath.mpf(h.p)/h.q
    return max(min(abs(mpmath.log(z)/step - r) for z in factors if z) for r in rates)


def spectrum(matrix):
    digits = [mpmath.mpf(sympy.N(c, 70)) for c in matrix.charpoly().all_coeffs()]
    return mpmath.polyroots(digits, maxsteps=500, extraprec=400)


def test_motions_that_are_no_series_are_refused():
    with pytest.raises(RuleError, match="more than second order"):
        ode_limit(dynopt.aggmo, {"eta": "h**2", "beta1": "1 - gamma*h", "beta2": "1 - 2*gamma*h"})
    with pytest.raises(RuleError, match="differences of gradients"):
        ode_limit(dynopt.pid, {"eta": "h"})


def test_multistep_methods_have_their_order():
    """rho(1) = 0, rho'(1) = sigma(1), ...: two steps of Adams-Bashforth and of backward differences are of order 2."""
    flow = dynopt.gradient_flow
    assert order_of(dynopt.ab2_descent, flow).order == order_of(dynopt.bdf2(flow), flow).order == 2
    shaken = dynopt.method.from_string("a = x - h*((1501/1000)*grad(x) - 1/2*grad(y)); y = x; x = a", state="x y", name="shaken")
    assert order_of(shaken, flow).order == 0
    assert str(order_of(dynopt.bdf2(flow), flow)) == ("order 2, defect h^2*(x: -1/3*hess2(x, grad(x), grad(x)) "
                                                      "- 1/3*hess(x, hess(x, grad(x))))")


def test_distances_of_the_figure_have_slopes_one_two_three():
    spec = spec_from_file_location("convergence", Path(__file__).parents[1] / "figures" / "convergence.py")
    figure = module_from_spec(spec)
    spec.loader.exec_module(figure)
    found = figure.measured()
    slopes = [np.log2(np.array(c.distances[:-1])/c.distances[1:]) for c in found]
    # the slope itself tends to its limit like h, so two of them give the limit
    assert [2*s[-1] - s[-2] for s in slopes] == pytest.approx([1, 2, 3], abs=.05)
    assert [c.order for c in found] == pytest.approx([1, 2, 3], abs=.05)


def test_compare_follows_a_singular_start_and_transients():
    """3/t at t = 0 and a factor beta that dies out: the modified flow is met later on."""
    where = {"eta": "(1 - beta)*h"}
    found = dynopt.compare(dynopt.heavy_ball, dynopt.gradient_flow, dynopt.himmelblau(), x0=[-1, -2.5], until=.2, h=[.001, .0005, .00025],
                           where=where, beta=.5)
    assert [c.order for c in found.modified] == pytest.approx([2, 3], abs=.1)
    late = dynopt.compare(dynopt.nag_c, dynopt.nesterov_flow.subs(r=3), dynopt.double_well(), x0=[.3], until=2., h=[.01, .005, .0025],
                          where={"eta": "h**2"})
    assert [c.order for c in late.modified] == pytest.approx([2, 3], abs=.15)


# -- schemes in the complex plane --------------------------------------------------------------------------------------

RADAU = runge_kutta(([["5/12", "-1/12"], ["3/4", "1/4"]], ["3/4", "1/4"]))
PLANE = [(explicit_euler, 1), (rk2, 2), (rk4, 4), (rkc(3), 1), (implicit_euler, 1), (bdf2, 2), (RADAU, 3)]


@pytest.mark.parametrize("scheme", [s for s, _ in PLANE], ids=[s.__name__ for s, _ in PLANE])
def test_stability_region_is_that_of_the_step_itself(scheme):
    """Against the largest factor of the step run on complex numbers."""
    region = stability_region(scheme)
    assert region.proof.status == "proved"
    rng = np.random.default_rng(3)
    z = rng.uniform(-7, 7, 300) + 1j*rng.uniform(-7, 7, 300)
    sizes = np.array([largest_factor(scheme, c) for c in z])
    sure = abs(sizes - 1) > 1e-6
    assert np.array_equal(region.contains(z_re=z.real, z_im=z.imag)[sure], sizes[sure] < 1)


def largest_factor(scheme, z):
    """R(z) from the tableau, or the roots of rho - z sigma written by hand from the textbook."""
    if scheme is bdf2:
        return max(abs(np.roots([3/2 - z, -2, 1/2])))
    if scheme in (explicit_euler, implicit_euler):
        return abs(1 + z) if scheme is explicit_euler else 1/abs(1 - z)
    if hasattr(scheme, "A"):
        A, b = np.array(scheme.A, float), np.array(scheme.b, float)
        return abs(1 + z*b @ np.linalg.solve(np.eye(len(b)) - z*A, np.ones(len(b))))
    w = 1 + .05/9
    T = [1, w, 2*w*w - 1, 4*w**3 - 3*w]
    slope = 12*w*w - 3
    u = w + z*T[3]/slope
    return abs((4*u**3 - 3*u)/T[3])


def test_a_parameter_of_the_scheme_stays_free():
    region = stability_region(theta)
    assert region.contains(z_re=-50., z_im=0., theta=.5) and not region.contains(z_re=-50., z_im=0., theta=.45)
    assert str(stability_region(theta, theta="1/2")) == "z_re < 0"


def test_intervals_of_schemes_of_positions_and_velocities():
    for scheme in (leapfrog, symplectic_euler, conformal_leapfrog):
        assert stability_interval(scheme).imag == 2 and stability_interval(scheme).real is None
    assert stability_interval(rkc(7)).real.evalf(8) == pytest.approx(94.92394, rel=1e-6)


# -- orders of schemes ---------------------------------------------------------------------------------------------------

def lie(flow):
    return dynopt.splitting(flow, "BAO")


SCHEME_ORDERS = [(symplectic_euler, "conservative", 1), (leapfrog, "conservative", 2), (leapfrog, "nesterov_flow", 2), (lie, "damped", 1),
                 (dynopt.baoab, "damped", 2), (bdf2, "damped", 2), (implicit_euler, "damped", 1), (rk2, "hessian_damping", 2),
                 (dynopt.exponential_euler, "damped", 1), (dynopt.exponential_rk2, "damped", 2), (dynopt.exponential_rk2, "conservative", 2),
                 (RADAU, "gradient_flow", 3), (rk4, "gradient_flow", 4), (rkc(4), "gradient_flow", 1), (theta, "gradient_flow", 1)]


@pytest.mark.parametrize(("scheme", "flow", "order"), SCHEME_ORDERS, ids=[f"{s.__name__}-{f}" for s, f, _ in SCHEME_ORDERS])
def test_orders_are_exact(scheme, flow, order):
    """Of the step in all its states: symplectic Euler is of order 1, although its positions alone are leapfrog's."""
    flow = getattr(dynopt, flow)
    found = order_of(scheme(flow), flow)
    assert found.order == order and found.defect


def test_the_trapezoidal_rule_is_of_order_two():
    assert order_of(theta(dynopt.gradient_flow).subs(theta="1/2"), dynopt.gradient_flow).order == 2
    assert order_of(theta(dynopt.gradient_flow).subs(theta="501/1000"), dynopt.gradient_flow).order == 1


def test_a_shaken_coefficient_of_leapfrog_is_caught():
    step = "w = v - 501/1000*h*grad(x); x = x + h*w; v = w - 499/1000*h*grad(x)"
    shaken = dynopt.method.from_string(step, state="x v", name="shaken")
    assert order_of(shaken, dynopt.conservative).order == 1


# -- the look-ahead flow of the tutorials ----------------------------------------------------------------------------------

def test_the_lookahead_flow_is_no_limit_of_nesterovs_method():
    """Order 0: what stays is the gradient at x + t/(t + 3) v in place of the one at x."""
    scaling = {"eta": "h**2"}
    found = order_of(dynopt.nag_c, dynopt.lookahead_flow, scaling)
    assert found.order == 0 and set(found.defect) == {"v"}
    assert order_of(dynopt.nag_c, dynopt.nesterov_flow.subs(r=3), scaling).order == 1


def test_iterates_stay_away_from_the_lookahead_flow():
    run = dict(x0=[1.0], until=6.0, h=[.02, .01, .005], where={"eta": "h**2"})
    wrong = dynopt.compare(dynopt.nag_c, dynopt.lookahead_flow, dynopt.quadratic([1.0]), **run)
    right = dynopt.compare(dynopt.nag_c, dynopt.nesterov_flow.subs(r=3), dynopt.quadratic([1.0]), **run)
    assert abs(wrong.order) < .05 and wrong.distances[-1] > .1
    assert right.order == pytest.approx(1, abs=.05) and right.distances[-1] < .01


def test_a_fixed_step_is_another_limit_than_a_fixed_time():
    """k/(k + 3): linear convergence sqrt(1 - eta lam) at a fixed step; its flow, h -> 0 at fixed t, has no rate of that kind."""
    assert dynopt.rate(dynopt.nag_c).at(eta=.1, lam=1) == pytest.approx(np.sqrt(.9))
    assert "fixed time" in str(ode_limit(dynopt.nag_c, {"eta": "h**2"}).origin)
    assert "fixed time" not in str(ode_limit(dynopt.heavy_ball, SECOND).origin)


# -- energies that are kept, and energies that fall --------------------------------------------------------------------------

@pytest.mark.parametrize(("scheme", "order", "slope"), [(symplectic_euler, 1, 2), (symplectic_euler, 3, 4), (leapfrog, 2, 4), (leapfrog, 4, 6)],
                         ids=["euler-1", "euler-3", "leapfrog-2", "leapfrog-4"])
def test_shadow_energies_are_kept_to_their_order_off_quadratics(scheme, order, slope):
    """f = x^4/4 + x^2/2 in long doubles: how far the truncated energy moves over a fixed time."""
    step, energy = scheme(dynopt.conservative), dynopt.shadow(scheme(dynopt.conservative), order)
    given = {"f": lambda x: x**4/4 + x**2/2, "grad": lambda x: x**3 + x, "hess": lambda x, a: (3*x**2 + 1)*a, "hess2": lambda x, a, b: 6*x*a*b,
             "hess3": lambda x, a, b, c: 6*a*b*c}
    drift = []
    for h in np.longdouble(1)/np.array([32, 64, 128]):
        x, v, values = np.array([1], np.longdouble), np.array([.25], np.longdouble), []
        for _ in range(int(3/h)):
            values.append(run_nodes([energy], {"x": x, "v": v}, given | {"h": h})[0][0])
            x, v = step(x, v, h=h, grad=given["grad"])
        drift.append(max(abs(e - values[0]) for e in values))
    slopes = [float(np.log2(a/b)) for a, b in zip(drift, drift[1:])]
    assert slopes[-1] == pytest.approx(slope, abs=.1), (slopes, drift)


def test_shadow_of_leapfrog_is_the_published_one():
    """Hairer, Lubich, Wanner 2006, eq. (IX.3.4) for kick, drift, kick."""
    found = dynopt.shadow(leapfrog(dynopt.conservative), 2)
    assert repr(found) == "dot(v, v)/2 + f(x) + h**2/12*dot(hess(x, v), v) - h**2/24*dot(grad(x), grad(x))"


@pytest.mark.parametrize("scheme", [explicit_euler, implicit_euler, rk4])
def test_methods_that_are_not_symplectic_have_no_shadow(scheme):
    with pytest.raises(RuleError, match="not symplectic"):
        dynopt.shadow(scheme(dynopt.conservative), 5)


@pytest.mark.parametrize("rule", [dynopt.heavy_ball, dynopt.nesterov, dynopt.damped, symplectic_euler(dynopt.damped)], ids=lambda r: r.name)
def test_energies_that_fall_solve_lyapunovs_equation(rule):
    """E(next) - E = -(x^2 + v^2) on a mode, at random rational points."""
    x, v = symbol("x"), symbol("v")
    energy, matrix = dynopt.decaying(rule, "x**2 + v**2"), linearize(rule).matrix
    move = matrix*sympy.Matrix([x, v])
    if rule.kind == "flow":
        change = sympy.diff(energy, x)*move[0] + sympy.diff(energy, v)*move[1]
    else:
        change = energy.subs({x: move[0], v: move[1]}, simultaneous=True) - energy
    assert sympy.cancel(sympy.expand(change + x**2 + v**2)) == 0


def test_nothing_falls_where_something_is_kept():
    with pytest.raises(RuleError, match="conserved"):
        dynopt.decaying(leapfrog(dynopt.conservative), "x**2 + v**2")
    with pytest.raises(RuleError, match="quadratic form"):
        dynopt.decaying(dynopt.heavy_ball, "x**3")


@pytest.mark.parametrize("scheme", [dynopt.exponential_euler, dynopt.exponential_rk2])
def test_exponential_integrators_are_exact_under_a_constant_force(scheme):
    """x'' + 1.3 x' + 0.7 = 0 from x = 1, v = 2: one large step lands on the solution."""
    constant = dynopt.Problem(lambda x: .7*x[0])
    run = dynopt.iterate(scheme(dynopt.damped), constant, x0={"x": [1.0], "v": [2.0]}, steps=1, h=1.5, gamma=1.3)
    died, drift = np.exp(-1.3*1.5), -.7/1.3
    assert run.v[-1] == pytest.approx([drift + (2 - drift)*died], abs=1e-14)
    assert run.x[-1] == pytest.approx([1 + drift*1.5 + (2 - drift)*(1 - died)/1.3], abs=1e-14)


def test_exponential_integrators_refuse_noise_and_other_positions():
    with pytest.raises(RuleError, match="noise"):
        dynopt.exponential_euler(dynopt.langevin)
    with pytest.raises(RuleError, match="positions"):
        dynopt.exponential_euler(dynopt.lorenz)


def test_terms_of_one_power_in_a_series_are_added():
    """Two terms in h of an exponential coefficient: neither may be lost."""
    odd = dynopt.method.from_string("x = x - (exp(gamma*h) - exp(-beta*h))*grad(x)", state="x", name="odd")
    assert str(ode_limit(odd, {}).program).endswith("-(beta + gamma)*g0")


@pytest.mark.parametrize("where, order", [({"eta": "h**2", "beta": "1 - gamma*h"}, 1), ({"eta": "h**2", "beta": "exp(-gamma*h)"}, 1),
                                          ({"eta": "2*h**2/(2 + gamma*h)", "beta": "(2 - gamma*h)/(2 + gamma*h)"}, 2)])
def test_a_published_method_has_its_order_whatever_the_unit_of_its_buffer(where, order):
    assert order_of(dynopt.heavy_ball, dynopt.damped, where=where).order == order
