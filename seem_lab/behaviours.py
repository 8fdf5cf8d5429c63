"""Who acts while data is recorded: scripted controllers, and weak policies drawn at random."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seem_lab.maze import EPISODE, MAZE, MAZE_8D, NOISE, waypoints
from seem_lab.recording import Behaviour, Policy

UPRIGHT_ENERGY = 15.0  # energy over the moment of inertia m l^2 / 3: angular velocity^2 / 2 + 15 cos(theta)
MAX_TORQUE = 2.0
WEIGHTS = 0.3  # standard deviation of the weights of a random linear policy


@dataclass(frozen=True)
class Script:
    """A controller for one environment.

    Args:
        behaviour: draws the policy of an episode.
        words: what it does, for the provenance.
        noise: standard deviation of the noise that is meant to go with it.
        settings: the environment is recorded with these.
    """

    behaviour: Behaviour
    words: str
    noise: float
    settings: Mapping[str, Any] = field(default_factory=dict)


def pump_and_balance(rng: np.random.Generator) -> Policy:
    """Pendulum-v1: far from the top pump energy, near it hold the pendulum there; the action is torque over 2.

    theta = 0 is upright, the state is (cos theta, sin theta, angular velocity). Nothing is drawn.

    Example:
        >>> pump_and_balance(np.random.default_rng(0))(np.array([1.0, 0.0, 0.5]))     # upright and leaving: brake
        array([-0.5])
    """

    def policy(state: np.ndarray) -> np.ndarray:
        cosine, sine, velocity = state.tolist()
        if cosine > 0.9:
            torque = -10.0 * math.atan2(sine, cosine) - 2.0 * velocity
        else:
            energy = velocity**2 / 2 + UPRIGHT_ENERGY * cosine
            torque = math.copysign(0.3, velocity) * (UPRIGHT_ENERGY - energy)
        return np.array([torque / MAX_TORQUE])

    return policy


def random_linear(state_dim: int, action_dim: int) -> Behaviour:
    """Weak policies: `tanh(W s)`, every entry of W drawn anew for each episode from N(0, .3^2).

    Args:
        state_dim: entries of a state.
        action_dim: entries of an action.

    Returns:
        A behaviour for `seem_lab.recording.record`.

    Example:
        >>> random_linear(3, 2)(np.random.default_rng(0))(np.ones(3)).shape
        (2,)
    """

    def behaviour(rng: np.random.Generator) -> Policy:
        weights = rng.normal(0, WEIGHTS, (action_dim, state_dim))
        return lambda state: np.tanh(weights @ state)

    return behaviour


def _to_points(pairs: int) -> Script:
    words = (
        f"at speed .5 round the wall to the goal (3 episodes in 10) or to a random free point; at most {EPISODE} steps "
        "from a random free start"
    )
    return Script(waypoints(pairs), words, NOISE, {"anywhere": True, "max_episode_steps": EPISODE})


SCRIPTS: dict[str, Script] = {
    "Pendulum-v1": Script(pump_and_balance, "pumps energy, then balances", 0.5),
    MAZE: _to_points(1),
    MAZE_8D: _to_points(4),
}
