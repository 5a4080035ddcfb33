"""Why a tuning is best: z3 finds no parameters that do better at both ends, and none of the curvatures between does worse."""
from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr, Integer, Max, Piecewise, Symbol, cancel

from .atoms import Atom, Formula, make
from .extremal import Candidate
from .proof import Proof, smt2
from .rates import _ends_decide
from .schur import Coefficients, disk_conditions, half_plane_conditions
from .smt import NLSAT, SECOND, decide

if TYPE_CHECKING:
    from .tuning import Problem, Tuning

MS, SECOND_MS = 4000, 800
Question = tuple[str, tuple[Formula, ...]]


def prove_best(problem: "Problem", c: Candidate) -> tuple[Proof | None, bool]:
    """The proof that a candidate is best (None where it is refuted), and whether no parameters do better than its rate."""
    lower = _no_better(problem, c)
    if not _all_unsat([lower]):
        return None, False
    upper = _reached(problem, c)
    questions = [lower, *upper]
    if not _all_unsat(upper):
        return None, True
    if any(decide(f, ms=SECOND_MS, tactic=SECOND).verdict == "sat" for _, f in questions):
        return Proof("unknown", "two strategies of z3 disagree", smt2((), questions)), True
    words = "no parameters do better at both ends (z3), and the worst rate over [mu, L] is reached"
    return Proof("proved", words, smt2((), questions)), True


def _all_unsat(questions: list[Question]) -> bool:
    return all(decide(f, ms=MS, tactic=NLSAT).verdict == "unsat" for _, f in questions)


def _facts(problem: "Problem", c: Candidate) -> tuple[Atom, ...]:
    """What is known of the symbols: mu < L, squares of square roots, parameters that stay are positive."""
    from .tuning import M, N
    found = [] if problem.single else [*make(N - M, ">")]
    for g, inside in c.roots.items():
        found += make(g**2 - inside, "==")
    return (*found, *(a for s in problem.fixed for a in make(s, ">")))


def _below(p: Coefficients, rho: Expr, flow: bool) -> list[Atom]:
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
        formulas += _below(problem.at_end(end), rho, problem.flow)
    return "parameters that do better at both ends", tuple(formulas)


def _reached(problem: "Problem", c: Candidate) -> list[Question]:
    """At the candidate, a level above its rate that some curvature in [mu, L] does not keep."""
    from .tuning import M, N
    r, lam = Symbol("<level>", real=True), Symbol("<lam>", positive=True)
    facts = (*_facts(problem, c), *make(r - c.rho, ">"), *(() if problem.flow else make(c.rho, ">")))
    ends: tuple[Expr, ...] = problem.ends
    between: tuple = ()
    if not problem.single and not _ends_decide(problem.factor, problem.lam):
        ends, between = (lam,), (*make(lam - M**2, ">="), *make(N**2 - lam, ">="))
    found = []
    for end in ends:
        p = _cleared(tuple(e.subs(c.params, simultaneous=True) for e in problem.at_end(end)))
        for condition in _below(p, r, problem.flow):
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
    """Several lower bounds, each reached where it is the largest: checked at samples, and the answer says so."""
    from .tuning import Tuning
    for sample in problem.samples():
        found = [v for v in (problem.values(c, sample) for c in lower) if v is not None]
        best = max(found, key=lambda v: v[problem.rho])
        if abs(problem.worst({**sample, **best}) - best[problem.rho]) > 1e-6 and best[problem.rho] < 1:
            return None
    sizes = [problem.written(c.rho, c.roots) for c in lower]
    rho = Max(*sizes)
    params = {}
    for s in problem.chosen:
        values = [problem.written(c.params[s], c.roots) for c in lower]
        cases = [(v, a >= Max(*(b for b in sizes if b is not a))) for v, a in zip(values, sizes)]
        params[str(s)] = Piecewise(*cases[:-1], (values[-1], True))
    words = "no parameters do better at either end (z3); that the larger bound is reached was checked at samples only"
    return Tuning(params, rho, Proof("unknown", words), False, problem.rate.kind, " or ".join(c.clinging for c in lower))
