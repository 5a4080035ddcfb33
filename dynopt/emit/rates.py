"""The right-hand side of a flow as one function `rates(t, y, out, w)` with the same type whatever the flow is.

`y` and `out` hold all states one after another; `w`, the work array of a path, holds parameters, arrays, past states and
scratch. Integrators are therefore compiled once, and a new flow compiles its own few lines only.
"""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence

from ..core.expr import Node, leaf
from ..core.program import Program
from .functions import residual_source
from .layout import Layout
from .loops import Lines, Printer
from .lower import Lowered


@dataclass(frozen=True)
class Place:
    """Where something lies in the work array: kind is number, vector, matrix, constant, past or data (of an oracle)."""

    kind: str
    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)


@dataclass(frozen=True)
class Rates:
    """Source of `rates(t, y, out, w)`, the places in `w`, its length, and the constant arrays and past nodes it refers to."""

    source: str
    places: tuple[Place, ...]
    size: int
    constants: tuple[Node, ...]
    pasts: tuple[Node, ...]


def rates_source(program: Program, dims: Sequence[int], vectors: dict[str, int], matrices: dict[str, tuple[int, ...]],
                 data: dict[str, list[tuple[int, ...]]]) -> Rates:
    """The rates of a flow whose states have the lengths `dims` and whose oracles hold arrays of the shapes in `data`."""
    states = [leaf("state", s) for s in program.state]
    wide = [s for s in states if s.data not in program.scalars]
    params = sorted(program.params - {"k", "t"})
    constants = tuple(dict.fromkeys(n for n in program.everything if n.op == "array"))
    pasts = tuple(dict.fromkeys(n for n in program.everything if n.op == "past"))
    layout = Layout(program.outputs, [*wide, *(leaf("param", p) for p in vectors)],
                    [*(leaf("param", p) for p in matrices), *(c for c in constants if c.data.values.ndim == 2)])
    places = place_all(params, vectors, matrices, constants, _more(program, pasts, data, dims))
    names = _names(states, program, params, constants, pasts)
    lowered = Lowered(program.outputs, layout, program.nodes)
    outputs: dict[Node, str] = {}
    for j, node in enumerate(program.outputs):
        if node in lowered.stored and node not in outputs:
            outputs[node] = f"nx{j}"
    printer = Printer(lowered, names | outputs, _sizes(layout, states, program, dims, constants, names))
    body = Lines()
    printer.body(body)
    lines = Lines()
    size = _head(lines, program, printer, places, dims, layout)
    lines.extend(body)
    _tail(lines, program, printer, outputs, dims)
    residuals = "".join(residual_source(i, n, layout) + "\n" for i, n in enumerate(printer.roots_used))
    return Rates(residuals + "def rates(t, y, out, w):\n" + "\n".join(lines) + "\n", places, size, constants, pasts)


def place_all(params: list[str], vectors: dict[str, int], matrices: dict[str, tuple[int, ...]], constants: Sequence[Node],
              more: Sequence[tuple[str, str, tuple[int, ...]]] = ()) -> tuple[Place, ...]:
    """Places one after another in the work array."""
    wanted: list[tuple[str, str, tuple[int, ...]]] = []
    for p in params:
        kind = "vector" if p in vectors else "matrix" if p in matrices else "number"
        wanted.append((kind, p, (vectors[p],) if p in vectors else matrices.get(p, (1,))))
    wanted += [("constant", str(i), c.data.values.shape) for i, c in enumerate(constants)]
    places, at = [], 0
    for kind, name, shape in [*wanted, *more]:
        places.append(Place(kind, name, at, tuple(shape)))
        at = places[-1].stop
    return tuple(places)


def _more(program: Program, pasts: tuple, data: dict, dims: Sequence[int]) -> list[tuple[str, str, tuple[int, ...]]]:
    """Past states and the arrays of oracles."""
    return [*(("past", str(i), (dims[program.state.index(n.args[0].data)],)) for i, n in enumerate(pasts)),
            *(("data", f"{o}.{i}", shape) for o, shapes in data.items() for i, shape in enumerate(shapes))]


def _names(states: list[Node], program: Program, params: list[str], constants: tuple, pasts: tuple) -> dict[Node, str]:
    names = {s: f"z{j}" if s.data in program.scalars else f"s{j}" for j, s in enumerate(states)}
    names |= {leaf("param", p): f"p_{i}" for i, p in enumerate(params)} | {leaf("param", "t"): "t", leaf("param", "k"): "0.0"}
    return names | {c: f"c{i}" for i, c in enumerate(constants)} | {n: f"past{i}" for i, n in enumerate(pasts)}


def _sizes(layout: Layout, states: list[Node], program: Program, dims: Sequence[int], constants: tuple, names: dict) -> dict[Node, str]:
    """Lengths of groups, as numbers: the states of a run are known when its rates are written."""
    sizes: dict[Node, str] = {}
    for s, d in zip(states, dims):
        if s.data not in program.scalars and s in layout.scalar:
            sizes.setdefault(layout.group(s), str(d))
    for node in layout.order:
        if node.op == "array" and node not in layout.matrices:
            sizes.setdefault(layout.group(node), f"{names[node]}.shape[0]")
        elif node.op == "matmul":
            sizes.setdefault(layout.group(node), f"{names.get(node.args[0], 'c0')}.shape[0]")
    first = str(next((d for s, d in zip(states, dims) if s.data not in program.scalars), 1))
    return {layout.group(n): sizes.get(layout.group(n), first) for n in layout.order if not layout.scalar[n]} | sizes


def _view(place: Place, scalar: bool = False) -> str:
    if place.kind == "number" or scalar:
        return f"w[{place.start}]"
    shape = "" if len(place.shape) == 1 else f".reshape({place.shape})"
    return f"w[{place.start}:{place.stop}]{shape}"


def _head(lines: Lines, program: Program, printer: Printer, places: tuple[Place, ...], dims: Sequence[int], layout: Layout) -> int:
    """Names for the parts of y, out and w; returns the length that w needs, scratch included."""
    at = 0
    for j, (s, d) in enumerate(zip(program.state, dims)):
        lines.add(f"z{j} = y[{at}]" if s in program.scalars else f"s{j} = y[{at}:{at + d}]", f"nx{j} = out[{at}:{at + d}]")
        at += d
    params = sorted(program.params - {"k", "t"})
    pasts = list(dict.fromkeys(n for n in program.everything if n.op == "past"))
    for place in places:
        if place.kind == "data":
            continue
        name = {"constant": f"c{place.name}", "past": f"past{place.name}"}.get(place.kind) or f"p_{params.index(place.name)}"
        lines.add(f"{name} = {_view(place, place.kind == 'past' and layout.scalar[pasts[int(place.name)]])}")
    for oracle in dict.fromkeys(p.name.partition(".")[0] for p in places if p.kind == "data"):
        views = [_view(p) for p in places if p.kind == "data" and p.name.partition(".")[0] == oracle]
        lines.add(f"data_{oracle} = ({', '.join(views)},)")
    lines.add(*(f"data_{o} = ()" for o in program.oracles if not any(p.name.startswith(o + ".") for p in places)), "solved = True")
    size = places[-1].stop if places else 0
    for name, length in printer.temporaries.items():
        if length.isdigit():
            lines.add(f"{name} = w[{size}:{size + int(length)}]")
            size += int(length)
        else:
            lines.add(f"{name} = np.empty({length})")
    return size


def _tail(lines: Lines, program: Program, printer: Printer, outputs: dict[Node, str], dims: Sequence[int]) -> None:
    for j, (node, d) in enumerate(zip(program.outputs, dims)):
        if outputs.get(node) != f"nx{j}":
            lines.add(f"for i in range({d}):", f"    nx{j}[i] = {printer.value(node, {})}")
    lines.add("if not solved:", "    out[0] = np.nan")
