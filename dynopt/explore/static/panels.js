// The panels that pages share: the plane of the problem, the stability map, the roots, the decay.
import { colours, power, show } from "./canvas.js";
import { contour } from "./numerics.js";

export const rgb = (text) => {
  const n = parseInt(text.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
};

// the problem over its window, kept as a layer: contours, the graph of a loss of one coordinate, or the field of a game
export function landscape(plot, lab, j) {
  const problem = lab.problems[j],
    ink = colours(),
    line = lab.up(j) < 0,
    game = !line && !problem.oracles.f && problem.players;
  if (line) plot.domain(...problem.window);
  else plot.equal(...problem.window);
  plot.layer("land", [j, ink["land-low"], plot.width].join(), (c) => {
    if (line) return graph(c, plot, lab, j);
    const W = 150,
      H = Math.max(40, Math.round((W * (plot.y1 - plot.y0)) / (plot.x1 - plot.x0))),
      z = new Float64Array(W * H),
      x = lab.point(j, [0, 0]),
      up = lab.up(j),
      field = game && joint(lab, j);
    if (x.length > 2) x.set(problem.minimizer);
    let low = Infinity,
      high = -Infinity;
    for (let r = 0; r < H; r++)
      for (let q = 0; q < W; q++) {
        x[0] = plot.a + ((plot.b - plot.a) * q) / (W - 1);
        x[up] = plot.f - ((plot.f - plot.e) * r) / (H - 1);
        z[r * W + q] = game ? Math.hypot(...field(x)) ** 2 : lab.value(j, x) - problem.floor;
      }
    const scale = z.slice().sort()[Math.floor(W * H * 0.04)] || 1e-3;
    for (let n = 0; n < z.length; n++) {
      z[n] = Math.log10(Math.max(z[n], 0) + scale);
      if (z[n] < low) low = z[n];
      if (z[n] > high) high = z[n];
    }
    const image = new ImageData(W, H),
      a = rgb(ink["land-low"]),
      b = rgb(ink["land-high"]);
    for (let n = 0; n < z.length; n++) {
      const t = Math.sqrt((z[n] - low) / (high - low || 1));
      for (let k = 0; k < 3; k++) image.data[4 * n + k] = a[k] + t * (b[k] - a[k]);
      image.data[4 * n + 3] = 255;
    }
    picture(c, image, plot);
    if (game) return arrows(c, plot, x, up, field);
    const X = (q) => plot.x0 + (q / (W - 1)) * (plot.x1 - plot.x0),
      Y = (r) => plot.y0 + (r / (H - 1)) * (plot.y1 - plot.y0);
    c.strokeStyle = ink.muted;
    c.globalAlpha = 0.38;
    c.lineWidth = 0.8;
    c.beginPath();
    for (let n = 1; n < 13; n++) {
      const list = contour(z, W, H, low + ((high - low) * n) / 13);
      for (let k = 0; k < list.length; k += 4) {
        c.moveTo(X(list[k]), Y(list[k + 1]));
        c.lineTo(X(list[k + 2]), Y(list[k + 3]));
      }
    }
    c.stroke();
    c.globalAlpha = 1;
  });
}

// minus the field of a game on its plane: of two players at their first coordinates, of clients the mean
function joint(lab, j) {
  const { oracles, players } = lab.problems[j],
    names = Object.keys(oracles),
    outs = names.map((_, n) => new Float64Array(players[n] ?? players[0]));
  return (x) => {
    const parts = players.length > 1 ? [x.subarray(0, players[0]), x.subarray(players[0])] : [x];
    names.forEach((name, n) => lab.oracle(j, name)(...parts, outs[n]));
    return players.length > 1
      ? outs.map((o) => -o[0])
      : [0, 1].map((k) => -outs.reduce((sum, o) => sum + o[k], 0) / outs.length);
  };
}

function arrows(c, plot, x, up, field) {
  const every = 34,
    wide = Math.floor((plot.x1 - plot.x0) / every),
    tall = Math.floor((plot.y1 - plot.y0) / every);
  c.strokeStyle = c.fillStyle = colours().muted;
  c.globalAlpha = 0.62;
  c.lineWidth = 1.1;
  for (let r = 0; r < tall; r++)
    for (let q = 0; q < wide; q++) {
      const X = plot.x0 + ((q + 0.5) * (plot.x1 - plot.x0)) / wide,
        Y = plot.y0 + ((r + 0.5) * (plot.y1 - plot.y0)) / tall;
      x[0] = plot.a + ((X - plot.x0) / (plot.x1 - plot.x0)) * (plot.b - plot.a);
      x[up] = plot.f - ((Y - plot.y0) / (plot.y1 - plot.y0)) * (plot.f - plot.e);
      const [u, v] = field(x),
        size = Math.hypot(u, v);
      if (size > 0) arrow(c, X, Y, u / size, -v / size, 9);
    }
  c.globalAlpha = 1;
}

// an arrow of half length `half` around (X, Y)
export function arrow(c, X, Y, u, v, half) {
  const tip = 4.5;
  c.beginPath();
  c.moveTo(X - half * u, Y - half * v);
  c.lineTo(X + half * u, Y + half * v);
  c.stroke();
  c.beginPath();
  c.moveTo(X + (half + 1) * u, Y + (half + 1) * v);
  c.lineTo(X + (half - tip) * u - 0.5 * tip * v, Y + (half - tip) * v + 0.5 * tip * u);
  c.lineTo(X + (half - tip) * u + 0.5 * tip * v, Y + (half - tip) * v - 0.5 * tip * u);
  c.fill();
}

// the graph of a loss of one coordinate, with what lies beneath it
function graph(c, plot, lab, j) {
  const ink = colours(),
    at = new Float64Array(1),
    f = (k) => {
      at[0] = plot.a + ((plot.b - plot.a) * k) / 400;
      return lab.value(j, at);
    };
  c.save();
  c.beginPath();
  c.rect(plot.x0, plot.y0, plot.x1 - plot.x0, plot.y1 - plot.y0);
  c.clip();
  const path = new Path2D();
  for (let k = 0; k <= 400; k++) path.lineTo(plot.x0 + ((plot.x1 - plot.x0) * k) / 400, Math.max(-1e4, Math.min(1e4, plot.Y(f(k)))));
  c.strokeStyle = ink.muted;
  c.lineWidth = 1.8;
  c.stroke(path);
  path.lineTo(plot.x1, plot.y1);
  path.lineTo(plot.x0, plot.y1);
  c.globalAlpha = 0.35;
  c.fillStyle = ink["land-low"];
  c.fill(path);
  c.restore();
}

export function picture(c, image, plot) {
  const small = document.createElement("canvas");
  small.width = image.width;
  small.height = image.height;
  small.getContext("2d").putImageData(image, 0, 0);
  c.imageSmoothingQuality = "high";
  c.drawImage(small, plot.x0, plot.y0, plot.x1 - plot.x0, plot.y1 - plot.y0);
}

// iterates as pairs on the plane
export function path(plot, view, count, colour, { line = 1.1, dot = 2.4 } = {}) {
  const fx = (k) => view[2 * k],
    fy = (k) => view[2 * k + 1],
    n = Math.min(count + 1, view.length / 2);
  plot.c.globalAlpha = 0.6;
  plot.line(n, fx, fy, colour, line);
  plot.c.globalAlpha = 1;
  if (dot) plot.dots(n, fx, fy, colour, dot, 1);
}

export function cross(plot, x, y, colour) {
  const { c } = plot,
    X = plot.X(x),
    Y = plot.Y(y);
  c.strokeStyle = colour;
  c.lineWidth = 1.8;
  c.beginPath();
  c.moveTo(X - 5, Y);
  c.lineTo(X + 5, Y);
  c.moveTo(X, Y - 5);
  c.lineTo(X, Y + 5);
  c.stroke();
}

// ---- roots in the unit disk, with the path they take as the first parameter grows from nothing ----------------------
export function disk(plot, lab, i, lams, p, place) {
  const ink = colours(),
    w = plot.x1 - plot.x0,
    h = plot.y1 - plot.y0,
    reach = 1.3,
    wide = reach * Math.max(1, w / h),
    tall = reach * Math.max(1, h / w);
  const { c } = plot;
  plot.domain(-wide, wide, -tall, tall);
  const R = plot.X(1) - plot.X(0),
    all = lams.map((lam) => [lam, lab.roots(i, lam, p)]);
  const rho = Math.max(...all.flatMap(([, z]) => z.map(([a, b]) => Math.hypot(a, b))));
  c.fillStyle = ink.soft;
  c.beginPath();
  c.arc(plot.X(0), plot.Y(0), R, 0, 7);
  c.fill();
  c.strokeStyle = ink.line;
  c.lineWidth = 1;
  c.beginPath();
  c.moveTo(plot.x0, plot.Y(0));
  c.lineTo(plot.x1, plot.Y(0));
  c.moveTo(plot.X(0), plot.y0);
  c.lineTo(plot.X(0), plot.y1);
  c.stroke();
  c.strokeStyle = ink.muted;
  c.lineWidth = 1.4;
  c.beginPath();
  c.arc(plot.X(0), plot.Y(0), R, 0, 7);
  c.stroke();
  if (rho < 4) {
    c.strokeStyle = ink.muted;
    c.setLineDash([3, 4]);
    c.beginPath();
    c.arc(plot.X(0), plot.Y(0), R * rho, 0, 7);
    c.stroke();
    c.setLineDash([]);
  }
  const series = [ink.second, ink.fourth, ink.third, ink.fifth, ink.first, ink.muted],
    q = Float64Array.from(p),
    count = all[0][1].length > 2 ? 40 : 120; // roots of higher polynomials are searched for
  plot.clip(() =>
    all.forEach(([lam, z], n) => {
      const colour = series[n % series.length];
      c.fillStyle = colour;
      c.globalAlpha = 0.45;
      for (let s = 1; s <= count; s++) {
        q[place] = (p[place] * s) / count;
        for (const [a, b] of lab.roots(i, lam, q)) c.fillRect(plot.X(a) - 0.9, plot.Y(b) - 0.9, 1.8, 1.8);
      }
      c.globalAlpha = 1;
      c.lineWidth = 1.5;
      c.strokeStyle = ink.card;
      for (const [a, b] of z) {
        c.beginPath();
        c.arc(plot.X(a), plot.Y(b), 5.2, 0, 7);
        c.fill();
        c.stroke();
      }
    }),
  );
  all.forEach(([lam], n) =>
    plot.text(lab.called(i, lam), plot.x0 + 5, plot.y0 + 12 + 17 * n, series[n % series.length], { weight: 600 }),
  );
  plot.text(`ρ = ${rho.toFixed(4)}${lab.rules[i].theory.period > 1 ? " a period" : ""}`, plot.x1 - 4, plot.y0 + 12, ink.fg, { align: "right", weight: 600 });
  return rho;
}

// ---- decay of f − f* (of a game: the squared distance from rest) on a logarithmic scale -------------------------------------------------------------------------
export function heights(lab, j, run) {
  const out = new Float64Array(run.n + 1);
  for (let k = 0; k <= run.n; k++) out[k] = Math.log10(Math.max(lab.error(j, run, k), 1e-17));
  return out;
}

export function decay(plot, steps, series, note = "") {
  let high = -Infinity,
    low = Infinity;
  for (const s of series)
    for (let k = 0; k < s.y.length; k++)
      if (Number.isFinite(s.y[k]) && !s.guide && !s.flow) {
        high = Math.max(high, s.y[k]);
        low = Math.min(low, s.y[k]);
      }
  if (!Number.isFinite(high)) [high, low] = [1, -1];
  high = Math.min(high, 12);
  plot.domain(0, steps, Math.max(Math.floor(low - 0.3), -16), Math.ceil(high + 0.3));
  plot.axes("iteration k", note, { grid: true, ytick: power, ys: decades(plot.e, plot.f) });
  plot.clip(() => {
    for (const s of series) {
      const x = s.x || ((k) => k),
        n = s.count ?? s.y.length;
      if (s.guide) plot.line(s.y.length, x, (k) => s.y[k], s.colour, 1.4, [5, 4]);
      else if (s.dots) plot.dots(n, x, (k) => s.y[k], s.colour, 1.9);
      else plot.line(n, x, (k) => s.y[k], s.colour, s.width || 2, s.dash || []);
    }
  });
}

function decades(low, high) {
  const every = Math.max(1, Math.ceil((high - low) / 6)),
    out = [];
  for (let v = Math.ceil(low / every) * every; v <= high; v += every) out.push(v);
  return out;
}
