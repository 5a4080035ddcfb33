"""The page as a Jupyter widget whose state goes both ways."""
from __future__ import annotations

import json
from typing import Any

from . import bundle


def source(page: Any) -> str:
    """The ES module that anywidget loads: our modules, the printed functions, and `render`."""
    data = bundle.safe_json(page.data | {"widget": True})
    render = ("export default { render({ model, el }) {\n  const style = document.createElement(\"style\");\n  style.textContent = STYLE;\n"
              "  const root = document.createElement(\"main\");\n  el.append(style, root);\n  start(root, DATA, model);\n} };\n")
    return "\n".join([bundle.module(page.kind.modules), bundle.printed_code(page.printed), bundle.starter(page.kind), f"const DATA = {data};",
                      f"const STYLE = {json.dumps(bundle.static('page.css'))};", render])


def make(page: Any) -> Any:
    """The widget; its trait `state` holds the chosen rule, problem, parameters and start."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise ImportError("widget needs anywidget, which is not installed; run `pip install anywidget`, "
                          "or use .show(), which needs nothing") from None

    class Explorer(anywidget.AnyWidget):
        _esm = source(page)
        state = traitlets.Dict({}).tag(sync=True)
    return Explorer()
