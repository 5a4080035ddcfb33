"""A flow with everything it needs to be integrated: its rates in one vector, a work array for each path, its delays."""
from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.arithmetic import plain
from ..core.autodiff import derivative
from ..core.errors import ParameterError
from ..core.expr import Node, evaluate, leaf
from ..core.problem import Field
from ..core.values import plain_constant
from ..emit.rates import Place, rates_source
from ..emit.tape import inlined, tape_of
from . import compiled, tape
from .kept import settled
from .ode_rk import RATES
from .setup import Setup

HIGHER = re.compile(r"hess[2-9]")


def higher_derivative(problem: Any, n: int) -> Field | None:
    """D^n grad f(x)[a_1, ..., a_n] where the gradient is a traced expression: what modified equations ask for."""
    gradient = getattr(problem, "fields", {}).get("grad")
    if gradient is None or gradient.node is None:
        return None
    node, names = gradient.node, [f"a{i}" for i in range(1, n + 1)]
    for name in names:
        [node] = derivative([node], {leaf("state", "x"): leaf("state", name)})
    return Field(("x", *names), node, lambda *_: None)


@lru_cache(maxsize=256)
def compiled_rates(source: str, oracles: tuple[tuple[str, Any], ...]) -> Any:
    """The machine code of a right-hand side, with the one type that integrators take."""
    space = compiled.build(source, {f"{n}_": o for n, o in oracles})
    return settled(space["rates"], RATES.signature)


class System:
    """Rates of all states in one vector y: `rates(t, y, out, w)`, `start` (paths, n), `work(path)`; `kind` says how they run.

    kind: "tape" where everything is traced, "compiled" where a black box or an implicit part needs code of its own, "python".
    """

    def __init__(self, setup: Setup, problem: Any):
        self.setup, self.problem, self.program = setup, problem, setup.rule.program
        self.dims = [setup.states[s].shape[1] for s in setup.rule.state]
        self.edges = np.concatenate([[0], np.cumsum(self.dims)])
        self.start = np.concatenate([setup.states[s] for s in setup.rule.state], axis=1)
        self.numbers = {n: setup.number(n) for n in setup.numbers}
        self.fields = self._fields()
        self.pasts = tuple(dict.fromkeys(n for n in self.program.everything if n.op == "past"))
        self._how: tuple[str, Any, Any] | None = None
        if any(f.node is None for f in self.fields.values()):
            self.how()                                      # what cannot be traced may have something to say, here and now

    def how(self) -> tuple[str, Any, Any]:
        """(kind, rates, tape or None), made when first asked for: a series of its own needs none of them."""
        if self._how is None:
            sizes = {n: v.size for n, v in self.setup.vectors.items()}, {n: v.shape for n, v in self.setup.matrices.items()}
            outputs = inlined(self.program, self.fields)
            self._how = self._compile(*sizes) if outputs is None else \
                ("tape", tape.rates(), tape_of(self.program, outputs, self.dims, *sizes))
        return self._how

    @property
    def kind(self) -> str:
        return self.how()[0]

    @property
    def plain(self) -> bool:
        """Whether it runs as plain Python, which only what could not be traced does."""
        return any(f.node is None for f in self.fields.values()) and self.kind == "python"

    @property
    def rates(self) -> Any:
        return self.how()[1]

    @property
    def tape(self) -> Any:
        return self.how()[2]

    def _fields(self) -> dict[str, Field]:
        fields = {}
        for name in self.program.oracles:
            found = getattr(self.problem, "fields", {}).get(name)
            if found is None and name == "prox":
                found = Field(("u", "s"), leaf("state", "u"), lambda u, s: u)
            if found is None and HIGHER.fullmatch(name):
                found = higher_derivative(self.problem, int(name[4:]))
            if found is None:
                raise compiled.missing_oracle(self.setup.rule.name, name, self.problem)
            fields[name] = found
        return fields

    def _compile(self, vectors: dict, matrices: dict) -> tuple[str, Any, None]:
        """Code for rates that a tape cannot hold; plain Python where numba refuses."""
        d = self.dims[0]
        try:
            made = {n: compiled.compiled_field(n, f, lambda name, field: compiled.compile_black_box(name, field, d))
                    for n, f in self.fields.items()}
        except compiled.NotCompilable as reason:
            warnings.warn(f"{self.problem.name}: numba cannot compile this gradient ({str(reason):.200}); it runs as plain Python by scipy, "
                          "which is slow", RuntimeWarning, stacklevel=7)
            self.problem._kind = "python"
            return "python", self.declared, None
        if any(field.node is None for field in self.fields.values()):
            self.problem._kind = "compiled"
        self.data = {n: m[1] for n, m in made.items()}
        self.layout = rates_source(self.program, self.dims, vectors, matrices, {n: [a.shape for a in d] for n, d in self.data.items()})
        return "compiled", compiled_rates(self.layout.source, tuple((n, m[0]) for n, m in made.items())), None

    def declared(self, t: float, y: np.ndarray, out: np.ndarray, w: np.ndarray) -> None:
        """The declaration itself, on arrays."""
        rule = self.setup.rule
        states = [float(y[a]) if s in rule.scalars else y[a:b].copy() for s, a, b in zip(rule.state, self.edges, self.edges[1:])]
        values = {n: float(v[int(w[0]) % v.size]) for n, v in self.numbers.items()} | self.setup.vectors | self.setup.matrices
        values = {n: v for n, v in values.items() if n not in rule.bound}
        clocks = {c: {"t": t, "k": 0}[c] for c in rule.clocks}
        found = rule(*states, **values, **{n: self.fields[n] for n in rule.oracles}, **clocks)
        for a, b, r in zip(self.edges, self.edges[1:], found if isinstance(found, tuple) else (found,)):
            out[a:b] = r

    def work(self, path: int) -> np.ndarray:
        """The work array of a path: its parameters, the arrays that all share, scratch."""
        if self.kind == "python":
            return np.array([float(path)])
        if self.tape is not None:
            return tape.work_of(self.tape, lambda node: self._value(node, path))
        w = np.zeros(max(self.layout.size, 1))
        for place in self.layout.places:
            if place.kind != "past":
                w[place.start:place.stop] = np.ravel(self._content(place, path))
        return w

    def _value(self, node: Node, path: int) -> Any:
        """A parameter or a constant that a tape loads."""
        if node.op == "param":
            return 0.0 if node.data == "k" else self._parameter(node.data, path)
        return None if node.op == "past" else np.pi if node.op == "pi" else node.data.values if node.op == "array" else float(node.data)

    def _parameter(self, name: str, path: int) -> Any:
        found = self.numbers.get(name)
        if found is not None:
            return found[path % found.size]
        return self.setup.vectors[name] if name in self.setup.vectors else self.setup.matrices[name]

    def _content(self, place: Place, path: int) -> Any:
        if place.kind == "constant":
            return self.layout.constants[int(place.name)].data.values
        if place.kind == "data":
            oracle, _, index = place.name.partition(".")
            return self.data[oracle][int(index)]
        return self._parameter(place.name, path)

    def constant(self, node: Node, path: int, what: str = "a delay") -> float:
        """The value of an expression of parameters alone."""
        def value(n: Node) -> Any:
            if n.op == "param" and n.data in self.numbers:
                return float(self._parameter(n.data, path))
            if n.op in ("param", "state"):
                raise ParameterError(f"{self.setup.rule.name}: {what} depends on {n.data!r}, expected parameters that are numbers")
            return plain_constant(n, {})
        [found] = evaluate([node], value, plain)
        return float(found)

    def lags(self, path: int, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Delays, which part of y each refers to (start, length), and where its past state is written in the work array."""
        lags = np.array([self.constant(node.args[1], path) for node in self.pasts])
        if lags.size and not (np.isfinite(lags) & (lags >= 0)).all():
            raise ParameterError(f"{self.setup.rule.name}: a delay is {lags.min():g}, expected a time >= 0; write tau=1.0")
        owners = [self.program.state.index(node.args[0].data) for node in self.pasts]
        owner = np.array([[self.edges[j], self.dims[j]] for j in owners], dtype=np.int64).reshape(-1, 2)
        if self.tape is not None:
            starts = [tape.past_row(self.tape, w, node) for node in self.pasts]
        else:
            starts = [p.start for p in self.layout.places if p.kind == "past"] if self.kind == "compiled" else []
        return lags, owner, np.array(starts, dtype=np.int64)

    def split(self, y: np.ndarray) -> dict[str, np.ndarray]:
        """States by name from vectors (..., n)."""
        return {s: y[..., a:b] for s, a, b in zip(self.setup.rule.state, self.edges, self.edges[1:])}
