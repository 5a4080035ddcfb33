"""Everything on one page: a rule, where it is stable, how fast, how best, how noisy, and what it equals; each with its status."""
from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, Callable

from sympy import PolynomialError

from .conventions import conventions
from .core.errors import RuleError
from .core.latex import rule_latex
from .core.rule import Method, Rule
from .theory.algebra import LinearizeError
from .theory.linear import linearize
from .theory.modified import ode_limit
from .theory.moments import Moments, moments
from .theory.rates import Rate, rate
from .theory.stability import stability
from .theory.tuning import optimum
from .theory.wording import in_latex, in_text

LONG = 500                                                               # characters that can still be read
MANY = 3                                                                 # states up to which second moments fit on a page


@dataclass(frozen=True)
class Entry:
    """One line of the page: what it says, in text and in LaTeX, and how sure it is."""

    title: str
    text: str
    latex: str = ""
    status: str = ""


@dataclass(frozen=True, eq=False)
class Description:
    """The page of one rule; prints in a terminal, shows in a notebook, `.to_html()` gives it as HTML."""

    rule: Rule
    entries: tuple[Entry, ...]

    def __getitem__(self, title: str) -> Entry:
        return next(e for e in self.entries if e.title == title)

    def __repr__(self) -> str:
        width = max(len(e.title) for e in self.entries)
        lines = [f"{self.rule.name}({', '.join(self.rule.state)}; {', '.join(self.rule.params)})" +
                 (f"   {self.rule.source}" if self.rule.source else "")]
        for e in self.entries:
            first, *rest = f"{e.text}{f'   [{e.status}]' if e.status else ''}".splitlines() or [""]
            lines.append(f"  {e.title:<{width}}   {first}")
            lines += [f"  {'':<{width}}   {line}" for line in rest]
        return "\n".join(lines)

    def to_html(self) -> str:
        """The page as a table; formulas in LaTeX between dollar signs where there are any, everything else escaped."""
        rows = []
        for e in self.entries:
            shown = f"$\\displaystyle {html.escape(e.latex)}$" if e.latex else f"<pre>{html.escape(e.text)}</pre>"
            rows.append(f"<tr><th>{html.escape(e.title)}</th><td>{shown}</td><td>{html.escape(e.status)}</td></tr>")
        head = html.escape(self.rule.name) + (f" <small>{html.escape(self.rule.source)}</small>" if self.rule.source else "")
        return f"<section><h3>{head}</h3><table>{''.join(rows)}</table></section>"

    def _repr_html_(self) -> str:
        return self.to_html()


def describe(rule: Rule) -> Description:
    """A rule on one page: declaration, stability region with its boundaries, rate, best parameters, noise floor, other names.

    Every claim carries its status: proved, closed form (derived, exact), numeric, or unknown with the reason.

    rule : Method or Flow. Returns a Description, for a terminal, a notebook or HTML.

    >>> from dynopt import method
    >>> print(describe(method(lambda x, *, eta, grad: x - eta*grad(x)))["rate"].text)
    |1 - eta*lam|
    """
    entries = [_declared(rule)]
    analysed = _one_mode(rule)
    if isinstance(analysed, str):
        entries.append(Entry("mode analysis", analysed, status="unknown"))
        entries += _tried("stable where", _frozen, rule)
    else:
        for title, find in ((("stable where", _region), ("boundaries", _boundaries), ("rate", _rate), ("best over [mu, L]", _best),
                             ("noise floor", _noise))):
            entries += _tried(title, find, rule)
    entries += _tried("follows the flow", _limit, rule)
    entries += _tried("the same as", _same, rule)
    return Description(rule, tuple(entries))


def _one_mode(rule: Rule) -> Any:
    """The rule on one mode, or why there is none."""
    try:
        return linearize(rule)
    except LinearizeError as error:
        return str(error)


def _tried(title: str, find: Callable[[Rule], Entry | None], rule: Rule) -> list[Entry]:
    """The entry, or an honest line where it cannot be had."""
    try:
        found = find(rule)
    except (RuleError, PolynomialError) as error:
        return [Entry(title, str(error), status="unknown")]
    return [] if found is None else [found]


def _declared(rule: Rule) -> Entry:
    return Entry("one step" if rule.kind == "method" else "rate of change", str(rule.program), rule_latex(rule))


def _region(rule: Rule) -> Entry:
    region = stability(rule)
    if region.unknown:
        return Entry("stable where", region.unknown, status="unknown")
    return Entry("stable where", str(region), region.latex, region.proof.status)


def _frozen(rule: Rule) -> Entry | None:
    """The region with the states held fixed that stand in the way of a mode: second moments of adaptive rules."""
    for held in rule.state[1:]:
        try:
            region = stability(rule, freeze=(held,))
        except RuleError:
            continue
        if region.free_symbols and not region.unknown:
            words = f"with {held} held fixed, lam being the curvature in its metric"
            return Entry("stable where", f"{region}   ({words})", rf"{region.latex}\quad\text{{({words})}}", region.proof.status)
    return None


def _boundaries(rule: Rule) -> Entry | None:
    region = stability(rule)
    if region.unknown or not region.boundaries:
        return None
    return Entry("boundaries", "\n".join(map(str, region.boundaries)))


def _rate(rule: Rule) -> Entry:
    found: Rate = rate(rule)
    if len(str(found)) > LONG:
        return Entry("rate", "too long for a page: rate(rule), .at(...) for numbers", status=found.how)
    return Entry("rate", str(found), found.latex, found.how)


def _best(rule: Rule) -> Entry | None:
    found = rate(rule)
    free = {s.name for s in found.free_symbols} - {s.name for s in found.curvatures} - {"mu", "L"}
    if not free or len(found.curvatures) != 1:                           # nothing to choose, or chosen already
        return None
    try:
        best = optimum(rule)
    except RuleError as error:                                           # a page is read by people: what to call instead is for code
        words = str(error).removeprefix("optimum: ").replace("give numbers, as in", "for numbers:")
        return Entry("best over [mu, L]", words, status="unknown")
    return Entry("best over [mu, L]", best.formula, best._repr_latex_().strip("$"), best.status)


def _limit(rule: Rule) -> Entry | None:
    """The flow of a method as its step vanishes, and the scaling in which it is one."""
    if not isinstance(rule, Method) or "grad" not in rule.oracles:
        return None
    try:
        flow = ode_limit(rule)
    except RuleError as error:
        return Entry("follows the flow", _first_clause(str(error).removeprefix(f"{rule.name}: ")), status="unknown")
    return Entry("follows the flow", f"{flow.program}\n({flow.origin})", rule_latex(flow), "closed form")


def _first_clause(words: str) -> str:
    """A message without the advice that follows its first semicolon."""
    first = words.partition(";")[0]
    return first + ")"*(first.count("(") - first.count(")"))


def _noise(rule: Rule) -> Entry | None:
    if len(rule.state) > MANY or "sigma" in rule.params or not any(o.startswith("grad") for o in rule.program.oracles):
        return None
    found: Moments = moments(rule)
    x = "x" if "x" in rule.state else rule.state[0]
    value, words = found.variance(x), "gradients with noise of standard deviation sigma"
    if len(in_text(value)) > LONG:
        return Entry("noise floor", f'too long for a page: moments(rule).variance("{x}")', status="closed form")
    tex = rf"\operatorname{{Var}} {x} = {in_latex(value)}\quad\text{{({words})}}"
    return Entry("noise floor", f"Var {x} = {in_text(value)}   ({words})", tex, "closed form")


def _same(rule: Rule) -> Entry | None:
    if rule.kind != "method":
        return None
    found = conventions(rule)
    return Entry("the same as", repr(found).removeprefix(f"{rule.name}: "), status="derived" if found.ways else "")
