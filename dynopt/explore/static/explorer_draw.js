// What the explorer draws: the plane, the map, the decay and the roots.
import { colours } from "./canvas.js";
import { label, legend } from "./ui.js";
import { landscape } from "./landscape.js";
import { cross, decay, disk, path } from "./panels.js";
import { ExplorerView } from "./explorer_view.js";

const BUDGET = 3; // milliseconds of a frame, after which the map waits for the next one
const FLOWS = [(ink) => [ink.second, 2.4, []], (ink) => [ink.third, 2, [6, 4]]];

export class ExplorerDraw extends ExplorerView {
  // what went stale is drawn; `began` is when this frame began
  frame(began) {
    if (this.playing) {
      const now = performance.now(),
        pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 400 : 40;
      if (!this.last || now - this.last > pace) {
        this.last = now;
        this.show(this.k + 1);
      }
      if (this.k >= this.steps) {
        this.playButton.set(false);
        this.play(false);
      }
    }
    if (this.unfit) Object.values(this.plots).forEach((q) => q.resize());
    this.unfit = false;
    const stale = new Set(this.stale);
    this.stale.clear();
    if (stale.has("plane")) this.drawPlane();
    if (stale.has("decay")) this.drawDecay();
    if (stale.has("disk")) this.drawDisk();
    if (!this.map.ready) {
      this.map.work(Math.max(1, BUDGET - (performance.now() - began)));
      this.beat = (this.beat || 0) + 1;
      if (this.map.ready || this.beat % 3 === 0) stale.add("map"); // a rough picture need not be painted in every frame
    }
    if (stale.has("map")) this.drawMap();
    if (this.playing || !this.map.ready) this.draw();
  }

  drawPlane() {
    const q = this.plots.plane,
      ink = colours(),
      run = this.runs[this.i];
    q.begin();
    landscape(q, this.lab, this.j);
    q.clip((c) => {
      this.flows.forEach((f, m) => {
        if (f)
          q.line(
            Math.min(f.n, this.k * f.every) + 1,
            (k) => f.view[2 * k],
            (k) => f.view[2 * k + 1],
            ...FLOWS[m](ink),
          );
      });
      this.runs.forEach((r, n) => {
        if (r && n !== this.i) path(q, this.views[n], this.k, this.colour(n), { line: 1.4, dot: 1.7 });
      });
      path(q, this.views[this.i], this.k, ink.first);
      if (this.sigma > 0) this.ellipse(q);
      cross(q, ...this.rest, ink.fg);
      q.handle(...this.handle, ink.first, q.held);
      if (this.k < run.n) {
        c.lineWidth = 2;
        c.strokeStyle = ink.fg;
        c.beginPath();
        c.arc(q.X(this.views[this.i][2 * this.k]), q.Y(this.views[this.i][2 * this.k + 1]), 6, 0, 7);
        c.stroke();
      }
    });
    q.axes(...this.planeNames());
    legend(this.cards.plane.legend, [
      ["dot", ink.first, this.rule.name],
      ...this.flowMarks(ink),
      ...this.runs.flatMap((r, n) => (r && n !== this.i ? [["dot", this.colour(n), this.lab.rules[n].name]] : [])),
      ...(this.sigma > 0 ? [["thin", ink.fg, this.lab.up(this.j) < 0 ? "derived ±2σ" : "derived 2σ ellipse"]] : []),
    ]);
  }

  get rest() {
    const { minimizer, floor } = this.problem,
      up = this.lab.up(this.j);
    return [minimizer[0], up < 0 ? floor : minimizer[up]];
  }
  planeNames() {
    const { players } = this.problem;
    if (this.lab.up(this.j) < 0) return ["x", "f(x)"];
    return players?.length === 2 ? ["first player", "second player"] : ["", ""];
  }

  flowMarks(ink) {
    return this.flows.flatMap((f, m) => (f ? [[FLOWS[m](ink)[2].length ? "dash" : "", FLOWS[m](ink)[0], f.name]] : []));
  }
  flowHeights(f) {
    return Float64Array.from({ length: this.steps + 1 }, (_, k) =>
      Math.log10(
        Math.max(
          this.lab.value(this.j, f.x.subarray(k * f.every * f.d, k * f.every * f.d + this.problem.dim)) - this.problem.floor,
          1e-17,
        ),
      ),
    );
  }

  colour(n) {
    const ink = colours();
    return [ink.third, ink.fourth, ink.fifth, ink.second][n % 4];
  }

  // the stationary covariance on the plane that the linearization predicts; null where there is none
  covariance() {
    const { axes, curvatures, dim, modes, players } = this.problem,
      cov = [0, 0, 0];
    if (!this.linear) return null;
    if (players) return players.length === 2 && dim === 2 ? this.lab.spread(this.i, modes[0], this.p[this.i]).map((v) => v * this.sigma ** 2) : null;
    for (let n = 0; n < dim; n++) {
      const v = this.sigma ** 2 * this.lab.variance(this.i, curvatures[n], this.p[this.i]),
        a = axes[n * dim],
        b = dim > 1 ? axes[n * dim + 1] : 0;
      cov[0] += v * a * a;
      cov[1] += v * a * b;
      cov[2] += v * b * b;
    }
    return cov;
  }

  ellipse(q) {
    const cov = this.covariance(),
      ink = colours(),
      minimizer = this.rest;
    if (!cov || !cov.every(Number.isFinite)) return;
    if (this.lab.up(this.j) < 0) {
      for (const side of [-2, 2])
        q.line(
          2,
          () => minimizer[0] + side * Math.sqrt(cov[0]),
          (k) => (k ? q.e : q.f),
          ink.fg,
          1.4,
          [5, 4],
        );
      return;
    }
    const l = Math.sqrt(Math.max(cov[0], 0)) || 1e-12,
      m = cov[1] / l,
      r = Math.sqrt(Math.max(cov[2] - m * m, 0)),
      turn = (k) => (2 * Math.PI * k) / 90;
    q.line(
      91,
      (k) => minimizer[0] + 2 * l * Math.cos(turn(k)),
      (k) => minimizer[1] + 2 * (m * Math.cos(turn(k)) + r * Math.sin(turn(k))),
      ink.fg,
      1.8,
    );
  }

  drawMap() {
    const q = this.plots.map,
      ink = colours();
    q.begin();
    this.map.draw(q);
    const best = this.best(),
      here = this.here();
    q.clip(() => {
      if (best && this.axes[1] !== "lam") q.star(best.values[0], best.values[1]);
      if (this.axes[1] === "lam")
        for (const lam of this.lab.lams(this.j))
          q.line(
            2,
            (k) => this.spans()[0][k],
            () => lam,
            ink.fg,
            1,
            [2, 3],
          );
      q.handle(here[0], here[1], ink.first, q.held);
    });
  }

  drawDecay() {
    const q = this.plots.decay,
      ink = colours(),
      h = this.heights[this.i],
      series = [];
    q.begin();
    this.flows.forEach((f, m) => {
      if (f)
        series.push({
          y: this.fallen[m],
          colour: FLOWS[m](ink)[0],
          width: FLOWS[m](ink)[1],
          dash: FLOWS[m](ink)[2],
          flow: true,
        });
    });
    this.runs.forEach((r, n) => {
      if (r && n !== this.i) series.push({ y: this.heights[n], colour: this.colour(n), width: 1.6 });
    });
    series.push({ y: h, colour: ink.first, dots: true, count: Math.min(this.k, h.length - 1) + 1 });
    if (this.linear && !this.undecided && this.rho < 1 && this.rho > 0)
      series.push({
        y: Float64Array.from({ length: this.steps + 1 }, (_, k) => h[0] + 2 * k * Math.log10(this.rho)),
        colour: ink.fg,
        guide: true,
      });
    decay(q, this.steps, series, this.lab.measured(this.j));
    legend(this.cards.decay.legend, [
      ["dot", ink.first, "iterates"],
      ...this.flowMarks(ink),
      ...(this.linear && !this.undecided && this.rho < 1 ? [["dash", ink.fg, "derived slope ρ²ᵏ"]] : []),
    ]);
  }

  drawDisk() {
    const q = this.plots.disk;
    q.begin();
    if (!this.linear) {
      q.text(this.problem.players ? "no linear mode" : "no linear mode at the minimizer", (q.x0 + q.x1) / 2, (q.y0 + q.y1) / 2, colours().muted, {
        align: "center",
        size: 14,
      });
      return;
    }
    const place = this.rule.params.length ? this.rule.params[this.axes[0]].place : 0;
    disk(q, this.lab, this.i, this.lab.lams(this.j), this.p[this.i], place);
    legend(this.cards.disk.legend, [
      [
        "dot",
        colours().second,
        `as ${this.rule.params.length ? label(this.rule.params[this.axes[0]].name) : "time"} grows from 0`,
      ],
    ]);
  }
}
