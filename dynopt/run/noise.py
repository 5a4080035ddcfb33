"""Random draws keyed by (seed, path, step, call, entry): Philox4x32-10 (Salmon et al. 2011, fig. 2) and Box-Muller.

A draw is a pure function of its key, so that the same path sees the same noise on any number of threads and in any order.
"""
from __future__ import annotations

import math

import numba as nb
import numpy as np

MASK = np.uint64(0xFFFFFFFF)
M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
S32, S11, ONE = np.uint64(32), np.uint64(11), np.uint64(1)
TO_UNIT = 2.0**-53


@nb.njit(inline="always", error_model="numpy")
def philox(c0, c1, c2, c3, k0, k1):
    """Ten rounds on a counter of four and a key of two 32-bit words held in uint64."""
    for _ in range(10):
        p0, p1 = M0*c0, M1*c2
        c0, c1, c2, c3 = ((p1 >> S32) ^ c1 ^ k0) & MASK, p1 & MASK, ((p0 >> S32) ^ c3 ^ k1) & MASK, p0 & MASK
        k0, k1 = (k0 + W0) & MASK, (k1 + W1) & MASK
    return c0, c1, c2, c3


@nb.njit(error_model="numpy")
def key_(seed, path):
    """A 64-bit key for (seed, path) by the finalizer of splitmix64, applied to each in turn."""
    z = np.uint64(seed)
    for word in (np.uint64(0x9E3779B97F4A7C15), np.uint64(path)*np.uint64(0xD1342543DE82EF95) + ONE):
        z = z + word
        z = (z ^ (z >> np.uint64(30)))*np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27)))*np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return z


@nb.njit(inline="always", error_model="numpy")
def _units(key, step, call, entry):
    """Two numbers on [0, 1) from the block of this entry."""
    step, entry = np.uint64(step), np.uint64(entry)
    a, b, c, d = philox(entry & MASK, np.uint64(call), step & MASK, step >> S32, key & MASK, key >> S32)
    return float(((a << S32) | b) >> S11)*TO_UNIT, float(((c << S32) | d) >> S11)*TO_UNIT


@nb.njit(error_model="numpy")
def noise_(key, step, call, entry):
    """A standard normal draw; entries 2j and 2j + 1 are the pair that one block gives."""
    u, w = _units(key, step, call, entry//2)
    radius, angle = math.sqrt(-2.0*math.log(1.0 - u)), 2.0*math.pi*w
    return radius*math.cos(angle) if entry % 2 == 0 else radius*math.sin(angle)


@nb.njit(error_model="numpy")
def uniform_(key, step, call, entry):
    """A draw on [0, 1)."""
    u, w = _units(key, step, call, entry//2)
    return u if entry % 2 == 0 else w


@nb.njit(error_model="numpy")
def draws(normal, seed, path, step, call, count):
    """The draws that a kernel makes for the entries 0..count-1 of one call."""
    out = np.empty(count)
    key = key_(seed, path)
    for i in range(count):
        out[i] = noise_(key, step, call, i) if normal else uniform_(key, step, call, i)
    return out
