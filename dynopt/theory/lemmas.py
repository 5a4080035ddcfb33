"""A region against the conditions of a theorem, step by step: what was shown is a premise of what is shown next.

Nothing is asked that stands among its premises, and only as much as the theorem needs: of the conditions on a polynomial
either of two selections (Lienard, Chipart 1914).
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from .atoms import Atom, Formula, negation

if TYPE_CHECKING:
    from .region import Region

Question = tuple[str, tuple[Formula, ...]]
Ask = Callable[[Question, int], str]                                     # a question and its limit in ms -> the verdict
LIMITS = 100, 600, 3000                                                  # easy lemmas first: they help with the hard ones


def by_theorem(region: "Region", ask: Ask) -> tuple[list[Question], Question | None]:
    """The questions that were answered by unsat, and the one that was not where the proof fails."""
    claim = region.claim
    asked, parts = claim.asked(), claim.enough()                                       # type: ignore[union-attr]
    asked = sorted(dict.fromkeys(asked), key=lambda goal: goal[1].size)
    done: list[Question] = []
    for conjunction in region.union:
        failed = _implied(list(conjunction), asked, parts, ask, done)
        if failed:
            return done, failed
    for question in _complete(region):
        if ask(question, LIMITS[-1]) != "unsat":
            return done, question
        done.append(question)
    return done, None


def _implied(shown: list[Atom], asked: list, parts: list, ask: Ask, done: list[Question]) -> Question | None:
    """Adds to what is shown until that suffices; returns a question that stayed open where it never does."""
    failed = None
    for limit in LIMITS:
        before = -1
        while before != len(shown) and not _suffices(parts, shown):
            before = len(shown)
            for premises, a in asked:
                if a in shown:
                    continue
                question = ("the region implies the theorem's conditions", (*shown, *premises, negation(a)))
                verdict = ask(question, limit)
                if verdict == "sat":
                    return question
                if verdict == "unsat":
                    done.append(question)
                    shown.append(a)
                    if _suffices(parts, shown):
                        return None
                else:
                    failed = question
    return None if _suffices(parts, shown) else failed


def _suffices(parts: list[list[list[Atom]]], shown: list[Atom]) -> bool:
    """Has each part a selection that is shown completely?"""
    return all(any(all(a in shown for a in some) for some in part) for part in parts)


def _complete(region: "Region") -> list[Question]:
    """The theorem's conditions imply the region."""
    granted = region.claim.granted()                                                   # type: ignore[union-attr]
    given = {a for f in granted for a in _certain(f)}
    single = [(a.negated,) for a in region.union[0] if a not in given] if len(region.union) == 1 else [
        tuple(("or", *(a.negated for a in c)) for c in region.union)]
    return [("the theorem's conditions imply the region", (*granted, *parts)) for parts in single]


def _certain(formula: Formula) -> list[Atom]:
    """The atoms that hold wherever the formula does."""
    if isinstance(formula, Atom):
        return [formula]
    return [a for part in formula[1:] for a in _certain(part)] if formula[0] == "and" else []
