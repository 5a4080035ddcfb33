"""Every published rule: its region against the eigenvalues of the step that the declaration itself makes on numbers."""
from __future__ import annotations

import numpy as np
import pytest

from dynopt.catalog.index import rules
from dynopt.theory.stability import stability
from dynopt.theory.symbols import symbol

COUNTS = dict.fromkeys(("K", "n", "s", "inner", "tau"), 2)
PLAIN = {"grad", "grad_1", "grad_2", "hess", "noise", "uniform", "prox"}
STEADY = [name for name in rules if set(rules[name].oracles) <= PLAIN and not rules[name].signature.clocks and not rules[name].scalars]


def step_matrix(rule, values, lam):
    """The linear part of one step, by differences of the declaration between unit vectors and zero."""
    oracles = {"grad": lambda y, *a, **k: lam[0]*y, "grad_1": lambda y, *a, **k: lam[0]*y, "grad_2": lambda y, *a, **k: lam[1]*y,
               "hess": lambda x, v: lam[0]*v, "noise": lambda *a: 0.0, "uniform": lambda *a: 0.5,
               "prox": lambda u, s: u/(1 + s*values.get("nu", 1.0))}
    given = {o: oracles[o] for o in rule.oracles} | {p: v for p, v in values.items() if p in rule.params}
    n = len(rule.state)

    def run(state):
        out = rule(*state, **given)
        return np.array(out if isinstance(out, tuple) else (out,), dtype=float).reshape(n)
    zero = run(np.zeros(n))
    return np.array([run(row) - zero for row in np.eye(n)]).T


def counted(rule):
    missing = {c: COUNTS.get(c, 2) for c in rule.signature.counts if c not in rule.counts and c not in rule.signature.defaults}
    return rule.at(**missing) if missing else rule


@pytest.mark.parametrize("name", STEADY)
def test_the_region_of_a_published_rule_is_where_its_steps_contract(name):
    rule = counted(rules[name])
    found = stability(rule)
    if found.unknown:
        assert len(found.unknown) > 20                                   # an honest reason, in a sentence
        return
    rng, compared = np.random.default_rng(0), 0
    while compared < 60:
        values = {p: float(np.exp(rng.normal()) if symbol(p).is_positive else rng.choice([rng.uniform(-1.2, 1.2), rng.uniform(-3, 3)]))
                  for p in found.names if not p.startswith("lam")}
        values["nu"] = float(np.exp(rng.normal()))
        lam = np.exp(rng.normal(size=2))
        with np.errstate(all="ignore"):
            matrix = step_matrix(rule, values, lam)
        compared += 1
        if not np.isfinite(matrix).all():
            continue
        eigenvalues = np.linalg.eigvals(matrix)
        worst = np.max(eigenvalues.real) if rule.kind == "flow" else np.max(np.abs(eigenvalues)) - 1
        own = {"lam": lam[0], "lam_1": lam[0], "lam_2": lam[1], **values}
        if abs(worst) > 1e-6:
            assert found.contains(**{n: v for n, v in own.items() if n in found.names or n == "nu" and "nu" in str(found.free_symbols)}) \
                == (worst < 0), (values, lam, worst)
