// Elements, formulas and controls. Text reaches the page as text only: no markup is ever parsed.
import { cividis, forgetColours, show } from "./canvas.js";

const MATH = "http://www.w3.org/1998/Math/MathML";
const MATH_TAGS = new Set("math mrow mi mn mo mtext mspace msup msub msubsup mfrac msqrt mover munder mtable mtr mtd".split(" "));
const MATH_ATTRIBUTES = new Set("display displaystyle stretchy lspace rspace width accent".split(" "));

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat(3).filter((c) => c != null));
  return node;
}

// a formula from nested lists [tag, attributes, children]; whatever is not known MathML becomes its text
export function math(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, children] = tree;
  const node = document.createElementNS(MATH, MATH_TAGS.has(tag) ? tag : "mrow");
  for (const [name, value] of Object.entries(attributes)) if (MATH_ATTRIBUTES.has(name)) node.setAttribute(name, String(value));
  node.append(...children.map(math));
  return node;
}

// several formulas with commas between them, each unbroken
export const listed = (trees) =>
  trees.map((tree, n) => el("span", { class: "part" }, math(tree), n < trees.length - 1 ? "," : null));

export function badge(status) {
  const word = status === "proved" ? "proved" : status === "numeric" ? "numeric" : "unknown";
  return el("span", { class: `badge ${word}` }, word);
}

const GREEK = {
  alpha: "α",
  beta: "β",
  gamma: "γ",
  eta: "η",
  lam: "λ",
  mu: "μ",
  nu: "ν",
  rho: "ρ",
  sigma: "σ",
  theta: "θ",
  kappa: "κ",
  tau: "τ",
  omega: "ω",
  delta: "δ",
  eps: "ε",
};
const LOW = "₀₁₂₃₄₅₆₇₈₉";
export function label(name) {
  const found = /^([a-zA-Z]+?)_?(\d*)$/.exec(name);
  return found && Object.hasOwn(GREEK, found[1]) ? GREEK[found[1]] + [...found[2]].map((d) => LOW[+d]).join("") : name;
}

export function slider(
  words,
  { min, max, value, step = (max - min) / 1000, digits = 3, format = (v) => show(v, digits), name = words },
  change,
) {
  const out = el("output", {}, format(value));
  const input = el("input", {
    type: "range",
    min,
    max,
    step,
    value,
    "aria-label": name,
    oninput: () => {
      held = "";
      out.textContent = format(+input.value);
      change(+input.value);
    },
  });
  const node = el("label", { class: "control" }, el("span", {}, words), input, out);
  let held = "";
  node.set = (v, low = +input.min, high = +input.max) => {
    const now = `${v} ${low} ${high}`;
    if (now === held) return; // attributes cost more than the whole path
    held = now;
    Object.assign(input, { min: low, max: high, step: step === 1 ? 1 : (high - low) / 1000, value: v });
    out.textContent = format(v);
    input.setAttribute("aria-valuetext", format(v));
  };
  return node;
}

export function choice(words, options, value, change) {
  const select = el(
    "select",
    { "aria-label": words, onchange: () => change(+select.value) },
    options.map((o, i) => el("option", { value: i, selected: i === value }, o)),
  );
  const node = el("label", { class: "control" }, el("span", {}, words), select);
  node.set = (v) => {
    select.value = v;
  };
  return node;
}

export const button = (words, press, extra = {}) => el("button", { type: "button", onclick: press, ...extra }, words);

export function toggle(words, on, change) {
  const node = button(words, () => {
    node.set(node.getAttribute("aria-pressed") !== "true");
    change(node.getAttribute("aria-pressed") === "true");
  });
  node.set = (v) => node.setAttribute("aria-pressed", v ? "true" : "false");
  node.set(on);
  return node;
}

// a card with a heading, a legend and a canvas that keyboards and screen readers can use
export function card(title, note, words, { keys = false } = {}) {
  const canvas = el("canvas", { role: keys ? "application" : "img", "aria-label": words, ...(keys ? { tabindex: 0 } : {}) });
  const legend = el("span", { class: "legend" }, note);
  const node = el("section", { class: "card" }, el("header", {}, el("h2", {}, title), legend), canvas);
  return { node, canvas, legend, say: (text) => canvas.setAttribute("aria-label", `${words}. ${text}`) };
}

// the colours of a map from its worst to its best value, and what they stand for
export function scale() {
  const ramp = el("i", { class: "ramp", "aria-hidden": "true" }),
    words = el("span"),
    ticks = el("span", { class: "ticks" }),
    node = el("div", { class: "scale", hidden: true }, words, ramp, ticks);
  ramp.style.background = `linear-gradient(90deg,${Array.from({ length: 10 }, (_, n) => `rgb(${cividis(n / 9).map(Math.round)})`)})`;
  node.set = (title, values) => {
    const now = [title, ...values].join();
    if (node.shown === now) return;
    node.shown = now;
    node.hidden = !values.length;
    words.textContent = title;
    ticks.replaceChildren(...values.map((v) => el("span", {}, v)));
  };
  return node;
}

export function legend(node, entries) {
  const now = entries.join();
  if (node.shown === now) return;
  node.shown = now;
  node.replaceChildren(
    ...entries.map(([kind, colour, words]) => {
      const mark = el("i", { class: `mark ${kind}`, "aria-hidden": "true" });
      mark.style.color = colour;
      return el("span", {}, mark, words);
    }),
  );
}

// pointer drags and arrow keys on a plot: move(x, y) with data coordinates, nudge(dx, dy) in steps
export function steer(plot, move, nudge, done = () => {}) {
  const { canvas } = plot;
  let on = false;
  canvas.addEventListener("pointerdown", (e) => {
    on = true;
    plot.held = true;
    try {
      canvas.setPointerCapture(e.pointerId);
    } catch {
      on = true;
    }
    move(...plot.at(e));
  });
  canvas.addEventListener("pointermove", (e) => {
    if (on) move(...plot.at(e));
  });
  for (const end of ["pointerup", "pointercancel"])
    canvas.addEventListener(end, () => {
      on = false;
      plot.held = false;
      done();
    });
  canvas.addEventListener("keydown", (e) => {
    const d = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (!d) return;
    e.preventDefault();
    nudge(d[0] * (e.shiftKey ? 10 : 1), d[1] * (e.shiftKey ? 10 : 1));
    done();
  });
}

// light, dark, or as the system says
export function themeButton(changed) {
  const root = document.documentElement,
    system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const say = () => {
    node.textContent = dark() ? "☀ light" : "☾ dark";
  };
  const node = button(
    "",
    () => {
      root.dataset.theme = dark() ? "light" : "dark";
      forgetColours();
      say();
      changed();
    },
    { "aria-label": "switch between light and dark" },
  );
  system.addEventListener("change", () => {
    forgetColours();
    say();
    changed();
  });
  say();
  return node;
}

// computes what went stale, then draws, at most once a frame; what both took is kept for the tests
export function frames(compute, draw) {
  const took = (window.dynoptFrames = window.dynoptFrames || []);
  let waiting = 0,
    stale = false;
  const frame = () => {
    waiting = 0;
    const began = performance.now();
    if (stale) {
      stale = false;
      compute();
    }
    draw(began);
    took.push(performance.now() - began);
    if (took.length > 2000) took.shift();
  };
  const ask = () => {
    waiting ||= requestAnimationFrame(frame);
  };
  return [
    ask,
    () => {
      stale = true;
      ask();
    },
  ];
}

// the state in the address, so that a link restores it; only plain numbers and short lists survive
export function readState() {
  try {
    const found = JSON.parse(decodeURIComponent(location.hash.slice(1)));
    return found && typeof found === "object" && !Array.isArray(found) ? found : {};
  } catch {
    return {};
  }
}
export function writeState(state) {
  try {
    history.replaceState(null, "", "#" + encodeURIComponent(JSON.stringify(state)));
  } catch {
    return false;
  }
  return true;
}
export const finite = (v, low, high, otherwise) =>
  typeof v === "number" && Number.isFinite(v) && v >= low && v <= high ? v : otherwise;
