// What printed steps call. Draws are those of dynopt/run/noise.py: Philox4x32-10 keyed by (seed, path, step, call, entry), in
// 32-bit words (Math.imul and 16-bit halves; no BigInt), so that JavaScript and Python see the same noise.
export const mod_ = (a, b) => {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
};
export const pow_ = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b)); // as C has it
export const past_ = (rows, k, d) => {
  const r = Math.max(k, 0);
  return rows.subarray(r * d, r * d + d);
};

export function matmul_(m, x, out) {
  const cols = x.length;
  for (let r = 0; r < m.rows; r++) {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += m.data[r * cols + j] * x[j];
    out[r] = sum;
  }
}

// solves J z = r in place by elimination with pivoting; false where J is singular
export function solve_(J, r, n) {
  for (let c = 0; c < n; c++) {
    let best = c;
    for (let i = c + 1; i < n; i++) if (Math.abs(J[i * n + c]) > Math.abs(J[best * n + c])) best = i;
    if (!(Math.abs(J[best * n + c]) > 0)) return false;
    if (best !== c) {
      for (let j = 0; j < n; j++) {
        const t = J[c * n + j];
        J[c * n + j] = J[best * n + j];
        J[best * n + j] = t;
      }
      const t = r[c];
      r[c] = r[best];
      r[best] = t;
    }
    for (let i = c + 1; i < n; i++) {
      const f = J[i * n + c] / J[c * n + c];
      if (f !== 0) {
        for (let j = c; j < n; j++) J[i * n + j] -= f * J[c * n + j];
        r[i] -= f * r[c];
      }
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) r[i] -= J[i * n + j] * r[j];
    r[i] /= J[i * n + i];
  }
  return true;
}

// Newton's method with a Jacobian of forward differences; ends when the correction is at rounding level
export function newton_(ys, residual) {
  const n = ys.reduce((sum, y) => sum + y.length, 0),
    r = new Float64Array(n),
    s = new Float64Array(n),
    J = new Float64Array(n * n);
  let before = Infinity;
  for (let sweep = 0; sweep < 60; sweep++) {
    residual(r);
    let column = 0,
      size = 0;
    for (const y of ys)
      for (let j = 0; j < y.length; j++, column++) {
        const old = y[j];
        size = Math.max(size, Math.abs(old));
        y[j] = old + 1.4901161193847656e-8 * Math.max(1, Math.abs(old));
        residual(s);
        const eps = y[j] - old;
        y[j] = old;
        for (let i = 0; i < n; i++) J[i * n + column] = (s[i] - r[i]) / eps;
      }
    if (!J.every(Number.isFinite) || !r.every(Number.isFinite) || !solve_(J, r, n)) return false;
    let at = 0,
      moved = 0;
    for (const y of ys)
      for (let j = 0; j < y.length; j++, at++) {
        y[j] -= r[at];
        moved = Math.max(moved, Math.abs(r[at]));
      }
    const tiny = Math.max(size, 1e-300);
    if (moved <= 4.440892098500626e-16 * tiny || (moved <= 1e-13 * tiny && moved >= before)) return true;
    before = moved;
  }
  return false;
}

// ---- draws ------------------------------------------------------------------------------------------------------
function high_(a, b) {
  // upper word of the product of two 32-bit words
  const a0 = a & 0xffff,
    a1 = a >>> 16,
    b0 = b & 0xffff,
    b1 = b >>> 16;
  const low = a0 * b0,
    mid = a1 * b0 + (low >>> 16),
    cross = a0 * b1 + (mid & 0xffff);
  return (a1 * b1 + Math.floor(mid / 65536) + Math.floor(cross / 65536)) >>> 0;
}

const mul64_ = (x, y) => [(high_(x[1], y[1]) + Math.imul(x[0], y[1]) + Math.imul(x[1], y[0])) >>> 0, Math.imul(x[1], y[1]) >>> 0];
const add64_ = (x, y) => {
  const low = x[1] + y[1];
  return [(x[0] + y[0] + (low > 0xffffffff ? 1 : 0)) >>> 0, low >>> 0];
};
const shifted_ = (x, n) => [(x[0] ^ (x[0] >>> n)) >>> 0, (x[1] ^ ((x[1] >>> n) | (x[0] << (32 - n)))) >>> 0];
const words_ = (v) => (Array.isArray(v) ? v : [Math.floor(v / 4294967296) >>> 0, v >>> 0]);

// a 64-bit key for (seed, path) as two words; a seed above 2**53 is given as [high, low]
export function key_(seed, path) {
  let z = words_(seed);
  for (const word of [[0x9e3779b9, 0x7f4a7c15], add64_(mul64_(words_(path), [0xd1342543, 0xde82ef95]), [0, 1])]) {
    z = add64_(z, word);
    z = mul64_(shifted_(z, 30), [0xbf58476d, 0x1ce4e5b9]);
    z = mul64_(shifted_(z, 27), [0x94d049bb, 0x133111eb]);
    z = shifted_(z, 31);
  }
  return z;
}

// 64 bits for a path and a step, as two words: see draws.py
const times_ = (count, word) => mul64_(words_(count), word);
function word_(key, step, call, entry) {
  let z = add64_(add64_(key, times_(step, [0x9e3779b9, 0x7f4a7c15])), times_(call, [0xc2b2ae3d, 0x27d4eb4f]));
  z = add64_(z, times_(entry, [0xd1342543, 0xde82ef95]));
  z = shifted_(mul64_(shifted_(z, 30), [0xbf58476d, 0x1ce4e5b9]), 27);
  z = mul64_([(z[0] ^ key[1]) >>> 0, (z[1] ^ key[0]) >>> 0], [0x94d049bb, 0x133111eb]);
  return shifted_(z, 31);
}

// a standard normal draw, its mean where there is no key; entries 2j and 2j + 1 are the pair that one word gives
export function noise_(key, step, call, entry) {
  if (key === null) return 0;
  const [high, low] = word_(key, step, call, entry >>> 1),
    radius = Math.sqrt(-2 * Math.log(1 - ((high & 0xfffff) * 1048576 + (low >>> 12) + 0.5) * 9.094947017729282e-13)),
    angle = Math.PI * (((((low & 0x7ff) << 21) | (high >>> 11)) >>> 0) * 2.3283064365386963e-10 + 1.1641532182693481e-10 - 0.5),
    side = low & 0x800 ? -radius : radius;
  return entry % 2 === 0 ? side * Math.cos(angle) : side * Math.sin(angle);
}

export function uniform_(key, step, call, entry) {
  if (key === null) return 0.5;
  const [high, low] = word_(key, step, call, entry);
  return (high * 2097152 + (low >>> 11)) * 1.1102230246251565e-16;
}

// ---- a run: rows[j] holds state j after 0, 1, ..., n steps; `n` is how many steps stayed finite ------------------
export function iterate(step, start, p, steps, { t0 = 0, h = 1, key = [0, 0], limit = 1e50, rows = null } = {}) {
  const d = start.map((x) => x.length);
  rows = rows || start.map((x) => new Float64Array((steps + 1) * x.length));
  start.forEach((x, j) => rows[j].set(x));
  let now = start.map((_, j) => rows[j].subarray(0, d[j]));
  for (let k = 0; k < steps; k++) {
    const next = start.map((_, j) => rows[j].subarray((k + 1) * d[j], (k + 2) * d[j]));
    if (!step(now, next, p, k, t0 + k * h, key, rows)) return { rows, n: k, status: "failed" };
    for (const x of next)
      for (let i = 0; i < x.length; i++) if (!(Math.abs(x[i]) <= limit)) return { rows, n: k, status: "diverged" };
    now = next;
  }
  return { rows, n: steps, status: "success" };
}
