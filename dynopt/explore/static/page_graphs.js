// Rules on graphs: colours that spread over a grid, conditioning of Laplacians, and the chain that resists.
import { cividis, colours, power, show } from "./canvas.js";
import { eigen } from "./numerics.js";
import { Sheet } from "./sheet.js";
import { choice, legend } from "./ui.js";

// out = (Laplacian of the edges) x + pin x
function laplacian(edges, pin) {
  return (x, out) => {
    for (let n = 0; n < x.length; n++) out[n] = pin[n] * x[n];
    for (const [a, b] of edges) { const d = x[a] - x[b]; out[a] += d; out[b] -= d; }
  };
}

// the largest eigenvalue of a symmetric map by repeated application
function largest(map, n, rounds = 400) {
  let x = Float64Array.from({ length: n }, (_, k) => Math.sin(1 + 12.9898 * k)), value = 0;
  const y = new Float64Array(n);
  for (let r = 0; r < rounds; r++) { map(x, y); value = Math.hypot(...y); x = y.map((v) => v / value); }
  return value;
}

const gridEdges = (w, h) => { const out = []; for (let r = 0; r < h; r++) for (let c = 0; c < w; c++) { if (c + 1 < w) out.push([r * w + c, r * w + c + 1]); if (r + 1 < h) out.push([r * w + c, (r + 1) * w + c]); } return out; };

// no. 11: a few pixels know their colour; the rule carries it to the others
export class Colouring extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Colour that travels", "A few pixels are held near a colour, every other one wants to agree with its neighbours. In one step a gradient reaches one pixel further.");
    this.anyRule = true; this.w = 24; this.h = 18;
    const n = this.w * this.h, pin = new Float64Array(n), want = new Float64Array(n);
    for (const [c, r, v] of [[3, 3, 1], [20, 4, 0], [6, 14, 0], [19, 14, 1], [12, 9, .5]]) { pin[r * this.w + c] = 8; want[r * this.w + c] = 2 * v - 1; }
    const map = laplacian(gridEdges(this.w, this.h), pin), top = largest(map, n), low = top - largest((x, out) => { map(x, out); for (let k = 0; k < n; k++) out[k] = top * x[k] - out[k]; }, n, 2500);
    this.pin = pin; this.k = 40;
    this.j = lab.own({ dim: n, curvatures: [Math.max(low, 1e-3), top] }, { grad: (x, out) => { map(x, out); for (let k = 0; k < n; k++) out[k] -= pin[k] * want[k]; }, f: () => 0 });
    this.gradient = lab.oracle(this.j, "grad");
    this.picture = this.panel("Pixels after k steps", "", "Grid of pixels coloured by their value", 7, { height: 430, pad: [4, 4, 4, 4] });
    this.fall = this.panel("Size of the gradient", "", "Norm of the gradient against the iteration", 5, { height: 430 });
    this.own("iteration", { min: 0, max: 300, value: 40, step: 1 }, (v) => { this.k = v; });
    this.begin();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, new Float64Array(this.w * this.h), this.numbers, 300);
    const g = new Float64Array(this.w * this.h);
    this.sizes = Array.from({ length: this.run.n + 1 }, (_, k) => { this.gradient(this.run.x.subarray(k * g.length, (k + 1) * g.length), g); return Math.log10(Math.max(Math.hypot(...g), 1e-16)); });
    const lams = this.lab.lams(this.j);
    this.say(`curvatures from ${show(lams[0])} to ${show(lams[lams.length - 1])}` + (this.linear ? `; ${this.told(lams)}` : ""));
  }
  paint() {
    const ink = colours(), q = this.picture.plot, r = this.fall.plot, k = Math.min(this.k, this.run.n), n = this.w * this.h;
    q.begin(); q.equal(0, this.w, 0, this.h);
    for (let row = 0; row < this.h; row++) for (let col = 0; col < this.w; col++) {
      const at = row * this.w + col, x = q.X(col), y = q.Y(this.h - row);
      q.c.fillStyle = `rgb(${cividis((this.run.x[k * n + at] + 1) / 2).map(Math.round)})`;
      q.c.fillRect(x + .5, y + .5, q.X(1) - q.X(0) - 1, q.Y(0) - q.Y(1) - 1);
      if (this.pin[at]) { q.c.strokeStyle = "#fff"; q.c.lineWidth = 2.5; q.c.strokeRect(x + 2.5, y + 2.5, q.X(1) - q.X(0) - 5, q.Y(0) - q.Y(1) - 5); }
    }
    r.begin(); r.domain(0, 300, Math.floor(Math.min(...this.sizes)), Math.ceil(Math.max(...this.sizes) + .2)); r.axes("iteration k", "|gradient|", { grid: true, ytick: power, ys: [-16, -12, -8, -4, 0].filter((v) => v >= r.e && v <= r.f) });
    r.clip(() => { r.line(this.sizes.length, (m) => m, (m) => this.sizes[m], ink.second, 2); r.handle(k, this.sizes[k], ink.first); });
  }
}

// no. 12: how well a graph is conditioned, and how fast a rule agrees on it
const N = 36;
const GRAPHS = {
  expander: () => { const out = []; let seed = 7; const next = () => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed / 4294967296; }; for (let pass = 0; pass < 3; pass++) { const order = Array.from({ length: N }, (_, k) => k); for (let k = N - 1; k > 0; k--) { const m = Math.floor(next() * (k + 1)); [order[k], order[m]] = [order[m], order[k]]; } order.forEach((a, k) => out.push([a, order[(k + 1) % N]])); } return out; },
  grid: () => gridEdges(6, 6), path: () => Array.from({ length: N - 1 }, (_, k) => [k, k + 1]) };
export class Graphs extends Sheet {
  constructor(root, lab) {
    super(root, lab, "Conditioning of a graph", "All nodes want to agree with their neighbours. Whether that is quick depends on the spectrum of the Laplacian: an expander agrees in a few steps, a path hardly at all.");
    this.anyRule = true; this.kinds = Object.keys(GRAPHS).map((name) => this.make(name));
    this.g = 0; this.k = 10; this.j = this.kinds[0].j;
    this.bar.append(choice("graph", Object.keys(GRAPHS), 0, (n) => { this.g = n; this.j = this.kinds[n].j; this.p.forEach((_, i) => this.tune(i)); this.refresh(); }));
    this.own("iteration", { min: 0, max: 120, value: 10, step: 1 }, (v) => { this.k = v; });
    this.picture = this.panel("Graph after k steps", "", "Nodes coloured by their value", 5, { height: 380, pad: [8, 8, 8, 8] });
    this.spectrum = this.panel("Spectrum and contraction", "", "Contraction factor at each eigenvalue of the Laplacian", 7, { height: 380 });
    this.fall = this.panel("Disagreement", "", "Distance from agreement against the iteration, for the three graphs at their own optimum", 12, { height: 240 });
    this.begin();
  }
  make(name) {
    const edges = GRAPHS[name](), map = laplacian(edges, new Float64Array(N)), A = new Float64Array(N * N), e = new Float64Array(N), out = new Float64Array(N);
    for (let c = 0; c < N; c++) { e.fill(0); e[c] = 1; map(e, out); for (let r = 0; r < N; r++) A[r * N + c] = out[r]; }
    const values = eigen(A, N).values.slice(1);
    return { name, edges, values, j: this.lab.own({ dim: N, curvatures: [values[0], values[values.length - 1]] }, { grad: map, f: () => 0 }) };
  }
  place(n) { const t = this.kinds[this.g].name, a = 2 * Math.PI * n / N; return t === "grid" ? [(n % 6) / 2.5 - 1, Math.floor(n / 6) / 2.5 - 1] : t === "path" ? [(Math.floor(n / 6) % 2 ? 5 - n % 6 : n % 6) / 2.5 - 1, Math.floor(n / 6) / 2.5 - 1] : [Math.cos(a), Math.sin(a)]; }
  compute() {
    const x0 = Float64Array.from({ length: N }, (_, k) => (k < N / 2 ? 1 : -1)), kept = this.numbers;
    this.run = this.lab.run(this.i, this.j, x0, kept, 120);
    const size = (run) => Array.from({ length: run.n + 1 }, (_, k) => Math.log10(Math.max(Math.hypot(...run.x.subarray(k * N, (k + 1) * N)), 1e-16)));
    this.falls = this.kinds.map((g) => { if (g.j === this.j) return size(this.run); const p = Float64Array.from(kept), axes = this.axes; if (this.linear && axes.length) this.lab.optimum(this.i, g.j, axes, p).values.forEach((v, n) => { p[this.rule.params[axes[n]].place] = v; }); return size(this.lab.run(this.i, g.j, x0, p, 120)); });
    const v = this.kinds[this.g].values;
    this.say(`${this.kinds[this.g].name}: κ = ${show(v[v.length - 1] / v[0])}` + (this.linear ? `; ${this.told([v[0], v[v.length - 1]])}` : ""));
  }
  paint() {
    const ink = colours(), { edges, values } = this.kinds[this.g], q = this.picture.plot, r = this.spectrum.plot, s = this.fall.plot, k = Math.min(this.k, this.run.n);
    q.begin(); q.equal(-1.15, 1.15, -1.15, 1.15); q.c.strokeStyle = ink.line; q.c.lineWidth = 1; q.c.beginPath();
    for (const [a, b] of edges) { const u = this.place(a), v = this.place(b); q.c.moveTo(q.X(u[0]), q.Y(u[1])); q.c.lineTo(q.X(v[0]), q.Y(v[1])); }
    q.c.stroke();
    for (let n = 0; n < N; n++) { const [x, y] = this.place(n); q.c.fillStyle = `rgb(${cividis((this.run.x[k * N + n] + 1) / 2).map(Math.round)})`; q.c.beginPath(); q.c.arc(q.X(x), q.Y(y), 9, 0, 7); q.c.fill(); q.c.strokeStyle = ink.card; q.c.lineWidth = 1.5; q.c.stroke(); }
    const top = values[values.length - 1] * 1.08;
    r.begin(); r.domain(0, top, 0, 1.1); r.axes("eigenvalue of the Laplacian", "ρ", { grid: true });
    if (this.linear) r.clip(() => { r.line(161, (m) => top * (m + .01) / 160, (m) => this.lab.rho(this.i, top * (m + .01) / 160, this.numbers), ink.second, 1.8); r.dots(values.length, (m) => values[m], (m) => this.lab.rho(this.i, values[m], this.numbers), ink.first, 4); });
    s.begin(); s.domain(0, 120, -8, 1.2); s.axes("iteration k", "distance from agreement", { grid: true, ytick: power, ys: [-8, -6, -4, -2, 0] });
    s.clip(() => this.falls.forEach((y, n) => s.line(y.length, (m) => m, (m) => y[m], [ink.third, ink.second, ink.fourth][n], n === this.g ? 3 : 1.6)));
    legend(this.fall.legend, this.kinds.map((g, n) => ["", [ink.third, ink.second, ink.fourth][n], g.name]));
  }
}

// no. 13: the convex function that no method of this kind can hurry
export class Resisting extends Sheet {
  constructor(root, lab) {
    super(root, lab, "The resisting oracle", "A chain of springs, pulled at one end. Each gradient tells a method about one link more, so that after k steps the far coordinates are still where they began, whatever the method.");
    this.anyRule = true; this.n = 60; this.k = 20;
    const n = this.n, pin = new Float64Array(n), edges = Array.from({ length: n - 1 }, (_, k) => [k, k + 1]);
    pin[0] = 1; pin[n - 1] = 1;
    const map = laplacian(edges, pin), A = new Float64Array(n * n), e = new Float64Array(n), out = new Float64Array(n);
    for (let c = 0; c < n; c++) { e.fill(0); e[c] = 1; map(e, out); for (let r = 0; r < n; r++) A[r * n + c] = out[r]; }
    const { values, vectors } = eigen(A, n);
    this.least = new Float64Array(n);
    vectors.forEach((q, m) => q.forEach((v, r) => { this.least[r] += v * q[0] / values[m]; }));
    this.j = lab.own({ dim: n, curvatures: [values[0], values[n - 1]], minimizer: Array.from(this.least) }, { grad: (x, g) => { map(x, g); g[0] -= 1; }, f: () => 0 });
    this.chain = this.panel("Coordinates after k steps", "", "Value of each coordinate, with the minimizer", 7, { height: 380 });
    this.error = this.panel("The ripple of the error", "", "Error of each coordinate over the iterations", 5, { height: 380 });
    this.own("iteration", { min: 0, max: 300, value: 20, step: 1 }, (v) => { this.k = v; });
    this.begin();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, new Float64Array(this.n), this.numbers, 300);
    const k = Math.min(this.k, this.run.n), x = this.run.x.subarray(k * this.n, (k + 1) * this.n), lams = this.lab.lams(this.j);
    const reached = x.reduce((far, v, m) => (v !== 0 ? m + 1 : far), 0);
    this.say(`after ${k} steps ${reached} of ${this.n} coordinates have moved; κ = ${show(lams[lams.length - 1] / lams[0])}` + (this.linear ? `; ${this.told(lams)}` : ""));
  }
  paint() {
    const ink = colours(), q = this.chain.plot, r = this.error.plot, n = this.n, k = Math.min(this.k, this.run.n), x = (m) => this.run.x[k * n + m];
    q.begin(); q.domain(0, n + 1, -.4, 1.3); q.axes("coordinate", "", { grid: true });
    q.clip(() => { for (let m = 0; m < n; m++) { q.c.fillStyle = ink.first; q.c.fillRect(q.X(m + .65), Math.min(q.Y(0), q.Y(x(m))), q.X(.7) - q.X(0), Math.abs(q.Y(x(m)) - q.Y(0))); } q.line(n, (m) => m + 1, (m) => this.least[m], ink.second, 2.2); });
    legend(this.chain.legend, [["dot", ink.first, `after ${k} steps`], ["", ink.second, "minimizer"]]);
    const error = (m) => Math.log10(Math.max(Math.abs(x(m) - this.least[m]), 1e-10));
    r.begin(); r.domain(0, n + 1, -6, 1); r.axes("coordinate", "|error|", { grid: true, ytick: power, ys: [-6, -4, -2, 0] });
    r.clip(() => { r.line(n, (m) => m + 1, error, ink.fourth, 1.4); r.dots(n, (m) => m + 1, error, ink.fourth, 2.6); });
  }
}
