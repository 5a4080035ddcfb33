"""The report as one page that needs nothing else: no script, no request, light and dark."""
from __future__ import annotations

from base64 import b64encode
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from .mathml import mathml

HEAD = """<thead>
<tr><th></th><th class="group" colspan="4">largest stable step</th>
<th class="group" colspan="3">contraction per step</th><th></th></tr>
<tr><th>method</th><th></th><th>derived</th><th>measured</th><th>measured&nbsp;/ derived</th><th>at step</th><th>derived</th>
<th>measured</th><th>region</th></tr></thead>"""


PROVED = ("All of them are proved: a solver for real arithmetic has refuted both ways to be wrong, parameters inside with a root "
          "on or outside the unit circle, and parameters outside with every root within. Because solvers have had faults too, "
          "floating point near the rim and exact arithmetic at rational points had to agree.")


def digits(value: float, count: int = 5) -> str:
    """A number to a few significant digits, never in the notation of programs."""
    text = f"{value:.{count}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}&thinsp;·&thinsp;10<sup>{str(int(exponent)).replace('-', '−')}</sup>"


def status(text: str) -> str:
    return f'<span class="{"proved" if text == "proved" else "unknown"}">{escape(text)}</span>'


def data_uri(svg: str) -> str:
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _facts(data: dict[str, Any]) -> str:
    rows = [("samples", str(data["samples"])), ("features", str(data["dimension"])),
            ("smallest curvature μ", digits(data["mu"])), ("largest curvature L", digits(data["L"])),
            ("condition number L/μ", digits(data["kappa"], 4))]
    return "\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)


def _row(entry: dict[str, Any]) -> str:
    rate, step = entry["rate"], mathml(rf"\{entry['step']}" if entry["step"] == "eta" else entry["step"])
    cells = [step, f'<span class="derived">{digits(entry["derived"], 6)}</span>',
             f'<span class="measured">{digits(entry["measured"], 6)}</span>', f'{entry["ratio"]:.5f}', digits(rate["step"], 4),
             f'<span class="derived">{rate["derived"]:.6f}</span>', f'<span class="measured">{rate["measured"]:.6f}</span>',
             status(entry["proof"]["status"])]
    return f'<tr><th scope="row">{escape(entry["label"])}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _table(report: dict[str, Any]) -> str:
    rows = "\n".join(map(_row, report["methods"]))
    return f"<table>\n{HEAD}\n<tbody>\n{rows}\n</tbody></table>"


def relations(latex: str) -> str:
    """A conjunction as one formula for each relation, so that a line can break between them."""
    parts = latex.strip("$").removeprefix("\\displaystyle").split(",\\;")
    return ",&emsp;".join(mathml(part) for part in parts)


def _rule(entry: dict[str, Any]) -> str:
    formulas = [("stable exactly where", relations(entry["region_latex"])),
                ("for every curvature in [μ, L]", relations(entry["over_latex"]))]
    shown = "\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in formulas)
    shown += f'\n<div><dd>{status(entry["proof"]["status"])}</dd></div>'
    return (f'<section class="rule"><div><h3>{escape(entry["label"])}</h3><p class="source">{escape(entry["source"])}</p>'
            f'<pre>{escape(entry["declaration"])}</pre></div>\n<dl class="formulas">\n{shown}\n</dl></section>')


def _lead(report: dict[str, Any]) -> str:
    worst = f'{100*max(abs(entry["ratio"] - 1) for entry in report["methods"]):.3f}&thinsp;%'
    count = len(report["methods"])
    proved = sum(entry["proof"]["status"] == "proved" for entry in report["methods"])
    return (f"<strong>{count} update rules, declared as their papers write them.</strong> For each, dynopt derived the region of "
            f"stable parameters ({proved} of {count} with a proof), put this data set’s curvature into it, and then ran the "
            f"compiled iteration on the real loss to see where it really stops converging. "
            f"The two agree within <strong>{worst}</strong>.")


def _survey(data: dict[str, Any]) -> str:
    off = max(abs(data["mu_lanczos"]/data["mu"] - 1), abs(data["L_lanczos"]/data["L"] - 1))
    return (f"The loss is logistic regression on the standardized features with an l2 weight of {data['l2']:g}. Newton’s method "
            f"finds its minimizer (gradient {digits(data['gradient_norm'], 2)}); the curvatures are the eigenvalues of the dense "
            f"Hessian there, and Lanczos on Hessian-vector products finds the same two to {digits(off, 2)}.")


def _how(settings: dict[str, Any]) -> str:
    return (f"Momentum is β = {settings['beta']:g}, friction γ = {settings['gamma']:g}. A measurement starts "
            f"{digits(settings['start'], 1)} from the minimizer along the eigenvector of the critical curvature and runs the "
            "compiled iteration until the perturbation has clearly shrunk or grown; bisection narrows the step at which the one "
            f"becomes the other to {digits(settings['tolerance'], 1)}. It knows no formula. The contraction is measured the "
            "same way, along the direction that decays last.")


def _flow_text(flow: dict[str, Any]) -> str:
    return (f"{escape(flow['label'])} against the damped flow it discretizes, from the same start, over "
            f"{digits(flow['until'], 4)} units of time. Halving the step divides the distance by {flow['factor']:.2f}: "
            f"the observed order is {flow['order']:.2f}.")


def _flow_table(flow: dict[str, Any]) -> str:
    rows = "\n".join(f'<tr><th scope="row">{digits(row["h"], 4)}</th><td>{row["steps"]}</td>'
                     f'<td>{digits(row["distance"], 4)}</td></tr>' for row in flow["rows"])
    head = "<thead><tr><th>step h</th><th>steps</th><th>largest distance between iterates and flow</th></tr></thead>"
    return f'<table style="width:auto">\n{head}\n<tbody>\n{rows}\n</tbody></table>'


def _figure(pictures: dict[str, str], caption: str) -> str:
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="{data_uri(pictures["dark"])}"/>' if "dark" in pictures else ""
    return f'<picture>{dark}<img alt="{escape(caption, quote=True)}" src="{data_uri(pictures["paper"])}"/></picture>'


def page(report: dict[str, Any], pictures: dict[str, str]) -> str:
    """The whole report as HTML text.

    report : what `job.run` returns. pictures : SVG text by style, "paper" and, where there is one, "dark".
    """
    here = files("dynopt.report")
    proved = all(entry["proof"]["status"] == "proved" for entry in report["methods"])
    seconds = f" in {report['seconds']:.0f} seconds" if "seconds" in report else ""
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(report["data"]["name"].replace("_", " ")), style=here.joinpath("page.css").read_text(encoding="utf-8"),
        lead=_lead(report), facts=_facts(report["data"]), survey=_survey(report["data"]), how=_how(report["settings"]),
        table=_table(report), proved=PROVED if proved else "Where it says unknown, nothing is claimed.",
        rules="\n".join(map(_rule, report["methods"])), figure=_figure(pictures, report["caption"]),
        caption=escape(report["caption"]),
        flow=_flow_text(report["flow"]), flow_table=_flow_table(report["flow"]),
        footer=f"Made by dynopt {escape(report['dynopt'])}{seconds}. "
               "Every number of this page is in <code>report.json</code> beside it.")
