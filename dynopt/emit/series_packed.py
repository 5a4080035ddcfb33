"""A step of one path with its states side by side in one register, where no state waits for another: same operations, same bits."""
from __future__ import annotations

from typing import Sequence

from .lane_functions import Lanes
from .lanes import Text
from .series_step import DEFECT, Step
from .steps import LIMIT

WIDEST = 8                                              # states that one register takes


class Packed(Step):
    """A step whose series are evaluated for all states at once; the recurrences themselves stay one by one."""

    def _sizes(self) -> list[list[str]]:
        self._pack()
        wide, course, K = self.wide, self.course, self.series.count
        weights = wide.op("fdiv", 1.0, wide.fma(self._spread(course.rtol), self._size_of(self.now), self.atol))
        return [self._parts(wide.op("fmul", self._size_of(self.terms[k]), weights)) for k in (K - 1, K)]

    def _pack(self) -> None:
        """Registers of all states: `now`, the coefficients of the rates and of the solution."""
        self.all = Text(len(self.x))
        self.all.lines, self.all.declared, self.all.serial = self.text.lines, self.text.declared, self.text.serial
        self.wide = Lanes(self.all)
        self.now, self.atol = self._together(self.here.y), self._together(self.course.atol)
        self.rising = [self._together([s[k] for s in self.slopes]) for k in range(self.series.count)]
        self.terms = [self.now, self.rising[0], *(self.wide.op("fmul", 1/(k + 1), r) for k, r in enumerate(self.rising) if k)]

    def _together(self, parts: Sequence[str]) -> str:
        found = "poison"
        for i, part in enumerate(parts):
            found = self.text.new(f"insertelement {self.all.real} {found}, double {part}, i32 {i}")
        return found

    def _parts(self, whole: str) -> list[str]:
        return [self.text.new(f"extractelement {self.all.real} {whole}, i32 {i}") for i in range(self.all.width)]

    def _spread(self, one: str) -> str:
        return self.all.splat("double", one)

    def _size_of(self, whole: str) -> str:
        return self.all.call("fabs", self.all.real, [whole])

    def _evaluate(self) -> None:
        step = self._spread(self.moved)
        self.arrived, self.slopes_there = self.wide.polynomial(step, self.terms), self.wide.polynomial(step, self.rising)    # type: ignore
        self.y = self._parts(self.arrived)

    def _defects(self) -> tuple[list[str], list[str], str, str]:
        wide, real, h = self.wide, self.all.real, self._spread(self.h)
        rates = self._together(self.rates)
        misses = wide.op("fmul", h, self._size_of(wide.op("fsub", self.slopes_there, rates)))
        size = self._size_of(self.arrived)
        scale = wide.fma(self._spread(self.course.rtol), wide.maximum(self._size_of(self.now), size), self.atol)
        rounding = wide.op("fmul", wide.fma(h, self._size_of(rates), size), 1e-16)
        bounds = wide.maximum(scale, rounding)
        finite = self._every(self.all.new(f"fcmp ole {real} {size}, {wide.real(float(LIMIT))}"))
        good = self._every(self.all.new(f"fcmp ole {real} {misses}, {wide.op('fmul', bounds, DEFECT)}"))
        return self._parts(misses), self._parts(bounds), finite, self._both(finite, good)

    def _every(self, truth: str) -> str:
        """Whether all of them are true."""
        bits = self.text.new(f"bitcast {self.all.truth} {truth} to i{self.all.width}")
        return self.text.new(f"icmp eq i{self.all.width} {bits}, -1")

    def rows(self, all_of_them: bool) -> list[tuple[int, str, str]]:
        n, powers = self.all.width, ["", self._spread(self.moved)]
        rows = [(0, self.all.real, self.now)]
        for k in range(1, self.series.count + 1 if all_of_them else 1):
            if k > 1:
                powers.append(self.wide.op("fmul", powers[k//2], powers[k - k//2]))
            rows.append((k*n, self.all.real, self.wide.op("fmul", self.terms[k], powers[k])))
        return rows
