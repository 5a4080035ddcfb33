"""The pages by name: what each shows, and which of our modules draws it."""
from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import ParameterError

BASE = ("numerics.js", "canvas.js", "ui.js", "lab.js", "panels.js")


@dataclass(frozen=True)
class Kind:
    """A page: its sentence, its class in JavaScript and the file that holds it."""

    shows: str
    maker: str
    file: str

    @property
    def modules(self) -> tuple[str, ...]:
        return (*BASE, self.file) if self.file == "explorer.js" else (*BASE, "sheet.js", self.file)


PAGES = {
    "explorer": Kind("a rule on a problem: path, stability map, decay and roots, linked", "Explorer", "explorer.js"),
    "eigenbasis": Kind("the same descent in the original coordinates and along the eigenvectors", "EigenBasis", "page_fits.js"),
    "eigenerrors": Kind("what is left of the error at three curvatures, iteration after iteration", "EigenErrors", "page_modes.js"),
    "regression": Kind("weights of a polynomial and its fit, moved by hand or by the rule", "Regression", "page_fits.js"),
    "eigenfeatures": Kind("a fit rebuilt feature by feature in the eigenbasis; points can be dragged", "EigenFeatures", "page_fits.js"),
    "early_stopping": Kind("what is learnt after k steps, as a filter on the spectrum", "EarlyStopping", "page_fits.js"),
    "regimes": Kind("largest modulus over two parameters, with a motion from each regime", "Regimes", "page_modes.js"),
    "phase": Kind("displacement against position, each step split into damping and spring", "Phase", "page_modes.js"),
    "damping": Kind("under-, over- and critical damping, found where roots meet", "Damping", "page_modes.js"),
    "modes": Kind("three modes under one setting, with their roots", "Modes", "page_modes.js"),
    "colouring": Kind("colour that spreads over a grid of pixels, step by step", "Colouring", "page_graphs.js"),
    "graphs": Kind("conditioning of expander, grid and path, and how fast a rule agrees on them", "Graphs", "page_graphs.js"),
    "resisting": Kind("the chain whose far end no method reaches before its time", "Resisting", "page_graphs.js"),
    "noise": Kind("the part of the error that shrinks and the part that noise keeps alive", "NoiseParts", "page_modes.js"),
}


def kind(name: str) -> Kind:
    """The page of that name; raises ParameterError that lists them."""
    if name not in PAGES:
        raise ParameterError(f"explore: there is no page {name!r}, expected one of {', '.join(PAGES)}; write page=\"explorer\"")
    return PAGES[name]
