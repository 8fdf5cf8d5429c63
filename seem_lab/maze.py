"""A small maze that can be drawn: values must be stitched from short recordings to find the way round a wall.

The unit square with a wall block 0 <= x < .6, .4 < y < .6, so that the only way from the lower half to the upper one is
round its right end. The action is a velocity, a step lasts .1; who hits a wall slides along it. Start near (.1, .1),
reward 1 at the goal (.1, .9), which is terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from seem_lab.problems import Problem
from seem_lab.recording import Policy, Recording, make_environment, record

MAZE, MAZE_8D = "seem_lab/Maze-v0", "seem_lab/Maze8D-v0"
SECONDS = 0.1  # a step lasts
WALL = (0.6, 0.4, 0.6)  # its right end, its lower and its upper face
START, START_REACH = (0.1, 0.1), 0.05
GOAL, GOAL_RADIUS = (0.1, 0.9), 0.12
STEPS = 100  # time limit of an episode
# The recorded data.
EPISODE, SPEED, NOISE, GOAL_SHARE = 12, 0.5, 0.3, 0.3
CORNERS = ((0.65, 0.35), (0.65, 0.65))  # the controller rounds the wall here: below it, above it


def in_wall(position: Float[Tensor, "*n 2"]) -> Bool[Tensor, " *n"]:
    """Whether these positions lie in the wall block."""
    right, low, high = WALL
    x, y = position.unbind(-1)
    return (x < right) & (y > low) & (y < high)


def at_goal(position: Float[Tensor, "*n 2"]) -> Bool[Tensor, " *n"]:
    """Whether these positions are closer to the goal than its radius."""
    return (position - position.new_tensor(GOAL)).norm(dim=-1) < GOAL_RADIUS


def velocity(action: Float[Tensor, "*n da"]) -> Float[Tensor, "*n 2"]:
    """What actions do: each is clipped to [-1, 1], and pairs of thrusters push with their mean."""
    return action.clamp(-1, 1).unflatten(-1, (-1, 2)).mean(-2)


def maze_step(
    position: Float[Tensor, "*n 2"], action: Float[Tensor, "*n da"]
) -> tuple[Float[Tensor, "*n 2"], Float[Tensor, " *n"], Bool[Tensor, " *n"]]:
    """One step of many mazes at once.

    First x moves, then y; a coordinate that would enter the wall stays, one that would leave the square stops at its
    edge.

    Args:
        position: `(..., 2)` positions.
        action: `(..., 2 pairs)` thrusts in [-1, 1], clipped.

    Returns:
        The next positions `(..., 2)`, the rewards `(...)` and whether the goal was reached `(...)`.

    Example:
        >>> maze_step(torch.tensor([0.1, 0.39]), torch.tensor([1.0, 1.0]))[0]        # slides along the wall
        tensor([0.2000, 0.3900])
    """
    move = SECONDS * velocity(action)
    for axis in (0, 1):
        there = position.clone()
        there[..., axis] = (there[..., axis] + move[..., axis]).clamp(0, 1)
        position = torch.where(in_wall(there)[..., None], position, there)
    reached = at_goal(position)
    return position, reached.to(position.dtype), reached


class MazeEnv(gymnasium.Env):
    """The maze for Gymnasium, registered as `seem_lab/Maze-v0` (and with 4 pairs of thrusters as
    `seem_lab/Maze8D-v0`), with a time limit of 100 steps.

    Args:
        pairs: pairs of thrusters, each an action of two numbers; the velocity is their mean. With 4 the same motion
            can be made by many 8-D actions, most of which no recording contains.
        anywhere: start anywhere outside wall and goal, as the recorded episodes do.

    Raises:
        ValueError: fewer than 1 pair.

    Example:
        >>> env = gymnasium.make("seem_lab/Maze8D-v0")
        >>> env.action_space.shape, env.spec.max_episode_steps
        ((8,), 100)
    """

    metadata = {"render_modes": []}

    def __init__(self, pairs: int = 1, anywhere: bool = False) -> None:
        if pairs < 1:
            raise ValueError(f"a maze needs at least 1 pair of thrusters, got {pairs}")
        self.anywhere = anywhere
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (2,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (2 * pairs,), np.float32)
        self._position = torch.tensor(START)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        """Start afresh: the position `(2,)` and an empty dictionary."""
        super().reset(seed=seed)
        self._position = torch.from_numpy(free_point(self.np_random) if self.anywhere else start_point(self.np_random))
        return self._position.numpy().copy(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict]:
        """One step: position `(2,)`, reward, whether the goal was reached, False, and an empty dictionary."""
        thrust = torch.as_tensor(action, dtype=torch.float32)
        self._position, reward, reached = maze_step(self._position, thrust)
        return self._position.numpy().copy(), reward.item(), bool(reached), False, {}


gymnasium.register(MAZE, entry_point="seem_lab.maze:MazeEnv", max_episode_steps=STEPS)
gymnasium.register(MAZE_8D, entry_point="seem_lab.maze:MazeEnv", max_episode_steps=STEPS, kwargs={"pairs": 4})


def start_point(rng: np.random.Generator) -> Float[np.ndarray, "2"]:
    """A start, float32: uniform in the square around (.1, .1) that reaches .05 to each side."""
    return (np.array(START) + rng.uniform(-START_REACH, START_REACH, 2)).astype(np.float32)


def free_point(rng: np.random.Generator) -> Float[np.ndarray, "2"]:
    """A point, float32, uniform in the square outside wall and goal."""
    while True:
        point = rng.uniform(0, 1, 2).astype(np.float32)
        if not (in_wall(torch.from_numpy(point)) or at_goal(torch.from_numpy(point))):
            return point


def waypoint(position: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Where to head next for a target: itself if no wall is in between, else a corner of the way round."""
    if _sees(position, target):
        return target
    near, far = sorted(np.array(CORNERS), key=lambda corner: -abs(corner[1] - target[1]))
    return far if _sees(position, far) else near


def waypoints(pairs: int = 1) -> Callable[[np.random.Generator], Policy]:
    """The behaviour of the recorded data: at speed .5 to the goal (30 % of the episodes) or to a random free point.

    Args:
        pairs: pairs of thrusters; all of a step push alike, before noise.

    Returns:
        A behaviour for `seem_lab.recording.record`.
    """

    def behaviour(rng: np.random.Generator) -> Policy:
        target = np.array(GOAL) if rng.random() < GOAL_SHARE else free_point(rng).astype(float)

        def policy(position: np.ndarray) -> np.ndarray:
            way = waypoint(position, target) - position
            speed = min(SPEED, np.linalg.norm(way).item() / SECONDS)  # no further than there
            return np.tile(speed * way / max(np.linalg.norm(way).item(), 1e-9), pairs)

        return policy

    return behaviour


def record_maze(seed: int = 0, *, pairs: int = 1, n: int = 4000) -> Recording:
    """Recorded episodes of at most 12 steps from random free starts: `waypoints` with noise of .3 on every thruster.

    Args:
        seed: of everything that is drawn.
        pairs: pairs of thrusters.
        n: number of transitions.

    Returns:
        The recording; no episode is long enough to come from the start to the goal.
    """
    env = make_environment(MAZE, pairs=pairs, anywhere=True, max_episode_steps=EPISODE)
    return record(env, waypoints(pairs), n, noise=NOISE, seed=seed)


def maze(seed: int = 0, *, pairs: int = 1, n: int = 4000, gamma: float = 0.99) -> Problem:
    """The maze's recorded data; at a next state the bootstrap may stand still or go full speed in 8 directions.

    Args:
        seed: of the recording.
        pairs: pairs of thrusters; the action has twice as many numbers, and all pairs of a candidate push alike.
        n: number of transitions.
        gamma: discount factor.

    Returns:
        A problem in float32 with N = n, d = 2 + 2 pairs and K = 9.

    Example:
        >>> maze(n=50, pairs=4).x.shape
        torch.Size([50, 10])
    """
    angle = torch.arange(8) * (torch.pi / 4)
    compass = torch.cat([torch.zeros(1, 2), torch.stack([angle.cos(), angle.sin()], dim=1)])
    return Problem("maze", record_maze(seed, pairs=pairs, n=n).transitions, compass.repeat(1, pairs), gamma)


@dataclass(frozen=True, eq=False)
class MazeRuns:
    """Episodes from the start.

    Args:
        path: `(steps + 1, episodes, 2)` positions; who has reached the goal stays there.
        reached: `(episodes,)` whether the goal was reached in time.
    """

    path: Float[Tensor, "t n 2"]
    reached: Bool[Tensor, " n"]

    @property
    def success(self) -> float:
        """Share of the episodes that reach the goal."""
        return self.reached.double().mean().item()


def run_maze(
    policy: Callable[[Float[Tensor, "n 2"]], Float[Tensor, "n da"]],
    episodes: int = 20,
    *,
    seed: int = 0,
    steps: int = STEPS,
    device: torch.device | str = "cpu",
) -> MazeRuns:
    """Run a policy from `episodes` starts at once.

    Args:
        policy: positions `(episodes, 2)` to actions `(episodes, 2 pairs)`, float32.
        episodes: number of starts.
        seed: of the starts.
        steps: time limit.
        device: where the policy lives.

    Returns:
        Paths and which of them reach the goal.

    Example:
        >>> run_maze(lambda position: torch.tensor([[0.0, 1.0]]).expand(len(position), 2)).success    # into the wall
        0.0
    """
    rng = np.random.default_rng(seed)
    position = torch.from_numpy(np.stack([start_point(rng) for _ in range(episodes)])).to(device)
    path, reached = [position], at_goal(position)
    with torch.no_grad():
        for _ in range(steps):
            there, _, arrived = maze_step(position, policy(position))
            position = torch.where(reached[:, None], position, there)
            reached = reached | arrived
            path.append(position)
    return MazeRuns(torch.stack(path).cpu(), reached.cpu())


def _sees(here: np.ndarray, there: np.ndarray) -> bool:
    """Whether the straight line between two points misses the wall block: clipped to its two slabs, nothing is left."""
    right, low, high = WALL
    begin, end = 0.0, 1.0
    for axis, (near, far) in enumerate(((-np.inf, right), (low, high))):
        way = there[axis] - here[axis]
        if way == 0:
            if not near < here[axis] < far:
                return True
            continue
        first, last = sorted(((near - here[axis]) / way, (far - here[axis]) / way))
        begin, end = max(begin, first), min(end, last)
    return bool(begin >= end)
