// Single modes: error components, three modes side by side, damping, the phase plane, regimes, noise.
import { colours, power, show } from "./canvas.js";
import { KINDS, StabilityMap, disk } from "./panels.js";
import { covariance } from "./numerics.js";
import { Sheet } from "./sheet.js";
import { button, label, legend, steer } from "./ui.js";

const THREE = [.01, .1, 1];
const ring = (ink) => [ink.second, ink.fourth, ink.third];

// no. 3: how much each eigen-component still adds to the error, iteration after iteration
export class EigenErrors extends Sheet {
  constructor(root, lab) {
    super(root, lab, "What is left of each component", "The error of f splits into one part for each curvature; the slowest part decides. Bars show what is left at each iteration.");
    this.j = lab.own({ dim: 3, curvatures: THREE }, {});
    this.bars = this.panel("Error by component", "", "Stacked bars of the error of f by curvature against the iteration", 8, { height: 360 });
    this.rates = this.panel("Contraction of each component", "", "Contraction factor of each curvature", 4, { height: 360, pad: [8, 10, 36, 40] });
    this.begin();
  }
  compute() {
    this.parts = THREE.map((lam) => { const m = this.lab.motion(this.i, lam, this.numbers, 100); return Float64Array.from({ length: 101 }, (_, k) => m.rows[k * m.n + m.at] ** 2); });
    this.rhos = THREE.map((lam) => this.lab.rho(this.i, lam, this.numbers));
    this.say(this.told(THREE));
  }
  paint() {
    const ink = colours(), q = this.bars.plot, r = this.rates.plot, colour = ring(ink);
    const top = Math.min(12, 1.05 * Math.max(...Array.from({ length: 101 }, (_, k) => this.parts.reduce((sum, y) => sum + y[k], 0))));
    q.begin(); q.domain(-.5, 100.5, 0, top > 0 ? top : 12); q.axes("iteration k", "share of the start", { grid: true });
    q.clip((c) => { for (let k = 0; k <= 100; k++) { let at = 0; this.parts.forEach((y, n) => { const v = Math.min(y[k], 20); c.fillStyle = colour[n]; c.fillRect(q.X(k - .42), q.Y(at + v), q.X(k + .42) - q.X(k - .42), q.Y(at) - q.Y(at + v)); at += v; }); } });
    legend(this.bars.legend, THREE.map((lam, n) => ["dot", colour[n], `λ = ${lam}`]));
    r.begin(); r.domain(-.6, 2.6, 0, 1.15); r.axes("curvature λ", "", { ys: [0, .25, .5, .75, 1], xs: [0, 1, 2], xtick: (n) => String(THREE[n]) });
    r.line(2, (k) => -1 + 5 * k, () => 1, ink.muted, 1.2, [4, 4]);
    this.rhos.forEach((v, n) => { r.c.fillStyle = colour[n]; r.c.fillRect(r.X(n) - 18, r.Y(Math.min(v, 1.15)), 36, r.Y(0) - r.Y(Math.min(v, 1.15))); r.text(v.toFixed(3), r.X(n), r.Y(Math.min(v, 1.1)) - 9, ink.fg, { align: "center", weight: 600 }); });
  }
}

// no. 10: the three modes themselves, with their roots
export class Modes extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Three modes under one setting", "One step size and one momentum serve every curvature at once. Each panel is x after k steps on one curvature, from rest at 1.");
    this.j = lab.own({ dim: 3, curvatures: THREE }, {});
    this.each = THREE.map((lam) => this.panel(`λ = ${lam}`, "", `x against the iteration at curvature ${lam}`, 4, { height: 240 }));
    this.ring = this.panel("Roots", "", "Roots of the three modes in the unit disk", 12, { height: 300, pad: [4, 4, 4, 4] });
    this.begin();
  }
  compute() { this.paths = THREE.map((lam) => this.lab.motion(this.i, lam, this.numbers, 150)); this.say(this.told(THREE)); }
  paint() {
    const ink = colours();
    this.each.forEach(({ plot, legend: note }, n) => {
      const m = this.paths[n], x = (k) => m.rows[k * m.n + m.at], rho = this.lab.rho(this.i, THREE[n], this.numbers);
      plot.begin(); plot.domain(0, 150, -1.2, 1.2); plot.axes("iteration k", "x", { grid: true });
      plot.clip(() => { plot.line(151, (k) => k, (k) => rho ** k, ink.muted, 1.2, [4, 4]); plot.line(151, (k) => k, x, ring(ink)[n], 1.2); plot.dots(151, (k) => k, x, ring(ink)[n], 2); });
      legend(note, [["dash", ink.muted, `ρ = ${rho.toFixed(4)}`]]);
    });
    this.ring.plot.begin();
    disk(this.ring.plot, this.lab, this.i, THREE, this.numbers, this.rule.params.length ? this.rule.params[0].place : 0);
  }
}

// no. 9: under-, critically and over-damped, found from the roots
export class Damping extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Under-, over- and critical damping", "On one curvature the second parameter decides whether the roots are a pair, one double root, or two apart. The fastest stands where they meet.");
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.curve = this.panel("Contraction against the parameter", "", "Contraction factor against the second parameter, with the places where roots meet", 6, { height: 320, keys: true });
    this.motion = this.panel("Motion", "", "x against the iteration below, at and above critical damping", 6, { height: 320 });
    steer(this.curve.plot, (x) => this.to(x), (d) => { const s = this.lab.span(this.i, this.j, this.n); this.to(this.numbers[this.place] + d * (s[1] - s[0]) / 200); });
    this.begin(true);
  }
  get n() { return Math.min(1, this.rule.params.length - 1); }
  get place() { return this.rule.params[this.n].place; }
  to(v) { const s = this.lab.span(this.i, this.j, this.n); this.numbers[this.place] = Math.min(s[1], Math.max(s[0], v)); this.refresh(); }
  compute() {
    const s = this.lab.span(this.i, this.j, this.n), p = Float64Array.from(this.numbers), count = 600;
    this.x = Float64Array.from({ length: count + 1 }, (_, k) => s[0] + (s[1] - s[0]) * k / count);
    const pairs = (v) => { p[this.place] = v; return this.lab.roots(this.i, 1, p).filter(([, b]) => Math.abs(b) > 1e-9).length; };
    this.y = this.x.map((v) => { p[this.place] = v; return this.lab.rho(this.i, 1, p); });
    this.pair = Array.from(this.x, pairs);
    this.meets = [];
    for (let k = 0; k < count; k++) if (this.pair[k] !== this.pair[k + 1]) {
      let a = this.x[k], b = this.x[k + 1];
      for (let t = 0; t < 50; t++) { const c = (a + b) / 2; if (pairs(c) === this.pair[k]) a = c; else b = c; }
      p[this.place] = b;
      this.meets.push([b, this.lab.rho(this.i, 1, p)]);
    }
    const stable = this.meets.filter(([, rho]) => rho < 1);
    this.critical = stable.reduce((best, m) => (!best || m[1] < best[1] ? m : best), null);
    const here = this.numbers[this.place], z = this.lab.roots(this.i, 1, this.numbers), kind = z.some(([, b]) => Math.abs(b) > 1e-7) ? "under-damped: a pair of roots" : "over-damped: real roots";
    this.say(`${label(this.rule.params[this.n].name)} = ${show(here)}: ${kind}` + (this.critical ? `; critical at ${show(this.critical[0], 5)}, ρ = ${show(this.critical[1], 4)}` : "; the roots never meet inside the disk"));
    const choices = this.critical ? [this.critical[0] - .12 * (s[1] - s[0]), this.critical[0], this.critical[0] + .12 * (s[1] - s[0])] : [];
    this.shown = [here, ...choices].map((v) => { p[this.place] = Math.min(s[1], Math.max(s[0], v)); return [p[this.place], this.lab.motion(this.i, 1, p, 60)]; });
  }
  paint() {
    const ink = colours(), q = this.curve.plot, r = this.motion.plot;
    q.begin(); q.domain(this.x[0], this.x[this.x.length - 1], 0, 1.25); q.axes(label(this.rule.params[this.n].name), "ρ", { grid: true });
    q.clip(() => {
      q.line(2, (k) => (k ? q.b : q.a), () => 1, ink.muted, 1.2, [4, 4]);
      for (const [test, colour] of [[(v) => v === 0, ink.second], [(v) => v > 0, ink.first]]) q.line(this.x.length, (k) => this.x[k], (k) => (test(this.pair[k]) ? this.y[k] : NaN), colour, 2.4);
      this.meets.forEach(([a, b]) => q.star(a, b));
      q.handle(this.numbers[this.place], this.lab.rho(this.i, 1, this.numbers), ink.fg, q.held);
    });
    legend(this.curve.legend, [["", ink.second, "real roots"], ["", ink.first, "a pair"]]);
    r.begin(); r.domain(0, 60, -1.1, 1.1); r.axes("iteration k", "x", { grid: true });
    const colour = [ink.fg, ink.second, ink.third, ink.first];
    r.clip(() => this.shown.forEach(([, m], n) => { const x = (k) => m.rows[k * m.n + m.at]; r.line(61, (k) => k, x, colour[n], n ? 1.3 : 2); r.dots(61, (k) => k, x, colour[n], 2); }));
    legend(this.motion.legend, this.shown.map(([v], n) => ["dot", colour[n], n ? `${label(this.rule.params[this.n].name)} = ${show(v)}` : "now"]));
  }
}

// no. 8: displacement against position, each step split into what damps and what pulls back
export class Phase extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Damping and spring", "On one mode a rule with two roots is a weight on a spring: the next displacement is a share of the last one, less a pull that is proportional to x. Both numbers are read off its polynomial.");
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.at = [1, 0];
    this.plane = this.panel("Phase plane", "", "Displacement against position; drag the start", 7, { height: 420, keys: true });
    this.parts = this.panel("Each step", "", "Displacement kept from the last step, and the pull of the spring, against the iteration", 5, { height: 420 });
    steer(this.plane.plot, (x, d) => this.to(x, d), (dx, dd) => this.to(this.at[0] + dx / 50, this.at[1] + dd / 50));
    this.begin(true);
  }
  to(x, d) { this.at = [Math.min(1.3, Math.max(-1.3, x)), Math.min(1.3, Math.max(-1.3, d))]; this.refresh(); }
  compute() {
    const c = this.lab.polynomial(this.i, 1, this.numbers), n = c.length - 1;
    this.keep = n === 2 ? c[2] : n === 1 ? 0 : NaN;
    this.spring = c.reduce((a, b) => a + b, 0);
    const steps = 120, x = [this.at[0]], d = [this.at[1]];
    for (let k = 0; k < steps; k++) { d.push(this.keep * d[k] - this.spring * x[k]); x.push(x[k] + d[k + 1]); }
    Object.assign(this, { x, d });
    this.say(n > 2 ? `${this.rule.name} has ${n} roots on a mode: more than one displacement would be needed` : `${this.told([1])}; keeps ${show(this.keep)} of the last displacement (damping ${show(1 - this.keep)}), spring ${show(this.spring)}`);
  }
  paint() {
    const ink = colours(), q = this.plane.plot, r = this.parts.plot, steps = this.x.length - 1;
    q.begin(); q.equal(-1.4, 1.4, -1.2, 1.2); q.axes("position x", "displacement", { grid: true });
    if (!Number.isFinite(this.keep)) return;
    q.clip((c) => {
      c.strokeStyle = ink.muted; c.globalAlpha = .55; c.lineWidth = 1;
      for (let a = -1.6; a <= 1.61; a += .2) for (let b = -1.2; b <= 1.21; b += .2) { const d1 = this.keep * b - this.spring * a, X = q.X(a), Y = q.Y(b), u = q.X(a + d1) - X, v = q.Y(d1) - Y, s = Math.min(1, 15 / Math.hypot(u, v)) || 0; c.beginPath(); c.moveTo(X, Y); c.lineTo(X + u * s, Y + v * s); c.stroke(); c.beginPath(); c.arc(X, Y, 1.3, 0, 7); c.stroke(); }
      c.globalAlpha = 1;
      q.line(steps + 1, (k) => this.x[k], (k) => this.d[k], ink.first, 1.2); q.dots(steps + 1, (k) => this.x[k], (k) => this.d[k], ink.first, 2.8);
      q.handle(this.at[0], this.at[1], ink.first, q.held);
    });
    const top = Math.max(.2, ...this.d.slice(0, 41).map(Math.abs)) * 1.4;
    r.begin(); r.domain(0, 40, -Math.min(top, 5), Math.min(top, 5)); r.axes("iteration k", "parts of the displacement", { grid: true });
    r.clip((c) => { for (let k = 0; k < 40; k++) [[this.keep * this.d[k], ink.second, -.4], [-this.spring * this.x[k], ink.fourth, 0]].forEach(([v, colour, at]) => { c.fillStyle = colour; c.fillRect(r.X(k + 1 + at), Math.min(r.Y(0), r.Y(v)), r.X(.4) - r.X(0), Math.abs(r.Y(v) - r.Y(0))); }); r.line(41, (k) => k, (k) => this.d[k], ink.first, 1.6); });
    legend(this.parts.legend, [["dot", ink.second, "kept"], ["dot", ink.fourth, "spring"], ["", ink.first, "both"]]);
  }
}

// no. 7: the largest modulus over two parameters, and what the motion looks like in each regime
const REGIMES = [["monotone", "one sign, from above"], ["ripples", "a pair of roots turns it"], ["one step", "nearly done at once"], ["alternating", "a negative root leads"], ["divergent", "outside the disk"]];
export class Regimes extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Regimes", "The largest modulus of the roots over two parameters, at curvature 1. Small pictures show one motion from each regime that the map contains; press one to go there.");
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.map = new StabilityMap(lab);
    this.plane = this.panel("Largest modulus", "", "Map of the largest modulus; drag the point", 7, { height: 420, pad: [8, 10, 36, 50], keys: true });
    this.here = this.panel("Motion at the point", "", "x against the iteration", 5, { height: 420 });
    this.small = REGIMES.map(([name, words]) => { const made = this.panel(name, "", words, 4, { height: 130, pad: [6, 6, 6, 6] }); made.node.append(button("go there", () => made.target && this.to(...made.target))); return made; });
    steer(this.plane.plot, (u, v) => this.to(u, v), (du, dv) => { const s = this.spans(), w = this.now(); this.to(w[0] + du * (s[0][1] - s[0][0]) / 200, w[1] + dv * (s[1][1] - s[1][0]) / 200); });
    this.begin(true);
  }
  get pair() { return this.rule.params.length > 1 ? [0, 1] : [0, "lam"]; }
  spans() { return this.pair.map((a) => (a === "lam" ? [0, 1.5] : this.lab.span(this.i, this.j, a))); }
  now() { return this.pair.map((a) => (a === "lam" ? 1 : this.numbers[this.rule.params[a].place])); }
  to(u, v) { const s = this.spans(); this.pair.forEach((a, n) => { if (a !== "lam") this.numbers[this.rule.params[a].place] = Math.min(s[n][1], Math.max(s[n][0], n ? v : u)); }); this.refresh(); }
  regime(z) {
    const lead = z.reduce((a, b) => (Math.hypot(...a) >= Math.hypot(...b) - 1e-12 ? a : b)), rho = Math.hypot(...lead);
    return rho >= 1 ? 4 : rho < .12 ? 2 : Math.abs(lead[1]) > 1e-9 ? 1 : lead[0] < 0 ? 3 : 0;
  }
  compute() {
    this.map.aim(this.i, this.j, this.pair, this.numbers, this.spans(), null);
    this.motion = this.lab.motion(this.i, 1, this.numbers, 60);
    this.say(`${this.told([1])}; ${REGIMES[this.regime(this.lab.roots(this.i, 1, this.numbers))][0]}`);
    const key = [this.i, ...this.numbers.filter((_, n) => !this.pair.some((a) => a !== "lam" && this.rule.params[a].place === n))].join();
    if (key !== this.key) { this.key = key; this.survey(); }
  }
  survey() {
    const s = this.spans(), p = Float64Array.from(this.numbers), found = REGIMES.map(() => []);
    for (let a = 1; a < 40; a++) for (let b = 1; b < 40; b++) {
      const at = [s[0][0] + (s[0][1] - s[0][0]) * a / 40, s[1][0] + (s[1][1] - s[1][0]) * b / 40];
      this.pair.forEach((c, n) => { if (c !== "lam") p[this.rule.params[c].place] = at[n]; });
      found[this.regime(this.lab.roots(this.i, this.pair[1] === "lam" ? at[1] : 1, p))].push(at);
    }
    this.small.forEach((made, n) => {
      const all = found[n], centre = [0, 1].map((d) => all.reduce((sum, at) => sum + at[d], 0) / all.length);
      made.target = all.length ? all.reduce((a, b) => (Math.abs(a[0] - centre[0]) / s[0][1] + Math.abs(a[1] - centre[1]) <= Math.abs(b[0] - centre[0]) / s[0][1] + Math.abs(b[1] - centre[1]) ? a : b)) : null;
      made.node.hidden = !made.target;
      if (!made.target) return;
      this.pair.forEach((c, d) => { if (c !== "lam") p[this.rule.params[c].place] = made.target[d]; });
      made.motion = this.lab.motion(this.i, this.pair[1] === "lam" ? made.target[1] : 1, p, 30);
    });
  }
  paint() {
    const ink = colours(), q = this.plane.plot, r = this.here.plot, draw = (plot, m, n, colour) => { const x = (k) => m.rows[k * m.n + m.at]; plot.clip(() => { plot.line(2, (k) => (k ? n : 0), () => 0, ink.line, 1); plot.line(n + 1, (k) => k, x, colour, 1.3); plot.dots(n + 1, (k) => k, x, colour, 2.2); }); };
    if (!this.map.ready) { this.map.work(6); this.draw(); }
    q.begin(); this.map.draw(q); q.clip(() => { this.small.forEach((made, n) => { if (made.target) q.text(String(n + 1), q.X(made.target[0]), q.Y(made.target[1]), "#fff", { align: "center", weight: 700, size: 14, halo: "#10151b" }); }); q.handle(...this.now(), ink.first, q.held); });
    legend(this.plane.legend, (this.rule.theory.boundaries || []).filter((b, n, all) => all.findIndex((o) => o.kind === b.kind) === n).map((b) => [b.kind === "flip" ? "" : "dash", ink.first, (KINDS[b.kind] || [b.kind])[0]]));
    r.begin(); r.domain(0, 60, -1.2, 1.2); r.axes("iteration k", "x", { grid: true }); draw(r, this.motion, 60, ink.first);
    this.small.forEach((made, n) => { if (!made.motion || made.node.hidden) return; made.plot.resize(); made.plot.begin(); made.plot.domain(0, 30, -1.3, 1.3); draw(made.plot, made.motion, 30, ink.second); legend(made.legend, [["dot", ink.second, `${n + 1}: ${REGIMES[n][1]}`]]); });
  }
}

// no. 14: the error that shrinks, and the error that noise keeps alive
export class NoiseParts extends Sheet {
  constructor(root, lab) {
    super(root, lab, "What shrinks and what stays", "With noisy gradients the expected error is a part that decays like the noiseless run and a part that grows to a floor. Both follow from the matrix of a mode; dots average 200 runs of the rule itself.");
    this.j = lab.own({ dim: 1, curvatures: [1] }, { grad: (x, out) => { for (let n = 0; n < x.length; n++) out[n] = x[n]; }, f: (x) => x[0] * x[0] / 2 });
    this.sigma = .3;
    this.own("noise σ", { min: .01, max: 1, value: .3 }, (v) => { this.sigma = v; });
    this.decays = this.panel("Expected squared error", "", "Deterministic and stochastic part of the squared error against the iteration", 8, { height: 380 });
    this.floors = this.panel("Floor against the first parameter", "", "Stationary variance against the first parameter", 4, { height: 380 });
    this.begin(true);
  }
  compute() {
    const { i, lab } = this, p = this.numbers, steps = 120, m = lab.motion(i, 1, p, steps), b = lab.push(i, 1, p), { n, M } = lab.matrix(i, 1, p);
    this.still = Float64Array.from({ length: steps + 1 }, (_, k) => m.rows[k * n + m.at] ** 2);
    let S = new Float64Array(n * n);
    this.spread = new Float64Array(steps + 1);
    for (let k = 1; k <= steps; k++) {
      const next = new Float64Array(n * n);
      for (let r = 0; r < n; r++) for (let c = 0; c < n; c++) { let sum = this.sigma ** 2 * b[r] * b[c]; for (let u = 0; u < n; u++) for (let v = 0; v < n; v++) sum += M[r * n + u] * S[u * n + v] * M[c * n + v]; next[r * n + c] = sum; }
      S = next; this.spread[k] = S[m.at * n + m.at];
    }
    this.floor = lab.stable(i, [1], p) ? this.sigma ** 2 * covariance(M, b, n)[m.at * n + m.at] : NaN;
    const noisy = new Float64Array(steps + 1), runs = 200;
    for (let seed = 1; seed <= runs; seed++) { const run = lab.run(i, this.j, [1], p, steps, { sigma: this.sigma, seed }); for (let k = 0; k <= steps; k++) noisy[k] += (k <= run.n ? run.x[k] ** 2 : NaN) / runs; }
    this.noisy = noisy;
    const span = lab.span(i, this.j, 0), q = Float64Array.from(p), place = this.rule.params.length ? this.rule.params[0].place : 0;
    this.sweep = Array.from({ length: 121 }, (_, k) => { q[place] = span[0] + (span[1] - span[0]) * k / 120; return [q[place], this.sigma ** 2 * lab.variance(i, 1, q)]; });
    this.say(`${this.told([1])}; the error ends at ${show(this.floor)} (derived), ${show(noisy.slice(80).reduce((a, v) => a + v, 0) / 41)} (mean of 200 runs)`);
  }
  paint() {
    const ink = colours(), q = this.decays.plot, r = this.floors.plot, log = (v) => Math.log10(Math.max(v, 1e-12));
    q.begin(); q.domain(0, 120, -6, 1); q.axes("iteration k", "E x²", { grid: true, ytick: power, ys: [-6, -4, -2, 0] });
    q.clip(() => { const n = 121, x = (k) => k; q.line(n, x, (k) => log(this.still[k]), ink.second, 2.2); q.line(n, x, (k) => log(this.spread[k]), ink.fourth, 2.2); q.line(n, x, (k) => log(this.still[k] + this.spread[k]), ink.fg, 1.6); q.dots(n, x, (k) => log(this.noisy[k]), ink.first, 2.2); q.line(2, (k) => 120 * k, () => log(this.floor), ink.muted, 1.3, [4, 4]); });
    legend(this.decays.legend, [["", ink.second, "deterministic"], ["", ink.fourth, "stochastic"], ["", ink.fg, "both"], ["dot", ink.first, "200 runs"], ["dash", ink.muted, "floor"]]);
    const top = Math.max(4 * this.floor || 0, 1e-6);
    r.begin(); r.domain(this.sweep[0][0], this.sweep[120][0], 0, top); r.axes(this.rule.params.length ? label(this.rule.params[0].name) : "", "floor of E x²", { grid: true });
    r.clip(() => { r.line(121, (k) => this.sweep[k][0], (k) => this.sweep[k][1], ink.fourth, 2.2); if (this.rule.params.length) r.handle(this.numbers[this.rule.params[0].place], this.floor, ink.first); });
  }
}
