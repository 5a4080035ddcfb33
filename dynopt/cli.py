"""Floor 6: the command `dynopt`. Thin: each command finds its rule, asks the library, prints, and returns an exit code.

Exit codes: 0 done, 1 failed, 2 misuse, 130 interrupted. Errors are one message on stderr, never a traceback
(DYNOPT_DEBUG=1 shows it).
"""
from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
                  help="Declare an optimizer once; derive its stability region with a proof, run it, see it.")

RuleName = Annotated[str, typer.Argument(metavar="RULE", help="A catalogue name, a scheme of a flow such as 'rk4(damped)', "
                                                             "or my_rules.py:my_method.", show_default=False)]


def _version(asked: bool) -> None:
    if asked:
        from dynopt import __version__
        typer.echo(f"dynopt {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


@app.command()
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
) -> None:
    """Print the stability region of a rule, its boundaries by kind, and whether it is proved."""
    from dynopt.cli_show import print_derivation
    print_derivation(_rule(rule, expr, state), over=over, given=tuple(given or ()), where=tuple(where or ()), question=question,
                     solve=solve, latex=latex, steps=steps, smt2=smt2)


def _rule(name: str | None, expr: str, state: str):
    from dynopt.cli_rules import find_rule
    from dynopt.core.errors import RuleError
    if bool(name) == bool(expr):
        raise RuleError("derive: expected a rule or --expr, one of the two; write `dynopt derive heavy_ball`")
    if name:
        return find_rule(name)
    from dynopt.core.rule import Method
    return Method.from_string(expr, state)


@app.command()
def describe(rule: RuleName) -> None:
    """Print everything that is known of a rule on one page: region, rate, best parameters, noise floor, other names."""
    from dynopt.cli_rules import find_rule
    from dynopt.cli_show import waiting
    from dynopt.describe import describe as page
    found = find_rule(rule)
    with waiting(f"describing {found.name}"):
        text = str(page(found))
    typer.echo(text)


@app.command()
def catalog(
    word: Annotated[str, typer.Argument(help="Show only names and sources that contain this.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list for programs.")] = False,
) -> None:
    """List the flows, methods, schemes, blocks and problems that have a name."""
    from dynopt.cli_show import print_catalog
    print_catalog(word, as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def compare(
    context: typer.Context,
    method: RuleName,
    flow: Annotated[str, typer.Argument(metavar="FLOW", help="The flow that the method discretizes.")] = "damped",
    problem: Annotated[str, typer.Option(metavar="PROBLEM",
                       help="rosenbrock, himmelblau, 'quadratic([1, 10])', ...")] = "rosenbrock",
    x0: Annotated[str, typer.Option(metavar="NUMBERS", help="The start, such as '-1.5,1'.")] = "-1.5,1",
    until: Annotated[float, typer.Option(metavar="TIME", help="End time.")] = 5.0,
    h: Annotated[float, typer.Option(metavar="STEP", help="The largest step; half and a quarter of it are run too.")] = 0.01,
    where: Annotated[Optional[list[str]], typer.Option(metavar="NAME=TEXT", show_default=False,
                     help="How a published method follows from the step: eta=h**2, beta='1 - gamma*h'; repeatable.")] = None,
) -> None:
    """Run a method beside its flow and print how far apart they are; parameters by name, as in --gamma 1."""
    from dynopt.cli_show import print_comparison
    words = [flow, *context.args] if flow.startswith("--") else context.args     # a parameter where the flow was left out
    print_comparison(method, "damped" if flow.startswith("--") else flow, problem, x0=x0, until=until, h=h,
                     where=list(where or ()), words=words)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def figure(
    context: typer.Context,
    rule: RuleName,
    out: Annotated[Path, typer.Option(metavar="FILE", help="An .svg, .pdf or .png file.")],
    x: Annotated[str, typer.Option(metavar="NAME", help="The parameter across.", show_default=False)] = "",
    y: Annotated[str, typer.Option(metavar="NAME", help="The parameter up.", show_default=False)] = "",
    xlim: Annotated[tuple[float, float], typer.Option(metavar="LOW HIGH", help="Limits across.")] = (0.0, 4.4),
    ylim: Annotated[tuple[float, float], typer.Option(metavar="LOW HIGH", help="Limits up.")] = (-1.1, 1.1),
    style: Annotated[str, typer.Option(metavar="NAME", help="paper or dark.")] = "paper",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Draw the stability region of a rule in two of its parameters; the others by name, as in --lam 1."""
    from dynopt.cli_show import draw_region
    draw_region(rule, out, axes=(x or None, y or None), limits=(xlim, ylim), style=style, force=force, words=context.args)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sweep(
    context: typer.Context,
    rule: RuleName,
    grid: Annotated[list[str], typer.Option(metavar="NAME=VALUES", show_default=False,
                    help="An axis: eta=0.01:0.4:40 (low, high, how many) or beta=0,0.5,0.9; repeatable.")],
    problem: Annotated[str, typer.Option(metavar="PROBLEM", help="rosenbrock, 'quadratic([1, 10])', ...")] = "rosenbrock",
    x0: Annotated[str, typer.Option(metavar="NUMBERS", help="The start, such as '-1.5,1'.")] = "-1.5,1",
    steps: Annotated[int, typer.Option(metavar="NUMBER", help="Steps of a method.")] = 1000,
    until: Annotated[float, typer.Option(metavar="TIME", help="End time of a flow.")] = 10.0,
    out: Annotated[str, typer.Option(metavar="FILE", help="A .csv table, one row a run.", show_default=False)] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Run a rule at every point of a grid of parameters; the others by name, as in --beta 0.9."""
    from dynopt.cli_sweep import run_sweep
    run_sweep(rule, problem, grid, x0=x0, steps=steps, until=until, out=out, force=force, words=context.args)


@app.command()
def report(
    data: Annotated[str, typer.Option(metavar="NAME", help="breast_cancer, wine or digits.")] = "breast_cancer",
    l2: Annotated[float, typer.Option(metavar="WEIGHT", help="Weight of |x|^2/2.")] = 1e-2,
    beta: Annotated[float, typer.Option(metavar="NUMBER", help="Momentum, at least 0 and below 1.")] = 0.9,
    gamma: Annotated[float, typer.Option(metavar="NUMBER", help="Friction of the flow, above 0.")] = 0.2,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the files go.")] = Path("figures"),
    force: Annotated[bool, typer.Option("--force", help="Replace the files of an earlier report.")] = False,
) -> None:
    """Derive, prove and measure the largest stable step of eight methods on real data; write a page, a figure, the numbers."""
    from dynopt.cli_report import report as make
    make(data, l2=l2, beta=beta, gamma=gamma, out=out, force=force)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def explore(
    context: typer.Context,
    rule: Annotated[Optional[str], typer.Argument(metavar="RULE", show_default=False,
                    help="A catalogue name, a scheme of a flow such as 'rk4(damped)', or my_rules.py:my_method.")] = None,
    problem: Annotated[str, typer.Option(metavar="PROBLEM", help="rosenbrock, 'quadratic([1, 10])', ...", show_default=False)] = "",
    page: Annotated[str, typer.Option(metavar="NAME", help="Which page; --list names them.")] = "explorer",
    out: Annotated[str, typer.Option(metavar="FILE", help="Where the page goes; by default RULE_PAGE.html.", show_default=False)] = "",
    steps: Annotated[int, typer.Option(metavar="NUMBER", help="Iterations shown.")] = 200,
    pages: Annotated[bool, typer.Option("--list", help="List the pages.")] = False,
) -> None:
    """Write a live page of a rule: one file that needs no network; parameters by name, as in --eta 0.1."""
    from dynopt.cli_explore import list_pages, write_page
    if pages:
        list_pages()
    else:
        write_page(rule, problem, page, out, steps, context.args)


@app.command()
def studies(
    ids: Annotated[Optional[list[str]], typer.Argument(metavar="ID", help="Such as Q03 S06; without any, all.",
                   show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Run all of them.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list them, run none.")] = False,
    figures: Annotated[str, typer.Option(metavar="FOLDER", help="Draw each into this folder.", show_default=False)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a list for programs.")] = False,
) -> None:
    """Run studies: a claim, what is derived, what is measured, whether the two agree."""
    from dynopt.cli_studies import run_studies
    raise typer.Exit(run_studies(ids or [], every=every, listed=listed, figures=figures, as_json=as_json))


def _say(message: str) -> None:
    """One message on stderr, whatever the terminal can encode."""
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    sys.stderr.write(f"dynopt: {message}\n".encode(encoding, "backslashreplace").decode(encoding))


def _run(arguments: list[str] | None) -> int:
    from dynopt.core.errors import ParameterError, RuleError
    try:
        result = app(args=arguments, prog_name="dynopt", standalone_mode=False)
        sys.stdout.flush()
        if result == 130:                                                # typer has caught the interrupt
            _say("interrupted")
        return result if isinstance(result, int) else 0
    except typer.TyperException as error:                                # an unknown option, a missing argument
        _say(f"{error.format_message()}; `dynopt --help` lists what there is")
        return 2
    except (RuleError, ParameterError) as error:
        _say(str(error))
        return 2
    except SystemExit:                                                   # how typer ends when the reader of a pipe has left
        return 0
    except (typer.Abort, KeyboardInterrupt):
        _say("interrupted")
        return 130


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")                # LANG=C must not end in an encoding error
    try:
        return _run(arguments)
    except BrokenPipeError:                                              # `| head -1` has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _say(f"{error.filename or 'file'}: {error.strerror or error}" + (" (disk full)" if error.errno == errno.ENOSPC else ""))
        return 1
    except Exception as error:
        if os.environ.get("DYNOPT_DEBUG"):
            raise
        _say(f"{type(error).__name__}: {error}\nthis is a fault of dynopt; DYNOPT_DEBUG=1 shows where")
        return 1
