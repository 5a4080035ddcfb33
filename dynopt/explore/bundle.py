"""One HTML file from data, printed functions and our modules; nothing is loaded, and nothing but our own script may run."""
from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from ..emit.js import runtime
from .pages import Kind
from .printed import Printed

IMPORT = re.compile(r"^import [^;]+;\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function|class|async) )", re.MULTILINE)
POLICY = "default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'none'"
BEGIN = """const root = document.getElementById("app");
root.replaceChildren();
start(root, JSON.parse(document.getElementById("data").textContent));
"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{title}</title><style>{style}</style></head>
<body><main id="app">{fallback}</main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}</script></body></html>
"""


def static(name: str) -> str:
    return files("dynopt.explore").joinpath("static", name).read_text(encoding="utf-8")


def module(names: tuple[str, ...]) -> str:
    """Several ES modules as one: imports between them are dropped, since all stand in one scope."""
    parts = [runtime(), *map(static, names)]
    return "\n".join(EXPORT.sub("", IMPORT.sub("", part)) for part in parts)


def starter(kind: Kind) -> str:
    """The line that starts a page of this kind on its root element."""
    return (f"const start = (root, data, model = null) => {{ root.dynopt = new {kind.maker}(root, new Lab(data, FUNCTIONS, ARRAYS), model); }};\n")


def safe_json(value: Any) -> str:
    """JSON that cannot end a script element or a line of one."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def printed_code(printed: Printed) -> str:
    """The printed functions and arrays, as two constants of the module."""
    functions = ",\n".join(f"({source})" for source in printed.functions)
    return f"const FUNCTIONS = [{functions}];\nconst ARRAYS = [{','.join(printed.arrays)}];"


def digest(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()


def html(title: str, data: dict[str, Any], printed: Printed, kind: Kind, fallback: str) -> str:
    """The whole page as text."""
    style = static("page.css")
    script = "\n".join([module(kind.modules), printed_code(printed), starter(kind), BEGIN])
    policy = POLICY.format(script=digest(script), style=digest(style))
    return PAGE.format(policy=escape(policy, quote=True), title=escape(title), style=style, fallback=fallback, data=safe_json(data), script=script)
