"""The kernel that iterates a method: paths by steps, oracles called in place, rows recorded, blow-ups stopped."""
from __future__ import annotations

from dataclasses import dataclass

from ..core.expr import Node, leaf
from ..core.program import Program, stride_of
from .functions import residual_source
from .layout import Layout
from .loops import Lines, Printer
from .lower import Lowered

LIMIT, LARGE = "1e50", "1e8"                        # beyond LIMIT a path has diverged; NaN from beyond LARGE counts as that too
CONVERGED, DIVERGED, NONFINITE, FAILED = 1, 2, 3, 7  # places in core.trajectory.STATUS


@dataclass(frozen=True)
class Kernel:
    """Source of a kernel and the order of its arguments after the fixed ones."""

    source: str
    arguments: tuple[tuple[str, str], ...]          # (kind, name): state, out, number, vector, matrix, history, constant, data
    constants: tuple[Node, ...]

    FIXED = ("first", "count", "every", "lo", "hi", "t0", "seed", "tol", "status", "taken")


def kernel_source(program: Program, vectors: frozenset[str] = frozenset(), matrices: frozenset[str] = frozenset(), *,
                  stopping: bool = False) -> Kernel:
    """The kernel of a method whose parameters named in `vectors` and `matrices` are arrays, the others numbers for each path."""
    params = sorted(program.params - {"k", "t"})
    states = [leaf("state", s) for s in program.state]
    wide = [s for s in states if s.data not in program.scalars]
    constants = tuple(dict.fromkeys(n for n in program.everything if n.op == "array"))
    layout = Layout(program.outputs, [*wide, *(leaf("param", p) for p in vectors)],
                    [*(leaf("param", p) for p in matrices), *(c for c in constants if c.data.values.ndim == 2)])
    pasts = list(dict.fromkeys(n for n in program.everything if n.op == "past"))
    names = _names(program, params, vectors | matrices, constants, pasts)
    lowered = Lowered(program.outputs, layout, program.nodes)
    outputs: dict[Node, str] = {}
    for j, out in enumerate(program.outputs):
        if out in lowered.stored and out not in outputs:
            outputs[out] = f"nx{j}"
    printer = Printer(lowered, names | outputs, _sizes(layout, states, program, constants, names))
    body = Lines()
    body.depth = 3
    printer.body(body)
    arguments = _arguments(program, params, vectors, matrices, constants, pasts)
    source = _assemble(program, printer, body, arguments, outputs, pasts, params, vectors, matrices, stopping)
    residuals = "".join(residual_source(i, n, layout) + "\n" for i, n in enumerate(printer.roots_used))
    return Kernel(residuals + source, arguments, constants)


def _names(program: Program, params: list[str], arrays: frozenset[str], constants: tuple, pasts: list) -> dict[Node, str]:
    names = {leaf("state", s): f"z{j}" if s in program.scalars else f"s{j}" for j, s in enumerate(program.state)}
    names |= {leaf("param", p): f"p{j}" for j, p in enumerate(params)}
    names |= {leaf("param", "k"): "k", leaf("param", "t"): "t"}
    names |= {c: f"c{j}" for j, c in enumerate(constants)}
    return names | {n: f"past{j}" for j, n in enumerate(pasts)}


def _sizes(layout: Layout, states: list[Node], program: Program, constants: tuple, names: dict[Node, str]) -> dict[Node, str]:
    sizes: dict[Node, str] = {}
    for j, s in enumerate(states):
        if s.data not in program.scalars and s in layout.scalar:
            sizes.setdefault(layout.group(s), f"d{j}")
    for node in layout.order:
        if node.op == "array" and node not in layout.matrices:
            sizes.setdefault(layout.group(node), f"{names[node]}.shape[0]")
        elif node.op == "matmul":
            sizes.setdefault(layout.group(node), f"{names.get(node.args[0], 'c0')}.shape[0]")
    first = next((f"d{j}" for j, s in enumerate(program.state) if s not in program.scalars), "d0")
    return {layout.group(n): sizes.get(layout.group(n), first) for n in layout.order if not layout.scalar[n]} | sizes


def _arguments(program: Program, params: list[str], vectors: frozenset[str], matrices: frozenset[str], constants: tuple,
               pasts: list) -> tuple[tuple[str, str], ...]:
    kinds = [("vector" if p in vectors else "matrix" if p in matrices else "number", p) for p in params]
    stored = dict.fromkeys(n.args[0].data for n in pasts)
    oracles = [o for o in program.oracles if not o.startswith(("noise", "uniform"))]
    return (*(("state", s) for s in program.state), *(("out", s) for s in program.state), *kinds,
            *(("history", s) for s in stored),
            *(("constant", str(j)) for j in range(len(constants))), *(("data", o) for o in oracles))


def _argument_name(kind: str, name: str, program: Program, params: list[str], histories: list[str]) -> str:
    if kind in ("state", "out"):
        return f"{'S' if kind == 'state' else 'O'}{program.state.index(name)}"
    if kind == "history":
        return f"H{program.state.index(name)}"
    if kind in ("vector", "matrix"):
        return f"p{params.index(name)}"
    return {"number": lambda: f"P{params.index(name)}", "constant": lambda: f"c{name}", "data": lambda: f"data_{name}"}[kind]()


def _assemble(program: Program, printer: Printer, body: Lines, arguments: tuple, outputs: dict[Node, str], pasts: list,
              params: list[str], vectors: frozenset[str], matrices: frozenset[str], stopping: bool) -> str:
    histories = [n for k, n in arguments if k == "history"]
    wide = [j for j, s in enumerate(program.state) if s not in program.scalars]
    lines = Lines()
    lines.add(*(f"d{j} = S{j}.shape[1]" for j in wide))
    lines.add(*(f"{n} = np.empty({s})" for n, s in printer.temporaries.items()), *(f"nx{j} = np.empty(d{j})" for j in wide))
    if stopping:
        lines.add("slope_ = np.empty(d0)")
    lines.loop("for path in range(lo, hi):").add("if status[path] != 0:", "    continue", "key = key_(seed, path)")
    lines.add(*(f"s{j} = S{j}[path]" for j in wide), *(f"h{program.state.index(s)} = H{program.state.index(s)}[path]"
                                                       for s in histories))
    lines.add(*(f"p{i} = P{i}[path % P{i}.shape[0]]" for i, p in enumerate(params) if p not in vectors | matrices))
    lines.loop("for step in range(first, first + count):").add("k = float(step)", f"t = t0 + k*{printer.inline(stride_of(program))}",
                                                               "solved = True")
    lines.add(*(f"z{j} = S{j}[path, 0]" for j, s in enumerate(program.state) if s in program.scalars))
    lines.add(*_past_lines(program, pasts, histories, printer))
    lines.extend(body)
    _finish_step(lines, program, printer, outputs, wide, stopping)
    lines.end()
    lines.end()
    names = [_argument_name(k, n, program, params, histories) for k, n in arguments]
    return f"def run({', '.join([*Kernel.FIXED, *names])}):\n" + "\n".join(lines) + "\n"


def _past_lines(program: Program, pasts: list, histories: list[str], printer: Printer) -> list[str]:
    lines = []
    for s in histories:
        j = program.state.index(s)
        lines += [f"L{j} = h{j}.shape[0]", f"h{j}[step % L{j}, :] = {f'z{j}' if s in program.scalars else f's{j}'}"]
    for i, node in enumerate(pasts):
        j = program.state.index(node.args[0].data)
        lag = printer.value(node.args[1], {})
        lines.append(f"past{i} = h{j}[(step - int({lag})) % L{j}]{'[0]' if node.args[0].data in program.scalars else ''}")
    return lines


def _finish_step(lines: Lines, program: Program, printer: Printer, outputs: dict[Node, str], wide: list[int],
                 stopping: bool) -> None:
    """Collect the next state, stop where it is no longer finite, else move there and record."""
    for j, out in enumerate(program.outputs):
        if j not in wide:
            lines.add(f"nz{j} = {printer.value(out, {})}")
        elif outputs.get(out) != f"nx{j}":
            lines.add(f"for i in range(d{j}):", f"    nx{j}[i] = {printer.value(out, {})}")
    lines.add("bad, broken, large = False, not solved, 0.0")
    for j in range(len(program.state)):
        value, now, head = (f"nx{j}[i]", f"s{j}[i]", f"for i in range(d{j}):") if j in wide else (f"nz{j}", f"z{j}",
                                                                                                  "for i in range(1):")
        lines.add(head, f"    if not abs({value}) <= {LIMIT}:", "        bad = True", f"        broken = broken or {value} != "
                                                                                      f"{value}",
                  f"        large = max(large, abs({now}))")
    lines.add("if bad or not solved:", f"    status[path] = {FAILED} if not solved else ({DIVERGED} if not broken or large > "
                                       f"{LARGE} else {NONFINITE})",
              "    break")
    for j in range(len(program.state)):
        lines.add(*([f"for i in range(d{j}):", f"    s{j}[i] = nx{j}[i]"] if j in wide else [f"S{j}[path, 0] = nz{j}"]))
    lines.add("taken[path] = step + 1")
    lines.loop("if (step + 1) % every == 0:").add("row = (step + 1)//every")
    for j in range(len(program.state)):
        lines.add(*([f"for i in range(d{j}):", f"    O{j}[path, row, i] = s{j}[i]"] if j in wide
                    else [f"O{j}[path, row, 0] = nz{j}"]))
    lines.end()
    if stopping:
        lines.add("grad_(s0, slope_, data_grad)", "size = 0.0", "for i in range(d0):", "    size += slope_[i]*slope_[i]",
                  "if math.sqrt(size) <= tol:", f"    status[path] = {CONVERGED}", "    break")
