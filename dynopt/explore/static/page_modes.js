// The counterpart of figure 10: the three modes themselves, with their roots
import { colours } from "./canvas.js";
import { legend } from "./ui.js";
import { disk } from "./panels.js";
import { Sheet, THREE, ring } from "./sheet.js";

export class Modes extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Three modes under one setting",
      "One step size and one momentum serve every curvature at once. Each panel is x after k steps on one curvature, from rest at 1.",
    );
    this.j = lab.own({ dim: 3, curvatures: THREE }, {});
    this.each = THREE.map((lam) =>
      this.panel(`λ = ${lam}`, "", `x against the iteration at curvature ${lam}`, 4, { height: 240 }),
    );
    this.ring = this.panel("Roots", "", "Roots of the three modes in the unit disk", 12, { height: 300, pad: [4, 4, 4, 4] });
    this.begin();
  }
  compute() {
    this.paths = THREE.map((lam) => this.lab.motion(this.i, lam, this.numbers, 150));
    this.say(this.told(THREE));
  }
  paint() {
    const ink = colours();
    this.each.forEach(({ plot, legend: note }, n) => {
      const m = this.paths[n],
        x = (k) => m.rows[k * m.n + m.at],
        rho = this.lab.rho(this.i, THREE[n], this.numbers);
      plot.begin();
      const reach = Math.min(8, 1.1 * Math.max(1.1, ...Array.from({ length: 151 }, (_, k) => Math.abs(x(k)) || 0)));
      plot.domain(0, 150, -reach, reach);
      plot.axes("iteration k", "x", { grid: true });
      plot.clip(() => {
        plot.line(
          151,
          (k) => k,
          (k) => rho ** k,
          ink.muted,
          1.2,
          [4, 4],
        );
        plot.line(151, (k) => k, x, ring(ink)[n], 1.2);
        plot.dots(151, (k) => k, x, ring(ink)[n], 2);
      });
      legend(note, [["dash", ink.muted, `ρ = ${rho.toFixed(4)}`]]);
    });
    this.ring.plot.begin();
    disk(this.ring.plot, this.lab, this.i, THREE, this.numbers, this.rule.params.length ? this.rule.params[0].place : 0);
  }
}
