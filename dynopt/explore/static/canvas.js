// A plot on a canvas: axes, clipped drawing, and the few marks that the pages need. Colours come from the style sheet.

const SUPER = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };
const CIVIDIS = ["00224e", "123570", "3b496c", "575d6d", "707173", "8a8678", "a59c74", "c3b369", "e1cc55", "fee838"].map((h) =>
  [0, 2, 4].map((i) => parseInt(h.slice(i, i + 2), 16)),
);

export const minus = (text) => String(text).replace(/-/g, "−");
export const power = (v) => "10" + [...String(v)].map((c) => SUPER[c] ?? c).join("");

export function show(v, digits = 3) {
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "–";
  const size = Math.abs(v);
  if (size !== 0 && (size >= 1e5 || size < 1e-3)) {
    const [m, e] = v.toExponential(Math.min(digits - 1, 2)).split("e");
    return minus(`${+m}·`) + power(+e);
  }
  return minus(String(+v.toPrecision(digits)));
}

export function cividis(t) {
  const s = Math.min(0.99999, Math.max(0, t)) * 9,
    i = Math.floor(s),
    f = s - i;
  return [0, 1, 2].map((c) => CIVIDIS[i][c] + f * (CIVIDIS[i + 1][c] - CIVIDIS[i][c]));
}

export function ticks(a, b, count) {
  const raw = (b - a) / Math.max(1, count),
    p = 10 ** Math.floor(Math.log10(raw)),
    m = raw / p,
    s = (m < 1.5 ? 1 : m < 3 ? 2 : m < 7 ? 5 : 10) * p,
    out = [];
  for (let v = Math.ceil(a / s - 1e-9) * s; v <= b + 1e-9 * s; v += s) out.push(Math.abs(v) < s * 1e-9 ? 0 : +v.toPrecision(12));
  return out;
}

const NEAR = 0.3; // pixels: a point this close to the last one drawn shows nothing new

let palette = null;
export function colours() {
  if (!palette) {
    const style = getComputedStyle(document.documentElement),
      names = "fg muted line grid card soft first second third fourth fifth good bad land-low land-high".split(" ");
    palette = Object.fromEntries(names.map((n) => [n, style.getPropertyValue("--" + n).trim()]));
    palette.series = [palette.first, palette.third, palette.fourth, palette.fifth];
  }
  return palette;
}
export const forgetColours = () => {
  palette = null;
};

export class Plot {
  constructor(canvas, { height = 300, pad = [8, 10, 36, 46], square = false } = {}) {
    Object.assign(this, { canvas, c: canvas.getContext("2d"), height, pad, square, layers: new Map() });
  }

  // fits the canvas to its place on the page; true where the size changed
  resize() {
    const ratio = window.devicePixelRatio || 1,
      width = this.canvas.clientWidth || 320,
      height = this.square ? Math.min(this.height, width) : this.height;
    if (this.width === width && this.ratio === ratio && this.tall === height) return false;
    Object.assign(this, { width, ratio, tall: height });
    this.canvas.style.height = height + "px";
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    [this.x0, this.x1, this.y0, this.y1] = [this.pad[3], width - this.pad[1], this.pad[0], height - this.pad[2]];
    this.layers.clear();
    return true;
  }

  domain(a, b, e, f) {
    Object.assign(this, { a, b, e, f });
    return this;
  }

  // the same scale on both axes, around the middle of the wanted window
  equal(a, b, e, f) {
    const w = this.x1 - this.x0,
      h = this.y1 - this.y0,
      unit = Math.max((b - a) / w, (f - e) / h),
      x = (a + b) / 2,
      y = (e + f) / 2;
    return this.domain(x - (unit * w) / 2, x + (unit * w) / 2, y - (unit * h) / 2, y + (unit * h) / 2);
  }

  X(v) {
    return this.x0 + ((v - this.a) / (this.b - this.a)) * (this.x1 - this.x0);
  }
  Y(v) {
    return this.y1 - ((v - this.e) / (this.f - this.e)) * (this.y1 - this.y0);
  }
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [
      this.a + ((event.clientX - box.left - this.x0) / (this.x1 - this.x0)) * (this.b - this.a),
      this.e + ((this.y1 - (event.clientY - box.top)) / (this.y1 - this.y0)) * (this.f - this.e),
    ];
  }

  begin() {
    this.c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    this.c.clearRect(0, 0, this.width, this.tall);
    this.c.lineJoin = "round";
    return this.c;
  }

  clip(draw) {
    const { c } = this;
    c.save();
    c.beginPath();
    c.rect(this.x0, this.y0, this.x1 - this.x0, this.y1 - this.y0);
    c.clip();
    draw(c);
    c.restore();
  }

  // a picture that is drawn once and kept until its key changes
  layer(name, key, draw) {
    const kept = this.layers.get(name);
    if (!kept || kept.key !== key) {
      const canvas = kept ? kept.canvas : document.createElement("canvas");
      canvas.width = this.canvas.width;
      canvas.height = this.canvas.height;
      const c = canvas.getContext("2d");
      c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
      draw(c);
      this.layers.set(name, { key, canvas });
    }
    this.c.save();
    this.c.setTransform(1, 0, 0, 1, 0, 0);
    this.c.drawImage(this.layers.get(name).canvas, 0, 0);
    this.c.restore();
  }

  // ticks and labels are text, the dearest thing on a canvas: they are kept until the domain changes
  axes(xlabel, ylabel, options = {}) {
    const key = [this.a, this.b, this.e, this.f, xlabel, ylabel, colours().fg, colours().grid, options.xs, options.ys].join();
    this.layer("axes", key, (c) => this.drawAxes(c, xlabel, ylabel, options));
  }

  drawAxes(c, xlabel, ylabel, { grid = false, xtick = show, ytick = show, xs = null, ys = null }) {
    const ink = colours();
    c.font = "11px system-ui, sans-serif";
    c.lineWidth = 1;
    xs = xs || ticks(this.a, this.b, Math.max(2, (this.x1 - this.x0) / 85));
    ys = ys || ticks(this.e, this.f, Math.max(2, (this.y1 - this.y0) / 48));
    if (grid) {
      c.strokeStyle = ink.grid;
      c.beginPath();
      for (const v of xs) {
        c.moveTo(this.X(v), this.y0);
        c.lineTo(this.X(v), this.y1);
      }
      for (const v of ys) {
        c.moveTo(this.x0, this.Y(v));
        c.lineTo(this.x1, this.Y(v));
      }
      c.stroke();
    }
    c.strokeStyle = ink.line;
    c.strokeRect(this.x0 + 0.5, this.y0 + 0.5, this.x1 - this.x0 - 1, this.y1 - this.y0 - 1);
    c.fillStyle = ink.muted;
    c.textAlign = "center";
    c.textBaseline = "top";
    for (const v of xs) c.fillText(xtick(v), this.X(v), this.y1 + 5);
    c.textAlign = "right";
    c.textBaseline = "middle";
    for (const v of ys) c.fillText(ytick(v), this.x0 - 6, this.Y(v));
    c.fillStyle = ink.fg;
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "alphabetic";
    c.textAlign = "right";
    c.fillText(xlabel, this.x1, this.tall - 3);
    if (ylabel) {
      c.save();
      c.translate(11, (this.y0 + this.y1) / 2);
      c.rotate(-Math.PI / 2);
      c.textAlign = "center";
      c.fillText(ylabel, 0, 0);
      c.restore();
    }
  }

  line(n, fx, fy, colour, width = 2, dash = []) {
    const { c } = this;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(dash);
    c.beginPath();
    let on = false,
      px = NaN,
      py = NaN;
    for (let i = 0; i < n; i++) {
      const x = this.X(fx(i)),
        y = this.Y(fy(i));
      if (!(Math.abs(x) < 1e6 && Math.abs(y) < 1e6)) {
        on = false;
        continue;
      }
      if (on && i < n - 1 && Math.abs(x - px) < NEAR && Math.abs(y - py) < NEAR) continue;
      if (on) c.lineTo(x, y);
      else c.moveTo(x, y);
      on = true;
      px = x;
      py = y;
    }
    c.stroke();
    c.setLineDash([]);
  }

  dots(n, fx, fy, colour, size = 2.4, from = 0) {
    const { c } = this;
    c.fillStyle = colour;
    c.beginPath();
    let px = NaN,
      py = NaN;
    for (let i = from; i < n; i++) {
      const x = this.X(fx(i)),
        y = this.Y(fy(i));
      if (Math.abs(x - px) < NEAR && Math.abs(y - py) < NEAR) continue;
      px = x;
      py = y;
      if (x > -20 && x < this.width + 20 && y > -20 && y < this.tall + 20) {
        c.moveTo(x + size, y);
        c.arc(x, y, size, 0, 7);
      }
    }
    c.fill();
  }

  segments(list, fx, fy, colour, width = 1, dash = []) {
    const { c } = this;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(dash);
    c.beginPath();
    for (let i = 0; i < list.length; i += 4) {
      c.moveTo(fx(list[i]), fy(list[i + 1]));
      c.lineTo(fx(list[i + 2]), fy(list[i + 3]));
    }
    c.stroke();
    c.setLineDash([]);
  }

  handle(x, y, colour, held = false) {
    const { c } = this,
      X = this.X(x),
      Y = this.Y(y);
    c.globalAlpha = 0.22;
    c.fillStyle = colour;
    c.beginPath();
    c.arc(X, Y, held ? 17 : 13, 0, 7);
    c.fill();
    c.globalAlpha = 1;
    c.beginPath();
    c.arc(X, Y, 6.5, 0, 7);
    c.fill();
    c.lineWidth = 2;
    c.strokeStyle = "#fff";
    c.stroke();
  }

  star(x, y, fill = "#fff") {
    const { c } = this,
      X = this.X(x),
      Y = this.Y(y);
    c.beginPath();
    for (let k = 0; k < 10; k++) {
      const a = -Math.PI / 2 + (k * Math.PI) / 5,
        r = k % 2 ? 3.2 : 7.6;
      c.lineTo(X + r * Math.cos(a), Y + r * Math.sin(a));
    }
    c.closePath();
    c.fillStyle = fill;
    c.fill();
    c.lineWidth = 1.2;
    c.strokeStyle = "#10151b";
    c.stroke();
  }

  text(words, X, Y, colour, { align = "left", base = "middle", size = 12, weight = "", halo = "" } = {}) {
    const { c } = this;
    c.font = `${weight} ${size}px system-ui, sans-serif`;
    c.textAlign = align;
    c.textBaseline = base;
    if (halo) {
      c.strokeStyle = halo;
      c.lineWidth = 3.5;
      c.strokeText(words, X, Y);
    }
    c.fillStyle = colour;
    c.fillText(words, X, Y);
  }
}
