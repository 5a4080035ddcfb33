"""Floor 2, the mathematics of rules: rule in, proved formulas out. Never runs a simulation.

May import floor 1 (`core`), sympy and z3; never `emit`, `catalog` or a higher floor. From a rule to an answer:
`linear` (matrix and characteristic polynomial) -> `schur` (conditions on its roots) -> `reduce` (what is implied is
dropped) -> `region` (the answer) -> `proof` (why it is right). `pool` holds the worker processes that can be ended when a
question takes too long. To add an analysis: one file that takes a `Linear` and returns a `Region` or a value.
"""
