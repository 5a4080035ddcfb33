"""Draws: the published answers of Philox, and the moments of what is made of them."""
import numpy as np
import pytest

from dynopt.run import noise


@pytest.mark.parametrize("counter, key, answer", [                      # Random123, known-answer vectors of philox4x32-10
    ((0, 0, 0, 0), (0, 0), (0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)),
    ((0xffffffff,)*4, (0xffffffff,)*2, (0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)),
    ((0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344), (0xa4093822, 0x299f31d0), (0xd16cfe09, 0x94fdcceb, 0x5001e420,
                                                                                  0x24126ea1))])
def test_published_answers(counter, key, answer):
    assert tuple(int(w) for w in noise.philox(*map(np.uint64, counter), *map(np.uint64, key))) == answer


def test_moments_and_independence():
    n = 400_000
    z = noise.draws(True, np.uint64(1), 0, 0, 0, n)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - mean) < 5*np.sqrt(variance/n), power
    u = noise.draws(False, np.uint64(1), 0, 0, 0, n)
    assert 0 <= u.min() and u.max() < 1 and abs(u.mean() - .5) < 5*np.sqrt(1/12/n)
    others = [noise.draws(True, np.uint64(s), p, k, c, n) for s, p, k, c in ((2, 0, 0, 0), (1, 1, 0, 0), (1, 0, 1, 0),
                                                                             (1, 0, 0, 1), (1, 0, 2**40, 0))]
    for other in others:
        assert abs((z*other).mean()) < 5/np.sqrt(n)
    assert abs((z[::2]*z[1::2]).mean()) < 5/np.sqrt(n/2)


def test_a_draw_depends_on_its_key_alone():
    assert (noise.draws(True, np.uint64(3), 4, 5, 6, 10) == noise.draws(True, np.uint64(3), 4, 5, 6, 100)[:10]).all()
