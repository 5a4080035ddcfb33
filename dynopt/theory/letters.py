"""Polynomials and relations as a careful author typesets them, in plain text and in LaTeX."""
from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from sympy import Add, Expr, Symbol, exp, latex

from .atoms import factored, first_coefficient, terms

FIRST, LAST = ("eta",), ("lam", "mu", "L")
SIGNS = {"text": {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "==": "=", "!=": "!="},
         "latex": {"<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}}
GREEK = set("alpha beta gamma delta epsilon zeta eta theta kappa mu nu xi rho sigma tau phi chi psi omega".split())


def order(s: Symbol) -> tuple:
    """eta first, curvatures last, the alphabet between."""
    name = str(s)
    if name in FIRST:
        return 0, FIRST.index(name), name
    return (2 if name in LAST or name.startswith("lam_") else 1), 0, name


@dataclass(frozen=True)
class Letters:
    """One way of writing: `style` is "text" or "latex"; `definitions` say what a symbol stands for."""

    style: str = "text"
    definitions: dict = field(default_factory=dict)

    @property
    def tex(self) -> bool:
        return self.style == "latex"

    def symbol(self, s: Symbol) -> str:
        if s in self.definitions:
            return latex(self.definitions[s]) if self.tex else str(self.definitions[s])
        name = str(s)
        if not self.tex:
            return name
        if name == "lam" or name.startswith("lam_"):
            return r"\lambda" + (f"_{{{name[4:]}}}" if len(name) > 3 else "")
        return "\\" + name if name in GREEK else latex(s)

    def number(self, q: Fraction) -> str:
        if q.denominator == 1:
            return str(q.numerator)
        return rf"\tfrac{{{q.numerator}}}{{{q.denominator}}}" if self.tex else f"{q.numerator}/{q.denominator}"

    def monomial(self, powers: tuple, c: Fraction = Fraction(1)) -> str:
        """c*x*y**2 with a positive c."""
        parts = [] if c == 1 and powers else [self.number(c)]
        powers, growth = self._exponents(powers)
        names = {s: self.symbol(s) for s in growth.free_symbols}
        parts += [latex(growth, symbol_names=names) if self.tex else str(growth)] if growth != 1 else []
        for s, e in sorted(self._unrooted(powers), key=lambda p: order(p[0])):
            name = self.symbol(s)
            tall = s in self.definitions and e > 1
            name = (rf"\left({name}\right)" if self.tex else name if name.endswith(")") else f"({name})") if tall else name
            parts.append(name if e == 1 else f"{name}^{{{e}}}" if self.tex else f"{name}**{e}")
        return (" " if self.tex else "*").join(parts)

    def _exponents(self, powers: tuple) -> tuple[tuple, Expr]:
        """exp(a)**2*exp(b) as exp(2*a + b), and what else there is."""
        grown = [(s, e) for s, e in powers if isinstance(self.definitions.get(s), exp)]
        total = exp(Add(*(e*self.definitions[s].args[0] for s, e in grown)))
        return tuple(p for p in powers if p not in grown), total

    def _unrooted(self, powers: tuple) -> list[tuple[Symbol, int]]:
        """sqrt(L)**3 as L*sqrt(L)."""
        total: dict[Symbol, int] = {}
        for s, e in powers:
            root = self.definitions.get(s)
            if root is not None and root.is_Pow and root.base.is_Symbol and root.exp.is_Rational:
                whole, e = divmod(e, int(root.exp.q))
                total[root.base] = total.get(root.base, 0) + whole
            total[s] = total.get(s, 0) + e
        return [(s, e) for s, e in total.items() if e]

    def sum(self, f: Expr) -> str:
        """Constants first, then by degree; a positive term in front where there is one."""
        rows = sorted(terms(f), key=_reading_order)
        front = next((i for i, (_, c) in enumerate(rows) if c > 0), 0)
        rows = [rows[front], *rows[:front], *rows[front + 1:]]
        shown = ""
        for powers, c in rows:
            mark = ("" if c > 0 else "-") if not shown else (" + " if c > 0 else " - ")
            shown += mark + self.monomial(powers, abs(Fraction(int(c.p), int(c.q))))
        return shown or "0"

    def product(self, f: Expr) -> str:
        """A polynomial with its factors shown: 2*(1 + beta)."""
        content, single, sums = split(f)
        if content == 0 or (not sums and not single):
            return self.number(content)
        mark, content = ("-", -content) if content < 0 else ("", content)
        if not single and content == 1 and len(sums) == 1 and sums[0][1] == 1:
            return f"-({self.sum(sums[0][0])})" if mark else self.sum(sums[0][0])
        head = [self.monomial(tuple(single), content)] if single or content != 1 else []
        opened, closed = (r"\left(", r"\right)") if self.tex else ("(", ")")
        for g, e in sums:
            power = "" if e == 1 else f"^{{{e}}}" if self.tex else f"**{e}"
            head.append(f"{opened}{self.sum(g)}{closed}{power}")
        joint = "*" if not self.tex else r"\," if single else ""
        return mark + joint.join(head)

    def quotient(self, over: Expr, under: Expr) -> str:
        """over/under, the sign in front."""
        lead = 1 if under.is_Rational and under > 0 or under.free_symbols and first_coefficient(under) > 0 else -1
        over, under = (lead*over).expand(), (lead*under).expand()
        if under == 1 or not over.free_symbols and not under.free_symbols:
            return self.product((over/under).expand())
        a, b = self.product(over), self.product(under)
        minus = a.startswith("-") and not a.startswith("-(")
        a = self.sum(over) if a.startswith("-(") else a[1:] if minus else a
        if self.tex:
            return ("-" if minus else "") + rf"\frac{{{a}}}{{{b}}}"
        a, b = f"({a})" if _open_sum(a) else a, b if b.replace("_", "").isalnum() else f"({b})"
        return f"{'-' if minus else ''}{a}/{b}"

    def absolute(self, inside: str) -> str:
        return rf"\left|{inside}\right|" if self.tex else f"|{inside}|"

    def relation(self, *parts: str) -> str:
        """Expressions and signs in turn: ("0", "<", "x", "<", "1")."""
        return " ".join(SIGNS[self.style].get(p, p) for p in parts)


def _reading_order(term: tuple) -> tuple:
    powers = sorted(term[0], key=lambda p: order(p[0]))
    return sum(e for _, e in powers), [(str(s) not in FIRST, str(s), -e) for s, e in powers]


def _open_sum(shown: str) -> bool:
    depth = 0
    for i, c in enumerate(shown):
        depth += (c == "(") - (c == ")")
        if depth == 0 and c == " " and i:
            return True
    return False


def split(f: Expr) -> tuple[Fraction, list, list]:
    """Content with sign, the single symbols with exponents, and the sums with exponents."""
    if not f.free_symbols:
        return Fraction(int(f.p), int(f.q)), [], []
    _, pairs = factored(f)
    powers = [(g, e) for g, e in pairs if g.is_Symbol]
    sums = [(g, e) for g, e in pairs if not g.is_Symbol]
    return content_of(f, pairs), powers, sorted(sums, key=lambda p: (len(terms(p[0])), str(p[0])))


def content_of(f: Expr, pairs: tuple) -> Fraction:
    """The number that remains when the factors are divided out."""
    symbols = sorted(f.free_symbols, key=str)

    def lead(g: Expr) -> Fraction:
        c = max(terms(g), key=lambda t: [(str(s), e) for s, e in _dense(t[0], symbols)])[1]
        return Fraction(int(c.p), int(c.q))
    number = Fraction(1)
    for g, e in pairs:
        number *= lead(g)**e
    return lead(f)/number


def _dense(powers: tuple, symbols: list) -> list:
    table = dict(powers)
    return [(s, table.get(s, 0)) for s in symbols]
