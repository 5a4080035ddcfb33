"""Questions to z3 as SMT-LIB text that anybody can replay: is there a real point where all these relations hold?"""
from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Iterable, Sequence

from sympy import Expr, Symbol

from . import pool
from .atoms import Atom, Formula, atoms_of, terms

NLSAT = "qfnra-nlsat"
SECOND = "qfnra"                                                          # another strategy, for a second opinion
GRACE = 2.0                                                              # seconds beyond z3's own limit; then the process ends
_here = False                                                            # True inside a worker: no process below a process


@dataclass(frozen=True)
class Answer:
    """`unsat` (no such point: proved), `sat` with a point, or `unknown`."""

    verdict: str
    point: dict[str, Fraction] = field(default_factory=dict)


def ready() -> None:
    """Called once in a worker: load z3 and answer directly from now on."""
    global _here
    import z3  # noqa: F401
    _here = True


def decide(formulas: Iterable[Formula], *, ms: int = 1000, tactic: str = NLSAT) -> Answer:
    """Whether a real point satisfies all formulas (symbols declared positive are positive)."""
    formulas = list(formulas)
    answer = decide_text(text_of(formulas), ms=ms, tactic=tactic)
    if answer.verdict != "sat":
        return answer
    symbols = {str(s) for f in formulas for a in atoms_of(f) for s in a.symbols}
    return Answer("sat", {s: answer.point.get(s, Fraction(1)) for s in symbols})       # 1: what sets the scale, or matters not


def decide_text(text: str, *, ms: int = 1000, tactic: str = NLSAT) -> Answer:
    if _here:
        return solve(text, tactic, ms)
    try:
        return pool.call(__name__, "solve", text, tactic, ms, seconds=ms/1000 + GRACE)
    except (pool.OutOfTime, pool.WorkFailed):
        return Answer("unknown")


def solve(text: str, tactic: str, ms: int) -> Answer:
    """z3 on SMT-LIB text, in this process."""
    import z3
    solver = z3.Tactic(tactic).solver()
    solver.set("timeout", int(ms*pool.PATIENCE))
    solver.from_string(text)
    verdict = str(solver.check())
    if verdict != "sat":
        return Answer(verdict if verdict == "unsat" else "unknown")
    model = solver.model()
    return Answer("sat", {d.name(): _fraction(model[d]) for d in model.decls()})


def _fraction(value: Any) -> Fraction:
    import z3
    if z3.is_algebraic_value(value):
        value = value.approx(20)
    return Fraction(value.numerator_as_long(), value.denominator_as_long())


# -- text -----------------------------------------------------------------------------------------------------------

def text_of(formulas: Iterable[Formula], comment: str = "") -> str:
    """SMT-LIB text of a conjunction; a positive symbol that only sets the scale is 1 without loss of generality."""
    formulas = list(formulas)
    atoms = [a for f in formulas for a in atoms_of(f)]
    fixed = scale_symbols(tuple(dict.fromkeys(f for a in atoms for f in a.factors)), _positive(formulas))
    symbols = sorted(set().union(*(a.symbols for a in atoms)) - fixed, key=str) if atoms else []
    lines = [f"; {line}" for line in comment.splitlines()]
    lines += [f"; {s} = 1: every relation is homogeneous in a scaling that moves {s}" for s in sorted(fixed, key=str)]
    lines += ["(set-logic QF_NRA)"]
    lines += [f"(declare-const |{s}| Real)" for s in symbols]
    lines += [f"(assert (> |{s}| 0))" for s in symbols if s.is_positive]
    lines += [f"(assert {_formula(f, fixed)})" for f in formulas]
    return "\n".join([*lines, "(check-sat)", ""])


def _positive(formulas: list[Formula]) -> frozenset[Symbol]:
    stated = {f.factors[0] for f in formulas if isinstance(f, Atom) and f.op == ">" and len(f.factors) == 1}
    symbols = {s for f in formulas for a in atoms_of(f) for s in a.symbols}
    return frozenset(s for s in symbols if s.is_positive or s in stated)


def _formula(formula: Formula, fixed: frozenset[Symbol]) -> str:
    if isinstance(formula, tuple):
        word, *parts = formula
        if not parts:
            return "true" if word == "and" else "false"
        return f"({word} {' '.join(_formula(p, fixed) for p in parts)})"
    product = [_polynomial(f, fixed) for f in formula.factors]
    left = product[0] if len(product) == 1 else f"(* {' '.join(product)})"
    if formula.op == "!=":
        return f"(not (= {left} 0))"
    return f"({'=' if formula.op == '==' else formula.op} {left} 0)"


def _polynomial(f: Expr, fixed: frozenset[Symbol]) -> str:
    parts = []
    for powers, c in terms(f):
        number = _number(Fraction(int(c.p), int(c.q)))
        letters = [f"|{s}|" for s, e in powers if s not in fixed for _ in range(e)]
        parts.append(f"(* {' '.join([number, *letters])})" if letters else number)
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})" if parts else "0"


def _number(q: Fraction) -> str:
    size = str(abs(q.numerator)) if q.denominator == 1 else f"(/ {abs(q.numerator)} {q.denominator})"
    return size if q >= 0 else f"(- {size})"


# -- scaling --------------------------------------------------------------------------------------------------------

def weights(factors: tuple[Expr, ...], symbols: Sequence[Symbol]) -> list[list[Fraction]]:
    """A basis of the scalings (an exponent for each symbol) in which every polynomial is homogeneous."""
    rows = []
    for f in factors:
        exponents = [[dict(powers).get(s, 0) for s in symbols] for powers, _ in terms(f)]
        rows += [[a - b for a, b in zip(row, exponents[0])] for row in exponents[1:]]
    return _null_space(rows, len(symbols))


def scale_symbols(factors: tuple[Expr, ...], positive: frozenset[Symbol]) -> frozenset[Symbol]:
    """Positive symbols that can be set to 1: each polynomial is homogeneous in a scaling that moves the symbol."""
    symbols = sorted({s for f in factors for s in f.free_symbols}, key=str)
    left, fixed = weights(factors, symbols), set()
    for i, s in enumerate(symbols):
        pivot = next((w for w in left if w[i]), None) if s in positive else None
        if pivot is not None:
            fixed.add(s)
            left = without(left, pivot, i)
    return frozenset(fixed)


def without(scalings: list[list[Fraction]], pivot: list[Fraction], i: int) -> list[list[Fraction]]:
    """The other scalings, made to leave symbol i alone."""
    return [[a - pivot[j]*w[i]/pivot[i] for j, a in enumerate(w)] for w in scalings if w is not pivot]


def _null_space(rows: Sequence[Sequence[int]], n: int) -> list[list[Fraction]]:
    """A basis of the vectors that every row annihilates, in fractions."""
    reduced: list[list[Fraction]] = []
    pivots: list[int] = []
    for row in rows:
        r = [Fraction(a) for a in row]
        for p, other in zip(pivots, reduced):
            r = [a - r[p]*b for a, b in zip(r, other)] if r[p] else r
        lead = next((j for j in range(n) if r[j]), None)
        if lead is not None:
            r = [a/r[lead] for a in r]
            reduced = [[a - other[lead]*b for a, b in zip(other, r)] for other in reduced] + [r]
            pivots.append(lead)
    basis = []
    for free in (j for j in range(n) if j not in pivots):
        vector = [Fraction(int(j == free)) for j in range(n)]
        for p, known in zip(pivots, reduced):
            vector[p] = -known[free]
        basis.append(vector)
    return basis
