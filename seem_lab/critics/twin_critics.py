"""Two critics that learn the same values, and their slow copies that set the targets."""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from seem_lab.critics.options import CriticOptions, optimizer_of
from seem_lab.networks import mlp


class TwinCritics:
    """Twin critics Q_1, Q_2 of one shape with separate draws, and their targets.

    The smaller of the two target values is bootstrapped, which keeps the maximum over actions from preferring whatever
    is overestimated by chance (Fujimoto, van Hoof and Meger 2018, arXiv 1802.09477, section 4).

    Args:
        input_dim: entries of (s, a).
        options: widths, `layer_norm`, optimiser, target rate.
        seed: of the draw.
        device: where they live.
    """

    def __init__(self, input_dim: int, options: CriticOptions, seed: int, device: torch.device) -> None:
        self.live = nn.ModuleList(
            mlp(input_dim, options.hidden, layer_norm=options.layer_norm, seed=10 * seed + i, dtype=torch.float32)
            for i in range(2)
        ).to(device)
        self.target = copy.deepcopy(self.live).requires_grad_(False)
        self.parameters: list[Tensor] = list(self.live.parameters())
        self.optimizer = optimizer_of(self.parameters, options)
        self.parts: dict[str, nn.Module | Optimizer] = {
            "critics": self.live,
            "target_critics": self.target,
            "critic_optimizer": self.optimizer,
        }

    def __call__(self, x: Float[Tensor, "b d"]) -> Float[Tensor, "b 2"]:
        """Q_1 and Q_2 of each row (s, a)."""
        return torch.cat([critic(x) for critic in self.live], dim=1)

    def lowest_target(self, x: Float[Tensor, "b d"]) -> Float[Tensor, " b"]:
        """The smaller target value of each row."""
        first, second = (critic(x) for critic in self.target)
        return torch.minimum(first, second).squeeze(1)
