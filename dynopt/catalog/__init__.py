"""Floor 2: what is declared and nothing else: flows, schemes, methods, blocks, problems, each with its source.

May import core only. To add a method: one function in `methods.py`, at most eight lines; tests, gallery and pages pick it up.
"""
