"""bench/results.md: every row beside what was asked of it, and whether it is there."""
from __future__ import annotations

import os
import re

from harness import Row

HEAD = """# Measured

A ratio is the CPU time of the peer over that of dynopt for the same work, the median of paired runs: above 1, dynopt is
faster. Results were checked equal first. Tests assert no times; `make bench` writes this file.
"""
ABOUT = """
Asked for: "20x numpy" is a ratio of at least 20; "80 % of FMA peak" is the share of the fused multiply-adds that the processor can do, timed in
the same pairs, an instruction of any kind counted as one; "1 s" is a time. Each is marked **met** or, with the figure, **missed**.
"""
SIZES = """
Cost of a step against the number of paths and the dimension, by `python bench/sizes.py`:

![heavy ball in dynopt, numpy, torch and jax: nanoseconds of CPU per step and entry](sizes.svg)
"""


def verdict(row: Row) -> str:
    """What was asked for, clause by clause, each with its answer."""
    return "; ".join(f"{clause}: {answer(clause, row)}" for clause in re.split(r"[,;] ", row.wanted)) if row.wanted else ""


def answer(clause: str, row: Row) -> str:
    """met, missed with the figure, or that there was no such peer."""
    share = re.match(r"([\d.]+) % of (.+)", clause)
    ratio = re.match(r"([\d.]+)x (.+)", clause)
    seconds = re.match(r"([\d.]+) s\b", clause)
    occupancy = re.match(r"occupancy ([\d.]+)", clause)
    below = re.search(r"below ([\d.]+)x", clause)
    if share or ratio:
        found = share or ratio
        assert found is not None
        least, got = float(found[1])/(100 if share else 1), peer(found[2], row.ratios)
        shown = "" if got is None else f"{got:.0%}" if share else f"{got:.4g}x"
        return "no such peer here" if got is None else "**met**" if got >= least else f"**missed** ({shown})"
    if below:
        got = peer("exact", row.ratios)
        return "no such peer here" if got is None else "**met**" if got < float(below[1]) else f"**missed** ({got:.3g}x)"
    if occupancy:
        got = float((re.search(r"occupancy ([\d.]+)", row.note) or [0, "0"])[1])
        return "**met**" if got >= float(occupancy[1]) else f"**missed** ({got:g})"
    if seconds:
        return "**met**" if 0 < row.seconds <= float(seconds[1]) else f"**missed** ({row.seconds:.3g} s)"
    return "see the note"


def peer(name: str, ratios: dict[str, float]) -> float | None:
    """The ratio of the peer whose name shares most with what a clause calls it."""
    first = re.split(r"[ ,]", name)[0].lower()
    fitting = [n for n in ratios if n.lower().startswith(first)]
    return ratios[max(fitting, key=lambda n: len(os.path.commonprefix([n.lower(), name.lower()])))] if fitting else None


def table(rows: list[Row], facts: list[str]) -> str:
    """The whole file; `facts` about the machine and the libraries."""
    names = ("workload", "dynopt", "ratios", "asked for", "note", "measured")
    lines = [HEAD, *(f"- {fact}" for fact in facts), ABOUT, f"| {' | '.join(names)} |", "|---"*len(names) + "|"]
    for r in rows:
        seconds = f"{r.seconds:.3g} {r.unit}" if r.seconds else "-"
        ratios = ", ".join(f"{n} {v:.0%}" if n == "FMA peak" else f"{n} {v:.3g}x" for n, v in r.ratios.items())
        lines.append(f"| {r.workload} | {seconds} | {ratios} | {verdict(r)} | {r.note} | {r.measured} |")
    return "\n".join([*lines, SIZES])

