"""The width of lanes: a race over the real work chooses, changes no result, and is remembered."""
import numpy as np

from dynopt import heavy_ball, iterate, rosenbrock
from dynopt.run import lanes, machine, widths
from dynopt.run.cache import load

GIVEN = dict(x0=[-1.2, 1.], steps=300, record="last", eta=np.linspace(1e-4, 6e-3, 1000), beta=.9)


def fresh(monkeypatch, folder, enough):
    monkeypatch.setenv("DYNOPT_CACHE_DIR", str(folder))
    for name in ("_spent", "_chosen", "_races"):
        monkeypatch.setattr(widths, name, {})
    monkeypatch.setattr(widths, "ENOUGH", enough)


def paced(seconds, monkeypatch):
    """Steps of several widths, by a clock of their own: seconds of a step of a path."""
    clock = [0.0]
    monkeypatch.setattr(widths.time, "thread_time", lambda: clock[0])

    def step(width):
        def run(*arguments):
            lo, hi = arguments[5:7]
            run.blocks.append((lo, hi))
            clock[0] += seconds[width]*10*(hi - lo)
            taken[lo:hi] += 10
        run.blocks = []
        return run
    taken = np.zeros(6400, dtype=np.int64)
    return taken, {w: step(w) for w in seconds}


def raced(seconds, monkeypatch, tmp_path, blocks=30):
    fresh(monkeypatch, tmp_path, 0.0)
    taken, steps = paced(seconds, monkeypatch)
    race = widths.Race(16, steps)
    for i in range(blocks):
        race.step("a kernel", taken, 0, 10, 10, 0, 0, 64*i, 64*i + 64)
    assert (taken[:64*blocks] == 10).all(), "every block is run once"
    return race, {w: len(s.blocks) for w, s in steps.items()}


def test_the_fastest_width_gets_the_rest_of_the_work(monkeypatch, tmp_path):
    race, blocks = raced({8: 3., 16: 2., 32: 1.}, monkeypatch, tmp_path)
    assert race.best == 32 and blocks == {8: 5, 16: 5, 32: 20}
    assert widths.remembered("a kernel") == 32 and load("a kernel") == b"32"


def test_a_small_lead_does_not_move_the_rule(monkeypatch, tmp_path):
    assert raced({8: 3., 16: 1., 32: .99}, monkeypatch, tmp_path)[0].best == 16


def test_another_process_remembers(monkeypatch, tmp_path):
    raced({8: 1., 16: 2., 32: 3.}, monkeypatch, tmp_path)
    monkeypatch.setattr(widths, "_chosen", {})
    assert widths.remembered("a kernel") == 8 and widths.remembered("another") is None


def test_a_race_changes_no_bit(monkeypatch, tmp_path):
    fresh(monkeypatch, tmp_path, np.inf)
    without = iterate(heavy_ball, rosenbrock(), **GIVEN)
    assert not widths._races
    fresh(monkeypatch, tmp_path, 0.0)
    for threads in (1, 2):
        monkeypatch.setattr(lanes, "THREADS", threads)
        for _ in range(4):
            run = iterate(heavy_ball, rosenbrock(), **GIVEN)
            assert np.array_equal(run.x, without.x, equal_nan=True) and (run.status == without.status).all()
    [race] = widths._races.values()
    vector = machine.lanes_of_machine()
    assert race.best in (vector, 2*vector, 4*vector) and sum(race.given.values()) > 15
    [(name, chosen)] = [(n, w) for n, w in widths._chosen.items() if w]
    assert chosen == race.best == int(load(name))


def test_little_work_and_single_paths_are_not_raced(monkeypatch, tmp_path):
    fresh(monkeypatch, tmp_path, 1e9)
    iterate(heavy_ball, rosenbrock(), **GIVEN)
    monkeypatch.setattr(widths, "ENOUGH", 0.0)
    iterate(heavy_ball, rosenbrock(), **GIVEN | {"eta": 1e-3}, exact=False)
    assert not widths._races and set(widths._chosen.values()) == {None}
