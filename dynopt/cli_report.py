"""The command `dynopt report`: a progress bar while it works, a table when it is done, files in a folder."""
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer


def report(data: str, *, l2: float, beta: float, gamma: float, out: Path, force: bool) -> None:
    """Run the main job, print its table and write its files; refuses to overwrite before it works, not after."""
    from dynopt.report import job
    job.check_folder(out, force)
    with progress(2*len(job.ENTRIES) + 3) as tick:
        found, pictures = job.run(data, l2=l2, beta=beta, gamma=gamma, tick=tick)
    paths = job.write(found, pictures, out)
    for line in table(found):
        typer.echo(line)
    typer.echo("\n" + "\n".join(f"wrote {path}" for path in paths))


@contextmanager
def progress(total: int) -> Iterator[Callable[[str, bool], None]]:
    """A bar on a terminal, told what begins and what is done; nothing in a pipe."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    columns = SpinnerColumn(), BarColumn(24), TimeElapsedColumn(), TextColumn("{task.description}")
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("starting", total=total)
        yield lambda message, done: bar.update(task, description=message, advance=int(done))


def table(found: dict[str, Any]) -> list[str]:
    """The report as lines of text."""
    data, settings = found["data"], found["settings"]
    lines = [f"{data['name']}: {data['samples']} samples, {data['dimension']} features, l2 = {data['l2']:g}; curvatures "
             f"mu = {data['mu']:.6g}, L = {data['L']:.6g}, condition number {data['kappa']:.4g}",
             f"momentum beta = {settings['beta']:g}, friction gamma = {settings['gamma']:g}", "",
             f"{'':<38}{'largest stable step':^38}{'contraction per step':^34}",
             f"{'method':<34}  {'derived':>12} {'measured':>12} {'ratio':>11}   "
             f"{'at step':>9} {'derived':>10} {'measured':>10}  region"]
    for entry in found["methods"]:
        rate = entry["rate"]
        lines.append(f"{entry['label']:<35} {entry['step']:<3} {entry['derived']:>9.6g} {entry['measured']:>12.6g} "
                     f"{entry['ratio']:>11.6f}   {rate['step']:>9.4g} {rate['derived']:>10.6f} {rate['measured']:>10.6f}  "
                     f"{entry['proof']['status']}")
    flow = found["flow"]
    lines += ["", f"{flow['label']} beside its flow: halving the step divides the distance by {flow['factor']:.3f}, "
                  f"order {flow['order']:.3f}", f"{found['seconds']:.1f} s"]
    return lines
