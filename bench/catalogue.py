"""Every published rule: its region, whether it is proved, and how long both took, written to bench/catalogue.md.

`python bench/catalogue.py`; `make bench` adds the sum as a row. Pin it to one core (`taskset -c 0`) to read the wall times.
"""
from __future__ import annotations

import time
from pathlib import Path

from harness import Row

from dynopt import heavy_ball, rules, stability
from dynopt.theory.usual import usual

OUT = Path(__file__).parent/"catalogue.md"


def measured() -> list[tuple[str, str, str, str, float, float, int]]:
    """(name, region, how it was asked, status, seconds of derivation, seconds of proof, states) of every rule."""
    found, _ = [], stability(heavy_ball).proof                           # the first proof starts the workers
    for name, rule in rules.items():
        start = time.perf_counter()
        region, how = usual(rule)
        text = str(region).partition(";")[0]
        middle = time.perf_counter()
        status = "-" if region.unknown else region.proof.status
        found.append((name, text, how, status, middle - start, time.perf_counter() - middle, len(rule.state)))
    return found


def rows() -> list[Row]:
    """The catalogue as one row, its two-state methods as another."""
    start = time.perf_counter()
    found = measured()
    total = time.perf_counter() - start
    OUT.write_text(table(found, total), encoding="utf-8")
    proved, asked = sum(r[3] == "proved" for r in found), sum(r[3] != "-" for r in found)
    two = [r for r in found if r[6] == 2 and r[3] != "-" and not r[2]]
    slow = [max(r[4] for r in two), max(r[5] for r in two)]
    usual_, sure = (sorted(r[i] for r in two)[len(two)//2] for i in (4, 5))
    return [Row(f"{len(found)} published rules, regions derived and proved", total, "s", {}, "60 s on one core",
                f"{proved} proved of {asked} answered; bench/catalogue.md lists them"),
            Row(f"{len(two)} methods of two states, the median derivation", usual_, "s", {}, "0.3 s",
                f"slowest {slow[0]:.2f} s; proofs {sure:.2f} s (asked for 1 s), slowest {slow[1]:.2f} s")]


def table(found: list[tuple], total: float) -> str:
    """One line for each rule."""
    lines = ["# The catalogue, derived and proved", "",
             f"All {len(found)} rules in {total:.0f} s, printing included. `python bench/catalogue.py` writes this file.", "",
             "| rule | region | asked with | proof | derived, s | proved, s |", "|---|---|---|---|---|---|"]
    for name, text, how, status, derived, proved, _ in found:
        shown = text.replace("|", "\\|")
        lines.append(f"| {name} | {shown} | {how} | {status} | {derived:.2f} | {proved:.2f} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for row in rows():
        print(row.workload, f"{row.seconds:.3g} {row.unit}", row.note)
