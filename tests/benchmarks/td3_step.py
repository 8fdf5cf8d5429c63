"""One step of our TD3 against the same step written the published way, in the same run, in paired rounds.

    python tests/benchmarks/td3_step.py      # one thread; processor time, so that other work counts little

Both: twin critics and an actor of 256 x 256, batch 256, delay 2, target rate .005. The published way (as in the code of
Fujimoto, van Hoof and Meger 2018): default Adam, fields indexed one by one, targets moved parameter by parameter, and a
policy step whose backward pass also computes the critic's gradients.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from seem_lab import SeemMonitor, Transitions
from seem_lab.critics import Replay, TD3Options, agent_for

STATE, ACTION, N, ROUNDS, STEPS = 17, 6, 20_000, 15, 20


def network(inputs: int, outputs: int) -> nn.Sequential:
    """Two hidden layers of 256."""
    return nn.Sequential(nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, outputs))


class PublishedStyle:
    """TD3, plainly."""

    def __init__(self, data: Transitions) -> None:
        self.data, self.steps = data, 0
        self.actor = nn.Sequential(network(STATE, ACTION), nn.Tanh())
        self.critics = nn.ModuleList(network(STATE + ACTION, 1) for _ in range(2))
        self.target_actor, self.target_critics = copy.deepcopy(self.actor), copy.deepcopy(self.critics)
        self.actor_updates = torch.optim.Adam(self.actor.parameters(), lr=3e-4)
        self.critic_updates = torch.optim.Adam(self.critics.parameters(), lr=3e-4)

    def values(self, critics: nn.ModuleList, state: Tensor, action: Tensor) -> list[Tensor]:
        """Both critics' values."""
        x = torch.cat([state, action], 1)
        return [critic(x) for critic in critics]

    def step(self) -> None:
        """One update."""
        d, rows = self.data, torch.randint(N, (256,))
        state, action, after = d.state[rows], d.action[rows], d.next_state[rows]
        reward, live = d.reward[rows][:, None], 1 - d.terminal[rows][:, None]
        with torch.no_grad():
            noise = (torch.randn_like(action) * 0.2).clamp(-0.5, 0.5)
            next_action = (self.target_actor(after) + noise).clamp(-1, 1)
            target = reward + live * 0.99 * torch.min(*self.values(self.target_critics, after, next_action))
        loss = sum(functional.mse_loss(q, target) for q in self.values(self.critics, state, action))
        self.critic_updates.zero_grad()
        loss.backward()
        self.critic_updates.step()
        self.steps += 1
        if self.steps % 2 == 0:
            policy_loss = -self.critics[0](torch.cat([state, self.actor(state)], 1)).mean()
            self.actor_updates.zero_grad()
            policy_loss.backward()
            self.actor_updates.step()
            for live_net, slow in ((self.critics, self.target_critics), (self.actor, self.target_actor)):
                for p, q in zip(live_net.parameters(), slow.parameters(), strict=True):
                    q.data.copy_(0.005 * p.data + 0.995 * q.data)


def seconds(work: Callable[[], object], times: int = STEPS) -> float:
    """Processor seconds of one call."""
    begin = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - begin) / times


def main() -> None:
    """Print the median ratio over rounds, and what SEEM adds."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    state = torch.randn(N, STATE, generator=generator)
    after = state + 0.1 * torch.randn(N, STATE, generator=generator)
    action = 2 * torch.rand(N, ACTION, generator=generator) - 1
    data = Transitions(state, action, torch.randn(N, generator=generator), after, torch.zeros(N))
    published, agent = PublishedStyle(data), agent_for(TD3Options(), data)
    replay = Replay.of(data, agent.scaling)

    def ours() -> None:
        agent.update(replay.sample(256, agent.generator))

    seconds(published.step), seconds(ours)  # warm up
    rounds = [(seconds(published.step), seconds(ours)) for _ in range(ROUNDS)]
    ratios = sorted(own / plain for plain, own in rounds)
    low, middle, high = statistics.quantiles(ratios)
    step = statistics.median(own for _, own in rounds)
    print(f"published style {1e3 * statistics.median(plain for plain, _ in rounds):.2f} ms, ours {1e3 * step:.2f} ms")
    print(f"ratio: median {middle:.3f} of {ROUNDS} rounds, half of them from {low:.3f} to {high:.3f}")
    watched = data[:256]
    x, _, discount = agent.bootstrap(watched)
    monitor = SeemMonitor(agent.critics, x, discount, every=1, threshold=1e9)
    counter = iter(range(100))
    reading = seconds(lambda: monitor(next(counter), agent.bootstrap(watched)[1]), 10)
    print(f"a reading of SEEM of both critics, 256 transitions: {reading / step:.1f} steps; every 1000 steps it adds")
    print(f"{reading / step / 1000:.2%}")


if __name__ == "__main__":
    main()
