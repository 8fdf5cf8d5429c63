"""How good a policy is where it acts: several episodes side by side, one forward pass a step for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
from jaxtyping import Float, Int

from seem_lab.critics.agent import Agent
from seem_lab.recording import make_environment

Environment = str | Callable[[], gymnasium.Env]


@dataclass(frozen=True)
class Evaluation:
    """What some episodes brought.

    Args:
        returns: `(episodes,)` sum of raw rewards of each.
        lengths: `(episodes,)` steps of each.
    """

    returns: Float[np.ndarray, " episodes"]
    lengths: Int[np.ndarray, " episodes"]

    @property
    def mean(self) -> float:
        """The mean return."""
        return float(self.returns.mean())


def evaluate(agent: Agent, environment: Environment, episodes: int = 10, seed: int = 0) -> Evaluation:
    """Let the policy act, without exploration noise, until every episode has ended or met its time limit.

    Args:
        agent: any method's.
        environment: a Gymnasium id, or a function that makes an environment with actions in [-1, 1].
        episodes: how many, each in an environment of its own.
        seed: episode i starts from seed + i; the policy's own chance, if it has any, is drawn from it, too.

    Returns:
        The returns and lengths; the same seed gives the same.

    Raises:
        ValueError: no episode, an unknown id, or states or actions that do not fit the agent.

    Example:
        >>> import torch
        >>> from seem_lab.critics.replay import Scaling
        >>> from seem_lab.critics.td3 import TD3, TD3Options
        >>> agent = TD3(TD3Options(hidden=(8,)), action_dim=1, scaling=Scaling(torch.zeros(3), torch.ones(3)))
        >>> evaluate(agent, "Pendulum-v1", episodes=2).lengths.tolist()
        [200, 200]
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, got {episodes}")
    environments = [make(environment) for _ in range(episodes)]
    try:
        check_fit(environments[0], agent.state_dim, agent.action_dim)
        states = np.stack([each.reset(seed=seed + i)[0] for i, each in enumerate(environments)])
        generator = torch.Generator(agent.device).manual_seed(seed)
        returns, lengths = np.zeros(episodes), np.zeros(episodes, dtype=int)
        running = list(range(episodes))
        while running:
            actions = agent.act(torch.as_tensor(states), generator).cpu().numpy()
            for i in list(running):
                states[i], reward, terminated, truncated, _ = environments[i].step(actions[i])
                returns[i] += float(reward)
                lengths[i] += 1
                if terminated or truncated:
                    running.remove(i)
        return Evaluation(returns, lengths)
    finally:
        for each in environments:
            each.close()


def make(environment: Environment) -> gymnasium.Env:
    """One environment of this id, or from this function.

    Raises:
        ValueError: as `seem_lab.recording.make_environment`.
    """
    return make_environment(environment) if isinstance(environment, str) else environment()


def check_fit(environment: gymnasium.Env, state_dim: int, action_dim: int) -> None:
    """Refuse an environment whose states and actions are not flat vectors of these lengths.

    Raises:
        ValueError: they are not.
    """
    for name, space, dim in (
        ("states", environment.observation_space, state_dim),
        ("actions", environment.action_space, action_dim),
    ):
        if not isinstance(space, gymnasium.spaces.Box) or space.shape != (dim,):
            raise ValueError(
                f"the environment's {name} are {space}, but the data has vectors of {dim}; "
                "evaluate in the environment that the data was recorded in"
            )
