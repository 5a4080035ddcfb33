"""Conjunctions of relations made short: what is known is divided out, what is implied is dropped, what is impossible is seen.

Every step keeps the set of points exactly; a question that z3 does not answer in time leaves the relation where it is.
"""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import product as choices
from typing import Any, Iterable, Sequence

from sympy import Expr, Integer, Symbol

from .atoms import NEVER, Atom, Formula, flipped, negation, sign
from .pool import PATIENCE
from .smt import Answer, decide

Conjunction = tuple[Atom, ...]
MAX_PRODUCTS = 5                                                         # products split into cases of sign


@dataclass
class Context:
    """What is assumed (`facts`), the time left, and a diary of what was dropped and why."""

    facts: tuple[Formula, ...] = ()
    ms: int = 400
    seconds: float = 8.0
    notes: list[tuple[str, Atom]] = field(default_factory=list)
    late: bool = False

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.seconds*PATIENCE

    def again(self) -> "Context":
        """The same with a diary of its own; its time starts when it is first asked."""
        return Context(self.facts, self.ms, self.seconds, list(self.notes), late=True)

    @property
    def positive(self) -> frozenset[Symbol]:
        return positives(self.facts)

    def ask(self, *formulas: Formula) -> Answer:
        """Is there a point where the facts and these formulas hold?"""
        if self.late:
            self.deadline, self.late = time.monotonic() + self.seconds*PATIENCE, False
        left = int(1000*(self.deadline - time.monotonic()))
        if left < 5:
            return Answer("unknown")
        return decide([*self.facts, *formulas], ms=min(self.ms, left))

    def impossible(self, *formulas: Formula) -> bool:
        """True only if proved that no point satisfies the facts and these formulas."""
        return NEVER in formulas or self.ask(*formulas).verdict == "unsat"

    def implies(self, premises: Iterable[Formula], conclusion: Formula) -> bool:
        return self.impossible(*premises, negation(conclusion))


def positives(formulas: Iterable[Formula]) -> frozenset[Symbol]:
    """The symbols that the formulas state to be positive."""
    return frozenset(f.factors[0] for f in formulas if isinstance(f, Atom) and f.op == ">" and len(f.factors) == 1
                     and f.factors[0].is_Symbol)


def reduce(atoms: Iterable[Atom], context: Context) -> tuple[Conjunction, ...]:
    """The conjunction as a short union of conjunctions; () where no point satisfies it."""
    kept = _separate(_strip(list(dict.fromkeys(atoms)), context), context)
    if NEVER in kept or context.impossible(*kept):
        return ()
    kept = _signs(kept, context)
    whole = _drop_implied(kept, context)
    told = len(context.notes)
    split = cases(whole, context)
    del context.notes[told:]                            # what is implied in one case is not implied
    return split if cost(split) <= cost((whole,)) or len(split) == 1 else (whole,)


def cost(union: Sequence[Conjunction]) -> int:
    """How long the union is to read."""
    return sum(len(a.factors) + 1 for c in union for a in c)


def _strip(atoms: list[Atom], context: Context) -> list[Atom]:
    """Factors whose sign can be read off from the symbols known to be positive are divided out."""
    out: list[Atom] = []
    nonzero = {a.factors[0] for a in atoms if a.op == "!=" and len(a.factors) == 1}
    atoms = [_without_squares(a, nonzero) if a.op == ">=" else a for a in atoms]
    for i, atom in enumerate(atoms):
        known = context.positive | positives(out) | positives(atoms[i + 1:])
        out += [stripped for stripped in [strip(atom, known)] if stripped is not None]
    return list(dict.fromkeys(out))


def _without_squares(atom: Atom, nonzero: set[Expr]) -> Atom:
    """f**2*g >= 0 as g >= 0 where f is not zero."""
    kept = [f for i, f in enumerate(atom.factors)
            if f not in nonzero or (atom.factors.count(f) % 2 and atom.factors.index(f) == i)]
    return Atom(tuple(kept), atom.op) if kept else Atom((Integer(1),), atom.op)


def strip(atom: Atom, positive: frozenset[Symbol]) -> Atom | None:
    """The relation without factors of known sign; None where it always holds."""
    lead, kept = 1, []
    for f in atom.factors:
        s = sign(f, positive)
        lead *= s or 1
        kept += [] if s else [f]
    if not kept:
        always = {">": lead > 0, ">=": lead > 0, "==": False, "!=": True}[atom.op]
        return None if always else NEVER
    return Atom(tuple(kept) if lead > 0 or atom.op in ("==", "!=") else flipped(tuple(kept)), atom.op)


def _separate(atoms: list[Atom], context: Context) -> list[Atom]:
    """A product's factors that the other relations determine become relations of their own."""
    for atom in [a for a in atoms if a.op == ">" and len(a.factors) > 1]:
        others = [a for a in atoms if a is not atom]
        known: list[Any] = []
        open_: list[Any] = []
        for f in atom.factors:
            if context.implies(others, Atom((f,), ">")):
                known.append(f)
            elif context.implies(others, Atom(flipped((f,)), ">")):
                known.append(flipped((f,))[0])
                open_ = [-1, *open_]
            else:
                open_.append(f)
        if known:
            minus, rest = open_.count(-1), tuple(f for f in open_ if f != -1)
            rest = flipped(rest) if minus % 2 and rest else rest
            new = [Atom(rest, ">")] if rest else [] if minus % 2 == 0 else [NEVER]
            atoms = list(dict.fromkeys(others + new))
            context.notes += [("sign known", Atom((f,), ">")) for f in known]
    return atoms


def _signs(atoms: list[Atom], context: Context) -> list[Atom]:
    """A product whose factors' signs follow from all relations together becomes one relation per factor."""
    out = list(atoms)
    for atom in [a for a in atoms if a.op == ">" and len(a.factors) > 1]:
        oriented = []
        for f in atom.factors:
            g = next((g for g in (f, flipped((f,))[0]) if context.implies(out, Atom((g,), ">"))), None)
            oriented.append(g)
        if None not in oriented:
            i = out.index(atom)
            out[i:i + 1] = [Atom((g,), ">") for g in oriented]
    return list(dict.fromkeys(out))


def _drop_implied(atoms: Sequence[Atom], context: Context) -> Conjunction:
    kept = list(atoms)
    for atom in sorted(atoms, key=lambda a: a.size, reverse=True):
        others = [a for a in kept if a is not atom]
        if len(others) < len(kept) and context.implies(others, atom):
            kept = others
            context.notes.append(("implied", atom))
    return tuple(kept)


def cases(atoms: Conjunction, context: Context, of: Symbol | None = None) -> tuple[Conjunction, ...]:
    """The products (those that hold a symbol, with f != 0 as f > 0 or -f > 0) split by signs, impossible cases left out."""
    if of is not None:
        unequal = next((a for a in atoms if a.op == "!=" and of in a.symbols), None)
        if unequal is not None:
            others = tuple(a for a in atoms if a is not unequal)
            sides = (unequal.factors, flipped(unequal.factors))
            return tuple(c for side in sides for c in cases((*others, Atom(side, ">")), context, of))
    products = [a for a in atoms if a.op == ">" and len(a.factors) > 1 and (of is None or of in a.symbols)]
    if not products or len(products) > MAX_PRODUCTS:
        return (atoms,)
    rest = [a for a in atoms if a not in products]
    partial: list[list[Atom]] = [rest]
    for p in products:
        grown = []
        for signs in choices((1, -1), repeat=len(p.factors) - 1):
            last = -1 if signs.count(-1) % 2 else 1
            case = [Atom((f,) if s > 0 else flipped((f,)), ">") for f, s in zip(p.factors, (*signs, last))]
            grown += [base + case for base in partial if not context.impossible(*base, *case)]
        partial = grown
    return union((_drop_implied(list(dict.fromkeys(c)), context) for c in partial), context)


def union(conjunctions: Iterable[Conjunction], context: Context) -> tuple[Conjunction, ...]:
    """Without the conjunctions that lie inside another one."""
    kept = list(dict.fromkeys(tuple(c) for c in conjunctions))
    for c in sorted(kept, key=len, reverse=True):
        others = [o for o in kept if o is not c]
        if others and any(context.implies(c, ("and", *o)) for o in others):
            kept = others
    return tuple(kept)


def expressions(union: Iterable[Conjunction]) -> set[Expr]:
    """All factors that occur."""
    return {f for c in union for a in c for f in a.factors}
