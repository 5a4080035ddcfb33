// What the explorer computes: parameters that work, the runs, the flows beside them, and what the map has to show.
import { integrate } from "./flow.js";
import { around } from "./map.js";
import { largestEntry } from "./mode.js";
import { heights } from "./panels.js";
import { ExplorerDraw } from "./explorer_draw.js";
import { MEASURED } from "./explorer_view.js";

export class ExplorerCompute extends ExplorerDraw {
  get rule() {
    return this.lab.rules[this.i];
  }
  get problem() {
    return this.lab.problems[this.j];
  }
  get axes() {
    return this.rule.params.length > 1 ? this.chosen || [0, 1] : this.rule.params.length ? [0, "lam"] : ["none", "lam"];
  }
  get linear() {
    return this.rule.theory.linear;
  }

  // a rule in k whose limit has an eigenvalue on the circle itself
  get undecided() {
    return this.linear && this.rule.theory.settled && Math.abs(this.rho - 1) < 1e-6;
  }

  spans() {
    const lams = this.lab.lams(this.j);
    return this.axes.map((a) =>
      a === "none"
        ? [0, 1]
        : a === "lam"
          ? [0, 1.3 * largestEntry(lams[lams.length - 1])]
          : around(this.lab.span(this.i, this.j, a)),
    );
  }

  // parameters that work on this problem: the optimum at the minimizer, its step shortened until the path stays bounded
  settle(keep = false) {
    this.put(this.problem.start[0], this.problem.start[Math.max(0, this.lab.up(this.j))]);
    this.tuned = this.lab.rules.map((_, i) => this.tuning(i));
    if (!keep)
      this.lab.rules.forEach((_, i) => {
        this.p[i] = i === this.i && this.lab.data.given && this.j === 0 ? this.lab.numbers(i) : this.tuned[i].slice();
      });
    this.k = this.steps;
  }

  tuning(i) {
    const rule = this.lab.rules[i],
      p = this.lab.numbers(i),
      axes = rule.params.map((_, n) => n).slice(0, 2);
    if (!rule.theory.linear || !axes.length) return p;
    if (rule.theory.settled && rule.theory.status === "unknown") return this.gentle(i, p, null);
    const best = this.lab.optimum(i, this.j, axes, p);
    if (!Number.isFinite(best.rho) || best.rho >= 1) return p;
    if (best.rho < 0.05) return this.gentle(i, p, best); // one curvature alone is done in a step or two: nothing to be seen
    for (const part of [1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01]) {
      axes.forEach((a, n) => {
        p[rule.params[a].place] = best.values[n] * (rule.params[a].step ? part : 1);
      });
      const run = this.lab.run(i, this.j, this.start, p, this.steps);
      if (run.status === "success" && this.lab.error(this.j, run, run.n) <= this.lab.error(this.j, run, 0)) break;
    }
    return p;
  }

  // a small stable step, the other parameters as they are, else as at the optimum
  gentle(i, p, best) {
    const rule = this.lab.rules[i],
      lams = this.lab.lams(this.j);
    for (const others of best ? [null, best.values] : [null])
      for (const part of [0.1, 0.03, 0.01]) {
        rule.params.slice(0, 2).forEach((q, n) => {
          if (q.step) p[q.place] = part * this.lab.span(i, this.j, n)[1];
          else if (others) p[q.place] = others[n];
        });
        if (this.lab.worst(i, lams, p) < 1) return p;
      }
    return p;
  }

  best() {
    const axes = this.axes.filter((a) => typeof a === "number");
    if (!this.linear || !axes.length) return null;
    const best = this.lab.optimum(this.i, this.j, axes, this.p[this.i]);
    return best.rho < 1 ? best : null;
  }

  compute() {
    const key = [this.i, this.j, this.axes].join();
    if (this.described !== key) {
      this.described = key;
      this.describe();
    }
    this.runs = this.lab.rules.map((_, i) =>
      i === this.i
        ? this.lab.run(i, this.j, this.start, this.p[i], this.steps, { sigma: this.sigma, seed: this.seed })
        : this.beside[i]
          ? this.lab.run(i, this.j, this.start, this.tuned[i], this.steps)
          : null,
    );
    this.views = this.runs.map((r) => r && this.lab.view(this.j, r));
    this.heights = this.runs.map((r) => r && heights(this.lab, this.j, r));
    this.flows = this.flowPaths();
    this.fallen = this.flows.map((f) => f && this.flowHeights(f));
    this.rho = this.linear ? this.lab.worst(this.i, this.lab.lams(this.j), this.p[this.i]) : NaN;
    this.map.aim(this.i, this.j, this.axes, this.p[this.i], this.spans(), this.linear ? null : this.measure());
    this.rule.params.forEach((q, n) => this.controls[n].set(this.p[this.i][q.place], ...this.lab.span(this.i, this.j, n)));
    this.cursor.set(this.k, 0, this.steps);
    this.tell();
    const roots = [this.i, this.j, this.axes, this.p[this.i]].join(" "); // the roots do not move with the start
    this.redraw(...(roots === this.rooted ? ["plane", "map", "decay"] : []));
    this.rooted = roots;
  }

  // f after all steps, where no linear mode exists
  measure() {
    const start = Float64Array.from(this.start),
      { i, j } = this;
    const cost = (p) => {
      const run = this.lab.run(i, j, start, p, MEASURED);
      const f = this.lab.error(j, run, run.n);
      return run.status === "success" ? Math.log10(Math.max(f, 1e-12)) : 1e30;
    };
    cost.words = `${this.lab.measured(j)} after ${MEASURED} steps`;
    cost.key = Array.from(start, (v) => v.toFixed(1)).join();
    return cost;
  }

  // the flows that the method follows, with the parameters that its own ones mean
  flowPaths() {
    return (this.rule.flows || []).map((f) => {
      const values = Float64Array.from(f.names, (n) => this.p[this.i][this.lab.place(this.i, n)]),
        out = this.lab.functions[f.map](values, new Float64Array(f.count + 1)),
        h = out[f.count];
      if (!out.every(Number.isFinite) || !(h > 0)) return null;
      const d = this.problem.dim,
        z0 = new Float64Array(f.states * d),
        every = 4;
      z0.set(this.lab.point(this.j, this.start));
      const rates = this.lab.made(`flow ${this.j} ${f.code}`, () =>
        this.lab.functions[f.code](
          f.oracles.map((o) => this.lab.oracle(this.j, o)),
          new Array(f.states).fill(d),
          [],
        ),
      );
      const cut = (z) => Array.from({ length: f.states }, (_, s) => z.subarray(s * d, (s + 1) * d)),
        key = [0, 0],
        rate = (z, t, dz) => rates(z, dz, out, t / h, t + this.rule.t0, key, null);
      const singular = f.clock && !this.rule.t0; // a rate such as 3/t needs care at its start
      const first = singular ? integrate(rate, z0, h / every, 256, 1e-9 * h, cut) : null;
      const rows = singular
        ? integrate(rate, first.subarray(256 * z0.length), this.steps * h, this.steps * every - 1, h / every, cut)
        : integrate(rate, z0, this.steps * h, this.steps * every, 0, cut);
      const x = singular ? Float64Array.from([...z0, ...rows]) : rows;
      const n = this.steps * every;
      return { name: f.name, x, d: f.states * d, n, every, view: this.lab.seen(this.j, x, f.states * d, n + 1) };
    });
  }
}
