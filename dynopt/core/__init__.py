"""Floor 1, the waist: what a rule is, how it is traced, what it acts on and what comes out.

May import numpy and the standard library; never numba, matplotlib or a higher floor. To add an operation of the traced
language: one row in `ops.py`, one function in `functions.py`, its derivative in `autodiff.py`.
"""
