"""Exact empirical neural tangent kernels of a torch network: what one update at x does to the value at y.

With phi(x) = dQ(x)/dtheta, one row of P numbers, the kernel is `G(y, x) = phi(y) . phi(x)`. Two routes give it, and
`tangent_features` picks by itself:

*Layerwise*, for networks whose trainable parameters all sit in `Linear` and `LayerNorm` layers. A linear layer with
input h and output z has the gradient `(dQ/dz) h^T`, an outer product, so that

    phi(y) . phi(x) = sum over layers of (delta_y . delta_x) (h_y . h_x + 1),      delta = dQ/dz,

the + 1 coming from the bias. Nothing of size P is ever formed.

*Jacobian*, for everything else: the rows phi(x) by `torch.func`.

Several networks of one shape (seeds, twin critics) go through the same lines at once, see `stacks.py`: every tensor
then has a leading axis of length S, the dots in the shapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import grad, vmap

from seem_lab.stacks import Networks, Stack

PANEL = 256  # rows of a kernel computed at a time, so that the work in progress stays in a processor's cache


@dataclass(frozen=True)
class TangentFeatures:
    """phi(x) for N inputs, kept as factors instead of one `(N, P)` matrix.

    A block is a tuple of matrices with N rows; the part of phi(x_i) it stands for is the outer product of their i-th
    rows. Inner products of outer products are products of inner products, hence

        phi(y) . phi(x) = sum over blocks of product over factors F of (F_y . F_x).

    Args:
        blocks: the factors, one tuple for each parameter (or for each layer, weight and bias together).
    """

    blocks: tuple[tuple[Float[Tensor, "... n _"], ...], ...]

    def __len__(self) -> int:
        """The number of inputs N."""
        return self.blocks[0][0].shape[-2]

    def __getitem__(self, rows: slice) -> TangentFeatures:
        """The features of some of the inputs."""
        return TangentFeatures(tuple(tuple(factor[..., rows, :] for factor in block) for block in self.blocks))

    def kernel(self, other: TangentFeatures | None = None) -> Float[Tensor, "... m n"]:
        """`(M, N)` matrix of `phi(y_i) . phi(x_j)`: rows are these inputs, columns those of `other`.

        Without `other` the columns are these inputs as well; one half of the matrix is then computed, and mirrored.
        Memory beyond the result: three panels of `PANEL` rows.
        """
        columns = self if other is None else other
        factor = self.blocks[0][0]
        matrix = factor.new_empty(*factor.shape[:-2], len(self), len(columns))
        for start in range(0, len(self), PANEL):
            rows = slice(start, start + PANEL)
            if other is None:
                panel = self[rows].inner(self[start:])  # from the diagonal on
                matrix[..., start:, rows] = panel.mT
                matrix[..., rows, start:] = panel
            else:
                matrix[..., rows, :] = self[rows].inner(other)
        return matrix

    def inner(self, other: TangentFeatures) -> Float[Tensor, "... m n"]:
        """All inner products in one piece: the formula above, as it stands."""
        products = (
            reduce(torch.Tensor.mul_, (ours @ theirs.mT for ours, theirs in zip(block, other_block, strict=True)))
            for block, other_block in zip(self.blocks, other.blocks, strict=True)
        )
        return reduce(torch.Tensor.add_, products)


def ntk(
    network: Networks, x1: Float[Tensor, "... m d"], x2: Float[Tensor, "... n d"] | None = None
) -> Float[Tensor, "... m n"]:
    """Empirical neural tangent kernel `G(x1, x2) = phi(x1) phi(x2)^T`, exact, rows indexed by `x1`.

    `lr * G[i, j]` is how much one gradient step on the *value* at `x2[j]` with step size `lr` moves Q(x1[i]), to
    first order. Parameters with `requires_grad=False` do not count.

    Source: Jacot et al. 2018; `G_theta(X*, X)` of arXiv 2310.04411, section 3.

    Args:
        network: any module with one output a row; it is left untouched, gradients included. A list of S networks of
            one shape gives S kernels at once.
        x1: `(M, d)` inputs; for a list also `(S, M, d)`, each network its own.
        x2: `(N, d)` inputs, or `(S, N, d)`; `x1` itself if not given, which takes half the time.

    Returns:
        `(M, N)` kernel, `(S, M, N)` for a list; dtype and device of the inputs.

    Raises:
        TypeError, ValueError: as `q_values`; also when the value of a row depends on the other rows (batch norm in
            training mode) or on chance (dropout in training mode), or is not finite, or when the networks of a list
            differ in shape.

    Example:
        >>> network = nn.Linear(2, 1, dtype=torch.float64)
        >>> ntk(network, torch.ones(1, 2, dtype=torch.float64)).item()       # 1 + 1, and 1 for the bias
        3.0
    """
    stack = Stack(network)
    x1 = stack.check(x1, "x1")
    if x2 is None:
        return features_of(stack, x1).kernel()
    x2 = stack.check(x2, "x2")
    if x1.shape[-1] != x2.shape[-1]:
        raise ValueError(f"x1 has width {x1.shape[-1]} but x2 {x2.shape[-1]}; give both as (s, a) concatenated")
    features = features_of(stack, torch.cat([x1, x2], dim=-2))
    m = x1.shape[-2]
    return features[:m].kernel(features[m:])


def tangent_features(network: Networks, x: Float[Tensor, "... n d"]) -> TangentFeatures:
    """phi(x) = dQ(x)/dtheta of N inputs, in factors; the layerwise route where it is exact, the Jacobian elsewhere.

    Args and errors as for `ntk`. Every row is evaluated a second time in other company, which tells a value that
    depends on the other rows.
    """
    stack = Stack(network)
    return features_of(stack, stack.check(x))


@torch.inference_mode(False)  # gradients are on in here, whatever was switched off around
def features_of(stack: Stack, x: Float[Tensor, "... n d"]) -> TangentFeatures:
    """`tangent_features` of a stack and of inputs that `stack.check` has seen."""
    stack.try_one_row(x)
    x = x.detach().clone()
    before = {name: buffer.clone() for name, buffer in stack.frozen.items()}
    features, q = _layerwise(stack, x)
    again = torch.empty_like(q)
    with torch.no_grad():
        for rows in (slice(0, None, 2), slice(1, None, 2))[: x.shape[-2]]:  # neighbours apart
            again[..., rows] = stack(stack.parameters, x[..., rows, :])
    if not torch.isfinite(q).all():
        row = int((~torch.isfinite(q)).nonzero()[0, -1])
        raise ValueError(f"Q is not finite in row {row}: there is no kernel there; go back to the last finite state")
    steady = all(torch.equal(buffer, before[name]) for name, buffer in stack.frozen.items())
    if not steady or not _agree(q, again):
        raise ValueError(
            "the value of a row depends on the other rows of the batch, on chance or on earlier evaluations, so it has "
            "no kernel; make the network a function of one row (network.eval() freezes normalisation and dropout)"
        )
    return _jacobian(stack, x) if features is None else features


def _agree(one: Float[Tensor, "... k"], other: Float[Tensor, "... k"]) -> bool:
    """Whether two vectors (of every network) are equal up to rounding."""
    tolerance = math.sqrt(torch.finfo(one.dtype).eps)
    return bool(((one - other).abs().amax(-1) <= tolerance * one.abs().amax(-1)).all())


def _layerwise(stack: Stack, x: Tensor) -> tuple[TangentFeatures | None, Tensor]:
    """Features from one forward and one backward pass, and Q; None where the layers alone do not tell them.

    Every layer's output z gets a matrix of zeros added to it; the gradient by these zeros is delta = dQ/dz. The
    factors must add up to what plain autograd gives for a weighted sum of all values: this tells a parameter that acts
    in a way the layers do not see.
    """
    layers = [m for m in stack.network.modules() if type(m) in (nn.Linear, nn.LayerNorm) and _trainable(m)]
    widths = [next(iter(_trainable(layer).values())).shape[0] for layer in layers]
    zeros = [x.new_zeros(*x.shape[:-1], width, requires_grad=True) for width in widths]
    parameters = {name: p.detach().requires_grad_() for name, p in stack.parameters.items()}
    simple = True

    def run(parameters: dict, frozen: dict, x: Tensor, zeros: list[Tensor]) -> tuple[Tensor, dict[int, Tensor]]:
        inputs: dict[int, Tensor] = {}

        def add_zeros(index: int, h: Tensor, z: Tensor) -> Tensor | None:
            nonlocal simple
            simple = simple and index not in inputs and h.ndim == 2 and z.shape == zeros[index].shape
            inputs[index] = h
            return z + zeros[index] if simple else None

        hooks = [
            layer.register_forward_hook(lambda layer, given, z, index=index: add_zeros(index, given[0], z))
            for index, layer in enumerate(layers)
        ]
        try:
            return stack.one(parameters, frozen, x), inputs
        finally:
            for hook in hooks:
                hook.remove()

    q, inputs = stack.vmap(run)(parameters, stack.frozen, x, zeros)
    if not q.requires_grad:
        raise ValueError("Q depends on no parameter that requires a gradient, so every kernel is zero; unfreeze some")
    owned = [p for index in sorted(inputs) for p in _trainable(layers[index]).values()]
    everything = {id(p) for p in stack.network.parameters() if p.requires_grad}
    # every parameter in a known layer, none shared, each layer called once
    if not simple or len(owned) != len(everything) or {id(p) for p in owned} != everything:
        return None, q.detach()

    weights = 1 + torch.rand(x.shape[-2], 1, generator=torch.Generator().manual_seed(0), dtype=x.dtype).to(x.device)
    names = {id(p): name for name, p in stack.network.named_parameters()}
    leaves = [parameters[names[id(p)]] for layer in layers for p in _trainable(layer).values()]
    gradients = torch.autograd.grad(
        (q @ weights[:, 0]).sum(), zeros + leaves, allow_unused=True, materialize_grads=True
    )
    by_parameter = iter(gradients[len(zeros) :])
    blocks: list[tuple[Tensor, ...]] = []
    ours, plain = [], []
    for index, (layer, delta) in enumerate(zip(layers, gradients, strict=False)):
        own = _blocks(layer, inputs[index].detach(), delta / weights)
        blocks += own
        ours += [torch.cat([_sum_rows(block, weights) for block in own], dim=-1).flatten(-2)]
        shape = (*x.shape[:-2], widths[index], -1)
        plain += [torch.cat([next(by_parameter).reshape(shape) for _ in _trainable(layer)], dim=-1).flatten(-2)]
    add_up = _agree(torch.cat(plain, dim=-1), torch.cat(ours, dim=-1))
    return (TangentFeatures(tuple(blocks)) if add_up else None), q.detach()


def _blocks(layer: nn.Module, h: Tensor, delta: Tensor) -> Sequence[tuple[Tensor, ...]]:
    """The blocks of one layer: its input is h, `(N, in)`, and delta, `(N, out)`, is dQ by its output."""
    weight, bias = "weight" in _trainable(layer), "bias" in _trainable(layer)
    if isinstance(layer, nn.LayerNorm):
        normalised = nn.functional.layer_norm(h, layer.normalized_shape, eps=layer.eps)
        return [(delta * normalised,)] * weight + [(delta,)] * bias
    if weight and bias:
        return [(delta, torch.cat([h, torch.ones_like(h[..., :1])], dim=-1))]
    return [(delta, h)] * weight + [(delta,)] * bias


def _sum_rows(block: tuple[Tensor, ...], weights: Tensor) -> Tensor:
    """The weighted sum over the N rows of what a block stands for, as a matrix; `weights` is `(N, 1)`."""
    first, second = block if len(block) == 2 else (block[0], torch.ones_like(block[0][..., :1]))
    return (first * weights).mT @ second


def _trainable(layer: nn.Module) -> dict[str, nn.Parameter]:
    """The weight and the bias of a layer, as far as they are parameters that require a gradient."""
    named = ((name, layer._parameters.get(name)) for name in ("weight", "bias"))
    return {name: p for name, p in named if p is not None and p.requires_grad}


def _jacobian(stack: Stack, x: Tensor) -> TangentFeatures:
    """The rows phi(x) themselves, `(N, P)` split by parameter, from `torch.func`."""

    def value(parameters: dict[str, Tensor], frozen: dict[str, Tensor], row: Tensor) -> Tensor:
        return stack.one(parameters, frozen, row[None]).reshape(())

    rows = vmap(grad(value), in_dims=(None, None, 0), chunk_size=PANEL)
    try:
        gradients = stack.vmap(rows)(stack.parameters, stack.frozen, x)
    except RuntimeError as error:
        raise ValueError(
            "torch.func cannot differentiate this network row by row; write its forward without control flow that "
            f"looks at values and without writing in place. PyTorch says: {error}"
        ) from error
    return TangentFeatures(tuple((gradient.reshape(*x.shape[:-1], -1),) for gradient in gradients.values()))
