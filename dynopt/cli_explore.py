"""The command `explore`: a live page of a rule, written to one file."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from dynopt.cli_rules import find_problem, find_rule, settings
from dynopt.core.errors import RuleError


def list_pages() -> None:
    """Every page with its sentence."""
    from dynopt.explore.pages import PAGES
    width = max(map(len, PAGES))
    for name, kind in PAGES.items():
        typer.echo(f"{name:<{width}}  {kind.shows}")


def write_page(rule: str | None, problem: str, page: str, out: str, steps: int, words: list[str]) -> None:
    """Make the page and say where it is."""
    from dynopt.explore.page import explore
    if not rule:
        raise RuleError("explore: no rule was named, expected a catalogue name or file.py:function; write `dynopt explore heavy_ball`")
    found = find_rule(rule)
    loss: Any = find_problem(problem) if problem else None
    made = explore(found, loss, page=page, steps=steps, **settings(words))
    target = made.save(out or f"{_stem(found.name)}_{page}.html")
    typer.echo(f"{target}  {len(made.html.encode())/1000:.0f} kB; open it in any browser, it needs no network")


def _stem(name: str) -> str:
    """A file name from the name of a rule, whatever characters that has."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)
    return Path(plain[:60] or "rule").name
