"""Commands that ask what is known: derive, describe, catalog, studies."""
from __future__ import annotations

from typing import Annotated, Optional

import typer

app = typer.Typer()

RuleName = Annotated[str, typer.Argument(metavar="RULE", help="A catalogue name, a scheme of a flow such as 'rk4(damped)', "
                                                             "or my_rules.py:my_method.", show_default=False)]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print it for programs.")]


def examples(*lines: str) -> str:
    """What stands below the options of a command."""
    return "\b\nExamples:\n" + "\n".join(f"  dynopt {line}" for line in lines)


@app.command(short_help="Print where a rule is stable, with its proof.",
             epilog=examples("derive heavy_ball", "derive 'leapfrog(damped)' --over mu L", "derive heavy_ball --solve eta",
                             "derive my_rules.py:my_method --given 'beta > 0'"))
def derive(
    rule: Annotated[Optional[str], typer.Argument(metavar="RULE", show_default=False,
                    help="A catalogue name, a scheme of a flow such as 'rk4(damped)', or my_rules.py:my_method.")] = None,
    over: Annotated[Optional[tuple[str, str]], typer.Option(metavar="MU L", show_default=False,
                    help="For every curvature in [MU, L]: two names or numbers.")] = None,
    given: Annotated[Optional[list[str]], typer.Option(metavar="RELATION", show_default=False,
                     help="What may be assumed, such as 'beta > 0'; repeatable.")] = None,
    where: Annotated[Optional[list[str]], typer.Option(metavar="NAME=TEXT", show_default=False,
                     help="Replace a parameter: 'gamma=2*sqrt(mu)'; repeatable.")] = None,
    question: Annotated[str, typer.Option(metavar="WORD", help="stability, bounded, oscillation or monotone.")] = "stability",
    solve: Annotated[str, typer.Option(metavar="NAME", help="Solve the region for this parameter.", show_default=False)] = "",
    expr: Annotated[str, typer.Option(metavar="TEXT", help="A rule as text: 'v = beta*v + eta*grad(x); x = x - v'.",
                    show_default=False)] = "",
    state: Annotated[str, typer.Option(metavar="NAMES", help="The states of --expr, such as 'x v'.", show_default=False)] = "x",
    latex: Annotated[bool, typer.Option("--latex", help="Print the region as LaTeX.")] = False,
    steps: Annotated[bool, typer.Option("--steps", help="Print the derivation, in LaTeX.")] = False,
    smt2: Annotated[bool, typer.Option("--smt2", help="Print the proof obligations as SMT-LIB text, for any solver.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Print the stability region of a rule, its boundaries by kind, and whether it is proved."""
    from dynopt.cli_show import print_derivation
    print_derivation(_rule(rule, expr, state), over=over, given=tuple(given or ()), where=tuple(where or ()), question=question,
                     solve=solve, form="json" if as_json else "smt2" if smt2 else "latex" if latex else "", steps=steps)


def _rule(name: str | None, expr: str, state: str):
    from dynopt.cli_rules import find_rule
    from dynopt.core.errors import RuleError
    if bool(name) == bool(expr):
        raise RuleError("derive: expected a rule or --expr, one of the two; write `dynopt derive heavy_ball`")
    if name:
        return find_rule(name)
    from dynopt.core.rule import Method
    return Method.from_string(expr, state)


@app.command(short_help="Print all that is known of a rule on one page.", epilog=examples("describe nesterov", "describe 'rk4(damped)'"))
def describe(rule: RuleName, as_json: JsonFlag = False) -> None:
    """Print everything that is known of a rule on one page: region, rate, best parameters, noise floor, other names."""
    from dynopt.cli_rules import find_rule
    from dynopt.cli_show import print_description
    print_description(find_rule(rule), as_json=as_json)


@app.command(short_help="List what has a name, with its region.",
             epilog=examples("catalog", "catalog nesterov", "catalog --json") + "\n\nThe first run derives every region and keeps it.")
def catalog(
    word: Annotated[str, typer.Argument(help="Show only names and sources that contain this.", show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """List the flows, methods, schemes, blocks and problems that have a name."""
    from dynopt.cli_catalog import print_catalog
    print_catalog(word, as_json=as_json)


@app.command(short_help="Run studies: claim, derivation, measurement, verdict.",
             epilog=examples("studies --list", "studies Q03 S01", "studies --all --figures pictures", "studies Q05 --json"))
def studies(
    ids: Annotated[Optional[list[str]], typer.Argument(metavar="ID", help="Such as Q03 S06; without any, all.",
                   show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all of them.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list them, run none.")] = False,
    figures: Annotated[str, typer.Option(metavar="FOLDER", help="Draw each into this folder; named ones go to figures/studies otherwise.",
                     show_default=False)] = "",
    as_json: JsonFlag = False,
) -> None:
    """Run studies: a claim, what is derived, what is measured, whether the two agree."""
    from dynopt.cli_studies import run_studies
    raise typer.Exit(run_studies(ids or [], every=every, listed=listed, figures=figures, as_json=as_json))
