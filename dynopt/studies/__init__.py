"""Floor 5: claims about optimizers made exact, each a small study: declare, derive, measure, compare, draw.

One module a family; imports `dynopt` alone (and numpy), never sympy. To add a study: one function of 10-40 lines under @study in
the module of its family, with its reference in `tests/data/studies.json`; the command line, the gallery and the tests find it.
"""
