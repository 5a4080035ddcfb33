// The counterpart of figure 14: the error that shrinks, and the error that noise keeps alive
import { colours, power, show } from "./canvas.js";
import { covariance } from "./numerics.js";
import { label, legend } from "./ui.js";
import { Sheet } from "./sheet.js";

const RUNS = 200;

export class NoiseParts extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "What shrinks and what stays",
      "With noisy gradients the expected error is a part that decays like the noiseless run and a part that grows to a floor. Both follow from the matrix of a mode; dots average 200 runs of the rule itself.",
    );
    this.j = lab.own(
      { dim: 1, curvatures: [1] },
      {
        grad: (x, out) => {
          for (let n = 0; n < x.length; n++) out[n] = x[n];
        },
        f: (x) => (x[0] * x[0]) / 2,
      },
    );
    this.sigma = 0.3;
    this.own("noise σ", { min: 0.01, max: 1, value: 0.3 }, (v) => {
      this.sigma = v;
    });
    this.decays = this.panel(
      "Expected squared error",
      "",
      "Deterministic and stochastic part of the squared error against the iteration",
      8,
      { height: 380 },
    );
    this.floors = this.panel("Floor against the first parameter", "", "Stationary variance against the first parameter", 4, {
      height: 380,
    });
    this.begin(true);
  }
  compute() {
    const { i, lab } = this,
      p = this.numbers,
      steps = 120,
      m = lab.motion(i, 1, p, steps),
      pushes = lab.pushes(i, 1, p),
      { n, M } = lab.matrix(i, 1, p);
    this.still = Float64Array.from({ length: steps + 1 }, (_, k) => m.rows[k * n + m.at] ** 2);
    let S = new Float64Array(n * n);
    this.spread = new Float64Array(steps + 1);
    for (let k = 1; k <= steps; k++) {
      const next = new Float64Array(n * n);
      for (let r = 0; r < n; r++)
        for (let c = 0; c < n; c++) {
          let sum = 0;
          for (const b of pushes) sum += this.sigma ** 2 * b[r] * b[c];
          for (let u = 0; u < n; u++) for (let v = 0; v < n; v++) sum += M[r * n + u] * S[u * n + v] * M[c * n + v];
          next[r * n + c] = sum;
        }
      S = next;
      this.spread[k] = S[m.at * n + m.at];
    }
    this.floor = lab.stable(i, [1], p) ? this.sigma ** 2 * covariance(M, pushes, n)[m.at * n + m.at] : NaN;
    Object.assign(this, { steps, sums: new Float64Array(steps + 1), runs: 0 });
    const span = lab.span(i, this.j, 0),
      q = Float64Array.from(p),
      place = this.rule.params.length ? this.rule.params[0].place : 0;
    this.sweep = Array.from({ length: 121 }, (_, k) => {
      q[place] = span[0] + ((span[1] - span[0]) * k) / 120;
      return [q[place], this.sigma ** 2 * lab.variance(i, 1, q)];
    });
    this.tell();
  }
  tell() {
    const measured = this.sums.slice(80).reduce((a, v) => a + v, 0) / 41 / this.runs;
    this.say(
      `${this.told([1])}; the error ends at ${show(this.floor)} (derived)` +
        (this.runs === RUNS ? `, ${show(measured)} (mean of ${RUNS} runs)` : ""),
    );
  }
  // runs are added a few a frame, so that a slider never waits for two hundred of them
  sample(until) {
    while (this.runs < RUNS && performance.now() < until) {
      const run = this.lab.run(this.i, this.j, [1], this.numbers, this.steps, { sigma: this.sigma, seed: ++this.runs });
      for (let k = 0; k <= this.steps; k++) this.sums[k] += k <= run.n ? run.x[k] ** 2 : NaN;
    }
    if (this.runs === RUNS) this.tell();
    else this.draw();
  }
  paint(began) {
    if (this.runs < RUNS) this.sample(began + 3);
    const ink = colours(),
      q = this.decays.plot,
      r = this.floors.plot,
      log = (v) => Math.log10(Math.max(v, 1e-12));
    q.begin();
    q.domain(0, 120, -6, 1);
    q.axes("iteration k", "E x²", { grid: true, ytick: power, ys: [-6, -4, -2, 0] });
    q.clip(() => {
      const n = 121,
        x = (k) => k;
      q.line(n, x, (k) => log(this.still[k]), ink.second, 2.2);
      q.line(n, x, (k) => log(this.spread[k]), ink.fourth, 2.2);
      q.line(n, x, (k) => log(this.still[k] + this.spread[k]), ink.fg, 1.6);
      q.dots(n, x, (k) => log(this.sums[k] / this.runs), ink.first, 2.2);
      q.line(
        2,
        (k) => 120 * k,
        () => log(this.floor),
        ink.muted,
        1.3,
        [4, 4],
      );
    });
    legend(this.decays.legend, [
      ["", ink.second, "deterministic"],
      ["", ink.fourth, "stochastic"],
      ["", ink.fg, "both"],
      ["dot", ink.first, `${RUNS} runs`],
      ["dash", ink.muted, "floor"],
    ]);
    r.begin();
    r.domain(this.sweep[0][0], this.sweep[120][0], -5, 2);
    r.axes(this.rule.params.length ? label(this.rule.params[0].name) : "", "floor of E x²", { grid: true, ytick: power, ys: [-4, -2, 0, 2] });
    r.clip(() => {
      r.line(
        121,
        (k) => this.sweep[k][0],
        (k) => log(this.sweep[k][1]),
        ink.fourth,
        2.2,
      );
      if (this.rule.params.length) r.handle(this.numbers[this.rule.params[0].place], log(this.floor), ink.first);
    });
  }
}
