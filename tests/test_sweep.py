"""A sweep is its points: whatever the tiles, the executor, or how often it was interrupted."""
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dynopt import RuleError, gradient_flow, heavy_ball, iterate, method, quadratic, rosenbrock, solve
from dynopt.run import sweep as sweeps
from dynopt.run import sweep_tiles
from dynopt.run.sweep import sweep

GRID = {"eta": np.linspace(1e-4, 8e-3, 9), "beta": np.linspace(0, .95, 7)}
GIVEN = dict(x0=[-1.2, 1.], steps=120, progress=False)


@method
def noisy(x, *, eta, beta, grad, noise):
    return x - eta*(grad(x) + beta*noise())


@method
def ema(x, v, *, eta, beta, grad):
    v = beta*v + (1 - beta)*x
    return x - eta*grad(v), v


def test_without_xarray_the_cure_is_told(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xarray", None)
    with pytest.raises(ImportError, match=r"pip install dynopt\[sweep\]"):
        sweep(heavy_ball, rosenbrock(), GRID, **GIVEN)


@pytest.mark.parametrize("change, told", [
    (dict(grid=None), "expected values by parameter"), (dict(grid={"eta": .1}), r"grid\['eta'\] has shape \(\)"),
    (dict(grid={"lr": [.1]}), "unknown parameter 'lr'"), (dict(eta=.1), "eta is in the grid and given"),
    (dict(steps=None), "expected steps=1000"), (dict(until=3.), "expected steps=1000 and not until"),
    (dict(grid={"eta": [.1]}, beta=np.array([.5, .6])), r"beta has shape \(2,\), expected one number"),
    (dict(grid={"eta": [.1, -1.], "beta": [.5]}), "expected eta > 0"), (dict(grid={"eta": [.1, np.nan], "beta": [.5]}), "expected finite")])
def test_refusals(change, told, monkeypatch):
    monkeypatch.setattr(sweeps, "need_xarray", lambda: None)
    given = GIVEN | {"grid": GRID} | change
    with pytest.raises((ValueError, RuleError), match=told):
        sweep(heavy_ball, rosenbrock(), given.pop("grid"), **given)


def tiles(rule, size, grid=GRID, **change):
    given = GIVEN | {"problem": rosenbrock(), "seed": 5} | change
    job = sweeps.read_job(rule, given["problem"], grid, given["x0"], given["steps"], None, given["seed"], {})
    total = int(np.prod(job.shape))
    parts = [sweep_tiles.run_tile(job, lo, min(lo + size, total)) for lo in range(0, total, size)]
    return {n: np.concatenate([p[n] for p in parts]) for n in parts[0]}


@pytest.mark.parametrize("rule", [heavy_ball, noisy, ema])
def test_tiles_change_nothing(rule):
    whole = tiles(rule, 63)
    for size in (1, 10, 32):
        parts = tiles(rule, size)
        assert all(np.array_equal(whole[n], parts[n], equal_nan=True) for n in whole)
    assert len(np.unique(whole["status"])) > 1 or rule is ema


@pytest.mark.parametrize("rule", [heavy_ball, ema])
def test_a_point_is_the_run_alone(rule):
    found = tiles(rule, 63)
    for i, eta in enumerate(GRID["eta"]):
        for j, beta in enumerate(GRID["beta"]):
            alone = iterate(rule, rosenbrock(), x0=[[-1.2, 1.]], steps=120, eta=eta, beta=beta)
            p, last = 7*i + j, alone.lengths[0] - 1
            assert found["steps"][p] == last
            assert (found["x"][p] == alone.x[0, last]).all() and (found["v"][p] == alone.v[0, last]).all()
            assert np.isclose(found["f"][p], rosenbrock().f(alone.x[0, last]), rtol=1e-13)


# -- as a dataset ------------------------------------------------------------------------------------------------------
@pytest.fixture
def xarray():
    return pytest.importorskip("xarray", reason="xarray is an extra: pip install dynopt[sweep]")


def test_axes_are_those_of_the_grid(xarray):
    found = sweep(heavy_ball, rosenbrock(), GRID, **GIVEN)
    assert found.x.dims == ("eta", "beta", "x_entry") and found.f.dims == found.status.dims == found.steps.dims == ("eta", "beta")
    one = found.isel(eta=2, beta=3)
    alone = iterate(heavy_ball, rosenbrock(), x0=[[-1.2, 1.]], steps=120, eta=GRID["eta"][2], beta=GRID["beta"][3])
    assert (one.x.values == alone.x[0, -1]).all() and one.status.item() == alone.status[0] == "success"
    assert set(np.unique(found.status)) == {"success", "diverged"}
    turned = sweep(heavy_ball, rosenbrock(), dict(reversed(GRID.items())), **GIVEN)
    assert turned.x.dims[:2] == ("beta", "eta") and (turned.x.transpose(*found.x.dims).values == found.x.values).all()


def test_an_interrupted_sweep_is_taken_up_again(xarray, tmp_path, monkeypatch):
    want, count = sweep(heavy_ball, rosenbrock(), GRID, **GIVEN), []
    true = sweep_tiles.run_tile

    def tile(job, lo, hi):
        if len(count) == 3:
            raise KeyboardInterrupt
        count.append(lo)
        return true(job, lo, hi)
    monkeypatch.setattr(sweep_tiles, "run_tile", tile)
    with pytest.raises(KeyboardInterrupt):
        sweep(heavy_ball, rosenbrock(), GRID, **GIVEN, store=tmp_path, tile=10)
    assert len(list(tmp_path.glob("tile-*.npz"))) == 3
    (tmp_path/"tile-10.npz").write_bytes((tmp_path/"tile-10.npz").read_bytes()[:50])         # and one of them was cut short
    count.clear()
    monkeypatch.setattr(sweep_tiles, "run_tile", lambda job, lo, hi: count.append(lo) or true(job, lo, hi))
    again = sweep(heavy_ball, rosenbrock(), GRID, **GIVEN, store=tmp_path, tile=10)
    assert count == [10, 30, 40, 50, 60] and again.identical(want)
    with pytest.raises(ValueError, match="holds the tiles of another sweep"):
        sweep(heavy_ball, rosenbrock(), GRID, **GIVEN | {"steps": 121}, store=tmp_path, tile=10)
    anew = sweep(heavy_ball, rosenbrock(), GRID, **GIVEN | {"steps": 121}, store=tmp_path, tile=10, resume=False)
    assert not anew.identical(want)


def test_an_executor_and_progress(xarray):
    seen = []
    with ThreadPoolExecutor(2) as pool:
        found = sweep(noisy, rosenbrock(), GRID, **GIVEN | {"progress": lambda done, total: seen.append((done, total))}, executor=pool, tile=20)
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)] and found.identical(sweep(noisy, rosenbrock(), GRID, **GIVEN))


def test_a_start_for_every_point_and_flows(xarray):
    starts = np.random.default_rng(0).normal(size=(9, 7, 2))
    found = sweep(heavy_ball, rosenbrock(), GRID, **GIVEN | {"x0": starts})
    alone = iterate(heavy_ball, rosenbrock(), x0=starts[1, 4:5], steps=120, eta=GRID["eta"][1], beta=GRID["beta"][4])
    assert (found.x[1, 4].values == alone.x[0, -1]).all()

    from dynopt import damped
    flow = sweep(damped, quadratic([1., 4.]), {"gamma": [.5, 2.]}, x0=[1., 1.], until=3., progress=False)
    one = solve(damped, quadratic([1., 4.]), x0=[1., 1.], until=3., gamma=2.)
    assert np.allclose(flow.x[1], one.x[-1], atol=1e-6) and flow.status.values.tolist() == ["success"]*2
    with pytest.raises(ValueError, match="expected until=10.0"):
        sweep(gradient_flow, quadratic([1.]), {"h": [.1]}, x0=[1.], steps=5)
