"""Expressions as text, the way they would be typed."""
from __future__ import annotations

from fractions import Fraction
from typing import Callable, Iterable

from .expr import Node, evaluate

INFIX = {"add": (" + ", 1), "sub": (" - ", 1), "mul": ("*", 2), "div": ("/", 2), "matmul": (" @ ", 2), "mod": (" % ", 2),
         "pow": ("**", 4),
         "lt": (" < ", 0), "le": (" <= ", 0), "gt": (" > ", 0), "ge": (" >= ", 0), "eq": (" == ", 0), "ne": (" != ", 0)}
ATOM = 9


def number(value: Fraction) -> tuple[str, int]:
    """An exact number and how tightly it binds."""
    shown = str(value)
    return shown, 3 if value < 0 else 2 if "/" in shown else ATOM


def text(node: Node, names: dict[Node, str] | None = None, longest: int = 10_000) -> str:
    """The expression in the notation of a declaration; `names` are printed in place of the nodes they stand for.

    A shared part is written out each time, so parts beyond `longest` characters are cut: programs name what repeats.
    """
    def bounded(n: Node, args: list[tuple[str, int]]) -> tuple[str, int]:
        shown, tight = _operation(n, args)
        return (shown, tight) if len(shown) <= longest else (shown[:longest//2] + "...", ATOM)
    known = {n: (name, ATOM) for n, name in (names or {}).items() if n is not node}
    [(shown, _)] = evaluate([node], _leaf, bounded, known=known)
    return shown


def _leaf(node: Node) -> tuple[str, int]:
    if node.op == "const":
        return number(node.data)
    if node.op == "array":
        return f"<array {'x'.join(map(str, node.data.values.shape))}>", ATOM
    return ("pi" if node.op == "pi" else str(node.data)), ATOM


def _operation(node: Node, args: list[tuple[str, int]]) -> tuple[str, int]:
    if node.op in INFIX:
        (left, tight_left), (right, tight_right) = args
        sign, level = INFIX[node.op]
        left = left if tight_left >= level + (node.op == "pow") else f"({left})"
        right = right if tight_right > level - (node.op in ("add", "pow")) else f"({right})"
        return left + sign + right, level
    if node.op == "neg":
        shown, tight = args[0]
        return "-" + (shown if tight >= 2 else f"({shown})"), 3
    inner = ", ".join(shown for shown, _ in args)
    if node.op == "call":
        return f"{node.data[0]}({inner})", ATOM
    if node.op == "implicit":
        unknowns, residuals = node.data
        return f"implicit({', '.join(u.data for u in unknowns)}: {_join(map(text, residuals))} = 0)", ATOM
    if node.op in ("item", "pick"):
        return f"{inner}[{node.data}]", ATOM
    return f"{ {'min': 'minimum', 'max': 'maximum'}.get(node.op, node.op)}({inner})", ATOM


def _join(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def fingerprint(roots: Iterable[Node], leaf: Callable[[Node], str] = lambda n: f"{n.op}:{n.data}") -> str:
    """A text that is equal for equal expressions in any process; arrays count by shape only, since they are passed as data."""
    def shown(node: Node) -> str:
        if node.op != "array":
            return leaf(node)
        return f"array{node.data.values.shape}#{arrays.setdefault(id(node.data), len(arrays))}"

    def operation(node: Node, args: list[str]) -> str:
        data = node.data
        if node.op == "implicit":
            data = fingerprint(data[1], leaf)
        table.append(f"{node.op}({','.join(args)};{data})")
        return f"%{len(table) - 1}"
    arrays: dict[int, int] = {}
    table: list[str] = []
    ends = evaluate(roots, shown, operation)
    return ";".join(table) + "->" + ",".join(ends)
