"""Runge-Kutta schemes from exact tableaux."""
from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..core.errors import RuleError
from ..core.exact import simplest_fraction
from ..core.rule import Flow, Method
from .scheme_parts import implicit_of
from .scheme_step import Step, exact, method_of

MIDPOINT = ([[0, 0], ["1/2", 0]], [0, 1])
HEUN = ([[0, 0], [1, 0]], ["1/2", "1/2"])
CLASSICAL = ([[0, 0, 0, 0], ["1/2", 0, 0, 0], [0, "1/2", 0, 0], [0, 0, 1, 0]], ["1/6", "1/3", "1/3", "1/6"])


def rational(value: Any) -> Fraction:
    """An entry of a tableau, exact."""
    if isinstance(value, float):
        return simplest_fraction(value)
    try:
        return Fraction(str(value)) if type(value).__module__.startswith("sympy") else Fraction(value)
    except (TypeError, ValueError, ZeroDivisionError):
        raise RuleError(f"tableau: the entry {value!r:.30} is no exact number, expected such as 1, \"1/3\" or Fraction(1, 3)") from None


class RungeKutta:
    """The scheme of a tableau: call it on a flow. `A`, `b`, `c` are exact; `consistent` says whether sum(b) = 1 and c = A 1."""

    def __init__(self, A: tuple, b: tuple, c: tuple, name: str, source: str = ""):
        self.A, self.b, self.c, self.name, self.source = A, b, c, name, source
        self.__name__, self.stages = name, len(b)
        self.explicit = all(A[i][j] == 0 for i in range(len(b)) for j in range(i, len(b)))
        self.consistent = sum(b) == 1 and all(sum(row) == at for row, at in zip(A, c))

    @classmethod
    def read(cls, tableau: Any, name: str, source: str = "") -> "RungeKutta":
        """A tableau (A, b), (A, b, c) or {"A":, "b":, "c":}, checked."""
        parts = [tableau[n] for n in ("A", "b", "c") if n in tableau] if isinstance(tableau, dict) else list(tableau)
        if len(parts) not in (2, 3):
            raise RuleError(f"{name}: the tableau has {len(parts)} parts, expected (A, b) or (A, b, c); "
                            "write runge_kutta(([[0, 0], [1, 0]], [\"1/2\", \"1/2\"]))")
        try:
            rows, b = [[rational(a) for a in row] for row in parts[0]], tuple(map(rational, parts[1]))
            c = tuple(map(rational, parts[2])) if len(parts) == 3 else tuple(sum(row, Fraction(0)) for row in rows)
        except TypeError:
            raise RuleError(f"{name}: the tableau holds {parts!r:.60}, expected A as rows and b, c as lists") from None
        s = len(rows)
        if s == 0 or any(len(row) != s for row in rows):
            raise RuleError(f"{name}: A has {s} row(s) of lengths {[len(r) for r in rows]}, expected a square "
                            "matrix, one row and one column for each stage")
        if len(b) != s or len(c) != s:
            raise RuleError(f"{name}: A has {s} stages, b {len(b)} weights and c {len(c)} nodes; expected {s} of each")
        return cls(tuple(map(tuple, rows)), b, c, name, source)

    def __call__(self, flow: Flow) -> Method:
        oracles = () if self.explicit else ("implicit",)
        return method_of(self.name, flow, self._explicit if self.explicit else self._implicit, oracles=oracles,
                         source=self.source or "Butcher 1964, the tableau given")

    def _sum(self, step: Step, x: tuple, weights: tuple, rates: list) -> tuple:
        """x + h sum of weights times rates; vanishing weights are left out."""
        used = [(w, r) for w, r in zip(weights, rates) if w != 0]
        if not used:
            return x
        total = []
        for i in range(len(x)):
            terms = [r[i] if w == 1 else exact(w, step.h)*r[i] for w, r in used]
            total.append(sum(terms[1:], terms[0]))
        return tuple(a + step.h*s for a, s in zip(x, total))

    def _explicit(self, step: Step, x: tuple) -> tuple:
        rates: list = []
        for row, at in zip(self.A, self.c):
            rates.append(step.rates(self._sum(step, x, row, rates), at))
        return self._sum(step, x, self.b, rates)

    def _implicit(self, step: Step, x: tuple) -> tuple:
        """The stages are the unknowns, all of them at once."""
        n = len(x)

        def stages(flat: tuple) -> list[tuple]:
            return [tuple(flat[i*n:(i + 1)*n]) for i in range(self.stages)]

        def residual(*flat: Any) -> tuple:
            rates = [step.rates(y, at) for y, at in zip(stages(flat), self.c)]
            return tuple(y - z for stage, row in zip(stages(flat), self.A) for y, z in zip(stage, self._sum(step, x, row, rates)))
        step.rates(x)                                              # draws are made before the residual, which cannot draw
        found = stages(implicit_of(step, n*self.stages, residual))
        return self._sum(step, x, self.b, [step.rates(y, at) for y, at in zip(found, self.c)])

    def __repr__(self) -> str:
        return f"RungeKutta {self.name} ({self.stages} stage(s){'' if self.consistent else '; inconsistent: sum(b) != 1 or c != A 1'})"
