// The counterpart of figure 13: the convex function that no method of this kind can hurry
import { colours, power, show } from "./canvas.js";
import { eigen } from "./numerics.js";
import { legend } from "./ui.js";
import { Sheet } from "./sheet.js";
import { laplacian } from "./graph.js";

export class Resisting extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "The resisting oracle",
      "A chain of springs, pulled at one end. Each gradient tells a method about one link more, so that after k steps the far coordinates are still where they began, whatever the method.",
    );
    this.anyRule = true;
    this.n = 60;
    this.k = 20;
    const n = this.n,
      pin = new Float64Array(n),
      edges = Array.from({ length: n - 1 }, (_, k) => [k, k + 1]);
    pin[0] = 1;
    pin[n - 1] = 1;
    const map = laplacian(edges, pin),
      A = new Float64Array(n * n),
      e = new Float64Array(n),
      out = new Float64Array(n);
    for (let c = 0; c < n; c++) {
      e.fill(0);
      e[c] = 1;
      map(e, out);
      for (let r = 0; r < n; r++) A[r * n + c] = out[r];
    }
    const { values, vectors } = eigen(A, n);
    this.least = new Float64Array(n);
    vectors.forEach((q, m) =>
      q.forEach((v, r) => {
        this.least[r] += (v * q[0]) / values[m];
      }),
    );
    this.j = lab.own(
      { dim: n, curvatures: [values[0], values[n - 1]], minimizer: Array.from(this.least) },
      {
        grad: (x, g) => {
          map(x, g);
          g[0] -= 1;
        },
        f: () => 0,
      },
    );
    this.chain = this.panel("Coordinates after k steps", "", "Value of each coordinate, with the minimizer", 7, { height: 380 });
    this.error = this.panel("The ripple of the error", "", "Error of each coordinate over the iterations", 5, { height: 380 });
    this.own("iteration", { min: 0, max: 300, value: 20, step: 1 }, (v) => {
      this.k = v;
    });
    this.begin();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, new Float64Array(this.n), this.numbers, 300);
    const k = Math.min(this.k, this.run.n),
      x = this.run.x.subarray(k * this.n, (k + 1) * this.n),
      lams = this.lab.lams(this.j);
    const reached = x.reduce((far, v, m) => (v !== 0 ? m + 1 : far), 0);
    this.say(
      `after ${k} steps ${reached} of ${this.n} coordinates have moved; κ = ${show(lams[lams.length - 1] / lams[0])}` +
        (this.linear ? `; ${this.told(lams)}` : ""),
    );
  }
  paint() {
    const ink = colours(),
      q = this.chain.plot,
      r = this.error.plot,
      n = this.n,
      k = Math.min(this.k, this.run.n),
      x = (m) => this.run.x[k * n + m];
    q.begin();
    q.domain(0, n + 1, -0.4, 1.3);
    q.axes("coordinate", "", { grid: true });
    q.clip(() => {
      for (let m = 0; m < n; m++) {
        q.c.fillStyle = ink.first;
        q.c.fillRect(q.X(m + 0.65), Math.min(q.Y(0), q.Y(x(m))), q.X(0.7) - q.X(0), Math.abs(q.Y(x(m)) - q.Y(0)));
      }
      q.line(
        n,
        (m) => m + 1,
        (m) => this.least[m],
        ink.second,
        2.2,
      );
    });
    legend(this.chain.legend, [
      ["dot", ink.first, `after ${k} steps`],
      ["", ink.second, "minimizer"],
    ]);
    const error = (m) => Math.log10(Math.max(Math.abs(x(m) - this.least[m]), 1e-10));
    r.begin();
    r.domain(0, n + 1, -6, 1);
    r.axes("coordinate", "|error|", { grid: true, ytick: power, ys: [-6, -4, -2, 0] });
    r.clip(() => {
      r.line(n, (m) => m + 1, error, ink.fourth, 1.4);
      r.dots(n, (m) => m + 1, error, ink.fourth, 2.6);
    });
  }
}
