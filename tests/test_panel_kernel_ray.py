"""The first panel of lesson 07, beyond what tests/test_panels.py asks of every panel."""

import numpy as np
import pytest
import torch
from test_panels import pixel_at

import seem_lab as sl
from seem_lab.panels import KernelRay
from seem_lab.panels.kernel_ray import MAP_NORM, NETWORKS
from seem_lab.plotting.kernels import RESPONSE_MAP


@pytest.fixture(scope="module")
def panel():
    return KernelRay()


def compute(panel, **parameters):
    return panel.compute(**{**panel._first, **parameters})


def test_map_and_ray_are_the_kernel(panel):
    result = compute(panel, first=-1.0, second=2.0, direction=90.0, network="LayerNorm")
    network, x0 = panel.networks["LayerNorm"], torch.tensor([[-1.0, 2.0]], dtype=torch.float64)
    corner = torch.tensor([[8.0, -8.0]], dtype=torch.float64)  # first row, last column
    far = torch.tensor([[-1.0, 2.0 + 1e5]], dtype=torch.float64)
    here = sl.ntk(network, x0)
    assert np.isclose(result.over_plane[0, -1], (sl.ntk(network, corner, x0) / here).item())
    assert np.isclose(result.along_ray[-1], (sl.ntk(network, far, x0) / here).item())


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_without_layer_norm_grows_and_every_other_levels_off(panel, network):
    result = compute(panel, network=network)
    if "LayerNorm" in network:
        assert abs(result.exponent) < 0.01 and "It levels off." in panel.sentence(result)
    else:
        assert abs(result.exponent - 1) < 0.02 and "in proportion to the distance." in panel.sentence(result)


def test_the_picture_follows_the_controls(panel):
    panel.set(first=-2.0, second=3.0, direction=90.0)
    artists = panel._artists
    assert artists.star.get_xydata().tolist() == [[-2.0, 3.0]]
    start, end = artists.ray.get_xydata()
    assert start.tolist() == [-2.0, 3.0] and np.isclose(end[0], -2) and end[1] > 8
    assert np.array_equal(artists.line.get_ydata(), np.abs(panel.compute(**panel.parameters).along_ray).clip(1e-3))
    panel.reset()


def test_the_map_shows_the_kernel_where_it_is(panel):
    for x, y, row, column in ((7.9, -7.9, 0, -1), (-7.9, 7.9, -1, 0)):
        colour = RESPONSE_MAP(MAP_NORM(panel.result.over_plane[row, column]))[:3]
        assert pixel_at(panel, panel._artists.left, x, y) == pytest.approx(255 * np.array(colour), abs=1)


def test_the_sentence_has_the_numbers(panel):
    result = compute(panel)
    assert f"distance 100,000 by {result.along_ray[-1]:.2g} times" in panel.sentence(result)
    assert f"the slope is {result.exponent:.3f}" in panel.sentence(result)
