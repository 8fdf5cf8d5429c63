"""The panel of lesson 03, beyond what tests/test_panels.py asks of every panel."""

import dataclasses
import time

import numpy as np
import pytest
import torch
from test_panels import pixel_at, pixels

import seem_lab as sl
from seem_lab.panels import KernelMap
from seem_lab.panels.kernel_map import AXIS
from seem_lab.plotting.kernels import RESPONSE_LEVELS, RESPONSE_MAP, RESPONSE_NORM


@pytest.fixture(scope="module")
def panel():
    return KernelMap()


def compute(panel, **parameters):
    panel.reset()
    return panel.compute(**{**panel.parameters, **parameters})


def test_the_map_is_the_kernel(panel):
    result = compute(panel, east=0.5, north=-0.5, action=90.0, read=180.0)
    network = panel.networks["fresh"]
    updated = torch.tensor([[0.5, -0.5, 0.0, 1.0]], dtype=torch.float64)
    corner = torch.tensor([[3.0, -2.0, -1.0, 0.0]], dtype=torch.float64)  # east, south: first row, last column
    expected = sl.ntk(network, corner, updated) / sl.ntk(network, updated)
    assert np.isclose(result.over_plane[0, -1], expected.item(), rtol=1e-9)
    assert np.isclose(result.predicted_rise, result.lr * sl.ntk(network, updated).item(), rtol=1e-9)


def test_a_small_update_does_what_the_kernel_says_and_a_large_one_less_so(panel):
    small, large = (compute(panel, network="trained 200 steps", lr=lr) for lr in (1e-3, 0.3))
    gap = [np.abs(result.real - result.predicted).max() for result in (small, large)]
    assert gap[0] < 0.01 < 0.1 < gap[1]
    assert np.array_equal(small.predicted, large.predicted)


def test_relu_rises_beyond_the_point_and_layer_norm_does_not(panel):
    assert compute(panel, network="fresh").over_plane.max() > 1.5
    assert compute(panel, network="LayerNorm, fresh").over_plane.max() < 1.05


def test_the_networks_are_left_alone(panel):
    before = {name: [p.clone() for p in network.parameters()] for name, network in panel.networks.items()}
    for name in panel.networks:
        compute(panel, network=name, lr=1.0)
    for name, network in panel.networks.items():
        assert all(torch.equal(p, q) for p, q in zip(network.parameters(), before[name], strict=True))


def test_sentence_says_how_far(panel):
    panel.reset()
    result = panel.compute(**panel.parameters)
    assert f"should rise by {result.predicted_rise:.2g}" in panel.text
    assert f"{result.over_plane.min():.2f} to {result.over_plane.max():.2f} times" in panel.text


def test_contours_are_labelled_and_the_star_is_where_x0_is(panel):
    panel.set(east=-0.5, north=1.5)
    assert panel._artists.star.get_xydata().tolist() == [[-0.5, 1.5]]
    one = panel._artists.shapes[RESPONSE_LEVELS.index(1)]
    for halo_or_number in panel._artists.numbers:
        paths, places = halo_or_number.get_paths(), halo_or_number.get_offsets()
        (at,) = (place for path, place in zip(paths, places, strict=True) if path is one)
        column, row = np.abs(AXIS.numpy()[:, None] - at).argmin(0)
        assert panel.result.over_plane[row, column] == pytest.approx(1, abs=0.2)
    panel.reset()


def test_numbers_stand_in_black_on_white_around_their_places_and_nowhere_else(panel):
    numbers, height = panel._artists.numbers, panel.size[1]
    shown = pixels(panel.png)
    for each in numbers:
        each.set_visible(False)
    changed = (shown != pixels(panel._canvas.png())).any(-1)
    for each in numbers:
        each.set_visible(True)
    places = panel._artists.left.transData.transform(numbers[0].get_offsets())
    assert len(places) >= 3
    for x, y in places:
        window = slice(height - 1 - int(y) - 12, height - int(y) + 12), slice(int(x) - 20, int(x) + 21)
        ink = np.argwhere(changed[window])
        assert np.abs(ink.mean(0) - (12, 20)).max() < 2
        colours = shown[window][changed[window]]
        assert (colours < 60).all(-1).sum() >= 8 and (colours == 255).all(-1).sum() >= 8
        changed[window] = False
    assert not changed.any()


def test_a_plane_without_contours_has_no_numbers(panel):
    flat = dataclasses.replace(panel.result, over_plane=np.full((len(AXIS), len(AXIS)), 0.9))
    panel.draw(panel._artists, flat)
    assert panel._artists.numbers[0].get_paths() == []
    panel.reset()


def test_the_map_shows_the_kernel_where_it_is(panel):
    for row, column in ((2, 28), (28, 6)):
        colour = RESPONSE_MAP(RESPONSE_NORM(panel.result.over_plane[row, column]))[:3]
        assert pixel_at(panel, panel._artists.left, AXIS[column], AXIS[row]) == pytest.approx(
            255 * np.array(colour), abs=1
        )


def test_every_mark_of_the_map_has_its_name_in_a_legend(panel):
    (legend,) = panel._canvas.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "$x_0$, updated",
        "data",
        "action of $x_0$",
        "action read",
    ]


def test_an_update_is_quick_against_training(panel):
    """A ratio in one run: moving a slider costs less than 200 training steps."""
    start = time.perf_counter()
    sl.train(sl.mlp(4, seed=0), sl.toy_walk(seed=0, gamma=0.9), steps=200, progress=False)
    training = time.perf_counter() - start
    start = time.perf_counter()
    for k in range(5):
        panel.set(east=0.1 * k)
    assert (time.perf_counter() - start) / 5 < training
    panel.reset()
