"""Functions on lanes by polynomials: what draws need, without a call to the C library for each lane.

The coefficients are Chebyshev interpolants made in 60 digits; the remaining error is below 5e-17 of the value.
"""
from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any, Sequence

# log(1 + t) = t - t^2/2 + t^3 Q(t) on sqrt(1/2) <= 1 + t < sqrt(2)
LOG = (0.3333333333333333, -0.24999999999998596, 0.20000000000003482, -0.16666666667365992, 0.14285714285634818, -0.12499999898432576,
       0.11111111008787179, -0.10000006590426393, 0.09090921076038966, -0.08333110642999564, 0.07691741139835176, -0.07146922611081985,
       0.06680348247882924, -0.06213325491398715, 0.05706613674459082, -0.05635857394607171, 0.06362025303018654, -0.05959173018943104,
       0.027053075892336406)
# sin(pi f/2)/f and cos(pi f/2) in f^2 on |f| <= 1/2
SIN = (1.5707963267948966, -0.6459640975062463, 0.07969262624616692, -0.004681754135314827, 0.0001604411847266723,
       -3.598842717144858e-06, 5.691927850489633e-08, -6.627624938992472e-10)
COS = (1.0, -1.2337005501361697, 0.2536695079010467, -0.02086348076331121, 0.0009192602741831558, -2.520203677046026e-05,
       4.710609726757823e-07, -6.321256869628588e-09)
LN2 = 0.6931471805599453
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
        signed = str(b - (1 << 64) if b >= 1 << 63 else b) if isinstance(b, int) else ""
        return self.text.new(f"{name} {self.text.whole} {a}, {self.text.splat('i64', signed) if signed else b}")

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

    def log(self, x: str) -> str:
        """The logarithm of a normal number above zero."""
        shifted = self.int("sub", self.bits(x), ROOT_HALF)
        exponent = self.int("and", shifted, EXPONENT | SIGN)
        t = self.op("fsub", self.number(self.int("sub", self.bits(x), exponent)), 1.0)
        scale = self.text.new(f"sitofp {self.text.whole} {self.int('ashr', exponent, 52)} to {self.text.real}")
        square = self.op("fmul", t, t)
        tail = self.fma(self.op("fmul", square, t), self.polynomial(t, LOG), self.op("fmul", square, -.5))
        return self.fma(scale, LN2, self.op("fadd", t, tail))

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

    def circle(self, w: str) -> tuple[str, str]:
        """cos(2 pi w) and sin(2 pi w) for 0 <= w <= 1."""
        quarters = self.op("fmul", w, 4.0)
        nearest = self.text.call("rint", self.text.real, [quarters])
        f = self.op("fsub", quarters, nearest)
        z = self.op("fmul", f, f)
        s, c = self.op("fmul", f, self.polynomial(z, SIN)), self.polynomial(z, COS)
        turn = self.text.new(f"fptosi {self.text.real} {nearest} to {self.text.whole}")
        odd = self.text.new(f"trunc {self.text.whole} {turn} to {self.text.truth}")
        first, second = self._pick(odd, s, c), self._pick(odd, c, s)
        after = self.int("add", turn, 1)                                 # cos changes sign in quarters 1 and 2, sin in 2 and 3
        return self._signed(first, after), self._signed(second, turn)

    def _pick(self, truth: str, a: str, b: str) -> str:
        return self.text.new(f"select {self.text.truth} {truth}, {self.text.real} {a}, {self.text.real} {b}")

    def _signed(self, value: str, turn: str) -> str:
        flip = self.int("and", self.int("shl", turn, 62), SIGN)
        return self.number(self.int("xor", self.bits(value), flip))


def normal_pair(text: Any, u: str, w: str) -> tuple[str, str]:
    """Two standard normal draws from two numbers on [0, 1) (Box and Muller 1958, eq. (1))."""
    lanes = Lanes(text)
    radius = text.call("sqrt", text.real, [lanes.op("fmul", lanes.log(lanes.op("fsub", 1.0, u)), -2.0)])
    cosine, sine = lanes.circle(w)
    return lanes.op("fmul", radius, cosine), lanes.op("fmul", radius, sine)
