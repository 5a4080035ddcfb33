"""Random draws keyed by (seed, path, step, call, entry), for one path: what `emit/draws.py` prints for lanes, the same to the last bit.

A draw is a pure function of its key, so that the same path sees the same noise on any number of threads and in any order.
"""
from __future__ import annotations

import math

import numba as nb
import numpy as np
from numba.extending import intrinsic

from ..emit import draws as drawn
from ..emit.lane_functions import EXPONENT, ROOT_HALF, SIGN

U = np.uint64
STEP, CALL, ENTRY, M1, M2 = map(U, (drawn.STEP, drawn.CALL, drawn.ENTRY, *drawn.MIX))
RADIUS, RADIUS_ONE, ANGLE, ANGLE_ONE = map(U, (drawn.RADIUS, drawn.RADIUS_ONE, drawn.ANGLE, drawn.ANGLE_ONE))
HALF, SIGNED, TOP, BOTTOM = U(ROOT_HALF), U(EXPONENT | SIGN), U(SIGN), U(64 - drawn.TURN)
S11, S27, S30, S31, S32, TURN, ONE = map(U, (11, 27, 30, 31, 32, drawn.TURN, 1))
UNIT, HALF_TURN, EXPONENT_LOG = drawn.UNIT, drawn.HALF_TURN, drawn.EXPONENT_LOG
LOG, SIN, COS = ((c[0::2], c[1::2]) for c in (drawn.LOG, drawn.SIN, drawn.COS))           # even and odd coefficients


@intrinsic
def fma_(typing, a, b, c):
    """a b + c, rounded once."""
    return nb.float64(nb.float64, nb.float64, nb.float64), lambda context, builder, signature, args: builder.fma(*args)


@intrinsic
def bits_(typing, x):
    """The bits of a double."""
    return nb.uint64(nb.float64), lambda context, builder, signature, args: builder.bitcast(args[0], context.get_value_type(nb.uint64))


@intrinsic
def number_(typing, bits):
    """The double of some bits."""
    return nb.float64(nb.uint64), lambda context, builder, signature, args: builder.bitcast(args[0], context.get_value_type(nb.float64))


@nb.njit(error_model="numpy")
def key_(seed, path):
    """A 64-bit key for (seed, path) by the finalizer of splitmix64, applied to each in turn."""
    z = np.uint64(seed)
    for word in (np.uint64(0x9E3779B97F4A7C15), np.uint64(path)*np.uint64(0xD1342543DE82EF95) + ONE):
        z = z + word
        z = (z ^ (z >> S30))*M1
        z = (z ^ (z >> S27))*M2
        z = z ^ (z >> S31)
    return z


@nb.njit(error_model="numpy")
def word_(key, step, call, entry):
    """64 bits for a path and a step."""
    z = key + np.uint64(step)*STEP + np.uint64(call)*CALL + np.uint64(entry)*ENTRY
    z = (z ^ (z >> S30))*M1
    z = (z ^ (z >> S27) ^ ((key << S32) | (key >> S32)))*M2
    return z ^ (z >> S31)


@nb.njit(error_model="numpy")
def chain_(x, coefficients):
    """Horner's rule."""
    found = coefficients[len(coefficients) - 1]
    for i in range(len(coefficients) - 2, -1, -1):
        found = fma_(found, x, coefficients[i])
    return found


@nb.njit(error_model="numpy")
def polynomial_(x, parts):
    """A polynomial by its even and its odd part."""
    return fma_(chain_(x*x, parts[1]), x, chain_(x*x, parts[0]))


@nb.njit(error_model="numpy")
def square_(word):
    """The squared radius -2 log(u), u = 1 - (n + 1/2)/2^40."""
    bits = bits_(2.0 - number_((word & RADIUS) | RADIUS_ONE))
    exponent = (bits - HALF) & SIGNED
    t = number_(bits - exponent) - 1.0
    return fma_(float(np.int64(exponent)), EXPONENT_LOG, t*polynomial_(t, LOG))


@nb.njit(error_model="numpy")
def noise_(key, step, call, entry):
    """A standard normal draw; entries 2j and 2j + 1 are the pair that one word gives."""
    word = word_(key, step, call, entry//2)
    turned = (word << TURN) | (word >> BOTTOM)
    radius = number_(bits_(math.sqrt(square_(word))) ^ (turned & TOP))
    g = fma_(float(np.int64((turned & ANGLE) | ANGLE_ONE)), HALF_TURN, -0.5)
    return radius*polynomial_(g*g, COS) if entry % 2 == 0 else radius*g*polynomial_(g*g, SIN)


@nb.njit(error_model="numpy")
def uniform_(key, step, call, entry):
    """A draw on [0, 1)."""
    return float(word_(key, step, call, entry) >> S11)*UNIT


@nb.njit(error_model="numpy")
def draws(normal, seed, path, step, call, count):
    """The draws that a kernel makes for the entries 0..count-1 of one call."""
    out = np.empty(count)
    key = key_(seed, path)
    for i in range(count):
        out[i] = noise_(key, step, call, i) if normal else uniform_(key, step, call, i)
    return out
