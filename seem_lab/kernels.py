"""Exact empirical neural tangent kernels of a torch network: what one update at x does to the value at y.

With phi(x) = dQ(x)/dtheta, one row of P numbers, the kernel is `G(y, x) = phi(y) . phi(x)`. Two routes give it, and
`tangent_features` picks by itself:

*Layerwise*, for networks whose trainable parameters all sit in `Linear` and `LayerNorm` layers. A linear layer with
input h and output z has the gradient `(dQ/dz) h^T`, an outer product, so that

    phi(y) . phi(x) = sum over layers of (delta_y . delta_x) (h_y . h_x + 1),      delta = dQ/dz,

the + 1 coming from the bias. Nothing of size P is ever formed.

*Jacobian*, for everything else: the rows phi(x) by `torch.func`.

Several networks of one shape (seeds, twin critics) go through the same lines at once, see `stacks.py`: every tensor
then has a leading axis of length S, written `*s` in the shapes.
"""

from __future__ import annotations

import math
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

    blocks: tuple[tuple[Float[Tensor, "*s n _"], ...], ...]

    def __len__(self) -> int:
        """The number of inputs N."""
        return self.blocks[0][0].shape[-2]

    def __getitem__(self, rows: slice) -> TangentFeatures:
        """The features of some of the inputs."""
        return TangentFeatures(tuple(tuple(factor[..., rows, :] for factor in block) for block in self.blocks))

    def kernel(self, other: TangentFeatures | None = None) -> Float[Tensor, "*s m n"]:
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

    def inner(self, other: TangentFeatures) -> Float[Tensor, "*s m n"]:
        """All inner products in one piece: the formula above, as it stands."""
        products = (
            reduce(torch.Tensor.mul_, (ours @ theirs.mT for ours, theirs in zip(block, other_block, strict=True)))
            for block, other_block in zip(self.blocks, other.blocks, strict=True)
        )
        return reduce(torch.Tensor.add_, products)

    def squared_norm(self) -> Float[Tensor, "*s n"]:
        """`(N,)`: the kernel's diagonal `|phi(x_i)|^2`."""
        return sum(math.prod(factor.square().sum(-1) for factor in block) for block in self.blocks)


def ntk(
    network: Networks, x1: Float[Tensor, "*s m d"], x2: Float[Tensor, "*s n d"] | None = None
) -> Float[Tensor, "*s m n"]:
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
    if x2 is None:
        return tangent_features(network, x1).kernel()
    features = tangent_features(network, torch.cat([x1, x2], dim=-2))
    m = x1.shape[-2]
    return features[:m].kernel(features[m:])


def tangent_features(network: Networks, x: Float[Tensor, "*s n d"]) -> TangentFeatures:
    """phi(x) = dQ(x)/dtheta of N inputs, in factors; the layerwise route where it is exact, the Jacobian elsewhere.

    Args and errors as for `ntk`. One row is always checked against plain autograd, which tells a layer that the
    layerwise route does not see, and a row whose value depends on the other rows.
    """
    stack = Stack(network)
    x = stack.check(x)
    with torch.enable_grad():
        features, q = _layerwise(stack, x)
        norms = torch.zeros_like(q) if features is None else features.squared_norm()
        probe = norms.argmax(-1, keepdim=True)  # the row that has most to say
        row_q, row_norm = _one_row(stack, x.take_along_dim(probe[..., None], dim=-2))
    if not torch.isfinite(q).all():
        row = int((~torch.isfinite(q)).nonzero()[0, -1])
        raise ValueError(f"Q is not finite in row {row}: there is no kernel there; go back to the last finite state")
    tolerance = math.sqrt(torch.finfo(x.dtype).eps)
    if ((q.gather(-1, probe) - row_q).abs() > tolerance * q.abs().amax(-1, keepdim=True)).any():
        raise ValueError(
            "the value of a row depends on the other rows of the batch, or on chance, so it has no kernel; "
            "make the network a function of one row (network.eval() freezes normalisation and dropout)"
        )
    if features is None or ((norms.gather(-1, probe) - row_norm).abs() > tolerance * row_norm).any():
        return _jacobian(stack, x)
    return features


def _layerwise(stack: Stack, x: Tensor) -> tuple[TangentFeatures | None, Tensor]:
    """Features from one forward and one backward pass, and Q; None where the layers alone do not tell them.

    Every layer's output z gets a matrix of zeros added to it, so that the gradient by these zeros is delta = dQ/dz.
    """
    layers = [m for m in stack.network.modules() if type(m) in (nn.Linear, nn.LayerNorm) and any(_trainable(m))]
    known = [p for layer in layers for p in layer.parameters() if p.requires_grad]
    everything = {id(p) for p in stack.network.parameters() if p.requires_grad}
    zeros = [x.new_zeros(*x.shape[:-1], next(layer.parameters()).shape[0], requires_grad=True) for layer in layers]
    odd_calls: list[nn.Module] = []

    def run(parameters: dict, frozen: dict, x: Tensor, zeros: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        seen: dict[int, tuple[Tensor, int]] = {}

        def add_zeros(layer: nn.Module, inputs: tuple[Tensor], z: Tensor) -> Tensor | None:
            index = next(i for i, one in enumerate(layers) if one is layer)
            if index in seen or inputs[0].ndim != 2 or z.shape != zeros[index].shape:
                odd_calls.append(layer)
                return None
            seen[index] = inputs[0], inputs[0]._version
            return z + zeros[index]

        hooks = [layer.register_forward_hook(add_zeros) for layer in layers]
        try:
            q = stack.one(parameters, frozen, x)
        finally:
            for hook in hooks:
                hook.remove()
        odd_calls.extend(layer for i, layer in enumerate(layers) if i not in seen or seen[i][0]._version != seen[i][1])
        return q, [] if odd_calls else [seen[i][0].detach() for i in range(len(layers))]

    q, inputs = stack.vmap(run)(stack.parameters, stack.frozen, x, zeros)
    shared = len({id(p) for p in known}) < len(known)
    if odd_calls or not layers or shared or len(known) < len(everything):
        return None, q.detach()
    deltas = torch.autograd.grad(q.sum(), zeros)
    blocks = [block for parts in zip(layers, inputs, deltas, strict=True) for block in _blocks(*parts)]
    return TangentFeatures(tuple(blocks)), q.detach()


def _blocks(layer: nn.Module, h: Tensor, delta: Tensor) -> list[tuple[Tensor, ...]]:
    """The blocks of one layer: its input is h, `(N, in)`, and delta, `(N, out)`, is dQ by its output."""
    weight, bias = _trainable(layer)
    if isinstance(layer, nn.LayerNorm):
        normalised = nn.functional.layer_norm(h, layer.normalized_shape, eps=layer.eps)
        return [(delta * normalised,)] * weight + [(delta,)] * bias
    if weight and bias:
        h = torch.cat([h, torch.ones_like(h[..., :1])], dim=-1)
    elif bias:
        return [(delta,)]
    return [(delta * h,)] if delta.shape[-1] == 1 else [(delta, h)]


def _trainable(layer: nn.Module) -> tuple[bool, bool]:
    """Whether weight and bias are parameters that require a gradient."""
    weight, bias = layer._parameters.get("weight"), layer._parameters.get("bias")
    return weight is not None and weight.requires_grad, bias is not None and bias.requires_grad


def _one_row(stack: Stack, row: Tensor) -> tuple[Tensor, Tensor]:
    """Q and |phi|^2 of a single row of each network by plain autograd."""
    parameters = {name: p.requires_grad_() for name, p in stack.parameters.items()}
    q = stack(parameters, row)
    gradients = torch.autograd.grad(q.sum(), list(parameters.values()), allow_unused=True)
    norms = (g.square().flatten(q.ndim - 1).sum(-1, keepdim=True) for g in gradients if g is not None)
    return q.detach(), sum(norms, torch.zeros_like(q))


def _jacobian(stack: Stack, x: Tensor) -> TangentFeatures:
    """The rows phi(x) themselves, `(N, P)` split by parameter, from `torch.func`."""

    def value(parameters: dict[str, Tensor], frozen: dict[str, Tensor], row: Tensor) -> Tensor:
        return stack.one(parameters, frozen, row[None]).reshape(())

    rows = vmap(grad(value), in_dims=(None, None, 0), chunk_size=PANEL)
    gradients = stack.vmap(rows)({k: p.detach() for k, p in stack.parameters.items()}, stack.frozen, x)
    return TangentFeatures(tuple((gradient.flatten(x.ndim - 1),) for gradient in gradients.values()))
