"""Dense linear systems inside compiled integrators, real or complex (LAPACK's wrappers take long to compile and to load)."""
from __future__ import annotations

import numba as nb


@nb.njit(nogil=True, error_model="numpy")
def factor(A, order):
    """LU decomposition in place with partial pivoting; False where it is singular."""
    n = A.shape[0]
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[best, k]):
                best = i
        if not abs(A[best, k]) > 0.0:
            return False
        order[k] = best
        if best != k:
            for j in range(n):
                A[k, j], A[best, j] = A[best, j], A[k, j]
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k]*A[k, j]
    return True


@nb.njit(nogil=True, error_model="numpy")
def back(A, order, b):
    """Solve with the decomposition, in place."""
    n = A.shape[0]
    for k in range(n):
        if order[k] != k:
            b[k], b[order[k]] = b[order[k]], b[k]
    for i in range(n):
        for j in range(i):
            b[i] -= A[i, j]*b[j]
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            b[i] -= A[i, j]*b[j]
        b[i] /= A[i, i]
