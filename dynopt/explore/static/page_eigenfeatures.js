// The counterpart of figure 5: the fit rebuilt, one eigenfeature after the other; data points can be dragged
import { colours, show } from "./canvas.js";
import { button, legend, steer } from "./ui.js";
import { Fit } from "./fit.js";

export class EigenFeatures extends Fit {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Eigenfeatures",
      "The eigenvectors of the data make their own features; the fit is a sum of them, and none disturbs another. Drag the points; switch features on and off.",
    );
    this.setup();
    this.on = this.eigen.values.map(() => true);
    this.fit = this.panel("Fit from the features that are on", "", "Data and fit; drag a point up or down", 6, {
      height: 400,
      keys: true,
    });
    this.features = this.panel("Features", "", "The six eigenfeatures, scaled by their share in the fit", 6, { height: 400 });
    this.bar.append(
      ...this.eigen.values
        .map((v, n) => {
          const b = button(
            `λ = ${show(v, 2)}`,
            () => {
              this.on[n] = !this.on[n];
              b.setAttribute("aria-pressed", this.on[n]);
              this.refresh();
            },
            { "aria-pressed": "true" },
          );
          return b;
        })
        .reverse(),
    );
    this.chosen = 6;
    steer(
      this.fit.plot,
      (u, y) => {
        this.chosen = this.u.reduce((best, v, n) => (Math.abs(v - u) < Math.abs(this.u[best] - u) ? n : best), 0);
        this.put(y);
      },
      (du, dy) => {
        this.chosen = Math.min(13, Math.max(0, this.chosen + Math.sign(du)));
        this.put(this.y[this.chosen] + dy / 25);
      },
    );
    this.begin();
  }
  put(y) {
    this.y[this.chosen] = Math.min(1.9, Math.max(-1.9, y));
    this.target();
    this.refresh();
  }
  compute() {
    this.w = this.combine(this.parts.map((v, n) => (this.on[n] ? v : 0)));
    const rho = this.linear ? this.eigen.values.map((lam) => this.lab.rho(this.i, lam, this.numbers)) : null;
    this.say(
      `loss ${show(this.loss(this.w), 4)}` +
        (rho
          ? `; ${this.rule.name} learns the feature of λ = ${show(this.eigen.values[this.d - 1], 2)} with ρ = ${rho[this.d - 1].toFixed(3)}, that of λ = ${show(this.eigen.values[0], 2)} with ρ = ${rho[0].toFixed(4)}`
          : ""),
    );
  }
  paint() {
    const ink = colours(),
      q = this.features.plot,
      colour = [ink.fifth, ink.fourth, ink.third, ink.second, ink.first, ink.fg];
    this.drawFit(this.fit.plot, [
      [this.solution, ink.line, 2],
      [this.w, ink.first, 2.6],
    ]);
    this.fit.plot.clip(() => this.fit.plot.handle(this.u[this.chosen], this.y[this.chosen], ink.second, this.fit.plot.held));
    q.begin();
    q.domain(-1.05, 1.05, -2, 2);
    q.axes("u", "", { grid: true });
    q.clip(() =>
      this.eigen.vectors.forEach((v, n) => {
        q.c.globalAlpha = this.on[n] ? 1 : 0.2;
        q.line(
          81,
          (k) => -1 + k / 40,
          (k) => this.parts[n] * this.value(v, -1 + k / 40),
          colour[n],
          2,
        );
        q.c.globalAlpha = 1;
      }),
    );
    legend(this.features.legend, this.eigen.values.map((v, n) => ["", colour[n], `λ = ${show(v, 2)}`]).reverse());
  }
}
