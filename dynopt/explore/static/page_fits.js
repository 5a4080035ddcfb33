// Quadratics in two bases, and a polynomial that is fitted: weights, eigenfeatures, early stopping.
import { colours, power, show } from "./canvas.js";
import { cross, landscape, path } from "./panels.js";
import { eigen, times } from "./numerics.js";
import { Sheet } from "./sheet.js";
import { button, legend, steer } from "./ui.js";

// no. 2: the same descent in the original coordinates and along the eigenvectors
export class EigenBasis extends Sheet {
  constructor(root, lab) {
    super(root, lab, "The same descent in two bases", "Along the eigenvectors of the Hessian the coordinates part: each follows its own one-dimensional rule. Drag the start in either picture.");
    const A = [4.2, 3.1, 3.1, 3.4], { values, vectors } = eigen(A, 2), make = (M) => ({ grad: (x, out) => times(M, x, out), f: (x) => { const g = times(M, x, [0, 0]); return (x[0] * g[0] + x[1] * g[1]) / 2; } });
    this.Q = vectors; this.anyRule = true;
    this.j = lab.own({ dim: 2, curvatures: values, window: [-2, 2, -1.6, 1.6] }, make(A));
    this.straight = lab.own({ dim: 2, curvatures: values, window: [-2, 2, -1.6, 1.6] }, make([values[0], 0, 0, values[1]]));
    this.at = [-1.5, 1.1];
    this.left = this.panel("Original coordinates", "", "Iterates in the original coordinates; drag the start", 6, { height: 340, pad: [6, 6, 24, 36], keys: true });
    this.right = this.panel("Along the eigenvectors", "", "Iterates in the eigenbasis; drag the start", 6, { height: 340, pad: [6, 6, 24, 36], keys: true });
    this.each = [0, 1].map((n) => this.panel(`Coordinate along eigenvector ${n + 1}`, "", "One coordinate against the iteration", 6, { height: 200 }));
    steer(this.left.plot, (x, y) => this.to([x, y]), (dx, dy) => this.to([this.at[0] + dx / 25, this.at[1] + dy / 25]));
    steer(this.right.plot, (u, v) => this.to(this.back([u, v])), (du, dv) => { const w = this.turn(this.at); this.to(this.back([w[0] + du / 25, w[1] + dv / 25])); });
    this.begin();
  }
  turn(x) { return this.Q.map((q) => q[0] * x[0] + q[1] * x[1]); }
  back(w) { return [0, 1].map((n) => this.Q[0][n] * w[0] + this.Q[1][n] * w[1]); }
  to(x) { this.at = x.map((v) => Math.min(1.9, Math.max(-1.9, v))); this.refresh(); }
  compute() {
    this.run = this.lab.run(this.i, this.j, this.at, this.numbers, 80);
    this.turned = { ...this.run, x: new Float64Array(this.run.x.length) };
    for (let k = 0; k <= this.run.n; k++) this.turned.x.set(this.turn(this.run.x.subarray(2 * k, 2 * k + 2)), 2 * k);
    this.say(this.linear ? this.told(this.lab.lams(this.j)) : `${this.rule.name}: coordinates do not part, since the rule is not linear`);
  }
  paint() {
    const ink = colours();
    [[this.left, this.j, this.run, this.at], [this.right, this.straight, this.turned, this.turn(this.at)]].forEach(([made, j, run, at]) => {
      const q = made.plot;
      q.begin(); landscape(q, this.lab, j); q.clip(() => { path(q, run, 80, ink.first); cross(q, 0, 0, ink.fg); q.handle(at[0], at[1], ink.first, q.held); }); q.axes("", "");
    });
    this.each.forEach(({ plot, legend: note }, n) => { plot.begin(); plot.domain(0, 80, -2, 2); plot.axes("iteration k", "", { grid: true }); plot.clip(() => { const y = (k) => this.turned.x[2 * k + n], m = this.turned.n + 1; plot.line(m, (k) => k, y, [ink.second, ink.fourth][n], 1.2); plot.dots(m, (k) => k, y, [ink.second, ink.fourth][n], 2.2); }); legend(note, [["dot", [ink.second, ink.fourth][n], `λ = ${show(this.lab.problems[this.j].curvatures[n])}`]]); });
  }
}

// least squares with a polynomial of degree five on [-1, 1], and its eigenfeatures
class Fit extends Sheet {
  setup() {
    this.anyRule = true;
    this.u = Array.from({ length: 14 }, (_, n) => -1 + 2 * n / 13);
    this.y = this.u.map((u, n) => Math.sin(2.6 * u) + .35 * Math.cos(9 * n * n));
    this.d = 6;
    this.X = this.u.map((u) => Array.from({ length: this.d }, (_, n) => u ** n));
    const A = new Float64Array(this.d ** 2);
    for (const row of this.X) for (let a = 0; a < this.d; a++) for (let b = 0; b < this.d; b++) A[a * this.d + b] += row[a] * row[b] / this.u.length;
    this.A = A;
    this.eigen = eigen(A, this.d);
    this.target();
    this.j = this.lab.own({ dim: this.d, curvatures: this.eigen.values }, { grad: (w, out) => { times(this.A, w, out); for (let n = 0; n < this.d; n++) out[n] -= this.b[n]; }, f: (w) => this.loss(w) });
  }
  // right-hand side and solution for the data as they are now
  target() {
    this.b = new Float64Array(this.d);
    this.X.forEach((row, r) => row.forEach((v, n) => { this.b[n] += v * this.y[r] / this.u.length; }));
    this.parts = this.eigen.vectors.map((q, n) => q.reduce((s, v, m) => s + v * this.b[m], 0) / this.eigen.values[n]);
    this.solution = this.combine(this.parts);
  }
  combine(parts) { const w = new Float64Array(this.d); this.eigen.vectors.forEach((q, n) => q.forEach((v, m) => { w[m] += v * parts[n]; })); return w; }
  value(w, u) { return w.reduceRight((s, v) => s * u + v, 0); }
  loss(w) { return this.u.reduce((s, u, n) => s + (this.value(w, u) - this.y[n]) ** 2, 0) / (2 * this.u.length); }
  drawFit(q, curves) {
    const ink = colours();
    q.begin(); q.domain(-1.08, 1.08, -2, 2); q.axes("u", "y", { grid: true });
    q.clip(() => { curves.forEach(([w, colour, width]) => q.line(161, (k) => -1 + k / 80, (k) => this.value(w, -1 + k / 80), colour, width)); q.dots(this.u.length, (n) => this.u[n], (n) => this.y[n], ink.fg, 4); });
  }
}

// no. 4: the weights scrubbed by hand, or by the rule
export class Regression extends Fit {
  constructor(root, lab) {
    super(root, lab, "Weights and their fit", "A polynomial of degree five through fourteen points. Move the weights by hand, or let the rule move them.");
    this.setup();
    this.w = new Float64Array(this.d); this.k = 0;
    this.fit = this.panel("Fit", "", "Data and polynomial", 8, { height: 380 });
    this.fall = this.panel("Loss", "", "Loss against the iteration", 4, { height: 380 });
    this.hand = Array.from(this.w, (_, n) => this.own(`w${"₀₁₂₃₄₅"[n]}`, { min: -4, max: 4, value: 0, name: `weight ${n}` }, (v) => { this.w[n] = v; this.byHand = true; }));
    this.step = this.own("iteration", { min: 0, max: 400, value: 0, step: 1 }, (v) => { this.k = v; this.byHand = false; });
    this.begin();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, new Float64Array(this.d), this.numbers, 400);
    if (!this.byHand) { const k = Math.min(this.k, this.run.n); this.w = this.run.x.slice(k * this.d, (k + 1) * this.d); this.hand.forEach((s, n) => s.set(this.w[n])); }
    this.say(`loss ${show(this.loss(this.w), 4)}, least possible ${show(this.loss(this.solution), 4)}`);
  }
  paint() {
    const ink = colours(), q = this.fall.plot, low = this.loss(this.solution), y = (k) => Math.log10(Math.max(this.loss(this.run.x.subarray(k * this.d, (k + 1) * this.d)) - low, 1e-12));
    this.drawFit(this.fit.plot, [[this.solution, ink.line, 2], [this.w, ink.first, 2.6]]);
    legend(this.fit.legend, [["", ink.first, "these weights"], ["", ink.line, "the best ones"]]);
    q.begin(); q.domain(0, 400, -8, 1); q.axes("iteration k", "loss − least", { grid: true, ytick: power, ys: [-8, -6, -4, -2, 0] });
    q.clip(() => { q.line(this.run.n + 1, (k) => k, y, ink.second, 2); if (!this.byHand) q.handle(this.k, y(Math.min(this.k, this.run.n)), ink.first); });
  }
}

// no. 5: the fit rebuilt, one eigenfeature after the other; data points can be dragged
export class EigenFeatures extends Fit {
  constructor(root, lab) {
    super(root, lab, "Eigenfeatures", "The eigenvectors of the data make their own features; the fit is a sum of them, and none disturbs another. Drag the points; switch features on and off.");
    this.setup();
    this.on = this.eigen.values.map(() => true);
    this.fit = this.panel("Fit from the features that are on", "", "Data and fit; drag a point up or down", 7, { height: 400, keys: true });
    this.features = this.panel("Features", "", "The six eigenfeatures, scaled by their share in the fit", 5, { height: 400 });
    this.bar.append(...this.eigen.values.map((v, n) => { const b = button(`λ = ${show(v, 2)}`, () => { this.on[n] = !this.on[n]; b.setAttribute("aria-pressed", this.on[n]); this.refresh(); }, { "aria-pressed": "true" }); return b; }).reverse());
    this.chosen = 6;
    steer(this.fit.plot, (u, y) => { this.chosen = this.u.reduce((best, v, n) => (Math.abs(v - u) < Math.abs(this.u[best] - u) ? n : best), 0); this.put(y); }, (du, dy) => { this.chosen = Math.min(13, Math.max(0, this.chosen + Math.sign(du))); this.put(this.y[this.chosen] + dy / 25); });
    this.begin();
  }
  put(y) { this.y[this.chosen] = Math.min(1.9, Math.max(-1.9, y)); this.target(); this.refresh(); }
  compute() {
    this.w = this.combine(this.parts.map((v, n) => (this.on[n] ? v : 0)));
    const rho = this.linear ? this.eigen.values.map((lam) => this.lab.rho(this.i, lam, this.numbers)) : null;
    this.say(`loss ${show(this.loss(this.w), 4)}` + (rho ? `; ${this.rule.name} learns the feature of λ = ${show(this.eigen.values[this.d - 1], 2)} with ρ = ${rho[this.d - 1].toFixed(3)}, that of λ = ${show(this.eigen.values[0], 2)} with ρ = ${rho[0].toFixed(4)}` : ""));
  }
  paint() {
    const ink = colours(), q = this.features.plot, colour = [ink.fifth, ink.fourth, ink.third, ink.second, ink.first, ink.fg];
    this.drawFit(this.fit.plot, [[this.solution, ink.line, 2], [this.w, ink.first, 2.6]]);
    this.fit.plot.clip(() => this.fit.plot.handle(this.u[this.chosen], this.y[this.chosen], ink.second, this.fit.plot.held));
    q.begin(); q.domain(-1.05, 1.05, -2, 2); q.axes("u", "", { grid: true });
    q.clip(() => this.eigen.vectors.forEach((v, n) => { q.c.globalAlpha = this.on[n] ? 1 : .2; q.line(81, (k) => -1 + k / 40, (k) => this.parts[n] * this.value(v, -1 + k / 40), colour[n], 2); q.c.globalAlpha = 1; }));
    legend(this.features.legend, this.eigen.values.map((v, n) => ["", colour[n], `λ = ${show(v, 2)}`]).reverse());
  }
}

// no. 6: what a rule has learnt after k steps, as a filter on the spectrum
export class EarlyStopping extends Fit {
  constructor(root, lab) {
    super(root, lab, "Early stopping is a filter", "After k steps a rule has learnt a share of each feature that depends on its curvature alone. To stop early is to leave the flat features out.");
    this.setup();
    this.k = 30; this.anyRule = false;
    this.filter = this.panel("Share learnt, by curvature", "", "Share learnt against the curvature on a logarithmic axis", 6, { height: 360 });
    this.fit = this.panel("Fit after k steps", "", "Data and fit", 6, { height: 360 });
    this.own("iteration", { min: 0, max: 500, value: 30, step: 1 }, (v) => { this.k = v; });
    this.begin();
  }
  compute() {
    const share = (lam) => { const m = this.lab.motion(this.i, lam, this.numbers, this.k); return 1 - m.rows[this.k * m.n + m.at]; };
    this.grid = Float64Array.from({ length: 161 }, (_, n) => share(10 ** (-4.5 + 5 * n / 160)));
    this.learnt = this.eigen.values.map(share);
    this.w = this.combine(this.parts.map((v, n) => v * this.learnt[n]));
    this.say(`after ${this.k} steps: loss ${show(this.loss(this.w), 4)} (least ${show(this.loss(this.solution), 4)}); ${this.told(this.eigen.values)}`);
  }
  paint() {
    const ink = colours(), q = this.filter.plot;
    q.begin(); q.domain(-4.5, .5, -.3, 1.7); q.axes("curvature λ", "share learnt", { grid: true, xtick: power, xs: [-4, -3, -2, -1, 0] });
    q.clip(() => { q.line(2, (k) => -5 + 6 * k, () => 1, ink.muted, 1.2, [4, 4]); q.line(161, (n) => -4.5 + 5 * n / 160, (n) => this.grid[n], ink.second, 2.2); q.dots(this.d, (n) => Math.log10(this.eigen.values[n]), (n) => this.learnt[n], ink.first, 5); });
    legend(this.filter.legend, [["", ink.second, "any curvature"], ["dot", ink.first, "the six features"]]);
    this.drawFit(this.fit.plot, [[this.solution, ink.line, 2], [this.w, ink.first, 2.6]]);
    legend(this.fit.legend, [["", ink.first, `${this.k} steps`], ["", ink.line, "all of them"]]);
  }
}
