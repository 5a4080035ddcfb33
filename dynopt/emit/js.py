"""Lowered programs as JavaScript: element loops on Float64Array, oracles called in place as `grad(x, out)`.

What is printed is a function expression `(o, d, c) => step`: oracles, dimensions and constant arrays are bound once, then
`step(s, nx, p, k, t, key, h)` writes the next states into `nx` and says whether every implicit equation was solved. Names in
the source are made here (s0, p1, w3, ...), never taken from the user; what the source calls stands in `runtime.js`.
"""
from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Iterable, Sequence

import numpy as np

from ..core.expr import Node, leaf, walk
from ..core.program import Program
from .js_printer import JsLines, JsPrinter, literal
from .layout import Layout
from .lower import Lowered


@dataclass(frozen=True)
class JsFunction:
    """Source of a function `(o, d, c) => step` and what its arguments hold, in order."""

    source: str
    params: tuple[str, ...] = ()                    # the numbers in p
    arrays: tuple[tuple[str, str], ...] = ()        # (kind, name): constant, vector, matrix in c
    constants: tuple[np.ndarray, ...] = ()          # values of the arrays of kind "constant"
    oracles: tuple[str, ...] = ()                   # names of the functions in o


def runtime() -> str:
    """The ES module that every printed function needs: draws, Newton's method, products with matrices, `iterate`."""
    return files("dynopt.emit").joinpath("runtime.js").read_text(encoding="utf-8")


def js_step(program: Program, vectors: Iterable[str] = (), matrices: Iterable[str] = ()) -> JsFunction:
    """One step of a method (the rates of a flow); parameters named in `vectors` and `matrices` are arrays, the others numbers."""
    vectors, matrices = sorted(vectors), sorted(matrices)
    numbers = sorted(program.params - {"k", "t"} - set(vectors) - set(matrices))
    constants = list(dict.fromkeys(n for n in program.everything if n.op == "array"))
    arrays = [*constants, *(leaf("param", n) for n in (*vectors, *matrices))]
    oracles = [o for o in program.oracles if not o.startswith(("noise", "uniform"))]
    pasts = list(dict.fromkeys(n for n in program.everything if n.op == "past"))
    names = {leaf("state", s): f"z{j}" if s in program.scalars else f"s{j}" for j, s in enumerate(program.state)}
    names |= {leaf("param", n): f"p{j}" for j, n in enumerate(numbers)} | {a: f"c{j}" for j, a in enumerate(arrays)}
    names |= {leaf("param", "k"): "k", leaf("param", "t"): "t"} | {n: f"past{j}" for j, n in enumerate(pasts)}
    printer, outputs = _printer(program, names, vectors, matrices, {o: f"o{j}" for j, o in enumerate(oracles)})
    body = JsLines(2)
    if program.stride is not None:
        body.add(f"t += k*({printer.inline(program.stride)} - 1);")                 # the caller knows no h and has counted steps of 1
    body.add(*(_past(n, f"past{i}", program, printer) for i, n in enumerate(pasts)))
    printer.body(body)
    _outputs(body, program, printer, outputs)
    outer = [f"const {letter}{j} = {letter}[{j}];" for letter, many in (("o", oracles), ("d", program.state), ("c", arrays))
             for j in range(len(many))]
    head = [f"const {names[leaf('state', s)]} = s[{j}]{'[0]' if s in program.scalars else ''}, nx{j} = nx[{j}];"
            for j, s in enumerate(program.state)]
    head += [*(f"const p{j} = p[{j}];" for j in range(len(numbers))), "let solved = true;"]
    source = _function(outer, printer, "(s, nx, p, k, t, key, h)", head, body, "return solved;")
    kinds = [*(("constant", str(j)) for j in range(len(constants)))]
    kinds += [*(("vector", n) for n in vectors), *(("matrix", n) for n in matrices)]
    return JsFunction(source, tuple(numbers), tuple(kinds), tuple(c.data.values for c in constants), tuple(oracles))


def _printer(program: Program, names: dict[Node, str], vectors: list[str], matrices: list[str],
             oracles: dict[str, str]) -> tuple[JsPrinter, dict[Node, str]]:
    """The printer of a program, and which outputs it writes straight into the next state."""
    wide = {leaf("state", s): f"d{j}" for j, s in enumerate(program.state) if s not in program.scalars}
    flat = [n for n in program.everything if n.op == "array" and n.data.values.ndim == 2]
    layout = Layout(program.outputs, [*wide, *(leaf("param", n) for n in vectors)],
                    [*flat, *(leaf("param", n) for n in matrices)])
    lowered = Lowered(program.outputs, layout, program.nodes)
    outputs: dict[Node, str] = {}
    for j, out in enumerate(program.outputs):
        if out in lowered.stored:
            outputs.setdefault(out, f"nx{j}")
    return JsPrinter(lowered, names | outputs, _sizes(layout, wide, names), oracles), outputs


def _past(node: Node, name: str, program: Program, printer: JsPrinter) -> str:
    j = program.state.index(node.args[0].data)
    length, entry = ("1", "[0]") if node.args[0].data in program.scalars else (f"d{j}", "")
    return f"const {name} = past_(h[{j}], k - {printer.value(node.args[1], {})}, {length}){entry};"


def js_field(args: Sequence[str], node: Node, value: bool = False) -> JsFunction:
    """A traced field as `(o, d, c) => (x0, ..., out)`, or as a function that returns a number where `value`."""
    inputs = [Node("state", data=a) for a in args]
    order = walk([node])
    arrays = list(dict.fromkeys(n for n in order if n.op == "array"))
    layout = Layout([node], vectors=inputs, matrices=[a for a in arrays if a.data.values.ndim == 2])
    lowered = Lowered([node], layout, order)
    names = {n: f"x{i}" for i, n in enumerate(inputs)} | {a: f"c{i}" for i, a in enumerate(arrays)}
    if not value and not layout.scalar[node]:
        names.setdefault(node, "out")
    sizes = _sizes(layout, {n: f"d{i}" for i, n in reversed(list(enumerate(inputs))) if n in layout.scalar}, names)
    printer = JsPrinter(lowered, names, sizes, {})
    body = JsLines(2)
    printer.body(body)
    end = ""
    if value:
        end = f"return {printer.value(node, {})};"
    elif layout.scalar[node]:
        end = f"out.fill({printer.value(node, {})});"
    elif printer.names[node] != "out":
        end = f"out.set({printer.names[node]});"
    outer = [*(f"const d{i} = d[{i}];" for i in range(len(inputs))), *(f"const c{i} = c[{i}];" for i in range(len(arrays)))]
    signature = ", ".join([*(f"x{i}" for i in range(len(inputs))), *([] if value else ["out"])])
    source = _function(outer, printer, f"({signature})", [], body, end)
    return JsFunction(source, (), tuple(("constant", str(j)) for j in range(len(arrays))), tuple(a.data.values for a in arrays))


def js_numbers(nodes: Sequence[Node], names: Sequence[str]) -> str:
    """Numbers that depend on numbers, as `(p, out) => out`; `names` are the parameters in p, in order."""
    known = {leaf("param", n): f"p[{j}]" for j, n in enumerate(names)}
    order = walk(list(nodes))
    lowered = Lowered(nodes, Layout(nodes, ()), order)
    printer = JsPrinter(lowered, known, {}, {})
    body = JsLines(1)
    printer.body(body)
    body.add(*(f"out[{j}] = {printer.value(n, {})};" for j, n in enumerate(nodes)), "return out;")
    return "(p, out) => {\n" + "\n".join(body) + "\n}"


def js_array(values: np.ndarray) -> str:
    """A constant array, to the last bit: a Float64Array, or for a matrix an object {rows, data}."""
    flat = f"new Float64Array([{','.join(literal(v) for v in np.ravel(values).tolist())}])"
    return flat if np.ndim(values) == 1 else f"{{rows: {values.shape[0]}, data: {flat}}}"


def _sizes(layout: Layout, known: dict[Node, str], names: dict[Node, str]) -> dict[Node, str]:
    """The length of every group of vectors, as source."""
    sizes: dict[Node, str] = {}
    for node, size in known.items():
        if node in layout.scalar:
            sizes.setdefault(layout.group(node), size)
    for node in layout.order:
        if node in layout.matrices or layout.scalar[node]:
            continue
        if node.op == "array" or (node.op == "param" and node in layout.vectors):
            sizes.setdefault(layout.group(node), f"{names[node]}.length")
        elif node.op == "matmul":
            sizes.setdefault(layout.group(node), f"{names[node.args[0]]}.rows")
    first = next(iter(known.values()), "1")
    return {layout.group(n): sizes.get(layout.group(n), first) for n in layout.order if not layout.scalar[n]} | sizes


def _outputs(body: JsLines, program: Program, printer: JsPrinter, outputs: dict[Node, str]) -> None:
    for j, out in enumerate(program.outputs):
        if program.state[j] in program.scalars:
            body.add(f"nx{j}[0] = {printer.value(out, {})};")
        elif printer.layout.scalar[out]:
            body.add(f"nx{j}.fill({printer.value(out, {})});")
        elif outputs.get(out) != f"nx{j}":
            body.add(f"nx{j}.set({printer.names[out]});")


def _function(outer: list[str], printer: JsPrinter, signature: str, head: list[str], body: JsLines, end: str) -> str:
    temporaries = [f"const {n} = new Float64Array({s});" for n, s in printer.temporaries.items()]
    lines = [*("  " + line for line in (*outer, *temporaries)), f"  return {signature} => {{", *("    " + line for line in head),
             *body, *(["    " + end] if end else []), "  };"]
    return "(o, d, c) => {\n" + "\n".join(lines) + "\n}"
