// A rule on one mode, grad(x) = lam*x. The step is affine in the state, so running it on unit vectors gives its matrix exactly.
import { charpoly, covariance, margin, roots } from "./numerics.js";

const FAR = 1e9; // the counter at which a rule in k is taken to its limit

export class ModeLab {
  mode(i) {
    return this.made(`mode ${i}`, () => {
      const rule = this.rules[i],
        m = { lam: 1, push: 0 };
      const table = {
        grad: (x, out) => {
          out[0] = m.lam * x[0] + m.push;
        },
        hess: (x, v, out) => {
          out[0] = m.lam * v[0];
        },
        prox: (u, s, out) => {
          out[0] = u[0];
        },
        f: (x) => (m.lam * x[0] * x[0]) / 2,
      };
      const step = this.functions[rule.code](
        rule.oracles.map((o) => table[o]),
        rule.states.map(() => 1),
        this.take(rule.arrays),
      );
      const lag = Math.max(0, ...rule.lags),
        n = rule.states.length * (lag + 1),
        k = rule.theory.settled ? FAR : lag;
      const rows = rule.states.map(() => new Float64Array(lag + 1)),
        next = rule.states.map(() => new Float64Array(1));
      const now = rows.map((r) => r.subarray(lag, lag + 1)),
        still = [0, 0];
      const views = rows.map((r) => ({ subarray: (a) => r.subarray(a - (k - lag), a - (k - lag) + 1) }));
      const apply = (z, out, p) => {
        // z: all states now, then all one step ago, ...
        const s = rule.states.length;
        for (let a = 0; a < n; a++) rows[a % s][lag - Math.floor(a / s)] = z[a];
        step(now, next, p, k, k * (rule.h >= 0 ? p[rule.h] : 1), still, views);
        for (let a = 0; a < n; a++) out[a] = a < s ? next[a][0] : z[a - s];
      };
      const vector = () => new Float64Array(n);
      return { n, m, apply, z: vector(), base: vector(), out: vector(), M: new Float64Array(n * n) };
    });
  }

  matrix(i, lam, p) {
    const q = this.mode(i),
      { n, m, z, base, out, M } = q;
    m.lam = lam;
    m.push = 0;
    z.fill(0);
    q.apply(z, base, p);
    for (let c = 0; c < n; c++) {
      z.fill(0);
      z[c] = 1;
      q.apply(z, out, p);
      for (let r = 0; r < n; r++) M[r * n + c] = out[r] - base[r];
    }
    return q;
  }

  polynomial(i, lam, p) {
    const { M, n } = this.matrix(i, lam, p);
    return charpoly(M, n);
  }
  roots(i, lam, p) {
    return roots(this.polynomial(i, lam, p));
  }
  rho(i, lam, p) {
    let m = 0;
    for (const [a, b] of this.roots(i, lam, p)) m = Math.max(m, Math.hypot(a, b));
    return m;
  }
  worst(i, lams, p) {
    let m = 0;
    for (const lam of lams) m = Math.max(m, this.rho(i, lam, p));
    return m;
  }
  stable(i, lams, p) {
    return lams.every((lam) => margin(this.polynomial(i, lam, p)) > 0);
  }

  // the state of one mode after 0, 1, ..., steps, from rest at x = 1: rows of all states
  motion(i, lam, p, steps, z0 = null) {
    const { n, M } = this.matrix(i, lam, p),
      out = new Float64Array((steps + 1) * n),
      s = this.rules[i].states.length;
    for (let a = 0; a < n; a++) out[a] = z0 ? z0[a] : this.rules[i].start[a % s] === "x" ? 1 : 0;
    for (let k = 0; k < steps; k++)
      for (let r = 0; r < n; r++) {
        let sum = 0;
        for (let c = 0; c < n; c++) sum += M[r * n + c] * out[k * n + c];
        out[(k + 1) * n + r] = sum;
      }
    return { rows: out, n, at: this.rules[i].start.indexOf("x") };
  }

  // the verdict of the derived region, null where theory has none
  inside(i, lam, p) {
    const t = this.rules[i].theory;
    if (t.inside == null) return null;
    const values = Float64Array.from(t.names, (n) => (n === "lam" ? lam : p[this.place(i, n)]));
    return this.functions[t.inside](values, [0])[0] === 1;
  }

  place(i, name) {
    return this.rules[i].params.find((q) => q.name === name)?.place ?? 0;
  }

  // how one unit of gradient enters the state, and the variance of x that unit noise leaves
  push(i, lam, p) {
    const { n, m, z, base, out } = this.matrix(i, lam, p),
      b = new Float64Array(n);
    m.push = 1;
    z.fill(0);
    this.mode(i).apply(z, out, p);
    m.push = 0;
    for (let r = 0; r < n; r++) b[r] = out[r] - base[r];
    return b;
  }

  variance(i, lam, p) {
    if (!this.stable(i, [lam], p)) return NaN;
    const b = this.push(i, lam, p),
      { M, n } = this.matrix(i, lam, p),
      S = covariance(M, b, n),
      x = this.rules[i].start.indexOf("x");
    return S ? S[x * n + x] : NaN;
  }
}
