"""Transitions from an environment: a behaviour acts in it, noise makes it wider, every step is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from jaxtyping import Float

from seem_lab.progress import LateBar
from seem_lab.transitions import Transitions

# From a state (state_dim,) to an action (action_dim,) in [-1, 1].
Policy = Callable[[np.ndarray], np.ndarray]
# Draws the policy of one episode.
Behaviour = Callable[[np.random.Generator], Policy]


class Step(NamedTuple):
    """One step in an environment; `ended` is true where the next one starts afresh."""

    state: np.ndarray
    action: np.ndarray
    reward: float
    next_state: np.ndarray
    terminal: bool
    ended: bool


@dataclass(frozen=True, eq=False)
class Recording:
    """What was recorded.

    Args:
        transitions: float32, in order of time, one episode after the other.
        returns: `(episodes,)` sum of the rewards of every whole episode; the last one may have been cut short and is
            then left out.
    """

    transitions: Transitions
    returns: Float[np.ndarray, " episodes"]


def make_environment(environment: str, **settings: Any) -> gymnasium.Env:
    """A Gymnasium environment with states that are one row of numbers and actions scaled to [-1, 1].

    Args:
        environment: its id.
        settings: passed on to `gymnasium.make`.

    Returns:
        The environment, rescaled where its own actions have another range.

    Raises:
        ValueError: no such environment, a package that is missing, or spaces that are no boxes of one dimension.

    Example:
        >>> make_environment("Pendulum-v1").action_space.high.tolist()
        [1.0]
    """
    try:
        env = gymnasium.make(environment, disable_env_checker=True, **settings)
    except (gymnasium.error.Error, ImportError) as error:
        raise ValueError(
            f'{environment}: {error} (MuJoCo\'s environments need `pip install "seem_lab[control]"`)'
        ) from error
    for kind, space in (("states", env.observation_space), ("actions", env.action_space)):
        if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
            raise ValueError(
                f"{environment}: {kind} must be one row of real numbers, a Box of one dimension, got {space}"
            )
    assert isinstance(env.action_space, gymnasium.spaces.Box)
    if not env.action_space.is_bounded():
        raise ValueError(f"{environment}: actions have no bounds, so they cannot be scaled to [-1, 1]")
    if (env.action_space.low == -1).all() and (env.action_space.high == 1).all():
        return env
    return gymnasium.wrappers.RescaleAction(env, np.float32(-1), np.float32(1))


def dimensions(env: gymnasium.Env) -> tuple[int, int]:
    """Entries of a state and of an action."""
    (state_dim,), (action_dim,) = env.observation_space.shape, env.action_space.shape  # type: ignore[misc]
    return state_dim, action_dim


def interact(env: gymnasium.Env, behaviour: Behaviour, *, noise: float, seed: int) -> Iterator[Step]:
    """Steps without end: `clip(policy(state) + noise * normal, -1, 1)`, a new policy in every episode.

    The policy is asked only when the next step is taken, so a caller may train it between two steps.

    Args:
        env: actions in [-1, 1], see `make_environment`.
        behaviour: draws the policy of an episode.
        noise: standard deviation of the noise on every action.
        seed: of the environment, and of one generator for the policies and the noise.

    Raises:
        ValueError: noise below 0, at the first step.
    """
    if not 0 <= noise < math.inf:
        raise ValueError(f"noise is a standard deviation, 0 or more, got {noise}")
    rng = np.random.default_rng(seed)
    state, _ = env.reset(seed=seed)
    while True:
        policy, ended = behaviour(rng), False
        while not ended:
            wanted = policy(state)
            action = np.clip(wanted + noise * rng.standard_normal(len(wanted)), -1, 1).astype(np.float32)
            next_state, reward, terminal, late, _ = env.step(action)
            ended = bool(terminal or late)
            yield Step(state, action, float(reward), next_state, bool(terminal), ended)
            state = next_state
        state, _ = env.reset()


def collect(steps: Iterator[Step], n: int) -> Recording:
    """The first n of these steps; a progress bar appears once it takes longer than three seconds.

    Args:
        steps: see `interact`.
        n: number of transitions.

    Returns:
        The recording, float32.

    Raises:
        ValueError: n below 1.
    """
    if n < 1:
        raise ValueError(f"record at least one transition, got {n}")
    rows, returns, total = [], [], 0.0
    with LateBar(n, desc="recording", unit="step") as bar:
        for step in islice(steps, n):
            rows.append(step)
            total += step.reward
            if step.ended:
                returns.append(total)
                total = 0.0
            bar.update()
    columns = [np.array(column, dtype=np.float32) for column in zip(*rows, strict=True)]
    return Recording(Transitions(*columns[:5]), np.array(returns, dtype=float))


def record(env: gymnasium.Env, behaviour: Behaviour, n: int, *, noise: float, seed: int) -> Recording:
    """n transitions of a behaviour, the same for the same seed.

    Args:
        env: actions in [-1, 1], see `make_environment`.
        behaviour: draws the policy of an episode, see `seem_lab.behaviours`.
        n: number of transitions.
        noise: standard deviation of the Gaussian noise on every action; what leaves [-1, 1] is clipped.
        seed: of everything that is drawn.

    Returns:
        The recording. A time limit is not a terminal.

    Raises:
        ValueError: n below 1, or noise below 0.

    Example:
        >>> def still(rng):
        ...     return lambda state: np.zeros(1)
        >>> recording = record(make_environment("Pendulum-v1"), still, 300, noise=0.1, seed=0)
        >>> len(recording.transitions), len(recording.returns)               # the second episode is cut short
        (300, 1)
    """
    return collect(interact(env, behaviour, noise=noise, seed=seed), n)
