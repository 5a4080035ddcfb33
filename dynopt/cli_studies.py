"""The command `studies`: claims about optimizers, derived, measured and compared."""
from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

import typer

from dynopt.cli_show import bold, field
from dynopt.core.errors import ParameterError
from dynopt.explore.progress import Waiting


def run_studies(ids: list[str], *, every: bool, listed: bool, figures: str, as_json: bool) -> int:
    """Run the studies named, or all; returns 1 where theory and measurement of any of them disagree."""
    entries = _entries(ids)
    if listed:
        for entry in entries:
            typer.echo(f"{entry.id:<4} {entry.family:<6} {entry.title}")
        return 0
    if every and ids:
        raise ParameterError(f"studies: found {' '.join(ids)} and --all, expected one of the two")
    folder, found = Path(figures or "figures/studies"), []
    if not as_json and not ids:
        typer.echo(f"{'id':<4} {'family':<6} {'':<9} {'seconds':>7}  title")
    for number, entry in enumerate(entries, 1):
        with Waiting(f"{number} of {len(entries)}: {entry.id} {entry.title}"):
            study = entry.run()
            drawn = _draw(study, folder) if figures or (ids and not as_json) else None
        found.append(study)
        if not as_json:
            (_tell if ids else _row)(study)
            if ids and drawn:
                field("picture", str(drawn))
    if figures:
        _gallery(found, folder)
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
    typer.echo(f"{study.id:<4} {study.family:<6} {'agrees' if study.agree else 'DISAGREES':<9} {study.seconds:7.2f}  {study.title}")


def _tell(study: Any) -> None:
    typer.echo(bold(f"{study.id}  {study.title}"))
    field("claim", study.claim)
    for number, line in enumerate(study.derivation):
        field("derivation" if not number else "", str(line))
    for number, (name, said, found, same) in enumerate(study.rows()):
        field("theory" if not number else "", f"{name} = {said}, measured {found}" + ("" if same else "   DISAGREES"))
    field("verdict", study.verdict)


def _draw(study: Any, folder: Path) -> Path | None:
    """The study's picture, as SVG and PNG; where the first is."""
    if study.draw is None:
        return None
    from dynopt.plot.written import write_picture
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(study.draw, folder/f"{study.id}.svg", folder/f"{study.id}.png")
    return folder/f"{study.id}.svg"


def _gallery(found: list[Any], folder: Path) -> None:
    """One page of all pictures with their claims and verdicts: index.html beside them."""
    cards = "\n".join(f'<figure><img src="{s.id}.svg" alt="{escape(s.title)}"><figcaption><b>{s.id}. {escape(s.title)}</b><br>'
                      f'<i>{escape(s.claim)}</i><br>{escape(s.verdict)}</figcaption></figure>' for s in found if s.draw is not None)
    style = ("body{font:15px/1.45 Georgia,serif;margin:2em auto;max-width:1200px;padding:0 1em;display:grid;gap:2em;"
             "grid-template-columns:repeat(auto-fill,minmax(340px,1fr))}h1{grid-column:1/-1}figure{margin:0}img{width:100%}")
    text = (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Studies</title>'
            f"<style>{style}</style><h1>{sum(s.agree for s in found)} of {len(found)} studies agree</h1>\n{cards}\n</html>\n")
    (folder/"index.html").write_text(text, encoding="utf-8")
