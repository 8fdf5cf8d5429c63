"""Networks: what is built, and what q_values refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn

from seem_lab import linear_q, mlp, q_values
from seem_lab.networks import in_mode


class Lambda(nn.Module):
    """A network from a function, with one linear layer."""

    def __init__(self, function: object, width: int = 3) -> None:
        super().__init__()
        self.linear, self.function = nn.Linear(width, 1, dtype=torch.float64), function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self.linear(x))


def x(rows: int = 5, width: int = 3) -> Tensor:
    return torch.randn(rows, width, dtype=torch.float64)


def test_linear_q_is_the_inner_product_with_its_weight() -> None:
    network = linear_q(3, weight=[1.0, -2.0, 0.5])
    points = x()
    assert torch.allclose(q_values(network, points), points @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    assert [tuple(p.shape) for p in network.parameters()] == [(1, 3)]
    assert network.weight.requires_grad
    weight = torch.ones(3)
    linear = linear_q(3, weight=weight, dtype=torch.float32)
    weight.zero_()
    assert linear.weight.tolist() == [[1.0, 1.0, 1.0]]


@pytest.mark.parametrize("weight", [[1.0], [1.0, 2.0, 3.0, 4.0], [[1.0, 2.0, 3.0]]])
def test_linear_q_refuses_a_weight_of_another_length(weight: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weight must have shape \(3,\), got"):
        linear_q(3, weight=torch.tensor(weight))


@pytest.mark.parametrize("build", [lambda seed: linear_q(4, seed=seed), lambda seed: mlp(4, (8,), seed=seed)])
def test_a_seed_fixes_the_draw_and_the_global_generator_stays(build: object) -> None:
    before = torch.get_rng_state()
    same, again, other = build(1), build(1), build(2)
    assert torch.equal(before, torch.get_rng_state())
    for a, b, c in zip(same.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_the_draw_is_pytorchs_default() -> None:
    torch.manual_seed(5)
    layers = [nn.Linear(4, 8, dtype=torch.float64), nn.Linear(8, 1, dtype=torch.float64)]
    ours = [m for m in mlp(4, (8,), seed=5) if isinstance(m, nn.Linear)]
    for a, b in zip(layers, ours, strict=True):
        assert torch.equal(a.weight, b.weight)
        assert torch.equal(a.bias, b.bias)


@pytest.mark.parametrize("hidden", [(), (7,), (7, 5), (3, 4, 5, 6)])
@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_mlp_has_the_layers_it_promises(hidden: tuple[int, ...], layer_norm: bool, bias: bool) -> None:
    network = mlp(4, hidden, layer_norm=layer_norm, bias=bias, dtype=torch.float32)
    linear = [m for m in network if isinstance(m, nn.Linear)]
    widths = (4, *hidden, 1)
    assert [(m.in_features, m.out_features) for m in linear] == list(zip(widths[:-1], widths[1:], strict=True))
    assert [m.bias is not None for m in linear] == [bias] * len(linear)
    block = [nn.Linear, nn.LayerNorm, nn.ReLU] if layer_norm else [nn.Linear, nn.ReLU]
    assert [type(m) for m in network] == block * len(hidden) + [nn.Linear]
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert network(torch.ones(2, 4)).shape == (2, 1)


@pytest.mark.parametrize("arguments", [(0, (4,)), (4, (0,)), (4, (8, -1)), (-2, ())])
def test_mlp_refuses_a_width_below_1(arguments: tuple[int, tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="every width must be at least 1, got input_dim="):
        mlp(*arguments)


@pytest.mark.parametrize("squeeze", [True, False])
def test_q_values_flattens_and_lets_gradients_flow(squeeze: bool) -> None:
    network = Lambda((lambda q: q[:, 0]) if squeeze else (lambda q: q))
    points = x()
    q = q_values(network, points)
    assert q.shape == (5,)
    assert torch.equal(q, network.linear(points)[:, 0])
    q.sum().backward()
    assert torch.allclose(network.linear.weight.grad[0], points.sum(0))


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([[1.0, 2.0, 3.0]], TypeError, r"x must be a tensor, got list; convert it with torch.as_tensor\(x\)"),
        (torch.ones(5, 3).half(), TypeError, r"x has dtype torch.float16.*x\.to\(torch.float32\)"),
        (torch.ones(5, 3).bfloat16(), TypeError, r"x has dtype torch.bfloat16.*x\.to\(torch.float32\)"),
        (torch.ones(5, 3).long(), TypeError, "x has dtype torch.int64; float32 or float64 is needed"),
        (torch.ones(5, 3), TypeError, r"x is torch.float32 but the network torch.float64.*network.to\(torch.float32\)"),
        (torch.ones(0, 3).double(), ValueError, r"x must be a non-empty matrix .* got shape \(0, 3\)"),
        (torch.ones(3).double(), ValueError, r"x must be a non-empty matrix .* got shape \(3,\)"),
        (torch.ones(5, 3, device="meta").double(), ValueError, "x is on meta but the network on cpu; move one"),
        (torch.tensor([[0, 0, 0], [0, torch.nan, 0]]).double(), ValueError, "x is nan or infinite, first in row 1"),
        (torch.full((5, 3), torch.inf).double(), ValueError, "x is nan or infinite, first in row 0; drop such rows"),
        (torch.ones(5, 4).double(), ValueError, r"rows of width 4 \(its first linear layer takes 3\).*concatenated"),
    ],
)
def test_q_values_refuses_bad_input_with_the_fix(points: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        q_values(mlp(3, (4,)), points)


def test_a_half_precision_network_is_told_how_to_change() -> None:
    with pytest.raises(
        TypeError, match=r"x is torch.float64 but the network torch.float16.*network.to\(torch.float64\)"
    ):
        q_values(mlp(3, (4,), dtype=torch.float16), x())


@pytest.mark.parametrize(
    ("function", "gave"),
    [
        (lambda q: torch.cat([q, q], dim=1), r"\(5, 2\)"),
        (lambda q: (q, q), "a tuple"),
        (lambda q: q.T, r"\(1, 5\)"),
        (lambda q: q.sum(), r"\(\)"),
        (lambda q: q[:, :, None], r"\(5, 1, 1\)"),
        (lambda q: q[:3], r"\(3, 1\)"),
    ],
)
def test_q_values_refuses_a_network_without_one_output_a_row(function: object, gave: str) -> None:
    with pytest.raises(ValueError, match=f"one value a row is needed.*the network gave {gave}; wrap it"):
        q_values(Lambda(function), x())


def test_a_network_without_parameters_is_evaluated() -> None:
    class Sum(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sum(1)

    assert q_values(Sum(), torch.ones(2, 3)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("training", [True, False])
def test_a_mode_for_a_moment_is_undone_module_by_module(training: bool) -> None:
    network = mlp(3, (4,))
    network[1].eval()
    with in_mode(network, training=training):
        assert [m.training for m in network.modules()] == [training] * 4
    assert [m.training for m in network.modules()] == [True, True, False, True]


def test_threads_draw_what_one_thread_draws() -> None:
    def first_weight(seed: int) -> float:
        return mlp(4, (64,), seed=seed)[0].weight[0, 0].item()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(first_weight, range(400))) == [first_weight(seed) for seed in range(400)]
