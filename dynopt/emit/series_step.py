"""One step of Taylor's method for W paths, as LLVM text: the series, its step, the state at its end, and whether that is accepted.

Step size: Jorba, Zou 2005, section 3.2, with the defect x' - rates(x) at the end of a step as a check that refuses it. Every lane
decides for itself, by the same operations at any width.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Mapping, Sequence

from .entries import Value, order
from .lane_functions import Lanes
from .lanes import Body, Text
from .series import Series
from .steps import LIMIT

DEFECT = 8.0                                            # a defect times the step of so many tolerances is refused
ENDS = 1 - 1e-13                                        # a step that reaches so much of what is left goes to the end
LEAST, UNDERFLOW = 2.22e-15, 2.3e-308                   # ten units in the last place of the time; smaller numbers than this are slow
INFINITY = "0x7FF0000000000000"


@dataclass(frozen=True)
class Here:
    """Where a step begins: registers of the states, the time, the largest step allowed."""

    y: Sequence[str]
    t: str
    cap: str


@dataclass(frozen=True)
class Course:
    """Registers of what is the same in all steps: the end, the direction (1 or -1), the rims of the time, the tolerances."""

    end: str
    direction: str
    lo: str
    hi: str
    rtol: str
    atol: Sequence[str]


class Step:
    """A step printed into a text; its results are registers.

    `x[i][k]` coefficients, `h` the length and `moved` the signed length, `y`, `t` at its end, `good` whether it is accepted, `small`
    whether it is too short to be tried, `cap` the largest step to try next.
    """

    def __init__(self, text: Text, series: Series, names: Mapping[Value, str], here: Here, course: Course, name: str):
        self.text, self.lanes, self.series, self.course, self.name = text, Lanes(text), series, course, name
        self.time = next((v for v in series.nodes if v.op == "time"), None)
        self.names, self.here = names, here
        body = self._body(here.y, here.t)
        body.print([v for x, s in zip(series.x, series.slopes) for v in (*x[1:], *s)])
        self.x = [[body.wanted(v, True) for v in x] for x in series.x]
        self.slopes = [[body.wanted(v, True) for v in s] for s in series.slopes]
        self._length()
        self._arrive()
        self._judge()

    def _body(self, y: Sequence[str], t: str) -> Body:
        """A body whose states and time are these registers."""
        names = {**self.names, **dict(zip(self.series.states, y))}
        if self.time is not None:
            names[self.time] = self.lanes.minimum(self.lanes.maximum(t, self.course.lo), self.course.hi)
        return Body(self.text, names, quick=True)

    def _abs(self, a: str) -> str:
        return self.text.call("fabs", self.text.real, [a])

    def _length(self) -> None:
        """The step at which the last two terms are within the tolerance, not beyond the end and not just before it."""
        lanes, course, here, K = self.lanes, self.course, self.here, self.series.count
        h = here.cap
        for k, sizes in zip((K - 1, K), self._sizes()):
            size = lanes.real(1e-300)
            for one in sizes:
                size = lanes.maximum(one, size)                                              # 0/0 counts for nothing
            power = lanes.rough_power(lanes.minimum(size, 1e300), -1.0/k)
            h = lanes.minimum(h, lanes.op("fmul", power, math.exp(-0.7/(K - 1))))
        left = self._abs(lanes.op("fsub", course.end, here.t))
        nearly = lanes.minimum(h, lanes.maximum(lanes.op("fmul", left, .5), lanes.op("fsub", left, h)))
        self.last = self._compare("oge", h, lanes.op("fmul", left, ENDS))
        self.h = self._pick(self.last, left, nearly)
        least = lanes.fma(self._abs(here.t), LEAST, UNDERFLOW)
        self.small = self._both(self._compare("olt", h, least), self._compare("olt", h, left))

    def _sizes(self) -> list[list[str]]:
        """The last two coefficients of every state over its tolerance."""
        lanes, course, K = self.lanes, self.course, self.series.count
        weights = [lanes.op("fdiv", 1.0, lanes.fma(course.rtol, self._abs(y), a)) for y, a in zip(self.here.y, course.atol)]
        return [[lanes.op("fmul", self._abs(x[k]), w) for x, w in zip(self.x, weights)] for k in (K - 1, K)]

    def _arrive(self) -> None:
        """State, slope of the series and rates at the end of the step."""
        lanes, course = self.lanes, self.course
        self.moved = lanes.op("fmul", self.h, course.direction)
        self._evaluate()
        self.t = self._pick(self.last, course.end, lanes.op("fadd", self.here.t, self.moved))
        body = self._body(self.y, self.t)
        body.print(self.series.rates)
        self.rates = [body.wanted(r, True) for r in self.series.rates]

    def _evaluate(self) -> None:
        """The series of the states and of their slopes at the end of the step."""
        self.y = [self.lanes.polynomial(self.moved, x) for x in self.x]
        self.slope = [self.lanes.polynomial(self.moved, s) for s in self.slopes]

    def _defects(self) -> tuple[list[str], list[str], str, str]:
        """The defect of every state times the step, what it may be, whether the states are numbers of at most LIMIT, and all is good."""
        lanes, course = self.lanes, self.course
        misses, bounds, finite, good = [], [], "", ""
        for y0, y, slope, rate, atol in zip(self.here.y, self.y, self.slope, self.rates, course.atol):
            misses.append(lanes.op("fmul", self.h, self._abs(lanes.op("fsub", slope, rate))))
            size = self._abs(y)
            scale = lanes.fma(course.rtol, lanes.maximum(self._abs(y0), size), atol)
            rounding = lanes.op("fmul", lanes.fma(self.h, self._abs(rate), size), 1e-16)
            bounds.append(lanes.maximum(scale, rounding))
            finite = self._both(finite, self._compare("ole", size, lanes.real(float(LIMIT))))
            good = self._both(good, self._compare("ole", misses[-1], lanes.op("fmul", bounds[-1], DEFECT)))
        return misses, bounds, finite, self._both(finite, good)

    def _judge(self) -> None:
        """Whether the step is accepted; what to try next where it is not."""
        text = self.text
        misses, bounds, finite, self.good = self._defects()
        refused = text.any(text.new(f"xor {text.truth} {self.good}, {text.splat('i1', 'true')}"))
        name = self.name
        text.add(f"br label %{name}.judged")
        text.label(f"{name}.judged")
        text.add(f"br i1 {refused}, label %{name}.refused, label %{name}.end")
        text.label(f"{name}.refused")
        cap = self._shorter(misses, bounds, finite)
        text.add(f"br label %{name}.end")
        text.label(f"{name}.end")
        free = text.splat("double", INFINITY)
        self.cap = text.new(f"phi {text.real} [ {free}, %{name}.judged ], [ {cap}, %{name}.refused ]")

    def _shorter(self, misses: Sequence[str], bounds: Sequence[str], finite: str) -> str:
        """The step to try after one that is refused: as the size of the defect asks, by 0.3 where there is none."""
        lanes = self.lanes
        error = lanes.real(1e-300)
        for miss, bound in zip(misses, bounds):
            error = lanes.maximum(lanes.op("fdiv", miss, bound), error)
            finite = self._both(finite, self._compare("olt", miss, lanes.real(float("inf"))))
        power = lanes.rough_power(lanes.op("fdiv", .5*DEFECT, lanes.minimum(error, 1e300)), 1/(self.series.count + 1))
        factor = lanes.maximum(lanes.op("fmul", lanes.minimum(power, 1.0), .9), .2)
        shorter = lanes.op("fmul", self.h, self._pick(finite, factor, lanes.real(.3)))
        return self._pick(self.good, self.text.splat("double", INFINITY), shorter)

    def _compare(self, how: str, a: str, b: str) -> str:
        return self.text.new(f"fcmp {how} {self.text.real} {a}, {b}")

    def _both(self, a: str, b: str) -> str:
        return self.text.new(f"and {self.text.truth} {a}, {b}") if a and b else a or b

    def _pick(self, truth: str, a: str, b: str) -> str:
        return self.text.new(f"select {self.text.truth} {truth}, {self.text.real} {a}, {self.text.real} {b}")

    def rows(self, all_of_them: bool) -> list[tuple[int, str, str]]:
        """(place, type, register) of what is written down: coefficients in the share of the step, from 0 to 1, or the states alone."""
        lanes, powers, n = self.lanes, ["", self.moved], len(self.x)
        rows = [(i, self.text.real, x[0]) for i, x in enumerate(self.x)]
        for k in range(1, self.series.count + 1 if all_of_them else 1):
            if k > 1:
                powers.append(lanes.op("fmul", powers[k//2], powers[k - k//2]))
            rows += [(k*n + i, self.text.real, lanes.op("fmul", x[k], powers[k])) for i, x in enumerate(self.x)]
        return rows


def hoisted(text: Text, series: Series, names: Mapping[Value, str], *, lane: bool) -> dict[Value, str]:
    """Values that no step changes."""
    known = [v for s in (*series.x, *series.slopes) for v in s]
    body = Body(text, names, quick=True)
    body.print([v for v in order(known) if not v.step and v.lane == lane and v.op != "const" and (v.args or v in names)])
    return body.names


