"""The reference problems as flows: right-hand sides read through the whitelisting parser, states one number each."""
from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from dynopt import Flow
from dynopt.core.expr import leaf, replace
from dynopt.core.parse import parse
from dynopt.core.strings import rule_from_nodes

PROBLEMS = json.loads((Path(__file__).parent/"data"/"problems.json").read_text(encoding="utf-8"))["problems"]
RENAMED = {"k": "stiffness"}                        # k is the step counter in the traced language
SQUARE_WAVE = "Piecewise((1,Eq(Mod(floor(t),2),0)),(-1,True))"


def translated(text: str) -> str:
    text = text.replace(SQUARE_WAVE, "where(t % 2 < 1, 1, -1)").replace("Abs(", "abs(")
    return re.sub(r"\bk\b", RENAMED["k"], text)


def flow_of(problem: dict):
    """The flow of an ODE problem, its exact parameters written in."""
    names = problem["vars"]
    states = {leaf("param", n): leaf("state", n) for n in names}
    rates = replace([parse(translated(r)) for r in problem["rhs"]], states)
    made = rule_from_nodes(Flow, problem["id"], names, rates)
    return made.subs(**{RENAMED.get(n, n): str(Fraction(v)) for n, v in problem["params"].items()}) if problem["params"] else made


def start_of(problem: dict) -> dict:
    return {n: [v] for n, v in zip(problem["vars"], problem["y0_float"])}


def times_of(problem: dict) -> tuple[float, float]:
    return float(Fraction(problem["t0"])), float(Fraction(problem["t1"]))


def end_of(run) -> np.ndarray:
    return np.array([run[n][-1, 0] for n in run.states])


def scale_of(run) -> float:
    return max(float(np.abs(run[n]).max()) for n in run.states)


def by_kind(kind: str) -> list[dict]:
    return [p for p in PROBLEMS if p["kind"] == kind]
