"""The pages by name: what each shows, and which of our modules draws it."""
from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import ParameterError

BASE = ("numerics.js", "canvas.js", "ui.js", "mode.js", "lab.js", "landscape.js", "panels.js", "map.js")
SHEET = (*BASE, "sheet.js")


@dataclass(frozen=True)
class Kind:
    """A page: its sentence, its class in JavaScript and the files that hold it, in the order in which they stand in the page."""

    shows: str
    maker: str
    modules: tuple[str, ...]


PAGES = {
    "explorer": Kind("a rule on a problem: path, stability map, decay and roots, linked", "Explorer",
                     (*BASE, "flow.js", "explorer_view.js", "explorer_draw.js", "explorer_compute.js", "explorer.js")),
    "eigenbasis": Kind("the same descent in the original coordinates and along the eigenvectors", "EigenBasis",
                       (*SHEET, "page_eigenbasis.js")),
    "eigenerrors": Kind("what is left of the error at three curvatures, iteration after iteration", "EigenErrors",
                        (*SHEET, "page_eigenerrors.js")),
    "regression": Kind("weights of a polynomial and its fit, moved by hand or by the rule", "Regression",
                       (*SHEET, "fit.js", "page_regression.js")),
    "eigenfeatures": Kind("a fit rebuilt feature by feature in the eigenbasis; points can be dragged", "EigenFeatures",
                          (*SHEET, "fit.js", "page_eigenfeatures.js")),
    "early_stopping": Kind("what is learnt after k steps, as a filter on the spectrum", "EarlyStopping",
                           (*SHEET, "fit.js", "page_early_stopping.js")),
    "regimes": Kind("largest modulus over two parameters, with a motion from each regime", "Regimes", (*SHEET, "page_regimes.js")),
    "phase": Kind("displacement against position, each step split into damping and spring", "Phase", (*SHEET, "page_phase.js")),
    "damping": Kind("under-, over- and critical damping, found where roots meet", "Damping", (*SHEET, "page_damping.js")),
    "modes": Kind("three modes under one setting, with their roots", "Modes", (*SHEET, "page_modes.js")),
    "colouring": Kind("colour that spreads over a grid of pixels, step by step", "Colouring",
                      (*SHEET, "graph.js", "page_colouring.js")),
    "graphs": Kind("conditioning of expander, grid and path, and how fast a rule agrees on them", "Graphs",
                   (*SHEET, "graph.js", "page_graphs.js")),
    "resisting": Kind("the chain whose far end no method reaches before its time", "Resisting", (*SHEET, "graph.js", "page_resisting.js")),
    "noise": Kind("the part of the error that shrinks and the part that noise keeps alive", "NoiseParts", (*SHEET, "page_noise.js")),
}


def kind(name: str) -> Kind:
    """The page of that name; raises ParameterError that lists them."""
    if name not in PAGES:
        raise ParameterError(f"explore: there is no page {name!r}, expected one of {', '.join(PAGES)}; write page=\"explorer\"")
    return PAGES[name]
