"""Why a tuning is best: z3 finds no parameters that do better where the rate is held, and no curvature of [mu, L] that does worse."""
from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr, Integer, Max, Piecewise, Symbol, cancel

from .atoms import Atom, Formula, make
from .closed_tuning import BETWEEN, M, N
from .extremal import Candidate
from .proof import Proof, smt2
from .rates import _ends_decide
from .schur import Coefficients, disk_conditions, half_plane_conditions
from .smt import NLSAT, SECOND, decide

if TYPE_CHECKING:
    from .closed_tuning import Problem
    from .tuning import Tuning

MS, SECOND_MS = 4000, 800
Question = tuple[str, tuple[Formula, ...]]


def prove_best(problem: "Problem", c: Candidate) -> tuple[Proof | None, bool]:
    """The proof that a candidate is best (None where it is refuted), and whether no parameters do better than its rate."""
    lower = _no_better(problem, c)
    if not _all_unsat([lower]):
        return None, False
    upper = [*_real(problem, c), *_reached(problem, c), *_positive(problem, c)]
    questions = [lower, *upper]
    if not _all_unsat(upper):
        return None, True
    if any(decide(f, ms=SECOND_MS, tactic=SECOND).verdict == "sat" for _, f in questions):
        return Proof("unknown", "two strategies of z3 disagree", smt2((), questions)), True
    words = "no parameters do better at the curvatures that hold the rate (z3), and none in [mu, L] does worse (z3)"
    return Proof("proved", words, smt2((), questions)), True


def _all_unsat(questions: list[Question]) -> bool:
    return all(decide(f, ms=MS, tactic=NLSAT).verdict == "unsat" for _, f in questions)


def _facts(problem: "Problem", c: Candidate) -> tuple[Atom, ...]:
    """What is known of the symbols: mu < L, squares of square roots, parameters that stay are positive."""
    found = [] if problem.single else [*make(N - M, ">")]
    for g, inside in c.roots.items():
        found += make(g**2 - inside, "==")
    return (*found, *(a for s in problem.fixed for a in make(s, ">")))


def _real(problem: "Problem", c: Candidate) -> list[Question]:
    """Ends of the interval at which a root of the candidate is not real: there the facts hold nowhere and prove anything."""
    known = [*(() if problem.single else make(N - M, ">")), *(a for s in problem.fixed for a in make(s, ">"))]
    found = []
    for g, inside in c.roots.items():
        others = [a for other, value in c.roots.items() if other in inside.free_symbols - {g} for a in make(other**2 - value, "==")]
        if make(inside, ">"):
            found.append(("a root that is not real", (*known, *others, ("or", *(a.negated for a in make(inside, ">"))))))
    return found


def _positive(problem: "Problem", c: Candidate) -> list[Question]:
    """A formula for the rate that is not positive somewhere: there it is no rate, and says nothing."""
    if problem.flow:
        return []
    roots = [a for g in c.roots for a in make(g, ">=")]
    return [("a rate that is not positive", (*_facts(problem, c), *roots, ("or", *(a.negated for a in make(c.rho, ">")))))]


def below(p: Coefficients, rho: Expr, flow: bool) -> list[Atom]:
    """All roots of p smaller than rho (flows: left of rho)."""
    n, (over, under) = len(p) - 1, cancel(rho).as_numer_denom()
    if not flow:
        scaled = tuple((e*over**(n - i)*under**i).expand() for i, e in enumerate(p))
        return [a for r in disk_conditions(scaled) for a in make(r.expr, ">")]
    shifted = [(e*under**i).expand() for i, e in enumerate(p)]
    for i in range(1, n + 1):
        for j in range(1, n - i + 2):
            shifted[j] = (shifted[j] + over*shifted[j - 1]).expand()
    return [a for r in half_plane_conditions(tuple(shifted)) for a in make(r.expr, ">")]


def _no_better(problem: "Problem", c: Candidate) -> Question:
    """Parameters at which every end has all roots below the candidate's rate."""
    formulas = [*_facts(problem, c), *(() if problem.flow else make(c.rho, ">"))]
    rho = c.rho
    if c.roots:                                                          # a symbol is easier on the solver than a root in it
        rho = Symbol("<rate>", real=True)
        over, under = cancel(c.rho).as_numer_denom()
        formulas += [*make(under*rho - over, "=="), *make(under, "!=")]
    for end in problem.ends:
        formulas += below(problem.at_end(end), rho, problem.flow)
    if BETWEEN in c.params:                                              # a curvature between the ends that holds the rate too
        over, under = cancel(c.params[BETWEEN]).as_numer_denom()
        formulas += [*make(under*BETWEEN - over, "=="), *make(under, "!="), *below(problem.at_end(BETWEEN), rho, problem.flow)]
    return "parameters that do better at the curvatures that hold the rate", tuple(formulas)


def _reached(problem: "Problem", c: Candidate) -> list[Question]:
    """At the candidate, a level above its rate that some curvature in [mu, L] does not keep."""
    r, lam = Symbol("<level>", real=True), Symbol("<lam>", positive=True)
    facts = (*_facts(problem, c), *make(r - c.rho, ">"), *(() if problem.flow else make(c.rho, ">")))
    ends: tuple[Expr, ...] = problem.ends
    between: tuple = ()
    if not problem.single and not _ends_decide(problem.factor, problem.lam):
        ends, between = (lam,), (*make(lam - M**2, ">="), *make(N**2 - lam, ">="))
    found = []
    for end in ends:
        p = _cleared(tuple(e.subs(c.params, simultaneous=True) for e in problem.at_end(end)))
        for condition in below(p, r, problem.flow):
            found.append(("a curvature that does worse", (*facts, *between, condition.negated)))
    return found


def _cleared(p: tuple[Expr, ...]) -> Coefficients:
    """The same roots with polynomial coefficients."""
    from sympy import fraction, lcm, together
    common: Expr = Integer(1)
    for e in p:
        common = lcm(common, fraction(together(e))[1])
    return tuple(cancel(e*common).expand() for e in p)


def prove_together(problem: "Problem", lower: list[Candidate]) -> "Tuning | None":
    """Several lower bounds, each reached where it is the largest: by z3 where their roots are real everywhere, else at samples."""
    from .tuning import Tuning
    if not _agree(problem, lower):
        return None
    sizes = [problem.written(c.rho, c.roots) for c in lower]
    params = {}
    for s in problem.chosen:
        values = [problem.written(c.params[s], c.roots) for c in lower]
        cases = [(v, a >= Max(*(b for b in sizes if b is not a))) for v, a in zip(values, sizes)]
        params[str(s)] = Piecewise(*cases[:-1], (values[-1], True))
    note = f"for {', '.join(f'{s} > 0' for s in problem.fixed)}, where {'the abscissa < 0' if problem.flow else 'rho < 1'}"
    return Tuning(params, Max(*sizes), _together(problem, lower), False, problem.rate.kind,
                  " or ".join(c.clinging for c in lower), note=note)


def _agree(problem: "Problem", lower: list[Candidate]) -> bool:
    """Is the largest of the bounds reached, in floats, at every sample where it is below one?"""
    for sample in problem.samples():
        found = [v for v in (problem.values(c, sample) for c in lower) if v is not None]
        best = max(found, key=lambda v: v[problem.rho], default=None)
        if best is None or abs(problem.worst({**sample, **best}) - best[problem.rho]) > 1e-6 and best[problem.rho] < 1:
            return False
    return True


def _together(problem: "Problem", lower: list[Candidate]) -> Proof:
    """One case for each bound that is the largest: it is reached there; that one of them is positive closes the argument."""
    questions = [_no_better(problem, c) for c in lower]
    questions += list(dict.fromkeys(question for c in lower for question in _real(problem, c)))
    facts = tuple(dict.fromkeys(a for c in lower for a in _facts(problem, c)))
    questions += [("none of the bounds is positive", (*facts, *(a.negated for c in lower for a in make(c.rho, ">"))))]
    for c in lower:
        larger = [a for other in lower if other is not c for a in make(c.rho - other.rho, ">=")]
        larger += make((0 if problem.flow else 1) - c.rho, ">")          # nothing is claimed where even the best diverges
        questions += [(label, (*facts, *larger, *formulas)) for label, formulas in _reached(problem, c)]
    text = smt2((), questions)
    if all(len(make(c.rho, ">")) == 1 for c in lower) and _all_unsat(questions):
        return Proof("proved", "no parameters do better at either end (z3), and the larger bound is reached (z3, case by case)", text)
    words = "no parameters do better at either end (z3); that the larger bound is reached was checked at samples only"
    return Proof("unknown", words, text)
