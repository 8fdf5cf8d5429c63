"""A network, or several of one shape at once (seeds, twin critics), as a pure function of its parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap

from seem_lab.networks import check_input, q_values

Networks = nn.Module | Sequence[nn.Module]


class Stack:
    """Trainable parameters, everything else frozen, and a call that maps the former to values.

    For a list of S networks every tensor has a leading axis S and `vmap` runs one network's code for all of them; a
    single network has no such axis and `vmap` changes nothing, so the same lines serve both.

    Args:
        network: a module, or a list (also an `nn.ModuleList`) of modules of one shape.

    Raises:
        ValueError: an empty list, networks that differ in layers, shapes or frozen parameters, or a layer that makes
            the value of a row depend on other rows or on chance.
    """

    def __init__(self, network: Networks) -> None:
        networks = listed(network)
        self.several = isinstance(network, nn.ModuleList) or not isinstance(network, nn.Module)
        if not networks:
            raise ValueError("the list of networks is empty; give at least one")
        self.network, self.size = networks[0], len(networks)
        for index, other in enumerate(networks[1:], start=1):
            if _outline(other) != _outline(self.network):
                raise ValueError(
                    f"network {index} differs from network 0 in its layers, shapes or frozen parameters; only networks "
                    "of one shape can be stacked: call once for each shape"
                )
        for each in networks:
            _refuse_by_name(each)
        states = [dict(each.named_parameters()) | dict(each.named_buffers()) for each in networks]
        state = {
            name: torch.stack([s[name].detach() for s in states]) if self.several else states[0][name].detach()
            for name in states[0]
        }
        trainable = [name for name, p in self.network.named_parameters() if p.requires_grad]
        self.parameters = {name: state.pop(name) for name in trainable}
        self.frozen = {name: tensor.clone() for name, tensor in state.items()}  # a network may write into its buffers

    def check(self, x: Float[Tensor, "... n d"], name: str = "x") -> Float[Tensor, "... n d"]:
        """`x` after the checks of `check_input`; inputs shared by S networks are repeated for each (without memory)."""
        own = self.several and isinstance(x, Tensor) and x.ndim == 3
        if own and len(x) != self.size:
            raise ValueError(
                f"{name} has shape {tuple(x.shape)} for {self.size} networks; give (N, d), or ({self.size}, N, d)"
            )
        check_input(self.network, x.flatten(0, 1) if own else x, name)
        return x.expand(self.size, *x.shape[-2:]) if self.several else x

    def try_one_row(self, x: Float[Tensor, "... n d"]) -> None:
        """`q_values` of one row, for its messages on widths and outputs; what it writes into buffers is undone."""
        before = [buffer.clone() for buffer in self.network.buffers()]
        with torch.no_grad():
            q_values(self.network, x.reshape(-1, x.shape[-1])[:1].clone())
            for buffer, value in zip(self.network.buffers(), before, strict=True):
                buffer.copy_(value)

    def vmap(self, function: Callable) -> Callable:
        """`function` of one network's tensors, made to run on the whole stack."""
        return vmap(function, randomness="different") if self.several else function

    def __call__(self, parameters: dict[str, Tensor], x: Float[Tensor, "... n d"]) -> Float[Tensor, "... n"]:
        """Q(x) with these parameters in place of the network's own."""
        return self.vmap(self.one)(parameters, self.frozen, x)

    def one(self, parameters: dict[str, Tensor], frozen: dict[str, Tensor], x: Float[Tensor, "n d"]) -> Tensor:
        """`(N,)` values of one network."""
        return functional_call(self.network, (parameters, frozen), (x,)).reshape(-1)


def listed(network: Networks) -> list[nn.Module]:
    """The networks of a list, or the one network alone."""
    if isinstance(network, nn.Module) and not isinstance(network, nn.ModuleList):
        return [network]
    return list(network)


def _outline(network: nn.Module) -> tuple[object, ...]:
    """What two networks must share to be stacked."""
    parameters = ((name, p.shape, p.dtype, p.device, p.requires_grad) for name, p in network.named_parameters())
    return tuple(type(m) for m in network.modules()), tuple(parameters)


def _refuse_by_name(network: nn.Module) -> None:
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
