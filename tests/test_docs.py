"""The documents stay true: links lead somewhere, named files and make targets exist, examples run."""
from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


@pages
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(page)):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), f"{page.name}: the link {target} leads nowhere"


@pages
def test_named_files_exist(page):
    named = set(re.findall(r"`((?:dynopt|tests|docs|figures|notebooks)/[\w/.-]*)`", text(page)))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing, f"{page.name} names {missing}"


@pages
def test_named_targets_can_be_made(page):
    rules = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ {4})make ([a-z]+)", text(page), re.MULTILINE)) <= rules


@pages
def test_python_examples_run_and_say_what_they_print(page, capsys):
    for block in re.findall(r"```python\n(.*?)```", text(page), re.DOTALL):
        capsys.readouterr()
        exec(compile(block, str(page), "exec"), {})
        said = re.findall(r"print\(.*\) *# (.*)", block)
        if said:
            assert capsys.readouterr().out.splitlines() == said


def test_every_public_target_has_a_line_of_help():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"\.PHONY: (.*)", makefile).group(1).split()
    described = re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE)
    assert sorted(targets) == sorted(described)


def test_metadata_is_in_setup_cfg_only():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert {line.strip("[]").split(".")[0] for line in pyproject.splitlines() if line.startswith("[")} == {"build-system", "tool"}
