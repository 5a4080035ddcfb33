// Small linear algebra on the matrix of one mode: characteristic polynomial, roots, Schur-Cohn, stationary covariance, searches.
import { solve_ } from "../../emit/runtime.js";

// coefficients of det(z - M), leading first (Faddeev-LeVerrier)
export function charpoly(M, n) {
  if (n === 1) return [1, -M[0]];
  if (n === 2) return [1, -(M[0] + M[3]), M[0] * M[3] - M[1] * M[2]];
  const c = [1];
  let B = new Float64Array(n * n);
  for (let k = 1; k <= n; k++) {
    for (let i = 0; i < n; i++) B[i * n + i] += c[k - 1];
    const A = new Float64Array(n * n);
    let trace = 0;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < n; l++) sum += M[i * n + l] * B[l * n + j];
        A[i * n + j] = sum;
        if (i === j) trace += sum;
      }
    c.push(-trace / k);
    B = A;
  }
  return c;
}

// roots as pairs [re, im]; quadratics in closed form without cancellation, higher degrees by simultaneous iteration (Aberth)
export function roots(c) {
  const n = c.length - 1;
  if (n === 1) return [[-c[1], 0]];
  if (n === 2) {
    const half = -c[1] / 2,
      disc = half * half - c[2];
    if (disc < 0) {
      const im = Math.sqrt(-disc);
      return [
        [half, im],
        [half, -im],
      ];
    }
    const big = half + (half < 0 ? -1 : 1) * Math.sqrt(disc);
    return [
      [big, 0],
      [big === 0 ? 0 : c[2] / big, 0],
    ];
  }
  while (c.length > 2 && c[c.length - 1] === 0) return [...roots(c.slice(0, -1)), [0, 0]];
  const size = Math.max(1e-3, Math.abs(c[n]) ** (1 / n)),
    z = [];
  for (let i = 0; i < n; i++)
    z.push([size * Math.cos((2 * Math.PI * i) / n + 0.4), size * Math.sin((2 * Math.PI * i) / n + 0.4)]);
  for (let sweep = 0; sweep < 100; sweep++) {
    let moved = 0;
    for (let i = 0; i < n; i++) {
      const [x, y] = z[i];
      let pr = c[0],
        pi = 0,
        dr = 0,
        di = 0;
      for (let k = 1; k <= n; k++) {
        [dr, di] = [dr * x - di * y + pr, dr * y + di * x + pi];
        [pr, pi] = [pr * x - pi * y + c[k], pr * y + pi * x];
      }
      const p2 = pr * pr + pi * pi;
      if (p2 === 0) continue;
      let gr = (dr * pr + di * pi) / p2,
        gi = (di * pr - dr * pi) / p2; // p'/p minus the pull of the others
      for (let j = 0; j < n; j++)
        if (j !== i) {
          const ur = x - z[j][0],
            ui = y - z[j][1],
            u2 = ur * ur + ui * ui || 1e-300;
          gr -= ur / u2;
          gi += ui / u2;
        }
      const g2 = gr * gr + gi * gi || 1e-300;
      z[i] = [x - gr / g2, y + gi / g2];
      moved = Math.max(moved, Math.abs(gr / g2) + Math.abs(gi / g2));
    }
    if (moved < 1e-14) break;
  }
  return z;
}

// the product A B of square matrices
export function product(A, B, n) {
  const out = new Float64Array(n * n);
  for (let r = 0; r < n; r++)
    for (let k = 0; k < n; k++) for (let c = 0; c < n; c++) out[r * n + c] += A[r * n + k] * B[k * n + c];
  return out;
}

export const radius = (M, n) => roots(charpoly(M, n)).reduce((m, [a, b]) => Math.max(m, Math.hypot(a, b)), 0);

// how far inside the circle the roots are, without computing them: > 0 exactly where all lie inside (Schur-Cohn recursion)
export function margin(c) {
  let a = c.slice(),
    least = Infinity;
  while (a.length > 1) {
    const n = a.length - 1,
      k = a[n] / a[0];
    least = Math.min(least, 1 - Math.abs(k));
    if (!(Math.abs(k) < 1)) return Math.min(least, 0) || -1e-300;
    const b = [];
    for (let i = 0; i < n; i++) b.push(a[i] - k * a[n - i]);
    a = b;
  }
  return least;
}

// stationary covariance S = M S M' + the sum of b b' of a stable mode, or null
export function covariance(M, pushes, n) {
  const N = n * n,
    A = new Float64Array(N * N),
    r = new Float64Array(N);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const row = i * n + j;
      for (const b of pushes) r[row] += b[i] * b[j];
      for (let k = 0; k < n; k++)
        for (let l = 0; l < n; l++) A[row * N + k * n + l] = (row === k * n + l ? 1 : 0) - M[i * n + k] * M[j * n + l];
    }
  return solve_(A, r, N) ? r : null;
}

// segments [x0, y0, x1, y1, ...] of a level in grid coordinates (marching squares)
export function contour(z, W, H, level) {
  const out = [];
  for (let j = 0; j < H - 1; j++)
    for (let i = 0; i < W - 1; i++) {
      const a = z[j * W + i] - level,
        b = z[j * W + i + 1] - level,
        d = z[(j + 1) * W + i] - level,
        e = z[(j + 1) * W + i + 1] - level,
        p = [];
      if (a < 0 !== b < 0) p.push(i + a / (a - b), j);
      if (b < 0 !== e < 0) p.push(i + 1, j + b / (b - e));
      if (d < 0 !== e < 0) p.push(i + d / (d - e), j + 1);
      if (a < 0 !== d < 0) p.push(i, j + a / (a - d));
      for (let q = 0; q + 3 < p.length; q += 4)
        if (p.slice(q, q + 4).every(Number.isFinite)) out.push(p[q], p[q + 1], p[q + 2], p[q + 3]);
    }
  return out;
}

// segments [x0, y0, x1, y1, ...] joined end to end into lines [x0, y0, x1, y1, x2, ...], so that dashes run on
export function joined(list) {
  const key = (n) => `${list[n].toFixed(6)} ${list[n + 1].toFixed(6)}`,
    at = new Map(),
    used = new Uint8Array(list.length / 4),
    lines = [];
  for (let s = 0; s < list.length; s += 4)
    for (const n of [s, s + 2]) at.set(key(n), [...(at.get(key(n)) || []), s]);
  const walk = (line, from) => {
    for (let end = from; ; ) {
      const next = (at.get(key(end)) || []).find((s) => !used[s / 4]);
      if (next === undefined) return line;
      used[next / 4] = 1;
      end = key(next) === key(end) ? next + 2 : next;
      line.push(list[end], list[end + 1]);
    }
  };
  for (let s = 0; s < list.length; s += 4) {
    if (used[s / 4]) continue;
    used[s / 4] = 1;
    const ahead = walk([list[s + 2], list[s + 3]], s + 2),
      back = walk([list[s], list[s + 1]], s);
    const line = [];
    for (let n = back.length - 2; n >= 0; n -= 2) line.push(back[n], back[n + 1]);
    lines.push([...line, ...ahead]);
  }
  return lines;
}

// minimum of f over a box by a grid and shrinking pattern steps; f may be infinite outside
export function search(f, low, high, cells = 24, rounds = 60) {
  const d = low.length,
    best = { x: low.map((a, i) => (a + high[i]) / 2), value: Infinity };
  const total = cells ** d;
  for (let c = 0; c < total; c++) {
    const x = low.map((a, i) => a + ((high[i] - a) * ((Math.floor(c / cells ** i) % cells) + 0.5)) / cells),
      value = f(x);
    if (value < best.value) {
      best.x = x;
      best.value = value;
    }
  }
  let size = low.map((a, i) => (high[i] - a) / cells / 2);
  for (let round = 0; round < rounds * d; round++) {
    let improved = false;
    for (let c = 0; c < 3 ** d; c++) {
      const x = best.x.map((v, i) => Math.min(high[i], Math.max(low[i], v + size[i] * ((Math.floor(c / 3 ** i) % 3) - 1)))),
        value = f(x);
      if (value < best.value) {
        best.x = x;
        best.value = value;
        improved = true;
      }
    }
    if (!improved) size = size.map((s) => s / 2);
    if (size.every((s, i) => s < 1e-10 * (high[i] - low[i]))) break;
  }
  return best;
}

// eigenvalues (ascending) and eigenvectors (rows) of a symmetric matrix by Jacobi's rotations
export function eigen(matrix, n) {
  const A = Float64Array.from(matrix),
    V = new Float64Array(n * n);
  for (let i = 0; i < n; i++) V[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const a = A[p * n + q];
        off += a * a;
        if (a === 0) continue;
        const theta = (A[q * n + q] - A[p * n + p]) / (2 * a),
          t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1)),
          c = 1 / Math.hypot(t, 1),
          s = t * c;
        for (let k = 0; k < n; k++) {
          const u = A[k * n + p],
            v = A[k * n + q];
          A[k * n + p] = c * u - s * v;
          A[k * n + q] = s * u + c * v;
        }
        for (let k = 0; k < n; k++) {
          const u = A[p * n + k],
            v = A[q * n + k];
          A[p * n + k] = c * u - s * v;
          A[q * n + k] = s * u + c * v;
        }
        for (let k = 0; k < n; k++) {
          const u = V[p * n + k],
            v = V[q * n + k];
          V[p * n + k] = c * u - s * v;
          V[q * n + k] = s * u + c * v;
        }
      }
    if (off < 1e-26) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => A[a * n + a] - A[b * n + b]);
  return { values: order.map((i) => A[i * n + i]), vectors: order.map((i) => V.slice(i * n, i * n + n)) };
}

// out = A x for a matrix by rows
export function times(A, x, out) {
  const n = x.length;
  for (let r = 0; r < n; r++) {
    let sum = 0;
    for (let c = 0; c < n; c++) sum += A[r * n + c] * x[c];
    out[r] = sum;
  }
  return out;
}
