// The counterpart of figure 2: the same descent in the original coordinates and along the eigenvectors
import { colours, show } from "./canvas.js";
import { eigen, times } from "./numerics.js";
import { legend, steer } from "./ui.js";
import { landscape } from "./landscape.js";
import { cross, path } from "./panels.js";
import { Sheet } from "./sheet.js";

export class EigenBasis extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "The same descent in two bases",
      "Along the eigenvectors of the Hessian the coordinates part: each follows its own one-dimensional rule. Drag the start in either picture.",
    );
    const A = [4.2, 3.1, 3.1, 3.4],
      { values, vectors } = eigen(A, 2),
      make = (M) => ({
        grad: (x, out) => times(M, x, out),
        f: (x) => {
          const g = times(M, x, [0, 0]);
          return (x[0] * g[0] + x[1] * g[1]) / 2;
        },
      });
    this.Q = vectors;
    this.anyRule = true;
    this.j = lab.own({ dim: 2, curvatures: values, window: [-2, 2, -1.6, 1.6] }, make(A));
    this.straight = lab.own({ dim: 2, curvatures: values, window: [-2, 2, -1.6, 1.6] }, make([values[0], 0, 0, values[1]]));
    this.at = [-1.5, 1.1];
    this.left = this.panel("Original coordinates", "", "Iterates in the original coordinates; drag the start", 6, {
      height: 340,
      pad: [6, 6, 24, 36],
      keys: true,
    });
    this.right = this.panel("Along the eigenvectors", "", "Iterates in the eigenbasis; drag the start", 6, {
      height: 340,
      pad: [6, 6, 24, 36],
      keys: true,
    });
    this.each = [0, 1].map((n) =>
      this.panel(`Coordinate along eigenvector ${n + 1}`, "", "One coordinate against the iteration", 6, { height: 200 }),
    );
    steer(
      this.left.plot,
      (x, y) => this.to([x, y]),
      (dx, dy) => this.to([this.at[0] + dx / 25, this.at[1] + dy / 25]),
    );
    steer(
      this.right.plot,
      (u, v) => this.to(this.back([u, v])),
      (du, dv) => {
        const w = this.turn(this.at);
        this.to(this.back([w[0] + du / 25, w[1] + dv / 25]));
      },
    );
    this.begin();
  }
  turn(x) {
    return this.Q.map((q) => q[0] * x[0] + q[1] * x[1]);
  }
  back(w) {
    return [0, 1].map((n) => this.Q[0][n] * w[0] + this.Q[1][n] * w[1]);
  }
  to(x) {
    this.at = x.map((v) => Math.min(1.9, Math.max(-1.9, v)));
    this.refresh();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, this.at, this.numbers, 80);
    this.turned = { ...this.run, x: new Float64Array(this.run.x.length) };
    for (let k = 0; k <= this.run.n; k++) this.turned.x.set(this.turn(this.run.x.subarray(2 * k, 2 * k + 2)), 2 * k);
    this.say(
      this.linear ? this.told(this.lab.lams(this.j)) : `${this.rule.name}: coordinates do not part, since the rule is not linear`,
    );
  }
  paint() {
    const ink = colours();
    [
      [this.left, this.j, this.run, this.at],
      [this.right, this.straight, this.turned, this.turn(this.at)],
    ].forEach(([made, j, run, at]) => {
      const q = made.plot;
      q.begin();
      landscape(q, this.lab, j);
      q.clip(() => {
        path(q, run.x.subarray(0, 2 * run.n + 2), 80, ink.first);
        cross(q, 0, 0, ink.fg);
        q.handle(at[0], at[1], ink.first, q.held);
      });
      q.axes("", "");
    });
    this.each.forEach(({ plot, legend: note }, n) => {
      plot.begin();
      plot.domain(0, 80, -2, 2);
      plot.axes("iteration k", "", { grid: true });
      plot.clip(() => {
        const y = (k) => this.turned.x[2 * k + n],
          m = this.turned.n + 1;
        plot.line(m, (k) => k, y, [ink.second, ink.fourth][n], 1.2);
        plot.dots(m, (k) => k, y, [ink.second, ink.fourth][n], 2.2);
      });
      legend(note, [["dot", [ink.second, ink.fourth][n], `λ = ${show(this.lab.problems[this.j].curvatures[n])}`]]);
    });
  }
}
