// The problem behind a path: contours, the graph of a loss of one coordinate, or the field of a game.
import { colours } from "./canvas.js";
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
function arrow(c, X, Y, u, v, half) {
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
