// The counterpart of figure 3: how much each eigen-component still adds to the error, iteration after iteration
import { colours } from "./canvas.js";
import { legend } from "./ui.js";
import { Sheet, THREE, ring } from "./sheet.js";

export class EigenErrors extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "What is left of each component",
      "The error of f splits into one part for each curvature; the slowest part decides. Bars show what is left at each iteration.",
    );
    this.j = lab.own({ dim: 3, curvatures: THREE }, {});
    this.bars = this.panel("Error by component", "", "Stacked bars of the error of f by curvature against the iteration", 8, {
      height: 360,
    });
    this.rates = this.panel("Contraction of each component", "", "Contraction factor of each curvature", 4, {
      height: 360,
      pad: [8, 10, 36, 40],
    });
    this.begin();
  }
  compute() {
    this.parts = THREE.map((lam) => {
      const m = this.lab.motion(this.i, lam, this.numbers, 100);
      return Float64Array.from({ length: 101 }, (_, k) => m.rows[k * m.n + m.at] ** 2);
    });
    this.rhos = THREE.map((lam) => this.lab.rho(this.i, lam, this.numbers));
    this.say(this.told(THREE));
  }
  paint() {
    const ink = colours(),
      q = this.bars.plot,
      r = this.rates.plot,
      colour = ring(ink);
    const top = Math.min(
      60,
      1.05 * Math.max(...Array.from({ length: 101 }, (_, k) => this.parts.reduce((sum, y) => sum + y[k], 0))),
    );
    q.begin();
    q.domain(-0.5, 100.5, 0, top > 0 ? top : 12);
    q.axes("iteration k", "share of the start", { grid: true });
    q.clip((c) => {
      for (let k = 0; k <= 100; k++) {
        let at = 0;
        this.parts.forEach((y, n) => {
          const v = Math.min(y[k], 80);
          c.fillStyle = colour[n];
          c.fillRect(q.X(k - 0.42), q.Y(at + v), q.X(k + 0.42) - q.X(k - 0.42), q.Y(at) - q.Y(at + v));
          at += v;
        });
      }
    });
    legend(
      this.bars.legend,
      THREE.map((lam, n) => ["dot", colour[n], `λ = ${lam}`]),
    );
    r.begin();
    r.domain(-0.6, 2.6, 0, 1.15);
    r.axes("curvature λ", "", { ys: [0, 0.25, 0.5, 0.75, 1], xs: [0, 1, 2], xtick: (n) => String(THREE[n]) });
    r.line(
      2,
      (k) => -1 + 5 * k,
      () => 1,
      ink.muted,
      1.2,
      [4, 4],
    );
    this.rhos.forEach((v, n) => {
      r.c.fillStyle = colour[n];
      r.c.fillRect(r.X(n) - 18, r.Y(Math.min(v, 1.15)), 36, r.Y(0) - r.Y(Math.min(v, 1.15)));
      r.text(v.toFixed(3), r.X(n), r.Y(Math.min(v, 1.1)) - 9, ink.fg, { align: "center", weight: 600 });
    });
  }
}
