"""An agent that learns while it acts: what it lives through is a recording, and so is what it does afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import torch

from seem_lab.critics.agent import Agent
from seem_lab.critics.replay import Scaling
from seem_lab.critics.td3 import TD3, TD3Options
from seem_lab.recording import Behaviour, Policy, Step, dimensions, interact

START = 1000  # steps of random actions before the first update
NOISE = 0.1  # exploration


def online_td3(env: gymnasium.Env, seed: int = 0, options: TD3Options | None = None) -> TD3:
    """A fresh TD3 for an environment; nothing is scaled, as no data is there yet.

    Args:
        env: see `make_environment`.
        seed: of its networks and batches.
        options: of TD3; those of Fujimoto, van Hoof and Meger 2018 if not given.
    """
    state_dim, action_dim = dimensions(env)
    return TD3(options or TD3Options(), action_dim, Scaling.none(state_dim), seed)


def learn_online(
    env: gymnasium.Env, agent: Agent[Any], *, capacity: int, seed: int = 0, start: int = START, noise: float = NOISE
) -> Iterator[Step]:
    """Steps of an agent that takes one update after each: first `start` uniform actions, then its own with noise.

    Args:
        env: actions in [-1, 1], see `make_environment`.
        agent: learns from what it has lived through.
        capacity: how many transitions it remembers.
        seed: of the environment, the first actions and the noise.
        start: steps before the first update.
        noise: standard deviation of the noise on every action.

    Yields:
        One step after the other, without end.

    Example:
        >>> from itertools import islice
        >>> from seem_lab.recording import make_environment
        >>> env = make_environment("Pendulum-v1")
        >>> agent = online_td3(env, options=TD3Options(hidden=(8,), batch_size=4))
        >>> steps = list(islice(learn_online(env, agent, capacity=50, start=10), 30))
        >>> agent.updates                                     # after each of the steps 10 to 29
        20
    """
    replay = agent.replay(capacity)

    def behaviour(rng: np.random.Generator) -> Policy:
        follow = follow_agent(agent)(rng)
        return lambda state: follow(state) if replay.added >= start else rng.uniform(-1, 1, agent.action_dim)

    for step in interact(env, behaviour, noise=noise, seed=seed):
        yield step
        row = (np.array([value], dtype=np.float32) for value in step[:5])
        replay.add(*row)
        if replay.added >= start:
            agent.update(replay.sample(agent.options.batch_size, agent.generator))


def follow_agent(agent: Agent[Any]) -> Behaviour:
    """The behaviour of an agent as it is at each step; a policy with chance draws from the recording's seed."""

    def behaviour(rng: np.random.Generator) -> Policy:
        generator = torch.Generator(agent.device).manual_seed(int(rng.integers(2**31)))
        return lambda state: agent.act(torch.from_numpy(state)[None], generator)[0].cpu().numpy()

    return behaviour
