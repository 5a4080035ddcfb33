"""The question that is usually asked of a published rule: two players on a game, an adaptive rule with its preconditioner held fixed."""
from __future__ import annotations

from ..core.rule import Rule
from .algebra import LinearizeError
from .linear import linearize
from .region import Region
from .stability import stability

GAME = (("0", "b"), ("-b", "0"))                                         # the bilinear game: where play fails first
COUNT = 2                                                                # stages, inner steps, clients where nothing is said


def usual(rule: Rule) -> tuple[Region, str]:
    """The region of a rule, and in words how it was asked ("" for plain `stability(rule)`).

    Counts without a value are 2; gradients of two players act by [[0, b], [-b, 0]]; where no mode exists because a state enters
    by its square or root, the preconditioner (a state, or two) is held fixed and lam is the preconditioned curvature.

    >>> from dynopt import rules
    >>> usual(rules["alternating_descent"])[1]
    'mode [[0, b], [-b, 0]]'
    """
    missing = {c: COUNT for c in rule.signature.counts if c not in rule.counts and c not in rule.signature.defaults}
    how = [f"{n} = {v}" for n, v in missing.items()]
    rule = rule.at(**missing) if missing else rule
    found = stability(rule)
    if found.unknown and "several players" in found.unknown:
        found, how = stability(rule, mode=GAME), [*how, "mode [[0, b], [-b, 0]]"]
    elif found.unknown and rule.kind == "method":
        found, more = _frozen(rule, found)
        how += more
    return found, ", ".join(how)


def _frozen(rule: Rule, unknown: Region) -> tuple[Region, list[str]]:
    """Held fixed is only what then scales the curvature and nothing else: a preconditioner."""
    others = rule.state[1:]
    for names in [*((s,) for s in others), *((s, t) for i, s in enumerate(others) for t in others[i + 1:])]:
        try:
            linear = linearize(rule, freeze=names)
        except LinearizeError:
            continue
        if any("preconditioned" in note for note in linear.notes):
            found = stability(linear)
            return (unknown, []) if found.unknown else (found, [f"{' and '.join(names)} held fixed"])
    return unknown, []
