"""Runs printed rules in node, all of a test in one process: what the tests of JavaScript share."""
from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from dynopt.emit.js import JsFunction, js_array, js_field, js_step, runtime

NODE = shutil.which("node")
MAIN = """
const out = [];
for (const job of JOBS) {
  const o = job.oracles.map((f) => FIELDS[f](job.fieldDims, FIELD_ARRAYS[f]));
  const step = RULES[job.rule](o, job.start.map((x) => x.length), job.arrays.map((j) => ARRAYS[j]));
  const start = job.start.map((x) => Float64Array.from(x));
  const run = iterate(step, start, Float64Array.from(job.p), job.steps, {h: job.h, key: key_(job.seed, 0)});
  out.push({status: run.status, rows: run.rows.map((r) => Array.from(r))});
}
"""


class Batch:
    """Jobs that one node process runs."""

    def __init__(self) -> None:
        self.rules: dict[str, int] = {}
        self.fields: dict[str, int] = {}
        self.field_arrays: list[str] = []
        self.arrays: list[str] = []
        self.jobs: list[dict[str, Any]] = []

    def _field(self, problem: Any, name: str) -> int:
        field = getattr(problem, "fields", {}).get(name)
        if field is None and name == "prox":
            return self._keep("(o, d, c) => (u, s, out) => { out.set(u); }", "[]")
        printed: JsFunction = js_field(field.args, field.node, field.value)
        return self._keep(printed.source, f"[{','.join(map(js_array, printed.constants))}]")

    def _keep(self, source: str, arrays: str) -> int:
        key = source + arrays
        if key not in self.fields:
            self.fields[key] = len(self.field_arrays)
            self.field_arrays.append(arrays)
        return self.fields[key]

    def add(self, setup: Any, problem: Any, steps: int, seed: int = 0) -> None:
        printed = js_step(setup.rule.program, setup.vectors, setup.matrices)
        rule = self.rules.setdefault(printed.source, len(self.rules))
        arrays = []
        for kind, name in printed.arrays:
            value = {"constant": lambda n=name: printed.constants[int(n)], "vector": lambda n=name: setup.vectors[n],
                     "matrix": lambda n=name: setup.matrices[n]}[kind]()
            arrays.append(len(self.arrays))
            self.arrays.append(js_array(value))
        p = [float(setup.number(n)[0]) for n in printed.params]
        dims = [s.shape[1] for n, s in setup.states.items() if n not in setup.rule.scalars]
        h = p[printed.params.index("h")] if "h" in printed.params else 1.0
        self.jobs.append({"rule": rule, "oracles": [self._field(problem, n) for n in printed.oracles], "arrays": arrays, "p": p,
                          "start": [setup.states[n][0].tolist() for n in setup.rule.state], "fieldDims": dims or [1],
                          "steps": steps, "h": h, "seed": [seed >> 32, seed & 0xFFFFFFFF]})

    def module(self, end: str) -> str:
        """The text of an ES module that runs the jobs and hands `out` to `end`."""
        sources = [key[:len(key) - len(self.field_arrays[i])] for key, i in self.fields.items()]
        fields = [f"(d, c) => ({source})([], d, c)" for source in sources]
        return "\n".join([runtime(), f"const RULES = [{','.join(f'({r})' for r in self.rules)}];",
                          f"const FIELDS = [{','.join(fields)}];",
                          f"const FIELD_ARRAYS = [{','.join(self.field_arrays)}];",
                          f"const ARRAYS = [{','.join(self.arrays)}];",
                          f"const JOBS = {json.dumps(self.jobs)};", MAIN, end])

    def run(self, folder: Path) -> list[dict[str, Any]]:
        """What node makes of the jobs."""
        file = folder / "jobs.mjs"
        file.write_text(self.module("process.stdout.write(JSON.stringify(out));"), encoding="utf-8")
        done = subprocess.run([NODE, str(file)], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    def run_in(self, browser: Any, folder: Path) -> list[dict[str, Any]]:
        """What a browser makes of them, in a page of their own."""
        file = folder/"jobs.html"
        script = self.module("window.out = JSON.stringify(out);").replace("</", "<\\/")
        file.write_text(f"<!doctype html><title>jobs</title><script type=module>{script}</script>", encoding="utf-8")
        browser.open(file)
        browser.until("window.out !== undefined", seconds=60)
        assert browser.problems == []
        return json.loads(browser.run("window.out"))
