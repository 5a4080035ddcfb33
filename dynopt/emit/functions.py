"""Oracles, residuals and their solvers as functions of arrays: `grad_(x, out, data)`, `residual_(y, inputs, out)`."""
from __future__ import annotations

from typing import Sequence

from ..core.expr import Node, walk
from .layout import Layout
from .loops import Lines, Printer, residual_oracles
from .lower import Lowered

NEWTON_STEPS = 60
STEP = "s"                                      # the second argument of prox(u, s): a number, or one value per coordinate


def oracle_source(name: str, args: Sequence[str], node: Node, value: bool) -> tuple[str, list]:
    """Source of a traced field as `name(x, out, data)` (`name(x, data)` for a value), and the arrays that `data` holds."""
    inputs = [Node("state", data=a) for a in args]
    order = walk([node])
    arrays = [n for n in order if n.op == "array"]
    layout = Layout([node], vectors=inputs, matrices=[a for a in arrays if a.data.values.ndim == 2])
    lowered = Lowered([node], layout, order)
    names = {n: f"x{i}" for i, n in enumerate(inputs)} | {a: f"a{i}" for i, a in enumerate(arrays)}
    sizes = {layout.group(n): f"{names[n]}.shape[0]" for n in reversed(inputs) if n in layout.scalar}
    for n in order:
        if n.op == "array" and n not in layout.matrices:
            sizes.setdefault(layout.group(n), f"{names[n]}.shape[0]")
        if n.op == "matmul":
            sizes.setdefault(layout.group(n), f"{names.get(n.args[0])}.shape[0]")
    if not value and node in lowered.stored:
        names[node] = "out"
    printer = Printer(lowered, names, sizes)
    printer.either = {n for n, a in zip(inputs, args) if a == STEP}
    lines = Lines()
    lines.add(*(f"a{i} = data[{i}]" for i in range(len(arrays))))
    lines.add(*(f"{n} = np.empty({s})" for n, s in printer.temporaries.items()))
    printer.body(lines)
    _finish(lines, printer, node, value)
    outs = "" if value else "out, "
    xs = ", ".join(f"x{i}" for i in range(len(args)))
    return f"def {name}({xs}, {outs}data):\n" + "\n".join(lines) + "\n", [a.data.values for a in arrays]


def _finish(lines: Lines, printer: Printer, node: Node, value: bool) -> None:
    if value:
        lines.add(f"return {printer.value(node, {})}")
    elif printer.layout.scalar[node]:
        lines.add("for i in range(out.shape[0]):", f"    out[i] = {printer.value(node, {})}")
    elif printer.names[node] != "out":
        lines.add(f"out[:] = {printer.names[node]}")


def residual_source(index: int, node: Node, layout: Layout) -> str:
    """Source of the residual of an implicit node, and of Newton's method for it with a difference Jacobian."""
    unknowns, residuals = node.data
    oracles = residual_oracles(node)
    names = {n: f"y{i}" for i, n in enumerate(unknowns)} | {n: f"q{i}" for i, n in enumerate(node.args)}
    order = walk(residuals, stop=set(node.args))
    lowered = Lowered(residuals, layout, order)
    sizes = {layout.group(u): f"y{i}.shape[0]" for i, u in enumerate(unknowns)}
    for n in [*node.args, *order]:
        if n in names and not layout.scalar[n]:
            sizes.setdefault(layout.group(n), f"{names[n]}.shape[0]")
    printer = Printer(lowered, names, sizes)
    lines = Lines()
    lines.add(*(f"{n} = np.empty({s})" for n, s in printer.temporaries.items()))
    printer.body(lines)
    lines.add("at = 0")
    for i, r in enumerate(residuals):
        lines.add(f"for i in range(y{i}.shape[0]):", f"    out[at + i] = {printer.value(r, {})}", f"at += y{i}.shape[0]")
    ys = ", ".join(f"y{i}" for i in range(len(unknowns)))
    rest = "".join(f", {q}" for q in [*(f"q{i}" for i in range(len(node.args))), *(f"data_{o}" for o in oracles)])
    return (f"def residual{index}_({ys}{rest}, out):\n" + "\n".join(lines) + "\n"
            + f"\ndef root{index}_({ys}{rest}):\n" + newton(index, len(unknowns), ys, rest))


def newton(index: int, count: int, ys: str, rest: str) -> str:
    """Newton's method with a Jacobian of forward differences; ends when the correction is at rounding level."""
    lines = Lines()
    total = " + ".join(f"y{i}.shape[0]" for i in range(count))
    lines.add(f"n = {total}", "r, s, J = np.empty(n), np.empty(n), np.empty((n, n))", "before = np.inf")
    lines.loop(f"for sweep in range({NEWTON_STEPS}):")
    lines.add(f"residual{index}_({ys}{rest}, r)", "column = 0", "size = 0.0")
    for i in range(count):
        lines.loop(f"for j in range(y{i}.shape[0]):").add(
            f"old = y{i}[j]", "size = max(size, abs(old))", "eps = 1.4901161193847656e-08*max(1.0, abs(old))",
            f"y{i}[j] = old + eps",
            f"residual{index}_({ys}{rest}, s)", f"eps = y{i}[j] - old", f"y{i}[j] = old",
            "for i in range(n):", "    J[i, column] = (s[i] - r[i])/eps", "column += 1")
        lines.end()
    lines.add("if not correction_(J, r):", "    return False", "at = 0", "moved = 0.0")
    for i in range(count):
        lines.add(f"for j in range(y{i}.shape[0]):", f"    y{i}[j] -= r[at + j]", "    moved = max(moved, abs(r[at + j]))",
                  f"at += y{i}.shape[0]")
    lines.add("size = max(size, 1e-300)", "if moved <= 4.440892098500626e-16*size or (moved <= 1e-13*size and moved >= before):",
              "    return True", "before = moved")
    lines.end()
    lines.add("return False")
    return "\n".join(lines) + "\n"
