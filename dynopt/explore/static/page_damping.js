// The counterpart of figure 9: under-, critically and over-damped, found from the roots
import { colours, show } from "./canvas.js";
import { label, legend, steer } from "./ui.js";
import { Sheet } from "./sheet.js";

export class Damping extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Under-, over- and critical damping",
      "On one curvature the second parameter decides whether the roots are a pair, one double root, or two apart. The fastest stands where they meet.",
    );
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.curve = this.panel(
      "Contraction against the parameter",
      "",
      "Contraction factor against the second parameter, with the places where roots meet",
      6,
      { height: 320, keys: true },
    );
    this.motion = this.panel("Motion", "", "x against the iteration below, at and above critical damping", 6, { height: 320 });
    steer(
      this.curve.plot,
      (x) => this.to(x),
      (d) => {
        const s = this.lab.span(this.i, this.j, this.n);
        this.to(this.numbers[this.place] + (d * (s[1] - s[0])) / 200);
      },
    );
    this.begin(true);
  }
  get n() {
    return Math.min(1, this.rule.params.length - 1);
  }
  get place() {
    return this.rule.params[this.n].place;
  }
  to(v) {
    const s = this.lab.span(this.i, this.j, this.n);
    this.numbers[this.place] = Math.min(s[1], Math.max(s[0], v));
    this.refresh();
  }
  compute() {
    const s = this.lab.span(this.i, this.j, this.n),
      p = Float64Array.from(this.numbers),
      count = 600;
    this.x = Float64Array.from({ length: count + 1 }, (_, k) => s[0] + ((s[1] - s[0]) * k) / count);
    const pairs = (v) => {
      p[this.place] = v;
      return this.lab.roots(this.i, 1, p).filter(([, b]) => Math.abs(b) > 1e-9).length;
    };
    this.y = this.x.map((v) => {
      p[this.place] = v;
      return this.lab.rho(this.i, 1, p);
    });
    this.pair = Array.from(this.x, pairs);
    this.meets = [];
    for (let k = 0; k < count; k++)
      if (this.pair[k] !== this.pair[k + 1]) {
        let a = this.x[k],
          b = this.x[k + 1];
        for (let t = 0; t < 50; t++) {
          const c = (a + b) / 2;
          if (pairs(c) === this.pair[k]) a = c;
          else b = c;
        }
        p[this.place] = b;
        this.meets.push([b, this.lab.rho(this.i, 1, p)]);
      }
    const stable = this.meets.filter(([, rho]) => rho < 1);
    this.critical = stable.reduce((best, m) => (!best || m[1] < best[1] ? m : best), null);
    const here = this.numbers[this.place],
      z = this.lab.roots(this.i, 1, this.numbers),
      kind = z.some(([, b]) => Math.abs(b) > 1e-7) ? "under-damped: a pair of roots" : "over-damped: real roots";
    this.say(
      `${label(this.rule.params[this.n].name)} = ${show(here)}: ${kind}` +
        (this.critical
          ? `; critical at ${show(this.critical[0], 5)}, ρ = ${show(this.critical[1], 4)}`
          : "; the roots never meet inside the disk"),
    );
    const choices = this.critical
      ? [this.critical[0] - 0.12 * (s[1] - s[0]), this.critical[0], this.critical[0] + 0.12 * (s[1] - s[0])]
      : [];
    this.shown = [here, ...choices].map((v) => {
      p[this.place] = Math.min(s[1], Math.max(s[0], v));
      return [p[this.place], this.lab.motion(this.i, 1, p, 60)];
    });
  }
  paint() {
    const ink = colours(),
      q = this.curve.plot,
      r = this.motion.plot;
    q.begin();
    q.domain(this.x[0], this.x[this.x.length - 1], 0, 1.25);
    q.axes(label(this.rule.params[this.n].name), "ρ", { grid: true });
    q.clip(() => {
      q.line(
        2,
        (k) => (k ? q.b : q.a),
        () => 1,
        ink.muted,
        1.2,
        [4, 4],
      );
      for (const [test, colour] of [
        [(v) => v === 0, ink.second],
        [(v) => v > 0, ink.first],
      ])
        q.line(
          this.x.length,
          (k) => this.x[k],
          (k) => (test(this.pair[k]) ? this.y[k] : NaN),
          colour,
          2.4,
        );
      this.meets.forEach(([a, b]) => q.star(a, b));
      q.handle(this.numbers[this.place], this.lab.rho(this.i, 1, this.numbers), ink.fg, q.held);
    });
    legend(this.curve.legend, [
      ["", ink.second, "real roots"],
      ["", ink.first, "a pair"],
    ]);
    r.begin();
    r.domain(0, 60, -1.1, 1.1);
    r.axes("iteration k", "x", { grid: true });
    const colour = [ink.fg, ink.second, ink.third, ink.first];
    r.clip(() =>
      this.shown.forEach(([, m], n) => {
        const x = (k) => m.rows[k * m.n + m.at];
        r.line(61, (k) => k, x, colour[n], n ? 1.3 : 2);
        r.dots(61, (k) => k, x, colour[n], 2);
      }),
    );
    legend(
      this.motion.legend,
      this.shown.map(([v], n) => ["dot", colour[n], n ? `${label(this.rule.params[this.n].name)} = ${show(v)}` : "now"]),
    );
  }
}
