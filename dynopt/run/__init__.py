"""Floor 3: the numba core and what drives it: iterate, solve, noise, compilation, curvature.

May import core, emit, catalog and theory; never plot. To add a runner: a module here, its public name in `dynopt/__init__.py`.
"""
