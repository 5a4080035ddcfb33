// Least squares with a polynomial of degree five on [-1, 1], and its eigenfeatures
import { colours } from "./canvas.js";
import { eigen, times } from "./numerics.js";
import { Sheet } from "./sheet.js";

export class Fit extends Sheet {
  setup() {
    this.anyRule = true;
    this.u = Array.from({ length: 14 }, (_, n) => -1 + (2 * n) / 13);
    this.y = this.u.map((u, n) => Math.sin(2.6 * u) + 0.35 * Math.cos(9 * n * n));
    this.d = 6;
    this.X = this.u.map((u) => Array.from({ length: this.d }, (_, n) => u ** n));
    const A = new Float64Array(this.d ** 2);
    for (const row of this.X)
      for (let a = 0; a < this.d; a++) for (let b = 0; b < this.d; b++) A[a * this.d + b] += (row[a] * row[b]) / this.u.length;
    this.A = A;
    this.eigen = eigen(A, this.d);
    this.target();
    this.j = this.lab.own(
      { dim: this.d, curvatures: this.eigen.values },
      {
        grad: (w, out) => {
          times(this.A, w, out);
          for (let n = 0; n < this.d; n++) out[n] -= this.b[n];
        },
        f: (w) => this.loss(w),
      },
    );
  }
  // right-hand side and solution for the data as they are now
  target() {
    this.b = new Float64Array(this.d);
    this.X.forEach((row, r) =>
      row.forEach((v, n) => {
        this.b[n] += (v * this.y[r]) / this.u.length;
      }),
    );
    this.parts = this.eigen.vectors.map((q, n) => q.reduce((s, v, m) => s + v * this.b[m], 0) / this.eigen.values[n]);
    this.solution = this.combine(this.parts);
  }
  combine(parts) {
    const w = new Float64Array(this.d);
    this.eigen.vectors.forEach((q, n) =>
      q.forEach((v, m) => {
        w[m] += v * parts[n];
      }),
    );
    return w;
  }
  value(w, u) {
    return w.reduceRight((s, v) => s * u + v, 0);
  }
  loss(w) {
    return this.u.reduce((s, u, n) => s + (this.value(w, u) - this.y[n]) ** 2, 0) / (2 * this.u.length);
  }
  drawFit(q, curves) {
    const ink = colours();
    q.begin();
    q.domain(-1.08, 1.08, -2, 2);
    q.axes("u", "y", { grid: true });
    q.clip(() => {
      curves.forEach(([w, colour, width]) =>
        q.line(
          161,
          (k) => -1 + k / 80,
          (k) => this.value(w, -1 + k / 80),
          colour,
          width,
        ),
      );
      q.dots(
        this.u.length,
        (n) => this.u[n],
        (n) => this.y[n],
        ink.fg,
        4,
      );
    });
  }
}
