"""Arithmetic and functions on lanes by polynomials, without a call to the C library for each lane."""
from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any, Sequence

ROOT_HALF, EXPONENT, SIGN = 0x3FE6A09E667F3BCD, 0x7FF << 52, 1 << 63


EXP = tuple(1/math.factorial(k) for k in range(2, 14))               # e^r = 1 + r + r^2 Q(r), |r| <= log(2)/2: the next term is below 5e-18
LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
SHIFT, SHIFT_BITS = 6755399441055744.0, 0x4338000000000000           # 1.5 2^52: adding it rounds to whole numbers, kept in the low bits
ONE_BITS = 1023 << 52
ROUGH_LOG = (-2.213472204625321, 3.14829592951462, -1.098865286222744, 0.1640425613334452)      # log2 on 1..2, three digits
ROUGH_EXP = (0.9998119, 0.6968386, 0.2241271, 0.0790199)                                       # 2^z on 0..1


def number(value: float | Fraction | int) -> str:
    """A double to the last bit."""
    return "0x" + struct.pack(">d", float(value)).hex().upper()


def signed(word: int) -> int:
    """64 bits as the number that LLVM's text wants."""
    return word - (1 << 64) if word >= 1 << 63 else word


class Lanes:
    """Arithmetic on registers of a text, constants spread over the lanes."""

    def __init__(self, text: Any):
        self.text = text

    def real(self, value: float | str) -> str:
        return value if isinstance(value, str) else self.text.splat("double", number(value))

    def op(self, name: str, a: float | str, b: float | str) -> str:
        return self.text.new(f"{name} {self.text.real} {self.real(a)}, {self.real(b)}")

    def fma(self, a: float | str, b: float | str, c: float | str) -> str:
        return self.text.call("fma", self.text.real, [self.real(a), self.real(b), self.real(c)])

    def int(self, name: str, a: str, b: int | str) -> str:
        other = self.text.splat("i64", str(signed(b))) if isinstance(b, int) else b
        return self.text.new(f"{name} {self.text.whole} {a}, {other}")

    def bits(self, value: str) -> str:
        return self.text.new(f"bitcast {self.text.real} {value} to {self.text.whole}")

    def number(self, bits: str) -> str:
        return self.text.new(f"bitcast {self.text.whole} {bits} to {self.text.real}")

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """Estrin's scheme: neighbours in pairs, then pairs of pairs."""
        terms: list[float | str] = list(coefficients)
        power = x
        while len(terms) > 1:
            terms = [self.fma(terms[i + 1], power, terms[i]) if i + 1 < len(terms) else terms[i] for i in range(0, len(terms), 2)]
            power = self.op("fmul", power, power) if len(terms) > 1 else power
        return self.real(terms[0])

    def two_chains(self, x: str, coefficients: Sequence[float]) -> str:
        """A polynomial by its even and its odd part, each by Horner's rule in x^2."""
        square = self.op("fmul", x, x)
        even, odd = (self._chain(square, coefficients[start::2]) for start in (0, 1))
        return self.fma(odd, x, even)

    def _chain(self, x: str, coefficients: Sequence[float]) -> str:
        found: float | str = coefficients[-1]
        for c in coefficients[-2::-1]:
            found = self.fma(found, x, c)
        return self.real(found)

    def exp(self, x: str) -> str:
        """The exponential of any number: 2^n times a polynomial; 2^n in two factors, so that it ends smoothly at both ends."""
        gone = self._less(x, self.real(-745.2))                     # zero, without the slow arithmetic of numbers that underflow
        low = self._pick(gone, self.real(0.0), x)
        x = self._pick(self._less(self.real(720.0), low), self.real(720.0), low)
        shifted = self.fma(x, LOG2_E, SHIFT)
        n = self.op("fsub", shifted, SHIFT)
        r = self.fma(n, -LN2_LOW, self.fma(n, -LN2_HIGH, x))
        value = self.op("fadd", 1.0, self.fma(self.op("fmul", r, r), self.polynomial(r, EXP), r))
        whole = self.int("sub", self.bits(shifted), SHIFT_BITS)
        half = self.int("ashr", whole, 1)
        powers = [self.number(self.int("shl", self.int("add", k, 1023), 52)) for k in (half, self.int("sub", whole, half))]
        return self._pick(gone, self.real(0.0), self.op("fmul", self.op("fmul", value, powers[0]), powers[1]))

    def rough_power(self, x: str, exponent: float) -> str:
        """x^exponent to three digits for normal x > 0, |exponent| <= 1/2: what the size of a step needs, and no more."""
        bits = self.bits(x)
        scale = self.int("sub", self.int("lshr", bits, 52), 1023)
        mantissa = self.number(self.int("or", self.int("and", bits, (1 << 52) - 1), ONE_BITS))
        whole = self.text.new(f"sitofp {self.text.whole} {scale} to {self.text.real}")
        z = self.op("fmul", self.op("fadd", whole, self.polynomial(mantissa, ROUGH_LOG)), exponent)
        floor = self.text.call("floor", self.text.real, [z])
        power = self.polynomial(self.op("fsub", z, floor), ROUGH_EXP)
        shift = self.int("shl", self.text.new(f"fptosi {self.text.real} {floor} to {self.text.whole}"), 52)
        return self.number(self.int("add", self.bits(power), shift))

    def minimum(self, a: float | str, b: float | str) -> str:
        """The smaller of two numbers; b where a is not a number."""
        a, b = self.real(a), self.real(b)
        return self._pick(self._less(a, b), a, b)

    def maximum(self, a: float | str, b: float | str) -> str:
        """The larger of two numbers; b where a is not a number."""
        a, b = self.real(a), self.real(b)
        return self._pick(self._less(b, a), a, b)

    def _less(self, a: str, b: str) -> str:
        return self.text.new(f"fcmp olt {self.text.real} {a}, {b}")

    def _pick(self, truth: str, a: str, b: str) -> str:
        return self.text.new(f"select {self.text.truth} {truth}, {self.text.real} {a}, {self.text.real} {b}")
