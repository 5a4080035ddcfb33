// The counterpart of figure 4: the weights scrubbed by hand, or by the rule
import { colours, power, show } from "./canvas.js";
import { legend } from "./ui.js";
import { Fit } from "./fit.js";

export class Regression extends Fit {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Weights and their fit",
      "A polynomial of degree five through fourteen points. Move the weights by hand, or let the rule move them.",
    );
    this.setup();
    this.w = new Float64Array(this.d);
    this.k = 40;
    this.fit = this.panel("Fit", "", "Data and polynomial", 8, { height: 380 });
    this.fall = this.panel("Loss", "", "Loss against the iteration", 4, { height: 380 });
    this.hand = Array.from(this.w, (_, n) =>
      this.own(`w${"₀₁₂₃₄₅"[n]}`, { min: -4, max: 4, value: 0, name: `weight ${n}` }, (v) => {
        this.w[n] = v;
        this.byHand = true;
      }),
    );
    this.step = this.own("iteration", { min: 0, max: 400, value: 40, step: 1 }, (v) => {
      this.k = v;
      this.byHand = false;
    });
    this.begin();
  }
  compute() {
    this.run = this.lab.run(this.i, this.j, new Float64Array(this.d), this.numbers, 400);
    if (!this.byHand) {
      const k = Math.min(this.k, this.run.n);
      this.w = this.run.x.slice(k * this.d, (k + 1) * this.d);
      this.hand.forEach((s, n) => s.set(this.w[n]));
    }
    this.say(`loss ${show(this.loss(this.w), 4)}, least possible ${show(this.loss(this.solution), 4)}`);
  }
  paint() {
    const ink = colours(),
      q = this.fall.plot,
      low = this.loss(this.solution),
      y = (k) => Math.log10(Math.max(this.loss(this.run.x.subarray(k * this.d, (k + 1) * this.d)) - low, 1e-12));
    this.drawFit(this.fit.plot, [
      [this.solution, ink.line, 2],
      [this.w, ink.first, 2.6],
    ]);
    legend(this.fit.legend, [
      ["", ink.first, "these weights"],
      ["", ink.line, "the best ones"],
    ]);
    q.begin();
    q.domain(0, 400, -8, 1);
    q.axes("iteration k", "loss − least", { grid: true, ytick: power, ys: [-8, -6, -4, -2, 0] });
    q.clip(() => {
      q.line(this.run.n + 1, (k) => k, y, ink.second, 2);
      if (!this.byHand) q.handle(this.k, y(Math.min(this.k, this.run.n)), ink.first);
    });
  }
}
