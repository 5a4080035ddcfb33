"""Measures the figures of docs/accuracy.md and writes them there: `python tests/accuracy.py`."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from problem_data import by_kind, flow_of, start_of, times_of
from scipy.integrate import solve_ivp
from test_modified import DAMPED, DISTANCES, distance
from test_schemes import FIXED, TWELVE, observed_order
from test_solve import DETEST, ODES, bound, error_of, whole

import dynopt
from dynopt import heun, iterate, leapfrog, modified, ode_limit, quadratic, rk2, rk4, rkc, solve, stability_interval

TOLERANCES = (1e-6, 1e-9, 1e-12)
PAGE = Path(__file__).parents[1]/"docs"/"accuracy.md"


def table(head: list[str], rows: list[list]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(map(str, r)) for r in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def shown(x: float) -> str:
    return f"{x:.1e}"


def reference() -> str:
    """Error over its bound for every ODE problem."""
    rows = []
    for p in ODES:
        cells = []
        for tol in TOLERANCES:
            error, run = error_of(p, tol)
            cells.append(f"{shown(error)} ({error/bound(p, tol):.2g}; {len(run.t) - 1})")
        rows.append([p["id"], f"{p.get('condition_number_y0') or 1:.2g}", *cells])
    return table(["problem", "condition", *(f"tol {t:g}" for t in TOLERANCES)], rows)


def pairs() -> str:
    """Largest error on the way over that of scipy's pair of the same order, worst over DETEST A to E."""
    rows = []
    for ours, theirs in (("dop853", "DOP853"), ("tsit5", "RK45")):
        ratios = []
        for p in DETEST:
            t0, t1 = times_of(p)
            f, times = flow_of(p), np.linspace(t0, t1, 101)
            truth = whole(solve(f, x0=start_of(p), t0=t0, until=times, rtol=1e-13, atol=1e-14))

            def rates(t, y, f=f):
                out = f(*y, **({"t": t} if "t" in f.signature.clocks else {}))
                return np.array(out if isinstance(out, tuple) else (out,), dtype=float)
            for tol in (1e-4, 1e-6, 1e-8):
                error = np.abs(whole(solve(f, x0=start_of(p), t0=t0, until=times, rtol=tol, atol=tol, method=ours)) - truth).max()
                other = np.abs(solve_ivp(rates, (t0, t1), p["y0_float"], method=theirs, rtol=tol, atol=tol, t_eval=times).y.T - truth).max()
                ratios.append((error/max(other, tol/2), p["id"], tol))
        worst = max(ratios)
        rows.append([ours, theirs, f"{worst[0]:.2f} ({worst[1]}, {worst[2]:g})", f"{np.median([r[0] for r in ratios]):.2f}"])
    return table(["pair", "scipy's", "largest ratio of errors", "median"], rows)


def fixed() -> str:
    rows = []
    for scheme, order in FIXED:
        found = [observed_order(scheme, p, order) for p in ODES if p["id"] in TWELVE]
        rows.append([scheme.__name__, order, f"{min(found):.3f}", f"{max(found):.3f}"])
    return table(["scheme", "order", "smallest observed", "largest observed"], rows)


def delays() -> str:
    truth = {p["id"]: p["y_end_float"][0] for p in by_kind("dde")}
    runs = {"dde_neg_unit_delay": ("y = -past(y, 1)", 1.0, 10.0), "dde_pos_unit_delay": ("y = past(y, 1)", 1.0, 5.0),
            "dde_wright_logistic": ("y = -3/2*past(y, 1)*(1 + y)", .1, 12.0)}
    rows = []
    for name, (text, start, end) in runs.items():
        made = dynopt.flow.from_string(text, state="y")
        cells = [shown(abs(solve(made, x0=[start], until=end, rtol=t, atol=t).y[-1, 0]/truth[name] - 1)) for t in TOLERANCES]
        rows.append([name, *cells])
    return table(["problem", *(f"tol {t:g}" for t in TOLERANCES)], rows)


def dense_and_events() -> str:
    rows = []
    t = np.linspace(0, 6, 2001)
    for method in ("taylor", "dop853", "tsit5", "radau"):
        run = solve(dynopt.conservative, quadratic([1.0]), x0=[1.0], until=6.0, rtol=1e-9, atol=1e-9, method=method, events={"zero": "x"})
        steps, between = np.abs(run.x[:, 0] - np.cos(run.t)).max(), np.abs(run.at(t)["x"][:, 0] - np.cos(t)).max()
        rows.append([method, shown(steps), shown(between), shown(np.abs(run.events["zero"]["t"] - np.array([.5, 1.5])*np.pi).max())])
    return table(["method", "error at steps", "error between", "error of event times"], rows)


def long_runs() -> str:
    well, start = dynopt.double_well(), {"x": [1.2, .3], "v": [.1, .4]}
    energy = iterate(leapfrog(dynopt.conservative), well, x0=start, steps=10**6, record=100, h=.05).energy
    swing, drift = energy.max() - energy.min(), abs(energy[-5000:].mean() - energy[:5000].mean())
    out = iterate(leapfrog(dynopt.conservative), well, x0=start, steps=10**4, record="last", h=.01)
    back = iterate(leapfrog(dynopt.conservative), well, x0={"x": out.x[-1], "v": -out.v[-1]}, steps=10**4, record="last", h=.01)
    return table(["what", "figure"], [
        ["leapfrog, 10^6 steps: energy swing", shown(swing)], ["the same: secular part over swing", shown(drift/swing)],
        ["leapfrog, 10^4 steps forward and back: error", shown(np.abs(back.x[-1] - start["x"]).max())]])


def backward() -> str:
    """Observed orders of the distance between methods and their limit and modified flows."""
    rows = []
    for _, name, where, order in DISTANCES:
        method = getattr(dynopt, name)
        flow = ode_limit(method, where) if order == 0 else modified(method, order, where)
        errors = [distance(method.subs(**where), flow, h, {"gamma": 1.0} if where is DAMPED else {}) for h in (1/64, 1/128, 1/256)]
        slopes = np.log2(np.array(errors[:-1])/errors[1:])
        rows.append([name, "limit" if order == 0 else f"modified, order {order}", shown(errors[-1]), f"{2*slopes[1] - slopes[0]:.3f}", order + 1])
    return table(["method", "flow", "distance at h = 1/256", "observed order", "claimed"], rows)


def intervals() -> str:
    rows = []
    for scheme in (dynopt.explicit_euler, rk2, heun, rk4, rkc(3), rkc(10), dynopt.implicit_euler, dynopt.theta, dynopt.bdf2):
        found = stability_interval(scheme)
        rows.append([scheme.__name__, f"{found.real} = {float(found.real):.6g}", f"{found.imag} = {float(found.imag):.6g}"])
    return table(["scheme", "real", "imaginary"], rows)


PARTS = [
    ("Reference problems", "41 problems by `solve(..., method=\"auto\")`, rtol = atol = tol: error at the end relative to the largest state (as a "
     "fraction of the bound max(10 tol, 100 eps) times the condition number; steps). Every fraction is below 1.", reference),
    ("Embedded pairs against scipy's", "Largest error on the way at tol 1e-4, 1e-6, 1e-8 on DETEST A to E, over scipy's (or tol/2, "
     "where scipy's is below).", pairs),
    ("Dense output and events", "Harmonic oscillator at tol 1e-9.", dense_and_events),
    ("Schemes with a fixed step", "Observed orders on 12 problems.", fixed),
    ("Delays", "Relative error at the end.", delays),
    ("Long runs", "Double well.", long_runs),
    ("Limits and modified flows", "Distance at t = 2 on f = |x|^2/2 + (x_1^2 + x_1 x_2)^2/4, extrapolated slope against h.", backward),
    ("Stability intervals", "Exact.", intervals),
]


def main() -> None:
    page = "# Accuracy\n\nMeasured by `python tests/accuracy.py`, which writes this page.\n"
    for title, told, make in PARTS:
        page += f"\n## {title}\n\n{told}\n\n{make()}\n"
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
