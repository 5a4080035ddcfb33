"""How long the pages take to compute and draw a frame in headless Chromium: `python bench/pages.py [page ...]`.

Every plot that can be dragged is dragged, every slider is moved; a frame counts from the moment when it begins to compute until
all panels are drawn. Printed for each page: its size, frames, median and 95th percentile in milliseconds.
"""
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from dynopt import explore, quadratic, rosenbrock, rules
from dynopt.explore.pages import PAGES

sys.path.insert(0, str(Path(__file__).parents[1]/"tests"))
from browser import Browser

LAB = "document.querySelector('main').dynopt"
SLIDERS = """(async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (const s of document.querySelectorAll('input[type=range]')) {
    const before = s.value;
    for (let k = 1; k <= 20; k++) {
      s.value = +s.min + (s.max - s.min) * (0.1 + 0.03 * k);
      s.dispatchEvent(new Event('input'));
      await frame();
      await frame();
    }
    s.value = before;
    s.dispatchEvent(new Event('input'));
    await frame();
  }
})()"""


def frames(browser: Browser, path: Path) -> np.ndarray:
    """Milliseconds of every frame of a page while all that moves is moved."""
    browser.open(path)
    browser.until(f"{LAB} && window.dynoptFrames && window.dynoptFrames.length && (!{LAB}.map || {LAB}.map.ready)")
    browser.run("window.dynoptFrames.length = 0")
    for n in range(browser.run("document.querySelectorAll('canvas[tabindex]').length")):
        browser.run(f"document.querySelectorAll('canvas[tabindex]')[{n}].id = 'moved{n}'")
        browser.drag(f"#moved{n}", (.25, .4), (.7, .25), moves=40)
    browser.run(SLIDERS)
    return np.array(browser.run("window.dynoptFrames"))


def main(names: list[str]) -> int:
    """Measure the named pages, or all of them; four methods on one problem, flows drawn, all methods overlaid."""
    browser = Browser()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name in names or PAGES:
                made = explore(rules["heavy_ball"], rosenbrock(1, 5) if name == "explorer" else quadratic([1, 10]), page=name,
                               beside=[rules["gradient_descent"], rules["nesterov"]])
                took = frames(browser, made.save(Path(folder)/"page.html"))
                print(f"{name:15} {len(made.html.encode())/1000:4.0f} kB {len(took):5} frames  median {np.median(took):5.2f} ms  "
                      f"p95 {np.quantile(took, .95):5.2f} ms", flush=True)
    finally:
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
