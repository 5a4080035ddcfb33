"""One question about a mode, shared by all analyses: the linear system, the conditions on its roots, what is assumed."""
from __future__ import annotations

from typing import Sequence

from sympy import Expr

from . import pool
from .algebra import LinearizeError
from .atoms import Atom, make
from .claim import Stable
from .generators import without_exponentials
from .linear import Linear
from .reduce import Conjunction, Context, reduce
from .region import Region, checked
from .schur import Coefficients, Condition, in_powers
from .steps import Lines, derivation

PLACE = {"method": "disk", "flow": "half_plane"}


class Question:
    """The linear system, the conditions on its roots, what is assumed."""

    def __init__(self, linear: Linear, facts: tuple = (), definitions: dict | None = None):
        self.linear, self.place = linear, PLACE[linear.kind]
        self.facts = tuple(dict.fromkeys([*facts, *linear.generators.facts]))
        self.definitions = {**(definitions or {}), **linear.generators.meaning}
        decisive = [f for f, _ in linear.factors if f not in linear.neutral_factors]
        decisive = [in_powers(f) for f in decisive] if self.place == "disk" else decisive
        self.polynomials: tuple[Coefficients, ...] = tuple(dict.fromkeys(decisive))

    @property
    def claim(self) -> Stable:
        generators = self.linear.generators
        needs = tuple(generators.polynomial(e) for e in self.linear.needs)
        whole = () if self.linear.neutral_factors else (self.linear.coefficients,)
        allowed = tuple(generators.polynomial(e) for e in self.linear.allowed)
        return Stable(self.place, self.polynomials, self.linear.denominators, needs, whole, allowed)

    def conditions(self) -> list[tuple[Coefficients, list[Condition]]]:
        """For each polynomial what its roots ask for."""
        function = "disk_conditions" if self.place == "disk" else "half_plane_conditions"
        found = [(p, pool.limited(len(p) - 1, "schur", function, p)) for p in self.polynomials]
        if self.linear.settled and any(c.expr == 0 for _, rows in found for c in rows):
            raise LinearizeError("the limit k -> oo has an eigenvalue on the circle, so the limit decides nothing; "
                                 "rates along k are a question for `rate` or for iterate")
        return found

    def region(self) -> Region:
        found = self.conditions()
        atoms, kinds = self.atoms(found)
        context = Context(self.facts)
        union = reduce(atoms, context)
        told = context.again()
        return self.finished(union, context, kinds, Lines(lambda: derivation(self.linear, found, told, union, self.definitions)))

    def atoms(self, found: list[tuple[Coefficients, list[Condition]]]) -> tuple[list[Atom], dict[Expr, str]]:
        """All relations together, and which boundary each factor is."""
        atoms: list[Atom] = list(self.claim.conditions)
        kinds: dict[Expr, str] = {}
        for _, rows in found:
            for c in rows:
                new = tuple(b for a in make(c.expr, ">") for b in without_exponentials(a, self.definitions))
                atoms += new
                for f in (f for a in new for f in a.factors if c.kind):
                    kinds.setdefault(f, c.kind or "")
        return atoms, kinds

    def finished(self, union: tuple[Conjunction, ...], context: Context, kinds: dict, steps: Sequence[str]) -> Region:
        return checked(Region(union, context.facts, self.definitions, kinds, self.claim, steps, names=self.linear.names))
