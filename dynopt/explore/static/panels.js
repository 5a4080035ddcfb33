// The marks and panels that pages share: paths, the roots, the decay.
import { colours, power, show } from "./canvas.js";

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
    count = all[0][1].length > 2 ? 40 : 90; // roots of higher polynomials are searched for
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

// ---- decay of f − f* (of a game: the squared distance from rest) on a logarithmic scale ----------
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
