"""LaTeX, as the theory prints it, to presentation MathML, which every browser draws without a library."""
from __future__ import annotations

import re
from html import escape

TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[0-9]+(?:\.[0-9]+)?|[{}^_&]|\s+|.", re.DOTALL)
GREEK = dict(zip(("alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi "
                  "varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell infty partial nabla").split(),
                 "α β γ δ ϵ ε ζ η θ ι κ λ μ ν ξ π ρ σ τ ϕ φ χ ψ ω Γ Δ Θ Λ Ξ Π Σ Φ Ψ Ω ℓ ∞ ∂ ∇".split(), strict=True))
OPERATOR = {"lt": "<", "gt": ">", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "cdot": "⋅", "times": "×",
            "pm": "±", "wedge": "∧", "land": "∧", "vee": "∨", "lor": "∨", "neg": "¬", "in": "∈", "to": "→", "mapsto": "↦",
            "Rightarrow": "⇒", "Leftrightarrow": "⇔", "iff": "⇔", "equiv": "≡", "approx": "≈", "cup": "∪", "cap": "∩",
            "setminus": "∖", "emptyset": "∅", "dots": "…", "ldots": "…", "cdots": "⋯", "colon": ":", "mid": "|", "sum": "∑",
            "top": "⊤", "lvert": "|", "rvert": "|", "vert": "|", "Vert": "‖", "lVert": "‖", "rVert": "‖", "langle": "⟨",
            "rangle": "⟩", "{": "{", "}": "}", "%": "%", "forall": "∀", "exists": "∃", "leftarrow": "←", "gets": "←"}
WORDS = {"sin", "cos", "tan", "tanh", "exp", "log", "ln", "max", "min", "det", "arg", "limsup", "lim", "sup", "inf"}
SPACE = {"quad": "1em", "qquad": "2em", ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.33em"}
SILENT = {"left", "right", "displaystyle", "textstyle", "limits", "nonumber", "!", "big", "Big", "bigl", "bigr", "middle",
          "Bigl", "Bigr"}
TEXT = {"text", "mathrm", "operatorname", "textrm", "mathtt", "textit", "mbox", "texttt"}
# Bars come without the spaces of a relation: |x|, not | x |.
BAR = '<mo stretchy="false" lspace="0" rspace="0">|</mo>'


class _Reader:
    """One pass over the tokens; every method returns MathML and leaves the next token in place."""

    def __init__(self, latex: str):
        self.tokens = TOKEN.findall(latex)
        self.place = 0

    def peek(self) -> str:
        while self.place < len(self.tokens) and self.tokens[self.place].isspace():
            self.place += 1
        return self.tokens[self.place] if self.place < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.place += 1
        return token

    def row(self, end: str = "") -> str:
        parts = []
        while (token := self.peek()) and token != end:
            parts.append(self.scripted())
        self.take()
        return f"<mrow>{''.join(parts)}</mrow>"

    def scripted(self) -> str:
        base, low, high = self.atom(), "", ""
        while (token := self.peek()) in ("^", "_") and token:
            self.take()
            low, high = (self.argument(), high) if token == "_" else (low, self.argument())
        if low and high:
            return f"<msubsup>{base}{low}{high}</msubsup>"
        return f"<msub>{base}{low}</msub>" if low else f"<msup>{base}{high}</msup>" if high else base

    def argument(self) -> str:
        return self.atom() or "<mrow></mrow>"

    def raw_group(self) -> str:
        """The text of the next braced group, as it stands."""
        self.take()
        start, depth = self.place, 1
        while depth and self.place < len(self.tokens):
            depth += {"{": 1, "}": -1}.get(self.tokens[self.place], 0)
            self.place += 1
        return "".join(self.tokens[start:self.place - 1])

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            return self.row("}")
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[0].isdigit():
            return f"<mn>{token}</mn>"
        if token.isalpha():
            return f"<mi>{escape(token)}</mi>"
        if token == "|":
            return BAR
        return "" if token in "&~" else f"<mo>{'−' if token == '-' else '⋅' if token == '*' else escape(token)}</mo>"

    def command(self, name: str) -> str:
        if name in ("frac", "tfrac", "dfrac"):
            return f"<mfrac>{self.argument()}{self.argument()}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self.argument()}</msqrt>"
        if name in TEXT:
            return f'<mtext>{escape(self.raw_group().replace(" ", chr(0xa0)))}</mtext>'
        if name in ("dot", "ddot", "bar", "hat", "overline", "tilde"):
            mark = {"dot": "˙", "ddot": "¨", "bar": "¯", "overline": "¯", "hat": "^", "tilde": "~"}[name]
            return f'<mover accent="true">{self.argument()}<mo>{mark}</mo></mover>'
        if name in SPACE:
            return f'<mspace width="{SPACE[name]}"></mspace>'
        if name in GREEK:
            return f"<mi>{GREEK[name]}</mi>"
        if name in SILENT:
            return ""
        if OPERATOR.get(name) == "|":
            return BAR
        return f"<mi>{name}</mi>" if name in WORDS else f"<mo>{escape(OPERATOR.get(name, name))}</mo>"


def mathml(latex: str, *, display: bool = False) -> str:
    r"""A LaTeX formula, with or without dollar signs, as one MathML element.

    latex : the formula; fractions, roots, scripts, Greek, relations, text and delimiters are known.
    Returns the element's text; whatever is not known is shown by its name and never becomes markup.

    >>> mathml(r"$\eta < 2$")
    '<math displaystyle="true"><mrow><mi>η</mi><mo>&lt;</mo><mn>2</mn></mrow></math>'
    """
    bare = latex.strip().strip("$").removeprefix(r"\displaystyle")
    kind = ' display="block"' if display else ' displaystyle="true"'
    return f"<math{kind}>{_Reader(bare).row()}</math>"
