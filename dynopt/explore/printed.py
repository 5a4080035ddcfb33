"""Functions and arrays on their way into the module of a page."""
from __future__ import annotations

from typing import Any

import numpy as np

from ..emit.js import js_array, js_field


class Printed:
    """Functions and arrays collected for the module of a page."""

    def __init__(self) -> None:
        self.functions: list[str] = []
        self.arrays: list[str] = []

    def function(self, source: str) -> int:
        """The place of a function; equal sources share one."""
        if source not in self.functions:
            self.functions.append(source)
        return self.functions.index(source)

    def array(self, values: np.ndarray) -> int:
        text = js_array(np.asarray(values, dtype=float))
        if text not in self.arrays:
            self.arrays.append(text)
        return self.arrays.index(text)


def oracle(field: Any, printed: Printed) -> dict[str, Any]:
    """One oracle of a problem as data of the page."""
    source = js_field(field.args, field.node, field.value)
    return {"code": printed.function(source.source), "arrays": [printed.array(a) for a in source.constants]}
