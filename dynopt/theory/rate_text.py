"""A rate in words: each formula with the place where it holds."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sympy import Expr, cancel, factor_list, fraction, prod, sqrt

from .atoms import sign
from .letters import Letters
from .spectrum import Factor

if TYPE_CHECKING:
    from .rates import Rate


def text(rate: "Rate", write: Letters) -> str:
    """The whole rate; several factors are joined by max."""
    shown = [_factor(f, rate.flow, write) for f in rate.factors]
    if not shown:
        return "0"
    inside = shown[0] if len(shown) == 1 else _maximum(shown, write)
    if rate.interval is None:
        return inside
    low, high = (_expr(e, write) for e in rate.interval)
    lam = write.symbol(rate.curvatures[0])
    return rf"\max_{{{low} \le {lam} \le {high}}} {inside}" if write.tex else f"largest for {low} <= {lam} <= {high} of: {inside}"


def _maximum(shown: list[str], write: Letters) -> str:
    joined = (r",\; " if write.tex else ",  ").join(shown)
    return rf"\max\left({joined}\right)" if write.tex else f"max({joined})"


def _expr(e: Expr, write: Letters) -> str:
    over, under = fraction(cancel(e))
    return write.quotient(over.expand(), under.expand())


def _factor(f: Factor, flow: bool, write: Letters) -> str:
    if f.degree == 1:
        value = _expr(-f.coefficients[1]/f.coefficients[0], write)
        return value if flow else _rooted(_size(-f.coefficients[1]/f.coefficients[0], write), f.step, write)
    if f.degree == 2:
        return _quadratic(f, flow, write)
    return _implicit(f, flow, write)


def _implicit(f: Factor, flow: bool, write: Letters) -> str:
    """The polynomial itself, where its roots have no short formula."""
    p = _polynomial(f, write)
    if write.tex:
        size = r"\operatorname{Re} z" if flow else "|z|"
        return rf"\max\left\{{{size} : {p} = 0\right\}}"
    return f"largest {'Re z' if flow else '|z|'} with {p} = 0"


def _polynomial(f: Factor, write: Letters) -> str:
    """The factor in z, highest power first."""
    shown = ""
    for i, c in enumerate(f.coefficients):
        power = (f.degree - i)*f.step
        if c == 0:
            continue
        value, minus = write.product(c.expand()), False
        if value.startswith("-"):
            value, minus = write.product((-c).expand()), True
        letter = "" if not power else "z" if power == 1 else f"z^{{{power}}}" if write.tex else f"z**{power}"
        value = f"({value})" if letter and is_sum(value) else value
        term = letter if letter and value == "1" else f"{value}{'' if write.tex or not letter else '*'}{letter}"
        shown += (" - " if minus else " + ") + term if shown else ("-" if minus else "") + term
    return shown


def _unsigned(e: Expr, write: Letters) -> str:
    """|e| with the more pleasant of the two signs inside."""
    a, b = _expr(e, write), _expr(-e, write)
    return min(a, b, key=lambda s: (s.count("-") + 2*s.startswith("-"), len(s)))


def _size(e: Expr, write: Letters) -> str:
    """|e|, without bars where the sign is evident."""
    over, under = fraction(cancel(e))
    known = sign((over*under).expand())
    return _expr(known*e, write) if known else write.absolute(_unsigned(e, write))


def _root_of(e: Expr, write: Letters) -> str:
    """sqrt(e), as a size where e is a square."""
    out = []
    for part in fraction(cancel(e)):
        content, pairs = factor_list(part)
        if not sqrt(content).is_Rational or any(power % 2 for _, power in pairs):
            return _sqrt(_expr(e, write), write)
        out.append(sqrt(content)*prod(f**(power//2) for f, power in pairs))
    return _size(out[0]/out[1], write)


def _rooted(shown: str, step: int, write: Letters) -> str:
    if step == 1:
        return shown
    return rf"{shown}^{{1/{step}}}" if write.tex else f"{shown}**(1/{step})"


def _quadratic(f: Factor, flow: bool, write: Letters) -> str:
    """A complex pair where the discriminant is negative, else two real roots; one formula where its sign is evident."""
    a, b, c = f.coefficients
    b, c = cancel(b/a), cancel(c/a)
    square, four = _unsigned(b, write), _expr(4*c, write)
    over, under = fraction(cancel(b**2 - 4*c))
    known = sign((over*under).expand())
    low = _expr(-b/2, write) if flow else _rooted(_root_of(c, write), f.step, write)
    if known < 0:
        return low
    less = f"+ {four[1:]}" if four.startswith("-") and not is_sum(four) else f"- {_tight(four)}"
    root = _sqrt(f"{_power(square, write)} {less}" if b != 0 else _expr(-4*c, write), write)
    first = (_expr(-b, write) if flow else _size(b, write)) if b != 0 else ""
    inner = f"{first} + {root}" if first else root
    high = rf"\tfrac12\left({inner}\right)" if write.tex else f"({inner})/2" if first else f"{inner}/2"
    high = high if flow else _rooted(high, f.step, write)
    return high if known > 0 else _either(low, f"{_power(square, write)} < {four}" if b != 0 else f"{four} > 0", high, write)


def _either(low: str, compare: str, high: str, write: Letters) -> str:
    if write.tex:
        return rf"\begin{{cases}} {low} & {compare} \\ {high} & \text{{elsewhere}} \end{{cases}}"
    return f"{low} where {compare}, else {high}"


def _sqrt(inside: str, write: Letters) -> str:
    return rf"\sqrt{{{inside}}}" if write.tex else f"sqrt({inside})"


def _power(inside: str, write: Letters) -> str:
    if inside.isdigit():
        return str(int(inside)**2)
    if write.tex and re.fullmatch(r"\\?\w+", inside):
        return f"{inside}^2"
    return rf"\left({inside}\right)^2" if write.tex else f"{_paren(inside)}**2"


def is_sum(shown: str) -> bool:
    """Does it have a sign outside all parentheses?"""
    depth = 0
    for i, c in enumerate(shown):
        depth += (c in "({") - (c in ")}")
        if depth == 0 and c in "+-" and i:
            return True
    return False


def _paren(shown: str) -> str:
    return shown if shown.isidentifier() or shown.isdigit() else f"({shown})"


def _tight(shown: str) -> str:
    return f"({shown})" if is_sum(shown) or shown.startswith("-") else shown
