"""A region in words: `|beta| < 1, 0 < eta*lam < 2*(1 + beta)`.

The relations themselves are not changed, only how they are written: terms change sides, two bounds join into a chain,
and a bound whose mirror image is implied becomes an absolute value.
"""
from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from sympy import Expr, Integer, Symbol

from .atoms import Atom, negative, sign, terms
from .letters import Letters, order
from .reduce import Context, positives

PIVOTS = ("eta", "h", "alpha", "s", "lr")


@dataclass(frozen=True)
class Line:
    """left sign right, with `rank` for the order of the lines; `lower` where a chain `0 < left` may begin."""

    left: str
    sign: str
    right: str
    rank: int
    pivot: Symbol | None = None
    chain: int = 0                                                      # 2: whatever else is; 1: as other step sizes are positive
    both: bool = False                                                  # a step size on both sides


class Author:
    """Writes one conjunction."""

    def __init__(self, atoms: tuple[Atom, ...], context: Context, letters: Letters, kinds: dict[Expr, str]):
        self.atoms, self.context, self.letters, self.kinds = atoms, context, letters, kinds
        self.floors: set[Symbol] = set()                                # symbols with x > 0 to begin a chain with
        plain = Letters("text", letters.definitions)
        self.plain = self if letters == plain else Author(atoms, context, plain, kinds)     # decides, so that both styles agree

    def lines(self) -> list[str]:
        """The relations in reading order."""
        ranges, rest = self._ranges()
        self.plain.floors = self.floors = {s for s, bounds in ranges.items() if bounds[:2] == (0, None)}
        found = [self.line(a) for a in rest]
        chained: set[Symbol] = set()
        leaning = False                                                 # two chains must not each lean on the sign that the other keeps
        shown: list[tuple[int, str]] = []
        for line in found:
            lower = line.chain > leaning and line.pivot in self.floors and line.pivot not in chained
            if lower:
                chained.add(line.pivot)
                leaning = leaning or line.chain == 1
                less = _less(ranges[line.pivot][2])
                shown.append((1, self.letters.relation("0", less, line.left, line.sign, line.right)))
            else:
                shown.append((line.rank, self.letters.relation(line.left, line.sign, line.right)))
        for s, bounds in ranges.items():
            if s not in chained:
                shown.append((1 if bounds[:2] == (0, None) else 0, self._range(s, bounds)))
        shown = list(dict.fromkeys(_mirrored(shown, self.letters)))
        return [text for _, text in sorted(_joined(shown, self.letters), key=lambda p: p[0])]

    # -- one variable ------------------------------------------------------------------------------------------
    def _ranges(self) -> tuple[dict, list[Atom]]:
        """Bounds of single symbols (lower, upper, the sign of each), and the other relations."""
        ranges: dict[Symbol, tuple] = {}
        rest: list[Atom] = []
        for a in self.atoms:
            bound = _single(a)
            if bound is None:
                rest.append(a)
                continue
            s, value, upper = bound
            low, high, above, below = ranges.get(s, (None, None, a.op, a.op))
            if (high if upper else low) is not None:
                rest.append(a)
            else:
                ranges[s] = (low, value, above, a.op) if upper else (value, high, a.op, below)
        return dict(sorted(ranges.items(), key=lambda p: order(p[0]))), rest

    def _range(self, s: Symbol, bounds: tuple) -> str:
        low, high, above, below = bounds
        name, number = self.letters.symbol(s), lambda e: self.letters.product(e)
        size = high if high is not None and high > 0 else -low if low is not None and low < 0 else None
        if size is not None and not (low is None and s.is_positive) and low in (None, -size) and high in (None, size):
            op = above if high is None else below
            whole = above == below if low == -size and high == size else self._holds(size + s if low is None else size - s, op)
            if whole:
                return self.letters.relation(self.letters.absolute(name), _less(op), number(size))
        if low is not None and low == high and above == below == ">=":
            return self.letters.relation(name, "=", number(low))
        if low is not None and high is not None:
            return self.letters.relation(number(low), _less(above), name, _less(below), number(high))
        if low is None:
            return self.letters.relation(name, _less(below), number(high))
        return self.letters.relation(name, _less(above).replace("<", ">"), number(low))

    def _chain(self, slope: Expr, pivot: Symbol) -> int:
        """How surely `0 < slope*pivot` says that the pivot is positive, where the relation `pivot > 0` is left out for it."""
        own = [a for a in self.atoms if a.symbols == {pivot}]
        steps = [a for a in self.atoms if len(a.symbols) == 1 and str(next(iter(a.symbols))) in PIVOTS]
        return 2 if self._positive(slope, steps) else 1 if self._positive(slope, own) else 0

    def _positive(self, slope: Expr, without: list[Atom]) -> bool:
        atoms = tuple(a for a in self.atoms if a not in without)
        known = sign(slope, positives(atoms) | self.context.positive)
        return known > 0 or (known == 0 and self.context.implies(atoms, Atom((slope,), ">")))

    def _holds(self, expr: Expr, op: str) -> bool:
        return self.context.implies(self.atoms, Atom((expr,), op))

    # -- several variables -------------------------------------------------------------------------------------
    def line(self, atom: Atom) -> Line:
        """The shortest way to write the relation."""
        if atom.op in ("==", "!=") or len(atom.factors) > 1:
            product = self.letters.product(atom.expr.expand())
            if product.startswith("-") and atom.op in (">", ">="):
                return Line(self.letters.product(negative(atom.expr.expand())), atom.op.replace(">", "<"), "0", 3)
            return Line(product, atom.op, "0", 3)
        options = self.plain._options(atom)
        best = min(range(len(options)), key=lambda i: _cost(options[i], self.floors))
        return options[best] if self.plain is self else self._options(atom)[best]

    def _options(self, atom: Atom) -> list[Line]:
        f = atom.factors[0]
        options = [self._sides(f, atom.op), *self._pivoted(f, atom.op)]
        constant = f.as_coeff_Add()[0]
        if constant > 0 and self.kinds.get(f, self.kinds.get(negative(f))) == "neimark_sacker":
            options.insert(0, self._round(f, constant, atom.op))
        return options

    def _round(self, f: Expr, constant: Expr, op: str) -> Line:
        """|rest| < constant, what a determinant's bound looks like."""
        rest, less = (constant - f).expand(), "<" if op == ">" else "<="
        content = _content(rest, constant)
        rest, constant = (rest/content).expand(), constant/content
        shown = self.letters.product(rest)
        even = all(e % 2 == 0 for powers, _ in terms(rest) for s, e in powers if not s.is_positive)
        if even and all(c > 0 for _, c in terms(rest)) or self._holds(rest, ">"):
            return self._sides(f, op)
        if self._holds((constant + rest).expand(), op):
            shown = self.letters.absolute(self.letters.product(negative(rest)) if shown.startswith("-") else shown)
        elif shown.startswith("-"):
            return Line(self.letters.product(negative(rest)), less.replace("<", ">"), self.letters.product(-constant), 2)
        return Line(shown, less, self.letters.product(constant), 2)

    def _sides(self, f: Expr, op: str) -> Line:
        """Negative terms < positive terms."""
        plus, minus = _by_sign(f)
        return self._compare(minus, plus, op, None)

    def _pivoted(self, f: Expr, op: str) -> list[Line]:
        """slope*x < rest, for every step-like x that enters linearly."""
        found = []
        for name in PIVOTS:
            x = next((s for s in f.free_symbols if str(s) == name), None)
            if x is not None and f.diff(x, 2).expand() == 0:
                slope, rest = f.diff(x).expand(), f.subs(x, 0).expand()
                found.append(self._compare((-slope*x).expand(), rest, op, x))
        return found

    def _compare(self, small: Expr, large: Expr, op: str, pivot: Symbol | None) -> Line:
        less, more = ("<", ">") if op == ">" else ("<=", ">=")
        content = _content(small, large)
        small, large = (small/content).expand(), (large/content).expand()
        if small.free_symbols and not large.free_symbols:
            own = _content(small)
            small, large = (small/own).expand(), large/own
        left, right = self.letters.product(small), self.letters.product(large)
        if left.startswith("-") or left == "0":
            left, right, less = self.letters.product(negative(small)), self.letters.product(negative(large)), more
            if left == "0":
                left, right, less = self.letters.product(large), "0", more
        pivot = pivot or next((s for s in small.free_symbols if str(s) in PIVOTS and _divides(s, small)), None)
        chain = self._chain((small/pivot).expand(), pivot) if less in ("<", "<=") and pivot is not None else 0
        both = any(str(s) in PIVOTS for s in small.free_symbols & large.free_symbols)
        return Line(left, less, right, 2, pivot, chain, both)


def _joined(shown: list[tuple[int, str]], letters: Letters) -> list[tuple[int, str]]:
    """`a < x` and `x < b` as `a < x < b`, `a <= x` and `x <= a` as `x = a`."""
    out: list[tuple[int, str]] = []
    for rank, text in shown:
        parts = _cut(text, letters)
        partner = next((i for i, (_, other) in enumerate(out) if parts and _meets(_cut(other, letters), parts)), None)
        if partner is None:
            out.append((rank, text))
            continue
        other = _cut(out[partner][1], letters) or parts
        low, high = (other, parts) if other[2] == parts[0] else (parts, other)
        joint = f"{high[0]} = {low[0]}" if low[0] == high[2] else f"{low[0]} {low[1]} {low[2]} {high[1]} {high[2]}"
        out[partner] = (out[partner][0], joint)
    return out


def _mirrored(shown: list[tuple[int, str]], letters: Letters) -> list[tuple[int, str]]:
    """`x < c` and `x > -c` as `|x| < c`."""
    texts = {text for _, text in shown}
    cuts = [cut for cut in (_cut(t, letters) for t in texts) if cut]
    mirrors = {f"{a} {b.replace('<', '>').replace('le', 'ge')} -{c}" for a, b, c in cuts}
    out = []
    for rank, text in shown:
        left, sign_, right = _cut(text, letters) or ("", "", "")
        up = sign_.replace("<", ">").replace("le", "ge")
        if left and f"{left} {up} -{right}" in texts:
            out.append((rank, letters.relation(letters.absolute(left), sign_, right)))
        elif text not in mirrors:
            out.append((rank, text))
    return out


def _cut(text: str, letters: Letters) -> tuple[str, str, str] | None:
    """(left, sign, right) of a relation with one sign pointing up."""
    words = [letters.relation("<"), letters.relation("<=")]
    found = [(i, w) for w in words for i in range(len(text)) if text.startswith(f" {w} ", i)]
    if len(found) != 1:
        return None
    (i, w), = found
    return text[:i], w, text[i + len(w) + 2:]


def _meets(a: tuple | None, b: tuple) -> bool:
    return a is not None and (a[2] == b[0] or b[2] == a[0]) and "|" not in a[0] + b[0]


def _cost(line: Line, floors: set[Symbol]) -> int:
    """What a reader pays: length, minus signs, a bare zero on one side; absolute values and chains pay back."""
    return (len(line.left) + len(line.right) + 3*(line.left + line.right).count("-") + 6*(line.right == "0") + 8*line.both
            - 8*line.left.startswith("|") - 12*(line.chain and line.pivot in floors))


def _less(op: str) -> str:
    return "<" if op == ">" else "<="


def _divides(x: Symbol, f: Expr) -> bool:
    return all(any(s == x for s, _ in powers) for powers, _ in terms(f)) and f != 0


def _single(atom: Atom) -> tuple[Symbol, Expr, bool] | None:
    """(symbol, bound, is it an upper bound) for a linear relation in one symbol."""
    if atom.op not in (">", ">=") or len(atom.factors) > 1 or len(atom.symbols) != 1:
        return None
    (f,), (s,) = atom.factors, atom.symbols
    slope = f.diff(s).expand()
    return None if slope.free_symbols else (s, (-f.subs(s, 0)/slope), bool(slope < 0))


def _by_sign(f: Expr) -> tuple[Expr, Expr]:
    plus, minus = Integer(0), Integer(0)
    for t in f.as_ordered_terms():
        if t.as_coeff_Mul()[0] > 0:
            plus += t
        else:
            minus -= t
    return plus, minus


def _content(*polynomials: Expr) -> Integer:
    numbers = [int(c) for f in polynomials for _, c in terms(f) if c.is_Integer]
    return Integer(gcd(*numbers) or 1) if numbers else Integer(1)


def write(union: tuple, context: Context, letters: Letters, kinds: dict[Expr, str]) -> str:
    """The whole region on one line."""
    if not union:
        return r"\text{no parameters}" if letters.tex else "no parameters"
    if () in union:
        return r"\text{all parameters}" if letters.tex else "all parameters"
    comma, word = (r",\; ", r" \quad\text{or}\quad ") if letters.tex else (", ", "  or  ")
    return word.join(comma.join(Author(c, context, letters, kinds).lines()) for c in union)
