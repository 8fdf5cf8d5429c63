"""Behaviour cloning: the policy imitates the data; there is no critic. It is what the other methods must beat."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.critics.agent import Agent, Metrics
from seem_lab.critics.options import PolicyOptions, descend, optimizer_of
from seem_lab.critics.replay import Batch, Scaling
from seem_lab.networks import mlp


@dataclass(frozen=True)
class BehaviourCloningOptions(PolicyOptions):
    """Behaviour cloning: the policy imitates the recorded actions; no critic, no rewards.

    Raises:
        ValueError: an option outside its range; the message names it.
    """


class BehaviourCloning(Agent[BehaviourCloningOptions]):
    """Least squares on the recorded actions: `L_pi = mean (pi(s) - a)^2`, `pi(s) = tanh(network(s))`.

    Source: Pomerleau 1988 (ALVINN, NeurIPS 1); the form is the behaviour term of TD3+BC alone.

    Args:
        options: of the method.
        action_dim: entries of an action.
        scaling: of states; its tensors say the device.
        seed: of network and generator.
    """

    def __init__(self, options: BehaviourCloningOptions, action_dim: int, scaling: Scaling, seed: int = 0) -> None:
        super().__init__(options, action_dim, scaling, seed)
        body = mlp(self.state_dim, options.hidden, output_dim=action_dim, seed=10 * seed + 2, dtype=torch.float32)
        self.actor = nn.Sequential(body, nn.Tanh()).to(self.device)
        self.actor_parameters: list[Tensor] = list(self.actor.parameters())
        self.actor_optimizer = optimizer_of(self.actor_parameters, options)
        self.parts = {"actor": self.actor, "actor_optimizer": self.actor_optimizer}

    def policy(self, state: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """`pi(s)`; nothing is left to chance."""
        return self.actor(state)

    def update(self, batch: Batch) -> Metrics:
        """One step of least squares."""
        loss = (self.actor(batch.state) - batch.action).square().mean()
        descend(loss, self.actor_optimizer, self.actor_parameters)
        self.updates += 1
        return {"policy_loss": loss.detach()}
