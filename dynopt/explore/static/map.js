// The stability map: cells are computed a few milliseconds a frame, so that dragging never waits.
import { cividis, colours, show } from "./canvas.js";
import { contour, joined } from "./numerics.js";
import { label, scale } from "./ui.js";
import { picture, rgb } from "./landscape.js";

export const KINDS = {
  fold: ["root at +1", [7, 4]],
  flip: ["root at −1", []],
  neimark_sacker: ["pair on the circle", [0.01, 5.5]],
  hopf: ["pair on the axis", [0.01, 5.5]],
};

// a contraction that rounding alone tells from 1: the rule neither shrinks nor grows there
export const ROUND = 1e-9;

const word = (colour) => new Uint32Array(new Uint8ClampedArray([...colour, 255]).buffer)[0];
export const SHADES = Array.from({ length: 256 }, (_, n) => word(cividis(n / 255)));
const STRIPES = [
  [word([226, 231, 236]), word([205, 212, 219])],
  [word([42, 50, 58]), word([58, 68, 78])],
];

// the legend of boundaries: each kind once, with its own line
export const kindMarks = (boundaries, ink) => [
  ...(boundaries || [])
    .filter((b, n, all) => all.findIndex((o) => o.kind === b.kind) === n)
    .map((b) => [{ flip: "", fold: "dash" }[b.kind] ?? "dots", ink, (KINDS[b.kind] || [b.kind])[0]]),
  ["stripe", "", "no decay"],
];

// a little more than the values that a parameter may take, so that a boundary on the edge is seen as one
export const around = ([low, high]) => [low - 0.035 * (high - low), high + 0.035 * (high - low)];

export class StabilityMap {
  constructor(lab) {
    this.lab = lab;
    this.key = "";
    this.W = 132;
    this.H = 100;
    this.scale = scale();
  }

  // axes: places in params, or [place, "lam"] for a rule of one parameter; `cost(p)` replaces the spectral radius where there is none
  aim(i, j, axes, p, spans, cost) {
    const rest = Array.from(p).filter((_, n) => !axes.some((a) => typeof a === "number" && this.lab.rules[i].params[a].place === n));
    const key = JSON.stringify([i, j, axes, rest, spans, cost ? cost.key : ""]);
    if (key === this.key) return;
    const rank = (r) => (r % 8 === 4 ? 0 : r % 4 === 2 ? 1 : r % 2 ? 2 : 3),
      order = Array.from({ length: this.H }, (_, r) => r).sort((a, b) => rank(a) - rank(b) || a - b);
    Object.assign(this, {
      key,
      i,
      j,
      axes,
      spans,
      cost,
      row: 0,
      order,
      z: new Float64Array(this.W * this.H).fill(NaN), // single precision would round a slow contraction to none
      p: Float64Array.from(p),
      lines: null,
    });
  }

  get ready() {
    return this.row >= this.H;
  }

  // the value of both axes at a cell, written into p; returns the curvatures that count there
  cell(q, r) {
    const { lab, i, j, axes, spans, p, W, H } = this,
      u = spans[0][0] + ((spans[0][1] - spans[0][0]) * (q + 0.5)) / W,
      v = spans[1][1] - ((spans[1][1] - spans[1][0]) * (r + 0.5)) / H;
    if (axes[0] !== "none") p[lab.rules[i].params[axes[0]].place] = u;
    if (axes[1] === "lam") return [lab.scaled(j, v)];
    p[lab.rules[i].params[axes[1]].place] = v;
    return lab.lams(j);
  }

  work(budget) {
    const until = performance.now() + budget;
    while (this.row < this.H && performance.now() < until) {
      const r = this.order[this.row++]; // every eighth row first, so that a rough map stands at once
      for (let q = 0; q < this.W; q++) {
        const lams = this.cell(q, r);
        const rho = this.cost ? this.cost(this.p) : this.lab.worst(this.i, lams, this.p);
        this.z[r * this.W + q] = !this.cost && Math.abs(rho - 1) < ROUND ? 1 + ROUND : rho;
      }
    }
  }

  // segments in cell coordinates by kind, from the derived curves; without theory, where the spectral radius is one
  boundaries() {
    if (this.lines || !this.ready || this.cost) return this.lines || [];
    const { lab, i, j, W, H } = this,
      t = lab.rules[i].theory,
      found = [];
    const curves = (t.boundaries || []).filter((b) => b.curve != null),
      entry = (t.names || []).map((name) => t.entries.indexOf(name)),
      place = (t.names || []).map((name) => lab.place(i, name)),
      values = new Float64Array(entry.length);
    for (const b of curves)
      for (let l = 0; l < (this.axes[1] === "lam" ? 1 : lab.lams(j).length); l++) {
        const f = lab.functions[b.curve],
          g = new Float64Array(W * H),
          out = [0];
        for (let r = 0; r < H; r++)
          for (let q = 0; q < W; q++) {
            const lams = this.cell(q, r);
            const lam = lams[l];
            for (let k = 0; k < values.length; k++)
              values[k] = entry[k] < 0 ? this.p[place[k]] : Array.isArray(lam) ? lam[entry[k]] : lam;
            g[r * W + q] = f(values, out)[0];
          }
        const list = contour(g, W, H, 0),
          kept = [];
        for (let k = 0; k < list.length; k += 4) {
          if (this.parts(i, list[k], list[k + 1], list[k + 2], list[k + 3])) kept.push(...list.slice(k, k + 4));
        }
        if (kept.length) found.push({ kind: b.kind, list: kept });
      }
    if (!curves.length) found.push({ kind: "", list: contour(this.z, W, H, 1) });
    this.lines = found;
    return found;
  }

  // whether one side of a segment is stable for every curvature and the other is not: a curve of one curvature goes on
  // into places where another one is unstable already, and bounds nothing there
  parts(i, x, y, u, v) {
    const size = Math.hypot(u - x, v - y) || 1;
    const [left, right] = [-1, 1].map((d) => {
      const lams = this.cell((x + u) / 2 + (d * (y - v)) / size, (y + v) / 2 + (d * (u - x)) / size);
      return this.lab.stable(i, lams, this.p);
    });
    return left !== right;
  }

  // for each row the nearest one that was computed
  filled() {
    const own = Array.from({ length: this.H }, (_, r) => r);
    if (this.ready || !this.row) return own;
    const known = this.order.slice(0, this.row);
    return own.map((r) => known.reduce((a, b) => (Math.abs(b - r) < Math.abs(a - r) ? b : a)));
  }

  // the cells as a picture: colours by the value, stripes where nothing converges, nothing where nothing is known yet
  painted(dark) {
    const { W, H, z } = this,
      image = new ImageData(W, H),
      words = new Uint32Array(image.data.buffer),
      limit = this.cost ? 1e29 : 1;
    let best = Infinity,
      most = -Infinity;
    for (const v of z) {
      if (v < best) best = v;
      if (v > most && v < 1e29) most = v;
    }
    const top = Math.min(most, 12),
      size = -Math.log(Math.max(best, 0.15)) || 1,
      share = this.cost
        ? (v) => (top > best ? ((top - v) / (top - best)) ** 1.5 : 0)
        : (v) => Math.min(1, -Math.log(v) / size) ** 0.75,
      near = this.filled();
    this.tell(best < limit, (s) => (this.cost ? top - (top - best) * s ** (1 / 1.5) : Math.exp(-size * s ** (1 / 0.75))), best);
    for (let r = 0, n = 0; r < H; r++)
      for (let q = 0, from = near[r] * W; q < W; q++, n++) {
        const v = z[from + q];
        if (v < limit) words[n] = SHADES[Math.round(255 * Math.max(0, share(v)))];
        else if (v >= limit) words[n] = STRIPES[+dark][+((q + r) % 7 < 2)];
      }
    return image;
  }

  // the scale under the map: what its colours mean at five places
  tell(known, value, best) {
    const words = (s) => (this.cost ? show(10 ** value(s), 2) : (s === 1 && best < 0.15 ? "≤ " : "") + show(value(s), 3));
    this.scale.set(this.cost ? this.cost.words : "ρ", known ? [0, 0.25, 0.5, 0.75, 1].map(words) : []);
  }

  draw(plot) {
    const ink = colours(),
      { W, H, spans } = this;
    plot.domain(...spans[0], ...spans[1]);
    plot.layer("map", [this.key, this.row, ink.bad, plot.width].join(), (c) => {
      picture(c, this.painted(rgb(ink.card)[0] < 100), plot);
      const X = (q) => plot.x0 + ((q + 0.5) / W) * (plot.x1 - plot.x0),
        Y = (r) => plot.y0 + ((r + 0.5) / H) * (plot.y1 - plot.y0);
      for (const b of this.boundaries()) {
        c.strokeStyle = ink.first;
        const dash = (KINDS[b.kind] || ["", []])[1],
          dotted = dash[0] < 1;
        c.lineWidth = dotted ? 3.2 : 2.4;
        c.lineCap = dotted ? "round" : "butt";
        c.setLineDash(dash);
        c.beginPath();
        for (const line of joined(b.list)) {
          c.moveTo(X(line[0]), Y(line[1]));
          for (let k = 2; k < line.length; k += 2) c.lineTo(X(line[k]), Y(line[k + 1]));
        }
        c.stroke();
        c.setLineDash([]);
      }
    });
    const names = this.axes.map((a) => (a === "none" ? "" : a === "lam" ? this.lab.strength(this.i, this.j) : label(this.lab.rules[this.i].params[a].name)));
    plot.axes(names[0], names[1]);
  }
}
