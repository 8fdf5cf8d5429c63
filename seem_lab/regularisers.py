"""Remedies that change the network: a network in, a changed copy out, PyTorch's own parts inside.

LayerNorm, other activations and other initialisations are arguments of `mlp`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

from torch import nn
from torch.nn.utils import parametrizations

Network = TypeVar("Network", bound=nn.Module)


def weight_norm(network: Network, *, learn_gain: bool = True) -> Network:
    """Every row of a weight matrix becomes `g v / ||v||`: its length g and its direction are learned apart.

    Nothing holds g back while it is learned. With fixed gains each row keeps the length it starts with, and the
    network's values can grow through the biases alone.

    Args:
        network: any with linear layers; it is left as it is.
        learn_gain: learn g, too.

    Returns:
        A copy with the same values.

    Raises:
        ValueError: no linear layer.

    Source: Salimans and Kingma 2016, arXiv 1602.07868.

    Example:
        >>> from seem_lab import mlp
        >>> [name for name, _ in weight_norm(mlp(4, hidden=())).named_parameters()]
        ['0.bias', '0.parametrizations.weight.original0', '0.parametrizations.weight.original1']
    """
    network = deepcopy(network)
    for layer in _linear(network):
        parametrizations.weight_norm(layer)
        dict(layer.named_parameters())["parametrizations.weight.original0"].requires_grad_(learn_gain)
    return network


def spectral_norm(network: Network) -> Network:
    """Every weight matrix is divided by its largest singular value: no layer stretches any direction.

    In training mode each evaluation refines the estimate of that singular value by one power iteration; there is a
    kernel in eval mode.

    Args:
        network: any with linear layers; it is left as it is.

    Returns:
        A copy, with smaller or larger values than the network's.

    Raises:
        ValueError: no linear layer.

    Source: Miyato et al. 2018, arXiv 1802.05957; in reinforcement learning Gogianu et al. 2021, arXiv 2105.05246.

    Example:
        >>> from seem_lab import mlp
        >>> weight = spectral_norm(mlp(4, hidden=(8,))).eval()[0].weight
        >>> round(weight.detach().svd().S[0].item(), 3)
        1.0
    """
    network = deepcopy(network)
    for layer in _linear(network):
        parametrizations.spectral_norm(layer)
    return network


def batch_norm(network: nn.Sequential) -> nn.Sequential:
    """A `BatchNorm1d` after each linear layer but the last: features are centred and scaled over the batch.

    In training mode the value of a row then depends on the other rows: train it with
    `BatchTarget`, and put it in eval mode (running statistics) for a kernel of single rows.

    Args:
        network: as `mlp` makes it; it is left as it is.

    Returns:
        A copy with these layers.

    Raises:
        ValueError: no linear layer.

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167; in TD learning Bhatt et al. 2024, arXiv 1902.05605 (CrossQ).

    Example:
        >>> from seem_lab import mlp
        >>> [type(layer).__name__ for layer in batch_norm(mlp(4, hidden=(8,)))]
        ['Linear', 'BatchNorm1d', 'ReLU', 'Linear']
    """
    network = deepcopy(network)
    layers: list[nn.Module] = []
    last = _linear(network)[-1]
    for layer in network:
        layers.append(layer)
        if isinstance(layer, nn.Linear) and layer is not last:
            layers.append(nn.BatchNorm1d(layer.out_features, device=layer.weight.device, dtype=layer.weight.dtype))
    return nn.Sequential(*layers)


def dropout(network: nn.Sequential, p: float = 0.1) -> nn.Sequential:
    """Before each linear layer but the first, every unit is left out with probability p, drawn anew at each evaluation.

    In training mode the values are random (PyTorch's global generator); there is a kernel in eval mode.

    Args:
        network: as `mlp` makes it; it is left as it is.
        p: probability that a unit is left out; the others are divided by 1 - p.

    Returns:
        A copy with these layers.

    Raises:
        ValueError: no linear layer, or p outside [0, 1].

    Source: Srivastava et al. 2014; in value learning Hiraoka et al. 2022, arXiv 2110.02034.

    Example:
        >>> from seem_lab import mlp
        >>> [type(layer).__name__ for layer in dropout(mlp(4, hidden=(8,)))]
        ['Linear', 'ReLU', 'Dropout', 'Linear']
    """
    network = deepcopy(network)
    layers: list[nn.Module] = []
    first = _linear(network)[0]
    for layer in network:
        if isinstance(layer, nn.Linear) and layer is not first:
            layers.append(nn.Dropout(p))
        layers.append(layer)
    return nn.Sequential(*layers)


def _linear(network: nn.Module) -> list[nn.Linear]:
    layers = [m for m in network.modules() if isinstance(m, nn.Linear)]
    if not layers:
        raise ValueError(f"the network ({type(network).__name__}) has no linear layer to change; build it with mlp")
    return layers
