"""Floor 4: the main job. Derives the stable steps of several methods on a real loss, measures each, and writes it all down.

`job` drives; `data` makes the problem; `bounds` derives; `measure` runs and bisects; `page`, `mathml` and `files` write. May
import everything below (core, catalog, theory, emit, run, plot); never typer. To put a method into the report: one line in
`bounds.ENTRIES`.
"""
