"""What to train on: transitions, a discount, and the actions to choose from at the next state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seem_lab.networks import q_values
from seem_lab.transitions import Transitions

_IN_WHEEL = Path(__file__).resolve().parent / "data"  # in a clone the recorded data lies beside the package
DATA = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_WHEEL.parents[1] / "data"


@dataclass(frozen=True, eq=False)
class Problem:
    """Transitions, a discount factor, and K candidate next actions for each of the N next states.

    With K = 1 the next action is fixed; with more, the bootstrap takes the one whose value is largest now (greedy).
    A penalty counts in this choice only: the bootstrap's value is Q itself.

    Args:
        name: for titles and tables.
        transitions: N of them.
        next_actions: `(N, K, action_dim)`, or `(K, action_dim)` when every next state offers the same.
        gamma: discount factor in [0, 1].
        penalty: `(N, K)`, taken off the value of each candidate when the greedy one is chosen; none if not given.

    Raises:
        ValueError: gamma outside [0, 1], or next actions or penalties that are not finite or do not fit in shape.

    Example:
        >>> walk = toy_walk(seed=0)
        >>> walk.x.shape, walk.next_actions.shape
        (torch.Size([63, 4]), torch.Size([63, 8, 2]))
    """

    name: str
    transitions: Transitions
    next_actions: Float[Tensor, "*n k da"]
    gamma: float
    penalty: Float[Tensor, "n k"] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.gamma <= 1:
            raise ValueError(f"gamma must lie in [0, 1], got {self.gamma}")
        n, action_dim = self.transitions.action.shape
        given = torch.as_tensor(self.next_actions)
        actions = given.to(self.transitions.action)
        if actions.ndim == 2:
            actions = actions.expand(n, *actions.shape)
        if actions.ndim != 3 or len(actions) != n or actions.shape[1] == 0 or actions.shape[2] != action_dim:
            raise ValueError(
                f"next_actions must have shape (K, {action_dim}) or ({n}, K, {action_dim}) with K >= 1, "
                f"got {tuple(given.shape)}"
            )
        if not torch.isfinite(actions).all():
            raise ValueError("next_actions are nan or infinite; give finite candidates")
        object.__setattr__(self, "next_actions", actions)
        if self.penalty is not None:
            if self.penalty.shape != actions.shape[:2] or not torch.isfinite(self.penalty).all():
                raise ValueError(
                    f"penalty must be finite, one number a candidate, shape {tuple(actions.shape[:2])}; "
                    f"got shape {tuple(self.penalty.shape)}"
                )
            object.__setattr__(self, "penalty", self.penalty.to(actions))

    @property
    def n(self) -> int:
        """The number of transitions N."""
        return len(self.transitions)

    @property
    def input_dim(self) -> int:
        """The width d of a network's input: state and action concatenated."""
        return self.x.shape[1]

    @cached_property
    def x(self) -> Float[Tensor, "n d"]:
        """X, `(N, d)`: the inputs (s, a) of the data."""
        return torch.cat([self.transitions.state, self.transitions.action], dim=1)

    @cached_property
    def candidates(self) -> Float[Tensor, "n k d"]:
        """`(N, K, d)`: every input (s', a') the bootstrap may choose."""
        k = self.next_actions.shape[1]
        next_state = self.transitions.next_state[:, None].expand(-1, k, -1)
        return torch.cat([next_state, self.next_actions], dim=2)

    @property
    def reward(self) -> Float[Tensor, " n"]:
        """r, `(N,)`."""
        return self.transitions.reward

    @cached_property
    def discount(self) -> Float[Tensor, " n"]:
        """`(N,)`: gamma, and 0 where the transition is terminal."""
        return self.gamma * (1 - self.transitions.terminal)

    def greedy(self, network: nn.Module) -> tuple[Int[Tensor, " n"], Float[Tensor, " n"]]:
        """The candidate next action of largest value: its index and its value, `(N,)` each (the first one in a tie).

        With a penalty, the largest value less penalty; the value given is without.
        """
        n, k, d = self.candidates.shape
        with torch.no_grad():
            value = network(self.candidates.reshape(n * k, d)).reshape(n, k)
            if self.penalty is None:
                best, index = value.max(dim=1)
                return index, best
            index = (value - self.penalty).argmax(dim=1)
            return index, value.gather(1, index[:, None])[:, 0]

    def next_inputs(self, choice: Int[Tensor, " n"]) -> Float[Tensor, "n d"]:
        """X*, `(N, d)`: the candidate of each next state that has this index."""
        return self.candidates[torch.arange(self.n, device=self.x.device), choice]

    def bootstrap(self, network: nn.Module) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"], Float[Tensor, " n"]]:
        """What the theory needs: `(x, x_next, discount)` of shapes `(N, d)`, `(N, d)`, `(N,)`.

        Args:
            network: maps `(M, d)` to `(M,)` or `(M, 1)`; it chooses the next actions.
        """
        q_values(network, self.x[:1])  # the checks, with their messages
        return self.x, self.next_inputs(self.greedy(network)[0]), self.discount

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Problem:
        """The same problem on another device, in another dtype, or both."""
        transitions = self.transitions.to(device=device, dtype=dtype)
        return replace(self, transitions=transitions, next_actions=self.next_actions.to(device=device, dtype=dtype))


def two_state_loop(next_feature: float = 2.0, *, gamma: float = 0.99, reward: float = 0.0) -> Problem:
    """The smallest self-excitation: one transition, x = 1, whose bootstrap is its neighbour x* = `next_feature`.

    With `linear_q(1)` there is one parameter w: Q(x) = w, Q(x*) = `next_feature` w, and
    `A = gamma * next_feature - 1` is a number. There is no action to choose.

    Args:
        next_feature: x*, the feature of the neighbour.
        gamma: discount factor.
        reward: given on the one transition.

    Returns:
        A problem with N = 1 and d = 1.

    Source: Tsitsiklis and Van Roy 1997, the example w -> 2w.

    Example:
        >>> x, x_next, discount = two_state_loop().bootstrap(nn.Linear(1, 1, dtype=torch.float64))
        >>> (discount * x_next - x).item()
        0.98
    """
    here, there = torch.ones(1, 1, dtype=torch.float64), torch.full((1, 1), next_feature, dtype=torch.float64)
    loop = Transitions(here, torch.zeros(1, 0), reward * here[0], there, torch.zeros(1))
    return Problem("two-state loop", loop, torch.zeros(1, 0), gamma)


def baird_star(*, gamma: float = 0.99) -> Problem:
    """Baird's star: 7 states, 8 features, every transition leads to the seventh state, reward 0.

    State i = 1..6 has value `2 w_i + w_8`, state 7 has `w_7 + 2 w_8`; the true value is 0 everywhere. Use it with
    `linear_q(8, weight=baird_weights())`. There is no action to choose.

    Args:
        gamma: discount factor.

    Returns:
        A problem with N = 7 and d = 8.

    Source: Baird 1995, in the form of Sutton and Barto 2018, section 11.2 (state transitions of the target policy).

    Example:
        >>> baird_star().transitions.state[0].tolist()
        [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """
    features = torch.zeros(7, 8, dtype=torch.float64)
    features[:6, :6] = 2 * torch.eye(6)
    features[:6, 7] = 1
    features[6, 6], features[6, 7] = 1, 2
    centre = features[6].expand(7, 8)
    star = Transitions(features, torch.zeros(7, 0), torch.zeros(7), centre, torch.zeros(7))
    return Problem("Baird's star", star, torch.zeros(1, 0), gamma)


def baird_weights() -> Float[Tensor, "8"]:
    """The customary initial weights of Baird's star, `(8,)`: all 1, but 10 for the seventh."""
    weights = torch.ones(8, dtype=torch.float64)
    weights[6] = 10
    return weights


def random_features(
    n: int = 12,
    features: int = 20,
    *,
    alignment: float = 0.0,
    next_scale: float = 1.0,
    gamma: float = 0.99,
    seed: int = 0,
) -> Problem:
    """Random linear Q-learning: rows of `x` are standard normal over sqrt(features), reward 0, no action to choose.

    The next features are `next_scale (alignment x + sqrt(1 - alignment^2) z)`, z a fresh draw: `alignment` 1 points
    the bootstrap exactly along the data, 0 anywhere.

    Args:
        n: number of transitions N.
        features: number of features d, which is also the number of parameters of `linear_q(features)`.
        alignment: correlation between a row and its next row, in [-1, 1].
        next_scale: length of the next features against that of the features.
        gamma: discount factor.
        seed: of the draw.

    Returns:
        A problem with N = `n` and d = `features`.

    Raises:
        ValueError: `alignment` outside [-1, 1], fewer than one row or feature.

    Example:
        >>> random_features(5, 3).x.shape
        torch.Size([5, 3])
    """
    if not -1 <= alignment <= 1:
        raise ValueError(f"alignment must lie in [-1, 1], got {alignment}")
    if min(n, features) < 1:
        raise ValueError(f"n and features must be at least 1, got {n} and {features}")
    generator = torch.Generator().manual_seed(seed)
    x, z = torch.randn(2, n, features, generator=generator, dtype=torch.float64) / math.sqrt(features)
    x_next = next_scale * (alignment * x + math.sqrt(1 - alignment**2) * z)
    drawn = Transitions(x, torch.zeros(n, 0), torch.zeros(n), x_next, torch.zeros(n))
    return Problem("random features", drawn, torch.zeros(1, 0), gamma)


def toy_walk(
    seed: int = 0,
    *,
    points: int = 64,
    step: float = 0.1,
    noise: float = 0.02,
    directions: int = 8,
    reward: float = 0.0,
    gamma: float = 0.99,
    transitions: Transitions | None = None,
) -> Problem:
    """A random walk in the plane; greedy Q-learning on it blows up with almost every network.

    The start is uniform in the unit square. Each step goes `step` along one of `directions` compass unit vectors,
    drawn at random, plus noise uniform in [0, `noise`)^2. The action is the unit vector, the input (x, y, ax, ay);
    at a next state the bootstrap takes the greedy one of the compass actions. Nothing is terminal.

    Source: the toy example of arXiv 2310.04411 (our reconstruction; theory in lesson 01).

    Args:
        seed: of the walk.
        points: number of points; there are `points - 1` transitions.
        step: length of a step.
        noise: upper end of the uniform noise, per coordinate.
        directions: number of compass actions.
        reward: given on every step.
        gamma: discount factor.
        transitions: use these instead of the walk (2-D states, 2-D actions); `seed`, `points`, `step`, `noise` and
            `reward` then have no effect.

    Returns:
        A problem with N = `points - 1`, d = 4 and K = `directions` candidates at every next state.

    Raises:
        ValueError: fewer than 2 points or 1 direction, or given transitions that do not live in the plane.

    Example:
        >>> toy_walk(seed=1458).input_dim
        4
    """
    if points < 2 or directions < 1:
        raise ValueError(f"a walk needs at least 2 points and 1 direction, got {points} and {directions}")
    angle = 2 * math.pi * torch.arange(directions, dtype=torch.float64) / directions
    compass = torch.stack([angle.cos(), angle.sin()], dim=1)
    if transitions is None:
        generator = torch.Generator().manual_seed(seed)
        start = torch.rand(1, 2, generator=generator, dtype=torch.float64)
        action = compass[torch.randint(directions, (points - 1,), generator=generator)]
        jitter = noise * torch.rand(points - 1, 2, generator=generator, dtype=torch.float64)
        position = torch.cat([start, start + (step * action + jitter).cumsum(0)])
        rewards = torch.full((points - 1,), float(reward))
        transitions = Transitions(position[:-1], action, rewards, position[1:], torch.zeros(points - 1))
    elif transitions.state.shape[1] != 2 or transitions.action.shape[1] != 2:
        raise ValueError(
            "the walk lives in the plane: give transitions with 2-D states and 2-D actions, "
            f"got {transitions.state.shape[1]}-D and {transitions.action.shape[1]}-D"
        )
    return Problem("toy walk", transitions, compass, gamma)


def recorded(
    name: str | Path,
    *,
    next_actions: Float[Tensor, "k da"] | None = None,
    fraction: float = 1.0,
    seed: int = 0,
    gamma: float = 0.99,
    dtype: torch.dtype = torch.float64,
) -> Problem:
    """Recorded control data, states normalised to mean 0 and standard deviation 1.

    Args:
        name: a file in `data/` without its ending (`"pendulum"`), or the path of an `.npz` made by `Transitions.save`.
        next_actions: `(K, action_dim)` candidates at every next state; for one-dimensional actions 9 values evenly
            over the recorded range if not given.
        fraction: share of the transitions to draw, in (0, 1].
        seed: of that draw.
        gamma: discount factor.
        dtype: of all tensors.

    Returns:
        A problem named after the file, with d = state_dim + action_dim.

    Raises:
        FileNotFoundError: no such data; the message lists what there is.
        ValueError: a broken file, or more than one action dimension and no `next_actions`.

    Example:
        >>> recorded("pendulum", fraction=0.01).x.shape
        torch.Size([100, 4])
    """
    path = Path(name) if str(name).endswith(".npz") else DATA / f"{name}.npz"
    if not path.exists():
        there = ", ".join(sorted(file.stem for file in DATA.glob("*.npz"))) or "nothing yet"
        raise FileNotFoundError(f"no recorded data at {path}; data/ holds: {there}")
    transitions = Transitions.load(path).subset(fraction, seed).to(dtype=dtype)
    transitions, _, _ = transitions.normalise_states()
    action = transitions.action
    if next_actions is None:
        if action.shape[1] != 1:
            raise ValueError(
                f"{path.name} has {action.shape[1]}-D actions: give the candidates as next_actions=(K, dim)"
            )
        low, high = action.min().item(), action.max().item()
        next_actions = torch.linspace(low, high, 9, dtype=dtype)[:, None]
    return Problem(path.stem, transitions, next_actions, gamma)
