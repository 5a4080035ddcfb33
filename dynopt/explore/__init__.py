"""Floor 4: live pages. `page.py` gathers a rule (`rules.py`; what theory knows of it, `derived.py`) and problems (`problems.py`, `games.py`),
`bundle.py` makes one file, `static/` is our own JavaScript.

May import everything below. To add a page: a file `static/page_<name>.js` with a class that draws it, and a line in `pages.py`.
The page runs the printed rule itself (`emit/js.py`); it never contains a formula typed by hand. The room has the name of its
verb, so the room can be called: `dynopt.explore(rule, problem)` is `page.explore`, whichever of the two was imported first.
"""
from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **named: Any) -> Any:
        from .page import explore
        return explore(*args, **named)


explore = sys.modules[__name__]
explore.__class__ = _Room
