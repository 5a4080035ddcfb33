"""Pages in a real Chromium: no error, no request, drags and keys do what they say, links restore, frames are quick."""
from __future__ import annotations

import json

import numpy as np
import pytest
from browser import CHROMIUM, Browser

from dynopt import Method, Problem, explore, iterate, optimum, quadratic, rosenbrock, rules
from dynopt.explore.pages import PAGES
from dynopt.explore.widget import source

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")
LAB = "document.querySelector('main').dynopt"
SET = "((q, v, e) => { const s = document.querySelector(q); s.value = v(s); s.dispatchEvent(new Event(e)); })('%s', (s) => %s, '%s')"


@pytest.fixture(scope="module")
def browser():
    found = Browser()
    yield found
    found.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return explore(rules["heavy_ball"], rosenbrock(1, 5)).save(tmp_path_factory.mktemp("page")/"page.html")


def ready(browser):
    browser.until(f"{LAB} && {LAB}.map.ready")


@pytest.mark.parametrize("width", [1280, 820, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_an_error_a_request_or_a_sideways_scroll(browser, page, width, scheme):
    browser.open(page, width=width, scheme=scheme)
    ready(browser)
    assert browser.problems == [] and browser.requests == []
    assert browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(","))) < 150) == (scheme == "dark")
    drawn = browser.run("[...document.querySelectorAll('canvas')].map((c) => "
                        "new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size)")
    assert len(drawn) == 4 and min(drawn) > 20, "a panel is empty"


def test_dragging_the_start_moves_the_path(browser, page):
    browser.open(page)
    ready(browser)
    before = browser.run(f"Array.from({LAB}.start)")
    browser.drag("canvas", (.3, .5), (.6, .3))
    after = browser.run(f"Array.from({LAB}.start)")
    assert np.abs(np.subtract(before, after)).max() > .3
    assert browser.run(f"{LAB}.runs[0].x[0]") == after[0]
    assert browser.problems == []


def test_dragging_on_the_map_changes_parameters_and_verdict(browser, page):
    browser.open(page)
    ready(browser)
    browser.drag("section:nth-of-type(2) canvas", (.3, .3), (.93, .8))
    assert "unstable" in browser.run("document.querySelector('.verdict').textContent")
    assert browser.run(f"{LAB}.rho") > 1
    browser.drag("section:nth-of-type(2) canvas", (.9, .8), (.3, .3))
    assert browser.run("document.querySelector('.verdict').textContent") == "stable at the minimizer"


@pytest.mark.parametrize("name", ["heavy_ball", "nesterov", "gradient_descent"])
def test_boundaries_are_drawn_where_stability_ends_and_nowhere_else(browser, tmp_path, name):
    """Cells on the two sides of the region's rim against the drawn segments, each within two cells of the other."""
    browser.open(explore(rules[name], quadratic([1, 10]), beside=[]).save(tmp_path/"map.html"))
    ready(browser)
    rim, drawn = browser.run(f"""(() => {{
      const m = {LAB}.map, inside = (q, r) => m.z[r*m.W + q] < 1, rim = [], drawn = [];
      for (let r = 0; r < m.H - 1; r++) for (let q = 0; q < m.W - 1; q++) {{
        if (inside(q, r) !== inside(q + 1, r)) rim.push([q + .5, r]);
        if (inside(q, r) !== inside(q, r + 1)) rim.push([q, r + .5]); }}
      for (const b of m.boundaries()) for (let k = 0; k < b.list.length; k += 4)
        drawn.push([(b.list[k] + b.list[k + 2])/2, (b.list[k + 1] + b.list[k + 3])/2]);
      return [rim, drawn]; }})()""")
    apart = np.linalg.norm(np.array(rim)[:, None] - np.array(drawn)[None], axis=-1)
    assert len(rim) > 50
    assert apart.min(axis=0).max() <= 2, "a segment lies where nothing ends"
    assert np.mean(apart.min(axis=1) <= 2) > .97, "a piece of the rim was not drawn"


def test_keys_move_the_start_and_the_point_and_the_words_follow(browser, page):
    browser.open(page)
    ready(browser)
    for place, value in ((0, f"{LAB}.start[0]"), (1, f"{LAB}.p[0][{LAB}.rule.params[0].place]")):
        browser.run(f"document.querySelectorAll('canvas')[{place}].focus()")
        before = browser.run(value)
        browser.key("ArrowRight")
        assert browser.run(value) > before
    browser.rest_for(.6)
    assert "heavy_ball on rosenbrock: stable" in browser.run("document.querySelector('[role=status]').textContent")
    named = browser.run("[...document.querySelectorAll('canvas, input, select, button')].every((e) => "
                        "(e.getAttribute('aria-label') || e.textContent).trim().length > 0)")
    assert named, "a control has no name"


def test_a_slider_a_chooser_and_the_theme_button(browser, page):
    browser.open(page)
    ready(browser)
    browser.run(SET % ("input[aria-label=beta]", .5, "input"))
    assert abs(browser.run(f"{LAB}.p[0][{LAB}.rule.params[1].place]") - .5) < 1e-3
    browser.run(SET % ("select[aria-label=problem]", 1, "change"))
    ready(browser)
    assert browser.run(f"{LAB}.problem.name") == "quadratic"
    browser.run("[...document.querySelectorAll('button')].find((b) => b.textContent.includes('dark')).click()")
    assert browser.run("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert browser.problems == []


def test_play_step_and_reset(browser, page):
    browser.open(page)
    ready(browser)
    press = "[...document.querySelectorAll('button')].find((b) => b.textContent.includes('%s')).click()"
    browser.run(press % "play")
    browser.until(f"{LAB}.k > 3 && {LAB}.k < 200")
    browser.run(press % "step")
    now = browser.run(f"{LAB}.k")
    browser.rest_for(.3)
    assert browser.run(f"{LAB}.k") == now and not browser.run(f"{LAB}.playing")
    browser.run(press % "reset")
    assert browser.run(f"{LAB}.k") == 200


def test_a_link_restores_what_was_seen(browser, page):
    browser.open(page)
    ready(browser)
    browser.drag("canvas", (.3, .5), (.7, .4))
    browser.run(SET % ("select[aria-label=method]", 2, "change"))
    state, anchor = browser.run(f"{LAB}.state()"), browser.run("location.hash")
    browser.open(page, anchor=anchor)
    ready(browser)
    assert browser.run(f"{LAB}.state()") == state


@pytest.mark.parametrize("anchor", ["#%00", "#null", "#[1,2]", "#%7B%22p%22%3A%5B1e999%5D%7D", '#{"i":"<img>","x":["a",{}],"p":[null,1e400]}',
                                    '#{"__proto__":{"i":1},"j":99,"b":"x"}', "#" + "A"*4000])
def test_a_broken_link_is_a_fresh_page(browser, page, anchor):
    browser.open(page, anchor=anchor)
    ready(browser)
    assert browser.problems == [] and browser.run(f"{LAB}.i") == 0
    assert browser.run(f"Array.from({LAB}.p[0]).every(Number.isFinite) && Array.from({LAB}.start).every(Number.isFinite)")


def test_names_with_markup_are_shown_and_not_run(browser, tmp_path):
    names = ['"><img src=x onerror=document.title="hit">', '</script><script>document.title="hit"</script>', '<svg/onload=document.title="hit">']
    for name in names:
        rule = rules["gradient_descent"].renamed(name)
        problem = Problem(lambda x: (x*x).sum(), minimizer=[0, 0], name=name)
        browser.open(explore(rule, problem, beside=[rules["heavy_ball"].renamed(name)]).save(tmp_path/"inert.html"))
        ready(browser)
        assert browser.run("document.querySelector('h1').textContent") == name
        assert browser.run("document.title") == f"{name} on {name}"
        assert browser.run("document.querySelectorAll('main img, main svg, main script').length") == 0
        assert browser.problems == []


def test_the_policy_holds(browser, page):
    browser.open(page)
    ready(browser)
    browser.run("document.addEventListener('securitypolicyviolation', (e) => { (window.stopped = window.stopped || []).push(e.violatedDirective); })")
    browser.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hit = 1'}))")
    browser.run("(setTimeout('window.hit = 1'), fetch('https://example.org/').catch(() => 0))")
    browser.until("window.stopped && window.stopped.length >= 3")
    assert browser.run("typeof window.hit") == "undefined"
    assert {d.removesuffix("-elem") for d in browser.run("window.stopped")} == {"script-src", "connect-src"}


def test_the_path_in_the_browser_is_that_of_iterate(browser, page):
    browser.open(page)
    ready(browser)
    p = dict(zip(browser.run(f"{LAB}.rule.params.map((q) => q.name)"), browser.run(f"{LAB}.rule.params.map((q) => {LAB}.p[0][q.place])")))
    start, x = browser.run(f"Array.from({LAB}.start)"), np.reshape(browser.run(f"Array.from({LAB}.runs[0].x)"), (-1, 2))
    run = iterate(rules["heavy_ball"], rosenbrock(1, 5), x0=start, steps=200, **p)
    assert len(x) == 201 and np.abs(x - run.x).max() <= 1e-12*np.abs(run.x).max()


def test_a_rule_that_neither_shrinks_nor_grows_has_no_boundary_and_no_optimum(browser, tmp_path):
    """Alternating play on x y has roots of modulus one: rounding must not draw a map of itself."""
    browser.open(explore(rules["alternating_descent"], beside=[]).save(tmp_path/"page.html"))
    ready(browser)
    assert browser.run("document.querySelector('.verdict').textContent") == "neither shrinks nor grows at rest"
    assert browser.run(f"{LAB}.map.boundaries().reduce((n, b) => n + b.list.length, 0)") == 0
    assert browser.run("document.querySelector('.scale').hidden && [...document.querySelectorAll('button')].every("
                       "(b) => !b.textContent.includes('optimum') || b.hidden)")


def test_the_map_says_what_its_colours_mean(browser, page):
    browser.open(page)
    ready(browser)
    browser.drawn()
    told = browser.run("[...document.querySelectorAll('.scale .ticks span')].map((s) => +s.textContent)")
    least = browser.run(f"{LAB}.map.z.reduce((a, b) => Math.min(a, b))")
    assert len(told) == 5 and told[0] == 1 and told == sorted(told, reverse=True) and abs(told[-1] - least) < 1e-3


def test_a_rule_without_a_linear_mode_says_so(browser, tmp_path):
    browser.open(explore(rules["adam"], quadratic([1, 10])).save(tmp_path/"adam.html"))
    browser.until(f"{LAB}.map.row > 8")
    assert browser.run("document.querySelector('.verdict').textContent") == "measured"
    assert "no linear mode" in browser.run("document.querySelector('.derived').textContent")
    assert browser.problems == []


def test_without_javascript_there_is_a_picture_and_the_region(browser, page):
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.call("Page.navigate", url=page.resolve().as_uri())
        browser.call("DOM.enable")
        text = json.dumps(browser.call("DOM.getDocument", depth=-1))
        assert "stable exactly where" in text and "polyline" in text
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("name", [n for n in PAGES if n != "explorer"])
def test_every_page_works_for_every_rule_it_offers(browser, tmp_path, name):
    """Opened, each rule chosen, the first slider moved, the optimum asked for, a key pressed: no error, no request, no side scroll."""
    made = explore(rules["nesterov"], quadratic([1, 10]), page=name, beside=[rules[n] for n in ("gradient_descent", "aggmo", "adam")])
    browser.open(made.save(tmp_path/"page.html"), width=760)
    browser.until(f"{LAB} && window.dynoptFrames && window.dynoptFrames.length")
    for n in range(4):
        browser.run(SET % ("select[aria-label=method]", n, "change"))
        browser.run(SET % ("[aria-label=parameters] input", ".7*s.max", "input"))
        browser.run("[...document.querySelectorAll('button')].find((b) => b.textContent.includes('optimum')).click()")
        browser.run("document.querySelector('canvas[tabindex]')?.focus()")
        browser.key("ArrowRight")
        browser.drawn()
        words = browser.run("document.querySelector('[role=status]').textContent")
        shown = browser.run("!document.querySelector('.panels').hidden")
        assert shown or (n == 3 and "has none" in words), words
        assert "NaN" not in words and "undefined" not in words
    assert browser.problems == [] and browser.requests == []
    assert browser.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_dragging_refreshes_every_panel_and_says_how_long_it_took(browser, page, capsys):
    """The times are printed, not asserted: they belong to the machine. On a quiet one p95 of compute + draw is below 8 ms."""
    browser.open(page)
    ready(browser)
    browser.rest_for(.3)
    browser.run("window.dynoptFrames.length = 0")
    browser.drag("canvas", (.25, .5), (.75, .3), moves=60)
    browser.drag("section:nth-of-type(2) canvas", (.2, .3), (.6, .2), moves=60)
    frames = np.array(browser.run("window.dynoptFrames"))
    with capsys.disabled():
        print(f"\n{len(frames)} frames of compute + draw: median {np.median(frames):.1f} ms, p95 {np.quantile(frames, .95):.1f} ms")
    assert len(frames) > 20 and np.isfinite(frames).all()


def test_the_widget_follows_its_model_and_tells_it(browser, tmp_path):
    """The module that anywidget would load, with a model of ten lines in its place."""
    made = explore(rules["heavy_ball"], quadratic([1, 10]), beside=[rules["gradient_descent"]])
    (tmp_path/"host.html").write_text("<!doctype html><title>host</title><div id=el></div>", encoding="utf-8")
    browser.open(tmp_path/"host.html")
    model = ("{ held: {}, saved: 0, heard: [], get(n) { return this.held[n]; }, set(n, v) { this.held[n] = v; },"
             " save_changes() { this.saved++; }, on(e, f) { this.heard.push(f); } }")
    browser.run(f"(async () => {{ window.model = {model}; const code = new Blob([{json.dumps(source(made))}], {{type: 'text/javascript'}});"
                " const found = await import(URL.createObjectURL(code)); found.default.render({model, el: document.getElementById('el')}); })()")
    ready(browser)
    browser.drag("canvas", (.3, .5), (.6, .3))
    assert browser.run("model.saved") >= 1
    assert browser.run("model.held.state.x") == browser.run(f"Array.from({LAB}.start)")
    browser.run("(model.held.state = {...model.held.state, i: 1, x: [1, .5]}, model.heard.forEach((f) => f()))")
    assert browser.run(f"{LAB}.rule.name") == "gradient_descent" and browser.run(f"Array.from({LAB}.start)") == [1, .5]
    assert browser.run("location.hash") == "" and browser.problems == []


@pytest.mark.parametrize("name, made", [
    ("one coordinate", lambda: explore(rules["nesterov"], Problem(lambda x: (x**4/4 - x**2/2 + x/5).sum()), x0=1.6, beside=[])),
    ("a game", lambda: explore(rules["extragradient_play"], beside=[rules["simultaneous_descent"]])),
    ("two clients", lambda: explore(rules["fed_avg"], beside=[rules["incremental_gradient"]])),
    ("no parameter", lambda: explore(Method.from_string("x = x - grad(x)/10", state="x"), quadratic([1, 10]), beside=[]))])
def test_other_problems_are_dragged_and_shaken_too(browser, tmp_path, name, made):
    """The start is dragged, the map pressed, noise switched on: the path begins where the pointer let go, the derived spread is drawn."""
    browser.open(made().save(tmp_path/"page.html"))
    ready(browser)
    browser.drag("canvas", (.4, .5), (.7, .35))
    browser.drag("section:nth-of-type(2) canvas", (.3, .3), (.2, .6))
    start, view = browser.run(f"Array.from({LAB}.start)"), browser.run(f"Array.from({LAB}.views[0].slice(0, 2))")
    assert start == view[:len(start)] and (name != "one coordinate" or view[1] == browser.run(f"{LAB}.lab.value(0, [{start[0]}])"))
    browser.run(SET % ("input[aria-label=\"noise σ\"]", .3, "input"))
    browser.drawn()
    assert name == "two clients" or browser.run(f"{LAB}.covariance()[0]") > 0
    assert browser.problems == [] and browser.requests == []
    words = browser.run("document.querySelector('main').textContent")
    assert "NaN" not in words and "undefined" not in words
    drawn = browser.run("[...document.querySelectorAll('canvas')].map((c) => "
                        "new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size)")
    assert len(drawn) == 4 and min(drawn) > 20, "a panel is empty"


def test_methods_beside_it_run_at_their_own_derived_optimum(browser, page):
    browser.open(page)
    ready(browser)
    browser.run(SET % ("select[aria-label=problem]", 1, "change"))
    browser.run("[...document.querySelectorAll('[aria-label^=\"methods beside\"] button')].forEach((b) => b.hidden || b.click())")
    browser.drawn()
    names = browser.run(f"{LAB}.lab.rules.map((r) => r.name)")
    tuned = browser.run(f"{LAB}.tuned.map((p, i) => {LAB}.lab.rules[i].params.map((q) => p[q.place]))")
    order = browser.run(f"{LAB}.lab.rules.map((r) => r.params.map((q) => q.name))")
    assert len(names) == 3 and browser.run(f"{LAB}.runs.filter((r) => r && r.n === 200).length") == 3
    for name, values, params in zip(names, tuned, order):
        best = optimum(rules[name], mu=1, L=10).params
        np.testing.assert_allclose(values, [float(best[p]) for p in params], rtol=1e-6)


def test_noise_fills_the_derived_ellipse(browser, page):
    """After many steps with noise the iterates have the covariance that the page draws."""
    browser.open(page)
    ready(browser)
    browser.run(SET % ("select[aria-label=problem]", 1, "change"))
    browser.run(f"({LAB}.sigma = .2, {LAB}.refresh())")
    browser.drawn()
    derived = browser.run(f"{LAB}.covariance()")
    x = np.reshape(browser.run(f"Array.from({LAB}.lab.run(0, {LAB}.j, [0, 0], {LAB}.p[0], 20000, {{sigma: .2, seed: 5}}).x)"), (-1, 2))[500:]
    measured = np.cov(x.T)
    np.testing.assert_allclose([measured[0, 0], measured[1, 1]], [derived[0], derived[2]], rtol=.1)
    assert abs(derived[1]) < 1e-12


def test_motion_is_slow_where_it_is_to_be_reduced(browser, page):
    steps = {}
    for motion in ("no-preference", "reduce"):
        browser.open(page, motion=motion)
        ready(browser)
        browser.run("[...document.querySelectorAll('button')].find((b) => b.textContent.includes('play')).click()")
        browser.rest_for(1.2)
        steps[motion] = browser.run(f"{LAB}.k")
    assert 1 <= steps["reduce"] <= 4 < steps["no-preference"]


def test_formulas_are_mathml_with_their_proof(browser, page):
    browser.open(page)
    ready(browser)
    shown = browser.run("[...document.querySelectorAll('.derived dl > div')].map((row) => [row.querySelector('dt').textContent, "
                        "row.querySelectorAll('math').length, row.querySelector('.badge')?.textContent ?? null])")
    table = {words: (formulas, badge) for words, formulas, badge in shown}
    assert table["stable exactly where"] == (2, "proved") and table["optimum on [μ, L]"] == (3, "proved")
    assert table["limit flow"][0] >= 2 and table["root at −1"] == (1, None)
    assert browser.run("document.querySelectorAll('.rule math').length") == 2
    assert browser.run("document.querySelector('math').namespaceURI") == "http://www.w3.org/1998/Math/MathML"


def test_no_frame_shows_an_empty_panel_while_the_window_changes(browser, page):
    """A canvas that is resized is empty until it is drawn: both happen in one frame."""
    browser.open(page)
    ready(browser)
    empty = browser.run("""(async () => {
      let empty = 0;
      for (let width = 1200; width > 1000; width -= 20) {
        document.querySelector('main').style.width = `${width}px`;
        for (let n = 0; n < 3; n++) {
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));  // after layout, observers and paint
          for (const c of document.querySelectorAll('canvas'))
            empty += !c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v);
        }
      }
      return empty;
    })()""")
    assert empty == 0
