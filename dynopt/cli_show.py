"""What the commands print: plain lines that read well in a terminal and in a pipe."""
from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

import dynopt
from dynopt.cli_rules import find_problem, find_rule, settings, shelf
from dynopt.core.errors import ParameterError
from dynopt.core.rule import Flow, Method, Rule

QUESTIONS = {
    "stability": "stable", "bounded": "bounded", "oscillation": "oscillates", "monotone": "monotone",
}
KINDS = {
    "fold": "a root at +1", "flip": "a root at -1", "neimark_sacker": "a pair on the circle",
    "hopf": "a pair on the imaginary axis",
}


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """A spinner on a terminal while something takes its time; nothing at all in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    with Console(stderr=True).status(what):
        yield


def field(name: str, text: str) -> None:
    """One named line; what does not fit in it goes on, indented, below."""
    lines = str(text).splitlines() or [""]
    typer.echo(f"  {name:<11} {lines[0]}")
    for line in lines[1:]:
        typer.echo(f"  {'':<11} {line}")


def heading(rule: Rule) -> None:
    typer.echo(typer.style(rule.name, bold=True) + f"({', '.join(rule.state)}; {', '.join(rule.params)})"
               + (f"   {rule.source}" if rule.source else ""))


def print_derivation(rule: Rule, *, over, given: tuple[str, ...], where: tuple[str, ...], question: str, solve: str, latex: bool,
                     steps: bool, smt2: bool) -> None:
    answered = [name for name in QUESTIONS if name in dynopt.__all__]
    if question not in answered:
        raise ParameterError(f"--question {question!r}: expected one of {', '.join(answered)}")
    rule = rule.subs(**settings(list(where))) if where else rule
    keywords: dict[str, Any] = {"over": over} if over and question == "stability" else {}
    if over and question != "stability":
        raise ParameterError(f"--over: a question about {question} is asked for one curvature; leave --over away")
    keywords |= {"given": given} if given else {}
    with waiting(f"deriving where {rule.name} is {QUESTIONS[question]}"):
        region = getattr(dynopt, question)(rule, **keywords)
        proof = region.proof
    if smt2:
        typer.echo(proof.smt2)
        return
    if latex:
        typer.echo(region._repr_latex_())
    else:
        heading(rule)
        print_region(region, proof, QUESTIONS[question], solve)
    for step in region.steps if steps else ():
        typer.echo(step if isinstance(step, str) else str(step))


def print_region(region: Any, proof: Any, verb: str, solve: str) -> None:
    field(f"{verb} iff", str(region))
    if solve:
        for branch in region.solve(solve):
            field(f"{solve} in", str(branch))
    field("proof", proof.status + (f": {proof.method}" if proof.method else ""))
    if proof.counterexample:
        field("refuted at", str(proof.counterexample))
    for boundary in region.boundaries:
        field("boundary", f"{boundary.kind:<14} {shown(boundary)}   ({KINDS.get(boundary.kind, boundary.kind)})")


def shown(boundary: Any) -> str:
    """A boundary as an equation."""
    return str(boundary).partition(": ")[2] or f"{boundary.curve} = 0"


def print_comparison(method: str, flow: str, problem: str, *, x0: str, until: float, h: float, where: list[str],
                     words: list[str]) -> None:
    from dynopt.report.compare import compare
    steps, rates, loss, params = find_rule(method), find_rule(flow), find_problem(problem), settings(words)
    with waiting(f"running {method} beside {flow}"):
        found = compare(steps, rates, loss, x0=numbers(x0, "--x0"), until=until, h=(h, h/2, h/4), where=settings(where), **params)
    typer.echo(str(found))


def draw_region(name: str, out: Path, *, axes: tuple, limits: tuple, style: str, force: bool, words: list[str]) -> None:
    """The picture of a rule's stability region, in a file that is never overwritten unasked."""
    from dynopt.plot.regions import plot_region
    from dynopt.plot.written import write_picture
    if out.exists() and not force:
        raise FileExistsError(17, "this file exists; write --force to replace it", str(out))
    rule, at = find_rule(name), settings(words)
    unknown = [given for given in at if given not in (*rule.params, "lam", "nu", "mu", "L")]
    if unknown:
        raise ParameterError(f"{rule.name}: unknown parameter {unknown[0]!r}, expected one of {', '.join(rule.params)} or lam")
    with waiting(f"deriving where {rule.name} is stable"):
        region = dynopt.stability(rule)
        title = f"Where {rule.name} is stable: {region.proof.status}".replace("_", " ")

    def draw(ax: Any) -> None:
        plot_region(region, ax, x=axes[0], y=axes[1], at=at, xlim=limits[0], ylim=limits[1], title=title)
    for path in write_picture(draw, out, name=style):
        typer.echo(f"wrote {path}")


def numbers(text: str, name: str) -> list[float]:
    """Numbers typed with commas or spaces between them."""
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        raise ParameterError(f"{name} {text!r}: expected numbers with commas between them; write {name} -1.5,1") from None


def kind_of(thing: Any) -> str:
    if isinstance(thing, Flow):
        return "flow"
    if isinstance(thing, Method):
        return "method"
    return "maker"


def print_catalog(word: str, *, as_json: bool) -> None:
    rows = [(drawer, name, thing) for drawer, things in shelf().items() for name, thing in things.items()
            if word.lower() in f"{name} {getattr(thing, 'source', '')}".lower()]
    if as_json:
        typer.echo(json.dumps([entry(drawer, name, thing) for drawer, name, thing in rows], indent=1))
        return
    width = max((len(name) for _, name, _ in rows), default=0)
    for number, (drawer, name, thing) in enumerate(rows):
        if not number or drawer != rows[number - 1][0]:
            typer.echo(("\n" if number else "") + typer.style(drawer.replace("_", " "), bold=True))
        typer.echo(f"  {name:<{width}}  {summary(thing)}")


def summary(thing: Any) -> str:
    if isinstance(thing, Rule):
        return f"{region_in_a_line(thing)}   ({', '.join(thing.state)}; {', '.join(thing.params)})  {thing.source}".rstrip()
    return (inspect.getdoc(thing) or "").split("\n")[0]


def region_in_a_line(rule: Rule) -> str:
    """Where the rule is stable, and how that was asked; the first reason where it is unknown."""
    from dynopt.theory.usual import usual
    found, how = usual(rule)
    return str(found).partition(";")[0] + (f"  [{how}]" if how else "")


def entry(drawer: str, name: str, thing: Any) -> dict[str, Any]:
    if isinstance(thing, Rule):
        return {"name": name, "kind": kind_of(thing), "drawer": drawer, "state": list(thing.state), "params": list(thing.params),
                "source": thing.source}
    return {"name": name, "kind": "maker", "drawer": drawer, "summary": summary(thing)}
