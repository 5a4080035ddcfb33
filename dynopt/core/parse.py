"""Text -> expression through a whitelist: names, exact numbers, arithmetic, comparisons and the functions of the language.

Python's own parser reads the text, nothing of it is ever run. Length, nesting and the size of numbers are bounded before.
"""
from __future__ import annotations

import ast
from fractions import Fraction
from typing import Any, Callable, Iterable

from . import functions
from .errors import RuleError
from .expr import Node, constant, leaf

LONGEST, DEEPEST, LARGEST_POWER = 4000, 60, 64
ARITHMETIC = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow", ast.Mod: "mod",
              ast.MatMult: "matmul"}
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
FUNCTIONS = {name: getattr(functions, name) for name in
             ("sqrt", "exp", "log", "sin", "cos", "tanh", "abs", "sign", "where", "minimum", "maximum", "clip", "norm", "dot",
              "mean")}
ARITY = {"where": 3, "clip": 3, "minimum": 2, "maximum": 2, "dot": 2}


def refuse(source: str, at: Any, found: str, cure: str) -> RuleError:
    where = f" at position {at.col_offset + 1}" if hasattr(at, "col_offset") else ""
    shown = source if len(source) <= 60 else source[:57] + "..."
    return RuleError(f"expression {shown!r}{where}: {found}; {cure}")


def read(source: str, mode: str) -> ast.AST:
    """The syntax tree of a bounded text, or a RuleError that says where it cannot be read."""
    if not isinstance(source, str):
        raise RuleError(f"expression: found {type(source).__name__} {source!r:.40}, expected text such as '2/(L + mu)'")
    if len(source) > LONGEST:
        raise refuse(source, None, f"{len(source)} characters long", f"at most {LONGEST} are read")
    depth = deepest = 0
    for position, character in enumerate(source):
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
        if not (character.isascii() and (character.isprintable() or character in "\n\t")):
            raise refuse(source, None, f"the character {character!r} at position {position + 1}", "names and signs are plain "
                                                                                                  "ASCII")
    if deepest > DEEPEST:
        raise refuse(source, None, f"nested {deepest} deep", f"at most {DEEPEST} parentheses are read")
    try:
        return ast.parse(source.strip(), mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        at = getattr(error, "offset", None)
        raise refuse(source, None, f"cannot be read{f' at position {at}' if at else ''}",
                     "write arithmetic such as 'beta*v + eta*grad(x)', with * for products and ** for powers") from None


class Reader:
    """Builds nodes from a syntax tree; `name` and `call` say what names and calls mean."""

    def __init__(self, source: str, name: Callable[[str, ast.AST], Any], call: Callable[[str, list, ast.AST], Any] | None = None):
        self.source, self.name, self.call = source, name, call

    def __call__(self, tree: ast.AST) -> Any:
        handler = getattr(self, f"_{type(tree).__name__}", None)
        if handler is None:
            raise refuse(self.source, tree, f"{type(tree).__name__} is not part of the language",
                         "only names, numbers, arithmetic, comparisons inside where(...) and calls of listed functions are")
        return handler(tree)

    def _Expression(self, tree: ast.Expression) -> Any:
        return self(tree.body)

    def _Constant(self, tree: ast.Constant) -> Node:
        if isinstance(tree.value, bool) or not isinstance(tree.value, (int, float)):
            raise refuse(self.source, tree, f"the literal {tree.value!r:.40}", "only numbers are literals")
        written = ast.get_source_segment(self.source.strip(), tree) or repr(tree.value)
        plain = written.replace("_", "").lower()
        whole = plain[:2] in ("0x", "0o", "0b")
        power = "" if whole else plain.partition("e")[2].lstrip("+-0")                 # looked at before anything is multiplied out
        value = None if len(power) > 3 or int(power or 0) > 400 else Fraction(tree.value) if whole else Fraction(plain)
        if value is None or max(abs(value.numerator), value.denominator) > 10**400:
            raise refuse(self.source, tree, "a number of more than 400 digits", "write a smaller one")
        if not _is_float(value):
            raise refuse(self.source, tree, "a number beyond the range of floats", "write one between 1e-300 and 1e300")
        return constant(value)

    def _Name(self, tree: ast.Name) -> Any:
        return Node("pi") if tree.id == "pi" else self.name(tree.id, tree)

    def _UnaryOp(self, tree: ast.UnaryOp) -> Any:
        if isinstance(tree.op, ast.USub):
            inner = self(tree.operand)
            return constant(-inner.data) if inner.op == "const" else -inner
        if isinstance(tree.op, ast.UAdd):
            return self(tree.operand)
        raise refuse(self.source, tree, f"the operator {type(tree.op).__name__}", "use arithmetic, and where(...) for cases")

    def _BinOp(self, tree: ast.BinOp) -> Any:
        if isinstance(tree.op, ast.BitXor):
            raise refuse(self.source, tree, "the sign ^", "write ** for powers")
        if type(tree.op) not in ARITHMETIC:
            raise refuse(self.source, tree, f"the operator {type(tree.op).__name__}", "use + - * / ** % @")
        left, right = self(tree.left), self(tree.right)
        if isinstance(tree.op, ast.Pow):
            self._check_power(tree, left, right)
        if left.op == right.op == "const" and isinstance(tree.op, ast.Div) and right.data != 0:
            return constant(left.data/right.data)
        return Node(ARITHMETIC[type(tree.op)], left, right)

    def _check_power(self, tree: ast.BinOp, base: Node, exponent: Node) -> None:
        """Powers of powers count as one; a number raised to a power stays below 400 digits."""
        power, inner = _number(exponent), base
        while power is not None and inner.op == "pow" and (more := _number(inner.args[1])) is not None:
            power, inner = power*max(abs(more), 1), inner.args[0]
        if power is not None and abs(power) > LARGEST_POWER:
            raise refuse(self.source, tree, f"the power {_shown(power)}", f"at most {LARGEST_POWER} is read")
        value = _number(base)
        if power is not None and value and abs(power)*max(len(str(abs(value.numerator))), len(str(value.denominator))) > 400:
            raise refuse(self.source, tree, "a number of more than 400 digits", "write a smaller one")

    def _Compare(self, tree: ast.Compare) -> Any:
        if len(tree.ops) != 1 or type(tree.ops[0]) not in COMPARE:
            raise refuse(self.source, tree, "a chained or unusual comparison", "write one of < <= > >= == != between two values")
        return Node(COMPARE[type(tree.ops[0])], self(tree.left), self(tree.comparators[0]))

    def _Call(self, tree: ast.Call) -> Any:
        if not isinstance(tree.func, ast.Name) or tree.keywords or any(isinstance(a, ast.Starred) for a in tree.args):
            raise refuse(self.source, tree, "a call that is no plain f(a, b)", "call listed functions by name, arguments by "
                                                                               "position")
        name = tree.func.id
        if name in FUNCTIONS:
            if len(tree.args) != ARITY.get(name, 1):
                raise refuse(self.source, tree, f"{name} with {len(tree.args)} arguments", f"it takes {ARITY.get(name, 1)}")
            return FUNCTIONS[name](*map(self, tree.args))
        if self.call is None:
            raise refuse(self.source, tree, f"the function {name!r}", f"expected one of {', '.join(sorted(FUNCTIONS))}")
        return self.call(name, [self(a) for a in tree.args], tree)


def _is_float(value: Fraction) -> bool:
    """Does a float hold it, not as infinity and not as zero?"""
    try:
        return value == 0 or float(value) != 0
    except OverflowError:
        return False


def _number(node: Node) -> Fraction | None:
    """The value of an expression of numbers alone, None for anything else; its powers have been checked."""
    if node.op == "const":
        return Fraction(node.data)
    parts = [_number(a) for a in node.args] if node.op in ("add", "sub", "mul", "div", "pow", "neg") else [None]
    if None in parts:
        return None
    a, b = (*parts, None)[:2]
    if node.op == "neg":
        return -a
    if node.op == "pow":
        return a**int(b) if b.denominator == 1 and (a or b >= 0) else Fraction(float(a)**float(b)) if a > 0 else None
    if node.op == "div":
        return a/b if b else None
    return {"add": a + b, "sub": a - b, "mul": a*b}[node.op]


def _shown(power: Fraction) -> str:
    text = str(power)
    return text if len(text) < 30 else f"{text[:12]}... of {len(text)} digits"


def parse(source: str, names: Iterable[str] | None = None) -> Node:
    """The expression of parameters that a text says; `names`, when given, are the only ones allowed.

    >>> parse("2/(L + mu)")
    2/(L + mu)
    """
    allowed = None if names is None else set(names)

    def name(found: str, at: ast.AST) -> Node:
        if found.startswith("_") or (allowed is not None and found not in allowed):
            raise refuse(source, at, f"the name {found!r}", f"expected one of {', '.join(sorted(allowed))}" if allowed is not None
                         else "names do not start with an underscore")
        return leaf("param", found)
    return Reader(source, name)(read(source, "eval"))


def parse_relation(source: str) -> tuple[Node, ...]:
    """A relation or a chain of them, such as '0 < beta < 1', as comparison nodes."""
    tree = read(source, "eval")
    body = tree.body                                                    # type: ignore[attr-defined]
    if not isinstance(body, ast.Compare) or any(type(o) not in COMPARE for o in body.ops):
        raise refuse(source, body, "no relation", "write one such as '0 < beta < 1'")
    reader = Reader(source, lambda found, at: parse(found))
    sides = [reader(side) for side in (body.left, *body.comparators)]
    return tuple(Node(COMPARE[type(op)], a, b) for op, a, b in zip(body.ops, sides, sides[1:]))
