// The counterpart of figure 6: what a rule has learnt after k steps, as a filter on the spectrum
import { colours, power, show } from "./canvas.js";
import { legend } from "./ui.js";
import { Fit } from "./fit.js";

export class EarlyStopping extends Fit {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Early stopping is a filter",
      "After k steps a rule has learnt a share of each feature that depends on its curvature alone. To stop early is to leave the flat features out.",
    );
    this.setup();
    this.k = 30;
    this.anyRule = false;
    this.filter = this.panel("Share learnt, by curvature", "", "Share learnt against the curvature on a logarithmic axis", 6, {
      height: 360,
    });
    this.fit = this.panel("Fit after k steps", "", "Data and fit", 6, { height: 360 });
    this.own("iteration", { min: 0, max: 500, value: 30, step: 1 }, (v) => {
      this.k = v;
    });
    this.begin(true);
  }
  compute() {
    const share = (lam) => {
      const m = this.lab.motion(this.i, lam, this.numbers, this.k);
      return 1 - m.rows[this.k * m.n + m.at];
    };
    this.grid = Float64Array.from({ length: 161 }, (_, n) => share(10 ** (-4.5 + (5 * n) / 160)));
    this.learnt = this.eigen.values.map(share);
    this.w = this.combine(this.parts.map((v, n) => v * this.learnt[n]));
    this.say(
      `after ${this.k} steps: loss ${show(this.loss(this.w), 4)} (least ${show(this.loss(this.solution), 4)}); ${this.told(this.eigen.values)}`,
    );
  }
  paint() {
    const ink = colours(),
      q = this.filter.plot;
    q.begin();
    q.domain(-4.5, 0.5, -0.3, 1.7);
    q.axes("curvature λ", "share learnt", { grid: true, xtick: power, xs: [-4, -3, -2, -1, 0] });
    q.clip(() => {
      q.line(
        2,
        (k) => -5 + 6 * k,
        () => 1,
        ink.muted,
        1.2,
        [4, 4],
      );
      q.line(
        161,
        (n) => -4.5 + (5 * n) / 160,
        (n) => this.grid[n],
        ink.second,
        2.2,
      );
      q.dots(
        this.d,
        (n) => Math.log10(this.eigen.values[n]),
        (n) => this.learnt[n],
        ink.first,
        5,
      );
    });
    legend(this.filter.legend, [
      ["", ink.second, "any curvature"],
      ["dot", ink.first, "the six features"],
    ]);
    this.drawFit(this.fit.plot, [
      [this.solution, ink.line, 2],
      [this.w, ink.first, 2.6],
    ]);
    legend(this.fit.legend, [
      ["", ink.first, `${this.k} steps`],
      ["", ink.line, "all of them"],
    ]);
  }
}
