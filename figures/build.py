"""Draw the figures of this folder and the sheet that shows them all: `make figures`, or name the scripts to draw.

Each script has one pure function `draw() -> Figure`. A light PNG is written for each, a dark one and an SVG too where the
script says `FORMATS = (...)`; the first line of a script's docstring stands under its picture.
"""
from __future__ import annotations

import sys
from html import escape
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt

from dynopt import style

HERE = Path(__file__).parent
SCRIPTS = sorted(path for path in HERE.glob("*.py") if path.stem != "build")


def load(script: Path) -> ModuleType:
    """The script as a module; nothing is drawn on import."""
    spec = spec_from_file_location(f"figure_{script.stem}", script)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs(script: Path) -> dict[str, list[Path]]:
    """The files of a script, by style: NAME.png, and NAME_dark.png, NAME.svg, NAME.pdf where it asks for them."""
    formats = getattr(load(script), "FORMATS", ("png",))
    files: dict[str, list[Path]] = {"paper": [], "dark": []}
    for name in formats:
        kind, _, ending = name.rpartition("_")
        files["dark" if kind else "paper"].append(HERE / f"{script.stem}{'_dark' if kind else ''}.{ending}")
    return {look: paths for look, paths in files.items() if paths}


def build(script: Path, folder: Path = HERE) -> list[Path]:
    """Draw one script in every style it asks for."""
    written = []
    for look, paths in outputs(script).items():
        with style.use(look):
            figure = load(script).draw()
            written += style.save(figure, *(folder / path.name for path in paths))
            plt.close(figure)
    return written


def sentence(script: Path) -> str:
    """What a figure shows, in one sentence."""
    return (load(script).__doc__ or "").strip().splitlines()[0]


def sheet() -> str:
    """The contact sheet: two pictures in a row, a sentence under each."""
    cells = [_cell(script) for script in SCRIPTS]
    rows = "\n".join(f"<tr>{''.join(cells[i:i + 2])}</tr>" for i in range(0, len(cells), 2))
    return (f"# Figures\n\n{len(SCRIPTS)} figures, one script each; every formula, bound and rate in them is derived from\n"
            f"a declaration, none is typed in. `make figures` draws them all; a picture links to its script.\n\n"
            f"<table>\n{rows}\n</table>\n")


def _cell(script: Path) -> str:
    words = escape(sentence(script))
    return f'<td width="50%" valign="top"><a href="{script.name}"><img src="{script.stem}.png" alt="{words}"></a><br>{words}</td>'


def main(names: list[str]) -> int:
    """Draw the named scripts, or all of them and the sheet."""
    wanted = [script for script in SCRIPTS if not names or script.stem in names]
    unknown = set(names) - {script.stem for script in wanted}
    if unknown:
        known = ", ".join(script.stem for script in SCRIPTS)
        print(f"figures: there is no {', '.join(sorted(unknown))}; expected some of {known}", file=sys.stderr)
        return 2
    for number, script in enumerate(wanted, 1):
        sizes = [f"{path.name} {path.stat().st_size // 1024} kB" for path in build(script)]
        print(f"[{number}/{len(wanted)}] {', '.join(sizes)}", flush=True)
    (HERE / "README.md").write_text(sheet(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
