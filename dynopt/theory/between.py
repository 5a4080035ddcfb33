"""The claim of a region for an interval of curvatures where the ends decide because stability has no gap between them.

Three parts are proved: the region at one curvature (z3); that the answer says the same as these relations at both ends (z3); that
nothing fails between two stable curvatures (exact, see `plane`).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import pool
from .atoms import Atom, Formula, negation
from .every import Every
from .plane import Plane, plane, without_gaps
from .relations import union_of
from .smt import decide

if TYPE_CHECKING:
    from .proof import Proof
    from .region import Region

SECONDS = 40.0
MS = 3000


@dataclass(frozen=True)
class Between(Every):
    """The inner claim for all lam between the ends, by its relations at one lam and a plane in which they leave no gap."""

    single: tuple[Atom, ...]
    ends: Formula
    plane: Plane

    def proof(self, region: "Region") -> "Proof":
        from .proof import Proof, prove, smt2
        from .region import Region
        from .sampling import check
        sample, asked = check(region), self._questions(region)
        if sample.counterexample is not None:
            return Proof("unknown", "refuted by a point", "", sample.counterexample)
        one = prove(Region((self.single,), region.facts, region.definitions, region.kinds, self.inner, names=region.names))
        text = one.smt2 + smt2(region.facts, asked)
        if one.status != "proved":
            return Proof("unknown", f"for one curvature: {one.method}", text)
        for label, formulas in asked:
            if decide([*region.facts, *formulas], ms=MS).verdict != "unsat":
                return Proof("unknown", f"z3 did not decide: {label}", text)
        return Proof("proved", f"for one curvature: {one.method}; for an interval: {self.plane.told}; {sample.points} points agree", text)

    def _questions(self, region: "Region") -> list:
        """The region says the same as the relations at both ends."""
        cases = [tuple(c) for c in union_of(self.ends)]
        return [*_implied("the region implies the relations at both ends", region.union, cases),
                *_implied("the relations at both ends imply the region", cases, region.union)]


def _implied(label: str, premises: list | tuple, conclusions: list | tuple) -> list:
    """What must have no point; a relation that stands among its premises is not asked."""
    if len(conclusions) == 1:
        return [(label, (*c, a.negated)) for c in premises for a in conclusions[0] if a not in c]
    outside = negation(("or", *(("and", *c) for c in conclusions)))
    return [(label, (*c, outside)) for c in premises if c not in conclusions]


def without_gap(atoms: tuple[Atom, ...], facts: tuple[Formula, ...], ends: frozenset, from_zero: bool) -> Plane | None:
    """The plane in which the relations leave no gap, None where they do, or where no plane holds them; in a worker."""
    try:
        return pool.call(__name__, "decided", atoms, facts, ends, from_zero, seconds=SECONDS)
    except (pool.OutOfTime, pool.WorkFailed):
        return None


def decided(atoms: tuple[Atom, ...], facts: tuple[Formula, ...], ends: frozenset, from_zero: bool) -> Plane | None:
    found = plane(atoms, facts, ends)
    return without_gaps(found, from_zero) if found is not None else None
