"""Rules and expressions in LaTeX, as an author would set them."""
from __future__ import annotations

from collections import Counter
from typing import Any

from .expr import LEAVES, Node, evaluate

GREEK = frozenset("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi chi psi omega "
                  "Gamma Delta Theta Lambda Sigma Omega".split())
SPECIAL = {"lam": r"\lambda", "eps": r"\epsilon", "pi": r"\pi"}
INFIX = {"add": (" + ", 1), "sub": (" - ", 1), "mul": (" ", 2), "lt": " < ", "le": r" \le ", "gt": " > ", "ge": r" \ge ",
         "eq": " = ", "ne": r" \ne "}
NAMED = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh", "sign": r"\operatorname{sign}",
         "min": r"\min", "max": r"\max", "mean": r"\operatorname{mean}", "sum": r"\operatorname{sum}"}
ATOM = 9
SHORT = 12                          # repeated expressions up to this many characters are written out again


def name_latex(name: str) -> str:
    """A name as a symbol: beta1 -> \\beta_{1}, x_prev -> x_{\\mathrm{prev}}; nothing of it can become markup."""
    stem, _, tail = name.partition("_")
    digits = stem[len(stem.rstrip("0123456789")):]
    stem = stem.removesuffix(digits) if digits else stem
    base = SPECIAL.get(stem) or (f"\\{stem}" if stem in GREEK else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}")
    below = [digits] if digits else []
    below += [t if t.isdigit() or len(t) == 1 else rf"\mathrm{{{t}}}" for t in tail.split("_") if t]
    return f"{base}_{{{','.join(below)}}}" if below else base


def expression_latex(node: Node, names: dict[Node, str] | None = None) -> str:
    """An expression in LaTeX; `names` are set in place of the nodes they stand for."""
    known = {n: (text, ATOM) for n, text in (names or {}).items() if n is not node}
    [(shown, _)] = evaluate([node], _leaf, _operation, known=known)
    return shown


def _leaf(node: Node) -> tuple[str, int]:
    if node.op == "const":
        value = node.data
        fraction = rf"\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        zeros = str(value.denominator).removeprefix("1")
        if len(zeros) > 2 and not zeros.strip("0") and abs(value.numerator) == 1:             # 1e-8 as 10^{-8}
            return ("-" if value < 0 else "") + rf"10^{{-{len(zeros)}}}", 1 if value < 0 else 4
        shown = str(value.numerator) if value.denominator == 1 else ("-" if value < 0 else "") + fraction
        return shown, 1 if value < 0 else ATOM
    if node.op in ("state", "param", "unknown"):
        return name_latex(str(node.data)), ATOM
    return (r"\pi" if node.op == "pi" else r"\mathbf{A}"), ATOM


def _wrap(shown: str, tight: int, least: int) -> str:
    return shown if tight >= least else rf"\left({shown}\right)"


def _operation(node: Node, args: list[tuple[str, int]]) -> tuple[str, int]:
    op = node.op
    if op in ("add", "sub", "mul"):
        sign, level = INFIX[op]
        right = _wrap(*args[1], level + (op == "sub") + (op == "mul" and args[1][0][:1].isdigit()))
        joint = r" \cdot " if op == "mul" and args[1][0][:1].isdigit() else sign
        return _wrap(*args[0], level) + str(joint) + right, int(level)
    if op in ("lt", "le", "gt", "ge", "eq", "ne"):
        return args[0][0] + str(INFIX[op]) + args[1][0], 0
    if op == "div":
        return rf"\frac{{{args[0][0]}}}{{{args[1][0]}}}", 3
    if op == "pow":
        return rf"{{{_wrap(*args[0], ATOM)}}}^{{{args[1][0]}}}", 4
    if op == "neg":
        return "-" + _wrap(*args[0], 2), 1
    if op == "sqrt":
        return rf"\sqrt{{{args[0][0]}}}", ATOM
    if op in ("abs", "norm"):
        bar = "|" if op == "abs" else r"\|"
        return rf"\left{bar}{args[0][0]}\right{bar}", ATOM
    return _called(node, args), ATOM


def _called(node: Node, args: list[tuple[str, int]]) -> str:
    inner = ", ".join(a for a, _ in args)
    op: Any = node.op
    if op == "call":
        kind, _, player = node.data[0].partition("_")
        mark = f"_{{{player}}}" if player.isdigit() else ""
        if kind in ("noise", "uniform"):
            return (r"\xi" if kind == "noise" else "u") + f"_{{{node.data[1] + 1}}}"
        if kind == "hess":
            return rf"\nabla^2 f{mark}({args[0][0]})\,{_wrap(*args[1], 2)}"
        if kind == "prox":
            return rf"\operatorname{{prox}}_{{{args[-1][0]}}}({args[0][0]})"
        return rf"\nabla f{mark}({inner})" if kind == "grad" else f"f{mark}({inner})"
    if op == "where":
        return rf"\begin{{cases}} {args[1][0]} & {args[0][0]} \\ {args[2][0]} & \text{{else}} \end{{cases}}"
    if op == "past":
        return rf"{args[0][0]}_{{-{args[1][0]}}}"
    if op == "dot":
        return rf"\langle {inner} \rangle"
    if op == "matmul":
        return rf"{_wrap(*args[0], 2)}\,{_wrap(*args[1], 2)}"
    if op == "mod":
        return rf"\left({args[0][0]} \bmod {args[1][0]}\right)"
    if op == "implicit":
        unknowns, residuals = node.data
        return ",\\; ".join(rf"{name_latex(u.data)}:\ {expression_latex(r)} = 0" for u, r in zip(unknowns, residuals))
    if op == "pick":
        return name_latex(node.args[0].data[0][node.data].data)
    return rf"{NAMED.get(op, op)}\left({inner}\right)"


def rule_latex(rule: Any) -> str:
    """The declaration as aligned equations: repeated expressions and implicit unknowns first, then the states."""
    program = rule.program
    names: dict[Node, str] = {}
    final: dict[Node, str] = {}
    if rule.kind != "flow":
        for state, out in zip(program.state, program.outputs):
            if out.op not in ("state", "param", "const"):
                final.setdefault(out, f"{name_latex(state)}^{{+}}")
    lines, letters = [], {"call": "g", "other": "w"}
    uses = Counter(arg for node in program.nodes for arg in node.args)
    for node in program.nodes:
        if node.op == "implicit":
            lines.append("&" + expression_latex(node, names))
        elif node in final:
            lines.append(f"{final[node]} &= {expression_latex(node, names)}")
            names[node] = final[node]
        elif uses[node] > 1 and node.op not in ("pick", *LEAVES) and not (node.op == "call" and not node.args):
            shown = expression_latex(node, names)
            if len(shown) > SHORT:
                letter = letters["call" if node.op == "call" else "other"]
                names[node] = f"{letter}_{{{sum(n.startswith(letter) for n in names.values()) + 1}}}"
                lines.append(f"{names[node]} &= {shown}")
    for state, out in zip(program.state, program.outputs):
        left = rf"\dot{{{name_latex(state)}}}" if rule.kind == "flow" else f"{name_latex(state)}^{{+}}"
        if final.get(out) != left:
            lines.append(f"{left} &= {names.get(out) or expression_latex(out, names)}")
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"
