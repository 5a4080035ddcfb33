"""Commands that run rules, draw them, or write pages: compare, figure, sweep, report, explore."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from dynopt.cli_asking import JsonFlag, RuleName, examples

app = typer.Typer()
FREE = {"allow_extra_args": True, "ignore_unknown_options": True}        # parameters of the rule, by name


@app.command(context_settings=FREE, short_help="Run a method beside its flow and print how far apart.",
             epilog=examples("compare 'symplectic_euler(damped)' damped --gamma 1 --problem himmelblau --x0 -1,-2.5",
                             "compare heavy_ball --where eta=h**2 --where 'beta=1 - gamma*h' --gamma 4"))
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
    as_json: JsonFlag = False,
) -> None:
    """Run a method beside its flow and print how far apart they are; parameters by name, as in --gamma 1."""
    from dynopt.cli_show import print_comparison
    words = [flow, *context.args] if flow.startswith("--") else context.args     # a parameter where the flow was left out
    print_comparison(method, "damped" if flow.startswith("--") else flow, problem, x0=x0, until=until, h=h,
                     where=list(where or ()), words=words, as_json=as_json)


@app.command(context_settings=FREE, short_help="Draw the stability region of a rule.",
             epilog=examples("figure heavy_ball --lam 1 --out region.svg", "figure heavy_ball --lam 1 --out region.png --style dark --force"))
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


@app.command(context_settings=FREE, short_help="Run a rule at every point of a grid of parameters.",
             epilog=examples("sweep heavy_ball --grid eta=0.01:0.4:40 --grid beta=0,0.9 --problem 'quadratic([1, 10])' --x0 1,1",
                             "sweep gradient_descent --grid eta=1e-4:2e-3:20 --out sweep.csv"))
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
    as_json: JsonFlag = False,
) -> None:
    """Run a rule at every point of a grid of parameters; the others by name, as in --beta 0.9."""
    from dynopt.cli_sweep import run_sweep
    run_sweep(rule, problem, grid, x0=x0, steps=steps, until=until, out=out, force=force, words=context.args,
              as_json=as_json)


@app.command(short_help="Derive and measure the largest steps on real data.",
             epilog=examples("report", "report --data wine --out pictures --force"))
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


@app.command(context_settings=FREE, short_help="Write a live page of a rule, one file.",
             epilog=examples("explore heavy_ball --problem 'rosenbrock(1, 5)'", "explore my_rules.py:my_method --page regimes", "explore --list"))
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
