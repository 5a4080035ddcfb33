"""The command `sweep`: a rule run at every point of a grid, told in a few lines and, where asked, kept in a table."""
from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import typer

from dynopt.cli_rules import find_problem, find_rule, settings
from dynopt.cli_show import field, numbers
from dynopt.core.errors import ParameterError
from dynopt.core.rule import Flow

HOW = "write --grid eta=0.01:0.4:40 (low, high, how many) or --grid beta=0,0.5,0.9"


def run_sweep(rule: str, problem: str, grid: list[str], *, x0: str, steps: int, until: float, out: str, force: bool,
              words: list[str], as_json: bool = False) -> None:
    """Run the grid, print what came of it and write the table."""
    target = _target(out, force)
    found, axes = find_rule(rule), dict(axis(text) for text in grid)
    length = {"until": until} if isinstance(found, Flow) else {"steps": steps}
    from dynopt.run.sweep import sweep
    try:
        table = sweep(found, find_problem(problem), axes, x0=numbers(x0, "--x0"), **length, **settings(words))
    except ImportError as error:
        raise ParameterError(str(error)) from None
    if as_json:
        typer.echo(json.dumps(list(_runs(table)), indent=1))
    else:
        _tell(table)
    if target is not None:
        write_table(table, target)
        if not as_json:
            typer.echo(f"wrote {target}")


def axis(text: str) -> tuple[str, np.ndarray]:
    """A parameter and its values, from eta=0.01:0.4:40 or beta=0,0.5,0.9."""
    name, sign, values = text.partition("=")
    try:
        if ":" in values:
            low, high, many = values.split(":")
            found = np.linspace(float(low), float(high), int(many))
        else:
            found = np.array([float(word) for word in values.split(",")])
    except ValueError:
        found = np.array([])
    if not sign or not name.strip().isidentifier() or not found.size:
        raise ParameterError(f"--grid {text!r}: expected a parameter and its values; {HOW}")
    return name.strip(), found


def _target(out: str, force: bool) -> Path | None:
    """Where the table goes: refused before the work where it cannot be written."""
    if not out:
        return None
    path = Path(out)
    if path.suffix != ".csv":
        raise ParameterError(f"--out {out!r}: found {path.suffix or 'no ending'}, expected .csv; write --out sweep.csv")
    if path.exists() and not force:
        raise FileExistsError(17, "this file exists; write --force to replace it", out)
    return path


def _tell(table: Any) -> None:
    """How many runs ended how, and where f came out smallest."""
    status, f = table.status.values, np.where(np.isfinite(table.f.values), table.f.values, np.inf)
    kinds, counts = np.unique(status.astype(str), return_counts=True)
    field("runs", f"{status.size}: " + ", ".join(f"{count} {kind}" for kind, count in zip(kinds, counts)))
    if np.isfinite(f).any():
        best = np.unravel_index(np.argmin(f), f.shape)
        at = ", ".join(f"{name} = {table[name].values[i]:.6g}" for name, i in zip(table.f.dims, best))
        field("smallest f", f"{f[best]:.6g} at {at}")


def _runs(table: Any) -> Iterator[dict[str, Any]]:
    """One run after the other: its parameters, f (None where it is not finite), status and steps taken."""
    for index in np.ndindex(table.f.shape):
        f = float(table.f.values[index])
        yield {name: float(table[name].values[i]) for name, i in zip(table.f.dims, index)} | {
            "f": f if np.isfinite(f) else None, "status": str(table.status.values[index]), "steps": int(table.steps.values[index])}


def write_table(table: Any, path: Path) -> None:
    """One row a run: the parameters, f, status and steps taken."""
    names = list(table.f.dims)
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow([*names, "f", "status", "steps"])
        for index in np.ndindex(table.f.shape):
            point = [repr(float(table[name].values[i])) for name, i in zip(names, index)]
            rows.writerow([*point, repr(float(table.f.values[index])), str(table.status.values[index]), int(table.steps.values[index])])
