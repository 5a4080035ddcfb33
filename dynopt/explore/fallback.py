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
    """Ellipses of the second-order model at the minimizer, with the minimizer and the start."""
    left, right, bottom, top = problem["window"]
    width, height = SIZE

    def place(x: float, y: float) -> tuple[float, float]:
        return (x - left)/(right - left)*width, (top - y)/(top - bottom)*height
    d, least = problem["dim"], np.array(problem["minimizer"])
    axes, turn = np.array(problem["axes"]).reshape(d, d), np.linspace(0, 2*np.pi, 61)
    sizes = 1/np.sqrt(np.maximum(np.abs(problem["curvatures"]), 1e-9))
    shapes = []
    for level in (.25, .5, 1.0, 2.0):
        points = least[:2] + level*(np.outer(np.cos(turn), sizes[0]*axes[0, :2]) + np.outer(np.sin(turn), sizes[1]*axes[1, :2]))
        shown = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(*p) for p in points))
        shapes.append(f'<polyline points="{shown}" fill="none" stroke="currentColor" opacity=".5"/>')
    marks = [(place(*least[:2]), "minimizer"), (place(*problem["start"][:2]), "start")]
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="5"/><text x="{a + 9:.1f}" y="{b + 4:.1f}">{t}</text>' for (a, b), t in marks)
    name = f"Minimizer, start and curvature of {problem['name']}"
    return (f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(name, quote=True)}">'
            f'{"".join(shapes)}<g fill="currentColor">{dots}</g></svg>')
