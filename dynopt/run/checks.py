"""Whether what a run is given fits together: the problem, the lengths of vectors, the entries that a function takes."""
from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..core.errors import ParameterError, ParameterTypeError
from ..core.expr import Node, leaf, walk
from ..core.problem import Field
from ..core.rule import Rule
from ..emit.layout import Layout

_fitting: set[tuple] = set()                            # programs and lengths that were found to fit


def check_problem(rule: Rule, problem: Any) -> None:
    """A problem is a Problem or a Game (anything with `fields`), or None for a rule that calls no oracle of one."""
    if problem is None or hasattr(problem, "fields"):
        return
    cure = "write Problem(f)" if callable(problem) else "write quadratic([1, 10]) or Problem(f)"
    raise ParameterTypeError(f"{rule.name}: the problem is {type(problem).__name__} {problem!r:.40}, expected a Problem or a Game; {cure}")


def check_dimension(rule: Rule, problem: Any, states: dict[str, np.ndarray], vectors: dict[str, np.ndarray]) -> None:
    """The start has the dimension of the problem, and every entry that the problem takes is there."""
    first = rule.leading
    d, wanted = states[first].shape[-1], getattr(problem, "dim", None)
    if wanted is not None and d != wanted:
        raise ParameterError(f"{rule.name}: x0 has shape {states[first].shape}, and {problem.name} has dimension {wanted}; "
                             f"expected shape ({wanted},), or (paths, {wanted}) for an ensemble")
    needed = max(map(_entries, getattr(problem, "fields", {}).values()), default=0)
    if needed > d and "grad" in problem.fields:
        raise ParameterError(f"{rule.name}: x0 has {d} entries, and {problem.name} takes x[{needed - 1}]; expected at least {needed}")
    for name, value in vectors.items():
        if value.size not in (d, *(s.shape[-1] for s in states.values())):
            raise ParameterError(f"{rule.name}: {name} = per_coordinate of {value.size} values, expected {d}, one for each "
                                 "coordinate of x0")


@lru_cache(maxsize=1024)
def _entries(field: Field) -> int:
    """How many entries a vector must have for every x[i] of an oracle's expression to exist."""
    taken = [n.data for n in walk([field.node] if field.node is not None else []) if n.op == "item" and n.args[0].op == "state"]
    return max((i + 1 if i >= 0 else -i for i in taken), default=0)


def check_lengths(rule: Rule, states: dict[str, np.ndarray], vectors: dict[str, np.ndarray], matrices: dict[str, np.ndarray]) -> None:
    """States and per-coordinate parameters that the rule combines entry by entry have one length."""
    program = rule.program
    fitting = (program.key, *(tuple((n, v.shape[-1]) for n, v in found.items()) for found in (states, vectors, matrices)))
    if fitting in _fitting:
        return
    wide = {leaf("state", s): (f"x0[{s!r}]", states[s].shape[-1]) for s in rule.state if s not in rule.scalars}
    wide |= {leaf("param", p): (p, v.size) for p, v in vectors.items()}
    constants = [n for n in program.everything if n.op == "array" and n.data.values.ndim == 2]
    layout = Layout(program.outputs, wide, [*(leaf("param", p) for p in matrices), *constants])
    known: dict[Node, tuple[str, int]] = {}
    pairs = [(node, told) for node, told in wide.items() if node in layout.scalar]
    pairs += [(out, wide[leaf("state", s)]) for s, out in zip(program.state, program.outputs)
              if s not in rule.scalars and not layout.scalar[out]]
    for node, (name, size) in pairs:
        other, length = known.setdefault(layout.group(node), (name, size))
        if length != size:
            raise ParameterError(f"{rule.name}: {name} has {size} entries and {other} has {length}, expected one length, since the rule "
                                 "combines them entry by entry")
    if len(_fitting) > 4096:
        _fitting.clear()
    _fitting.add(fitting)
