"""A rate in words: each formula with the place where it holds."""
from __future__ import annotations

from typing import TYPE_CHECKING

from sympy import Expr, Symbol, cancel, fraction

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
        return value if flow else _rooted(write.absolute(_unsigned(-f.coefficients[1]/f.coefficients[0], write)), f.step, write)
    if f.degree == 2:
        return _quadratic(f, flow, write)
    s = Symbol("s", real=True)
    p = f.sizes(s, flow).as_expr()
    degree = f.degree
    if write.tex:
        return rf"\text{{{'half ' if flow else 'root of '}the largest real root of a polynomial (factor of degree {degree})}}"
    return f"{'half' if flow else 'the square root of'} the largest real root s of {write.sum(p.expand()) if len(str(p)) < 200 else 'a polynomial'}" \
           f" (factor of degree {degree})"


def _unsigned(e: Expr, write: Letters) -> str:
    """|e| with the more pleasant of the two signs inside."""
    a, b = _expr(e, write), _expr(-e, write)
    return min(a, b, key=lambda s: (s.count("-") + 2*s.startswith("-"), len(s)))


def _rooted(shown: str, step: int, write: Letters) -> str:
    if step == 1:
        return shown
    return rf"{shown}^{{1/{step}}}" if write.tex else f"{shown}**(1/{step})"


def _quadratic(f: Factor, flow: bool, write: Letters) -> str:
    a, b, c = f.coefficients
    b, c = cancel(b/a), cancel(c/a)
    plain, square = _unsigned(b, write), f"{_unsigned(b, write)}"
    product, four = _expr(c, write), _expr(4*c, write)
    if write.tex:
        d = rf"\left({square}\right)^2 - {_tight(four)}"
        low = rf"-\tfrac12\left({_expr(b, write)}\right)" if flow else rf"\sqrt{{{product}}}"
        lead = rf"-\left({_expr(b, write)}\right)" if flow else rf"\left|{plain}\right|"
        high = rf"\tfrac12\left({lead} + \sqrt{{{d}}}\right)"
        compare = rf"\left({square}\right)^2 < {four}"
        return (rf"\begin{{cases}} {_rooted(low, f.step, write)} & {compare} \\ {_rooted(high, f.step, write)} & \text{{elsewhere}} \end{{cases}}")
    d = f"{_paren(square)}**2 - {_tight(four)}"
    low = f"-{_paren(_expr(b, write))}/2" if flow else f"sqrt({product})"
    high = f"(-{_paren(_expr(b, write))} + sqrt({d}))/2" if flow else f"(|{plain}| + sqrt({d}))/2"
    return f"{_rooted(low, f.step, write)} where {_paren(square)}**2 < {four}, else {_rooted(high, f.step, write)}"


def _paren(shown: str) -> str:
    return shown if shown.isidentifier() or shown.isdigit() else f"({shown})"


def _tight(shown: str) -> str:
    return f"({shown})" if " + " in shown.split("(")[0] or " - " in shown.split("(")[0] or shown.startswith("-") else shown
