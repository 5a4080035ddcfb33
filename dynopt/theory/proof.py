"""Why a region is right: z3 refutes every way of being wrong, and points near the rim agree.

Two directions, with the roots themselves as unknowns, so that nothing rests on the derivation: no point of the region has a
root in the wrong place, and no point outside has all roots in the right place. Where the second is out of reach the roots
are traded for the Lienard-Chipart conditions, a theorem, and the proof says so.
"""
from __future__ import annotations

import time
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Iterable

import numpy as np

from .atoms import Formula, degree
from .generators import is_loose
from .lemmas import by_theorem
from .pool import PATIENCE
from .sampling import DENOMINATOR, Sample, check, exact
from .smt import NLSAT, SECOND, decide, text_of

if TYPE_CHECKING:
    from .region import Region

MS = 3000                                                                # for one question
ROOTS_MS = 1000                                                          # for one with explicit roots where a theorem can take over
STEEP_MS = 400                                                           # for one with explicit roots of a cubic or more
SECONDS = 25.0                                                           # for all of them
Question = tuple[str, tuple[Formula, ...]]


@dataclass(frozen=True)
class Proof:
    """`status` is "proved" or "unknown"; `counterexample` is a point where the claim fails, if one was found.

    `method` says in words what was done, `smt2` is the text of every question in SMT-LIB: each must be unsat.
    """

    status: str
    method: str
    smt2: str = ""
    counterexample: dict[str, Fraction] | None = None

    def __str__(self) -> str:
        return f"{self.status}: {self.method}"


def prove(region: "Region") -> Proof:
    """The proof of a region against its claim."""
    if region.unknown:
        return Proof("unknown", region.unknown)
    if region.claim is None:
        return Proof("unknown", "the region was put together by hand and claims nothing of a rule")
    if hasattr(region.claim, "proof"):
        return region.claim.proof(region)
    sample = check(region)
    questions = [*_sound(region), *_complete(region)]
    text = smt2(region.facts, questions)
    if sample.counterexample is not None:
        return Proof("unknown", f"refuted at {_shown(sample.counterexample)}", text, sample.counterexample)
    return _decided(region, questions, sample, text)


def _decided(region: "Region", questions: list[Question], sample: Sample, text: str) -> Proof:
    deadline = time.monotonic() + SECONDS*PATIENCE
    method = "inside the region no root is in the wrong place, outside not all are in the right one (z3, explicit roots)"
    open_ = _ask(region, questions, NLSAT, deadline, ms=_limit(region))
    if open_:
        failed = _undecided(region, open_, text)
        if failed.counterexample is not None or region.claim is None or not region.claim.by_theorem:
            return failed
        answers: list[tuple[str, str, dict]] = []

        def ask(question: Question, ms: int) -> str:
            answers[:] = _ask(region, [question], NLSAT, deadline + SECONDS*PATIENCE, ms)
            return answers[0][1] if answers else "unsat"
        questions, left = by_theorem(region, ask)
        text += smt2(region.facts, [*questions, *([left] if left else [])])
        if left:
            return _undecided(region, answers or [(left[0], "unknown", {})], text)
        said = "equal to" if questions else "word for word"
        method = f"{said} the Lienard-Chipart conditions of the characteristic polynomial{' (z3)' if questions else ''}"
    second = [label for label, v, _ in _ask(region, questions, SECOND, time.monotonic() + 2.0*PATIENCE, ms=500) if v == "sat"]
    if second:
        return Proof("unknown", f"two strategies of z3 disagree on: {second[0]}", text)
    exactly = f", {sample.rational} of them in exact arithmetic," if sample.rational else ""
    agreed = f"; {sample.points} points{exactly} agree, half of them near the rim"
    return Proof("proved", method + agreed, text)


def _ask(region: "Region", questions: Iterable[Question], tactic: str, deadline: float,
         ms: int = MS) -> list[tuple[str, str, dict]]:
    """The questions that were not answered by unsat."""
    open_: list[tuple[str, str, dict]] = []
    for label, formulas in questions:
        left = int(1000*(deadline - time.monotonic()))
        if left < 20:
            if tactic == NLSAT:
                open_.append((label, "unknown", {}))
            continue
        answer = decide([*region.facts, *formulas], ms=min(ms, left), tactic=tactic)
        if answer.verdict != "unsat":
            open_.append((label, answer.verdict, answer.point))
            if answer.verdict == "sat" or tactic == NLSAT:
                break
    return open_


def _undecided(region: "Region", open_: list, text: str) -> Proof:
    """What is left open; a point that z3 found is believed only where exact arithmetic confirms it."""
    label, verdict, point = next((o for o in open_ if o[1] == "sat"), open_[0])
    if verdict != "sat":
        return Proof("unknown", f"z3 did not decide: {label}", text)
    if is_loose(region.definitions):
        return Proof("unknown", f"not decided: {label} (a root or an exponential stands for itself)", text)
    names = {str(s) for s in region.claim.symbols | region.free_symbols}           # type: ignore[union-attr]
    own = {n: v for n, v in point.items() if n in names}
    near = {n: np.array([round(v*DENOMINATOR) + j for j in (0, 1, -1, 64, -64)], dtype=object) for n, v in own.items()}
    confirmed = exact(region, near)[1] if own else None
    if confirmed is not None:
        return Proof("unknown", f"refuted at {_shown(confirmed)}: {label}", text, confirmed)
    return Proof("unknown", f"z3 reports a point where this fails, which exact arithmetic does not confirm: {label}", text)


# -- the questions --------------------------------------------------------------------------------------------------

def _sound(region: "Region") -> list[Question]:
    """No point of the region fails the claim."""
    return [(label, (*c, *formulas)) for c in region.union for label, formulas in region.claim.violated()]   # type: ignore[union-attr]


def _complete(region: "Region") -> list[Question]:
    """No point outside the region fulfils the claim."""
    outside = [("or", *(a.negated for a in c)) for c in region.union]
    single = [(a.negated,) for a in region.union[0]] if len(region.union) == 1 else [tuple(outside)]
    return [("all roots in place outside the region", (*case, *parts)) for case in region.claim.fulfilled() for parts in single]   # type: ignore[union-attr]


def _limit(region: "Region") -> int:
    """Milliseconds for a question with explicit roots; they are asked for, but not for long, where they are likely to be out of reach."""
    if region.claim is None or not region.claim.by_theorem:
        return MS
    polynomials = getattr(region.claim, "polynomials", ())
    return STEEP_MS if any(len(p) > 3 or max(map(degree, p)) > 4 for p in polynomials) else ROOTS_MS


def smt2(facts: Iterable[Formula], questions: Iterable[Question]) -> str:
    """All questions as one SMT-LIB script; each (check-sat) must answer unsat."""
    blocks = []
    for label, formulas in questions:
        body = text_of([*facts, *formulas], comment=f"{label}: expect unsat").replace("(set-logic QF_NRA)\n", "")
        blocks.append(f"(push 1)\n{body}(pop 1)\n")
    return "(set-logic QF_NRA)\n" + "\n".join(blocks)


def _shown(point: dict[str, Fraction]) -> str:
    return ", ".join(f"{n} = {v}" for n, v in sorted(point.items()))


