"""Plots draw what they are handed: right places, right names, the same bytes, and a clear word where they cannot."""
from __future__ import annotations

from types import SimpleNamespace

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from sympy import Abs, Function, Max, exp, sqrt, symbols

from dynopt.core.errors import ParameterError
from dynopt.plot import curves, style
from dynopt.plot.animation import animate, save_animation
from dynopt.plot.cloud import ellipse, plot_cloud, share_inside
from dynopt.plot.decay import plot_decay
from dynopt.plot.panels import four_panels
from dynopt.plot.paths import contour_levels, in_plane, plane_of, plot_paths
from dynopt.plot.phase import plot_phase
from dynopt.plot.regions import plot_region
from dynopt.plot.spectra import follow, plot_spectrum

ETA, BETA, LAM = symbols("eta beta lam", positive=True)
BOWL = SimpleNamespace(f=lambda x: (x**2).sum(-1), minimizer=np.zeros(2), name="bowl")


class Wedge:
    """The heavy ball's region, as the theory hands it over."""

    names = ("eta", "beta", "lam")
    free_symbols = frozenset((ETA, BETA, LAM))
    boundaries = (SimpleNamespace(kind="flip", curve=2 * (1 + BETA) - ETA * LAM),
                  SimpleNamespace(kind="neimark_sacker", curve=BETA - 1), SimpleNamespace(kind="fold", curve=ETA))

    def contains(self, *, eta, beta, lam):
        return (abs(beta) < 1) & (eta > 0) & (eta * lam < 2 * (1 + beta))


@pytest.fixture(autouse=True)
def _clean():
    with style.use("paper"):
        yield
    plt.close("all")


def spiral(n=40, flow=False):
    t = np.linspace(0, 20, n)
    x = np.exp(-0.1 * t)[:, None] * np.column_stack([np.cos(t), np.sin(t)])
    clock = {"t": t} if flow else {"k": np.arange(n)}
    return SimpleNamespace(**clock, x=x, v=np.gradient(x, axis=0), f=BOWL.f(x), energy=BOWL.f(x))


def direct(ax):
    """The texts of the direct labels of some axes."""
    return [label.text for artist in ax.artists for label in getattr(artist, "labels", [])]


def panels():
    z = np.linspace(1e-3, 4.1, 200)
    roots = np.array([np.roots([1, q - 1.9, 0.9]) for q in z])
    return four_panels(iterates=spiral(), flow=spiral(400, flow=True), problem=BOWL, step=20 / 39, region=Wedge(), roots=roots,
                       parameter=z,
                       region_options={"at": {"lam": 1.0}, "labels": {"fold": ""}, "ylim": (-1, 1.2),
                                       "rate": lambda eta, beta, lam: np.sqrt(abs(beta)) + 0 * eta,
                                       "mark": [("here", {"eta": 1.0, "beta": 0.5}), ("best", {"eta": 3.0, "beta": 0.7}, "*")]},
                       spectrum_options={"exits": "", "mark": [(r"$\mu$", roots[5])]}, decay_options={"rho": 0.95})


# -- style -------------------------------------------------------------------------------------------------------------
def test_a_style_is_a_context_that_puts_everything_back():
    before = dict(mpl.rcParams)
    with style.use("dark") as colours:
        assert style.palette() is colours and colours.name == "dark"
        assert mpl.rcParams["axes.facecolor"] == colours.ground
    assert style.palette().name == "paper" and dict(mpl.rcParams) == before


def test_a_style_called_as_a_function_stays():
    style.use("dark")
    assert style.palette().name == "dark"


def test_an_unknown_style_names_those_there_are():
    with pytest.raises(ParameterError, match="'neon'.*paper, dark"):
        style.use("neon")


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("name", style.PALETTES)
def test_every_text_colour_can_be_read_on_its_page(name):
    colours = style.PALETTES[name]
    for colour in (colours.ink, colours.muted, colours.flow, colours.iterates, *colours.more):
        high, low = sorted((luminance(colour), luminance(colours.ground)), reverse=True)
        assert (high + 0.05) / (low + 0.05) > 3.0, colour


def test_the_same_picture_gives_the_same_bytes(tmp_path):
    files = [style.save(panels(), *(tmp_path / f"{name}{ending}" for ending in (".svg", ".pdf", ".png"))) for name in "ab"]
    for first, second in zip(*files, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.suffix
        assert len(first.read_bytes()) < 400_000
    text = files[0][0].read_text()
    assert text.count("data:image/png;base64,") >= 2 and "<dc:date>" not in text, "fields are pixels, and no clock is read"
    assert "scale(0.015625" in text, "glyph scales keep every digit"


def test_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"hero\.bmp.*\.svg"):
        style.save(plt.figure(), tmp_path / "hero.bmp")


@pytest.mark.parametrize("name, latex", [("eta", r"\eta"), ("lam", r"\lambda"), ("lam_1", r"\lambda_{1}"), ("x2", "x_{2}"),
                                         ("mu_max", r"\mu_{\mathrm{max}}"), ("a_b_c", r"a_{\mathrm{b\_c}}")])
def test_names_become_symbols(name, latex):
    assert style.tex(name) == latex


# -- paths -------------------------------------------------------------------------------------------------------------
def test_paths_show_every_point_and_the_minimizer():
    run = spiral()
    drawn = plot_paths([run, spiral(300, flow=True)], problem=BOWL, labels=["iterates", "flow"])
    assert np.array_equal(drawn["curves"][0].get_xydata(), run.x)
    assert drawn["curves"][1].get_color() == style.palette().flow
    assert drawn["minimizer"].get_xydata().tolist() == [[0, 0]] and drawn["start"].get_xydata().tolist() == [[1, 0]]
    assert [text.get_text() for text in drawn["labels"]] == ["iterates", "flow"]


def test_an_ensemble_is_drawn_path_by_path():
    runs = SimpleNamespace(k=np.arange(5), x=np.random.default_rng(1).normal(size=(3, 5, 2)))
    ax = plt.subplots()[1]
    drawn = plot_paths(runs, ax)
    assert len(drawn["curves"][0].get_xdata()) == 15 and drawn["start"] is None
    assert np.array_equal(ax.lines[1].get_xydata(), runs.x[1])


def test_a_function_of_one_vector_has_contours_too():
    scalar = SimpleNamespace(f=lambda x: float(x[0] ** 2 + x[1] ** 2), minimizer=None)
    vector = plot_paths(spiral(), problem=BOWL)["contours"]
    assert np.allclose(plot_paths(spiral(), problem=scalar)["contours"].levels, vector.levels)


def test_more_than_two_dimensions_need_a_plane():
    x = np.random.default_rng(2).normal(size=(6, 4)) @ np.diag([3, 2, 0, 0])
    with pytest.raises(ParameterError, match=r"\(6, 4\).*plane=plane_of"):
        plot_paths(SimpleNamespace(k=np.arange(6), x=x))
    flat = in_plane(x, plane_of(x, np.zeros(4)))
    assert np.allclose(np.linalg.norm(flat, axis=1), np.linalg.norm(x, axis=1)), "these points lie in a plane: lengths stay"


def test_contour_levels_span_decades_or_even_rings():
    steep = contour_levels(np.geomspace(1e-6, 1e3, 1000))
    assert np.allclose(np.diff(np.log(steep - 1e-6)), np.log(steep[1] - 1e-6) - np.log(steep[0] - 1e-6))
    assert np.allclose(np.diff(np.sqrt(contour_levels(np.linspace(0, 1, 1000)))), 1 / 15)
    assert (np.diff(contour_levels(np.full(9, 2.0))) > 0).all()


# -- decay -------------------------------------------------------------------------------------------------------------
def test_the_derived_slope_has_the_derived_slope_and_stands_above_the_tail():
    k = np.arange(200)
    run = SimpleNamespace(k=k, f=3 + 0.98 ** (2 * k) * (1.5 + np.cos(k)))
    drawn = plot_decay(run, floor=3.0, rho=0.98, labels=["iterates"])
    x, y = drawn["slope"].get_xydata().T
    assert np.allclose(np.diff(np.log(y)) / np.diff(x), 2 * np.log(0.98))
    assert (np.interp(k[120:], x, np.log(y)) >= np.log(run.f[120:] - 3.0)).all()
    assert "0.9800" in direct(drawn["slope"].axes)[-1].get_text()


def test_a_flow_is_put_on_the_axis_of_iterations():
    drawn = plot_decay([spiral(), spiral(300, flow=True)], step=0.5)
    assert drawn["curves"][1].get_xdata()[-1] == pytest.approx(40)


def test_nothing_positive_says_which_floor_it_wants():
    with pytest.raises(ParameterError, match="floor"):
        plot_decay(SimpleNamespace(k=np.arange(3), f=np.ones(3)), floor=2.0)


# -- regions -----------------------------------------------------------------------------------------------------------
def test_each_boundary_lies_on_its_curve_and_only_where_it_bounds():
    drawn = plot_region(Wedge(), at={"lam": 2.0}, xlim=(-0.5, 3), ylim=(-0.7, 1.5))
    shades = {line.get_color(): line.get_xydata() for line in drawn["boundaries"]}
    flip, ring = shades[style.palette().iterates], shades[style.palette().more[0]]
    assert np.allclose(2 * flip[:, 0], 2 * (1 + flip[:, 1]), atol=1e-9), "also where the frame cuts it: no feet along the edge"
    assert flip[:, 1].min() > -0.71 and flip[:, 1].max() < 1.01, "beyond |beta| = 1 the line bounds nothing"
    assert ring[:, 0].min() > -0.01 and ring[:, 0].max() < 2.01
    named = sorted(text.get_text() for text in drawn["labels"])
    assert named == ["Neimark\N{EN DASH}Sacker", "flip (\N{MINUS SIGN}1)", "fold (+1)", "unstable"]


def test_the_field_covers_the_region_and_nothing_else():
    drawn = plot_region(Wedge(), at={"lam": 1.0}, xlim=(0, 4), ylim=(-1, 1), rate=lambda eta, beta, lam: 0.5 + 0 * eta * beta)
    share = drawn["field"].get_alpha()
    assert share.mean() == pytest.approx(0.5, abs=2e-3), "a triangle is half of its box"
    assert drawn["field"].get_array().max() == pytest.approx(np.log10(2))
    assert drawn["colorbar"] is not None


def test_a_set_known_by_membership_alone_still_has_an_edge():
    disk = SimpleNamespace(names=("a", "b"), free_symbols={"a", "b"}, boundaries=(), contains=lambda a, b: a**2 + b**2 < 1)
    drawn = plot_region(disk, xlim=(-2, 2), ylim=(-2, 2), color="#0072B2", label="disk")
    assert np.allclose(np.hypot(*drawn["boundaries"][0].get_xydata().T), 1, atol=4e-3)


def test_a_parameter_without_a_value_is_asked_for():
    with pytest.raises(ParameterError, match="eta, beta, lam.*at={'lam': 1.0}"):
        plot_region(Wedge())


@pytest.mark.parametrize("lam", [0.02, 1.0, 300.0])
def test_without_limits_the_region_is_shown_whole(lam):
    drawn = plot_region(Wedge(), at={"lam": lam})
    ax = drawn["field"].axes
    share = curves.coverage(lambda u, v: Wedge().contains(eta=u, beta=v, lam=lam), ax.get_xlim(), ax.get_ylim(), 100)
    assert 0.3 < share.mean() < 0.5, "a triangle with a little air"
    assert max(share[0].max(), share[-1].max(), share[:, 0].max(), share[:, -1].max()) == 0


def test_a_set_without_end_is_cut_and_an_empty_one_is_no_error():
    assert curves.extent(lambda u, v: (u > 0) & (abs(v) < 1), (4.0, 4.0))[0][1] == pytest.approx(4.75, abs=0.1)
    assert curves.extent(lambda u, v: (u > 0) & (u < 0), (4.0, 4.0)) == 2 * (pytest.approx((-1.16, 1.16)),)


def test_curves_are_evaluated_without_running_their_text():
    a, b = symbols("a __import__('os')")
    values = {"a": np.array([1.0, 4.0]), b.name: 2.0}
    found = curves.evaluate(sqrt(a) * b - Abs(a - 5) / 2 + exp(-b), values)
    assert np.allclose(found, np.sqrt([1, 4]) * 2 - [2, 0.5] + np.exp(-2))
    assert np.allclose(curves.evaluate(Max(a, 2) + 1, values), [3, 5])
    with pytest.raises(ParameterError, match="needs a value for 'c'"):
        curves.evaluate(a + symbols("c"), values)
    with pytest.raises(ParameterError, match="Bessel"):
        curves.evaluate(Function("Bessel")(a), values)


# -- spectra, phase plane, clouds --------------------------------------------------------------------------------------
def test_roots_are_followed_whatever_their_order():
    s = np.linspace(0, 1, 200)
    branches = np.column_stack([np.exp(1j * s), 2 + 1j * s, -1 - s])
    shuffled = np.array([np.random.default_rng(i).permutation(row) for i, row in enumerate(branches)])
    found = follow(shuffled)
    assert np.abs(np.diff(found, axis=0)).max() < 0.02
    assert np.allclose(np.sort_complex(found), np.sort_complex(branches))


def test_the_exit_is_found_where_the_root_crosses_the_circle():
    z = np.linspace(1e-3, 4.5, 900)
    roots = np.array([np.roots([1, q - 1.9, 0.9]) for q in z])
    drawn = plot_spectrum(roots, parameter=z, exits="", mark=[("here", roots[100])])
    assert np.allclose(drawn["exit"].get_xydata(), [[-1, 0]], atol=1e-12)
    assert any("leaves" in text.get_text() and "3.8" in text.get_text() for text in direct(drawn["exit"].axes))


def test_a_locus_and_its_parameter_have_the_same_length():
    with pytest.raises(ParameterError, match=r"3 values.*\(4, 2\)"):
        plot_spectrum(np.zeros((4, 2)), parameter=[1, 2, 3])


def test_the_phase_plane_has_arrows_along_the_field():
    drawn = plot_phase([spiral()], y="v", entry=0, field=lambda x, v: (v, -x), xlim=(-1, 1), ylim=(-1, 1), labels=["iterates"])
    arrows = drawn["field"]
    assert np.allclose(np.hypot(arrows.U, arrows.V), 1) and np.allclose(arrows.U * arrows.X + arrows.V * arrows.Y, 0, atol=1e-12)
    with pytest.raises(ParameterError, match="no state 'p'"):
        plot_phase(spiral(), y="p")


def test_the_ellipse_of_a_covariance_holds_its_share():
    matrix = np.array([[2.0, 0.8], [0.8, 0.6]])
    samples = np.random.default_rng(3).multivariate_normal([0, 0], matrix, 20_000)
    assert share_inside(samples, matrix, 0.9) == pytest.approx(0.9, abs=0.007)
    ring = ellipse(matrix, (0, 0), 0.9)
    assert np.allclose(np.einsum("ni,ij,nj->n", ring, np.linalg.inv(matrix), ring), -2 * np.log(0.1))
    assert len(plot_cloud(samples, covariance=matrix)["ellipses"]) == 2
    with pytest.raises(ParameterError, match="positive definite"):
        plot_cloud(samples, covariance=[[1, 2], [2, 1]])


# -- animation, panels -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_an_animation_has_all_its_frames(tmp_path, ending):
    from PIL import Image
    moving = animate([spiral(), spiral(200, flow=True)], problem=BOWL, step=20 / 39, frames=4)
    path = save_animation(moving, tmp_path / f"run.{ending}", fps=10, dpi=40)
    with Image.open(path) as image:
        assert image.n_frames == 4


def test_an_animation_refuses_what_it_cannot_write(tmp_path, monkeypatch):
    with pytest.raises(ParameterError, match=r"\.gif, \.webp or \.mp4"):
        save_animation(None, tmp_path / "run.avi")
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ParameterError, match=r"ffmpeg.*'run\.webp'"):
        save_animation(None, tmp_path / "run.mp4")
    with pytest.raises(ParameterError, match="frames=1"):
        animate(spiral(), frames=1)


@pytest.mark.parametrize("name", style.PALETTES)
def test_no_text_of_the_four_panels_is_cut_off_or_left_out(name):
    with style.use(name):
        figure = panels()
    figure.canvas.draw()
    drawn, page = figure.get_tightbbox(), figure.bbox_inches
    assert page.x0 <= drawn.x0 and drawn.x1 <= page.x1 and page.y0 <= drawn.y0 and drawn.y1 <= page.y1
    placed = [text for ax in figure.axes for text in direct(ax)]
    assert len(placed) >= 11 and all(text.get_visible() for text in placed)
