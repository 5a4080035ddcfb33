"""`import dynopt` is nearly free, every public name arrives when asked for, and the command line starts at once."""
from __future__ import annotations

import subprocess
import sys
import time

import pytest

import dynopt

HEAVY = {"numpy", "scipy", "sympy", "numba", "matplotlib", "z3", "typer", "rich"}
TIMER = ("import time, sys; t = time.perf_counter(); import dynopt; print(time.perf_counter() - t);"
         "print(*{name.split('.')[0] for name in sys.modules})")


def python(*args: str) -> str:
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, check=True, timeout=60).stdout


def test_import_is_under_a_tenth_of_a_second_and_loads_nothing_heavy():
    runs = [python("-c", TIMER).splitlines() for _ in range(3)]
    assert min(float(run[0]) for run in runs) < 0.1
    assert not HEAVY & set(runs[0][1].split())


@pytest.mark.parametrize("name", dynopt.__all__)
def test_every_public_name_imports(name):
    assert getattr(dynopt, name) is not None
    assert name in dir(dynopt)


def test_an_unknown_name_is_an_attribute_error_that_says_so():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'.*dir"):
        _ = dynopt.no_such_name


def test_help_is_under_a_second_and_loads_nothing_heavy():
    times = []
    for _ in range(3):
        start = time.perf_counter()
        text = python("-m", "dynopt", "--help")
        times.append(time.perf_counter() - start)
    assert min(times) < 1
    assert "derive" in text
    loaded = python("-c", "import sys, dynopt.cli; print(*{name.split('.')[0] for name in sys.modules})")
    assert not (HEAVY - {"typer", "rich"}) & set(loaded.split())
