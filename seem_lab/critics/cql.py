"""CQL: conservative Q-learning, a penalty on the values of actions that were not recorded."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.critics.options import need
from seem_lab.critics.replay import Batch
from seem_lab.critics.td3 import TD3, TD3Options


@dataclass(frozen=True)
class CQLOptions(TD3Options):
    """CQL, conservative Q-learning, on the deterministic policy of TD3.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    penalty_weight: float = 5.0
    """Weight of the penalty in the loss of the critics; 0 is TD3."""
    sampled_actions: int = 10
    """Actions drawn uniformly, and as many around the policy's, at each state; a step costs in proportion."""

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.penalty_weight >= 0, "penalty_weight", "0 or more", self.penalty_weight)
        need(self.sampled_actions >= 1, "sampled_actions", "at least 1", self.sampled_actions)


class CQL(TD3[CQLOptions]):
    """TD3 whose critics also descend, with weight alpha, the soft maximum of Q over actions less Q of the recorded one:

        penalty = alpha sum_k mean_s ( log sum_j exp Q_k(s, a_j) - Q_k(s, a) )

    a_j: m uniform in [-1, 1], m around the policy's action with the clipped noise of the targets, and the recorded one.

    Source: Kumar, Zhou, Tucker and Levine 2020, arXiv 2006.04779, equation 4, CQL(H). There the policy is SAC's and the
    samples are weighted by its density; a deterministic policy has none, so here the samples count alike (the form
    that the authors' code offers beside the weighted one), and a' comes from TD3's target policy.

    Args:
        options: of the method.
        action_dim: entries of an action.
        scaling: of states and rewards; its tensors say the device.
        seed: of networks and generator.
    """

    def critic_penalty(self, batch: Batch, q: Float[Tensor, "b 2"]) -> Float[Tensor, ""]:
        """The penalty of CQL(H)."""
        sampled = self.twins(self.sampled_inputs(batch)).unflatten(0, (len(q), -1))  # (B, 2m, 2)
        soft_maximum = torch.cat([sampled, q[:, None]], dim=1).logsumexp(1)
        return self.options.penalty_weight * (soft_maximum - q).sum() / len(q)

    @torch.no_grad()
    def sampled_inputs(self, batch: Batch) -> Float[Tensor, "rows d"]:
        """`(B * 2m, d)` rows (s, a_j), state by state."""
        m, size = self.options.sampled_actions, (len(batch.state), self.action_dim)
        uniform = 2 * torch.rand(size[0], m, size[1], generator=self.generator, device=self.device) - 1
        near = self.with_noise(self.actor(batch.state)[:, None].expand(-1, m, -1))
        actions = torch.cat([uniform, near], dim=1)
        states = batch.state[:, None].expand(-1, 2 * m, -1)
        return torch.cat([states, actions], dim=2).flatten(0, 1)
