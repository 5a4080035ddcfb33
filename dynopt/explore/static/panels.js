// The panels that pages share: the plane of the problem, the stability map, the roots, the decay.
import { cividis, colours, power, show } from "./canvas.js";
import { contour } from "./numerics.js";
import { label } from "./ui.js";

export const KINDS = { fold: ["root at +1", [7, 4]], flip: ["root at −1", []], neimark_sacker: ["pair on the circle", [2, 3]], hopf: ["pair on the axis", [2, 3]] };
const rgb = (text) => { const n = parseInt(text.slice(1), 16); return [n >> 16, (n >> 8) & 255, n & 255]; };

// contours of the problem over its window, kept as a layer
export function landscape(plot, lab, j) {
  const problem = lab.problems[j], ink = colours();
  plot.equal(...problem.window);
  plot.layer("land", [j, ink["land-low"], plot.width].join(), (c) => {
    const W = 150, H = Math.max(40, Math.round(W * (plot.y1 - plot.y0) / (plot.x1 - plot.x0))), z = new Float64Array(W * H), x = lab.point(j, [0, 0]);
    if (x.length > 2) x.set(problem.minimizer);
    let low = Infinity, high = -Infinity;
    for (let r = 0; r < H; r++) for (let q = 0; q < W; q++) {
      x[0] = plot.a + (plot.b - plot.a) * q / (W - 1); x[1] = plot.f - (plot.f - plot.e) * r / (H - 1);
      z[r * W + q] = lab.value(j, x) - problem.floor;
    }
    const scale = z.slice().sort()[Math.floor(W * H * .04)] || 1e-3;
    for (let n = 0; n < z.length; n++) { z[n] = Math.log10(Math.max(z[n], 0) + scale); if (z[n] < low) low = z[n]; if (z[n] > high) high = z[n]; }
    const image = new ImageData(W, H), a = rgb(ink["land-low"]), b = rgb(ink["land-high"]);
    for (let n = 0; n < z.length; n++) {
      const t = Math.sqrt((z[n] - low) / (high - low || 1));
      for (let k = 0; k < 3; k++) image.data[4 * n + k] = a[k] + t * (b[k] - a[k]);
      image.data[4 * n + 3] = 255;
    }
    picture(c, image, plot);
    const X = (q) => plot.x0 + q / (W - 1) * (plot.x1 - plot.x0), Y = (r) => plot.y0 + r / (H - 1) * (plot.y1 - plot.y0);
    c.strokeStyle = ink.muted; c.globalAlpha = .38; c.lineWidth = .8; c.beginPath();
    for (let n = 1; n < 13; n++) {
      const list = contour(z, W, H, low + (high - low) * n / 13);
      for (let k = 0; k < list.length; k += 4) { c.moveTo(X(list[k]), Y(list[k + 1])); c.lineTo(X(list[k + 2]), Y(list[k + 3])); }
    }
    c.stroke(); c.globalAlpha = 1;
  });
}

function picture(c, image, plot) {
  const small = document.createElement("canvas");
  small.width = image.width; small.height = image.height;
  small.getContext("2d").putImageData(image, 0, 0);
  c.imageSmoothingQuality = "high";
  c.drawImage(small, plot.x0, plot.y0, plot.x1 - plot.x0, plot.y1 - plot.y0);
}

export function path(plot, run, count, colour, { line = 1.1, dot = 2.4 } = {}) {
  const d = run.d, fx = (k) => run.x[k * d], fy = (k) => run.x[k * d + 1], n = Math.min(count, run.n) + 1;
  plot.c.globalAlpha = .6; plot.line(n, fx, fy, colour, line); plot.c.globalAlpha = 1;
  if (dot) plot.dots(n, fx, fy, colour, dot, 1);
}

export function cross(plot, x, y, colour) {
  const { c } = plot, X = plot.X(x), Y = plot.Y(y);
  c.strokeStyle = colour; c.lineWidth = 1.8; c.beginPath();
  c.moveTo(X - 5, Y); c.lineTo(X + 5, Y); c.moveTo(X, Y - 5); c.lineTo(X, Y + 5); c.stroke();
}

// ---- the stability map: cells are computed a few milliseconds a frame, so that dragging never waits -----------------
export class StabilityMap {
  constructor(lab) { this.lab = lab; this.key = ""; this.W = 132; this.H = 100; }

  // axes: places in params, or [place, "lam"] for a rule of one parameter; `cost(p)` replaces the spectral radius where there is none
  aim(i, j, axes, p, spans, cost) {
    const rest = Array.from(p).filter((_, n) => !axes.some((a) => a !== "lam" && this.lab.rules[i].params[a].place === n));
    const key = JSON.stringify([i, j, axes, rest, spans, cost ? cost.key : ""]);
    if (key === this.key) return;
    const rank = (r) => (r % 8 === 4 ? 0 : r % 4 === 2 ? 1 : r % 2 ? 2 : 3), order = Array.from({ length: this.H }, (_, r) => r).sort((a, b) => rank(a) - rank(b) || a - b);
    Object.assign(this, { key, i, j, axes, spans, cost, row: 0, order, z: new Float32Array(this.W * this.H).fill(NaN), p: Float64Array.from(p), lines: null });
  }

  get ready() { return this.row >= this.H; }

  // the value of both axes at a cell, written into p; returns the curvatures that count there
  cell(q, r) {
    const { lab, i, j, axes, spans, p, W, H } = this, u = spans[0][0] + (spans[0][1] - spans[0][0]) * (q + .5) / W, v = spans[1][1] - (spans[1][1] - spans[1][0]) * (r + .5) / H;
    p[lab.rules[i].params[axes[0]].place] = u;
    if (axes[1] === "lam") return [v];
    p[lab.rules[i].params[axes[1]].place] = v;
    return lab.lams(j);
  }

  work(budget) {
    const until = performance.now() + budget;
    while (this.row < this.H && performance.now() < until) {
      const r = this.order[this.row++];                       // every eighth row first, so that a rough map stands at once
      for (let q = 0; q < this.W; q++) {
        const lams = this.cell(q, r);
        this.z[r * this.W + q] = this.cost ? this.cost(this.p) : this.lab.worst(this.i, lams, this.p);
      }
    }
  }

  // segments in cell coordinates by kind, from the derived curves; without theory, where the spectral radius is one
  boundaries() {
    if (this.lines || !this.ready || this.cost) return this.lines || [];
    const { lab, i, j, W, H } = this, t = lab.rules[i].theory, found = [], near = 2.2 * this.slope();
    const curves = (t.boundaries || []).filter((b) => b.curve != null);
    for (const b of curves) for (let l = 0; l < (this.axes[1] === "lam" ? 1 : lab.lams(j).length); l++) {
      const f = lab.functions[b.curve], g = new Float64Array(W * H), values = new Float64Array(t.names.length), out = [0];
      for (let r = 0; r < H; r++) for (let q = 0; q < W; q++) {
        const lams = this.cell(q, r);
        t.names.forEach((n, k) => { values[k] = n === "lam" ? lams[l] : this.p[lab.place(i, n)]; });
        g[r * W + q] = f(values, out)[0];
      }
      const list = contour(g, W, H, 0), kept = [];
      for (let k = 0; k < list.length; k += 4) {
        const at = this.z[Math.min(H - 1, Math.round(list[k + 1])) * W + Math.min(W - 1, Math.round(list[k]))];
        if (Math.abs(at - 1) < near) kept.push(...list.slice(k, k + 4));
      }
      if (kept.length) found.push({ kind: b.kind, list: kept });
    }
    if (!curves.length) found.push({ kind: "", list: contour(this.z, W, H, 1) });
    this.lines = found;
    return found;
  }

  filled() {                                                  // for each row the nearest one that was computed
    const known = this.order.slice(0, this.row);
    if (this.ready || !known.length) return Array.from({ length: this.H }, (_, r) => r);
    return Array.from({ length: this.H }, (_, r) => known.reduce((a, b) => (Math.abs(b - r) < Math.abs(a - r) ? b : a)));
  }

  slope() {                                                    // how much the radius changes from cell to cell near one
    let most = 0;
    for (let n = 1; n < this.z.length; n++) if (n % this.W && Math.abs(this.z[n] - 1) < .2) most = Math.max(most, Math.abs(this.z[n] - this.z[n - 1]));
    return Math.min(.2, Math.max(.01, most));
  }

  draw(plot) {
    const ink = colours(), { W, H, spans } = this;
    plot.domain(...spans[0], ...spans[1]);
    plot.layer("map", [this.key, this.row, ink.bad, plot.width].join(), (c) => {
      const image = new ImageData(W, H), dark = rgb(ink.card)[0] < 100;
      let best = Infinity, most = -Infinity;
      for (const v of this.z) { if (v < best) best = v; if (v > most) most = v; }
      const top = this.cost ? most - best || 1 : -Math.log(Math.max(best, .15)) || 1;
      const near = this.filled();
      for (let n = 0; n < this.z.length; n++) {
        const q = n % W, r = Math.floor(n / W), v = this.z[near[r] * W + q], stripe = (q + r) % 7 < 2;
        let colour = [0, 0, 0], alpha = 255;
        if (Number.isNaN(v)) alpha = 0;
        else if (this.cost ? v >= 1e29 : v >= 1) colour = dark ? (stripe ? [58, 68, 78] : [42, 50, 58]) : stripe ? [205, 212, 219] : [226, 231, 236];
        else colour = cividis(this.cost ? (most === best ? 0 : Math.pow((Math.min(most, 12) - v) / (Math.min(most, 12) - best || 1), 1.5)) : Math.min(1, -Math.log(v) / top) ** .75);
        image.data.set([...colour, alpha], 4 * n);
      }
      picture(c, image, plot);
      const X = (q) => plot.x0 + (q + .5) / W * (plot.x1 - plot.x0), Y = (r) => plot.y0 + (r + .5) / H * (plot.y1 - plot.y0);
      for (const b of this.boundaries()) {
        c.strokeStyle = ink.first; c.lineWidth = 2.2; c.setLineDash((KINDS[b.kind] || ["", []])[1]); c.beginPath();
        for (let k = 0; k < b.list.length; k += 4) { c.moveTo(X(b.list[k]), Y(b.list[k + 1])); c.lineTo(X(b.list[k + 2]), Y(b.list[k + 3])); }
        c.stroke(); c.setLineDash([]);
      }
    });
    const names = this.axes.map((a) => (a === "lam" ? "curvature λ" : label(this.lab.rules[this.i].params[a].name)));
    plot.axes(names[0], names[1]);
  }
}

// ---- roots in the unit disk, with the path they take as the first parameter grows from nothing ----------------------
export function disk(plot, lab, i, lams, p, place) {
  const ink = colours(), w = plot.x1 - plot.x0, h = plot.y1 - plot.y0, reach = 1.3, wide = reach * Math.max(1, w / h), tall = reach * Math.max(1, h / w);
  const { c } = plot;
  plot.domain(-wide, wide, -tall, tall);
  const R = plot.X(1) - plot.X(0), all = lams.map((lam) => [lam, lab.roots(i, lam, p)]);
  const rho = Math.max(...all.flatMap(([, z]) => z.map(([a, b]) => Math.hypot(a, b))));
  c.fillStyle = ink.soft; c.beginPath(); c.arc(plot.X(0), plot.Y(0), R, 0, 7); c.fill();
  c.strokeStyle = ink.line; c.lineWidth = 1; c.beginPath();
  c.moveTo(plot.x0, plot.Y(0)); c.lineTo(plot.x1, plot.Y(0)); c.moveTo(plot.X(0), plot.y0); c.lineTo(plot.X(0), plot.y1); c.stroke();
  c.strokeStyle = ink.muted; c.lineWidth = 1.4; c.beginPath(); c.arc(plot.X(0), plot.Y(0), R, 0, 7); c.stroke();
  if (rho < 4) { c.strokeStyle = ink.muted; c.setLineDash([3, 4]); c.beginPath(); c.arc(plot.X(0), plot.Y(0), R * rho, 0, 7); c.stroke(); c.setLineDash([]); }
  const series = [ink.second, ink.fourth, ink.third, ink.fifth, ink.first, ink.muted], q = Float64Array.from(p);
  plot.clip(() => all.forEach(([lam, z], n) => {
    const colour = series[n % series.length];
    c.fillStyle = colour; c.globalAlpha = .45;
    for (let s = 1; s <= 120; s++) {
      q[place] = p[place] * s / 120;
      for (const [a, b] of lab.roots(i, lam, q)) c.fillRect(plot.X(a) - .9, plot.Y(b) - .9, 1.8, 1.8);
    }
    c.globalAlpha = 1; c.lineWidth = 1.5; c.strokeStyle = ink.card;
    for (const [a, b] of z) { c.beginPath(); c.arc(plot.X(a), plot.Y(b), 5.2, 0, 7); c.fill(); c.stroke(); }
  }));
  all.forEach(([lam], n) => plot.text(`λ = ${show(lam)}`, plot.x0 + 5, plot.y0 + 12 + 17 * n, series[n % series.length], { weight: 600 }));
  plot.text(`ρ = ${rho.toFixed(4)}`, plot.x1 - 4, plot.y0 + 12, ink.fg, { align: "right", weight: 600 });
  return rho;
}

// ---- decay of f − f* on a logarithmic scale -------------------------------------------------------------------------
export function heights(lab, j, run) {
  const out = new Float64Array(run.n + 1), floor = lab.problems[j].floor;
  for (let k = 0; k <= run.n; k++) out[k] = Math.log10(Math.max(lab.value(j, run.x.subarray(k * run.d, (k + 1) * run.d)) - floor, 1e-17));
  return out;
}

export function decay(plot, steps, series, note = "") {
  let high = -Infinity, low = Infinity;
  for (const s of series) for (let k = 0; k < s.y.length; k++) if (Number.isFinite(s.y[k]) && !s.guide && !s.flow) { high = Math.max(high, s.y[k]); low = Math.min(low, s.y[k]); }
  if (!Number.isFinite(high)) [high, low] = [1, -1];
  high = Math.min(high, 12);
  plot.domain(0, steps, Math.max(Math.floor(low - .3), -16), Math.ceil(high + .3));
  plot.axes("iteration k", note, { grid: true, ytick: power, ys: decades(plot.e, plot.f) });
  plot.clip(() => {
    for (const s of series) {
      const x = s.x || ((k) => k), n = s.count ?? s.y.length;
      if (s.guide) plot.line(s.y.length, x, (k) => s.y[k], s.colour, 1.4, [5, 4]);
      else if (s.dots) plot.dots(n, x, (k) => s.y[k], s.colour, 1.9);
      else plot.line(n, x, (k) => s.y[k], s.colour, s.width || 2, s.dash || []);
    }
  });
}

function decades(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 6)), out = [];
  for (let v = Math.ceil(low / every) * every; v <= high; v += every) out.push(v);
  return out;
}
