"""The command `catalog`: everything that has a name, each rule with its region, which is derived once and kept on disk."""
from __future__ import annotations

import inspect
import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

import dynopt
from dynopt.cli_rules import shelf
from dynopt.cli_show import bold
from dynopt.core.rule import Flow, Method, Rule
from dynopt.explore.progress import Waiting
from dynopt.run.cache import key_of, load, save


def print_catalog(word: str, *, as_json: bool) -> None:
    """Row after row, each as soon as its region is known."""
    rows = [(drawer, name, thing) for drawer, things in shelf().items() for name, thing in things.items()
            if word.lower() in f"{name} {getattr(thing, 'source', '')}".lower()]
    if as_json:
        typer.echo(json.dumps([entry(drawer, name, thing) for drawer, name, thing in rows], indent=1))
        return
    width = max((len(name) for _, name, _ in rows), default=0)
    for number, (drawer, name, thing) in enumerate(rows):
        if not number or drawer != rows[number - 1][0]:
            typer.echo(("\n" if number else "") + bold(drawer.replace("_", " ")))
        with Waiting(f"{number + 1} of {len(rows)}: deriving where {name} is stable"):
            text = summary(thing)
        typer.echo(f"  {name:<{width}}  {text}")


def summary(thing: Any) -> str:
    """What stands beside a name."""
    if isinstance(thing, Rule):
        return f"{region_in_a_line(thing)}   ({', '.join(thing.state)}; {', '.join(thing.params)})  {thing.source}".rstrip()
    return (inspect.getdoc(thing) or "").split("\n")[0]


def region_in_a_line(rule: Rule) -> str:
    """Where the rule is stable, and how that was asked; the first reason where it is unknown. Answers are kept on disk."""
    open_ = [c for c in rule.signature.counts if c not in rule.counts and c not in rule.signature.defaults]
    key = key_of("region in a line", _theory(), rule.kind, rule.at(**dict.fromkeys(open_, 2)).key, " ".join(open_))
    kept = load(key)
    if kept is not None:
        return kept.decode()
    from dynopt.theory.usual import usual
    found, how = usual(rule)
    text = str(found).partition(";")[0] + (f"  [{how}]" if how else "")
    if "given up" not in found.unknown:                                  # more time may know more
        save(key, text.encode())
    return text


@lru_cache(maxsize=1)
def _theory() -> str:
    """What the answers depend on: this version, as it stands on disk, and the algebra below it."""
    here = Path(dynopt.__file__).parent
    files = sorted(path for room in ("core", "theory") for path in (here/room).glob("*.py"))
    stamps = [f"{path.name} {found.st_size} {found.st_mtime_ns}" for path in files for found in [path.stat()]]
    return key_of(dynopt.__version__, version("sympy"), version("z3-solver"), *stamps)


def kind_of(thing: Any) -> str:
    """In one word, for programs."""
    if isinstance(thing, Flow):
        return "flow"
    return "method" if isinstance(thing, Method) else "maker"


def entry(drawer: str, name: str, thing: Any) -> dict[str, Any]:
    """A row for programs."""
    if isinstance(thing, Rule):
        return {"name": name, "kind": kind_of(thing), "drawer": drawer, "state": list(thing.state), "params": list(thing.params),
                "source": thing.source}
    return {"name": name, "kind": "maker", "drawer": drawer, "summary": summary(thing)}
