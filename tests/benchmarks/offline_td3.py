"""A small offline TD3 on recorded transitions, in plain PyTorch: the training loop that the benchmarks watch.

Twin critics and an actor of two hidden layers of 256, Adam 3e-4, gamma .99, no policy constraint: the setting in which
offline critics diverge (Fujimoto, van Hoof and Meger 2018 without the environment).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from seem_lab import Transitions, mlp

GAMMA = 0.99


class OfflineTD3:
    """Agent and data together; `step()` is one update."""

    def __init__(
        self, data: Transitions, *, layer_norm: bool = False, tau: float = 0.005, seed: int = 0, width: int = 256
    ) -> None:
        self.data, _, _ = data.to(dtype=torch.float32).normalise_states()
        state_dim, action_dim = self.data.state.shape[1], self.data.action.shape[1]
        size = dict(hidden=(width, width), dtype=torch.float32)
        self.critics = nn.ModuleList(
            mlp(state_dim + action_dim, layer_norm=layer_norm, seed=10 * seed + i, **size) for i in range(2)
        )
        body = mlp(state_dim, seed=10 * seed + 2, **size)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(10 * seed + 3)
            body[-1] = nn.Linear(width, action_dim)
        self.actor = nn.Sequential(body, nn.Tanh())
        self.target_critics, self.target_actor = copy.deepcopy(self.critics), copy.deepcopy(self.actor)
        self.critic_updates = torch.optim.Adam(self.critics.parameters(), lr=3e-4)
        self.actor_updates = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.tau, self.steps_done = tau, 0
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def q_limit(self) -> float:
        """The largest value a policy can have: max |r| / (1 - gamma)."""
        return self.data.reward.abs().max().item() / (1 - GAMMA)

    def bootstrap(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`(x, x_next, discount)` of some transitions, with the actions of the policy of the moment."""
        d = self.data
        with torch.no_grad():
            a_next = self.actor(d.next_state[rows])
        x_next = torch.cat([d.next_state[rows], a_next], dim=1)
        return torch.cat([d.state[rows], d.action[rows]], dim=1), x_next, GAMMA * (1 - d.terminal[rows])

    def step(self, batch: int = 256) -> float:
        """One update of the critics, every second time one of the actor and the targets; the largest |Q| seen."""
        d, rows = self.data, torch.randint(len(self.data), (batch,), generator=self.generator)
        with torch.no_grad():
            noise = (0.2 * torch.randn(batch, d.action.shape[1], generator=self.generator)).clamp(-0.5, 0.5)
            a_next = (self.target_actor(d.next_state[rows]) + noise).clamp(-1, 1)
            x_next = torch.cat([d.next_state[rows], a_next], dim=1)
            q_next = torch.minimum(*(critic(x_next).flatten() for critic in self.target_critics))
            target = d.reward[rows] + GAMMA * (1 - d.terminal[rows]) * q_next
        x = torch.cat([d.state[rows], d.action[rows]], dim=1)
        q = torch.stack([critic(x).flatten() for critic in self.critics])
        self.critic_updates.zero_grad()
        (q - target).square().mean(1).sum().backward()
        self.critic_updates.step()
        self.steps_done += 1
        if self.steps_done % 2 == 0:
            s = d.state[rows]
            self.actor_updates.zero_grad()
            (-self.critics[0](torch.cat([s, self.actor(s)], dim=1)).mean()).backward()
            self.actor_updates.step()
            with torch.no_grad():
                for live, target_net in ((self.critics, self.target_critics), (self.actor, self.target_actor)):
                    for p, q_ in zip(live.parameters(), target_net.parameters(), strict=True):
                        q_.lerp_(p, self.tau)
        return q.detach().abs().max().item()
