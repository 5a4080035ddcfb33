"""The page of a rule and the table of conventions: what they say, and that no rule of the catalogue breaks them."""
from __future__ import annotations

import pytest

from dynopt import conventions, describe, heavy_ball, method, nesterov_torch, rules

QUICK = ["gradient_descent", "adam", "lion", "vanishing_damping", "nag_c", "lorenz", "kepler", "sghmc", "clipped_gradient_descent"]


def test_one_page_of_heavy_ball():
    page = describe(heavy_ball)
    assert page["stable where"].text == "|beta| < 1, 0 < eta*lam < 2*(1 + beta)" and page["stable where"].status == "proved"
    assert page["best over [mu, L]"].status == "proved" and "4/(sqrt(L) + sqrt(mu))**2" in page["best over [mu, L]"].text
    assert "sigma**2" in page["noise floor"].text and "torch.optim.SGD" in page["the same as"].text
    assert "Polyak 1964" in repr(page).splitlines()[0]


def test_a_page_in_html_runs_nothing():
    rule = method.from_string("x = x - eta*grad(x)", state="x", name="<script>alert(1)</script>")
    page = describe(rule).to_html()
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("name", [n for n in QUICK if n in rules])
def test_a_rule_without_a_mode_says_why(name):
    page = describe(rules[name])
    assert page.entries[0].text
    for entry in page.entries:
        assert entry.status or entry.title in ("one step", "rate of change", "boundaries", "the same as"), entry


@pytest.mark.soak
@pytest.mark.parametrize("name", list(rules))
def test_every_rule_of_the_catalogue_has_a_page(name, monkeypatch):
    monkeypatch.setattr("dynopt.theory.tuning.SECONDS", 2.0)             # an optimum that takes longer is left unknown here
    rule = rules[name]
    if rule.signature.counts:
        rule = rule.at(**{c: rules.example(name).params.get(c, 3) for c in rule.signature.counts})
    assert name in repr(describe(rule))


def test_conventions_translate_parameters():
    written = {w.who: w.written for w in conventions(heavy_ball)}
    assert written["PyTorch"] == "torch.optim.SGD(params, lr=eta, momentum=beta)"
    assert written["moving average"].endswith("x = x - eta/(1 - beta)*v")
    assert any("nesterov=True" in w.written for w in conventions(nesterov_torch) if w.who == "Keras")


def test_a_buffer_that_holds_the_step_is_marked():
    held = {w.who: w.held for w in conventions(heavy_ball)}
    assert held["PyTorch"] and not held["Keras"]


def test_a_method_that_nobody_else_writes():
    odd = method.from_string("x = x - eta*grad(x - eta*grad(x))", state="x", name="odd")
    assert "none of the known" in repr(conventions(odd))


def test_an_adaptive_rule_has_a_region_with_its_second_moment_held():
    page = describe(rules["adam"])
    assert page["stable where"].status == "proved" and "with v held fixed" in page["stable where"].text
    assert "0 < eta*lam*(1 - beta1) < 2*(1 + beta1)" in page["stable where"].text


def test_ways_say_what_their_parameters_ask_for():
    ways = {w.who: w for w in conventions(heavy_ball)}
    assert ways["moving average"].where.strip() == "(beta != 1)" and not ways["Keras"].where
    assert "without the noise" in repr(conventions(rules["noisy_heavy_ball"]))
