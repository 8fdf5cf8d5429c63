"""Transitions on the device, packed into one matrix, and batches drawn from it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from seem_lab.transitions import Transitions, Values


class Scaling(NamedTuple):
    """How raw states and rewards become what the networks see: `(s - mean) / std` and `reward * r`.

    Args:
        mean: `(state_dim,)`.
        std: `(state_dim,)`, positive.
        reward: factor of rewards.
    """

    mean: Float[Tensor, " ds"]
    std: Float[Tensor, " ds"]
    reward: float = 1.0

    @classmethod
    def none(cls, state_dim: int, device: torch.device | str = "cpu") -> Scaling:
        """States and rewards as they are, for online training, where no data tells their size beforehand."""
        return cls(torch.zeros(state_dim, device=device), torch.ones(state_dim, device=device))

    def states(self, state: Float[Tensor, "... ds"]) -> Float[Tensor, "... ds"]:
        """Raw states, scaled."""
        return (state - self.mean) / self.std


class Batch(NamedTuple):
    """Transitions as the networks see them, states and rewards scaled.

    Args:
        x: `(B, state_dim + action_dim)` (s, a) side by side.
        state: `(B, state_dim)` s, a view of `x`.
        action: `(B, action_dim)` a in [-1, 1], a view of `x`.
        next_state: `(B, state_dim)` s'.
        reward: `(B,)` r.
        live: `(B,)` 0 where the episode ended at s', else 1.
    """

    x: Float[Tensor, "b d"]
    state: Float[Tensor, "b ds"]
    action: Float[Tensor, "b da"]
    next_state: Float[Tensor, "b ds"]
    reward: Float[Tensor, " b"]
    live: Float[Tensor, " b"]


class Replay:
    """A store of transitions, one row `(s, a, s', r, live)` each, scaled as they enter. When full, the oldest go.

    One row is one piece of memory, so a batch is a single `index_select`.

    Args:
        capacity: how many transitions at most.
        action_dim: entries of an action.
        scaling: of states and rewards; its tensors say the device and the number of entries of a state.

    Example:
        >>> replay = Replay(100, action_dim=1, scaling=Scaling(torch.zeros(2), torch.ones(2), reward=10.0))
        >>> replay.add([[0.0, 1.0]], [[0.5]], [1.0], [[1.0, 1.0]], [False])
        >>> batch = replay.sample(3, torch.Generator().manual_seed(0))
        >>> batch.x[0].tolist(), batch.reward.tolist()
        ([0.0, 1.0, 0.5], [10.0, 10.0, 10.0])
    """

    def __init__(self, capacity: int, action_dim: int, scaling: Scaling) -> None:
        self.state_dim, self.action_dim, self.scaling = len(scaling.mean), action_dim, scaling
        self.device = scaling.mean.device
        self.rows = torch.zeros(capacity, 2 * self.state_dim + action_dim + 2, device=self.device)
        self.added = 0

    @classmethod
    def of(cls, data: Transitions, scaling: Scaling) -> Replay:
        """A store that holds exactly these transitions."""
        replay = cls(len(data), data.action.shape[1], scaling)
        replay.add(data.state, data.action, data.reward, data.next_state, data.terminal)
        return replay

    def __len__(self) -> int:
        """The number of transitions held."""
        return min(self.added, len(self.rows))

    def add(self, state: Values, action: Values, reward: Values, next_state: Values, terminal: Values) -> None:
        """Store n raw transitions: `(n, state_dim)`, `(n, action_dim)`, `(n,)`, `(n, state_dim)`, `(n,)`.

        Raises:
            ValueError: states or actions of another length.
        """
        s, a, r, s_next, ended = (
            torch.as_tensor(value, dtype=torch.float32, device=self.device)
            for value in (state, action, reward, next_state, terminal)
        )
        if (s.shape[1], a.shape[1]) != (self.state_dim, self.action_dim):
            raise ValueError(
                f"these transitions have states of {s.shape[1]} numbers and actions of {a.shape[1]}, the agent takes "
                f"{self.state_dim} and {self.action_dim}; give data of the environment that it learns in"
            )
        columns = [self.scaling.states(s), a, self.scaling.states(s_next)]
        rows = torch.cat([*columns, self.scaling.reward * r[:, None], 1 - ended[:, None]], dim=1)
        places = torch.arange(self.added, self.added + len(rows), device=self.device) % len(self.rows)
        self.rows[places] = rows
        self.added += len(rows)

    def sample(self, size: int, generator: torch.Generator) -> Batch:
        """`size` transitions, each drawn from all with equal chance."""
        places = torch.randint(len(self), (size,), generator=generator, device=self.device)
        return self._as_batch(self.rows.index_select(0, places))

    def all(self) -> Batch:
        """Every transition held, in the order of the rows."""
        return self._as_batch(self.rows[: len(self)])

    def _as_batch(self, rows: Float[Tensor, "b width"]) -> Batch:
        s, x = self.state_dim, self.state_dim + self.action_dim
        return Batch(rows[:, :x], rows[:, :s], rows[:, s:x], rows[:, x:-2], rows[:, -2], rows[:, -1])
