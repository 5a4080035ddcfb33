"""Draws: the word by whole numbers, the normals by sixty digits, and the statistics of what is made of them."""
import mpmath
import numpy as np
import pytest
from scipy import stats

from dynopt import iterate, method, quadratic
from dynopt.emit import draws as printed
from dynopt.run import noise

M = 2**64 - 1


def word(seed, path, step, call, entry):
    """The word of a draw by Python's integers."""
    def mixed(z, key=0):
        z = (z ^ z >> 30)*0xBF58476D1CE4E5B9 & M
        z = (z ^ z >> 27 ^ key)*0x94D049BB133111EB & M
        return z ^ z >> 31
    key = mixed(mixed(seed + 0x9E3779B97F4A7C15 & M) + path*0xD1342543DE82EF95 + 1 & M)
    return mixed(key + step*printed.STEP + call*printed.CALL + entry*printed.ENTRY & M, key << 32 & M | key >> 32)


@pytest.mark.parametrize("at", [(0, 0, 0, 0, 0), (2**63 + 5, 17, 2**40 + 3, 2, 9), (M, 10**6, 999, 1000, 2**20)])
def test_words(at):
    seed, path, *rest = at
    assert int(noise.word_(noise.key_(np.uint64(seed), path), *rest)) == word(*at)


def test_normals_are_those_of_box_and_muller():
    with mpmath.workdps(40):
        z = noise.draws(True, np.uint64(7), 3, 11, 1, 1000)
        for pair in range(500):
            w = word(7, 3, 11, 1, pair)
            radius = mpmath.sqrt(-2*mpmath.log(1 - (mpmath.mpf(w >> 12 & 2**40 - 1) + .5)/2**40))*(-1 if w >> 11 & 1 else 1)
            turned = (w << 53 & M | w >> 11) >> 32
            angle = mpmath.pi*((mpmath.mpf(turned) + .5)/2**32 - .5)
            assert abs(z[2*pair] - radius*mpmath.cos(angle)) <= 1e-15*abs(radius)
            assert abs(z[2*pair + 1] - radius*mpmath.sin(angle)) <= 1e-15*abs(radius)


def test_counters_of_a_run_do_not_meet():
    """No sum of a few calls and entries is a number of steps that a run can take."""
    entries, back = np.arange(-2**16, 2**16 + 1).astype(np.uint64), pow(printed.STEP, -1, 2**64)
    for call in range(17):
        steps = entries*np.uint64(printed.ENTRY*back & M) + np.uint64(call*printed.CALL*back & M)
        apart = np.abs(steps.astype(np.int64).astype(float))
        assert apart[(entries != 0) | (call > 0)].min() > 1e11


SAMPLES = {"entries": lambda n: noise.draws(True, np.uint64(1), 0, 0, 0, n),
           "paths": lambda n: np.array([noise.draws(True, np.uint64(1), p, 0, 0, 2) for p in range(n//2)]).ravel(),
           "steps": lambda n: np.array([noise.draws(True, np.uint64(1), 0, k, 0, 2) for k in range(n//2)]).ravel(),
           "seeds": lambda n: np.array([noise.draws(True, np.uint64(s), 0, 0, 0, 2) for s in range(n//2)]).ravel()}


@pytest.mark.parametrize("along", SAMPLES)
def test_normals_along_each_part_of_the_key(along):
    n = 400_000 if along == "entries" else 200_000
    z = SAMPLES[along](n)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (5, 0, 945), (6, 15, 10170)):
        assert abs((z**power).mean() - mean) < 5*np.sqrt(variance/n), power
    assert stats.kstest(z, "norm").pvalue > 1e-5
    for bound in (2, 3, 4):
        assert abs((np.abs(z) > bound).sum() - 2*n*stats.norm.sf(bound)) < 5*np.sqrt(2*n*stats.norm.sf(bound)) + 1
    pairs = z.reshape(-1, 2)
    assert stats.kstest(np.arctan2(pairs[:, 1], pairs[:, 0])/np.pi/2 + .5, "uniform").pvalue > 1e-5
    for a, b in ((pairs[:, 0], pairs[:, 1]), (pairs[:-1, 0], pairs[1:, 0]), (pairs[:-1, 1], pairs[1:, 0]), (pairs[:-7, 0], pairs[7:, 0])):
        for f in (lambda x: x, lambda x: x*x - 1, lambda x: np.sign(x)):
            assert abs((f(a)*f(b)).mean()) < 5*np.sqrt(f(z).var()**2/a.size)


def test_bits_of_words_are_fair_and_change_with_every_part_of_the_key():
    rng = np.random.default_rng(0)
    keys = rng.integers(0, 2**20, (2000, 5))
    for part in (1, 2, 3, 4):
        moved = keys.copy()
        moved[:, part] ^= 1
        flips = np.array([[int(b) for b in f"{word(*map(int, a)) ^ word(*map(int, b)):064b}"] for a, b in zip(keys, moved)])
        assert np.abs(flips.mean(axis=0) - .5).max() < 5*.5/np.sqrt(len(keys))


def test_the_largest_draw_and_uniform_numbers():
    smallest = np.uint64(printed.RADIUS)                                    # all bits of the radius set: the smallest u
    assert 7.53 < np.sqrt(noise.square_(smallest)) < 7.55 and 0 < noise.square_(np.uint64(0)) < 1e-12
    n = 400_000
    u = noise.draws(False, np.uint64(1), 0, 0, 0, n)
    assert 0 <= u.min() and u.max() < 1 and stats.kstest(u, "uniform").pvalue > 1e-5
    assert abs(((u[1:] - .5)*(u[:-1] - .5)).mean()) < 5/12/np.sqrt(n)


def test_a_draw_depends_on_its_key_alone():
    assert (noise.draws(True, np.uint64(3), 4, 5, 6, 10) == noise.draws(True, np.uint64(3), 4, 5, 6, 100)[:10]).all()


def test_runs_draw_the_same_bits_in_lanes_one_by_one_and_in_pieces():
    @method
    def drawn(x, y, *, noise, uniform):
        return noise(), uniform()
    at = {"x": np.ones((70, 3)), "y": np.ones((70, 3))}
    whole = iterate(drawn, quadratic([1., 2., 3.]), x0=at, steps=150, seed=2**63 + 5)
    for p in (0, 17, 69):
        for k in (0, 31, 32, 149):
            z, u = (noise.draws(normal, np.uint64(2**63 + 5), p, k, call, 3) for normal, call in ((True, 0), (False, 1)))
            assert (whole.x[p, k + 1] == z).all() and (whole.y[p, k + 1] == u).all()
    for record, exact in (("last", True), (50, True), ("last", False)):
        rows = iterate(drawn, quadratic([1., 2., 3.]), x0=at, steps=150, seed=2**63 + 5, record=record, exact=exact)
        assert (rows.x[:, -1] == whole.x[:, -1]).all() and (rows.y[:, -1] == whole.y[:, -1]).all()
    alone = iterate(drawn, quadratic([1., 2., 3.]), x0={"x": np.ones(3), "y": np.ones(3)}, steps=150, seed=2**63 + 5)
    assert (alone.x == whole.x[0]).all() and (alone.y == whole.y[0]).all()
