"""LayerNorm is put where it belongs; its limit holds wherever one looks, and each of its parts does."""

import math

import pytest
import torch
from torch import nn

import seem_lab as sl


def drawn(seed, *, width=24, d=3, affine=True, bias=True):
    """A network with LayerNorm whose parameters are far from those of a fresh one."""
    network = sl.mlp(d, (width,), layer_norm=True, bias=bias, seed=seed)
    if not affine:
        network[1] = nn.LayerNorm(width, elementwise_affine=False)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return network


def everywhere(d, seed=0):
    """Inputs from very near the origin to very far from it, in 60 directions."""
    direction = torch.randn(60, 1, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (direction * torch.logspace(-3, 6, 28, dtype=torch.float64)[:, None]).flatten(0, 1)


KINDS = [{}, {"affine": False}, {"bias": False}, {"d": 1}, {"width": 200}]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_no_kernel_is_larger(kind, seed):
    network = drawn(seed, **kind)
    y = everywhere(network[0].in_features)
    bound = sl.kernel_bound(network).total
    assert sl.ntk(network, y).diag().max() <= bound
    x0 = y[700:701]
    assert sl.ntk(network, y, x0).abs().max() <= math.sqrt(bound * sl.ntk(network, x0).item())


@pytest.mark.parametrize("kind", KINDS[:3], ids=str)
def test_each_layer_stays_below_its_own_limit(kind):
    """With all other parameters frozen the kernel is that layer's part."""
    network = drawn(7, **kind)
    bound = sl.kernel_bound(network)
    y = everywhere(3)
    for part, layer in ((bound.first, network[0]), (bound.norm, network[1]), (bound.last, network[3])):
        network.requires_grad_(False)
        layer.requires_grad_(True)
        if any(True for _ in layer.parameters()):
            assert 0.01 * part < sl.ntk(network, y).diag().max() <= part
        else:
            assert part == 0


def test_a_fresh_network_moves_nothing_much_further_than_x0():
    """The multiple of G(x0, x0): at most 1.7 by the limit, at most 1.02 as measured, on 20 networks of the toy walk."""
    y = everywhere(4)
    for seed in range(20):
        network, x0 = sl.mlp(4, layer_norm=True, seed=1000 + seed), sl.toy_walk(seed).x[20:21]
        here = sl.ntk(network, x0).item()
        assert math.sqrt(sl.kernel_bound(network).total / here) < 1.7
        assert 1 < sl.ntk(network, x0 + y, x0).abs().max() / here < 1.02


@pytest.mark.parametrize(
    ("layer_norm", "affine", "power"),
    [(False, True, 4), ((True, False), True, 4), ((False, True), True, 2), (True, True, 2), (True, False, 0)],
)
def test_power_of_the_weights_with_which_the_kernel_grows(layer_norm, affine, power):
    """Counted in lesson 07, section 7: linear layers 1000 and 10,000 times as large, gain and bias as they are."""
    x, sizes = sl.toy_walk(0).x, []
    for factor in (1e3, 1e4):
        network = sl.mlp(4, (64, 64), layer_norm=layer_norm, affine=affine, seed=1000)
        with torch.no_grad():
            for linear in (layer for layer in network if isinstance(layer, nn.Linear)):
                for parameter in linear.parameters():
                    parameter.mul_(factor)
        sizes.append(sl.ntk(network, x).diag().median().item())
    assert math.log10(sizes[1] / sizes[0]) == pytest.approx(power, abs=0.02)


def test_what_has_no_limit_of_this_form_is_refused():
    with pytest.raises(ValueError, match="LayerNorm, ReLU, Linear; got Linear, ReLU, Linear"):
        sl.kernel_bound(sl.mlp(2, (8,)))
    with pytest.raises(ValueError, match="3 units are too few for inputs of width 2"):
        sl.kernel_bound(sl.mlp(2, (3,), layer_norm=True))


@pytest.mark.parametrize("hidden", [(8,), (8, 6)])
def test_inserting_gives_the_network_of_mlp_and_leaves_the_old_one(hidden):
    plain = sl.mlp(3, hidden, seed=4)
    before = repr(plain)
    changed = sl.insert_layer_norm(plain)
    assert repr(changed) == repr(sl.mlp(3, hidden, layer_norm=True)) and repr(plain) == before
    x = torch.randn(5, 3, dtype=torch.float64)
    expected = x
    for layer in plain:
        expected = layer(expected)
        if isinstance(layer, nn.Linear) and layer.out_features > 1:
            centred = expected - expected.mean(1, keepdim=True)
            expected = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(changed(x), expected)
    with torch.no_grad():
        changed[0].weight.zero_()
    assert plain[0].weight.abs().sum() > 0
    with pytest.raises(ValueError, match="no place for a LayerNorm"):
        sl.insert_layer_norm(changed)
