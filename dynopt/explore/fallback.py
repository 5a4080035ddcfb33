"""What a reader sees without JavaScript: the rule, what was derived, and a still picture of the iterates."""
from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from ..core.rule import Method

SIZE = 480, 360


def still(method: Method, problem: dict[str, Any], spec: dict[str, Any]) -> str:
    """Plain HTML with the rule, its region as text, and a small drawing of its window."""
    derived = spec["theory"]
    told = f"stable exactly where {derived['text']} ({derived['status']})" if derived.get("text") else derived.get("why", "")
    return (f"<h1>{escape(method.name)}</h1><pre>{escape(str(method.program))}</pre><p>{escape(told)}</p>"
            f"{_drawing(problem)}<noscript><p>This page is live where JavaScript is on.</p></noscript>")


def _drawing(problem: dict[str, Any]) -> str:
    """The rest and the start of a problem in its window, with ellipses of the second-order model where there is one."""
    left, right, bottom, top = problem["window"]
    width, height = SIZE

    def place(x: float, y: float) -> tuple[float, float]:
        return (x - left)/(right - left)*width, (top - y)/(top - bottom)*height
    d, up = problem["dim"], (problem.get("players") or [1])[0] if problem["dim"] > 1 else None
    up = 1 if up is not None and len(problem.get("players", ())) < 2 else up
    shapes = []
    for curve in _rings(problem) if d > 1 and problem["axes"] else []:
        shown = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(*p) for p in curve))
        shapes.append(f'<polyline points="{shown}" fill="none" stroke="currentColor" opacity=".5"/>')
    marks = [(place(z[0], (bottom + top)/2 if up is None else z[up]), name) for z, name in ((problem["minimizer"], "minimizer"),
                                                                                          (problem["start"], "start"))]
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5"/><text x="{a + 9:.1f}" y="{b + 4:.1f}">{t}</text>' for (a, b), t in marks)
    name = f"Minimizer and start of {problem['name']}"
    return (f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(name, quote=True)}">'
            f'{"".join(shapes)}<g fill="currentColor">{dots}</g></svg>')


def _rings(problem: dict[str, Any]) -> list[np.ndarray]:
    """Level lines of the second-order model at the minimizer, on the first two coordinates."""
    d, least = problem["dim"], np.array(problem["minimizer"])
    axes, turn = np.array(problem["axes"]).reshape(d, d), np.linspace(0, 2*np.pi, 61)
    sizes = 1/np.sqrt(np.maximum(np.abs(problem["curvatures"]), 1e-9))
    ring = np.outer(np.cos(turn), sizes[0]*axes[0, :2]) + np.outer(np.sin(turn), sizes[1]*axes[1, :2])
    return [least[:2] + level*ring for level in (.25, .5, 1.0, 2.0)]
