"""Q-networks: linear and multi-layer, and the one way to evaluate them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import torch
from jaxtyping import Float
from torch import Tensor, nn

_DRAWING = Lock()


def linear_q(
    input_dim: int,
    *,
    weight: Sequence[float] | Tensor | None = None,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> nn.Linear:
    """Linear Q-function `Q(x) = w . x`: the features are the input itself, there is no bias.

    Args:
        input_dim: the number of features d, also the number of parameters.
        weight: `(d,)` initial w; PyTorch's default draw if not given.
        seed: of that draw; the global random state is left as it was.
        dtype: of the parameters.

    Returns:
        A network mapping `(N, d)` to `(N, 1)`.

    Raises:
        ValueError: `weight` does not have `input_dim` entries.

    Example:
        >>> linear_q(2, weight=[1.0, 2.0])(torch.ones(3, 2, dtype=torch.float64)).flatten().tolist()
        [3.0, 3.0, 3.0]
    """
    with _drawing(seed):
        layer = nn.Linear(input_dim, 1, bias=False, dtype=dtype)
    if weight is not None:
        row = torch.as_tensor(weight, dtype=dtype)
        if row.shape != (input_dim,):
            raise ValueError(f"weight must have shape ({input_dim},), got {tuple(row.shape)}")
        with torch.no_grad():
            layer.weight.copy_(row)
    return layer


def mlp(
    input_dim: int,
    hidden: Sequence[int] = (64,),
    *,
    output_dim: int = 1,
    layer_norm: bool | Sequence[bool] = False,
    affine: bool = True,
    activation: Callable[[], nn.Module] = nn.ReLU,
    init: Callable[[Tensor], object] | None = None,
    bias: bool = True,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
) -> nn.Sequential:
    """Network with `len(hidden) + 1` linear layers, ReLU and PyTorch's default initialisation if not told otherwise.

    Args:
        input_dim: length d of one input row (s, a).
        hidden: width of each hidden layer.
        output_dim: values a row: 1 for a critic; as many as actions have entries for a policy.
        layer_norm: put a `LayerNorm` before each activation; or, one answer a hidden layer, before some.
        affine: give each `LayerNorm` a weight and a bias to learn.
        activation: makes the activation after each hidden layer, such as `nn.Tanh`, `nn.ELU` or `nn.SiLU`.
        init: fills each weight matrix in place, such as `nn.init.orthogonal_` or, for the initialisation of He et al.
            2015, `nn.init.kaiming_normal_`; biases are then zero.
        bias: give the linear layers a bias.
        seed: of the initial draw; the global random state is left as it was.
        dtype: of the parameters; the draw differs between dtypes.

    Returns:
        A network mapping `(N, d)` to `(N, output_dim)`.

    Raises:
        ValueError: a width below 1, or not one answer a hidden layer in `layer_norm`.

    Example:
        >>> sum(p.numel() for p in mlp(4, hidden=(64,)).parameters())
        385
        >>> [type(layer).__name__ for layer in mlp(4, (8, 8), layer_norm=(False, True), activation=nn.SiLU)]
        ['Linear', 'SiLU', 'Linear', 'LayerNorm', 'SiLU', 'Linear']
    """
    widths = [input_dim, *hidden]
    if min(*widths, output_dim) < 1:
        raise ValueError(
            f"every width must be at least 1, got input_dim={input_dim}, hidden={tuple(hidden)}, "
            f"output_dim={output_dim}"
        )
    normed = [layer_norm] * len(hidden) if isinstance(layer_norm, bool) else list(layer_norm)
    if len(normed) != len(hidden):
        raise ValueError(f"layer_norm must be one bool, or one a hidden layer ({len(hidden)}), got {layer_norm}")
    with _drawing(seed):
        layers: list[nn.Module] = []
        for fan_in, fan_out, norm in zip(widths, hidden, normed, strict=False):
            layers.append(nn.Linear(fan_in, fan_out, bias=bias, dtype=dtype))
            if norm:
                layers.append(nn.LayerNorm(fan_out, elementwise_affine=affine, dtype=dtype))
            layers.append(activation())
        layers.append(nn.Linear(widths[-1], output_dim, bias=bias, dtype=dtype))
        for layer in layers:
            if init is not None and isinstance(layer, nn.Linear):
                init(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers)


def q_values(network: nn.Module, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """Q(x), one value a row, after checking that `x` fits the network. Gradients flow as usual.

    Args:
        network: maps `(N, d)` to `(N,)` or `(N, 1)`.
        x: `(N, d)` inputs, (s, a) concatenated; float32 or float64, as the network's parameters.

    Returns:
        `(N,)` values.

    Raises:
        TypeError: `x` is no tensor, or half precision, or not of the parameters' dtype.
        ValueError: `x` is not a non-empty matrix, not finite, on another device, of the wrong width, or the network
            gives more than one value a row.
    """
    check_input(network, x)
    try:
        q = network(x)
    except RuntimeError as error:
        first = next((m for m in network.modules() if isinstance(m, nn.Linear)), None)
        wanted = f" (its first linear layer takes {first.in_features})" if first is not None else ""
        raise ValueError(
            f"the network cannot evaluate rows of width {x.shape[1]}{wanted}; "
            f"x must be state and action concatenated. PyTorch says: {error}"
        ) from error
    if not isinstance(q, Tensor) or q.shape not in ((len(x),), (len(x), 1)):
        gave = tuple(q.shape) if isinstance(q, Tensor) else f"a {type(q).__name__}"
        raise ValueError(
            f"one value a row is needed, shape ({len(x)},) or ({len(x)}, 1), but the network gave {gave}; "
            "wrap it so that it returns the value of one action"
        )
    return q.reshape(-1)


def check_input(network: nn.Module, x: Float[Tensor, "n d"], name: str = "x") -> None:
    """What `q_values` asks of its input, without an evaluation; `name` is what the messages call it."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(x).__name__}; convert it with torch.as_tensor({name})")
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} has dtype {x.dtype}; float32 or float64 is needed: {name}.to(torch.float32)")
    if x.ndim != 2 or len(x) == 0:
        raise ValueError(f"{name} must be a non-empty matrix (N, d), one (s, a) a row; got shape {tuple(x.shape)}")
    parameter = next(network.parameters(), None)
    if parameter is not None:
        if parameter.dtype != x.dtype:
            raise TypeError(f"{name} is {x.dtype} but the network {parameter.dtype}; convert it: network.to({x.dtype})")
        if parameter.device != x.device:
            raise ValueError(f"{name} is on {x.device} but the network on {parameter.device}; move one: .to(device)")
    if not torch.isfinite(x).all():
        row = int((~torch.isfinite(x)).nonzero()[0, 0])
        raise ValueError(f"{name} is nan or infinite, first in row {row}; drop such rows or look where they come from")


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Draw from this seed and leave the global random state as it was; one thread at a time, as they share it."""
    with _DRAWING, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def in_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Training or eval mode for a moment; afterwards every module is in the mode it was in."""
    before = {module: module.training for module in network.modules()}
    network.train(training)
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode
