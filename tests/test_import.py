"""`import dynopt` is nearly free, every public name arrives when asked for, and the command line starts at once."""
from __future__ import annotations

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


def test_an_unknown_name_is_an_attribute_error_that_says_so():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'.*dir"):
        _ = dynopt.no_such_name


def test_help_loads_nothing_heavy():
    assert "derive" in python("-m", "dynopt", "--help")
    loaded = python("-c", "import sys, dynopt.cli; print(*{name.split('.')[0] for name in sys.modules})")
    assert not (HEAVY - {"typer", "rich"}) & set(loaded.split())
