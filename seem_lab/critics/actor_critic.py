"""The step that all methods with critics share."""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.critics.agent import Agent, Metrics
from seem_lab.critics.options import CriticOptions, descend, optimizer_of
from seem_lab.critics.replay import Batch, Scaling
from seem_lab.critics.twin_critics import TwinCritics
from seem_lab.networks import mlp

Options = TypeVar("Options", bound=CriticOptions)


class ActorCritic(Agent[Options]):
    """Twin critics and a policy that follows them. With target networks marked by a prime,

        y       = r + gamma live min_k Q'_k(s', a'),                        a' from `next_action`
        L_Q     = sum_k mean (Q_k(s, a) - y)^2 + `critic_penalty`,          every step
        L_pi    = `policy_loss`,                                            every `policy_delay` steps
        theta' <- theta' + tau (theta - theta'),  critics and policy,       as often

    Args:
        options: of the method.
        action_dim: entries of an action.
        scaling: of states and rewards; its tensors say the device.
        seed: of networks and generator.
    """

    def __init__(self, options: Options, action_dim: int, scaling: Scaling, seed: int = 0) -> None:
        super().__init__(options, action_dim, scaling, seed)
        self.twins = TwinCritics(self.state_dim + action_dim, options, seed, self.device)
        self.actor = self.make_actor(10 * seed + 2).to(self.device)
        self.target_actor = copy.deepcopy(self.actor).requires_grad_(False)
        self.actor_parameters: list[Tensor] = list(self.actor.parameters())
        self.actor_optimizer = optimizer_of(self.actor_parameters, options)
        self.parts = {
            **self.twins.parts,
            "actor": self.actor,
            "target_actor": self.target_actor,
            "actor_optimizer": self.actor_optimizer,
        }
        self._live = [*self.twins.parameters, *self.actor_parameters]
        self._target: list[Tensor] = [*self.twins.target.parameters(), *self.target_actor.parameters()]

    @property
    def critics(self) -> list[nn.Module]:
        """Q_1 and Q_2."""
        return list(self.twins.live)

    def update(self, batch: Batch) -> Metrics:
        """One step of the critics, and every `policy_delay` steps one of the policy and of the targets."""
        with torch.no_grad():
            x_next = torch.cat([batch.next_state, self.next_action(batch.next_state)], dim=1)
            y = batch.reward + self.options.gamma * batch.live * self.twins.lowest_target(x_next)
        q = self.twins(batch.x)
        loss = (q - y[:, None]).square().sum() / len(y) + self.critic_penalty(batch, q)
        descend(loss, self.twins.optimizer, self.twins.parameters)
        values = q.detach()
        metrics = {"critic_loss": loss.detach(), "q_mean": values.mean(), "q_max": values.abs().amax()}
        self.updates += 1
        if self.updates % self.options.policy_delay == 0:
            policy_loss = self.policy_loss(batch)
            descend(policy_loss, self.actor_optimizer, self.actor_parameters)
            metrics["policy_loss"] = policy_loss.detach()
            with torch.no_grad():
                torch._foreach_lerp_(self._target, self._live, self.options.tau)
        return metrics

    def make_actor(self, seed: int) -> nn.Module:
        """The network of the policy; if the method does not say otherwise, `pi(s) = tanh(network(s))`."""
        body = mlp(self.state_dim, self.options.hidden, output_dim=self.action_dim, seed=seed, dtype=torch.float32)
        return nn.Sequential(body, nn.Tanh())

    @abstractmethod
    def next_action(self, next_state: Float[Tensor, "b ds"]) -> Float[Tensor, "b da"]:
        """a' of the target, from the target policy."""

    @abstractmethod
    def policy_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """L_pi, to be descended in the parameters of the actor alone."""

    def critic_penalty(self, batch: Batch, q: Float[Tensor, "b 2"]) -> Float[Tensor, ""] | float:
        """What the method adds to L_Q, if anything; `q` are the values at the recorded actions."""
        return 0.0
