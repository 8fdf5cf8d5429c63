"""TD3; with a behaviour term in the loss of its policy it is TD3+BC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.critics.actor_critic import ActorCritic
from seem_lab.critics.options import CriticOptions, need
from seem_lab.critics.replay import Batch

ALPHA = 2.5  # of TD3+BC: weight of Q, once divided by its mean size


@dataclass(frozen=True)
class TD3Options(CriticOptions):
    """TD3, twin critics and a deterministic policy. With --behaviour-weight 1 it is TD3+BC.

    Raises:
        ValueError: an option outside its range; the message names it.
    """

    policy_noise: float = 0.2
    """Standard deviation of the noise on the actions that targets are computed with."""
    noise_clip: float = 0.5
    """That noise is clipped to this size."""
    behaviour_weight: float = 0.0
    """How strongly the policy is held to the recorded actions: 0 for TD3, 1 for TD3+BC, .5 for half of its term."""

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.policy_noise >= 0, "policy_noise", "0 or more", self.policy_noise)
        need(self.noise_clip >= 0, "noise_clip", "0 or more", self.noise_clip)
        need(self.behaviour_weight >= 0, "behaviour_weight", "0 or more", self.behaviour_weight)


Options = TypeVar("Options", bound=TD3Options)


class TD3(ActorCritic[Options]):
    """Policy `pi(s)`, smoothed in the targets; the steps are those of `ActorCritic`, with

        a'   = clip(pi'(s') + clip(noise, -c, c), -1, 1),   noise ~ N(0, sigma^2)
        L_pi = - mean Q_1(s, pi(s))                                                        TD3
        L_pi = - alpha mean Q_1(s, pi(s)) / mean |Q_1| + w mean (pi(s) - a)^2,  alpha 2.5  with behaviour weight w

    Source: Fujimoto, van Hoof and Meger 2018, arXiv 1802.09477; w = 1: TD3+BC, Fujimoto and Gu 2021, arXiv 2106.06860,
    equations 3 to 5.

    Args:
        options: of the method.
        action_dim: entries of an action.
        scaling: of states and rewards; its tensors say the device.
        seed: of networks and generator.

    Example:
        >>> from seem_lab.critics.replay import Scaling
        >>> agent = TD3(TD3Options(hidden=(8,)), action_dim=1, scaling=Scaling(torch.zeros(2), torch.ones(2)))
        >>> replay = agent.replay(capacity=10)
        >>> replay.add([[0.0, 1.0]], [[0.5]], [1.0], [[1.0, 1.0]], [False])
        >>> sorted(agent.update(replay.sample(4, agent.generator)))
        ['critic_loss', 'q_max', 'q_mean']
    """

    def policy(self, state: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """`pi(s)`; nothing is left to chance."""
        return self.actor(state)

    def next_action(self, next_state: Float[Tensor, "b ds"]) -> Float[Tensor, "b da"]:
        """a', the target policy's action with clipped noise."""
        return self.with_noise(self.target_actor(next_state))

    def with_noise(self, action: Float[Tensor, "*rows da"]) -> Float[Tensor, "*rows da"]:
        """Actions with clipped noise added, in [-1, 1]."""
        noise = torch.randn(action.shape, generator=self.generator, device=self.device) * self.options.policy_noise
        return (action + noise.clamp_(-self.options.noise_clip, self.options.noise_clip)).clamp_(-1, 1)

    def policy_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """-Q_1, or TD3+BC's weighing of Q_1 against the distance from the recorded actions."""
        action = self.actor(batch.state)
        q = self.twins.live[0](torch.cat([batch.state, action], dim=1))
        weight = self.options.behaviour_weight
        if weight == 0:
            return -q.mean()
        return weight * (action - batch.action).square().mean() - ALPHA * q.mean() / q.detach().abs().mean()
