"""Measures the figures of docs/accuracy.md and writes them there: `python tests/accuracy.py`."""
from __future__ import annotations

from pathlib import Path

import accuracy_noise
import accuracy_steps
import numpy as np
from problem_data import by_kind, flow_of, start_of, times_of
from scipy.integrate import solve_ivp
from test_modified import DAMPED, DISTANCES, distance
from test_solve import DETEST, ODES, bound, error_of, whole

import dynopt
from dynopt import heun, modified, ode_limit, rk2, rk4, rkc, solve, stability_interval

TOLERANCES = (1e-6, 1e-9, 1e-12)
PAGE = Path(__file__).parents[1]/"docs"/"accuracy.md"
SUMMARY: list[list[str]] = []                           # what was asked, what was reached, whether that is enough


def asked(what: str, bound: str, reached: str, met: bool) -> None:
    SUMMARY.append([what, bound, reached, "yes" if met else "**no**"])


def table(head: list[str], rows: list[list]) -> str:
    lines = [" | ".join(head), " | ".join("---" for _ in head), *(" | ".join(map(str, r)) for r in rows)]
    return "\n".join(f"| {line} |" for line in lines)


def shown(x: float) -> str:
    return f"{x:.1e}"


def reference() -> str:
    """Error over its bound for every ODE problem."""
    rows, worst = [], (0.0, "", 0.0)
    for p in ODES:
        cells = []
        for tol in TOLERANCES:
            error, run = error_of(p, tol)
            worst = max(worst, (error/bound(p, tol) if run.success else np.inf, p["id"], tol))
            cells.append(f"{shown(error)} ({error/bound(p, tol):.2g}; {len(run.t) - 1})")
        rows.append([p["id"], f"{p.get('condition_number_y0') or 1:.2g}", *cells])
    asked(f"{len(ODES)} reference problems at three tolerances: error over max(10 tol, 100 eps) times the condition number", "1",
          f"{worst[0]:.2g} ({worst[1]}, {worst[2]:g})", worst[0] <= 1)
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
        asked(f"{ours} on DETEST A to E at 1e-4, 1e-6, 1e-8: error over that of scipy's {theirs}", "2", f"{worst[0]:.2f} ({worst[1]}, {worst[2]:g})",
              worst[0] <= 2)
        rows.append([ours, theirs, f"{worst[0]:.2f} ({worst[1]}, {worst[2]:g})", f"{np.median([r[0] for r in ratios]):.2f}"])
    return table(["pair", "scipy's", "largest ratio of errors", "median"], rows)


def fixed() -> str:
    rows = []
    for name, order, found, local in accuracy_steps.on_twelve():
        rows.append([name, order, f"{min(found):.3f} to {max(found):.3f}", f"{min(local):.3f}" if local else "its first step is implicit Euler's"])
        asked(f"{name} on 12 problems: order", f"{order} - 0.1", f"{min(found):.3f}", min(found) >= order - .1)
        if local:
            asked(f"{name} on 12 problems: order of one step", f"{order + 1} - 0.1", f"{min(local):.3f}", min(local) >= order + .9)
    for name, order, found in accuracy_steps.on_partitioned():
        rows.append([name, order, f"{min(found):.3f} to {max(found):.3f}", ""])
        asked(f"{name}, damped motion, 4 landscapes by 3 frictions: order", f"{order} - 0.1", f"{min(found):.3f}", min(found) >= order - .1)
    return table(["scheme", "order", "observed", "smallest of one step"], rows)


def delays() -> str:
    flows = {"dde_neg_unit_delay": ("-past(y, 1)", 1.0), "dde_pos_unit_delay": ("past(y, 1)", 1.0),
             "dde_wright_logistic": ("-3/2*past(y, 1)*(1 + y)", .1), "dde_cos_marginal": ("-past(y, pi/2)", np.cos)}
    rows, worst = [], (0.0, "")
    for p in by_kind("dde"):
        text, start = flows[p["id"]]
        made, truth = dynopt.flow.from_string(f"y = {text}", state="y"), p["y_end_float"][0]
        cells = []
        for tol in TOLERANCES:
            run = solve(made, x0=start, until=times_of(p)[1], rtol=tol, atol=tol*(start if isinstance(start, float) else 1.0))
            error = abs(run.y[-1, 0] - truth)/np.abs(run.y).max()
            worst = max(worst, (error/max(10*tol, 2.2e-14), p["id"]))
            cells.append(shown(error))
        rows.append([p["id"], *cells])
    asked("4 delay problems at three tolerances: error over max(10 tol, 100 eps)", "1", f"{worst[0]:.2g} ({worst[1]})", worst[0] <= 1)
    return table(["problem", *(f"tol {t:g}" for t in TOLERANCES)], rows)


def dense_and_events() -> str:
    """On Kepler's circle, whose motion is known and not linear."""
    rows, tol, t = [], 1e-9, np.linspace(0, 12, 4001)

    def truth(t: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(t), np.sin(t)], -1)
    for method in ("taylor", "dop853", "tsit5", "radau"):
        run = solve(dynopt.kepler, x0={"q": [1, 0], "p": [0, 1]}, until=12.0, rtol=tol, atol=tol, method=method, events={"zero": lambda q: q[..., 0]})
        end, between = np.abs(run.q[-1] - truth(run.t[-1])).max(), np.abs(run.at(t)["q"] - truth(t)).max()
        late = np.abs(run.events["zero"]["t"] - (np.arange(4) + .5)*np.pi).max()
        rows.append([method, shown(end), shown(between), shown(late)])
        asked(f"{method}: error of dense output over that at the end", "10", f"{between/max(end, tol):.2f}", between <= 10*max(end, tol))
        asked(f"{method}: error of event times over tol", "10", f"{late/tol:.2f}", late <= 10*tol)
    return table(["method", "error at the end", "largest between", "error of event times"], rows)


def stiff() -> str:
    rows = []
    for name in ("vdp_mu1000", "robertson_T40", "prothero_robinson_1e6"):
        p = next(p for p in ODES if p["id"] == name)
        for method in ("auto", "radau"):
            error, run = error_of(p, 1e-9, method)
            rows.append([name, method, run.status, shown(error), len(run.t) - 1])
            share = error/bound(p, 1e-9) if run.success else np.inf
            asked(f"{name}, {method}, tol 1e-9: error over its bound", "1", f"{share:.2g}", share <= 1)
        error, run = error_of(p, 1e-6, "dop853")
        told = f"{run.status}, {'stiff' if 'stiff' in run.message else 'not stiff'}"
        honest = not run.success or error <= bound(p, 1e-6) or "stiff" in run.message
        rows.append([name, "dop853, tol 1e-6", told, shown(error) if run.success else f"reached t = {run.t[-1]:.3g}", len(run.t) - 1])
        asked(f"{name}, dop853, tol 1e-6: right, or says that it is not for this", "yes", told, bool(honest))
    return table(["problem", "method", "status", "error", "steps"], rows)


def noise() -> str:
    rows = []
    for kind, found, room in (("strong", accuracy_noise.strong_orders(), .15), ("weak", accuracy_noise.weak_orders(), .2)):
        for name, order, slope, width in found:
            rows.append([kind, name, order, f"{slope:.3f} +- {width:.3f}"])
            asked(f"{kind} order of {name}", f"{order:g} +- {room:g}", f"{slope:.3f} +- {width:.3f}", abs(slope - order) <= room)
    for what, truth, found, width in accuracy_noise.moments():
        rows.append(["moment", what, truth, f"{found:.4f} +- {width:.4f}"])
        asked(what, f"{truth:g} in its interval", f"{found:.4f} +- {width:.4f}", abs(found - truth) <= width)
    return table(["kind", "what", "true", "measured"], rows)


def long_runs() -> str:
    (swing, drift), (rescaled, secular), error = accuracy_steps.energy_of_a_million_steps(), accuracy_steps.rescaled_energy(), \
        accuracy_steps.there_and_back()
    asked("leapfrog, 10^6 steps: secular part of the energy over its oscillation", "1e-3", shown(drift), drift <= 1e-3)
    asked("conformal leapfrog, 10^6 steps: the same of the rescaled energy", "1e-3", shown(secular), secular <= 1e-3)
    asked("leapfrog, 10^4 steps forward and back", "1e-11", shown(error), error <= 1e-11)
    return table(["what", "figure"], [
        ["leapfrog in a double well, 10^6 steps: energy swing", shown(swing)], ["the same: secular part over swing", shown(drift)],
        ["conformal leapfrog, damped oscillator: swing of exp(gamma t) (v^2 + x^2 + gamma x v)/2", shown(rescaled)],
        ["the same: secular part over swing", shown(secular)], ["leapfrog, 10^4 steps forward and back: error", shown(error)]])


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
     "fraction of the bound max(10 tol, 100 eps) times the condition number; steps).", reference),
    ("Embedded pairs against scipy's", "Largest error on the way at tol 1e-4, 1e-6, 1e-8 on DETEST A to E, over scipy's (or tol/2, "
     "where scipy's is below).", pairs),
    ("Stiff problems", "", stiff),
    ("Dense output and events", "Kepler's circle, two turns, at tol 1e-9.", dense_and_events),
    ("Schemes with a fixed step", "Slopes over the last halving of h; the order of one step is extrapolated to h = 0.", fixed),
    ("Delays", "Error at the end, relative to the largest state; rtol = tol, atol = tol times the start.", delays),
    ("Noise", "Slopes with 99 % intervals from 20 batches of paths, moments with 99.99 %.", noise),
    ("Long runs", "", long_runs),
    ("Limits and modified flows", "Distance at t = 2 on f = |x|^2/2 + (x_1^2 + x_1 x_2)^2/4, extrapolated slope against h.", backward),
    ("Stability intervals", "Exact.", intervals),
]


def main() -> None:
    parts = "".join(f"\n## {title}\n\n{told}{chr(10)*2 if told else ''}{make()}\n" for title, told, make in PARTS)
    missed = sum(row[-1] != "yes" for row in SUMMARY)
    head = ("# Accuracy\n\nMeasured by `python tests/accuracy.py`, which writes this page.\n\n## What is asked and what is reached\n\n"
            f"{len(SUMMARY)} figures, {missed or 'none'} missed.\n\n")
    PAGE.write_text(head + table(["figure", "asked", "reached", "met"], SUMMARY) + "\n" + parts, encoding="utf-8")


if __name__ == "__main__":
    main()
