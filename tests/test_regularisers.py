"""Changed networks: what they compute, that the original stays, and their kernels against plain autograd."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from seem_lab import batch_norm, dropout, mlp, ntk, q_values, spectral_norm, toy_walk, train, weight_norm

HIDDEN = (7, 5)
CHANGES: dict[str, Callable[[nn.Sequential], nn.Module]] = {
    "weight norm, learned gain": weight_norm,
    "weight norm, fixed gain": partial(weight_norm, learn_gain=False),
    "spectral norm": spectral_norm,
    "batch norm": batch_norm,
    "dropout": partial(dropout, p=0.3),
}
MLPS = {
    "layer norm without affine": {"layer_norm": True, "affine": False},
    "layer norm on the first": {"layer_norm": (True, False)},
    "layer norm on the last": {"layer_norm": (False, True), "affine": False},
    "tanh": {"activation": nn.Tanh},
    "elu": {"activation": nn.ELU},
    "silu": {"activation": nn.SiLU},
    "orthogonal": {"init": nn.init.orthogonal_},
    "he": {"init": nn.init.kaiming_normal_},
}


def points(rows: int) -> Tensor:
    return torch.randn(rows, 4, dtype=torch.float64)


def autograd_rows(network: nn.Module, x: Tensor) -> Tensor:
    """Phi, one backward pass a row."""
    trained = [p for p in network.parameters() if p.requires_grad]
    rows = [torch.autograd.grad(network(row[None]).squeeze(), trained, materialize_grads=True) for row in x]
    return torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])


@pytest.mark.parametrize("name", [*CHANGES, *MLPS])
def test_the_kernel_is_that_of_plain_autograd(name: str) -> None:
    network = CHANGES[name](mlp(4, HIDDEN, seed=1)) if name in CHANGES else mlp(4, HIDDEN, seed=1, **MLPS[name])
    for _ in range(3):  # running statistics and power iterations that are not the initial ones
        network(3 * points(20) + 1)
    network.eval()
    x, y = points(6), points(4)
    torch.testing.assert_close(
        ntk(network, y, x), autograd_rows(network, y) @ autograd_rows(network, x).T, rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("name", CHANGES)
def test_the_network_given_stays_as_it_is(name: str) -> None:
    network = mlp(4, HIDDEN, seed=1)
    before = deepcopy(network)
    changed = CHANGES[name](network)
    assert repr(network) == repr(before)
    train(changed.eval(), toy_walk(0), steps=3)
    for old, now in zip(before.parameters(), network.parameters(), strict=True):
        assert torch.equal(old, now)


@pytest.mark.parametrize("learn_gain", [True, False])
def test_weight_norm_keeps_the_values_and_holds_the_gains_it_should(learn_gain: bool) -> None:
    network, x = mlp(4, HIDDEN, seed=1), points(9)
    changed = weight_norm(network, learn_gain=learn_gain)
    torch.testing.assert_close(q_values(changed, x), q_values(network, x))
    lengths = [layer.weight.norm(dim=1).detach() for layer in changed if isinstance(layer, nn.Linear)]
    train(changed, toy_walk(0), steps=50, lr=0.05)
    now = [layer.weight.norm(dim=1).detach() for layer in changed if isinstance(layer, nn.Linear)]
    moved = any((a - b).abs().max() > 1e-6 for a, b in zip(lengths, now, strict=True))
    assert moved == learn_gain


def test_spectral_norm_leaves_every_largest_singular_value_at_one_while_it_learns() -> None:
    network = spectral_norm(mlp(4, HIDDEN, seed=1))
    train(network, toy_walk(0), steps=200, lr=0.05)
    for layer in network:
        if isinstance(layer, nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1.0, abs=0.02)


def test_batch_norm_centres_and_scales_over_the_batch() -> None:
    network, x = batch_norm(mlp(4, (6,), seed=1)), points(30)
    normalised = network[1](network[0](x))
    torch.testing.assert_close(normalised.mean(0), torch.zeros(6, dtype=torch.float64))
    torch.testing.assert_close(normalised.std(0, unbiased=False), torch.ones(6, dtype=torch.float64), rtol=1e-3, atol=0)


def test_dropout_drops_before_every_linear_layer_but_the_first() -> None:
    network = dropout(mlp(4, (200, 200), layer_norm=True, seed=1), p=0.4)
    kinds = [type(m).__name__ for m in network]
    block = ["Linear", "LayerNorm", "ReLU", "Dropout"]
    assert kinds == block * 2 + ["Linear"]
    x = points(50)
    torch.testing.assert_close(network.eval()(x), mlp(4, (200, 200), layer_norm=True, seed=1)(x))
    values = torch.stack([network.train()(x) for _ in range(200)])
    assert values.std(0).min() > 0
    with pytest.raises(ValueError, match="dropout probability"):
        dropout(mlp(4), p=1.5)


@pytest.mark.parametrize("change", [weight_norm, spectral_norm, batch_norm, dropout])
def test_a_network_without_linear_layers_is_refused(change: Callable[[nn.Module], nn.Module]) -> None:
    with pytest.raises(ValueError, match=r"\(Sequential\) has no linear layer to change; build it with mlp"):
        change(nn.Sequential(nn.ReLU()))


def test_mlp_puts_what_it_is_told_where_it_is_told() -> None:
    network = mlp(4, HIDDEN, layer_norm=(False, True), affine=False, activation=nn.Tanh)
    assert [type(m) for m in network] == [nn.Linear, nn.Tanh, nn.Linear, nn.LayerNorm, nn.Tanh, nn.Linear]
    assert list(network[3].parameters()) == []
    plain = mlp(4, HIDDEN, seed=3)
    same = mlp(4, HIDDEN, seed=3, layer_norm=[True, False])
    assert torch.equal(plain[0].weight, same[0].weight)
    assert torch.equal(plain[-1].weight, same[-1].weight)
    with pytest.raises(ValueError, match=r"layer_norm must be one bool, or one a hidden layer \(2\), got \(True,\)"):
        mlp(4, HIDDEN, layer_norm=(True,))


def test_an_initialisation_fills_the_weights_and_clears_the_biases() -> None:
    before = torch.get_rng_state()
    network = mlp(4, (4, 4), init=partial(nn.init.orthogonal_, gain=0.5), seed=2)
    assert torch.equal(before, torch.get_rng_state())
    for layer in network:
        if isinstance(layer, nn.Linear):
            rows = len(layer.weight)
            expected = 0.25 * torch.eye(rows, dtype=torch.float64)
            torch.testing.assert_close(layer.weight @ layer.weight.T, expected)
            assert (layer.bias == 0).all()
    wide = mlp(400, (1000,), init=nn.init.kaiming_normal_)[0].weight
    assert wide.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.01)
