"""`import dynopt` is nearly free, every public name arrives when asked for, and the command line starts at once."""
from __future__ import annotations

import pydoc
import re
import subprocess
import sys

import pytest

import dynopt

HEAVY = {"numpy", "scipy", "sympy", "numba", "matplotlib", "z3", "typer", "rich"}
LOADED = "import dynopt, sys; print(*{name.split('.')[0] for name in sys.modules})"


def python(*args: str) -> str:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True, timeout=60).stdout


def test_import_loads_nothing_heavy():
    """What keeps `import dynopt` under a tenth of a second anywhere; the time itself is measured by the benches."""
    assert not HEAVY & set(python("-c", LOADED).split())


@pytest.mark.parametrize("name", dynopt.__all__)
def test_every_public_name_imports(name):
    assert getattr(dynopt, name) is not None
    assert name in dir(dynopt)


def test_only_public_names_are_listed():
    """What completion offers in `dynopt.<TAB>`: the words of the table and the published rules, in any order of imports."""
    code = ("import dynopt.explore.page, dynopt; listed = dir(dynopt); assert listed == sorted(dynopt.__all__);"
            "assert {'explore', 'heavy_ball', 'damped', 'stability', 'rk4', '__version__'} <= set(listed);"
            "assert set(dynopt.rules) <= set(listed);"
            "import types; print(*[n for n in listed if isinstance(getattr(dynopt, n), types.ModuleType)])")
    assert python("-c", code).split() == ["style"]


def test_help_shows_what_users_call():
    """Also where a file or a folder of the house has the name of the function."""
    names = ["explore", "describe", "conventions", "compare", "sweep", "region", "style", "method", "flow"]
    text = python("-c", "import dynopt, dynopt.explore, dynopt.describe, dynopt.report.compare, dynopt.run.sweep, pydoc;"
                  f"print(*[pydoc.plain(pydoc.render_doc(getattr(dynopt, name))) for name in {names}], sep='=====')")
    for name, page in zip(names, text.split("====="), strict=True):
        assert re.search(rf"{name}[(.]", page) and not re.search("[Ff]loor [0-9]|[Mm]ay import", page), page[:500]


def test_help_of_a_rule_shows_its_declaration():
    text = pydoc.plain(pydoc.render_doc(dynopt.heavy_ball))
    assert "heavy_ball(x, v, *, eta, beta, grad)" in text and "Polyak 1964" in text and "Method resolution order" not in text
    other = dynopt.heavy_ball.renamed("other").subs(beta=.9).__doc__
    assert "other(x, v, *, eta, grad)" in other and "heavy_ball" not in other


def test_an_unknown_name_is_an_attribute_error_that_says_so():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'.*dir"):
        _ = dynopt.no_such_name


def test_help_loads_nothing_heavy():
    assert "derive" in python("-m", "dynopt", "--help")
    loaded = python("-c", "import sys, dynopt.cli; print(*{name.split('.')[0] for name in sys.modules})")
    assert not (HEAVY - {"typer", "rich"}) & set(loaded.split())
