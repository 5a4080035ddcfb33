// The explorer: one rule on one problem in four linked panels. Every panel is computed from the printed rule on the page.
import { Plot, colours, show } from "./canvas.js";
import { integrate } from "./lab.js";
import { KINDS, StabilityMap, cross, decay, disk, heights, landscape, path } from "./panels.js";
import { badge, button, card, choice, el, finite, frames, label, legend, math, readState, slider, steer, themeButton, toggle, writeState } from "./ui.js";

const MEASURED = 60;                                         // steps of a run where no linear mode exists

const FLOWS = [(ink) => [ink.second, 2.4, []], (ink) => [ink.third, 2, [6, 4]]];

export class Explorer {
  constructor(root, lab, model = null) {
    Object.assign(this, { root, lab, model, steps: lab.data.steps, playing: false, k: lab.data.steps, sigma: 0, seed: 1 });
    this.i = 0; this.j = 0;
    this.beside = lab.rules.map((_, n) => n > 0 && lab.data.overlay.includes(n));
    this.p = lab.rules.map((_, i) => lab.numbers(i));
    this.map = new StabilityMap(lab);
    this.draw = frames(() => this.frame());
    this.build();
    this.settle();
    this.restore(readState());
    if (model) this.follow();
    new ResizeObserver(() => { this.fit(); this.draw(); }).observe(root);
    this.fit();
    this.refresh();
  }

  get rule() { return this.lab.rules[this.i]; }
  get problem() { return this.lab.problems[this.j]; }
  get axes() { return this.rule.params.length > 1 ? this.chosen || [0, 1] : [0, "lam"]; }
  get linear() { return this.rule.theory.linear; }

  spans() {
    const lams = this.lab.lams(this.j);
    return this.axes.map((a) => (a === "lam" ? [0, 1.3 * lams[lams.length - 1]] : this.lab.span(this.i, this.j, a)));
  }

  // parameters that work on this problem: the optimum at the minimizer, its step shortened until the path stays bounded
  settle(keep = false) {
    this.start = Float64Array.from(this.problem.start.slice(0, 2));
    this.tuned = this.lab.rules.map((_, i) => this.tuning(i));
    if (!keep) this.lab.rules.forEach((_, i) => { this.p[i] = i === this.i && this.lab.data.given && this.j === 0 ? this.lab.numbers(i) : this.tuned[i].slice(); });
    this.k = this.steps;
  }

  tuning(i) {
    const rule = this.lab.rules[i], p = this.lab.numbers(i), axes = rule.params.map((_, n) => n).slice(0, 2);
    if (!rule.theory.linear || !axes.length) return p;
    const best = this.lab.optimum(i, this.j, axes, p);
    if (!Number.isFinite(best.rho) || best.rho >= 1) return p;
    for (const part of [1, .5, .25, .1, .05, .02, .01]) {
      axes.forEach((a, n) => { p[rule.params[a].place] = best.values[n] * (rule.params[a].step ? part : 1); });
      const run = this.lab.run(i, this.j, this.start, p, this.steps);
      if (run.status === "success" && this.lab.value(this.j, run.x.subarray(run.n * run.d)) <= this.lab.value(this.j, run.x.subarray(0, run.d))) break;
    }
    return p;
  }

  // ---- the page ----
  build() {
    const { data } = this.lab;
    this.says = el("p", { class: "out", role: "status", "aria-live": "polite" });
    this.title = el("h1"); this.lead = el("p", { class: "lead" }); this.formula = el("div", { class: "rule" });
    const pick = choice("method", this.lab.rules.map((r) => r.name), 0, (n) => this.choose({ i: n }));
    const loss = choice("problem", this.lab.problems.map((q) => q.name), 0, (n) => this.choose({ j: n }));
    this.choosers = { pick, loss };
    this.sliders = el("div", { class: "bar", role: "group", "aria-label": "parameters" });
    this.playButton = toggle("▶ play", false, (on) => this.play(on));
    this.copied = button("copy link", () => this.copy());
    const controls = [this.playButton, button("step", () => this.stepOnce()), button("reset", () => this.reset()),
      button("★ optimum", () => this.toOptimum()), this.copied, themeButton(() => { this.draw(); })];
    this.noise = slider("noise σ", { min: 0, max: 2, value: 0 }, (v) => { this.sigma = v; this.refresh(); });
    this.cursor = slider("iteration", { min: 0, max: this.steps, value: this.steps, step: 1, format: (v) => String(v) }, (v) => { this.k = v; this.refresh(); });
    const rest = this.lab.rules.map((r, n) => toggle(r.name, this.beside[n], (on) => { this.beside[n] = on; this.refresh(); }));
    this.others = rest;
    this.overlays = el("div", { class: "bar", role: "group", "aria-label": "methods beside it, each at its own optimum" }, el("span", { class: "small" }, "beside it, each at its own optimum:"), rest);
    this.cards = {
      plane: card("Iterates on the problem", "", "Contours of the problem with the iterates; drag the start, or move it with the arrow keys", { keys: true }),
      map: card("Stability", "", "Map of the parameters; drag the point, or move it with the arrow keys", { keys: true }),
      decay: card("Decay", "", "f minus its minimum against the iteration"),
      disk: card("Roots", "", "Roots of the characteristic polynomial in the unit disk") };
    const { plane, map, decay: fall, disk: ring } = this.cards;
    this.plots = { plane: new Plot(plane.canvas, { height: 400, pad: [6, 6, 24, 40] }), map: new Plot(map.canvas, { height: 400, pad: [8, 10, 36, 50] }),
      decay: new Plot(fall.canvas, { height: 260, pad: [8, 10, 36, 50] }), disk: new Plot(ring.canvas, { height: 260, pad: [4, 4, 4, 4] }) };
    plane.node.classList.add("w7"); map.node.classList.add("w5"); fall.node.classList.add("w7"); ring.node.classList.add("w5");
    this.facts = el("div", { class: "facts" });
    this.derived = el("section", { class: "card derived w12" });
    this.axisPick = el("span", { class: "bar" });
    this.root.append(el("div", { class: "top" }, el("div", {}, this.title, this.lead, this.formula), el("div", { class: "bar" }, controls)),
      el("div", { class: "bar" }, pick, this.lab.problems.length > 1 ? loss : null, this.cursor, this.noise), this.sliders,
      ...(this.lab.rules.length > 1 ? [this.overlays] : []), this.facts,
      el("div", { class: "panels" }, plane.node, map.node, fall.node, ring.node, this.derived), this.says);
    steer(this.plots.plane, (x, y) => this.move(x, y), (dx, dy) => this.move(this.start[0] + dx * (this.plots.plane.b - this.plots.plane.a) / 100, this.start[1] + dy * (this.plots.plane.f - this.plots.plane.e) / 75), () => this.share());
    steer(this.plots.map, (u, v) => this.place(u, v), (dx, dy) => { const s = this.spans(), [u, v] = this.here(); this.place(u + dx * (s[0][1] - s[0][0]) / 200, v + dy * (s[1][1] - s[1][0]) / 200); }, () => this.share());
    data.title = data.title || this.rule.name;
  }

  // everything that changes with the rule or the problem
  describe() {
    const t = this.rule.theory;
    this.title.textContent = this.rule.name;
    this.lead.textContent = [this.rule.source, `on ${this.problem.name}`].filter(Boolean).join(" · ");
    this.formula.replaceChildren(...this.rule.formula.map(math));
    this.controls = this.rule.params.map((q, n) => slider(label(q.name), { min: 0, max: 1, value: 0, name: q.name }, (v) => { this.p[this.i][q.place] = v; this.refresh(); }));
    const names = this.rule.params.map((q) => label(q.name)), axes = this.axes;
    const picks = this.rule.params.length > 2 ? [0, 1].map((n) => choice(n ? "map: up" : "map: across", names, axes[n], (a) => { const now = [...this.axes]; if (now[1 - n] === a) now[1 - n] = now[n]; now[n] = a; this.chosen = now; this.refresh(); })) : [];
    this.sliders.replaceChildren(...this.controls, ...picks);
    this.others.forEach((node, n) => { node.hidden = n === this.i; });
    this.choosers.pick.set(this.i); this.choosers.loss.set(this.j);
    legend(this.cards.map.legend, this.linear ? (t.boundaries || []).filter((b, n, all) => all.findIndex((o) => o.kind === b.kind) === n).map((b) => [b.kind === "flip" ? "" : "dash", colours().first, (KINDS[b.kind] || [b.kind])[0]])
      : [["dot", colours().muted, `measured: f after ${MEASURED} steps`]]);
    this.explain(t);
  }

  explain(t) {
    const rows = [];
    const row = (name, ...values) => rows.push(el("dt", {}, name), el("dd", {}, values));
    if (t.region) row("stable exactly where", t.region.map((part) => el("span", { class: "part" }, math(part))), badge(t.status));
    if (t.status === "proved") row("proof", el("span", { class: "small" }, t.method));
    for (const b of t.boundaries || []) row((KINDS[b.kind] || [b.kind])[0], math(b.formula));
    if (this.linear) {
      const best = this.best();
      if (best) row("optimum here", this.axes.filter((a) => a !== "lam").map((a, n) => `${label(this.rule.params[a].name)} = ${show(best.values[n], 5)}`).join(", ") + `, ρ = ${show(best.rho, 5)} `, badge(best.status));
    }
    if (t.optimum) row("optimum on [μ, L]", t.optimum.formula.map((part) => el("span", { class: "part" }, math(part))), badge(t.optimum.status));
    for (const f of this.rule.flows || []) row(f.name, f.formula.map((part) => el("span", { class: "part" }, math(part))));
    if (t.why) row(t.linear ? "not derived" : "no linear mode", el("span", { class: "small" }, t.why));
    const where = `minimizer of ${this.problem.name}, with curvatures λ = ${this.lab.lams(this.j).map((v) => show(v)).join(", ")}`;
    this.derived.replaceChildren(el("header", {}, el("h2", {}, "Derived from the declaration")), el("dl", {}, rows),
      el("p", { class: "note" }, !this.linear ? `The map shows what was measured on this page from the start of the path: the logarithm of f after ${MEASURED} steps. Noise is added to every gradient.`
        : `The map and the roots are those of the linearization at the ${where}; far from it, or at another minimizer, the path may do something else. Noise is added to every gradient.`));
  }

  best() {
    const axes = this.axes.filter((a) => a !== "lam");
    if (!this.linear || !axes.length) return null;
    const best = this.lab.optimum(this.i, this.j, axes, this.p[this.i]);
    return best.rho < 1 ? best : null;
  }

  // ---- what a visitor does ----
  choose({ i = this.i, j = this.j }) {
    const moved = j !== this.j;
    Object.assign(this, { i, j, chosen: null });
    if (moved) this.settle();
    this.described = "";
    this.refresh(); this.share();
  }
  move(x, y) { const q = this.plots.plane; this.start = Float64Array.of(Math.min(q.b, Math.max(q.a, x)), Math.min(q.f, Math.max(q.e, y))); this.refresh(); }
  here() { return this.axes.map((a) => (a === "lam" ? this.lab.lams(this.j).at(-1) : this.p[this.i][this.rule.params[a].place])); }
  place(u, v) {
    const s = this.spans(), inside = (x, [low, high]) => Math.min(high, Math.max(low, x));
    this.axes.forEach((a, n) => { if (a !== "lam") { const q = this.rule.params[a], w = inside(n ? v : u, s[n]); this.p[this.i][q.place] = q.step ? Math.max(w, 1e-6 * s[n][1]) : w; } });
    this.refresh();
  }
  toOptimum() { const best = this.best(); if (best) { this.axes.filter((a) => a !== "lam").forEach((a, n) => { this.p[this.i][this.rule.params[a].place] = best.values[n]; }); this.refresh(); this.share(); } }
  play(on) { this.playing = on; this.playButton.textContent = on ? "❚❚ pause" : "▶ play"; if (on && this.k >= this.steps) this.k = 0; this.last = 0; this.draw(); }
  stepOnce() { this.playButton.set(false); this.play(false); this.k = this.k >= this.steps ? 1 : this.k + 1; this.refresh(); }
  reset() { this.playButton.set(false); this.play(false); this.settle(); this.sigma = 0; this.noise.set(0); this.refresh(); this.share(); }
  copy() { this.share(); try { navigator.clipboard.writeText(location.href).then(() => { this.copied.textContent = "copied"; }, () => { this.copied.textContent = "see the address"; }); } catch { this.copied.textContent = "see the address"; } }

  state() { return { i: this.i, j: this.j, p: Array.from(this.p[this.i]), x: Array.from(this.start), s: this.sigma, k: this.k, b: this.beside.map(Number) }; }
  share() { if (!this.lab.data.widget) writeState(this.state()); if (this.model) { this.model.set("state", this.state()); this.model.save_changes(); } }
  restore(saved) {
    this.i = finite(saved.i, 0, this.lab.rules.length - 1, this.i) | 0;
    const j = finite(saved.j, 0, this.lab.problems.length - 1, this.j) | 0;
    if (j !== this.j) { this.j = j; this.settle(); }
    if (Array.isArray(saved.p) && saved.p.length === this.p[this.i].length) saved.p.forEach((v, n) => { this.p[this.i][n] = finite(v, -1e9, 1e9, this.p[this.i][n]); });
    if (Array.isArray(saved.x)) [0, 1].forEach((n) => { this.start[n] = finite(saved.x[n], -1e9, 1e9, this.start[n]); });
    this.sigma = finite(saved.s, 0, 2, this.sigma); this.k = finite(saved.k, 0, this.steps, this.k) | 0;
    if (Array.isArray(saved.b)) this.beside = this.beside.map((v, n) => (saved.b[n] === undefined ? v : !!saved.b[n]));
    this.others.forEach((node, n) => node.set(this.beside[n])); this.noise.set(this.sigma);
  }
  follow() { this.model.on("change:state", () => { this.restore(this.model.get("state") || {}); this.described = ""; this.refresh(); }); this.restore(this.model.get("state") || {}); }

  // ---- computing and drawing ----
  fit() { Object.values(this.plots).forEach((q) => q.resize()); }
  refresh() {
    const began = performance.now(), took = (window.dynoptRefresh = window.dynoptRefresh || []);
    this.compute();
    took.push(performance.now() - began);
    if (took.length > 2000) took.shift();
  }
  compute() {
    const key = [this.i, this.j, this.axes].join();
    if (this.described !== key) { this.described = key; this.describe(); }
    this.runs = this.lab.rules.map((_, i) => (i === this.i ? this.lab.run(i, this.j, this.start, this.p[i], this.steps, { sigma: this.sigma, seed: this.seed })
      : this.beside[i] ? this.lab.run(i, this.j, this.start, this.tuned[i], this.steps) : null));
    this.heights = this.runs.map((r) => r && heights(this.lab, this.j, r));
    this.flows = this.flowPaths();
    this.rho = this.linear ? this.lab.worst(this.i, this.lab.lams(this.j), this.p[this.i]) : NaN;
    this.map.aim(this.i, this.j, this.axes, this.p[this.i], this.spans(), this.linear ? null : this.measure());
    this.rule.params.forEach((q, n) => this.controls[n].set(this.p[this.i][q.place], ...this.lab.span(this.i, this.j, n)));
    this.cursor.set(this.k, 0, this.steps);
    this.tell();
    this.draw();
  }

  // f after all steps, where no linear mode exists
  measure() {
    const start = Float64Array.from(this.start), { i, j } = this;
    const cost = (p) => { const run = this.lab.run(i, j, start, p, MEASURED); const f = this.lab.value(j, run.x.subarray(run.n * run.d, (run.n + 1) * run.d)) - this.problem.floor; return run.status === "success" ? Math.log10(Math.max(f, 1e-12)) : 1e30; };
    cost.key = Array.from(start, (v) => v.toFixed(1)).join();
    return cost;
  }

  // the flows that the method follows, with the parameters that its own ones mean
  flowPaths() {
    return (this.rule.flows || []).map((f) => {
      const values = Float64Array.from(f.names, (n) => this.p[this.i][this.lab.place(this.i, n)]), out = this.lab.functions[f.map](values, new Float64Array(f.count + 1)), h = out[f.count];
      if (!out.every(Number.isFinite) || !(h > 0)) return null;
      const d = this.problem.dim, z0 = new Float64Array(f.states * d), every = 4;
      z0.set(this.lab.point(this.j, this.start));
      const rates = this.lab.made(`flow ${this.j} ${f.code}`, () => this.lab.functions[f.code](f.oracles.map((o) => this.lab.oracle(this.j, o)), new Array(f.states).fill(d), []));
      const views = new Map();                               // the integrator uses the same few buffers again and again
      const cut = (z) => views.get(z) || views.set(z, Array.from({ length: f.states }, (_, s) => z.subarray(s * d, (s + 1) * d))).get(z);
      const rate = (z, t, dz) => rates(cut(z), cut(dz), out, t / h, t, [0, 0], null);
      const first = f.clock ? integrate(rate, z0, h / every, 256, 1e-9 * h) : null;         // a rate such as 3/t needs care at its start
      const rows = f.clock ? integrate(rate, first.subarray(256 * z0.length), this.steps * h, this.steps * every - 1, h / every) : integrate(rate, z0, this.steps * h, this.steps * every);
      const x = f.clock ? Float64Array.from([...z0, ...rows]) : rows;
      return { name: f.name, x, d: f.states * d, n: this.steps * every, every };
    });
  }

  tell() {
    const rho = this.rho, p = this.p[this.i], best = this.best(), run = this.runs[this.i];
    const verdict = !this.linear ? ["none", run.status === "success" ? "measured" : run.status] : rho < 1 ? ["good", "stable at the minimizer"] : ["bad", "unstable at the minimizer"];
    const fact = (name, value) => el("span", {}, name, " ", el("b", {}, value));
    const digits = rho < 1 ? Math.ceil(Math.log(.1) / Math.log(rho)) : Infinity;
    this.facts.replaceChildren(el("span", { class: `verdict ${verdict[0]}` }, verdict[1]), ...(this.linear ? [fact("ρ =", rho.toFixed(5)), fact("steps per digit", Number.isFinite(digits) ? String(digits) : "∞")] : []),
      ...(best ? [fact("optimum ρ =", best.rho.toFixed(5))] : []), fact(`f − f* after ${run.n} steps`, show(10 ** this.heights[this.i][run.n])));
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const words = `${this.rule.name} on ${this.problem.name}: ${verdict[1]}` + (this.linear ? `, contraction ${rho.toFixed(4)} per step` : "") + `; ${this.rule.params.map((q) => `${q.name} ${show(p[q.place])}`).join(", ")}`;
      this.says.textContent = words;
      this.cards.plane.say(`Start ${show(this.start[0])}, ${show(this.start[1])}; ${run.n} iterations, ${run.status}.`); this.cards.map.say(words);
      this.cards.decay.say(`After ${run.n} steps f minus its minimum is ${show(10 ** this.heights[this.i][run.n])}.`); if (this.linear) this.cards.disk.say(`Largest modulus ${rho.toFixed(4)}.`);
    }, 350);
  }

  frame() {
    if (this.playing) {
      const now = performance.now(), pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 400 : 40;
      if (!this.last || now - this.last > pace) { this.last = now; this.k += 1; this.cursor.set(this.k, 0, this.steps); }
      if (this.k >= this.steps) { this.playButton.set(false); this.play(false); }
    }
    this.drawPlane(); this.drawMap(); this.drawDecay(); this.drawDisk();
    if (this.playing || !this.map.ready) this.draw();
  }

  drawPlane() {
    const q = this.plots.plane, ink = colours(), run = this.runs[this.i];
    q.begin(); landscape(q, this.lab, this.j);
    q.clip((c) => {
      this.flows.forEach((f, m) => { if (f) q.line(Math.min(f.n, this.k * f.every) + 1, (k) => f.x[k * f.d], (k) => f.x[k * f.d + 1], ...FLOWS[m](ink)); });
      this.runs.forEach((r, n) => { if (r && n !== this.i) path(q, r, this.k, this.colour(n), { line: 1.4, dot: 1.7 }); });
      path(q, run, this.k, ink.first);
      if (this.sigma > 0) this.ellipse(q);
      cross(q, this.problem.minimizer[0], this.problem.minimizer[1], ink.fg);
      q.handle(this.start[0], this.start[1], ink.first, q.held);
      if (this.k < run.n) { c.lineWidth = 2; c.strokeStyle = ink.fg; c.beginPath(); c.arc(q.X(run.x[this.k * run.d]), q.Y(run.x[this.k * run.d + 1]), 6, 0, 7); c.stroke(); }
    });
    q.axes("", "");
    legend(this.cards.plane.legend, [["dot", ink.first, this.rule.name], ...this.flowMarks(ink),
      ...this.runs.flatMap((r, n) => (r && n !== this.i ? [["dot", this.colour(n), this.lab.rules[n].name]] : [])), ...(this.sigma > 0 ? [["thin", ink.fg, "derived 2σ ellipse"]] : [])]);
  }

  flowMarks(ink) { return this.flows.flatMap((f, m) => (f ? [[FLOWS[m](ink)[2].length ? "dash" : "", FLOWS[m](ink)[0], f.name]] : [])); }
  flowHeights(f) {
    return Float64Array.from({ length: this.steps + 1 }, (_, k) => Math.log10(Math.max(this.lab.value(this.j, f.x.subarray(k * f.every * f.d, k * f.every * f.d + this.problem.dim)) - this.problem.floor, 1e-17)));
  }

  colour(n) { const ink = colours(); return [ink.third, ink.fourth, ink.fifth, ink.second][n % 4]; }

  // the stationary spread around the minimizer that the linearization predicts
  ellipse(q) {
    const { axes, curvatures, dim, minimizer } = this.problem, ink = colours(), cov = [0, 0, 0];
    for (let n = 0; n < dim; n++) {
      const v = this.sigma ** 2 * this.lab.variance(this.i, curvatures[n], this.p[this.i]), a = axes[n * dim], b = axes[n * dim + 1];
      cov[0] += v * a * a; cov[1] += v * a * b; cov[2] += v * b * b;
    }
    if (!cov.every(Number.isFinite)) return;
    const l = Math.sqrt(Math.max(cov[0], 0)) || 1e-12, m = cov[1] / l, r = Math.sqrt(Math.max(cov[2] - m * m, 0)), turn = (k) => 2 * Math.PI * k / 90;
    q.line(91, (k) => minimizer[0] + 2 * l * Math.cos(turn(k)), (k) => minimizer[1] + 2 * (m * Math.cos(turn(k)) + r * Math.sin(turn(k))), ink.fg, 1.8);
  }

  drawMap() {
    const q = this.plots.map, ink = colours();
    if (!this.map.ready) this.map.work(this.plots.map.held || this.plots.plane.held ? 4 : 9);
    q.begin(); this.map.draw(q);
    const best = this.best(), here = this.here();
    q.clip(() => {
      if (best && this.axes[1] !== "lam") q.star(best.values[0], best.values[1]);
      if (this.axes[1] === "lam") for (const lam of this.lab.lams(this.j)) q.line(2, (k) => this.spans()[0][k], () => lam, ink.fg, 1, [2, 3]);
      q.handle(here[0], here[1], ink.first, q.held);
    });
  }

  drawDecay() {
    const q = this.plots.decay, ink = colours(), h = this.heights[this.i], series = [];
    q.begin();
    this.flows.forEach((f, m) => { if (f) series.push({ y: this.flowHeights(f), colour: FLOWS[m](ink)[0], width: FLOWS[m](ink)[1], dash: FLOWS[m](ink)[2], flow: true }); });
    this.runs.forEach((r, n) => { if (r && n !== this.i) series.push({ y: this.heights[n], colour: this.colour(n), width: 1.6 }); });
    series.push({ y: h, colour: ink.first, dots: true, count: Math.min(this.k, h.length - 1) + 1 });
    if (this.linear && this.rho < 1 && this.rho > 0) series.push({ y: Float64Array.from({ length: this.steps + 1 }, (_, k) => h[0] + 2 * k * Math.log10(this.rho)), colour: ink.fg, guide: true });
    decay(q, this.steps, series, "f − f*");
    legend(this.cards.decay.legend, [["dot", ink.first, "iterates"], ...this.flowMarks(ink), ...(this.linear && this.rho < 1 ? [["dash", ink.fg, "derived slope ρ²ᵏ"]] : [])]);
  }

  drawDisk() {
    const q = this.plots.disk;
    q.begin();
    if (!this.linear) { q.text("no linear mode at the minimizer", (q.x0 + q.x1) / 2, (q.y0 + q.y1) / 2, colours().muted, { align: "center", size: 14 }); return; }
    const place = this.rule.params.length ? this.rule.params[this.axes[0]].place : 0;
    disk(q, this.lab, this.i, this.lab.lams(this.j), this.p[this.i], place);
    legend(this.cards.disk.legend, [["dot", colours().second, `as ${this.rule.params.length ? label(this.rule.params[this.axes[0]].name) : "time"} grows from 0`]]);
  }
}
