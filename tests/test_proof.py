"""Proofs: right regions are proved, wrong ones are refuted by a point that exact arithmetic confirms, time limits end."""
from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
import sympy
import theory_rules as T

from dynopt import rules
from dynopt.theory import pool, smt
from dynopt.theory.claim import schur_cohn
from dynopt.theory.proof import prove
from dynopt.theory.region import region
from dynopt.theory.schur import enough, half_plane_conditions
from dynopt.theory.stability import stability


def test_the_right_region_is_proved_in_time():
    assert stability(T.gradient_descent).proof.status == "proved"        # starts the workers
    started = time.perf_counter()
    found = stability(T.heavy_ball)
    derived = time.perf_counter() - started
    proof = found.proof
    total = time.perf_counter() - started
    assert proof.status == "proved" and "explicit roots" in proof.method
    assert derived < 1 and total < 4                                     # 0.1 s and 0.5 s on an idle machine


def test_the_proof_replays():
    text = stability(T.heavy_ball).proof.smt2
    z3 = pytest.importorskip("z3")
    blocks = text.split("(push 1)")[1:]
    assert len(blocks) >= 7
    for block in blocks:
        solver = z3.Tactic("qfnra-nlsat").solver()
        solver.from_string(block.split("(check-sat)")[0])
        assert str(solver.check()) == "unsat"


def test_a_region_put_together_by_hand_claims_nothing():
    assert region("0 < eta").proof.status == "unknown"


def test_without_an_answer_from_z3_nothing_is_proved(monkeypatch):
    found, plain = stability(T.optimistic), stability(T.heavy_ball)
    monkeypatch.setattr(smt, "decide_text", lambda text, **_: smt.Answer("unknown"))
    assert prove(found).status == "unknown"
    assert "word for word" in prove(plain).method                        # its relations are the theorem's: there is nothing to decide


def test_regions_stay_right_when_z3_is_silent(monkeypatch):
    expected = stability(T.nesterov)
    monkeypatch.setattr(smt, "decide_text", lambda text, **_: smt.Answer("unknown"))
    found = stability(T.nesterov)
    rng = np.random.default_rng(0)
    points = {"eta": rng.uniform(-2, 4, 500), "beta": rng.uniform(-2, 2, 500), "lam": rng.uniform(0.1, 2, 500)}
    assert (found.contains(**points) == expected.contains(**points)).all()


def test_a_time_limit_ends_the_process():
    with pytest.raises(pool.OutOfTime):
        pool.call("time", "sleep", 3600, seconds=0.3)
    assert pool.call("math", "gcd", 12, 18, seconds=30) == 6             # a new process takes over


def test_an_error_in_a_worker_is_told():
    with pytest.raises(pool.WorkFailed, match="ZeroDivisionError"):
        pool.call("operator", "truediv", 1, 0, seconds=30)


def test_schur_cohn_agrees_with_roots():
    rng = np.random.default_rng(4)
    for n in (1, 2, 3, 4, 5):
        for a in rng.normal(size=(300, n + 1)):
            inside, sure = schur_cohn(list(a))
            assert not sure or inside == (np.max(np.abs(np.roots(a))) < 1)


@pytest.mark.parametrize("degree", [2, 3, 4, 5])
def test_either_selection_of_the_conditions_decides(degree):
    """Against the roots, half of the polynomials made of roots near the axis."""
    rng, names = np.random.default_rng(degree), sympy.symbols(f"c:{degree + 1}")
    selections = [[c.expr for c in some] for some in enough(half_plane_conditions(names), degree)]
    tests = [sympy.lambdify(names, some) for some in selections]
    assert degree < 3 or all(len(some) < len(half_plane_conditions(names)) for some in selections)
    seen = set()
    for i in range(400):
        roots = np.sort_complex(np.roots(rng.normal(size=degree + 1)))
        row = np.poly(roots - rng.uniform(0, 1.5)*(i % 2)).real
        stable = np.roots(row).real.max() < 0
        assert [all(v > 0 for v in test(*row)) for test in tests] == [stable, stable]
        seen.add(bool(stable))
    assert seen == {True, False}


@pytest.mark.soak
@pytest.mark.parametrize("name", ["alternating_momentum", "optimistic_play", "alternating_descent", "extragradient_play"])
def test_games_with_a_full_matrix_are_proved_and_wrong_ones_are_not(name):
    found = stability(rules[name], mode=[["a", "b"], ["c", "d"]])
    assert found.proof.status == "proved"
    [conjunction] = found.union
    for i in range(len(conjunction)):
        wrong = dataclasses.replace(found, union=((*conjunction[:i], *conjunction[i + 1:]),))
        assert wrong.proof.status == "unknown"
