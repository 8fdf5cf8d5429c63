"""Products `A v` of the SEEM matrix without the matrix: cost and memory linear in the number of transitions.

    A v = discount * Phi(X*) w - Phi(X) w,        w = Phi(X)^T v

`w` has the shape of the parameters and comes from one vector-Jacobian product at X; the other two are Jacobian-vector
products at X* and X. Any network that `torch.func` can differentiate will do.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import jvp, vjp

from seem_lab.stacks import Stack

LARGEST_CHUNK = 4096  # rows; more is no faster on a processor, and a GPU is busy by then


class SeemProduct:
    """`v -> A v` for vectors of length N, float64 in and out; the network runs in its own dtype.

    Sums over transitions are kept in float64.

    Args:
        stack: of one network.
        x: `(N, d)` inputs (s, a) of the data.
        x_next: `(N, d)` inputs (s', a') of the bootstrap.
        discount: `(N,)`.
        memory: bound in bytes on what a chunk of rows may take in activations and tangents.
    """

    def __init__(
        self,
        stack: Stack,
        x: Float[Tensor, "n d"],
        x_next: Float[Tensor, "n d"],
        discount: Float[Tensor, " n"],
        memory: int,
    ) -> None:
        self.stack = stack
        self.x, self.x_next, self.discount = x, x_next, discount
        # the forward pass keeps so many bytes a row; a tangent product runs two rows (X* and X), each with its tangent
        rows = memory // (4 * _bytes_per_row(stack.network, x[:1]))
        self.chunk = int(min(max(rows, 1), LARGEST_CHUNK))

    def __call__(self, v: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """A v."""
        v = v.to(self.x.device)
        w = self.pull(v)
        length = torch.stack([part.norm() for part in w.values()]).norm()
        if length == 0:
            return torch.zeros_like(v)
        image = length * self.push({name: (part / length).to(self.x.dtype) for name, part in w.items()})
        if not torch.isfinite(image).all():
            raise ValueError(
                "a product with the SEEM matrix is not finite: look for rows whose value is not, go back to the last "
                "finite state of the network, or convert network and inputs to float64"
            )
        return image

    def pull(self, v: Tensor) -> dict[str, Tensor]:
        """w = Phi(X)^T v, one float64 tensor a parameter."""
        w = {name: torch.zeros_like(p, dtype=torch.float64) for name, p in self.stack.parameters.items()}
        for rows, weight in zip(self.x.split(self.chunk), v.to(self.x.dtype).split(self.chunk), strict=True):
            pullback = vjp(lambda parameters, rows=rows: self.stack(parameters, rows), self.stack.parameters)[1]
            for name, part in pullback(weight)[0].items():
                w[name] += part
        return w

    def push(self, w: dict[str, Tensor]) -> Tensor:
        """`discount * Phi(X*) w - Phi(X) w`, in float64."""
        parts = []
        pieces = (t.split(self.chunk) for t in (self.x, self.x_next, self.discount))
        for here, there, discount in zip(*pieces, strict=True):
            both = torch.cat([there, here])
            slope = jvp(lambda parameters, both=both: self.stack(parameters, both), (self.stack.parameters,), (w,))[1]
            next_slope, slope = slope.double().split(len(here))
            parts.append(discount * next_slope - slope)
        return torch.cat(parts)


def _bytes_per_row(network: nn.Module, row: Tensor) -> int:
    """What autograd keeps of one row, parameters aside: a measure of the activations."""
    own = {p.data_ptr() for p in network.parameters()}
    kept = {row.data_ptr(): row.nbytes}

    def note(tensor: Tensor) -> Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        network(row)
    return sum(kept.values())
