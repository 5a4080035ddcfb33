"""States a lag ago, from the record of a run and from the history before it, as kernels read them."""
from __future__ import annotations

import numba as nb


@nb.njit(nogil=True, error_model="numpy")
def copy(a, first, n, out, to):
    """n entries of one vector into another (a slice assigned to a slice takes numba ten seconds, for the words of its error)."""
    for i in range(n):
        out[to + i] = a[first + i]


@nb.njit(nogil=True, error_model="numpy")
def recorded(at, a, n, hist_t, hist_c, count, w, to):
    """Write n entries from a on at a time of the record; beyond its end the last step goes on."""
    lo, hi = 0, count - 1
    while lo < hi:
        middle = (lo + hi + 1)//2
        if hist_t[middle] <= at:
            lo = middle
        else:
            hi = middle - 1
    u = (at - hist_t[lo])/(hist_t[lo + 1] - hist_t[lo])
    for i in range(n):
        value = 0.0
        for k in range(hist_c.shape[1] - 1, -1, -1):
            value = value*u + hist_c[lo, k, a + i]
        w[to + i] = value


@nb.njit(nogil=True, error_model="numpy")
def past_states(t, memory, hist_t, hist_c, count, y, w):
    """Write the states a lag ago where the rates look for them; memory = (lags, owners, places in w, state before the record)."""
    lags, owner, offset, before = memory
    for m in range(lags.shape[0]):
        at, a, n, to = t - lags[m], owner[m, 0], owner[m, 1], offset[m]
        if lags[m] == 0.0:
            copy(y, a, n, w, to)
        elif count == 0 or at <= hist_t[0]:
            copy(before, a, n, w, to)
        else:
            recorded(at, a, n, hist_t, hist_c, count, w, to)


@nb.njit(nogil=True, error_model="numpy")
def rates_at(rates, t, lo, hi, memory, hist_t, hist_c, count, y, out, w):
    """The rates at a time within [lo, hi], past states in place; delayed times keep to their side of a break too."""
    t = min(max(t, lo), hi)
    past_states(t, memory, hist_t, hist_c, count, y, w)
    rates(t, y, out, w)
