"""What every method offers: a step on a batch, actions, the triple that SEEM reads, and its whole state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

from seem_lab.critics.options import PolicyOptions
from seem_lab.critics.replay import Batch, Replay, Scaling
from seem_lab.transitions import Transitions

Options = TypeVar("Options", bound=PolicyOptions)
Metrics = dict[str, Tensor]


class Agent(ABC, Generic[Options]):
    """A policy, perhaps with critics, that learns from batches. Everything it draws comes from its own generator.

    Args:
        options: of the method.
        action_dim: entries of an action; each lies in [-1, 1].
        scaling: of states and rewards; its tensors say the device and the number of entries of a state.
        seed: of networks and generator.

    Attributes:
        parts: networks and optimisers by name, all that `state_dict` has to keep.
        updates: how many steps were taken.
        generator: on the device; draws batches and noise.
    """

    def __init__(self, options: Options, action_dim: int, scaling: Scaling, seed: int = 0) -> None:
        self.options, self.action_dim, self.scaling, self.seed = options, action_dim, scaling, seed
        self.state_dim, self.device = len(scaling.mean), scaling.mean.device
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.parts: dict[str, nn.Module | Optimizer] = {}
        self.updates = 0

    @abstractmethod
    def update(self, batch: Batch) -> Metrics:
        """One step of learning.

        Args:
            batch: from a `Replay` with this agent's scaling.

        Returns:
            Single values that stay on the device (reading one waits for the device): losses and, with critics,
            `q_mean` and `q_max`, the mean of Q and the largest |Q| on the batch before the step.
        """

    @abstractmethod
    def policy(self, state: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """Actions in [-1, 1] for scaled states; a policy with chance draws from `generator`. Gradients flow."""

    @property
    def critics(self) -> list[nn.Module]:
        """The networks that map (s, a) to Q; none where only a policy is learned."""
        return []

    @property
    def finite(self) -> bool:
        """Whether every parameter of every network is a finite number (waits for the device)."""
        networks = [part for part in self.parts.values() if isinstance(part, nn.Module)]
        sums = [p.detach().sum() for network in networks for p in network.parameters()]
        return bool(torch.stack(sums).isfinite().all())

    def replay(self, capacity: int) -> Replay:
        """An empty store for raw transitions, scaled as this agent needs them."""
        return Replay(capacity, self.action_dim, self.scaling)

    @torch.no_grad()
    def act(self, states: Float[Tensor, "n ds"], generator: torch.Generator) -> Float[Tensor, "n da"]:
        """Actions in [-1, 1] for raw states, as the finished policy would take them.

        Args:
            states: `(N, state_dim)`, as they come from the environment.
            generator: on the agent's device; only a policy with chance draws from it.
        """
        return self.policy(self.scaling.states(states.to(self.device, torch.float32)), generator)

    @torch.no_grad()
    def bootstrap(self, data: Transitions) -> tuple[Tensor, Tensor, Tensor]:
        """What SEEM reads: `(x, x_next, discount)` of some raw transitions.

        Args:
            data: N transitions.

        Returns:
            `(N, d)` scaled (s, a); `(N, d)` scaled (s', a') with the policy's action of the moment (the same noise in
            every call, if it has any); `(N,)` gamma, 0 at a terminal.

        Raises:
            ValueError: a method without critics, or states or actions of another length.
        """
        if not self.critics:
            raise ValueError(f"{type(self).__name__} has no critic, so there is no SEEM to read")
        batch = Replay.of(data, self.scaling).all()
        action = self.policy(batch.next_state, torch.Generator(self.device).manual_seed(0))
        gamma: float = self.options.gamma  # type: ignore[attr-defined]  # methods with critics have one
        return batch.x, torch.cat([batch.next_state, action], dim=1), gamma * batch.live

    def state_dict(self) -> dict[str, Any]:
        """Tensors and numbers that, loaded into an agent of the same options, continue the run bit by bit."""
        parts = {name: part.state_dict() for name, part in self.parts.items()}
        return {
            "parts": parts,
            "updates": self.updates,
            "generator": self.generator.get_state(),
            "mean": self.scaling.mean,
            "std": self.scaling.std,
            "reward_scale": self.scaling.reward,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Become the agent that `state_dict` described.

        Raises:
            KeyError, RuntimeError, ValueError: the state belongs to networks of another method or shape.
        """
        for name, part in self.parts.items():
            part.load_state_dict(state["parts"][name])
        self.updates = state["updates"]
        self.generator.set_state(state["generator"].cpu())
        self.scaling = Scaling(state["mean"].to(self.device), state["std"].to(self.device), state["reward_scale"])


def scaling_of(data: Transitions, options: PolicyOptions, device: torch.device | str = "cpu") -> Scaling:
    """The scaling that the options ask for, its numbers taken from the data."""
    reward = getattr(options, "reward_scale", 1.0)
    mean, std = torch.zeros(data.state.shape[1]), torch.ones(data.state.shape[1])
    if options.normalise_states:
        _, mean, std = data.normalise_states()
    return Scaling(mean.to(device, torch.float32), std.to(device, torch.float32), reward)
