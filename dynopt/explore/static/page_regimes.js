// The counterpart of figure 7: the largest modulus over two parameters, and what the motion looks like in each regime
import { colours } from "./canvas.js";
import { button, el, legend, steer } from "./ui.js";
import { StabilityMap, around, kindMarks } from "./map.js";
import { Sheet } from "./sheet.js";

const REGIMES = [
  ["monotone", "one sign, from above"],
  ["ripples", "a pair of roots turns it"],
  ["one step", "nearly done at once"],
  ["alternating", "a negative root leads"],
  ["divergent", "outside the disk"],
];
export class Regimes extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Regimes",
      "The largest modulus of the roots over two parameters, at curvature 1. Small pictures show one motion from each regime that the map contains; press one to go there.",
    );
    this.j = lab.own({ dim: 1, curvatures: [1] }, {});
    this.map = new StabilityMap(lab);
    this.plane = this.panel("Largest modulus", "", "Map of the largest modulus; drag the point", 7, {
      height: 420,
      pad: [8, 10, 36, 50],
      keys: true,
    });
    this.plane.node.append(this.map.scale);
    this.here = this.panel("Motion at the point", "", "x against the iteration", 5, { height: 456 });
    const shelf = el("div", { class: "shelf w12" });
    this.panels.append(shelf);
    this.small = REGIMES.map(([name, words]) => {
      const made = this.panel(name, "", words, 4, { height: 120, pad: [6, 6, 6, 6] });
      shelf.append(made.node);
      made.node.append(button("go there", () => made.target && this.to(...made.target)));
      return made;
    });
    steer(
      this.plane.plot,
      (u, v) => this.to(u, v),
      (du, dv) => {
        const s = this.spans(),
          w = this.now();
        this.to(w[0] + (du * (s[0][1] - s[0][0])) / 200, w[1] + (dv * (s[1][1] - s[1][0])) / 200);
      },
    );
    this.begin(true);
  }
  get pair() {
    return this.rule.params.length > 1 ? [0, 1] : this.rule.params.length ? [0, "lam"] : ["none", "lam"];
  }
  spans() {
    return this.pair.map((a) => (a === "none" ? [0, 1] : a === "lam" ? [0, 1.5] : this.lab.span(this.i, this.j, a)));
  }
  now() {
    return this.pair.map((a) => (a === "none" ? 0.5 : a === "lam" ? 1 : this.numbers[this.rule.params[a].place]));
  }
  to(u, v) {
    const s = this.spans();
    this.pair.forEach((a, n) => {
      if (typeof a === "number") this.numbers[this.rule.params[a].place] = Math.min(s[n][1], Math.max(s[n][0], n ? v : u));
    });
    this.refresh();
  }
  regime(z) {
    const lead = z.reduce((a, b) => (Math.hypot(...a) >= Math.hypot(...b) - 1e-12 ? a : b)),
      rho = Math.hypot(...lead);
    return rho >= 1 ? 4 : rho < 0.12 ? 2 : Math.abs(lead[1]) > 1e-9 ? 1 : lead[0] < 0 ? 3 : 0;
  }
  compute() {
    this.map.aim(this.i, this.j, this.pair, this.numbers, this.spans().map(around), null);
    this.motion = this.lab.motion(this.i, 1, this.numbers, 60);
    this.say(`${this.told([1])}; ${REGIMES[this.regime(this.lab.roots(this.i, 1, this.numbers))][0]}`);
    const key = [
      this.i,
      ...this.numbers.filter((_, n) => !this.pair.some((a) => typeof a === "number" && this.rule.params[a].place === n)),
    ].join();
    if (key !== this.key) {
      this.key = key;
      this.survey();
    }
  }
  survey() {
    const s = this.spans(),
      p = Float64Array.from(this.numbers),
      found = REGIMES.map(() => []);
    for (let a = 1; a < 40; a++)
      for (let b = 1; b < 40; b++) {
        const at = [s[0][0] + ((s[0][1] - s[0][0]) * a) / 40, s[1][0] + ((s[1][1] - s[1][0]) * b) / 40];
        this.pair.forEach((c, n) => {
          if (typeof c === "number") p[this.rule.params[c].place] = at[n];
        });
        found[this.regime(this.lab.roots(this.i, this.pair[1] === "lam" ? at[1] : 1, p))].push(at);
      }
    this.small.forEach((made, n) => {
      const all = found[n],
        centre = [0, 1].map((d) => all.reduce((sum, at) => sum + at[d], 0) / all.length);
      made.target = all.length
        ? all.reduce((a, b) =>
            Math.abs(a[0] - centre[0]) / s[0][1] + Math.abs(a[1] - centre[1]) <=
            Math.abs(b[0] - centre[0]) / s[0][1] + Math.abs(b[1] - centre[1])
              ? a
              : b,
          )
        : null;
      made.node.hidden = !made.target;
      if (!made.target) return;
      this.pair.forEach((c, d) => {
        if (typeof c === "number") p[this.rule.params[c].place] = made.target[d];
      });
      made.motion = this.lab.motion(this.i, this.pair[1] === "lam" ? made.target[1] : 1, p, 30);
    });
  }
  paint(began) {
    const ink = colours(),
      q = this.plane.plot,
      r = this.here.plot,
      draw = (plot, m, n, colour) => {
        const x = (k) => m.rows[k * m.n + m.at];
        plot.clip(() => {
          plot.line(
            2,
            (k) => (k ? n : 0),
            () => 0,
            ink.line,
            1,
          );
          plot.line(n + 1, (k) => k, x, colour, 1.3);
          plot.dots(n + 1, (k) => k, x, colour, 2.2);
        });
      };
    if (!this.map.ready) {
      this.map.work(Math.max(1, 4 - (performance.now() - began)));
      this.draw();
    }
    q.begin();
    this.map.draw(q);
    q.clip(() => {
      this.small.forEach((made, n) => {
        if (made.target)
          q.text(String(n + 1), q.X(made.target[0]), q.Y(made.target[1]), "#fff", {
            align: "center",
            weight: 700,
            size: 14,
            halo: "#10151b",
          });
      });
      q.handle(...this.now(), ink.first, q.held);
    });
    legend(
      this.plane.legend,
      kindMarks(this.rule.theory.boundaries, ink.first),
    );
    r.begin();
    r.domain(0, 60, -1.2, 1.2);
    r.axes("iteration k", "x", { grid: true });
    draw(r, this.motion, 60, ink.first);
    this.small.forEach((made, n) => {
      if (!made.motion || made.node.hidden) return;
      made.plot.begin();
      made.plot.domain(0, 30, -1.3, 1.3);
      draw(made.plot, made.motion, 30, ink.second);
      legend(made.legend, [["dot", ink.second, `${n + 1}: ${REGIMES[n][1]}`]]);
    });
  }
}
