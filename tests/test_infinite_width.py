"""The formula against networks that are drawn and measured: two routes that share no line of code."""

import math

import pytest
import torch
from torch import nn

import seem_lab as sl

KINDS = {
    "ReLU": {},
    "LayerNorm": {"layer_norm": True},
    "LayerNorm without affine": {"layer_norm": True, "affine": False},
}
D = 2


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)
    y, x = torch.randn(2, 5, D, generator=generator, dtype=torch.float64)
    return 3 * y, x


def drawn(width, seed, *, layer_norm=False, affine=True, d=D):
    """A fresh network whose first layer is Gaussian with the variance of PyTorch's default."""
    generator = torch.Generator().manual_seed(seed)
    network = sl.mlp(d, (width,), layer_norm=layer_norm, seed=seed)
    with torch.no_grad():
        for parameter in network[0].parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / math.sqrt(3 * d))
    if layer_norm and not affine:
        network[1] = nn.LayerNorm(width, elementwise_affine=False)
    return network


def errors(width, rows, kind, seeds=range(12)):
    """Relative error of each network's kernel, root mean square over the entries, `(S,)`."""
    formula = sl.infinite_width_ntk(*rows, width=width, **kind)
    kernels = sl.ntk([drawn(width, seed, **kind) for seed in seeds], *rows)
    return ((kernels - formula) / formula).square().mean((1, 2)).sqrt()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_error_falls_like_one_over_the_root_of_the_width(rows, kind):
    widths = [64, 256, 1024, 4096]
    typical = [errors(width, rows, kind).median().item() for width in widths]
    slope = sl.ray_exponent(
        torch.tensor(widths, dtype=torch.float64), torch.tensor(typical, dtype=torch.float64), (64.0, 4096.0)
    )
    assert -0.6 < slope < -0.4
    assert typical[-1] < 0.05


def test_without_layer_norm_the_formula_is_the_mean_at_every_width(rows):
    """Also at width 3: the mean of many networks, within five standard errors, entry by entry."""
    kernels = sl.ntk([drawn(3, seed) for seed in range(1000)], *rows)
    formula = sl.infinite_width_ntk(*rows, width=3)
    standard_error = kernels.std(dim=0) / math.sqrt(len(kernels))
    assert ((kernels.mean(0) - formula).abs() < 5 * standard_error).all()
    assert (standard_error < 0.05 * formula).all(), "the test would not notice anything"


def test_with_layer_norm_far_inputs_are_moved_no_further_than_x0(rows):
    y, x = rows
    for affine in (True, False):
        far = sl.infinite_width_ntk(1e4 * y, x, width=512, layer_norm=True, affine=affine)
        here = sl.infinite_width_ntk(x, x, width=512, layer_norm=True, affine=affine).diag()
        assert (far <= here * (1 + 1e-4)).all()  # eps of LayerNorm: S > s
    assert (sl.infinite_width_ntk(1e4 * y, x, width=512) > 100 * sl.infinite_width_ntk(x, x, width=512).diag()).any()


def test_uniform_weights_come_closer_where_there_are_more_inputs():
    """PyTorch draws the first layer uniformly: the sum of few such numbers is not Gaussian, that of many nearly is."""
    gap = {}
    for d in (2, 50):
        generator = torch.Generator().manual_seed(1)
        y, x = torch.randn(2, 6, d, generator=generator, dtype=torch.float64)
        uniform = sl.ntk([sl.mlp(d, (2048,), seed=seed) for seed in range(20)], y, x).mean(0)
        formula = sl.infinite_width_ntk(y, x, width=2048)
        gap[d] = ((uniform - formula) / formula).abs().median().item()
    assert gap[50] < 0.02 < gap[2]


def test_errors():
    one = torch.ones(1, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match="width must be at least 1, got 0"):
        sl.infinite_width_ntk(one, one, width=0)
    with pytest.raises(ValueError, match="y has width 2 but x 1"):
        sl.infinite_width_ntk(one, one[:, :1], width=4)
