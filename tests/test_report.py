"""The main job: what it measures against linear maps whose answer is known, and the whole of it on real data."""
from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from dynopt.cli import main
from dynopt.report import job
from dynopt.report.mathml import mathml
from dynopt.report.measure import growth, multiplier, settled_growth, threshold


def linear_run(matrix):
    """Distances of the first coordinate's block under a linear map, from (1e-6, 0)."""
    def run(steps):
        z, out = np.array([1e-6, 0.0]), []
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(steps + 1):
                out.append(abs(z[0]))
                z = matrix @ z
        return np.array(out)
    return run


def heavy_ball(eta, beta, lam=1.0):
    return np.array([[1 - eta*lam, -beta], [eta*lam, beta]])


@pytest.mark.parametrize("factor", [0.5, 0.9, 0.999, 0.99999, 1.00001, 1.001, 1.5])
@pytest.mark.parametrize("angle", [0.0, 0.03, 1.0, 2.4, np.pi])
def test_growth_of_a_turning_spiral_is_its_modulus(factor, angle):
    turn = factor*np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = settled_growth(linear_run(turn))
    assert found.shrinks == (factor < 1)
    if found.steps > 900:                                   # a factor far from one is seen at once, and only roughly
        assert found.factor == pytest.approx(factor, abs=1e-5)


@pytest.mark.parametrize("beta", [0.3, 0.8, 0.99])
@pytest.mark.parametrize("eta", [0.001, 0.05, 1.0])
def test_multiplier_of_heavy_ball_is_its_spectral_radius(beta, eta):
    matrix, signal, z = heavy_ball(eta, beta), [], np.array([1e-6, 0.0])
    for _ in range(2000):
        signal.append(z[0])
        z = matrix @ z
    exact = np.max(np.abs(np.linalg.eigvals(matrix)))
    assert multiplier(np.array(signal), 2) == pytest.approx(exact, rel=1e-9)


def test_growth_that_leaves_at_once_is_called_by_its_direction():
    assert growth(np.array([1e-6, 1.0, np.inf, np.nan])).factor == np.inf
    assert growth(np.array([1e-6, np.nan])).factor == np.inf
    assert growth(np.array([1e-6, 1e-13, 0.0])).factor == 0


def test_a_cycle_of_finite_size_counts_as_growth():
    distances = np.minimum(1e-6*1.05**np.arange(1001), 0.3)
    assert growth(distances).factor == pytest.approx(1.05, rel=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9, 0.99])
def test_threshold_of_heavy_ball_is_its_flip(beta):
    low, high = threshold(lambda eta, n: linear_run(heavy_ball(eta, beta))(n), 0.01)
    assert low < 2*(1 + beta)*(1 + 1e-6) and high > 2*(1 + beta)*(1 - 1e-6)
    assert high - low <= 1e-4*high


def test_threshold_on_the_circle_is_found_though_roots_turn():
    def euler(h, gamma=1.0, lam=4.0):                       # |z|^2 = 1 - gamma*h + lam*h^2
        return np.array([[1, h], [-h*lam, 1 - gamma*h]])
    low, high = threshold(lambda h, n: linear_run(euler(h))(n), 0.01)
    assert low < 0.25*(1 + 1e-5) and high > 0.25*(1 - 1e-5)


def test_threshold_refuses_an_unstable_start():
    with pytest.raises(ValueError, match="does not shrink"):
        threshold(lambda eta, n: linear_run(heavy_ball(eta, 0.5))(n), 4.0)


# ---- the main job, on real data ----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    done = []
    report, pictures = job.run(tick=lambda message, ended: done.append(message) if ended else None)
    return report, {path.name: path for path in job.write(report, pictures, folder)}, done


@pytest.mark.slow
def test_every_region_is_proved_and_every_bound_is_met(made):
    report = made[0]
    assert len(report["methods"]) == 8
    for entry in report["methods"]:
        assert entry["proof"]["status"] == "proved", entry["label"]
        assert abs(entry["ratio"] - 1) < 5e-4, entry["label"]
        assert entry["bracket"][1]/entry["bracket"][0] - 1 <= 1e-4
        assert abs(entry["rate"]["ratio"] - 1) < 1e-4, entry["label"]


@pytest.mark.slow
def test_curvatures_agree_with_lanczos_and_the_minimizer_is_exact(made):
    data = made[0]["data"]
    assert data["mu"] == pytest.approx(data["mu_lanczos"], rel=1e-10)
    assert data["L"] == pytest.approx(data["L_lanczos"], rel=1e-10)
    assert data["gradient_norm"] < 1e-15 and data["samples"] == 569 and data["dimension"] == 30


@pytest.mark.slow
def test_iterates_approach_the_flow_at_first_order(made):
    assert made[0]["flow"]["order"] == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_the_best_point_of_the_picture_is_what_is_known(made):
    data, best = made[0]["data"], made[0]["best"]
    low, high = np.sqrt(data["mu"]), np.sqrt(data["L"])
    assert best["rho"] == pytest.approx((high - low)/(high + low), rel=1e-6)     # Polyak 1964, theorem 9


@pytest.mark.slow
def test_the_page_needs_nothing_else_and_holds_every_number(made):
    report, paths, done = made
    page = paths["report.html"].read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!data:)', page) and "<script" not in page and "url(" not in page
    assert page.count("<math") > 16 and page.count("data:image/svg+xml") == 2
    ElementTree.fromstring(re.sub(r"&\w+;", "", page[page.index("<main>"):page.index("</main>") + 7]))       # every tag closes
    assert json.loads(paths["report.json"].read_text(encoding="utf-8")) == json.loads(json.dumps(report))
    assert paths["report.svg"].stat().st_size < 400_000 and paths["report.png"].stat().st_size < 400_000
    assert len(done) == 2*len(report["methods"]) + 3


def test_files_are_never_lost(tmp_path, capsys):
    (tmp_path/"report.json").write_text("mine")
    assert main(["report", "--out", str(tmp_path)]) == 1
    assert "--force" in capsys.readouterr().err and (tmp_path/"report.json").read_text() == "mine"
    (tmp_path/"file").write_text("")
    assert main(["report", "--out", str(tmp_path/"file")]) == 1
    assert "expected a folder" in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("arguments, expected", [
    (["--data", "iris"], "expected one of breast_cancer"), (["--beta", "1"], "0 <= beta < 1"),
    (["--gamma=-0.1"], "positive friction"),
    (["--l2", "0"], "positive weight"), (["--beta", "much"], "valid number"),
])
def test_values_out_of_range_are_refused(tmp_path, capsys, arguments, expected):
    assert main(["report", "--out", str(tmp_path), *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_names_in_formulas_never_become_markup():
    made = mathml(r"\text{<b>} < <script> \alpha_{<i>}")
    assert "<b>" not in made and "<script>" not in made and "<i>" not in made
    ElementTree.fromstring(made)
