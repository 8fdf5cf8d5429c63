"""LayerNorm put into a network that has none, and the limit it sets to the tangent kernel, at every input."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn


def insert_layer_norm(network: nn.Sequential) -> nn.Sequential:
    """A copy of a network with a fresh `LayerNorm` between each linear layer and the ReLU after it.

    The linear layers keep their parameters; the values change, as LayerNorm rescales what reaches each ReLU.

    Args:
        network: as `mlp` makes it; it is left as it is.

    Returns:
        The copy, gain 1 and bias 0 in each LayerNorm.

    Raises:
        ValueError: there is no ReLU right after a linear layer.

    Source: Ba, Kiros, Hinton 2016, arXiv 1607.06450; before each ReLU of a critic, as in arXiv 2310.04411.

    Example:
        >>> from seem_lab import mlp
        >>> [type(layer).__name__ for layer in insert_layer_norm(mlp(4))]
        ['Linear', 'LayerNorm', 'ReLU', 'Linear']
    """
    layers = list(network.children())
    if not any(isinstance(one, nn.Linear) and isinstance(after, nn.ReLU) for one, after in pairwise(layers)):
        raise ValueError("no ReLU stands right after a linear layer, so there is no place for a LayerNorm")
    changed: list[nn.Module] = []
    for layer, after in pairwise([*layers, nn.Identity()]):
        changed.append(copy.deepcopy(layer))
        if isinstance(layer, nn.Linear) and isinstance(after, nn.ReLU):
            changed.append(nn.LayerNorm(layer.out_features, dtype=layer.weight.dtype, device=layer.weight.device))
    return nn.Sequential(*changed)


@dataclass(frozen=True)
class KernelBound:
    """Upper limits of |phi(y)|^2 over all inputs y, by layer; made by `kernel_bound`.

    Args:
        first: of the first linear layer's part.
        norm: of the part of LayerNorm's gain and bias; 0 where it has none.
        last: of the last linear layer's part.
    """

    first: float
    norm: float
    last: float

    @property
    def total(self) -> float:
        """B: |phi(y)|^2 = G(y, y) <= B for every y, and so |G(y, x)| <= sqrt(B G(x, x))."""
        return self.first + self.norm + self.last


def kernel_bound(network: nn.Sequential) -> KernelBound:
    """A limit that `ntk(network, y)` stays below for every input y, for one hidden layer with LayerNorm.

    With n units, z = W y + b, `zhat = (z - mean) / S`, `S^2 = variance + eps`, gain g, bias c, output weights w:

    1. `|zhat|^2 = n variance / S^2 <= n`. So `h = ReLU(g zhat + c)` has `|h| <= max|g| sqrt(n) + |c|`.
    2. The last layer's part is `|h|^2 + 1`.
    3. The parts of the gain and the bias: `|w 1[on] zhat|^2 <= max w^2 n` and `|w 1[on]|^2 <= |w|^2`.
    4. `dQ/dz` is g w 1[on], less its components along 1 and zhat, over S: at most `max|g| |w| / S` long. The first
       layer's part is `|dQ/dz|^2 (|y|^2 + 1)`. Both S and y grow without end, but
       `n S^2 >= |C (W y + b)|^2 >= sigma^2 (|y|^2 + 1)`, C the map that takes off the mean and sigma the smallest
       singular value of `C [W b]`. So the quotient stays below `max|g|^2 |w|^2 n / sigma^2`.

    Args:
        network: as `mlp(d, (n,), layer_norm=True)` makes it, with ReLU.

    Returns:
        The limits of the three parts.

    Raises:
        ValueError: another kind of network, or a first layer whose `C [W b]` has no full rank (fewer than d + 2 units).

    Source: our derivation; a limit in the case of infinite width: Ziomek et al. 2025, arXiv 2505.14512.

    Example:
        >>> from seem_lab import mlp, ntk
        >>> network = mlp(2, (64,), layer_norm=True, seed=0)
        >>> far = 1e6 * torch.randn(100, 2, dtype=torch.float64)
        >>> bool((ntk(network, far).diag() <= kernel_bound(network).total).all())
        True
    """
    layers = list(network.children())
    kinds = [type(layer) for layer in layers]
    if kinds != [nn.Linear, nn.LayerNorm, nn.ReLU, nn.Linear]:
        raise ValueError(
            "the limit is worked out for Linear, LayerNorm, ReLU, Linear; got "
            + ", ".join(kind.__name__ for kind in kinds)
        )
    first, norm, _, last = layers
    assert isinstance(first, nn.Linear) and isinstance(norm, nn.LayerNorm) and isinstance(last, nn.Linear)  # for mypy
    columns = [first.weight.detach()] + ([] if first.bias is None else [first.bias.detach()[:, None]])
    extended = torch.cat(columns, dim=1)
    n = len(extended)
    smallest = torch.linalg.svdvals(extended - extended.mean(0))[-1].item()
    if n <= extended.shape[1] or smallest <= 1e-12 * extended.abs().max().item():
        raise ValueError(
            f"{n} units are too few for inputs of width {first.in_features}: there is no limit of this form"
        )
    w = last.weight.detach()
    gain, shift = 1.0, 0.0
    learned = 0.0
    if norm.elementwise_affine:
        gain, shift = norm.weight.detach().abs().max().item(), norm.bias.detach().norm().item()
        learned = n * w.abs().max().item() ** 2 + w.square().sum().item()
    return KernelBound(
        first=gain**2 * w.square().sum().item() * n / smallest**2,
        norm=learned,
        last=(gain * n**0.5 + shift) ** 2 + (last.bias is not None),
    )
