// Flows beside the iterates.

// a flow by the classical fourth-order method from t0 to until; rate(z, t, out) meets its states as `view` shows them
export function integrate(rate, z0, until, steps, t0 = 0, view = (z) => z) {
  const n = z0.length,
    rows = new Float64Array((steps + 1) * n),
    k = [0, 1, 2, 3].map(() => new Float64Array(n)),
    y = new Float64Array(n);
  const z = Float64Array.from(z0),
    dt = (until - t0) / steps;
  rows.set(z);
  const [vz, vy, ...vk] = [z, y, ...k].map(view);
  for (let s = 0; s < steps; s++) {
    const t = t0 + s * dt;
    rate(vz, t, vk[0]);
    for (let i = 0; i < n; i++) y[i] = z[i] + (dt / 2) * k[0][i];
    rate(vy, t + dt / 2, vk[1]);
    for (let i = 0; i < n; i++) y[i] = z[i] + (dt / 2) * k[1][i];
    rate(vy, t + dt / 2, vk[2]);
    for (let i = 0; i < n; i++) y[i] = z[i] + dt * k[2][i];
    rate(vy, t + dt, vk[3]);
    for (let i = 0; i < n; i++) z[i] += (dt / 6) * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    rows.set(z, (s + 1) * n);
  }
  return rows;
}
