// Graphs as quadratics: Laplacians of edges, and the largest eigenvalue of a map.

// out = (Laplacian of the edges) x + pin x
export function laplacian(edges, pin) {
  return (x, out) => {
    for (let n = 0; n < x.length; n++) out[n] = pin[n] * x[n];
    for (const [a, b] of edges) {
      const d = x[a] - x[b];
      out[a] += d;
      out[b] -= d;
    }
  };
}

// the largest eigenvalue of a symmetric map by repeated application
export function largest(map, n, rounds = 400) {
  let x = Float64Array.from({ length: n }, (_, k) => Math.sin(1 + 12.9898 * k)),
    value = 0;
  const y = new Float64Array(n);
  for (let r = 0; r < rounds; r++) {
    map(x, y);
    value = Math.hypot(...y);
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
