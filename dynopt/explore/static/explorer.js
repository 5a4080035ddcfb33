// The explorer: one rule on one problem in four linked panels. Every panel is computed from the printed rule on the page.
import { finite, frames, readState, writeState } from "./ui.js";
import { StabilityMap } from "./map.js";
import { largestEntry } from "./mode.js";
import { ExplorerCompute } from "./explorer_compute.js";

export class Explorer extends ExplorerCompute {
  constructor(root, lab, model = null) {
    super();
    Object.assign(this, { root, lab, model, steps: lab.data.steps, playing: false, k: lab.data.steps, sigma: 0, seed: 1 });
    this.stale = new Set();
    this.unfit = true;
    this.i = 0;
    this.j = 0;
    this.beside = lab.rules.map((_, n) => n > 0 && lab.data.overlay.includes(n));
    this.p = lab.rules.map((_, i) => lab.numbers(i));
    this.map = new StabilityMap(lab);
    [this.draw, this.refresh] = frames(
      () => this.compute(),
      (began) => this.frame(began),
    );
    this.build();
    this.settle();
    this.restore(readState());
    if (model) this.follow();
    new ResizeObserver(() => {
      this.unfit = true; // a canvas that is resized is empty: it is resized in the frame that draws it
      this.redraw();
    }).observe(root);
    this.refresh();
  }

  // ---- what a visitor does ----
  choose({ i = this.i, j = this.j }) {
    const moved = j !== this.j;
    Object.assign(this, { i, j, chosen: null });
    if (moved) this.settle();
    this.described = "";
    this.refresh();
    this.share();
  }
  move(x, y) {
    const q = this.plots.plane;
    this.put(Math.min(q.b, Math.max(q.a, x)), Math.min(q.f, Math.max(q.e, y)));
    this.refresh();
  }
  // the start on the plane; where d = 1 it stands on the graph
  put(x, y) {
    this.start = this.lab.up(this.j) < 0 ? Float64Array.of(x) : Float64Array.of(x, y);
  }
  get handle() {
    return this.lab.up(this.j) < 0 ? [this.start[0], this.lab.value(this.j, this.start)] : this.start;
  }
  here() {
    return this.axes.map((a) =>
      a === "none"
        ? 0.5
        : a === "lam"
          ? largestEntry(this.lab.lams(this.j).at(-1))
          : this.p[this.i][this.rule.params[a].place],
    );
  }
  place(u, v) {
    this.axes.forEach((a, n) => {
      if (typeof a !== "number") return;
      const q = this.rule.params[a],
        [low, high] = this.lab.span(this.i, this.j, a);
      this.p[this.i][q.place] = Math.min(high, Math.max(q.step ? 1e-6 * high : low, n ? v : u));
    });
    this.refresh();
  }
  toOptimum() {
    const best = this.best();
    if (best) {
      this.axes
        .filter((a) => typeof a === "number")
        .forEach((a, n) => {
          this.p[this.i][this.rule.params[a].place] = best.values[n];
        });
      this.refresh();
      this.share();
    }
  }
  // another iteration: nothing is computed anew
  show(k) {
    this.k = k;
    this.cursor.set(k, 0, this.steps);
    this.redraw("plane", "decay");
  }
  play(on) {
    this.playing = on;
    this.playButton.textContent = on ? "❚❚ pause" : "▶ play";
    if (on && this.k >= this.steps) this.show(0);
    this.last = 0;
    this.draw();
  }
  stepOnce() {
    this.playButton.set(false);
    this.play(false);
    this.show(this.k >= this.steps ? 1 : this.k + 1);
  }
  reset() {
    this.playButton.set(false);
    this.play(false);
    this.settle();
    this.sigma = 0;
    this.noise.set(0);
    this.refresh();
    this.share();
  }
  copy() {
    this.share();
    try {
      navigator.clipboard.writeText(location.href).then(
        () => {
          this.copied.textContent = "copied";
        },
        () => {
          this.copied.textContent = "see the address";
        },
      );
    } catch {
      this.copied.textContent = "see the address";
    }
  }

  state() {
    return {
      i: this.i,
      j: this.j,
      p: Array.from(this.p[this.i]),
      x: Array.from(this.start),
      s: this.sigma,
      k: this.k,
      b: this.beside.map(Number),
    };
  }
  share() {
    if (!this.lab.data.widget) writeState(this.state());
    if (this.model) {
      this.model.set("state", this.state());
      this.model.save_changes();
    }
  }
  restore(saved) {
    this.i = finite(saved.i, 0, this.lab.rules.length - 1, this.i) | 0;
    const j = finite(saved.j, 0, this.lab.problems.length - 1, this.j) | 0;
    if (j !== this.j) {
      this.j = j;
      this.settle();
    }
    if (Array.isArray(saved.p) && saved.p.length === this.p[this.i].length)
      saved.p.forEach((v, n) => {
        this.p[this.i][n] = finite(v, -1e9, 1e9, this.p[this.i][n]);
      });
    if (Array.isArray(saved.x))
      this.start.forEach((_, n) => {
        this.start[n] = finite(saved.x[n], -1e9, 1e9, this.start[n]);
      });
    this.sigma = finite(saved.s, 0, 2, this.sigma);
    this.k = finite(saved.k, 0, this.steps, this.k) | 0;
    if (Array.isArray(saved.b)) this.beside = this.beside.map((v, n) => (saved.b[n] === undefined ? v : !!saved.b[n]));
    this.others.forEach((node, n) => node.set(this.beside[n]));
    this.noise.set(this.sigma);
  }
  follow() {
    this.model.on("change:state", () => {
      this.restore(this.model.get("state") || {});
      this.described = "";
      this.refresh();
    });
    this.restore(this.model.get("state") || {});
  }

  // asks for these panels, or all of them, to be drawn anew
  redraw(...names) {
    for (const name of names.length ? names : Object.keys(this.plots)) this.stale.add(name);
    this.draw();
  }
}
