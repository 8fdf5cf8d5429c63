"""Rays and maps are entries of the kernel; the exponent is the slope it says it is."""

import pytest
import torch

import seem_lab as sl

X0 = torch.tensor([0.5, -0.8, 0.3], dtype=torch.float64)
DIRECTION = torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64)
SCALES = torch.logspace(-1, 5, 61, dtype=torch.float64)


def networks(*, layer_norm=False, hidden=(16, 16), count=3):
    return [sl.mlp(3, hidden, layer_norm=layer_norm, seed=seed) for seed in range(count)]


def test_every_point_of_a_ray_is_read_and_x0_is_updated():
    (network,) = networks(count=1)
    ray = sl.ntk_ray(network, X0, DIRECTION, SCALES)
    one_by_one = [sl.ntk(network, (X0 + scale * DIRECTION)[None], X0[None]).item() for scale in SCALES]
    torch.testing.assert_close(ray, torch.tensor(one_by_one, dtype=torch.float64), rtol=1e-10, atol=0)


def test_rays_of_several_networks_each_with_its_own_x0():
    several = networks()
    x0 = torch.randn(3, 3, dtype=torch.float64)
    rays = sl.ntk_ray(several, x0, x0.flip(0), SCALES)
    for k, network in enumerate(several):
        torch.testing.assert_close(rays[k], sl.ntk_ray(network, x0[k], x0.flip(0)[k], SCALES), rtol=1e-10, atol=0)
    shared = sl.ntk_ray(several, X0, DIRECTION, SCALES)
    torch.testing.assert_close(shared[1], sl.ntk_ray(several[1], X0, DIRECTION, SCALES), rtol=1e-10, atol=0)


def test_a_map_has_a_row_for_each_vertical_value():
    several = networks()
    horizontal, vertical = (torch.linspace(-2, 3, k, dtype=torch.float64) for k in (4, 5))
    read_from = torch.tensor([9.0, 9.0, 0.7], dtype=torch.float64)
    maps = sl.ntk_map(several, X0, horizontal, vertical, axes=(1, 0), read_from=read_from)
    assert maps.shape == (3, 5, 4)
    y = torch.tensor([[vertical[4], horizontal[1], 0.7]], dtype=torch.float64)
    torch.testing.assert_close(maps[2, 4, 1], sl.ntk(several[2], y, X0[None])[0, 0], rtol=1e-10, atol=0)
    at_x0 = sl.ntk_map(several[0], X0, X0[:1], X0[1:2])  # without read_from the rest of y is that of x0
    torch.testing.assert_close(at_x0, sl.ntk(several[0], X0[None]), rtol=1e-10, atol=0)


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 2.5])
def test_exponent_of_a_power_is_the_power(power):
    rays = torch.stack([3 * SCALES**power, -0.1 * SCALES**power])
    torch.testing.assert_close(sl.ray_exponent(SCALES, rays), torch.full((2,), power, dtype=torch.float64))


def test_only_the_window_counts():
    bent = torch.where(SCALES < 9, SCALES**3, SCALES)
    assert sl.ray_exponent(SCALES, bent, (10.0, 1e4)).item() == pytest.approx(1)
    assert sl.ray_exponent(SCALES, bent, (0.1, 5.0)).item() == pytest.approx(3)
    ends = sl.ray_exponent(SCALES[[30, 40, 60]], (SCALES**2)[[30, 40, 60]])  # 1e2 and 1e5 themselves are inside
    assert ends.item() == pytest.approx(2)


def test_relu_grows_in_proportion_and_layer_norm_levels_off():
    """The defining property, on 20 fresh networks: exponents over [1e2, 1e5]."""
    for hidden in ((64,), (64, 64)):
        plain, norm = (
            sl.ray_exponent(
                SCALES, sl.ntk_ray(networks(layer_norm=flag, hidden=hidden, count=20), X0, DIRECTION, SCALES)
            )
            for flag in (False, True)
        )
        assert abs(plain.median() - 1) < 0.02
        assert norm.abs().max() < 0.01


def test_errors_say_what_is_needed():
    (network,) = networks(count=1)
    with pytest.raises(ValueError, match="a direction is zero"):
        sl.ntk_ray(network, X0, 0 * X0, SCALES)
    with pytest.raises(ValueError, match="at least one number, got shape"):
        sl.ntk_ray(network, X0, X0, SCALES[None])
    with pytest.raises(ValueError, match="input of width 3, got \\(0, 3\\)"):
        sl.ntk_map(network, X0, SCALES, SCALES, axes=(0, 3))
    with pytest.raises(ValueError, match="2 of the scales lie from 100 to 200; a slope needs at least 3"):
        sl.ray_exponent(torch.tensor([1.0, 100.0, 200.0]), torch.ones(3), (100.0, 200.0))
    with pytest.raises(ValueError, match="0 or not finite"):
        sl.ray_exponent(SCALES, 0 * SCALES)
