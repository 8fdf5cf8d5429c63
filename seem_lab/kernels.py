"""Exact empirical neural tangent kernels of a torch network: what one update at x does to the value at y.

With phi(x) = dQ(x)/dtheta, one row of P numbers, the kernel is `G(y, x) = phi(y) . phi(x)`. Two routes give it, and
`tangent_features` picks by itself:

*Layerwise*, for networks whose trainable parameters all sit in `Linear` and `LayerNorm` layers. A linear layer with
input h and output z has the gradient `(dQ/dz) h^T`, an outer product, so that

    phi(y) . phi(x) = sum over layers of (delta_y . delta_x) (h_y . h_x + 1),      delta = dQ/dz,

the + 1 coming from the bias. Nothing of size P is ever formed.

*Jacobian*, for everything else: the rows phi(x) by `torch.func`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from seem_lab.networks import check_input, q_values


@dataclass(frozen=True)
class TangentFeatures:
    """phi(x) for N inputs, kept as factors instead of one `(N, P)` matrix.

    A block is a tuple of matrices with N rows; the part of phi(x_i) it stands for is the outer product of their i-th
    rows. Inner products of outer products are products of inner products, hence

        phi(y) . phi(x) = sum over blocks of product over factors F of (F_y . F_x).

    Args:
        blocks: the factors, one tuple for each parameter (or for each layer, weight and bias together).
    """

    blocks: tuple[tuple[Float[Tensor, "n _"], ...], ...]

    def __getitem__(self, rows: slice) -> TangentFeatures:
        """The features of some of the inputs."""
        return TangentFeatures(tuple(tuple(factor[rows] for factor in block) for block in self.blocks))

    def kernel(self, other: TangentFeatures) -> Float[Tensor, "m n"]:
        """`(M, N)` matrix of `phi(y_i) . phi(x_j)`: rows are these inputs, columns those of `other`."""
        products = (
            reduce(torch.Tensor.mul_, (ours @ theirs.T for ours, theirs in zip(block, other_block, strict=True)))
            for block, other_block in zip(self.blocks, other.blocks, strict=True)
        )
        return reduce(torch.Tensor.add_, products)


def ntk(network: nn.Module, x1: Float[Tensor, "m d"], x2: Float[Tensor, "n d"] | None = None) -> Float[Tensor, "m n"]:
    """Empirical neural tangent kernel `G(x1, x2) = phi(x1) phi(x2)^T`, exact, rows indexed by `x1`.

    `lr * G[i, j]` is how much one gradient step on the *value* at `x2[j]` with step size `lr` moves Q(x1[i]), to
    first order. Parameters with `requires_grad=False` do not count.

    Source: Jacot et al. 2018; `G_theta(X*, X)` of arXiv 2310.04411, section 3.

    Args:
        network: any module with one output a row; it is left untouched, gradients included.
        x1: `(M, d)` inputs.
        x2: `(N, d)` inputs; `x1` itself if not given.

    Returns:
        `(M, N)` kernel, dtype and device of the inputs.

    Raises:
        TypeError, ValueError: as `q_values`; also when the value of a row depends on the other rows (batch norm in
            training mode) or on chance (dropout in training mode), or is not finite.

    Example:
        >>> network = nn.Linear(2, 1, dtype=torch.float64)
        >>> ntk(network, torch.ones(1, 2, dtype=torch.float64)).item()       # 1 + 1, and 1 for the bias
        3.0
    """
    check_input(network, x1, "x1")
    if x2 is None:
        features = tangent_features(network, x1)
        return features.kernel(features)
    check_input(network, x2, "x2")
    if x1.shape[1] != x2.shape[1]:
        raise ValueError(f"x1 has width {x1.shape[1]} but x2 {x2.shape[1]}; give both as (s, a) concatenated")
    features = tangent_features(network, torch.cat([x1, x2]))
    return features[: len(x1)].kernel(features[len(x1) :])


@torch.inference_mode(False)  # gradients are on in here, whatever was switched off around
def tangent_features(network: nn.Module, x: Float[Tensor, "n d"]) -> TangentFeatures:
    """phi(x) = dQ(x)/dtheta of N inputs, in factors; the layerwise route where it is exact, the Jacobian elsewhere.

    Args and errors as for `ntk`. Every row is evaluated a second time in other company, which tells a value that
    depends on the other rows.
    """
    _refuse_batch_dependence_by_name(network)
    x = x.detach().clone()
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    features, q = _layerwise(network, x)
    again = torch.empty_like(q)
    with torch.no_grad():
        for rows in (slice(0, None, 2), slice(1, None, 2))[: len(x)]:  # neighbours apart
            again[rows] = network(x[rows]).reshape(-1)
        changed = [buffer.copy_(before) for buffer, before in buffers if not torch.equal(buffer, before)]
    if not torch.isfinite(q).all():
        row = int((~torch.isfinite(q)).nonzero()[0, 0])
        raise ValueError(f"Q is not finite in row {row}: there is no kernel there; go back to the last finite state")
    if changed or not (q - again).abs().max() <= _tolerance(x) * q.abs().max():
        raise ValueError(
            "the value of a row depends on the other rows of the batch, on chance or on earlier evaluations, so it has "
            "no kernel; make the network a function of one row (network.eval() freezes normalisation and dropout)"
        )
    return _jacobian(network, x) if features is None else features


def _tolerance(x: Tensor) -> float:
    """A relative difference that rounding stays below."""
    return math.sqrt(torch.finfo(x.dtype).eps)


def _refuse_batch_dependence_by_name(network: nn.Module) -> None:
    """The known layers that are no function of one row, refused with their name."""
    for name, module in network.named_modules():
        batch_norm = isinstance(module, nn.modules.batchnorm._BatchNorm) and (
            module.training or not module.track_running_stats
        )
        dropout = isinstance(module, nn.modules.dropout._DropoutNd) and module.training and module.p > 0
        if batch_norm or dropout:
            raise ValueError(
                f"{type(module).__name__} ({name or 'the network'}) in training mode makes the value of a row depend "
                f"on {'the other rows' if batch_norm else 'chance'}, so it has no kernel; call network.eval() first"
            )


def _layerwise(network: nn.Module, x: Tensor) -> tuple[TangentFeatures | None, Tensor]:
    """Features from one forward and one backward pass, and Q; None where the layers alone do not tell them.

    The factors must add up to what plain autograd gives for a weighted sum of all values: this tells a layer that is
    called twice and a parameter that acts in a way the layers do not see.
    """
    layers = [m for m in network.modules() if type(m) in (nn.Linear, nn.LayerNorm) and _trainable(m)]
    calls: list[tuple[nn.Module, Tensor, Tensor]] = []
    hooks = [
        layer.register_forward_hook(lambda module, inputs, output: calls.append((module, inputs[0], output)))
        for layer in layers
    ]
    try:
        q = q_values(network, x)
    finally:
        for hook in hooks:
            hook.remove()
    if not q.requires_grad:
        raise ValueError("Q depends on no parameter that requires a gradient, so every kernel is zero; unfreeze some")
    everything = {id(p) for p in network.parameters() if p.requires_grad}
    parameters = [p for layer, _, _ in calls for p in _trainable(layer).values()]
    simple = {id(p) for p in parameters} == everything and all(
        h.ndim == 2 and len(h) == len(x) and z._version == 0 for _, h, z in calls
    )
    if not simple:
        return None, q.detach()

    weights = 1 + torch.rand(len(x), 1, generator=torch.Generator().manual_seed(0), dtype=x.dtype).to(x.device)
    wanted = [z for _, _, z in calls] + parameters
    gradients = torch.autograd.grad(q @ weights[:, 0], wanted, allow_unused=True, materialize_grads=True)
    by_parameter = iter(gradients[len(calls) :])
    blocks: list[tuple[Tensor, ...]] = []
    ours, plain = [], []
    for (layer, h, z), delta in zip(calls, gradients[: len(calls)], strict=True):
        own = _blocks(layer, h.detach(), delta / weights)
        blocks += own
        ours += [torch.cat([_sum_rows(block, weights) for block in own], dim=1).flatten()]
        plain += [torch.cat([next(by_parameter).reshape(z.shape[1], -1) for _ in _trainable(layer)], dim=1).flatten()]
    total = torch.cat(plain)
    add_up = (torch.cat(ours) - total).abs().max() <= _tolerance(x) * total.abs().max()
    return (TangentFeatures(tuple(blocks)) if add_up else None), q.detach()


def _blocks(layer: nn.Module, h: Tensor, delta: Tensor) -> Sequence[tuple[Tensor, ...]]:
    """The blocks of one layer: its input is h, `(N, in)`, and delta, `(N, out)`, is dQ by its output."""
    weight, bias = "weight" in _trainable(layer), "bias" in _trainable(layer)
    if isinstance(layer, nn.LayerNorm):
        normalised = nn.functional.layer_norm(h, layer.normalized_shape, eps=layer.eps)
        return [(delta * normalised,)] * weight + [(delta,)] * bias
    if weight and bias:
        return [(delta, torch.cat([h, h.new_ones(len(h), 1)], dim=1))]
    return [(delta, h)] * weight + [(delta,)] * bias


def _sum_rows(block: tuple[Tensor, ...], weights: Tensor) -> Tensor:
    """The weighted sum over the N rows of what a block stands for, as a matrix; `weights` is `(N, 1)`."""
    first, second = block if len(block) == 2 else (block[0], torch.ones_like(weights))
    return (first * weights).T @ second


def _trainable(layer: nn.Module) -> dict[str, nn.Parameter]:
    """The weight and the bias of a layer, as far as they are parameters that require a gradient."""
    named = ((name, layer._parameters.get(name)) for name in ("weight", "bias"))
    return {name: p for name, p in named if p is not None and p.requires_grad}


def _jacobian(network: nn.Module, x: Tensor) -> TangentFeatures:
    """The rows phi(x) themselves, `(N, P)` split by parameter, from `torch.func`."""
    parameters = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}

    def value(parameters: dict[str, Tensor], row: Tensor) -> Tensor:
        return functional_call(network, parameters, (row[None],)).reshape(())

    try:
        rows = vmap(grad(value), in_dims=(None, 0), chunk_size=256)(parameters, x)
    except RuntimeError as error:
        raise ValueError(
            "torch.func cannot differentiate this network row by row; write its forward without control flow that "
            f"looks at values and without writing in place. PyTorch says: {error}"
        ) from error
    return TangentFeatures(tuple((gradient.reshape(len(x), -1),) for gradient in rows.values()))
