"""Direct labels measure before they stand: inside, apart, off the curves, next to what they name."""
from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynopt.plot.labels import label_area, label_curve, label_point, labels_of


@pytest.fixture(autouse=True)
def _clean():
    yield
    plt.close("all")


def drawn(ax, dpi=100):
    ax.figure.set_dpi(dpi)
    ax.figure.canvas.draw()
    renderer = ax.figure.canvas.get_renderer()
    return [(label, label.text.get_window_extent(renderer)) for label in labels_of(ax).labels if label.text.get_visible()]


def curves(ax, seed, count):
    rng, x = np.random.default_rng(seed), np.linspace(0, 1, 200)
    for i in range(count):
        y = np.cumsum(rng.normal(size=200)) * 0.05 + i
        line = ax.plot(x, y)[0]
        label_curve(ax, np.column_stack([x, y]), f"curve {i}", color=line.get_color())


@settings(max_examples=12)
@given(seed=st.integers(0, 999), count=st.integers(1, 5), dpi=st.sampled_from([72, 100, 160]))
def test_labels_stay_inside_and_apart(seed, count, dpi):
    figure, ax = plt.subplots(figsize=(4, 3))
    curves(ax, seed, count)
    label_point(ax, (0.5, 0.5), "a point")
    placed = drawn(ax, dpi)
    frame = ax.get_window_extent().frozen()
    plt.close(figure)
    assert len(placed) >= count
    for i, (_, box) in enumerate(placed):
        assert frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        assert not any(box.overlaps(other) for _, other in placed[:i])


def test_a_label_stands_next_to_its_own_curve():
    ax = plt.subplots(figsize=(4, 3))[1]
    x = np.linspace(0, 1, 100)
    for i in range(3):
        ax.plot(x, np.full(100, float(i)))
        label_curve(ax, np.column_stack([x, np.full(100, float(i))]), f"{i}")
    for label, box in drawn(ax):
        middle = ax.transData.inverted().transform((box.x0 / 2 + box.x1 / 2, box.y0 / 2 + box.y1 / 2))[1]
        assert round(middle) == int(label.text.get_text())


def test_a_label_covers_no_curve_where_there_is_room():
    ax = plt.subplots(figsize=(4, 3))[1]
    angle = np.linspace(0, 2 * np.pi, 300)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    ax.plot(*ring.T)
    ax.plot(1.3 * ring[:, 0], 1.3 * ring[:, 1])
    label_curve(ax, ring, "the inner ring")
    [(_, box)] = drawn(ax)
    for radius in (1, 1.3):
        pixels = ax.transData.transform(radius * ring)
        assert not ((pixels > box.min) & (pixels < box.max)).all(1).any()


def test_an_area_label_stands_wholly_in_its_area():
    ax = plt.subplots(figsize=(4, 3))[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    label_area(ax, lambda x, y: x + y > 1.1, "beyond")
    [(_, box)] = drawn(ax)
    corners = ax.transData.inverted().transform([(box.x0, box.y0), (box.x1, box.y1)])
    assert corners[0].sum() > 1.1


def test_a_label_without_any_room_is_left_out():
    ax = plt.subplots(figsize=(4, 3))[1]
    label_area(ax, lambda x, y: np.full(np.shape(x), False), "nowhere")
    label_point(ax, (0.5, 0.5), "far too long a label " * 9)
    assert drawn(ax) == []


def test_a_label_that_once_had_no_room_comes_back_whole():
    ax = plt.subplots(figsize=(0.5, 0.5))[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    label_area(ax, lambda x, y: x < 0.5, "the left half")
    assert drawn(ax) == []
    ax.figure.set_size_inches(8, 6)
    [(_, box)] = drawn(ax)
    assert box.width > 30 and ax.transData.inverted().transform((box.x1, box.y1))[0] < 0.5


def test_labels_move_with_the_figure():
    ax = plt.subplots(figsize=(4, 3))[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    label_point(ax, (0.9, 0.9), "corner")
    before = drawn(ax)[0][1]
    ax.figure.set_size_inches(8, 6)
    after = drawn(ax)[0][1]
    assert after.x0 > 1.5 * before.x0
