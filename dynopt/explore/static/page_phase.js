// The counterpart of figure 8: displacement against position, each step split into what damps and what pulls back
import { colours, show } from "./canvas.js";
import { legend, steer } from "./ui.js";
import { Sheet } from "./sheet.js";

export class Phase extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Damping and spring",
      "On one mode a rule with two roots is a weight on a spring: the next displacement is a share of the last one, less a pull that is proportional to x. Both numbers are read off its polynomial.",
    );
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.at = [1, 0];
    this.plane = this.panel("Phase plane", "", "Displacement against position; drag the start", 7, { height: 420, keys: true });
    this.parts = this.panel(
      "Each step",
      "",
      "Displacement kept from the last step, and the pull of the spring, against the iteration",
      5,
      { height: 420 },
    );
    steer(
      this.plane.plot,
      (x, d) => this.to(x, d),
      (dx, dd) => this.to(this.at[0] + dx / 50, this.at[1] + dd / 50),
    );
    this.begin(true);
  }
  to(x, d) {
    this.at = [Math.min(1.3, Math.max(-1.3, x)), Math.min(1.3, Math.max(-1.3, d))];
    this.refresh();
  }
  compute() {
    const c = this.lab.polynomial(this.i, 1, this.numbers),
      n = c.length - 1;
    this.keep = n === 2 ? c[2] : n === 1 ? 0 : NaN;
    this.spring = c.reduce((a, b) => a + b, 0);
    const steps = 120,
      x = [this.at[0]],
      d = [this.at[1]];
    for (let k = 0; k < steps; k++) {
      d.push(this.keep * d[k] - this.spring * x[k]);
      x.push(x[k] + d[k + 1]);
    }
    Object.assign(this, { x, d });
    this.say(
      n > 2
        ? `${this.rule.name} has ${n} roots on a mode: more than one displacement would be needed`
        : `${this.told([1])}; keeps ${show(this.keep)} of the last displacement (damping ${show(1 - this.keep)}), spring ${show(this.spring)}`,
    );
  }
  paint() {
    const ink = colours(),
      q = this.plane.plot,
      r = this.parts.plot,
      steps = this.x.length - 1;
    q.begin();
    q.equal(-1.4, 1.4, -1.2, 1.2);
    q.axes("position x", "displacement", { grid: true });
    if (!Number.isFinite(this.keep)) return;
    q.clip((c) => {
      c.strokeStyle = ink.muted;
      c.globalAlpha = 0.55;
      c.lineWidth = 1;
      for (let a = 0.2 * Math.ceil(q.a / 0.2); a <= q.b; a += 0.2)
        for (let b = 0.2 * Math.ceil(q.e / 0.2); b <= q.f; b += 0.2) {
          const d1 = this.keep * b - this.spring * a,
            X = q.X(a),
            Y = q.Y(b),
            u = q.X(a + d1) - X,
            v = q.Y(d1) - Y,
            s = Math.min(1, 15 / Math.hypot(u, v)) || 0;
          c.beginPath();
          c.moveTo(X, Y);
          c.lineTo(X + u * s, Y + v * s);
          c.stroke();
          c.beginPath();
          c.arc(X, Y, 1.3, 0, 7);
          c.stroke();
        }
      c.globalAlpha = 1;
      q.line(
        steps + 1,
        (k) => this.x[k],
        (k) => this.d[k],
        ink.first,
        1.2,
      );
      q.dots(
        steps + 1,
        (k) => this.x[k],
        (k) => this.d[k],
        ink.first,
        2.8,
      );
      q.handle(this.at[0], this.at[1], ink.first, q.held);
    });
    const top = Math.max(0.2, ...this.d.slice(0, 41).map(Math.abs)) * 1.4;
    r.begin();
    r.domain(0, 40, -Math.min(top, 5), Math.min(top, 5));
    r.axes("iteration k", "displacement", { grid: true });
    r.clip((c) => {
      for (let k = 0; k < 40; k++)
        [
          [this.keep * this.d[k], ink.second, -0.4],
          [-this.spring * this.x[k], ink.fourth, 0],
        ].forEach(([v, colour, at]) => {
          c.fillStyle = colour;
          c.fillRect(r.X(k + 1 + at), Math.min(r.Y(0), r.Y(v)), r.X(0.4) - r.X(0), Math.abs(r.Y(v) - r.Y(0)));
        });
      r.line(
        41,
        (k) => k,
        (k) => this.d[k],
        ink.first,
        1.6,
      );
    });
    legend(this.parts.legend, [
      ["dot", ink.second, "kept"],
      ["dot", ink.fourth, "spring"],
      ["", ink.first, "both"],
    ]);
  }
}
