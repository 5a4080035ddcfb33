"""Orbits on functions that are quadratic in pieces, in exact arithmetic, against runs."""
from __future__ import annotations

from fractions import Fraction

import pytest
from sympy import Rational

from dynopt import RuleError, cycle, gradient_descent, heavy_ball, heavy_ball_two_step, method, nesterov_yx
from dynopt.theory.piecewise import necklaces

# strongly convex and smooth, m = 1, L = 25 (Lessard, Recht, Packard 2016, eq. (4.11))
KINKED = "where(x < 1, 25*x**2/2, where(x < 2, x**2/2 + 24*x - 12, 25*x**2/2 - 24*x + 36))"


def slope(x):
    return 25*x if x < 1 else x + 24 if x < 2 else 25*x - 24


def test_heavy_ball_goes_round_in_three_steps():
    """The orbit by hand, in fractions, and its multipliers: both have the size (4/9)**(3/2)."""
    found = cycle(heavy_ball_two_step.subs(eta="1/9", beta="4/9"), KINKED, period=3)
    attracting = [o for o in found if all(abs(complex(m)) < 1 for m in o.multipliers)]
    assert len(found) == 2 and len(attracting) == 1
    points = [Fraction(str(p["x"])) for p in attracting[0].points]
    assert sorted(points) == [Fraction(-2208, 1225), Fraction(792, 1225), Fraction(2592, 1225)]
    for i, x in enumerate(points):
        after = x + Fraction(4, 9)*(x - points[i - 1]) - Fraction(1, 9)*slope(x)
        assert after == points[(i + 1) % 3]
    assert [float(m) for m in attracting[0].multipliers] == pytest.approx([-8/27]*len(attracting[0].multipliers))


def test_a_buffer_instead_of_the_last_point_gives_the_same_orbit():
    both = [cycle(r.subs(eta="1/9", beta="4/9"), KINKED, period=3) for r in (heavy_ball, heavy_ball_two_step)]
    assert [[p["x"] for p in o.points] for o in both[0]] == [[p["x"] for p in o.points] for o in both[1]]


def test_nesterov_has_none():
    for period in (2, 3, 4):
        assert cycle(nesterov_yx.subs(eta="1/25", beta="2/3"), KINKED, period=period) == ()


@pytest.mark.parametrize("eta", ["9/100", "85/1000"])
def test_orbits_of_gradient_descent_close(eta):
    step = Fraction(eta)
    found = cycle(gradient_descent.subs(eta=eta), KINKED, period=2)
    assert found
    for orbit in found:
        x, y = (Fraction(str(p["x"])) for p in orbit.points)
        assert x != y and x - step*slope(x) == y and y - step*slope(y) == x


def test_two_gradients_in_one_step():
    """A rule that asks twice, at points that may lie in different pieces; a run from the orbit stays on it."""
    twice = method(lambda x, *, eta, grad: x - eta/2*(grad(x) + grad(x - eta/8*grad(x))), name="averaged")
    found = cycle(twice.subs(eta="1/10"), KINKED, period=2)
    assert found
    for orbit in found:
        x = start = Fraction(str(orbit["x"]))
        for _ in range(2):
            x = x - Fraction(1, 20)*(slope(x) + slope(x - Fraction(1, 80)*slope(x)))
        assert x == start


def test_parameters_without_numbers_leave_their_relations():
    [orbit] = cycle(gradient_descent, "where(x < 1, x**2/2, 2*x**2 - 3*x + 3/2)")
    eta = Fraction(3, 2)
    x, y = (Fraction(str(p["x"].subs(dict.fromkeys(p["x"].free_symbols, Rational(3, 2))))) for p in orbit.points)

    def bent(z, low):
        return z if low else 4*z - 3
    low = x < y
    assert y == x - eta*bent(x, low) and x == y - eta*bent(y, not low)
    for eta, holds in ((Rational(3, 2), True), (Rational(3, 5), False)):
        assert all(bool(r.subs(dict.fromkeys(r.free_symbols, eta))) for r in orbit.when) == holds


def test_orders_are_counted_once():
    """Three pieces in rounds of four: 18 necklaces that are no repetition (Moreau's formula: (81 - 9)/4)."""
    assert len(list(necklaces(3, 1, 4))) == 18 and len(list(necklaces(2, 1, 6))) == 9


def test_too_many_orders_are_refused():
    with pytest.raises(RuleError, match="shorter period"):
        cycle(heavy_ball, KINKED, period=12)
