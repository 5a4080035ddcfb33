// The counterpart of figure 11: a few pixels know their colour; the rule carries it to the others
import { colours, power, show } from "./canvas.js";
import { SHADES } from "./map.js";
import { Sheet } from "./sheet.js";
import { gridEdges, laplacian, largest, norm } from "./graph.js";

const STEPS = 200;

export class Colouring extends Sheet {
  constructor(root, lab) {
    super(
      root,
      lab,
      "Colour that travels",
      "A few pixels are held near a colour, every other one wants to agree with its neighbours. In one step a gradient reaches one pixel further.",
    );
    this.anyRule = true;
    this.w = 24;
    this.h = 18;
    const n = this.w * this.h,
      pin = new Float64Array(n),
      want = new Float64Array(n);
    for (const [c, r, v] of [
      [3, 3, 1],
      [20, 4, 0],
      [6, 14, 0],
      [19, 14, 1],
      [12, 9, 0.5],
    ]) {
      pin[r * this.w + c] = 8;
      want[r * this.w + c] = 2 * v - 1;
    }
    const map = laplacian(gridEdges(this.w, this.h), pin),
      top = largest(map, n),
      low =
        top -
        largest(
          (x, out) => {
            map(x, out);
            for (let k = 0; k < n; k++) out[k] = top * x[k] - out[k];
          },
          n,
          2500,
        );
    this.pin = pin;
    this.made = [];
    this.k = 40;
    this.j = lab.own(
      { dim: n, curvatures: [Math.max(low, 1e-3), top] },
      {
        grad: (x, out) => {
          map(x, out);
          for (let k = 0; k < n; k++) out[k] -= pin[k] * want[k];
        },
        f: () => 0,
      },
    );
    this.gradient = lab.oracle(this.j, "grad");
    this.picture = this.panel("Pixels after k steps", "", "Grid of pixels coloured by their value", 7, {
      height: 430,
      pad: [4, 4, 4, 4],
    });
    this.fall = this.panel("Size of the gradient", "", "Norm of the gradient against the iteration", 5, { height: 430 });
    this.own("iteration", { min: 0, max: STEPS, value: 40, step: 1 }, (v) => {
      this.k = v;
    });
    this.begin();
  }
  compute() {
    const g = new Float64Array(this.w * this.h);
    [this.run, this.sizes] = this.kept("run", [this.i, ...this.numbers], () => {
      const run = this.lab.run(this.i, this.j, g, this.numbers, STEPS, { rows: this.made[this.i] }),
        sizes = Array.from({ length: run.n + 1 }, (_, k) => {
          this.gradient(run.x.subarray(k * g.length, (k + 1) * g.length), g);
          return Math.log10(Math.max(norm(g), 1e-16));
        });
      this.made[this.i] = run.rows; // the next run goes where this one was
      return [run, sizes];
    });
    const lams = this.lab.lams(this.j);
    this.say(`curvatures from ${show(lams[0])} to ${show(lams[lams.length - 1])}` + (this.linear ? `; ${this.told(lams)}` : ""));
  }
  paint() {
    const ink = colours(),
      q = this.picture.plot,
      r = this.fall.plot,
      k = Math.min(this.k, this.run.n),
      n = this.w * this.h;
    q.begin();
    q.equal(0, this.w, 0, this.h);
    const image = new ImageData(this.w, this.h),
      words = new Uint32Array(image.data.buffer),
      wide = q.X(1) - q.X(0),
      tall = q.Y(0) - q.Y(1);
    for (let at = 0; at < n; at++) words[at] = SHADES[Math.round(Math.min(255, Math.max(0, 127.5 * (this.run.x[k * n + at] + 1))))];
    this.small ||= Object.assign(document.createElement("canvas"), { width: this.w, height: this.h });
    this.small.getContext("2d").putImageData(image, 0, 0);
    q.c.imageSmoothingEnabled = false;
    q.c.drawImage(this.small, q.X(0), q.Y(this.h), this.w * wide, this.h * tall);
    q.c.strokeStyle = "#fff";
    q.c.lineWidth = 2.5;
    for (let at = 0; at < n; at++)
      if (this.pin[at])
        q.c.strokeRect(q.X(at % this.w) + 2.5, q.Y(this.h - Math.floor(at / this.w)) + 2.5, wide - 5, tall - 5);
    r.begin();
    r.domain(0, STEPS, Math.floor(Math.min(...this.sizes)), Math.ceil(Math.max(...this.sizes) + 0.2));
    r.axes("iteration k", "|gradient|", {
      grid: true,
      ytick: power,
      ys: [-16, -12, -8, -4, 0].filter((v) => v >= r.e && v <= r.f),
    });
    r.clip(() => {
      r.line(
        this.sizes.length,
        (m) => m,
        (m) => this.sizes[m],
        ink.second,
        2,
      );
      r.handle(k, this.sizes[k], ink.first);
    });
  }
}
