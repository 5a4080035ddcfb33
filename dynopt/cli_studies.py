"""The command `studies`: claims about optimizers, derived, measured and compared."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import typer

from dynopt.cli_show import field, waiting
from dynopt.core.errors import ParameterError


def run_studies(ids: list[str], *, every: bool, listed: bool, figures: str, as_json: bool) -> int:
    """Run the studies named, or all; returns 1 where theory and measurement of any of them disagree."""
    entries = _entries(ids)
    if listed:
        for entry in entries:
            typer.echo(f"{entry.id:<4} {entry.family:<6} {entry.title}")
        return 0
    if every and ids:
        raise ParameterError(f"studies: found {' '.join(ids)} and --all, expected one of the two")
    found = []
    for entry in entries:
        with waiting(f"{entry.id} {entry.title}"):
            study = entry.run()
        found.append(study)
        if figures or ids:
            _draw(study, Path(figures or "figures/studies"))
        if not as_json:
            (_tell if ids else _row)(study)
    if as_json:
        typer.echo(json.dumps([study.as_dict() for study in found], indent=1))
    elif not ids:
        typer.echo(f"{sum(study.agree for study in found)} of {len(found)} agree")
    return 0 if all(study.agree for study in found) else 1


def _entries(ids: list[str]) -> list[Any]:
    from dynopt.studies.study import find, studies
    try:
        return [find(name) for name in ids] or list(studies())
    except KeyError as error:
        raise ParameterError(f"{error.args[0]}; `dynopt studies --list` names them all") from None


def _row(study: Any) -> None:
    typer.echo(f"{study.id:<4} {study.family:<6} {'agrees' if study.agree else 'DISAGREES':<10} {study.seconds:6.2f} s  {study.title}")


def _tell(study: Any) -> None:
    typer.echo(typer.style(f"{study.id}  {study.title}", bold=True))
    field("claim", study.claim)
    for number, line in enumerate(study.derivation):
        field("derivation" if not number else "", str(line))
    for name, value in study.theory.items():
        field("theory" if name == next(iter(study.theory)) else "",
              f"{name} = {_short(value)}, measured {_short(study.measured[name])}" + ("" if study.agrees(name) else "   DISAGREES"))
    field("verdict", study.verdict)


def _short(value: Any) -> str:
    """A number to six digits, an array by its ends."""
    import numpy as np
    array = np.asarray(value)
    if array.ndim == 0:
        return str(bool(array)) if array.dtype == bool else f"{float(array):.6g}"
    flat = [f"{float(entry):.6g}" for entry in array.ravel()]
    return f"[{', '.join(flat if len(flat) < 5 else [*flat[:2], '...', flat[-1]])}]"


def _draw(study: Any, folder: Path) -> None:
    """The study's picture, as SVG and PNG."""
    if study.draw is None:
        return
    from dynopt.plot.written import write_picture
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(study.draw, folder/f"{study.id}.svg", folder/f"{study.id}.png")
