// The laboratory: rules and problems of the page made to run, and the matrix of a rule on one mode, found by running the rule.
import { iterate, key_, noise_ } from "../../emit/runtime.js";
import { search } from "./numerics.js";
import { ModeLab } from "./mode.js";

export class Lab extends ModeLab {
  constructor(data, functions, arrays) {
    super();
    Object.assign(this, {
      data,
      functions,
      arrays,
      rules: data.rules,
      problems: [...data.problems],
      cache: new Map(),
      fields: new Map(),
    });
  }

  // a problem that a page makes itself, with its curvatures and oracles; returns its place
  own(problem, fields) {
    const d = problem.dim,
      zero = new Array(d).fill(0);
    this.problems.push({ name: "", start: zero, minimizer: zero, floor: 0, window: [-1, 1, -1, 1], oracles: {}, ...problem });
    this.fields.set(this.problems.length - 1, fields);
    return this.problems.length - 1;
  }

  made(key, make) {
    if (!this.cache.has(key)) this.cache.set(key, make());
    return this.cache.get(key);
  }

  take(places) {
    return places.map((a) => this.arrays[a]);
  }

  // a field of a problem: oracle(j, "grad")(x, out)
  oracle(j, name) {
    return this.made(`oracle ${j} ${name}`, () => {
      if (this.fields.get(j)?.[name]) return this.fields.get(j)[name];
      const d = this.problems[j].dim,
        found = this.problems[j].oracles[name];
      if (!found) return name === "prox" ? (u, s, out) => out.set(u) : null;
      return this.functions[found.code]([], this.problems[j].players || [d, d], this.take(found.arrays));
    });
  }

  value(j, x) {
    return this.oracle(j, "f")(x);
  }

  // the step of rule i on problem j; `shake(out, field)` changes a gradient after it was computed
  step(i, j, shake = null) {
    const rule = this.rules[i],
      d = rule.scalars.map((s, n) => (s ? 1 : this.size(i, j, n)));
    const o = rule.oracles.map((name, at) => {
      const plain = this.oracle(j, name);
      return shake && name.startsWith("grad")
        ? (...args) => {
            plain(...args);
            shake(args[args.length - 1], at);
          }
        : plain;
    });
    return this.functions[rule.code](o, d, this.take(rule.arrays));
  }

  start(i, j, x) {
    const rule = this.rules[i],
      full = this.point(j, x),
      second = this.problems[j].players?.[0] ?? full.length;
    return rule.start.map((s, n) =>
      s === "x"
        ? full.slice(0, second)
        : s === "y"
          ? full.slice(second)
          : Array.isArray(s) && s.length === this.size(i, j, n)
            ? Float64Array.from(s)
            : new Float64Array(rule.scalars[n] ? 1 : this.size(i, j, n)).fill(Array.isArray(s) ? s[0] : s),
    );
  }

  // how many entries a state has: those of its player
  size(i, j, n) {
    const { players, dim } = this.problems[j];
    return players ? players[this.rules[i].owner[n]] : dim;
  }

  // the coordinate of the problem that stands upright on the plane: the second player's first, else the second; none where d = 1
  up(j) {
    const { players, dim } = this.problems[j];
    return players?.length === 2 ? players[0] : dim > 1 ? 1 : -1;
  }

  // a point of the plane as a point of the problem: other coordinates as at the start of the problem, or the point itself
  point(j, x) {
    if (x.length === this.problems[j].dim) return Float64Array.from(x);
    const full = Float64Array.from(this.problems[j].start),
      up = this.up(j);
    full[0] = x[0];
    if (up > 0) full[up] = x[1];
    return full;
  }

  // rows of `stride` numbers as pairs on the plane: two coordinates, or the position with its loss
  seen(j, x, stride, count, y = null) {
    const up = this.up(j);
    if (!y && up === 1 && stride === 2) return x;
    const out = new Float64Array(2 * count);
    for (let k = 0; k < count; k++) {
      out[2 * k] = x[k * stride];
      out[2 * k + 1] = y ? y[k * (y.length / (x.length / stride))] : up > 0 ? x[k * stride + up] : this.value(j, x.subarray(k * stride, k * stride + 1));
    }
    return out;
  }
  view(j, run) {
    return this.seen(j, run.x, run.d, run.n + 1, run.y);
  }

  // how far the k-th iterate is from the end: f - f*, or the squared distance from rest where there is no f
  error(j, run, k) {
    const row = run.x.subarray(k * run.d, (k + 1) * run.d);
    if (this.problems[j].oracles.f || this.fields.has(j)) return this.value(j, row) - this.problems[j].floor;
    const least = this.problems[j].minimizer,
      e = run.y ? run.y.length / (run.x.length / run.d) : 0;
    let sum = 0;
    for (let n = 0; n < run.d; n++) sum += (row[n] - least[n]) ** 2;
    for (let n = 0; n < e; n++) sum += (run.y[k * e + n] - least[run.d + n]) ** 2;
    return sum;
  }
  measured(j) {
    return this.problems[j].oracles.f ? "f − f*" : "distance²";
  }

  // iterates of rule i on problem j; with sigma > 0 gradients are g + sigma * (standard normal draws)
  run(i, j, x, p, steps, { sigma = 0, seed = 1, rows = null } = {}) {
    const rule = this.rules[i],
      key = key_(seed, 0);
    let count = 0;
    const shake =
      sigma > 0
        ? (out, field) => {
            for (let n = 0; n < out.length; n++) out[n] += sigma * noise_(key, shake.k, 1000 + field, n);
          }
        : null;
    const inner = sigma > 0 ? this.step(i, j, shake) : this.made(`step ${i} ${j}`, () => this.step(i, j));
    const step =
      sigma > 0
        ? (...a) => {
            shake.k = count++;
            return inner(...a);
          }
        : inner;
    const h = rule.h >= 0 ? p[rule.h] : 1,
      run = iterate(step, this.start(i, j, x), p, steps, { h, key, t0: rule.t0, limit: 1e30, rows });
    const { players, dim } = this.problems[j];
    return {
      ...run,
      x: run.rows[rule.start.indexOf("x")],
      y: players?.length === 2 ? run.rows[rule.start.indexOf("y")] : null,
      d: players ? players[0] : dim,
      h,
    };
  }

  numbers(i) {
    const p = new Float64Array(this.rules[i].params.length);
    for (const q of this.rules[i].params) p[q.place] = q.value;
    return p;
  }

  // the modes that count: curvatures at the minimizer, or the numbers of a game
  lams(j) {
    return this.made(`lams ${j}`, () => {
      if (this.problems[j].modes) return this.problems[j].modes;
      const c = this.problems[j].curvatures.filter((v) => v > 0);
      return c.length <= 6 ? c : [c[0], c[c.length >> 1], c[c.length - 1]];
    });
  }

  // the window of each parameter: a step size up to a little beyond the largest stable one
  span(i, j, n) {
    return this.made(`span ${i} ${j} ${n}`, () => {
      const q = this.rules[i].params[n];
      if (q.span) return q.span;
      if (!this.rules[i].theory.linear) return [0, 6 * q.value];
      const p = this.numbers(i),
        other = this.rules[i].params.filter((o) => o !== q && o.span),
        lams = this.lams(j);
      let reach = 0;
      for (let trial = 0; trial < 41; trial++) {
        if (other.length) p[other[0].place] = other[0].span[0] + ((other[0].span[1] - other[0].span[0]) * (trial + 0.5)) / 41;
        for (let e = 0; e < 140; e++) {
          p[q.place] = 1e-4 * 1.12 ** e;
          if (p[q.place] > reach && this.stable(i, lams, p)) reach = p[q.place];
        }
      }
      return [0, reach > 0 ? 1.12 * reach : 4 * q.value];
    });
  }

  // the best values of the parameters in `axes` (places in params) for the curvatures of problem j, the others as they are
  optimum(i, j, axes, p) {
    const key = `best ${i} ${j} ${axes} ${Array.from(p).filter((_, n) => !axes.some((a) => this.rules[i].params[a].place === n))}`;
    return this.made(key, () => {
      const q = Float64Array.from(p),
        lams = this.lams(j),
        places = axes.map((a) => this.rules[i].params[a].place);
      const spans = axes.map((a) => this.span(i, j, a));
      const t = this.rules[i].theory.optimum;
      if (
        t &&
        !this.problems[j].modes &&
        t.names.length === axes.length &&
        lams.length &&
        axes.every((a) => t.names.includes(this.rules[i].params[a].name))
      ) {
        const best = this.functions[t.code](Float64Array.of(lams[0], lams[lams.length - 1]), []);
        const values = axes.map((a) => best[t.names.indexOf(this.rules[i].params[a].name)]);
        values.forEach((v, n) => {
          q[places[n]] = v;
        });
        const rho = this.worst(i, lams, q);
        if (values.every(Number.isFinite) && rho < 1) return { values, rho, status: t.status };
      }
      const found = search(
        (x) => {
          x.forEach((v, n) => {
            q[places[n]] = v;
          });
          return this.worst(i, lams, q);
        },
        spans.map((s) => s[0] + 1e-9 * (s[1] - s[0])),
        spans.map((s) => s[1]),
        axes.length > 1 ? 40 : 200,
      );
      const tidy = found.x.map(
        (v, n) => (Math.round((v / (spans[n][1] - spans[n][0])) * 1e7) / 1e7) * (spans[n][1] - spans[n][0]),
      );
      tidy.forEach((v, n) => {
        q[places[n]] = v;
      });
      const rho = this.worst(i, lams, q);
      return rho < found.value + 1e-6
        ? { values: tidy, rho, status: "numeric" }
        : { values: found.x, rho: found.value, status: "numeric" };
    });
  }
}
