"""What the commands print: plain lines that read well in a terminal and in a pipe."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import typer

import dynopt
from dynopt.cli_rules import find_problem, find_rule, settings
from dynopt.core.errors import ParameterError
from dynopt.core.rule import Rule
from dynopt.explore.progress import Waiting

QUESTIONS = {
    "stability": "stable", "bounded": "bounded", "oscillation": "oscillates", "monotone": "monotone",
}
KINDS = {
    "fold": "a root at +1", "flip": "a root at -1", "neimark_sacker": "a pair on the circle",
    "hopf": "a pair on the imaginary axis",
}


def field(name: str, text: str) -> None:
    """One named line; what does not fit in it goes on, indented, below."""
    lines = str(text).splitlines() or [""]
    typer.echo(f"  {name:<11} {lines[0]}")
    for line in lines[1:]:
        typer.echo(f"  {'':<11} {line}")


def bold(text: str) -> str:
    """A name that stands out on a terminal, unless NO_COLOR asks for plain text (in a pipe it is plain anyway)."""
    return text if os.environ.get("NO_COLOR") else typer.style(text, bold=True)


def heading(rule: Rule) -> None:
    typer.echo(bold(rule.name) + f"({', '.join(rule.state)}; {', '.join(rule.params)})"
               + (f"   {rule.source}" if rule.source else ""))


def print_derivation(rule: Rule, *, over, given: tuple[str, ...], where: tuple[str, ...], question: str, solve: str, form: str,
                     steps: bool) -> None:
    """A region as lines, or in the form "json", "latex" or "smt2"."""
    answered = [name for name in QUESTIONS if name in dynopt.__all__]
    if question not in answered:
        raise ParameterError(f"--question {question!r}: expected one of {', '.join(answered)}")
    rule = rule.subs(**settings(list(where))) if where else rule
    keywords: dict[str, Any] = {"over": over} if over and question == "stability" else {}
    if over and question != "stability":
        raise ParameterError(f"--over: a question about {question} is asked for one curvature; leave --over away")
    keywords |= {"given": given} if given else {}
    with Waiting(f"deriving where {rule.name} is {QUESTIONS[question]}"):
        region = getattr(dynopt, question)(rule, **keywords)
        proof = region.proof
    if form == "json":
        typer.echo(json.dumps(_told(rule, question, region, proof, solve, steps), indent=1))
        return
    if form == "smt2":
        typer.echo(proof.smt2)
        return
    if form == "latex":
        typer.echo(region._repr_latex_())
    else:
        heading(rule)
        print_region(region, proof, QUESTIONS[question], solve)
    for step in region.steps if steps else ():
        typer.echo(step if isinstance(step, str) else str(step))


def _told(rule: Rule, question: str, region: Any, proof: Any, solve: str, steps: bool) -> dict[str, Any]:
    """A region for programs: texts that `given=` and `Region` read back."""
    told = {"rule": rule.name, "state": list(rule.state), "params": list(rule.params), "source": rule.source, "question": question,
            "region": str(region), "unknown": region.unknown or None, "latex": region._repr_latex_(),
            "proof": {"status": proof.status, "method": proof.method or None, "counterexample": _text(proof.counterexample)},
            "boundaries": [{"kind": b.kind, "equation": shown(b)} for b in region.boundaries]}
    if solve:
        told[f"solved for {solve}"] = [str(branch) for branch in region.solve(solve)]
    return told | ({"steps": list(map(str, region.steps))} if steps else {})


def _text(thing: Any) -> str | None:
    return str(thing) if thing else None


def print_description(rule: Rule, *, as_json: bool) -> None:
    """Everything that is known of a rule, as a page or for programs."""
    from dynopt.describe import describe
    with Waiting(f"describing {rule.name}"):
        page = describe(rule)
        text = str(page)
    if as_json:
        entries = [{"title": e.title, "text": e.text, "latex": e.latex or None, "status": e.status or None} for e in page.entries]
        text = json.dumps({"rule": rule.name, "state": list(rule.state), "params": list(rule.params), "source": rule.source,
                           "entries": entries}, indent=1)
    typer.echo(text)


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
                     words: list[str], as_json: bool) -> None:
    from dynopt.report.compare import compare
    steps, rates, loss, params = find_rule(method), find_rule(flow), find_problem(problem), settings(words)
    if "h" not in steps.params and not where:
        raise ParameterError(f"{steps.name}: it has no step h to compare at, expected to be told how {', '.join(steps.params)} follow from "
                             "h; write --where eta=h**2 --where 'beta=1 - gamma*h'")
    with Waiting(f"running {method} beside {flow}"):
        found = compare(steps, rates, loss, x0=numbers(x0, "--x0"), until=until, h=(h, h/2, h/4), where=settings(where), **params)
    told = {"method": found.method, "flow": found.flow, "h": list(found.h), "distances": list(found.distances), "order": found.order}
    typer.echo(json.dumps(told, indent=1) if as_json else str(found))


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
    with Waiting(f"deriving where {rule.name} is stable"):
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
