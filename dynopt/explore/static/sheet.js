// What the pages beside the explorer share: a heading, a rule and its parameters, panels, and the way to the optimum.
import { Plot, show } from "./canvas.js";
import { button, card, choice, el, finite, frames, label, math, readState, slider, themeButton, writeState } from "./ui.js";

export const THREE = [0.01, 0.1, 1]; // curvatures of the pages with three modes
export const ring = (ink) => [ink.second, ink.fourth, ink.third];

export class Sheet {
  constructor(root, lab, title, lead) {
    Object.assign(this, { root, lab, i: 0, j: 0, k: 0, plots: [], cards: [] });
    this.p = lab.rules.map((_, i) => lab.numbers(i));
    [this.draw, this.refresh] = frames(
      () => this.update(),
      (began) => {
        if (this.unfit) this.plots.forEach((q) => q.resize()); // asking for a width makes the browser lay the page out
        this.unfit = false;
        if (!this.panels.hidden) this.paint(began);
      },
    );
    this.memory = new Map();
    this.unfit = true;
    this.formula = el("div", { class: "rule" });
    this.sliders = el("div", { class: "bar", role: "group", "aria-label": "parameters" });
    this.bar = el("div", { class: "bar" });
    this.says = el("p", { class: "facts", role: "status", "aria-live": "polite" });
    this.panels = el("div", { class: "panels" });
    this.pick = choice(
      "method",
      lab.rules.map((r) => r.name),
      0,
      (n) => {
        this.i = n;
        this.choose();
      },
    );
    this.best = button("★ optimum", () => this.toOptimum());
    root.append(
      el(
        "div",
        { class: "top" },
        el("div", {}, el("h1", {}, title), el("p", { class: "lead" }, lead), this.formula),
        el(
          "div",
          { class: "bar" },
          this.best,
          themeButton(() => this.draw()),
        ),
      ),
      el("div", { class: "bar" }, this.pick, this.bar),
      this.sliders,
      this.says,
      this.panels,
    );
  }

  get rule() {
    return this.lab.rules[this.i];
  }
  get numbers() {
    return this.p[this.i];
  }
  get linear() {
    return this.rule.theory.linear;
  }
  get axes() {
    return this.rule.params.map((_, n) => n).slice(0, 2);
  }

  // after a page is built: the optimum to begin with, then whatever the address says
  // (`gentle`: a small step with little damping, where the optimum of a single mode would be there in one step)
  begin(gentle = false) {
    this.p.forEach((_, i) => (gentle ? this.soften(i) : this.tune(i)));
    const saved = readState();
    this.i = finite(saved.i, 0, this.lab.rules.length - 1, 0) | 0;
    if (Array.isArray(saved.p))
      this.numbers.forEach((v, n) => {
        this.numbers[n] = finite(saved.p[n], -1e9, 1e9, v);
      });
    new ResizeObserver(() => {
      this.unfit = true;
      this.draw();
    }).observe(this.root);
    this.choose();
  }

  tune(i) {
    if (!this.lab.rules[i].theory.linear || !this.lab.rules[i].params.length) return;
    const axes = this.lab.rules[i].params.map((_, n) => n).slice(0, 2),
      best = this.lab.optimum(i, this.j, axes, this.p[i]);
    if (best.rho < 1)
      axes.forEach((a, n) => {
        this.p[i][this.lab.rules[i].params[a].place] = best.values[n];
      });
  }

  soften(i) {
    this.lab.rules[i].params.slice(0, 2).forEach((q, n) => {
      const [, high] = this.lab.span(i, this.j, n);
      this.p[i][q.place] = n === 0 ? 0.05 * high : q.span && q.span[0] < 0 ? 0.8 * high : q.value;
    });
  }

  toOptimum() {
    this.tune(this.i);
    this.refresh();
  }

  choose() {
    this.pick.set(this.i);
    this.best.hidden = !this.linear || !this.rule.params.length;
    this.formula.replaceChildren(...this.rule.formula.map(math));
    this.controls = this.rule.params.map((q) =>
      slider(label(q.name), { min: 0, max: 1, value: 0, name: q.name }, (v) => {
        this.numbers[q.place] = v;
        this.refresh();
      }),
    );
    this.sliders.replaceChildren(...this.controls);
    this.refresh();
  }

  panel(title, note, words, width, options = {}) {
    const made = card(title, note, words, { keys: !!options.keys });
    made.node.classList.add(`w${width}`);
    this.panels.append(made.node);
    made.plot = new Plot(made.canvas, options);
    this.plots.push(made.plot);
    this.cards.push(made);
    return made;
  }

  // a slider of the page itself, such as the iteration
  own(words, options, change) {
    const made = slider(words, options, (v) => {
      change(v);
      this.refresh();
    });
    this.bar.append(made);
    return made;
  }

  say(words) {
    this.says.textContent = words;
    this.cards.forEach((c) => c.say(words));
  }

  // what is expensive and depends on the key alone
  kept(name, key, make) {
    const now = JSON.stringify(key),
      before = this.memory.get(name);
    if (before && before.now === now) return before.value;
    const value = make();
    this.memory.set(name, { now, value });
    return value;
  }

  update() {
    this.rule.params.forEach((q, n) => this.controls[n].set(this.numbers[q.place], ...this.lab.span(this.i, this.j, n)));
    if (this.linear || this.anyRule) {
      this.compute();
      this.panels.hidden = false;
    } else {
      this.panels.hidden = true;
      this.says.textContent = `This page looks at single modes, and ${this.rule.name} has none: ${this.rule.theory.why}`;
    }
    clearTimeout(this.sharing);
    this.sharing = setTimeout(() => {
      if (!this.lab.data.widget) writeState({ i: this.i, p: Array.from(this.numbers) });
    }, 300);
  }

  told(lams) {
    const rho = this.lab.worst(this.i, lams, this.numbers),
      digits = rho < 1 ? Math.ceil(Math.log(0.1) / Math.log(rho)) : Infinity;
    return `${this.rule.name}: ρ = ${rho.toFixed(4)}, ` + (rho < 1 ? `${show(digits)} steps per digit` : "unstable");
  }
}
