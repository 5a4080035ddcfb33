"""The parameters that make the worst rate over [mu, L] smallest: in closed form with a proof, else as numbers."""
from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import Any, Iterable, Iterator

import numpy as np
from sympy import Expr, Float, Integer, Piecewise, nan, oo

from ..core.errors import ParameterError, RuleError
from ..core.rule import Rule, as_rule
from . import pool
from .closed_tuning import HIGH, LOW
from .mode import as_expression, names_in, no_clash
from .numbers import expression
from .proof import Proof
from .rates import Rate, rate
from .symbols import symbol
from .wording import in_latex, in_text

SECONDS, NUMERIC_SECONDS, PATIENT = 20.0, 60.0, 2.0
SAMPLE = (1, 9)                                                          # where it is looked up why there is no closed form


@dataclass(frozen=True, eq=False)
class Tuning:
    """The best parameters by name and the worst rate that they reach.

    `numeric` where no closed form was proved: then `.lower` is a bound that z3 proved no parameters can beat (None where it could
    not), and `.attained` False where the rate goes on falling as a parameter leaves every bound; `.note` says so in words.
    """

    params: dict[str, Expr]
    rho: Expr
    proof: Proof
    numeric: bool = False
    kind: str = "method"
    clinging: str = ""
    lower: Expr | None = None
    attained: bool = True
    note: str = ""

    @property
    def status(self) -> str:
        """"proved", "numeric" (with the bound, where there is one), "unknown"."""
        if not self.numeric:
            return self.proof.status
        if not self.attained:
            return "numeric, not attained"
        return "numeric" if self.lower is None else f"numeric; no parameters reach below {in_text(self.lower)} (z3)"

    @property
    def formula(self) -> str:
        """Parameters and rate in one line."""
        what = "abscissa" if self.kind == "flow" else "rho"
        named = {**self.params, what: self.rho} if self.attained else {what: self.rho}
        return ", ".join(f"{n} = {in_text(e)}" for n, e in named.items() if e is not nan) + (f"  ({self.note})" if self.note else "")

    def at(self, **values: Any) -> dict[str, float]:
        """Parameters and rate in floats, `rho` among them."""
        env = {symbol(n): np.float64(v) for n, v in values.items()}
        return {n: _number(e, env) for n, e in {**self.params, "rho": self.rho}.items()}

    def __repr__(self) -> str:
        return f"{self.formula}        {self.status}"

    def _repr_latex_(self) -> str:
        what = symbol("alpha") if self.kind == "flow" else symbol("rho")
        rows = [f"{in_latex(symbol(n))} = {in_latex(e)}" for n, e in self.params.items() if e is not nan]
        rows += [f"{in_latex(what)} = {in_latex(self.rho)}"]
        return "$\\displaystyle " + r",\quad ".join(rows) + (rf"\quad\text{{({self.note})}}" if self.note else "") + "$"


def optimum(rule: Rule, mu: Any = "mu", L: Any = "L", *, params: Iterable[str] | str | None = None) -> Tuning:
    """The parameters that make the worst rate over all curvatures in [mu, L] smallest.

    rho* = min over parameters of max over lam in [mu, L] of rate(lam); all real parameters compete.

    rule : Rule with one curvature; mu, L : names or numbers with 0 < mu <= L (the same name twice: one curvature);
    params : the parameters to choose (one name or several), by default all that the rate depends on; the others stay as they
    are, and parameters of the rule called mu and L are the ends of the interval.
    Returns a Tuning. Where no closed form is found, numbers for mu and L give a numeric optimum, labelled so, with a proved lower
    bound where one is found; with names that is a RuleError.

    >>> from dynopt import method
    >>> optimum(method(lambda x, *, eta, grad: x - eta*grad(x)))
    eta = 2/(L + mu), rho = (L - mu)/(L + mu)        proved
    """
    found = rate(as_rule(rule))
    own = tuple(n for n in rule.params if symbol(n) in found.free_symbols and symbol(n) not in (LOW, HIGH))
    names = own if params is None else names_in(params, "params")
    low, high = as_expression(mu), as_expression(L)
    no_clash(rule.name, "the interval", low.free_symbols | high.free_symbols,
             {*map(str, found.free_symbols - set(found.curvatures)), *names} - {"mu", "L"})
    _check(rule, found, names, low, high)
    if not {symbol(n) for n in names} & {LOW, HIGH}:
        with _patiently(f"optimum of {rule.name}: looking for a closed form, for at most {SECONDS*pool.PATIENCE:g} s"):
            closed = closed_form(found, names, low == high)
        if closed is not None:
            return _between(closed, names, low, high)
    given = {symbol(n) for n in names} | set(found.curvatures) | {LOW, HIGH}
    if low.free_symbols or high.free_symbols or found.free_symbols - given:
        raise RuleError(_why_not(rule, found, names, bool(found.free_symbols - given)))
    with _patiently(f"optimum of {rule.name}: no closed form; searching in floats"):
        return _numeric(rule, found, names, low, high)


def closed_form(found: Rate, names: tuple[str, ...], single: bool) -> Tuning | None:
    """The closed form in mu and L, or None where none is proved in time."""
    try:
        return pool.call(f"{__package__}.closed_tuning", "search", found, names, single, seconds=SECONDS)
    except (pool.OutOfTime, pool.WorkFailed):
        return None


def _between(closed: Tuning, names: tuple[str, ...], low: Expr, high: Expr) -> Tuning:
    """The closed form with the ends as they were given."""
    table = {LOW: low, HIGH: high}
    best = {n: closed.params[n].subs(table, simultaneous=True) for n in names}
    rho = closed.rho.subs(table, simultaneous=True)
    return Tuning(best, rho, closed.proof, False, closed.kind, closed.clinging, note=closed.note)


def _numeric(rule: Rule, found: Rate, names: tuple[str, ...], low: Expr, high: Expr) -> Tuning:
    """The optimum in floats with what z3 can prove of it."""
    try:
        best = pool.call(f"{__package__}.numeric_tuning", "best", found, names, low, high, seconds=NUMERIC_SECONDS)
    except (pool.OutOfTime, pool.WorkFailed) as error:
        raise RuleError(f"optimum: the search for {rule.name} gave no answer ({error}); choose fewer parameters with params=") from None
    if best.value >= (0 if found.flow else 1):
        raise RuleError(f"optimum: no parameters make {rule.name} converge for every curvature in [{low}, {high}]: "
                        f"the worst rate is {best.value:.6g} at best")
    if best.runs:
        return _escaping(found, best)
    words = "numeric search from many starts" + (f"; z3 proved that none is below {best.lower}" if best.lower is not None else "")
    params = {n: Float(best.params[n]) for n in names}
    return Tuning(params, Float(best.value), Proof("unknown", words, best.smt2), True, found.kind, lower=best.lower, note=best.note)


def _escaping(found: Rate, best: Any) -> Tuning:
    """The answer where a parameter leaves every bound: its limit, and the limit of the rate."""
    end = {"oo": oo, "-oo": -oo, "0": Integer(0)}[best.to]
    params: dict[str, Expr] = {n: end if n == best.runs else nan for n in best.params}
    words = f"not attained: {_falling(found, best)}"
    return Tuning(params, best.limit, Proof("unknown", "numeric search far out"), True, found.kind, attained=False, note=words)


def _falling(found: Rate, best: Any) -> str:
    what = "the abscissa" if found.flow else "rho"
    where = f"as {best.runs} -> {best.to}"
    return f"{what} falls without bound {where}" if best.limit is -oo else f"{what} falls towards {in_text(best.limit)} {where}"


def _why_not(rule: Rule, found: Rate, names: tuple[str, ...], more: bool) -> str:
    """What to say where there is no closed form."""
    plain = f"optimum: no closed form was found for {rule.name}; give numbers, as in optimum(rule, mu=1, L=100)"
    if more:
        return plain + ", and to the parameters that are not chosen, as in rule.subs(...)"
    try:
        best = pool.call(f"{__package__}.numeric_tuning", "glance", found, names, *map(Integer, SAMPLE), seconds=SECONDS)
    except (pool.OutOfTime, pool.WorkFailed):
        return plain
    if best.runs:
        return (f"optimum: no parameters are best for {rule.name}: at mu = {SAMPLE[0]}, L = {SAMPLE[1]} {_falling(found, best)}; "
                "choose fewer of them with params=(...)")
    if best.value >= (0 if found.flow else 1):
        return (f"optimum: no parameters make {rule.name} converge for every curvature in [{SAMPLE[0]}, {SAMPLE[1]}], where it was looked at: "
                f"the worst rate is {best.value:.6g} at best; for other curvatures write optimum(rule, mu, L) with numbers")
    return plain


def _check(rule: Rule, found: Rate, names: tuple[str, ...], low: Expr, high: Expr) -> None:
    wrong = [n for n in names if n not in rule.params]
    if wrong:
        raise ParameterError(f"optimum: {wrong[0]!r} is no parameter of {rule.name}, expected some of {', '.join(rule.params)}")
    if (low.is_number and not 0 < low) or (low.is_number and high.is_number and low > high):
        raise ParameterError(f"optimum: found mu = {low}, L = {high}, expected 0 < mu <= L")
    if not found.curvatures:
        raise RuleError(f"optimum: the rate of {rule.name} does not depend on a curvature (it takes no gradient), "
                        "expected a rule with grad(...)")
    if len(found.curvatures) != 1:
        raise RuleError(f"optimum: the rate of {rule.name} depends on {len(found.curvatures)} curvatures, expected one (lam)")
    ends = [n for n in names if symbol(n) in (LOW, HIGH) and {symbol(n)} & (low.free_symbols | high.free_symbols)]
    if ends:
        raise ParameterError(f"optimum: {ends[0]} is an end of the interval and a parameter to choose; "
                             "name the ends otherwise, as in optimum(rule, mu='a', L='b')")
    idle = [n for n in names if symbol(n) not in found.free_symbols]
    if idle or not names:
        tied = [n for n in rule.params if symbol(n) in (LOW, HIGH)]
        raise ParameterError(f"optimum: the rate of {rule.name} depends on " + (f"no {idle[0]}" if idle else "no parameter that could "
                             "be chosen") + (f"; its {' and '.join(tied)} are the ends of the interval" if tied and not idle else ""))


def _number(e: Expr, env: dict) -> float:
    """An expression in floats, of several pieces the first that holds."""
    if not isinstance(e, Piecewise):
        return float(expression(e, env))
    return next(_number(value, env) for value, when in e.args if when == True or  # noqa: E712
                bool(when.func(*(Float(float(expression(side, env))) for side in when.args))))


@contextmanager
def _patiently(words: str) -> Iterator[None]:
    """A line on a terminal where somebody waits longer than two seconds."""
    timer = Timer(PATIENT, lambda: print(words + " ...", file=sys.stderr, flush=True))
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()

