"""Floor 2, the mathematics of rules: rule in, proved formulas out. Never runs a simulation.

May import floor 1 (`core`), sympy and z3; never `emit`, `catalog` or a higher floor. From a rule to an answer:
`linear` (matrix and characteristic polynomial; `forms`, `limits`, `scalars`, `freezing` say what a rule means on a mode) ->
`schur` (conditions on its roots) -> `reduce` (what is implied is dropped) -> `region` (the answer; `show` writes it, `solve`
takes it apart) -> `claim` and `proof` (why it is right). Relations are `atoms`: products of polynomials against zero.
`pool` holds the worker processes that can be ended when a
question takes too long. To add an analysis: one file that takes a `Linear` and returns a `Region` or a value.
"""
