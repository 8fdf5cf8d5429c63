"""Record data/pendulum.npz: Gymnasium's Pendulum-v1 under a scripted controller with noise.

    python data/record_pendulum.py [file.npz]

The pendulum hangs from a pivot; theta = 0 is upright, the torque is at most 2. Far from the top the controller pumps
energy, near it a proportional-derivative law holds it there; Gaussian noise on every torque makes the data wider than
the controller alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import gymnasium as gym
import numpy as np
from tqdm.auto import tqdm

from seem_lab import Transitions

SEED = 0
STEPS = 10_000
NOISE = 1.0  # standard deviation of the torque noise
MAX_TORQUE = 2.0
UPRIGHT_ENERGY = 15.0  # energy over the moment of inertia m l^2 / 3: angular velocity^2 / 2 + 15 cos(theta)

# One transition: state, action, reward, next state. There is no terminal: Pendulum-v1 only has a time limit.
Step = tuple[np.ndarray, np.ndarray, float, np.ndarray]


def controller(state: np.ndarray) -> float:
    """Torque without noise, from the observation (cos theta, sin theta, angular velocity)."""
    cosine, sine, velocity = state.tolist()
    if cosine > 0.9:
        return -10.0 * math.atan2(sine, cosine) - 2.0 * velocity
    energy = velocity**2 / 2 + UPRIGHT_ENERGY * cosine
    return math.copysign(0.3, velocity) * (UPRIGHT_ENERGY - energy)


def episodes(seed: int = SEED) -> Iterator[list[Step]]:
    """Episodes of 200 steps without end, from one seed."""
    environment = gym.make("Pendulum-v1")
    noise = np.random.default_rng(seed)
    state, _ = environment.reset(seed=seed)
    while True:
        episode: list[Step] = []
        done = False
        while not done:
            torque = np.clip(controller(state) + NOISE * noise.standard_normal(), -MAX_TORQUE, MAX_TORQUE)
            action = np.array([torque], dtype=np.float32)
            next_state, reward, terminated, truncated, _ = environment.step(action)
            episode.append((state, action, float(reward), next_state))
            state, done = next_state, terminated or truncated
        yield episode
        state, _ = environment.reset()


def as_transitions(steps: list[Step]) -> Transitions:
    """float32 transitions, none terminal."""
    state, action, reward, next_state = (np.array(column, dtype=np.float32) for column in zip(*steps, strict=True))
    return Transitions(state, action, reward, next_state, np.zeros(len(steps), dtype=np.float32))


def main(path: Path) -> None:
    """Record, save, and print the mean return of an episode."""
    steps = list(tqdm(islice(chain.from_iterable(episodes()), STEPS), total=STEPS, desc="Pendulum-v1", unit="step"))
    transitions = as_transitions(steps)
    transitions.save(path)
    returns = transitions.reward.reshape(-1, 200).sum(1)
    print(f"{path}: {len(transitions)} transitions, gymnasium {gym.__version__}, seed {SEED}")
    print(f"return of an episode: mean {returns.mean():.1f}, from {returns.min():.1f} to {returns.max():.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("pendulum.npz"))
