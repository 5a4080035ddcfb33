// A rule on one mode: grad(x) = lam*x, or for several fields the numbers of the mode where the pattern puts them.
// The step is affine in the state, so running it on unit vectors gives its matrix exactly.
import { charpoly, covariance, margin, product, roots } from "./numerics.js";
import { show } from "./canvas.js";
import { label } from "./ui.js";

const FAR = 1e9; // the counter at which a rule in k is taken to its limit

export const largestEntry = (mode) => (Array.isArray(mode) ? Math.max(...mode.map(Math.abs)) || 1 : mode);

export class ModeLab {
  mode(i) {
    return this.made(`mode ${i}`, () => {
      const rule = this.rules[i],
        m = { lam: 1, push: -1 };
      const table = {
        grad: (x, out) => {
          out[0] = m.lam * x[0] + (m.push === 0 ? 1 : 0);
        },
        hess: (x, v, out) => {
          out[0] = m.lam * v[0];
        },
        prox: (u, s, out) => {
          out[0] = u[0];
        },
        f: (x) => (m.lam * x[0] * x[0]) / 2,
      };
      (rule.theory.pattern || []).forEach((row, field) => {
        table[`grad_${field + 1}`] = (...args) => {
          const out = args[args.length - 1];
          out[0] = m.push === field ? 1 : 0;
          row.forEach(([entry, sign], k) => {
            out[0] += sign * m.lam[entry] * args[k][0];
          });
        };
      });
      const step = this.functions[rule.code](
        rule.oracles.map((o) => table[o]),
        rule.states.map(() => 1),
        this.take(rule.arrays),
      );
      const lag = Math.max(0, ...rule.lags),
        n = rule.states.length * (lag + 1),
        period = rule.theory.period || 1,
        first = rule.theory.settled ? FAR - (FAR % period) : period * Math.ceil(lag / period);
      m.k = first;
      const rows = rule.states.map(() => new Float64Array(lag + 1)),
        next = rule.states.map(() => new Float64Array(1));
      const now = rows.map((r) => r.subarray(lag, lag + 1)),
        still = null; // draws at their mean
      const views = rows.map((r) => ({ subarray: (a) => r.subarray(a - (m.k - lag), a - (m.k - lag) + 1) }));
      const apply = (z, out, p) => {
        // z: all states now, then all one step ago, ...
        const s = rule.states.length;
        for (let a = 0; a < n; a++) rows[a % s][lag - Math.floor(a / s)] = z[a];
        step(now, next, p, m.k, m.k * (rule.h >= 0 ? p[rule.h] : 1), still, views);
        for (let a = 0; a < n; a++) out[a] = a < s ? next[a][0] : z[a - s];
      };
      const vector = () => new Float64Array(n);
      return { n, m, first, period, apply, z: vector(), base: vector(), out: vector(), M: new Float64Array(n * n) };
    });
  }

  // the matrix of one step; of a rule that repeats itself after a few steps, of all of them
  matrix(i, lam, p) {
    const q = this.mode(i);
    this.phase(q, lam, p, 0);
    for (let k = 1; k < q.period; k++) {
      const before = Float64Array.from(q.M);
      this.phase(q, lam, p, k);
      q.M.set(product(q.M, before, q.n));
    }
    return q;
  }
  phase(q, lam, p, k) {
    const { n, m, z, base, out, M } = q;
    Object.assign(m, { lam, push: -1, k: q.first + k });
    z.fill(0);
    q.apply(z, base, p);
    for (let c = 0; c < n; c++) {
      z.fill(0);
      z[c] = 1;
      q.apply(z, out, p);
      for (let r = 0; r < n; r++) M[r * n + c] = out[r] - base[r];
    }
    return M;
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
    const { period } = this.rules[i].theory;
    return period > 1 ? m ** (1 / period) : m; // for each step, on average
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
    const q = this.mode(i),
      { n, period } = q,
      phases = Array.from({ length: period }, (_, k) => Float64Array.from(this.phase(q, lam, p, k))),
      out = new Float64Array((steps + 1) * n),
      s = this.rules[i].states.length;
    for (let a = 0; a < n; a++) out[a] = z0 ? z0[a] : this.rules[i].start[a % s] === "x" ? 1 : 0;
    for (let k = 0; k < steps; k++)
      for (let r = 0; r < n; r++) {
        const M = phases[k % period];
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
    return this.functions[t.inside](this.valued(i, lam, p), [0])[0] === 1;
  }

  // the names of a derived formula as numbers: entries of the mode, or parameters
  valued(i, lam, p) {
    const t = this.rules[i].theory;
    return Float64Array.from(t.names, (name) => {
      const entry = t.entries.indexOf(name);
      return entry < 0 ? p[this.place(i, name)] : Array.isArray(lam) ? lam[entry] : lam;
    });
  }

  // the mode of strength v: a curvature, or the first mode of a game scaled so that its largest entry is v
  scaled(j, v) {
    const { modes } = this.problems[j];
    return modes ? modes[0].map((e) => (v * e) / largestEntry(modes[0])) : v;
  }
  strength(i, j) {
    const { modes } = this.problems[j],
      { entries } = this.rules[i].theory;
    return !modes ? "curvature λ" : entries.length === 1 ? label(entries[0]) : "largest entry of the mode";
  }

  // a mode in words
  called(i, lam) {
    return Array.isArray(lam)
      ? this.rules[i].theory.entries.map((name, n) => `${label(name)} = ${show(lam[n])}`).join(", ")
      : `λ = ${show(lam)}`;
  }

  place(i, name) {
    return this.rules[i].params.find((q) => q.name === name)?.place ?? 0;
  }

  // how one unit of each gradient enters the state
  pushes(i, lam, p) {
    const { n, m, z, base, out } = this.matrix(i, lam, p);
    return Array.from({ length: this.rules[i].theory.pattern?.length || 1 }, (_, field) => {
      m.push = field;
      z.fill(0);
      this.mode(i).apply(z, out, p);
      m.push = -1;
      return Float64Array.from(out, (v, r) => v - base[r]);
    });
  }

  // the covariance [xx, xy, yy] of the players (x alone: y is x) that unit noise in every gradient leaves
  spread(i, lam, p) {
    if (!this.stable(i, [lam], p) || this.rules[i].theory.period > 1) return [NaN, NaN, NaN];
    const pushes = this.pushes(i, lam, p),
      { M, n } = this.matrix(i, lam, p),
      S = covariance(M, pushes, n),
      x = this.rules[i].start.indexOf("x"),
      y = this.rules[i].start.includes("y") ? this.rules[i].start.indexOf("y") : x;
    return S ? [S[x * n + x], S[x * n + y], S[y * n + y]] : [NaN, NaN, NaN];
  }
  variance(i, lam, p) {
    return this.spread(i, lam, p)[0];
  }
}
