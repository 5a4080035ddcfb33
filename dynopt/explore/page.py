"""`explore`: a rule on a problem as one live page."""
from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any, Sequence

from ..catalog.index import rules as published
from ..core.errors import ParameterError, RuleError
from ..core.problem import Game
from ..core.rule import Method, Rule
from ..run.setup import check_problem
from . import bundle, games, problems, rules
from .fallback import still
from .pages import Kind, kind
from .printed import Printed
from .progress import Waiting

BESIDE = ("gradient_descent", "heavy_ball", "nesterov")
LIMIT = 300_000


class Page:
    """A page that stands by itself: `.html`, `.save(path)`, `.show()` in a notebook, `.widget()` for two-way state."""

    def __init__(self, title: str, data: dict[str, Any], printed: Printed, fallback: str, kind: Kind):
        self.title, self.data, self.printed, self.fallback, self.kind = title, data, printed, fallback, kind

    @property
    def html(self) -> str:
        """The whole page as text: no request, no framework, no script but its own."""
        return bundle.html(self.title, self.data, self.printed, self.kind, self.fallback)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file and return its path."""
        target = Path(path)
        target.write_text(self.html, encoding="utf-8")
        return target

    def _repr_html_(self) -> str:
        """The page in a frame of its own, which survives saving a notebook."""
        return (f'<iframe srcdoc="{escape(self.html, quote=True)}" title="{escape(self.title, quote=True)}" width="100%" height="1380" '
                'style="border:0;border-radius:12px" sandbox="allow-scripts" loading="lazy"></iframe>')

    def show(self) -> Any:
        """Show the page in the output of a notebook cell."""
        try:
            from IPython.display import display
        except ImportError:
            raise ImportError("show needs a notebook (IPython is not installed); write .save(\"page.html\") and open the file") from None
        display(self)

    def widget(self) -> Any:
        """The page as a widget whose `.state` follows the page, and the page it."""
        from .widget import make
        return make(self)

    def __repr__(self) -> str:
        return f"Page {self.title!r} ({len(self.html.encode())/1000:.0f} kB): .save(\"page.html\"), .show(), .widget()"


def explore(rule: Rule, problem: Any = None, *, x0: Any = None, steps: int = 200, beside: Sequence[Rule] | None = None,
            page: str = "explorer", **params: Any) -> Page:
    """A live page of a rule on a problem: contours, stability map, roots and decay, all from the declaration.

    rule : a Method, or a Flow (stepped by symplectic Euler or rk4). problem : a traced Problem of one coordinate or more, or a
    Game of two players or of clients; without one, standard ones.
    x0 : where the first problem starts, shape (d,), or {"x": ..., "v": ...} for several states or two players. steps : iterations shown, 1 to 2000.
    beside : other methods to overlay.
    page : one of the fourteen of `dynopt explore --list`, each for any rule.
    params : values to begin with; missing ones follow from the catalogue or are found. Returns a Page.
    Raises RuleError, ParameterError for problems that cannot be traced and rules that ask for what the problem has not.

    >>> from dynopt import explore, quadratic
    >>> from dynopt.catalog.methods import heavy_ball
    >>> explore(heavy_ball, quadratic([1, 10]), beside=[]).title
    'heavy_ball on quadratic'
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= 2000:
        raise ParameterError(f"explore: steps = {steps!r:.40}, expected a whole number from 1 to 2000; write steps=200")
    chosen, method = kind(page), rules.as_method(rule, params)
    with Waiting(f"explore: deriving what the page says of {method.name}") as tell:
        return _made(method, problem, x0, steps, beside, page, chosen, params, tell)


def _made(method: Method, problem: Any, x0: Any, steps: int, beside: Sequence[Rule] | None, page: str, chosen: Kind,
          params: dict[str, Any], tell: Waiting) -> Page:
    """The page; `tell` hears which method is derived."""
    params = {n: v for n, v in params.items() if n not in method.counts}
    fields = games.players(method)
    if fields and page != "explorer":
        raise RuleError(f"explore: {method.name} asks for several fields, and the page {page!r} looks at one gradient, expected the "
                        "explorer; write page=\"explorer\"")
    wanted = [problem] if problem is not None else []
    wanted += problems.standard() if not fields else [games.standard(method)] if problem is None else []
    _check_oracles(method, wanted[0])
    x0, others = (x0, {}) if fields else _named(method, x0)
    printed = Printed()
    described = [problems.describe(p, printed, x0 if n == 0 else None) for n, p in enumerate(_different(wanted))]
    names = games.beside(method) if fields else BESIDE
    compared = [rules.as_method(r) for r in ([published[n] for n in names] if beside is None else beside)]
    spec = [rules.describe(method, printed, wanted[0], described[0], params, others)]
    for other in (r for r in compared if r != method):
        tell(f"explore: deriving what the page says of {other.name}, which can be laid over {method.name}")
        spec.append(rules.describe(other, printed, wanted[0], described[0], {}))
    title = f"{method.name} on {described[0]['name']}" if page == "explorer" else f"{page.replace('_', ' ')}: {method.name}"
    data = {"title": title, "rules": spec, "problems": described, "steps": steps, "given": bool(params), "overlay": [1] if beside else [],
            "widget": False}
    made = Page(title, data, printed, still(method, described[0], spec[0]), chosen)
    size = len(made.html.encode())
    if size > LIMIT:
        raise ParameterError(f"explore: the page would take {size/1000:.0f} kB, expected at most {LIMIT//1000} kB; "
                             f"{described[0]['name']} carries its data along: give it fewer rows")
    return made


def _named(method: Any, x0: Any) -> tuple[Any, dict[str, Any]]:
    """The start of the first state, and the starts of others where x0 names several states."""
    first = method.leading
    if not isinstance(x0, dict):
        return x0, {}
    unknown = [n for n in x0 if n not in method.state]
    if unknown or first not in x0:
        raise ParameterError(f"explore: x0 names {', '.join(map(repr, x0)) or 'nothing'}, expected {first!r} and, where wanted, others of "
                             f"{', '.join(method.state)}; write x0={{{first!r}: [1.0, 1.0]}}")
    return x0[first], {n: v for n, v in x0.items() if n != first}


def _check_oracles(method: Any, problem: Any) -> None:
    """The problem has to answer what the rule asks: one gradient, or one field for each player or client."""
    check_problem(method, problem)
    if not method.oracles:
        raise RuleError(f"explore: {method.name} asks a problem for nothing, so no picture of a problem belongs to it, expected a rule "
                        "with an oracle such as grad; draw it with plot_phase, or plot_paths of what iterate or solve returns")
    asked = [o for o in method.oracles if o.startswith(("grad", "hess"))]
    arity = len(next(iter(problem.fields.values())).args) if isinstance(problem, Game) else 0
    if any(o not in problem.fields for o in asked) or arity != games.players(method):
        what = {0: "one gradient of x", 1: "fields of one x, one for each client", 2: "fields of two players"}
        line = {0: "quadratic([1, 10])", 1: "Game([lambda x: x, lambda x: 2*x])", 2: "bilinear([[1.0]])"}[games.players(method)]
        raise RuleError(f"explore: {method.name} asks for {', '.join(asked)}, {what[games.players(method)]}, and {problem.name} has "
                        f"{what.get(arity, 'fields of more players')}, expected a problem that has what the rule asks for; "
                        f"write explore({method.name}, {line})")


def _different(found: list[Any]) -> list[Any]:
    """Problems without those of the same name again."""
    return [p for n, p in enumerate(found) if getattr(p, "name", "") not in [getattr(q, "name", "") for q in found[:n]]]
