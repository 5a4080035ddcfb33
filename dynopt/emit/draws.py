"""Draws in lanes: 64 bits from a counter, then a uniform number or two normal ones, without a branch and without a call.

The word of (seed, path, step, call, entry) is SplitMix64's finalizer (Steele, Lea, Flood 2014, fig. 17) of a counter that starts at the key
of the path, with the key mixed in once more between its two products, so that paths whose counters meet still differ. A word
gives two normals by Box and Muller (1958, eq. (1)): 40 bits the radius, one the half-plane, the others the angle in it.
A radius of 40 bits ends at 7.54: what lies beyond has probability 4e-13. `run/noise.py` does the same, operation by operation, and
`runtime.js` but for rounding.
"""
from __future__ import annotations

from typing import Any

from .lane_functions import EXPONENT, ROOT_HALF, SIGN, Lanes, signed

# what a counter moves by for each step, call and entry: odd, and so far from one another that no two counters of a run meet
STEP, CALL, ENTRY = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD1342543DE82EF95
MIX = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
RADIUS, RADIUS_ONE = (1 << 52) - (1 << 12), 1023 << 52 | 1 << 11       # bits of the radius; the double 1 and half a unit of them
TURN = 52                                                               # the angle leads a word that is turned by so many bits
ANGLE, ANGLE_ONE = (1 << 63) - (1 << 31), 1 << 30
UNIT, HALF_TURN, EXPONENT_LOG = 2.0**-53, 2.0**-63, -2*0.6931471805599453*2.0**-52

# -2 log(1 + t)/t on sqrt(1/2) <= 1 + t < sqrt(2); sin(pi g)/g and cos(pi g) in g^2 on |g| <= 1/2: Chebyshev interpolants made in
# 60 digits, within 4e-16
LOG = (-2.0, 0.999999999999969, -0.6666666666667435, 0.5000000000153912, -0.39999999999818636, 0.3333333310978924,
       -0.2857142834715619, 0.2500001450658876, -0.22222248541023526, 0.1999950971999177, -0.1818057317036328,
       0.16675621220086662, -0.1541469564801179, 0.1420484408414138, -0.129467537653424, 0.12678532454372102,
       -0.14184024181418356, 0.13212754548583402, -0.05982942874122316)
SIN = (3.141592653589793, -5.167712780049969, 2.5501640398773007, -0.5992645293189447, 0.0821458865731029, -0.007370430505916944,
       0.0004662998161898394, -2.1903497074626018e-05, 7.697826768224191e-07)
COS = (1.0, -4.934802200544676, 4.058712126416497, -1.335262768843447, 0.23533063012953284, -0.025806888737002202,
       0.0019295562724817132, -0.00010456655338748738, 4.149564353942586e-06)


def turned(lanes: Lanes, bits: str, by: int) -> str:
    """Bits moved to the left in a circle."""
    text, kind = lanes.text, lanes.text.whole
    suffix = "i64" if text.width == 1 else f"v{text.width}i64"
    text.declared.add(f"declare {kind} @llvm.fshl.{suffix}({kind}, {kind}, {kind})")
    return text.new(f"call {kind} @llvm.fshl.{suffix}({kind} {bits}, {kind} {bits}, {kind} {text.splat('i64', str(by))})")


def word(lanes: Lanes, key: str, step: str, call: int, entry: int) -> str:
    """64 bits for a path and a step; `step` is one number for all lanes."""
    text = lanes.text
    moved = text.new(f"add i64 {text.new(f'mul i64 {step}, {signed(STEP)}')}, {signed((call*CALL + entry*ENTRY) % 2**64)}")
    z = lanes.int("add", key, text.splat("i64", moved))
    z = lanes.int("mul", lanes.int("xor", z, lanes.int("lshr", z, 30)), MIX[0])
    z = lanes.int("mul", lanes.int("xor", lanes.int("xor", z, lanes.int("lshr", z, 27)), turned(lanes, key, 32)), MIX[1])
    return lanes.int("xor", z, lanes.int("lshr", z, 31))


def unit(lanes: Lanes, bits: str) -> str:
    """A number on [0, 1) from the upper 53 bits of a word."""
    text = lanes.text
    return lanes.op("fmul", text.new(f"uitofp {text.whole} {lanes.int('lshr', bits, 11)} to {text.real}"), UNIT)


def square(lanes: Lanes, bits: str) -> str:
    """The squared radius -2 log(u), u = 1 - (n + 1/2)/2^40."""
    text = lanes.text
    u = lanes.op("fsub", 2.0, lanes.number(lanes.int("or", lanes.int("and", bits, RADIUS), RADIUS_ONE)))
    exponent = lanes.int("and", lanes.int("sub", lanes.bits(u), ROOT_HALF), EXPONENT | SIGN)
    t = lanes.op("fsub", lanes.number(lanes.int("sub", lanes.bits(u), exponent)), 1.0)
    scale = text.new(f"sitofp {text.whole} {exponent} to {text.real}")
    return lanes.fma(scale, EXPONENT_LOG, lanes.op("fmul", t, lanes.two_chains(t, LOG)))


def normals(lanes: Lanes, bits: str, squared: str) -> tuple[str, str]:
    """The pair of normals of a word and its squared radius."""
    text = lanes.text
    moved = turned(lanes, bits, TURN)
    angle = text.new(f"sitofp {text.whole} {lanes.int('or', lanes.int('and', moved, ANGLE), ANGLE_ONE)} to {text.real}")
    g = lanes.fma(angle, HALF_TURN, -.5)
    z = lanes.op("fmul", g, g)
    radius = lanes.bits(text.call("sqrt", text.real, [squared]))
    radius = lanes.number(lanes.int("xor", radius, lanes.int("and", moved, SIGN)))
    return lanes.op("fmul", radius, lanes.two_chains(z, COS)), lanes.op("fmul", lanes.op("fmul", radius, g), lanes.two_chains(z, SIN))


def drawn(text: Any, op: str, key: str, step: str, call: int, entry: int) -> tuple[str, str]:
    """The numbers that a word gives: two normals, or one that is uniform."""
    lanes = Lanes(text)
    bits = word(lanes, key, step, call, entry)
    return normals(lanes, bits, square(lanes, bits)) if op == "noise" else (unit(lanes, bits), "")
