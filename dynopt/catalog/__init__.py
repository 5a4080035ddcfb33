"""Floor 2: what is declared and nothing else: flows, schemes, methods, blocks, problems, each with its source.

May import core only. To add a method: one function in a file `methods*.py`, at most eight lines, with its source and,
above it, `@example(...)`: parameters at which it runs. The registry in `index.py` finds it; tests, gallery and pages go through that.
"""
