// The counterpart of figure 12: how well a graph is conditioned, and how fast a rule agrees on it
import { cividis, colours, power, show } from "./canvas.js";
import { eigen } from "./numerics.js";
import { choice, legend } from "./ui.js";
import { Sheet } from "./sheet.js";
import { gridEdges, laplacian, norm } from "./graph.js";

const N = 36;
const GRAPHS = {
  expander: () => {
    const out = [];
    let seed = 7;
    const next = () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return seed / 4294967296;
    };
    for (let pass = 0; pass < 3; pass++) {
      const order = Array.from({ length: N }, (_, k) => k);
      for (let k = N - 1; k > 0; k--) {
        const m = Math.floor(next() * (k + 1));
        [order[k], order[m]] = [order[m], order[k]];
      }
      order.forEach((a, k) => out.push([a, order[(k + 1) % N]]));
    }
    return out;
  },
  grid: () => gridEdges(6, 6),
  path: () => Array.from({ length: N - 1 }, (_, k) => [k, k + 1]),
};
export class Graphs extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Conditioning of a graph",
      "All nodes want to agree with their neighbours. Whether that is quick depends on the spectrum of the Laplacian: an expander agrees in a few steps, a path hardly at all.",
    );
    this.anyRule = true;
    this.kinds = Object.keys(GRAPHS).map((name) => this.make(name));
    this.g = 1;
    this.k = 6;
    this.j = this.kinds[1].j;
    this.bar.append(
      choice("graph", Object.keys(GRAPHS), 1, (n) => {
        this.g = n;
        this.j = this.kinds[n].j;
        this.p.forEach((_, i) => this.tune(i));
        this.refresh();
      }),
    );
    this.own("iteration", { min: 0, max: 120, value: 6, step: 1 }, (v) => {
      this.k = v;
    });
    this.picture = this.panel("Graph after k steps", "", "Nodes coloured by their value", 5, { height: 380, pad: [8, 8, 8, 8] });
    this.spectrum = this.panel("Spectrum and contraction", "", "Contraction factor at each eigenvalue of the Laplacian", 7, {
      height: 380,
    });
    this.fall = this.panel(
      "Disagreement",
      "",
      "Distance from agreement against the iteration, for the three graphs at their own optimum",
      12,
      { height: 240 },
    );
    this.begin();
  }
  make(name) {
    const edges = GRAPHS[name](),
      map = laplacian(edges, new Float64Array(N)),
      A = new Float64Array(N * N),
      e = new Float64Array(N),
      out = new Float64Array(N);
    for (let c = 0; c < N; c++) {
      e.fill(0);
      e[c] = 1;
      map(e, out);
      for (let r = 0; r < N; r++) A[r * N + c] = out[r];
    }
    const values = eigen(A, N).values.slice(1);
    return {
      name,
      edges,
      values,
      j: this.lab.own({ dim: N, curvatures: [values[0], values[values.length - 1]] }, { grad: map, f: () => 0 }),
    };
  }
  place(n) {
    const t = this.kinds[this.g].name,
      a = (2 * Math.PI * n) / N;
    return t === "grid"
      ? [(n % 6) / 2.5 - 1, Math.floor(n / 6) / 2.5 - 1]
      : t === "path"
        ? [(Math.floor(n / 6) % 2 ? 5 - (n % 6) : n % 6) / 2.5 - 1, Math.floor(n / 6) / 2.5 - 1]
        : [Math.cos(a), Math.sin(a)];
  }
  compute() {
    const x0 = Float64Array.from({ length: N }, (_, k) => (k < N / 2 ? 1 : -1)),
      kept = this.numbers;
    this.run = this.lab.run(this.i, this.j, x0, kept, 120);
    const size = (run) =>
      Array.from({ length: run.n + 1 }, (_, k) => Math.log10(Math.max(norm(run.x.subarray(k * N, (k + 1) * N)), 1e-16)));
    this.falls = this.kinds.map((g) => {
      if (g.j === this.j) return size(this.run);
      const p = Float64Array.from(kept),
        axes = this.axes;
      if (this.linear && axes.length)
        this.lab.optimum(this.i, g.j, axes, p).values.forEach((v, n) => {
          p[this.rule.params[axes[n]].place] = v;
        });
      return size(this.lab.run(this.i, g.j, x0, p, 120));
    });
    const v = this.kinds[this.g].values;
    this.say(
      `${this.kinds[this.g].name}: κ = ${show(v[v.length - 1] / v[0])}` +
        (this.linear ? `; ${this.told([v[0], v[v.length - 1]])}` : ""),
    );
  }
  paint() {
    const ink = colours(),
      { edges, values } = this.kinds[this.g],
      q = this.picture.plot,
      r = this.spectrum.plot,
      s = this.fall.plot,
      k = Math.min(this.k, this.run.n);
    q.begin();
    q.equal(-1.15, 1.15, -1.15, 1.15);
    q.c.strokeStyle = ink.line;
    q.c.lineWidth = 1;
    q.c.beginPath();
    for (const [a, b] of edges) {
      const u = this.place(a),
        v = this.place(b);
      q.c.moveTo(q.X(u[0]), q.Y(u[1]));
      q.c.lineTo(q.X(v[0]), q.Y(v[1]));
    }
    q.c.stroke();
    for (let n = 0; n < N; n++) {
      const [x, y] = this.place(n);
      q.c.fillStyle = `rgb(${cividis((this.run.x[k * N + n] + 1) / 2).map(Math.round)})`;
      q.c.beginPath();
      q.c.arc(q.X(x), q.Y(y), 9, 0, 7);
      q.c.fill();
      q.c.strokeStyle = ink.card;
      q.c.lineWidth = 1.5;
      q.c.stroke();
    }
    const top = values[values.length - 1] * 1.08;
    r.begin();
    r.domain(0, top, 0, 1.1);
    r.axes("eigenvalue of the Laplacian", "ρ", { grid: true });
    if (this.linear)
      r.clip(() => {
        r.line(
          161,
          (m) => (top * (m + 0.01)) / 160,
          (m) => this.lab.rho(this.i, (top * (m + 0.01)) / 160, this.numbers),
          ink.second,
          1.8,
        );
        r.dots(
          values.length,
          (m) => values[m],
          (m) => this.lab.rho(this.i, values[m], this.numbers),
          ink.first,
          4,
        );
      });
    s.begin();
    s.domain(0, 120, -8, 1.2);
    s.axes("iteration k", "distance from agreement", { grid: true, ytick: power, ys: [-8, -6, -4, -2, 0] });
    s.clip(() =>
      this.falls.forEach((y, n) =>
        s.line(
          y.length,
          (m) => m,
          (m) => y[m],
          [ink.third, ink.second, ink.fourth][n],
          n === this.g ? 3 : 1.6,
        ),
      ),
    );
    legend(
      this.fall.legend,
      this.kinds.map((g, n) => ["", [ink.third, ink.second, ink.fourth][n], g.name]),
    );
  }
}
