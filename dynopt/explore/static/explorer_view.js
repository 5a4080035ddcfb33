// What the explorer says: its controls, its cards, the formulas and the verdict.
import { Plot, colours, show } from "./canvas.js";
import { badge, button, card, choice, el, label, legend, listed, math, slider, steer, themeButton, toggle } from "./ui.js";
import { KINDS, ROUND, kindMarks } from "./map.js";

export const MEASURED = 60; // steps of a run where no linear mode exists

export class ExplorerView {
  build() {
    const { data } = this.lab;
    this.says = el("p", { class: "out", role: "status", "aria-live": "polite" });
    this.title = el("h1");
    this.lead = el("p", { class: "lead" });
    this.formula = el("div", { class: "rule" });
    const pick = choice(
      "method",
      this.lab.rules.map((r) => r.name),
      0,
      (n) => this.choose({ i: n }),
    );
    const loss = choice(
      "problem",
      this.lab.problems.map((q) => q.name),
      0,
      (n) => this.choose({ j: n }),
    );
    this.choosers = { pick, loss };
    this.sliders = el("div", { class: "bar", role: "group", "aria-label": "parameters" });
    this.playButton = toggle("▶ play", false, (on) => this.play(on));
    this.copied = button("copy link", () => this.copy());
    const controls = [
      this.playButton,
      button("step", () => this.stepOnce()),
      button("reset", () => this.reset()),
      (this.bestButton = button("★ optimum", () => this.toOptimum())),
      this.copied,
      themeButton(() => this.redraw()),
    ];
    this.noise = slider("noise σ", { min: 0, max: 2, value: 0 }, (v) => {
      this.sigma = v;
      this.refresh();
    });
    this.cursor = slider("iteration", { min: 0, max: this.steps, value: this.steps, step: 1, format: (v) => String(v) }, (v) => {
      this.show(v);
    });
    const rest = this.lab.rules.map((r, n) =>
      toggle(r.name, this.beside[n], (on) => {
        this.beside[n] = on;
        this.refresh();
      }),
    );
    this.others = rest;
    this.overlays = el(
      "div",
      { class: "bar", role: "group", "aria-label": "methods beside it, each at its own optimum" },
      el("span", { class: "small" }, "beside it, each at its own optimum:"),
      rest,
    );
    this.cards = {
      plane: card(
        "Iterates on the problem",
        "",
        "Contours of the problem with the iterates; drag the start, or move it with the arrow keys",
        { keys: true },
      ),
      map: card("Stability", "", "Map of the parameters; drag the point, or move it with the arrow keys", { keys: true }),
      decay: card("Decay", "", "f minus its minimum against the iteration"),
      disk: card("Roots", "", "Roots of the characteristic polynomial in the unit disk"),
    };
    const { plane, map, decay: fall, disk: ring } = this.cards;
    this.plots = {
      plane: new Plot(plane.canvas, { height: 456, pad: [6, 6, 36, 40] }), // as high as the map with its scale
      map: new Plot(map.canvas, { height: 400, pad: [8, 10, 36, 50] }),
      decay: new Plot(fall.canvas, { height: 260, pad: [8, 10, 36, 50] }),
      disk: new Plot(ring.canvas, { height: 260, pad: [4, 4, 4, 4] }),
    };
    plane.node.classList.add("w7");
    map.node.classList.add("w5");
    map.node.append(this.map.scale);
    fall.node.classList.add("w7");
    ring.node.classList.add("w5");
    this.facts = el("div", { class: "facts" });
    this.derived = el("section", { class: "card derived w12" });
    this.axisPick = el("span", { class: "bar" });
    this.root.append(
      el("div", { class: "top" }, el("div", {}, this.title, this.lead, this.formula), el("div", { class: "bar" }, controls)),
      el("div", { class: "bar" }, pick, this.lab.problems.length > 1 ? loss : null, this.cursor, this.noise),
      this.sliders,
      ...(this.lab.rules.length > 1 ? [this.overlays] : []),
      this.facts,
      el("div", { class: "panels" }, plane.node, map.node, fall.node, ring.node, this.derived),
      this.says,
    );
    steer(
      this.plots.plane,
      (x, y) => this.move(x, y),
      (dx, dy) =>
        this.move(
          this.start[0] + (dx * (this.plots.plane.b - this.plots.plane.a)) / 100,
          this.start[1] + (dy * (this.plots.plane.f - this.plots.plane.e)) / 75,
        ),
      () => this.share(),
    );
    steer(
      this.plots.map,
      (u, v) => this.place(u, v),
      (dx, dy) => {
        const s = this.spans(),
          [u, v] = this.here();
        this.place(u + (dx * (s[0][1] - s[0][0])) / 200, v + (dy * (s[1][1] - s[1][0])) / 200);
      },
      () => this.share(),
    );
    data.title = data.title || this.rule.name;
  }

  // everything that changes with the rule or the problem
  describe() {
    const t = this.rule.theory;
    this.title.textContent = this.rule.name;
    this.lead.textContent = [this.rule.source, `on ${this.problem.name}`].filter(Boolean).join(" · ");
    this.formula.replaceChildren(...this.rule.formula.map(math));
    this.controls = this.rule.params.map((q, n) =>
      slider(label(q.name), { min: 0, max: 1, value: 0, name: q.name }, (v) => {
        this.p[this.i][q.place] = v;
        this.refresh();
      }),
    );
    const names = this.rule.params.map((q) => label(q.name)),
      axes = this.axes;
    const picks =
      this.rule.params.length > 2
        ? [0, 1].map((n) =>
            choice(n ? "map: up" : "map: across", names, axes[n], (a) => {
              const now = [...this.axes];
              if (now[1 - n] === a) now[1 - n] = now[n];
              now[n] = a;
              this.chosen = now;
              this.refresh();
            }),
          )
        : [];
    this.sliders.replaceChildren(...this.controls, ...picks);
    this.others.forEach((node, n) => {
      node.hidden = n === this.i;
    });
    this.choosers.pick.set(this.i);
    this.choosers.loss.set(this.j);
    legend(
      this.cards.map.legend,
      this.linear
        ? kindMarks(t.boundaries, colours().first)
        : [["stripe", "", "diverges"]],
    );
    this.bestButton.hidden = !this.best();
    this.explain(t);
  }

  explain(t) {
    const rows = [],
      letters = (tree) => (typeof tree === "string" ? tree.length : tree[2].reduce((sum, part) => sum + letters(part), 0)),
      shown = [t.region, ...(t.boundaries || []).map((b) => [b.formula]), ...(this.rule.flows || []).map((f) => f.formula)],
      long = shown.some((parts) => parts?.some((part) => letters(part) > 44)); // two columns would cut it
    const row = (name, ...values) => rows.push(el("div", {}, el("dt", {}, name), el("dd", {}, values)));
    if (t.region)
      row(
        "stable exactly where",
        listed(t.region),
        badge(t.status),
      );
    if (t.status === "proved") row("proof", el("span", { class: "small" }, t.method));
    for (const b of t.boundaries || []) row((KINDS[b.kind] || [b.kind])[0], math(b.formula));
    if (this.linear) {
      const best = this.best();
      if (best)
        row(
          "optimum here",
          this.axes
            .filter((a) => typeof a === "number")
            .map((a, n) => `${label(this.rule.params[a].name)} = ${show(best.values[n], 5)}`)
            .join(", ") + `, ρ = ${show(best.rho, 5)} `,
          badge(best.status),
        );
    }
    if (t.optimum)
      row(
        "optimum on [μ, L]",
        listed(t.optimum.formula),
        badge(t.optimum.status),
      );
    for (const f of this.rule.flows || [])
      row(
        f.name,
        listed(f.formula),
      );
    if (t.why) row(t.linear ? "not derived" : "no linear mode", el("span", { class: "small" }, t.why));
    const lams = this.lab.lams(this.j),
      where = this.problem.players
        ? `point of rest of ${this.problem.name}, with ${lams.map((v) => this.lab.called(this.i, v)).join("; ")}`
        : `minimizer of ${this.problem.name}, with curvatures λ = ${lams.map((v) => show(v)).join(", ")}`;
    const rest =
      "Noise is added to every gradient." + (this.rule.t0 ? " The rule divides by the time, so the clock starts at t = 1." : "");
    this.derived.replaceChildren(
      el("header", {}, el("h2", {}, "Derived from the declaration")),
      el("dl", { class: long ? "single" : null }, rows),
      el(
        "p",
        { class: "note" },
        !this.linear
          ? `The map shows what was measured on this page from the start of the path: the logarithm of f after ${MEASURED} steps. ${rest}`
          : `The map and the roots are those of the linearization at the ${where}; far from it, or at another minimizer, the path may do something else. ${rest}`,
      ),
    );
  }

  tell() {
    const rho = this.rho,
      p = this.p[this.i],
      best = this.best(),
      run = this.runs[this.i],
      rest = this.problem.players ? "rest" : "the minimizer";
    const verdict = !this.linear
      ? ["none", run.status === "success" ? "measured" : run.status]
      : this.undecided
        ? ["none", "the limit k → ∞ decides nothing"]
        : Math.abs(rho - 1) < ROUND
        ? ["none", `neither shrinks nor grows at ${rest}`]
        : rho < 1
        ? ["good", `stable at ${rest}`]
        : ["bad", `unstable at ${rest}`];
    const fact = (name, value) => el("span", {}, name, " ", el("b", {}, value));
    const digits = rho < 1 && !this.undecided ? Math.ceil(Math.log(0.1) / Math.log(rho)) : Infinity;
    this.facts.replaceChildren(
      el("span", { class: `verdict ${verdict[0]}` }, verdict[1]),
      ...(this.linear
        ? [fact("ρ =", rho.toFixed(5)), fact("steps per digit", Number.isFinite(digits) ? String(digits) : "∞")]
        : []),
      ...(best ? [fact("optimum ρ =", best.rho.toFixed(5))] : []),
      fact(`${this.lab.measured(this.j)} after ${run.n} steps`, show(10 ** this.heights[this.i][run.n])),
    );
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const words =
        `${this.rule.name} on ${this.problem.name}: ${verdict[1]}` +
        (this.linear ? `, contraction ${rho.toFixed(4)} per step` : "") +
        `; ${this.rule.params.map((q) => `${q.name} ${show(p[q.place])}`).join(", ")}`;
      this.says.textContent = words;
      this.cards.plane.say(`Start ${Array.from(this.start, (v) => show(v)).join(", ")}; ${run.n} iterations, ${run.status}.`);
      this.cards.map.say(words);
      this.cards.decay.say(`After ${run.n} steps ${this.lab.measured(this.j)} is ${show(10 ** this.heights[this.i][run.n])}.`);
      if (this.linear) this.cards.disk.say(`Largest modulus ${rho.toFixed(4)}.`);
    }, 350);
  }
}
