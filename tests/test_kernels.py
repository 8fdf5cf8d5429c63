"""The exact kernel against rows of the Jacobian from a plain loop, and everything that must be refused."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from seem_lab import mlp, ntk
from seem_lab.kernels import TangentFeatures, tangent_features

D = torch.float64
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


def rows(network: nn.Module, x: Tensor) -> Tensor:
    """phi(x), `(N, P)`: one backward pass a row."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    result = []
    for row in x:
        gradients = torch.autograd.grad(
            network(row[None]).reshape(()), parameters, allow_unused=True, materialize_grads=True
        )
        result.append(torch.cat([g.flatten() for g in gradients]))
    return torch.stack(result)


def dense(network: nn.Module, x1: Tensor, x2: Tensor | None = None) -> Tensor:
    """The kernel by definition."""
    return rows(network, x1) @ rows(network, x1 if x2 is None else x2).T


def relative(got: Tensor, expected: Tensor) -> float:
    """Largest difference over the largest entry."""
    return ((got - expected).abs().max() / expected.abs().max()).item()


def points(n: int = 7, d: int = 3, dtype: torch.dtype = D, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def is_layerwise(network: nn.Module, x: Tensor) -> bool:
    """Whether the fast route was taken: no factor is as wide as its parameter has entries."""
    features = tangent_features(network, x)
    return any(len(block) == 2 for block in features.blocks)


class Of(nn.Module):
    """A network with its own forward: `Of(function, first=layer, ...)` computes `function(self, x)`."""

    def __init__(self, function: Callable[[Of, Tensor], Tensor], **children: nn.Module | nn.Parameter) -> None:
        super().__init__()
        self.function = function
        for name, child in children.items():
            setattr(self, name, child)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def linear(fan_in: int, fan_out: int, dtype: torch.dtype = D, bias: bool = True) -> nn.Linear:
    return nn.Linear(fan_in, fan_out, bias=bias, dtype=dtype)


ACTIVATIONS = [nn.ReLU, nn.Tanh, nn.ELU, nn.GELU, nn.Softplus, nn.Sigmoid, nn.SiLU, nn.LeakyReLU, nn.Identity]


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Module, int, torch.dtype]:
    """A stack of linear layers of any depth and width, normalised or not, partly frozen."""
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    widths = draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    torch.manual_seed(draw(st.integers(0, 1000)))
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        layers.append(linear(fan_in, fan_out, dtype, draw(st.booleans())))
        norm = draw(st.sampled_from(["none", "plain", "affine", "affine without bias"]))
        if norm != "none" and fan_out > 2:  # the value is all but constant on a normalised pair
            layers.append(nn.LayerNorm(fan_out, elementwise_affine=norm != "plain", bias=norm == "affine", dtype=dtype))
        layers.append(draw(st.sampled_from(ACTIVATIONS))())
    layers.append(linear(widths[-1], 1, dtype, draw(st.booleans())))
    network = nn.Sequential(*layers)
    parameters = list(network.parameters())
    for p in parameters[:-1]:
        p.requires_grad_(draw(st.integers(0, 4)) > 0)
    return network, widths[0], dtype


@settings(max_examples=150)
@given(networks(), st.integers(1, 6), st.integers(0, 6))
def test_any_stack_of_layers_has_the_kernel_of_its_jacobian(
    drawn: tuple[nn.Module, int, torch.dtype], m: int, n: int
) -> None:
    network, d, dtype = drawn
    x1 = points(m, d, dtype)
    x2 = points(n, d, dtype, seed=1) if n else None
    expected = dense(network, x1, x2)
    got = ntk(network, x1, x2)
    assert got.shape == expected.shape
    assert got.dtype == dtype
    assert not got.requires_grad
    scale = math.sqrt(dense(network, x1).abs().max() * dense(network, x1 if x2 is None else x2).abs().max())
    assert (got - expected).abs().max() <= TOLERANCE[dtype] * scale


LAYERWISE = {
    "three hidden layers": lambda: mlp(3, (8, 7, 6)),
    "layer norm": lambda: mlp(3, (8, 7), layer_norm=True),
    "no bias": lambda: mlp(3, (8,), bias=False),
    "skip connection": lambda: Of(
        lambda s, x: s.c(F.elu(s.b(F.elu(s.a(x)))) + s.a_skip(x)),
        a=linear(3, 5),
        b=linear(5, 5),
        a_skip=linear(3, 5),
        c=linear(5, 1),
    ),
    "two branches": lambda: Of(
        lambda s, x: s.c(torch.cat([s.a(x).tanh(), s.b(x[:, :2]).sin()], 1)) * 3,
        a=linear(3, 4),
        b=linear(2, 4),
        c=linear(8, 1),
    ),
    "product of branches": lambda: Of(lambda s, x: (s.a(x) * s.b(x).exp()).sum(1), a=linear(3, 4), b=linear(3, 4)),
    "output (N,)": lambda: Of(lambda s, x: s.a(x)[:, 0], a=linear(3, 1)),
    "softmax over a layer": lambda: Of(lambda s, x: s.b(F.softmax(s.a(x), dim=1)), a=linear(3, 6), b=linear(6, 1)),
    "layer that is called but not used": lambda: Of(lambda s, x: (s.b(x), s.a(x))[1], a=linear(3, 1), b=linear(3, 2)),
    "dropout in eval mode": lambda: nn.Sequential(linear(3, 5), nn.Dropout(0.5), nn.ReLU(), linear(5, 1)).eval(),
    "dropout that drops nothing": lambda: nn.Sequential(linear(3, 5), nn.Dropout(0.0), linear(5, 1)),
    "a hook that turns the output": lambda: hooked(),
}


def hooked() -> nn.Module:
    """A network whose first layer has a hook of the user's that replaces its output."""
    network = mlp(3, (4,))
    network[0].register_forward_hook(lambda module, inputs, output: output * torch.tensor([1.0, 2.0, 3.0, 4.0]))
    return network


OTHER = {
    "a layer used twice": lambda: Of(lambda s, x: s.b(s.a(s.a(x).tanh())), a=linear(3, 3), b=linear(3, 1)),
    "a layer twice, another never": lambda: Of(
        lambda s, x: s.b(s.a(s.a(x).tanh())), a=linear(3, 3), b=linear(3, 1), c=linear(3, 3)
    ),
    "a layer that is never called": lambda: Of(lambda s, x: s.a(x), a=linear(3, 1), b=linear(3, 2)),
    "tied weights": lambda: tied(),
    "own parameter": lambda: Of(
        lambda s, x: s.a(x) + x @ s.p, a=linear(3, 1), p=nn.Parameter(torch.randn(3, 1, dtype=D))
    ),
    "own scalar parameter": lambda: Of(
        lambda s, x: s.a(x) * s.p, a=linear(3, 1), p=nn.Parameter(torch.tensor(2.0, dtype=D))
    ),
    "parameter hung on a layer": lambda: hung(),
    "weight in a second place": lambda: Of(
        lambda s, x: s.b(s.a(x).tanh() + F.linear(x.sin(), s.a.weight)), a=linear(3, 4), b=linear(4, 1)
    ),
    "weight in a second place, on some rows only": lambda: Of(
        lambda s, x: s.a(x) + F.linear(torch.where(x[:, :1] > 1, x.sin(), 0 * x), s.a.weight), a=linear(3, 1)
    ),
    "weight used, layer not": lambda: Of(lambda s, x: F.linear(x, s.a.weight), a=linear(3, 1)),
    "weight norm": lambda: nn.Sequential(parametrizations.weight_norm(linear(3, 5)), nn.Tanh(), linear(5, 1)),
    "spectral norm in eval mode": lambda: nn.Sequential(
        parametrizations.spectral_norm(linear(3, 5)), nn.Tanh(), linear(5, 1)
    ).eval(),
    "weight norm by hooks": lambda: old_spectral(),
    "convolution": lambda: Of(
        lambda s, x: s.b(s.a(x[:, None]).flatten(1).relu()), a=nn.Conv1d(1, 2, 2, dtype=D), b=linear(4, 1)
    ),
    "in-place ReLU": lambda: nn.Sequential(linear(3, 5), nn.ReLU(inplace=True), linear(5, 1)),
    "layers on a row of three numbers each": lambda: Of(
        lambda s, x: s.b(s.a(x[:, :, None]).tanh()).sum(1), a=linear(1, 4), b=linear(4, 1)
    ),
    "numbers of a row stacked as rows": lambda: Of(
        lambda s, x: s.b(s.a(x.reshape(-1, 1)).tanh()).reshape(len(x), -1).sum(1), a=linear(1, 4), b=linear(4, 1)
    ),
    "batch norm in eval mode": lambda: batch_norm(),
    "group norm": lambda: nn.Sequential(linear(3, 6), nn.GroupNorm(2, 6, dtype=D), nn.ReLU(), linear(6, 1)),
    "PReLU": lambda: nn.Sequential(linear(3, 6), nn.PReLU(dtype=D), linear(6, 1)),
    "a replaced forward": lambda: replaced(),
}


# Here the effect that the layers do not show is too small for the sum over all rows to tell; the structure tells it.
FAINT = {
    "a layer used again": lambda: Of(lambda s, x: s.a(x) + 1e-9 * s.a(x.sin()), a=linear(3, 1)),
    "a layer used again, another never": lambda: Of(
        lambda s, x: s.a(x) + 1e-9 * s.a(x.sin()), a=linear(3, 1), b=linear(3, 1)
    ),
    "an output changed in place": lambda: Of(lambda s, x: s.b(s.a(x).mul_(1 + 1e-9)), a=linear(3, 4), b=linear(4, 1)),
}


@pytest.mark.parametrize("name", FAINT)
def test_faint_effects_are_exact_too(name: str) -> None:
    network, x = FAINT[name](), points(9)
    assert relative(ntk(network, x), dense(network, x)) < 1e-10


def tied() -> nn.Module:
    network = nn.Sequential(linear(3, 3), nn.Tanh(), linear(3, 3), nn.Tanh(), linear(3, 1))
    network[2].weight = network[0].weight
    return network


def hung() -> nn.Module:
    network = Of(lambda s, x: s.a(x) * s.a.gain, a=linear(3, 1))
    network.a.gain = nn.Parameter(torch.full((1,), 2.0, dtype=D))
    return network


def old_spectral() -> nn.Module:
    with pytest.warns(FutureWarning):
        layer = nn.utils.weight_norm(linear(3, 5))
    return nn.Sequential(layer, nn.Tanh(), linear(5, 1))


def batch_norm() -> nn.Module:
    network = nn.Sequential(linear(3, 6), nn.BatchNorm1d(6, dtype=D), nn.ReLU(), linear(6, 1))
    network(points(50))  # running statistics that are not 0 and 1
    return network.eval()


def replaced() -> nn.Module:
    network = mlp(3, (4,))
    layer = network[0]
    layer.forward = lambda x: F.linear(x, layer.weight * torch.tensor([1.0, 2.0, 3.0], dtype=D), layer.bias)
    return network


@pytest.mark.parametrize("name", LAYERWISE)
def test_the_fast_route_finds_its_layers_by_itself(name: str) -> None:
    network, x1, x2 = LAYERWISE[name](), points(7), points(5, seed=1)
    assert relative(ntk(network, x1, x2), dense(network, x1, x2)) < 1e-10
    assert relative(ntk(network, x1), dense(network, x1)) < 1e-10
    single = LAYERWISE[name]().to(torch.float32)
    assert relative(ntk(single, x1.float(), x2.float()), dense(single, x1.float(), x2.float())) < 1e-5
    if "hook" not in name:
        assert is_layerwise(network, x1)


@pytest.mark.parametrize("name", OTHER)
def test_everything_else_is_right_too(name: str) -> None:
    network, x1, x2 = OTHER[name](), 2 * points(9), points(5, seed=1)
    assert relative(ntk(network, x1, x2), dense(network, x1, x2)) < 1e-10
    assert relative(ntk(network, x1), dense(network, x1)) < 1e-10


def test_both_routes_agree_in_single_precision_on_a_real_critic() -> None:
    network, x = mlp(20, (256, 256), dtype=torch.float32), points(40, 20, torch.float32)
    assert is_layerwise(network, x)
    assert relative(ntk(network, x), dense(network, x)) < 1e-5
    exact = dense(mlp(20, (256, 256), dtype=torch.float32).double(), x.double())
    assert relative(ntk(network, x).double(), exact) < 1e-5


def test_more_rows_than_a_chunk_of_the_jacobian_route() -> None:
    network, x = OTHER["own parameter"](), points(300)
    assert relative(ntk(network, x), dense(network, x)) < 1e-10


def test_frozen_parameters_do_not_count() -> None:
    network, x = mlp(3, (4,)), points()
    everything = ntk(network, x)
    network[0].requires_grad_(False)
    assert relative(ntk(network, x), dense(network, x)) < 1e-10
    assert not torch.allclose(ntk(network, x), everything)
    hidden = torch.cat([network[:2](x), torch.ones(len(x), 1, dtype=D)], dim=1)
    assert relative(ntk(network, x), hidden @ hidden.T) < 1e-12  # only the last layer is left


def test_inputs_may_be_transposed_strided_or_carry_a_graph() -> None:
    network, x = mlp(3, (4,)), points(8)
    expected = dense(network, x)
    assert torch.equal(ntk(network, x.T.contiguous().T), ntk(network, x))
    wide = torch.zeros(16, 6, dtype=D)
    wide[::2, ::2] = x
    assert relative(ntk(network, wide[::2, ::2]), expected) < 1e-12
    for net in (network, OTHER["own parameter"]()):
        graph = ntk(net, x.clone().requires_grad_(), (2 * x).requires_grad_())
        assert not graph.requires_grad
        assert relative(graph, dense(net, x, 2 * x)) < 1e-10


def test_gradients_may_be_switched_off_around_it() -> None:
    network, x = mlp(3, (4,)), points()
    expected = ntk(network, x)
    with torch.no_grad():
        assert torch.equal(ntk(network, x), expected)
    with torch.inference_mode():
        assert torch.equal(ntk(network, x), expected)


@pytest.mark.parametrize("build", [LAYERWISE["layer norm"], OTHER["own parameter"]])
def test_rows_and_columns_follow_the_inputs(build: Callable[[], nn.Module]) -> None:
    network, x1, x2 = build(), points(6), points(4, seed=1)
    p, q = torch.tensor([3, 1, 5, 0, 4, 2]), torch.tensor([2, 0, 3, 1])
    kernel = ntk(network, x1, x2)
    assert kernel.shape == (6, 4)
    assert torch.allclose(ntk(network, x1[p], x2[q]), kernel[p][:, q], rtol=1e-12)
    assert torch.allclose(ntk(network, x2, x1), kernel.T, rtol=1e-12)
    assert torch.allclose(ntk(network, x1[2:3], x2), kernel[2:3], rtol=1e-12)


def test_an_entry_is_what_one_gradient_step_on_a_value_moves_another() -> None:
    x1, x2, lr = points(4), points(3, seed=1), 1e-6
    kernel = ntk(mlp(3, (16,), seed=5), x1, x2)
    for j in range(len(x2)):
        network = mlp(3, (16,), seed=5)
        before = network(x1).detach()
        network(x2[j : j + 1]).sum().backward()
        with torch.no_grad():
            for p in network.parameters():
                p += lr * p.grad  # one step up in the value at x2[j]
        moved = (network(x1).detach() - before).flatten() / lr
        assert torch.allclose(moved, kernel[:, j], rtol=1e-4, atol=1e-6)


def test_the_factors_are_small() -> None:
    features = tangent_features(mlp(3, (50, 60)), points(7))
    assert isinstance(features, TangentFeatures)
    assert sum(factor.numel() for block in features.blocks for factor in block) < 7 * 300  # P is 3321


class Noise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + 1e-3 * torch.randn_like(x)


DEPENDENT: dict[str, Callable[[], nn.Module]] = {
    "batch mean subtracted": lambda: Of(lambda s, x: s.a(x - x.mean(0)), a=linear(3, 1)),
    "batch mean of the values subtracted": lambda: Of(lambda s, x: s.a(x) - s.a(x).mean(), a=linear(3, 1)),
    "largest entry divided out": lambda: Of(
        lambda s, x: s.b(s.a(x / x.abs().max()).tanh()), a=linear(3, 4), b=linear(4, 1)
    ),
    "running sum": lambda: Of(lambda s, x: s.a(x.cumsum(0)), a=linear(3, 1)),
    "running sum, other route": lambda: Of(
        lambda s, x: s.a(x.cumsum(0)) * s.p, a=linear(3, 1), p=nn.Parameter(torch.ones(1, dtype=D))
    ),
    "first row subtracted": lambda: Of(
        lambda s, x: s.a(x - x[:1]) * s.p, a=linear(3, 1), p=nn.Parameter(torch.ones(1, dtype=D))
    ),
    "neighbour added": lambda: Of(lambda s, x: s.a(x + x.roll(1, 0)), a=linear(3, 1)),
    "pairs averaged": lambda: Of(
        lambda s, x: (
            s.a(x) + s.a(x).reshape(-1, 2).mean(1).repeat_interleave(2)[:, None] if len(x) % 2 == 0 else s.a(x)
        ),
        a=linear(3, 1),
    ),
    "attention between rows": lambda: Of(
        lambda s, x: s.b(F.softmax(x @ x.T, 1) @ s.a(x)), a=linear(3, 4), b=linear(4, 1)
    ),
    "noise": lambda: nn.Sequential(linear(3, 4), Noise(), linear(4, 1)),
    "functional dropout": lambda: Of(lambda s, x: s.b(F.dropout(s.a(x), 0.5)), a=linear(3, 8), b=linear(8, 1)),
    "spectral norm in training mode": lambda: nn.Sequential(parametrizations.spectral_norm(linear(3, 5)), linear(5, 1)),
}


@pytest.mark.parametrize(
    ("name", "n"), [(name, n) for name in DEPENDENT for n in (2, 3, 8) if (name, n) != ("pairs averaged", 3)]
)
def test_a_value_that_depends_on_other_rows_or_on_chance_is_refused(name: str, n: int) -> None:
    with pytest.raises(ValueError, match=r"depends on the other rows.*chance.*network\.eval\(\)"):
        ntk(DEPENDENT[name](), points(n))


def test_noise_is_refused_in_a_single_row_too() -> None:
    with pytest.raises(ValueError, match="on chance"):
        ntk(DEPENDENT["noise"](), points(1))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.BatchNorm1d(4, dtype=D), r"BatchNorm1d \(1\) in training mode .* the other rows.*network\.eval\(\)"),
        (nn.BatchNorm1d(4, track_running_stats=False, dtype=D).eval(), r"BatchNorm1d \(1\)"),
        (nn.Dropout(0.1), r"Dropout \(1\) in training mode .* chance.*network\.eval\(\)"),
        (nn.AlphaDropout(0.1), r"AlphaDropout \(1\)"),
    ],
)
def test_known_offenders_are_refused_by_name_and_left_as_they_were(layer: nn.Module, message: str) -> None:
    network = nn.Sequential(linear(3, 4), layer, linear(4, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        ntk(network, points())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_network_that_changes_its_buffers_gets_them_back() -> None:
    network = DEPENDENT["spectral norm in training mode"]()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with pytest.raises(ValueError, match="earlier evaluations"):
        ntk(network, points())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("build", [*LAYERWISE.values(), OTHER["own parameter"], OTHER["batch norm in eval mode"]])
def test_the_network_is_left_untouched(build: Callable[[], nn.Module]) -> None:
    network = build()
    for p in network.parameters():
        p.grad = torch.full_like(p, 3.0)
    first = next(iter(network.parameters()))
    first.grad = None
    state = {name: value.clone() for name, value in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    hooks = [len(module._forward_hooks) for module in network.modules()]
    random = torch.get_rng_state()
    x = points()
    copy = x.clone()
    ntk(network, x)
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert first.grad is None
    assert all((p.grad == 3).all() for p in network.parameters() if p is not first)
    assert modes == [module.training for module in network.modules()]
    assert hooks == [len(module._forward_hooks) for module in network.modules()]
    assert torch.equal(random, torch.get_rng_state())
    assert torch.equal(x, copy)


def test_hooks_go_when_the_evaluation_fails() -> None:
    network = mlp(3, (4,))
    with pytest.raises(ValueError, match="rows of width 5"):
        ntk(network, points(d=5))
    assert not any(module._forward_hooks for module in network.modules())


def test_an_input_that_the_network_writes_into_is_kept() -> None:
    network, x = nn.Sequential(nn.ReLU(inplace=True), linear(3, 1)), points()
    copy = x.clone()
    got = ntk(network, x)
    assert torch.equal(x, copy)
    assert relative(got, copy.relu() @ copy.relu().T + 1) < 1e-12


@pytest.mark.parametrize(
    ("x1", "x2", "error", "message"),
    [
        ([[0.0] * 3], None, TypeError, "x1 must be a tensor, got list"),
        (points(), points().numpy(), TypeError, r"x2 must be a tensor, got ndarray; convert it with torch.as_tensor"),
        (points().half(), None, TypeError, r"x1 has dtype torch.float16.*x1\.to\(torch.float32\)"),
        (points(), points().half(), TypeError, r"x2 has dtype torch.float16"),
        (points(), points().float(), TypeError, r"x2 is torch.float32 but the network torch.float64"),
        (points(0), points(), ValueError, r"x1 must be a non-empty matrix \(N, d\)"),
        (points(), points(0), ValueError, r"x2 must be a non-empty matrix \(N, d\)"),
        (points()[0], None, ValueError, r"x1 must be a non-empty matrix .* got shape \(3,\)"),
        (points(), points(d=2), ValueError, "x1 has width 3 but x2 2; give both"),
        (points(d=5), None, ValueError, r"rows of width 5 \(its first linear layer takes 3\)"),
        (points() / 0, None, ValueError, "x1 is nan or infinite, first in row 0"),
        (points(), torch.full((2, 3), math.nan, dtype=D), ValueError, "x2 is nan or infinite, first in row 0"),
        (points().to("meta"), None, ValueError, "x1 is on meta but the network on cpu"),
        (points(), points().to("meta"), ValueError, "x2 is on meta but the network on cpu"),
    ],
)
def test_bad_input_is_refused_with_the_fix(x1: object, x2: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ntk(mlp(3, (4,)), x1, x2)


def test_two_outputs_are_refused() -> None:
    for network in (linear(3, 2), Of(lambda s, x: (s.a(x), s.a(x)), a=linear(3, 1))):
        with pytest.raises(ValueError, match=r"one value a row is needed.*wrap it so that it returns the value of one"):
            ntk(network, points())


def test_a_network_with_nothing_to_train_is_refused() -> None:
    frozen = mlp(3).requires_grad_(False)
    detached = Of(lambda s, x: s.a(x).detach(), a=linear(3, 1))
    for network in (frozen, detached):
        with pytest.raises(ValueError, match=r"Q depends on no parameter that requires a gradient.*unfreeze"):
            ntk(network, points())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_diverged_network_is_refused(value: float) -> None:
    network = mlp(3, (4,))
    with torch.no_grad():
        network[2].bias.fill_(value)
    with pytest.raises(ValueError, match=r"Q is not finite in row 0: .*go back to the last finite state"):
        ntk(network, points())


def test_what_torch_func_cannot_do_is_refused_with_the_reason() -> None:
    network = Of(
        lambda s, x: s.a(x) * s.p if s.p.sum() + 0 * x.sum() > 0 else s.a(x),
        a=linear(3, 1),
        p=nn.Parameter(torch.ones(1, dtype=D)),
    )
    with pytest.raises(ValueError, match=r"torch.func cannot differentiate this network row by row; write its forward"):
        ntk(network, points())
