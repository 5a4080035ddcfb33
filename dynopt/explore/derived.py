"""What theory derived of a rule, as data of the page: the region with its proof and boundaries, the optimum."""
from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import sympy

from ..core.errors import RuleError
from ..core.expr import walk
from ..core.rule import Method
from ..theory import pool
from ..theory.letters import Letters
from ..theory.linear import linearize
from ..theory.rates import rate
from ..theory.stability import stability
from ..theory.symbols import symbol
from .formulas import function, tree, verdict
from .printed import Printed

LETTERS = Letters("latex")
SEARCH = 10.0                                                  # seconds for a closed form of the best parameters: a page can do without


def theory(rule: Method, printed: Printed, mixes: bool, there: dict[str, Any]) -> dict[str, Any]:
    """What was derived: the region with its proof, its boundaries, or why there is none; `mixes` says that arrays enter the step."""
    if mixes or there.get("why"):
        return {"linear": False, "why": there.get("why") or "arrays enter the step, so that coordinates follow different rules"}
    entries = there.get("entries", ["lam"])
    taken = sorted(set(entries) & set(rule.params))
    if taken:
        return {"linear": False, "why": f"the parameter {taken[0]} has the name of an entry of the game; give it another one"}
    table = there.get("table")
    linear, region, proof, why = _derived(rule, None if table is None else tuple(map(tuple, table)))
    if region is None:
        return {"linear": False, "why": why}
    names = [*rule.params, *entries]
    found = {"linear": not rule.scalars and -1 not in lags(rule), "settled": linear.settled, "period": _period(rule), "names": names, "why": why,
             "entries": entries, "pattern": there.get("pattern")}
    if proof is None:
        return found | {"status": "unknown"}
    found |= {"optimum": _optimum(rule, printed) if entries == ["lam"] else None}
    inside = verdict(region.conditions, names)
    shown = region._repr_latex_().strip("$ ").removeprefix(r"\displaystyle").split(r",\;")
    return found | {"status": proof.status, "method": proof.method, "region": [tree(part) for part in shown], "text": str(region),
                    "inside": None if inside is None else printed.function(inside), "boundaries": _boundaries(region, names, printed)}


@lru_cache(maxsize=64)
def _derived(rule: Method, table: tuple | None = None) -> tuple[Any, Any, Any, str]:
    """(linearization, region, proof, why something is missing); rules that do the same share one derivation."""
    mode: Any = "lam" if table is None else table
    try:
        linear = linearize(rule, mode=mode)
    except RuleError as error:
        return None, None, None, str(error)
    region = stability(rule, mode=mode)
    return linear, region, None if region.unknown else region.proof, region.unknown


def _optimum(rule: Method, printed: Printed) -> dict[str, Any] | None:
    """The best parameters over [mu, L] in closed form, where that was derived for rules of one or two parameters."""
    tuned = _tuned(rule) if 1 <= len(rule.params) <= 2 else None
    source = None if tuned is None else function([tuned.params[n] for n in rule.params], ["mu", "L"])
    if tuned is None or source is None:
        return None
    formulas = [sympy.Eq(symbol(n), e, evaluate=False) for n, e in (*tuned.params.items(), ("rho", tuned.rho))]
    return {"code": printed.function(source), "names": list(rule.params), "status": tuned.proof.status,
            "formula": [tree(sympy.latex(e)) for e in formulas]}


@lru_cache(maxsize=64)
def _tuned(rule: Method) -> Any:
    """The best parameters in mu and L; None where the rate asks for something else, or no closed form is proved in time."""
    try:
        found = rate(rule)
        if len(found.curvatures) != 1 or found.free_symbols - set(found.curvatures) != {symbol(n) for n in rule.params} \
                or {"mu", "L"} & set(rule.params):
            return None
        return pool.call("dynopt.theory.closed_tuning", "search", found, rule.params, False, seconds=SEARCH)
    except (RuleError, pool.OutOfTime, pool.WorkFailed):
        return None


def _boundaries(region: Any, names: list[str], printed: Printed) -> list[dict[str, Any]]:
    found = []
    for boundary in region.boundaries:
        source = function([boundary.curve], names)
        found.append({"kind": boundary.kind, "curve": None if source is None else printed.function(source),
                      "formula": tree(sympy.latex(sympy.Eq(boundary.curve, 0, evaluate=False),
                                               symbol_names={s: LETTERS.symbol(s) for s in boundary.curve.free_symbols}))})
    return found


def _period(rule: Method) -> int:
    """After how many steps a rule in k % n does the same again; 1 where it has no such part."""
    found = [n.args[1].data for n in rule.program.everything if n.op == "mod" and n.args[1].op == "const"
             and any(inner.op == "param" and inner.data == "k" for inner in walk([n.args[0]]))]
    return math.lcm(*(int(n) for n in found if n == int(n) and n > 0)) if found else 1


def lags(rule: Method) -> list[int]:
    """How far back each state is looked at; -1 where that is no literal."""
    found = [0]*len(rule.state)
    for n in rule.program.everything:
        if n.op == "past":
            j = rule.state.index(n.args[0].data)
            found[j] = max(found[j], int(n.args[1].data)) if n.args[1].op == "const" else -1
    return found
