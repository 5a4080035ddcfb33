"""A flow with everything it needs to be integrated: compiled rates, one work array for each path, lags, breaks."""
from __future__ import annotations

import warnings
from functools import cached_property, lru_cache
from typing import Any

import numba as nb
import numpy as np

from ..core.arithmetic import plain
from ..core.errors import ParameterError
from ..core.expr import Node, evaluate, leaf
from ..core.problem import Field
from ..core.values import plain_constant
from ..emit.rates import Place, Rates, rates_source
from ..emit.taylor import Jets, inlined
from . import compiled
from .ode_rk import RATES
from .setup import Setup


@lru_cache(maxsize=256)
def compiled_rates(source: str, oracles: tuple[tuple[str, Any], ...]) -> Any:
    """The machine code of a right-hand side, with the one type that integrators take."""
    space = compiled.build(source, {f"{n}_": o for n, o in oracles})
    return nb.njit(RATES.signature, nogil=True, error_model="numpy")(space["rates"].py_func)


@lru_cache(maxsize=256)
def compiled_jets(source: str) -> Any:
    """The machine code of Taylor coefficients."""
    from .ode_taylor import JETS
    return nb.njit(JETS.signature, nogil=True, error_model="numpy")(compiled.build(source, {})["jets"].py_func)


class System:
    """Rates of all states in one vector y: `rates(t, y, out, w)`, `start` (paths, n), `work(path)`."""

    def __init__(self, setup: Setup, problem: Any):
        self.setup, self.problem, self.program = setup, problem, setup.rule.program
        self.dims = [setup.states[s].shape[1] for s in setup.rule.state]
        self.edges = np.concatenate([[0], np.cumsum(self.dims)])
        self.start = np.concatenate([setup.states[s] for s in setup.rule.state], axis=1)
        self.fields = self._fields()
        self.python = False
        try:
            oracles, data = self._compile()
        except compiled.NotCompilable as reason:
            self._fall_back(str(reason))
        else:
            self.layout = rates_source(self.program, self.dims, {n: v.size for n, v in setup.vectors.items()},
                                       {n: v.shape for n, v in setup.matrices.items()}, {n: [a.shape for a in d] for n, d in data.items()})
            self.data = data
            self.rates = compiled_rates(self.layout.source, tuple(oracles.items()))
        self.numbers = {n: setup.number(n) for n in setup.numbers}

    def _fields(self) -> dict[str, Field]:
        fields = {}
        for name in self.program.oracles:
            found = getattr(self.problem, "fields", {}).get(name)
            if found is None and name == "prox":
                found = Field(("u", "s"), leaf("state", "u"), lambda u, s: u)
            if found is None:
                raise compiled.missing_oracle(self.setup.rule.name, name, self.problem)
            fields[name] = found
        return fields

    def _compile(self) -> tuple[dict[str, Any], dict[str, tuple]]:
        d = self.dims[0]
        made = {n: compiled.compiled_field(n, f, lambda name, field: compiled.compile_black_box(name, field, d)) for n, f in self.fields.items()}
        return {n: m[0] for n, m in made.items()}, {n: m[1] for n, m in made.items()}

    def _fall_back(self, reason: str) -> None:
        warnings.warn(f"{self.problem.name}: numba cannot compile this gradient ({reason:.200}); it runs as plain Python by scipy, which is slow",
                      RuntimeWarning, stacklevel=6)
        self.problem._kind, self.python = "python", True
        self.layout, self.data = Rates("", (), 0, (), ()), {}
        self.rates = self._plain_rates

    def _plain_rates(self, t: float, y: np.ndarray, out: np.ndarray, w: np.ndarray) -> None:
        """The declaration itself, on arrays."""
        rule = self.setup.rule
        states = [float(y[a]) if s in rule.scalars else y[a:b].copy() for s, a, b in zip(rule.state, self.edges, self.edges[1:])]
        values = {n: float(self.numbers[n][int(w[0]) % self.numbers[n].size]) for n in self.numbers} | self.setup.vectors | self.setup.matrices
        values = {n: v for n, v in values.items() if n not in rule.bound}
        clocks = {c: {"t": t, "k": 0}[c] for c in rule.signature.clocks}
        found = rule(*states, **values, **{n: self.fields[n] for n in rule.oracles}, **clocks)
        for a, b, r in zip(self.edges, self.edges[1:], found if isinstance(found, tuple) else (found,)):
            out[a:b] = r

    @cached_property
    def jets(self) -> Jets | None:
        """Recurrences for Taylor coefficients, where every oracle and operation has them."""
        outputs = None if self.python else inlined(self.program, self.fields)
        if outputs is None:
            return None
        sizes = {n: v.size for n, v in self.setup.vectors.items()}, {n: v.shape for n, v in self.setup.matrices.items()}
        jets = Jets(self.program, outputs, self.dims, *sizes)
        self.jets_layout = jets.source()
        return jets

    def work(self, path: int, layout: Rates | None = None) -> np.ndarray:
        """The work array of a path: its parameters and the arrays that all share."""
        if self.python:
            return np.array([float(path)])
        layout = layout or self.layout
        w = np.zeros(max(layout.size, 1))
        for place in layout.places:
            if place.kind != "past":
                w[place.start:place.stop] = np.ravel(self._content(place, path, layout))
        return w

    def _content(self, place: Place, path: int, layout: Rates) -> Any:
        if place.kind == "number":
            values = self.numbers[place.name]
            return values[path % values.size]
        if place.kind == "constant":
            return layout.constants[int(place.name)].data.values
        if place.kind == "data":
            oracle, _, index = place.name.partition(".")
            return self.data[oracle][int(index)]
        return (self.setup.vectors if place.kind == "vector" else self.setup.matrices)[place.name]

    def constant(self, node: Node, path: int, t: float = 0.0, what: str = "a delay") -> float:
        """The value of an expression of parameters (and the time) alone."""
        def value(n: Node) -> Any:
            if n.op == "param":
                return t if n.data == "t" else float(self.numbers[n.data][path % self.numbers[n.data].size])
            if n.op == "state":
                raise ParameterError(f"{self.setup.rule.name}: {what} depends on the state {n.data!r}, expected parameters only")
            return plain_constant(n, {})
        [found] = evaluate([node], value, plain)
        return float(found)

    def lags(self, path: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Delays, which part of y each refers to (start, length), and where its past state is written in the work array."""
        places = [p for p in self.layout.places if p.kind == "past"]
        lags = np.array([self.constant(node.args[1], path) for node in self.layout.pasts])
        if lags.size and not (np.isfinite(lags) & (lags >= 0)).all():
            raise ParameterError(f"{self.setup.rule.name}: a delay is {lags.min():g}, expected a time >= 0; write tau=1.0")
        owners = [self.program.state.index(node.args[0].data) for node in self.layout.pasts]
        owner = np.array([[self.edges[j], self.dims[j]] for j in owners], dtype=np.int64).reshape(-1, 2)
        return lags, owner, np.array([p.start for p in places], dtype=np.int64)

    def split(self, y: np.ndarray) -> dict[str, np.ndarray]:
        """States by name from vectors (..., n)."""
        return {s: y[..., a:b] for s, a, b in zip(self.setup.rule.state, self.edges, self.edges[1:])}
