"""The kernel's engine: panels and their mirror image, several networks at once, numbers at the edge."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from seem_lab import mlp, ntk, seem_matrix
from seem_lab.kernels import PANEL, tangent_features

D = torch.float64


def points(n: int, d: int = 5, seed: int = 0, dtype: torch.dtype = D) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def whole(network: nn.Module, x1: Tensor, x2: Tensor) -> Tensor:
    """All rows in one piece, no symmetry."""
    return tangent_features(network, x1).inner(tangent_features(network, x2))


@pytest.mark.parametrize("n", [1, PANEL - 1, PANEL, PANEL + 1, 2 * PANEL + 7])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_panels_and_mirror_image_make_the_whole(n: int, layer_norm: bool) -> None:
    network, x, y = mlp(5, (16, 16), layer_norm=layer_norm), points(n), points(40, seed=1)
    own, cross = ntk(network, x), ntk(network, x, y)
    assert torch.allclose(own, whole(network, x, x), rtol=1e-12, atol=1e-12 * own.abs().max().item())
    assert torch.allclose(cross, whole(network, x, y), rtol=1e-12, atol=1e-12 * own.abs().max().item())
    assert torch.allclose(own, own.T, rtol=1e-13, atol=1e-13 * own.abs().max().item())


def test_single_precision_panels_stay_close_to_double() -> None:
    network, x = mlp(17, (256, 256), dtype=torch.float32), points(600, 17, dtype=torch.float32)
    single = ntk(network, x)
    exact = ntk(network.double(), x.double())
    assert (single.double() - exact).abs().max() < 2e-6 * exact.abs().max()


class Own(nn.Module):
    """A network that the layerwise route does not see."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.inner = mlp(5, (8,), seed=seed)
        self.gain = nn.Parameter(torch.tensor(1.0 + seed, dtype=D))
        self.register_buffer("shift", torch.tensor(float(seed), dtype=D))

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * self.inner(x + self.shift)


BUILD = {
    "plain": lambda seed: mlp(5, (8, 9), seed=seed),
    "layer norm": lambda seed: mlp(5, (8, 9), layer_norm=True, seed=seed),
    "own parameter and buffer": Own,
}


@pytest.mark.parametrize("name", BUILD)
def test_several_networks_at_once(name: str) -> None:
    networks = [BUILD[name](seed) for seed in range(4)]
    x, y = points(30), points(20, seed=1)
    alone = [ntk(network, x, y) for network in networks]
    together = ntk(networks, x, y)
    assert together.shape == (4, 30, 20)
    assert torch.allclose(together, torch.stack(alone), rtol=1e-11, atol=1e-11)
    assert torch.equal(ntk(nn.ModuleList(networks), x, y), together)
    own = torch.stack([points(30, seed=seed) for seed in range(4)])
    each = torch.stack([ntk(network, rows) for network, rows in zip(networks, own, strict=True)])
    assert torch.allclose(ntk(networks, own), each, rtol=1e-11, atol=1e-11)


def test_a_stack_of_one_keeps_its_axis() -> None:
    network, x = mlp(5), points(6)
    assert torch.allclose(ntk([network], x)[0], ntk(network, x), rtol=1e-12)


def test_seem_matrices_of_several_networks() -> None:
    networks, x = [mlp(5, seed=seed) for seed in range(3)], points(12)
    x_next = torch.stack([points(12, seed=seed) for seed in range(3)])
    discount = torch.full((12,), 0.9, dtype=D)
    discount[2] = 0
    alone = [seem_matrix(q, x, ahead, discount) for q, ahead in zip(networks, x_next, strict=True)]
    together = seem_matrix(networks, x.expand(3, -1, -1), x_next, discount)
    assert torch.allclose(together, torch.stack(alone), rtol=1e-11, atol=1e-11)


def test_the_stack_leaves_its_networks_alone() -> None:
    networks = [Own(seed) for seed in range(2)]
    before = [{name: t.clone() for name, t in network.state_dict().items()} for network in networks]
    ntk(networks, points(6))
    for network, state in zip(networks, before, strict=True):
        assert all(torch.equal(t, state[name]) for name, t in network.state_dict().items())
        assert all(p.grad is None and p.requires_grad for p in network.parameters())


@pytest.mark.parametrize(
    ("networks", "message"),
    [
        ([], "the list of networks is empty"),
        ([mlp(5, (8,)), mlp(5, (9,))], "network 1 differs from network 0"),
        ([mlp(5, (8,)), mlp(5, (8,), layer_norm=True)], "network 1 differs from network 0"),
        ([mlp(5, (8,)), mlp(5, (8,)).requires_grad_(False)], "network 1 differs from network 0"),
        ([mlp(5, (8,)), nn.Sequential(mlp(5, (8,)), nn.Dropout(0.5))], "network 1 differs from network 0"),
        ([nn.Sequential(mlp(5), nn.Dropout(0.5))] * 2, r"Dropout \(1\) in training mode"),
    ],
)
def test_what_cannot_be_stacked_is_refused(networks: list[nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ntk(networks, points(6))


def test_inputs_that_fit_another_number_of_networks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"x1 has shape \(3, 6, 5\) for 2 networks; give \(N, d\), or \(2, N, d\)"):
        ntk([mlp(5), mlp(5)], points(18).reshape(3, 6, 5))


def test_a_network_of_the_stack_that_looks_at_its_neighbours_is_refused() -> None:
    class Centred(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = mlp(5)

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x - x.mean(0))

    with pytest.raises(ValueError, match="depends on the other rows"):
        ntk([Centred(), Centred()], points(6))


def test_one_broken_network_of_the_stack_is_noticed() -> None:
    networks = [mlp(5, seed=seed) for seed in range(2)]
    with torch.no_grad():
        networks[1][0].weight[0, 0] = math.nan
    with pytest.raises(ValueError, match="Q is not finite"):
        ntk(networks, points(6))


def test_huge_inputs_in_double_precision() -> None:
    network, x = mlp(5, bias=False), points(6)
    assert torch.allclose(ntk(network, 1e100 * x), 1e200 * ntk(network, x), rtol=1e-10)  # Q is homogeneous in x
