"""`SeemMonitor` as a callback for Stable-Baselines3 and d3rlpy; neither is imported, both call plain objects.

In plain PyTorch loops (CleanRL, CORL) no adapter is needed; call a `SeemMonitor` once a step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from seem_lab.monitor import SeemMonitor


class StableBaselines3Monitor:
    """Pass it as `callback` to `learn` of an off-policy algorithm: TD3, DDPG, SAC or DQN on flat observations.

    It picks `n` transitions of the replay buffer once the buffer holds as many, and reads SEEM of all critics on them.

    Args:
        n: how many transitions.
        seed: of that pick; no other random state is used.
        settings: keyword arguments of `SeemMonitor`: `every`, `q_limit`, `csv_path`, `writer`, ...

    Attributes:
        monitor: the `SeemMonitor`, None until there are enough transitions.

    Raises:
        ValueError: an algorithm without critics and replay buffer, or observations that are not flat vectors.

    Example:
        >>> callback = StableBaselines3Monitor(n=256, every=1000)
        >>> # stable_baselines3.TD3("MlpPolicy", env).learn(10_000, callback=callback)
        >>> # callback.monitor.readings
    """

    def __init__(self, n: int = 256, *, seed: int = 0, **settings: Any) -> None:
        self.n, self.seed, self.settings = n, seed, settings
        self.monitor: SeemMonitor | None = None

    def __call__(self, scope: dict[str, Any], _: dict[str, Any]) -> bool:
        """One step of `learn`; `scope` holds the algorithm as "self". Returns True: go on."""
        model = scope["self"]
        if self.monitor is None:
            self._start(model)
        if self.monitor is not None:
            self.monitor(model.num_timesteps, self._x_next)
        return True

    def _start(self, model: Any) -> None:
        buffer = getattr(model, "replay_buffer", None)
        if buffer is None or not (hasattr(model, "critic") or hasattr(model, "q_net")):
            raise ValueError(f"{type(model).__name__} has no critic with a replay buffer; use TD3, DDPG, SAC or DQN")
        if not isinstance(buffer.observations, np.ndarray) or len(model.observation_space.shape) != 1:
            raise ValueError("only flat observation vectors are supported; wrap the critic and use SeemMonitor itself")
        if getattr(buffer, "optimize_memory_usage", False):
            raise ValueError("the replay buffer keeps no next observations; set optimize_memory_usage=False")
        size = buffer.size()
        if size < self.n:
            return
        rows = np.random.default_rng(self.seed).choice(size, self.n, replace=False)

        def pick(array: np.ndarray) -> Tensor:  # (steps, environments, ...): those of the first environment
            return torch.as_tensor(array[rows, 0], dtype=torch.float32, device=model.device)

        state, next_state = pick(buffer.observations), pick(buffer.next_observations)
        ended = pick(buffer.dones) * (1 - pick(buffer.timeouts))  # a time limit is no end
        critics: list[nn.Module]
        if hasattr(model, "q_net"):
            count = int(model.action_space.n)
            action = nn.functional.one_hot(pick(buffer.actions)[:, 0].long(), count).to(state)
            critics = [_TakenAction(model.q_net, state.shape[1])]
            self._x_next = _greedy(model.q_net, next_state, count)
        else:
            action = pick(buffer.actions)
            critics = list(model.critic.q_networks)
            self._x_next = lambda: torch.cat([next_state, model.policy._predict(next_state, deterministic=True)], dim=1)
        x = torch.cat([state, action], dim=1)
        self.monitor = SeemMonitor(critics, x, model.gamma * (1 - ended), **self.settings)


class D3rlpyMonitor:
    """Pass it as `callback` to `fit` of a Q-learning algorithm of d3rlpy with mean Q-functions, on flat observations.

    Args:
        dataset: the `ReplayBuffer` (or `MDPDataset`) that is fitted.
        n: how many of its transitions to read SEEM on; all if there are fewer.
        seed: of that pick; no other random state is used.
        settings: keyword arguments of `SeemMonitor`: `every`, `q_limit`, `csv_path`, `writer`, ...

    Attributes:
        monitor: the `SeemMonitor`, None until the first step.

    Example:
        >>> # callback = D3rlpyMonitor(dataset, every=1000)
        >>> # d3rlpy.algos.TD3Config().create().fit(dataset, n_steps=10_000, callback=callback)
        >>> # callback.monitor.readings
    """

    def __init__(self, dataset: Any, n: int = 256, *, seed: int = 0, **settings: Any) -> None:
        self.settings = settings
        self.monitor: SeemMonitor | None = None
        places = [(episode, i) for episode in dataset.episodes for i in range(episode.transition_count)]
        rows = np.random.default_rng(seed).choice(len(places), min(n, len(places)), replace=False)
        picked = [dataset.transition_picker(*places[row]) for row in rows]
        names = ("observation", "action", "next_observation", "terminal")
        self._rows = [torch.as_tensor(np.stack([getattr(t, name) for t in picked])) for name in names]

    def __call__(self, algo: Any, _: int, step: int) -> None:
        """One step of `fit`."""
        if self.monitor is None:
            self._start(algo)
        assert self.monitor is not None
        self.monitor(step, self._x_next)

    def _start(self, algo: Any) -> None:
        state, action, next_state, terminal = (rows.to(algo.impl.device) for rows in self._rows)
        state, next_state, ended = state.float(), next_state.float(), terminal.float().reshape(-1)
        if algo.observation_scaler is not None:
            state, next_state = algo.observation_scaler.transform(state), algo.observation_scaler.transform(next_state)
        q_functions = list(algo.impl.modules.q_funcs)
        critics: list[nn.Module]
        if hasattr(algo.impl.modules, "policy"):
            action = action.float()
            if algo.action_scaler is not None:
                action = algo.action_scaler.transform(action)
            policy = algo.impl.modules.policy
            critics = [_OfPair(q, state.shape[1]) for q in q_functions]
            self._x_next = lambda: torch.cat([next_state, policy(next_state).squashed_mu], dim=1)
        else:
            count = algo.action_size
            action = nn.functional.one_hot(action.reshape(-1).long(), count).to(state)
            critics = [_TakenAction(_QValue(q), state.shape[1]) for q in q_functions]
            self._x_next = _greedy(_QValue(q_functions[0]), next_state, count)
        x = torch.cat([state, action], dim=1)
        self.monitor = SeemMonitor(critics, x, algo.gamma * (1 - ended), **self.settings)


class _OfPair(nn.Module):
    """Q of one row (s, a), from a d3rlpy Q-function that takes s and a apart."""

    def __init__(self, q_function: nn.Module, state_dim: int) -> None:
        super().__init__()
        self.q_function, self.state_dim = q_function, state_dim

    def forward(self, x: Float[Tensor, "n d"]) -> Tensor:
        return self.q_function(x[:, : self.state_dim], x[:, self.state_dim :]).q_value


class _QValue(nn.Module):
    """All action values of a discrete d3rlpy Q-function."""

    def __init__(self, q_function: nn.Module) -> None:
        super().__init__()
        self.q_function = q_function

    def forward(self, state: Float[Tensor, "n ds"]) -> Tensor:
        return self.q_function(state).q_value


class _TakenAction(nn.Module):
    """Q of one row (s, one-hot a), from a network that gives the values of all actions."""

    def __init__(self, network: nn.Module, state_dim: int) -> None:
        super().__init__()
        self.network, self.state_dim = network, state_dim

    def forward(self, x: Float[Tensor, "n d"]) -> Tensor:
        return (self.network(x[:, : self.state_dim]) * x[:, self.state_dim :]).sum(1)


def _greedy(network: nn.Module, next_state: Tensor, count: int) -> Callable[[], Tensor]:
    """A function that gives the rows (s', one-hot greedy a')."""

    def x_next() -> Tensor:
        chosen = nn.functional.one_hot(network(next_state).argmax(1), count).to(next_state)
        return torch.cat([next_state, chosen], dim=1)

    return x_next
