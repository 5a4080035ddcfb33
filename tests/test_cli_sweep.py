"""The command `sweep`: a grid typed as text, a table that says what the library says."""
from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from dynopt import heavy_ball, quadratic, sweep
from dynopt.cli import main
from dynopt.cli_sweep import axis

pytest.importorskip("xarray")
GRID = ["--grid", "eta=0.05:0.45:5", "--grid", "beta=0,0.5"]


def test_axes_are_ranges_or_lists():
    name, values = axis("eta=0:1:5")
    assert name == "eta" and np.array_equal(values, [0, .25, .5, .75, 1])
    assert np.array_equal(axis("beta=0,.5")[1], [0, .5])


def test_the_table_holds_what_the_library_computes(capsys, tmp_path):
    path = tmp_path / "sweep.csv"
    command = ["sweep", "heavy_ball", "--problem", "quadratic([1, 10])", "--x0", "1,1", "--steps", "50", *GRID, "--out", str(path)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "runs" in out and "smallest f" in out and "sweep.csv" in out
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    said = sweep(heavy_ball, quadratic([1, 10]), {"eta": np.linspace(.05, .45, 5), "beta": [0, .5]}, x0=[1, 1], steps=50)
    assert [float(row["f"]) for row in rows] == said.f.values.ravel().tolist()
    assert [row["status"] for row in rows] == said.status.values.ravel().tolist()
    assert main(command) == 1 and "--force" in capsys.readouterr().err
    assert main([*command[:-2], "--json"]) == 0
    assert [run["f"] for run in json.loads(capsys.readouterr().out)] == said.f.values.ravel().tolist()


@pytest.mark.parametrize("words, expected", [
    (["heavy_ball", "--grid", "eta"], "write --grid eta=0.01:0.4:40"),
    (["heavy_ball", "--grid", "eta=1:2"], "write --grid"),
    (["heavy_ball", "--grid", "eta=a,b"], "write --grid"),
    (["heavy_ball", "--grid", "eta=.1", "--beta", ".5", "--problem", "nix"], "problem 'nix'"),
    (["heavy_ball", "--grid", "eta=.1", "--beta", ".5", "--problem", "heavy_ball"], "expected a problem"),
    (["heavy_ball", "--grid", "nu=.1"], "nu"),
    (["rosenbrock", "--grid", "eta=.1"], "found"),
    (["heavy_ball", "--grid", "eta=.1", "--out", "s.txt"], "expected .csv"),
])
def test_misuse_is_told_in_one_message(capsys, words, expected):
    assert main(["sweep", *words]) == 2
    said = capsys.readouterr().err
    assert expected in said and "Traceback" not in said
