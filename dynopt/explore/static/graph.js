// Graphs as quadratics: Laplacians of edges, and the largest eigenvalue of a map.

// out = (Laplacian of the edges) x + pin x
export function laplacian(edges, pin) {
  const flat = Int32Array.from(edges.flat());
  return (x, out) => {
    for (let n = 0; n < x.length; n++) out[n] = pin[n] * x[n];
    for (let e = 0; e < flat.length; e += 2) {
      const d = x[flat[e]] - x[flat[e + 1]];
      out[flat[e]] += d;
      out[flat[e + 1]] -= d;
    }
  };
}

export function norm(x) {
  let sum = 0;
  for (let n = 0; n < x.length; n++) sum += x[n] * x[n];
  return Math.sqrt(sum);
}

// the largest eigenvalue of a symmetric map by repeated application
export function largest(map, n, rounds = 400) {
  let x = Float64Array.from({ length: n }, (_, k) => Math.sin(1 + 12.9898 * k)),
    value = 0;
  const y = new Float64Array(n);
  for (let r = 0; r < rounds; r++) {
    map(x, y);
    value = norm(y);
    x = y.map((v) => v / value);
  }
  return value;
}

export const gridEdges = (w, h) => {
  const out = [];
  for (let r = 0; r < h; r++)
    for (let c = 0; c < w; c++) {
      if (c + 1 < w) out.push([r * w + c, r * w + c + 1]);
      if (r + 1 < h) out.push([r * w + c, (r + 1) * w + c]);
    }
  return out;
};
